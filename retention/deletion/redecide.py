"""The decision on the files of a batch, made again: in the transaction of its intent, and
before the unlinks of an intent that was left open."""

from sqlalchemy import Connection

from retention.catalogue import due, holds, looks, policies, streams
from retention.catalogue.db import Catalogue
from retention.control import in_force
from retention.deletion.items import Item, cameras_of
from retention.model.choice import Decided, Versions
from retention.model.errors import StaleError
from retention.model.policy import Reason, decide, doubt_of
from retention.model.values import Micros


def versions(tx: Connection, now: Micros) -> Versions:
    """The versions that a decision made in this transaction rests on."""
    policy = policies.current(tx)
    return Versions(
        holds.moved(tx, now).version, 0 if policy is None else policy.version
    )


def decide_again(
    catalogue: Catalogue,
    tx: Connection,
    items: list[Item],
    decided: Decided,
    now: Micros,
) -> None:
    """Nothing that is held, not due, or came into doubt since gets into an intent.

    The holds' version in this transaction is the one that the holds at hand were read
    at, so they are what is in force; and so they are by the log.  Raises StaleError, and
    MismatchError where rows protect less than the log says.
    """
    if versions(tx, now) != decided.versions:
        raise StaleError("holds or policy moved while a batch was made")
    in_force.refuse_less(catalogue, tx, cameras_of(items), now)
    doubted = {
        stream.key
        for stream in streams.by_keys(tx, {item.stream for item in items})
        if stream.quarantined is not None
    }
    for item in items:
        holds_, end = decided.holds[item.camera], item.end
        if holds_.hold(item.start, end, doubtful=item.doubtful):
            raise StaleError("a held recording was in a batch")
        if item.due > now or (end > now and not item.doubtful):
            raise StaleError("a recording that is not due was in a batch")
        if item.stream in doubted and not item.doubtful:
            raise StaleError("times came into doubt while a batch was made")


def kept_now(
    catalogue: Catalogue, tx: Connection, items: list[Item], now: Micros
) -> list[int]:
    """Numbers of the files that are held by now, or not due (any more): holds, policy,
    clock and the doubts about times may be others than when the intent was made; and of
    those of which the catalogue's own rows say otherwise.
    MismatchError where rows protect less than the log says."""
    cameras = cameras_of(items)
    in_force.refuse_less(catalogue, tx, cameras, now)
    policy = policies.policy_of(tx)
    held = holds.of_cameras(tx, cameras, now)
    found = streams.by_keys(tx, {item.stream for item in items})
    doubts = looks.doubts(tx, found)
    kept = []
    for number, item in enumerate(items):
        decision = decide(
            item.start,
            item.end,
            holds=held[item.camera],
            period=policy.period(item.camera),
            now=now,
            doubtful_since=doubt_of(
                item.end,
                due.seen_of(tx, item.key) if item.doubtful else None,
                doubts.get(item.stream),
            ),
        )
        is_due = decision.reason is Reason.DUE
        if not is_due or not item.ours or item.held_elsewhere(held) is not None:
            kept.append(number)
    return kept
