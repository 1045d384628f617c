"""The completion of an intent: what became of a batch, as its one entry says it."""

from collections import Counter
from typing import NamedTuple

from retention.model import Actor, Entry, Micros, Outcome, Rows

METHOD = "unlink"  # honest: this is no media sanitisation (NIST SP 800-88)


class Result(NamedTuple):
    """What became of a batch."""

    intent: int
    outcomes: Counter[Outcome]
    size: int
    lateness: Micros
    gone: list[bytes]
    """Paths of the files that are not there any more, whoever removed them."""


def completion(
    result: Result, outcomes: list[Outcome], now: Micros, actor: Actor
) -> Entry:
    """The one completion of an intent, with its exceptions as rows."""
    exceptions = [
        (number, str(outcome))
        for number, outcome in enumerate(outcomes)
        if outcome is not Outcome.DELETED
    ]
    return Entry(
        kind="recordings.deleted",
        at=now,
        actor=actor,
        fields={
            "intent": result.intent,
            **{str(outcome): result.outcomes[outcome] for outcome in Outcome},
            "bytes": result.size,
            "lateness": result.lateness,
            "method": METHOD,
        },
        rows=Rows(("row", "outcome"), exceptions) if exceptions else None,
    )
