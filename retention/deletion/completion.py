"""The completion of an intent: what became of a batch, as its one entry says it.

Also of a batch that can't be finished, since its disk was replaced before anyone looked
again.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from retention.catalogue import batches, lost, recordings
from retention.catalogue.db import Transaction
from retention.catalogue.lost import Lost
from retention.deletion.items import Item, items_of
from retention.model.values import Micros, Outcome, Recording


class Result(NamedTuple):
    """What became of a batch."""

    intent: int
    outcomes: Counter[Outcome]
    size: int
    lateness: Micros
    """How long the first of them had been due when the batch was done."""
    gone: list[bytes]
    """Paths of the files that are not there any more, whoever removed them."""


def note_absent(
    tx: Transaction, root: int, absent: Iterable[Item], now: Micros
) -> None:
    """These had vanished before: met again within a week, they are what they were.
    Their rows are there still."""
    lost.keep(
        tx,
        (
            Lost(
                root, one.path,
                Recording(*one.key, one.duration, one.size, path=one.stored), now,
                False, recordings.doubt(tx, one.key) if one.doubtful else None,
            )
            for one in absent
        ),
    )  # fmt: skip


def abandon(tx: Transaction, root: int) -> int:
    """Complete every open intent of a root whose disk is another one now.

    What became of the files is not known and never will be, so none is called deleted:
    each has failed, and its row is present again until the new disk says that the file
    is lost.  Returns the number of batches.
    """
    intents = batches.open_batches(tx, root)
    for intent in intents:
        items = items_of(tx, intent)
        outcomes = [Outcome.FAILED] * len(items)
        batches.put_back(tx, [item.key for item in items])
        batches.close_batch(tx, intent)
        tx.append(*batches.completion(intent, outcomes))
    return len(intents)
