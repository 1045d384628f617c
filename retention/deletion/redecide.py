"""The decision on the files of an open intent, made again before they are unlinked."""

from sqlalchemy import Connection

from retention.catalogue import due, holds, streams
from retention.catalogue.due import Due
from retention.deletion.items import Item
from retention.deletion.volume import policy_of
from retention.model import Micros, Stream
from retention.policy import Reason, decide, doubtful_since


def kept_now(tx: Connection, items: list[Item], now: Micros) -> list[int]:
    """Numbers of the files that are held by now, or not due (any more): holds, policy,
    clock and the doubts about times may be others than when the intent was made."""
    policy = policy_of(tx)
    held = holds.of_cameras(tx, {item.camera for item in items}, now)
    by_key = {s.key: s for s in streams.by_keys(tx, {item.stream for item in items})}
    kept = []
    for number, item in enumerate(items):
        seen = due.seen_of(tx, item.key) if item.doubtful else None
        decision = decide(
            item.start,
            item.end,
            holds=held[item.camera],
            period=policy.period(item.camera),
            now=now,
            doubtful_since=doubt_of(
                item.end, seen, item.latest_mtime, by_key[item.stream], now
            ),
        )
        if decision.reason is not Reason.DUE:
            kept.append(number)
    return kept


def doubt_of(
    end: Micros, seen: Micros | None, mtime: Micros | None, stream: Stream, now: Micros
) -> Micros | None:
    """From when the period of a doubtful recording counts; None where it is not."""
    if seen is not None:
        return doubtful_since(seen, seen if mtime is None else mtime, now)
    if stream.quarantined is None:
        return None
    return max(stream.quarantined, end)


def doubt_of_row(
    row: Due, seen: Micros | None, stream: Stream, now: Micros
) -> Micros | None:
    """The same of a catalogue row."""
    return doubt_of(row.start + row.duration, seen, row.mtime, stream, now)
