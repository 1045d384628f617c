"""When all of a footage root was looked at, as a short list of the gaps between looks,
and by how much its files' times were moved since.

So that a doubt about a recording's times starts no new period, with not a byte kept a
recording: what has long been known was recorded before the first look after its end.
"""

from collections.abc import Iterable
from itertools import islice

from sqlalchemy import Connection

from retention.catalogue import log, policies
from retention.catalogue.db import Transaction, get_fact, put_fact
from retention.catalogue.entries import CatalogueSource
from retention.model.policy import (
    BEGINNING,
    LOOKS_APART,
    InDoubt,
    Looks,
    add_look,
)
from retention.model.values import Micros, Stream, Window
from retention.tlog.source import Query

_FACT = "looks."


def of_root(tx: Connection, root: int) -> Looks | None:
    """The looks at a root, none before it was first read whole by the log; None where
    there was none yet.  What came while nobody looked is late, and in doubt itself."""
    kept = _kept(tx, root)
    if kept is None:
        return None
    name = tx.exec_driver_sql("SELECT name FROM root WHERE key = ?", (root,)).scalar()
    return kept._replace(first=max(kept.first, _there_since(tx, str(name))))


def _kept(tx: Connection, root: int) -> Looks | None:
    kept = get_fact(tx, f"{_FACT}{root}")
    if kept is None:
        return None
    first, last, gaps = kept
    return Looks(first, last, tuple(Window(*gap) for gap in gaps))


def _there_since(tx: Connection, root: str) -> Micros:
    """When its disk, the one that is there now, was first read whole, by the log."""
    query = Query(("root.adopted",), f"root:{root}")
    read = next(CatalogueSource(tx).backwards(query), None)
    return BEGINNING if read is None else int(read.entry["at"])


def note(tx: Connection, root: int, now: Micros) -> None:
    """A whole scan of the root began at `now`, by a believed clock.

    Written only every few minutes, which is as near as a look is known.
    """
    before = _kept(tx, root)
    if before is not None and now - before.last < LOOKS_APART // 2:
        return
    policy = policies.current(tx)
    period = 0 if policy is None else policy.longest()
    after = add_look(before, now, now - period)
    put_fact(tx, f"{_FACT}{root}", [after.first, after.last, list(after.gaps)])


def forget(tx: Connection, root: int) -> None:
    """Another disk stands for the root: none of it was looked at yet."""
    put_fact(tx, f"{_FACT}{root}", None)


def doubts(tx: Connection, streams: Iterable[Stream]) -> dict[int, InDoubt]:
    """By stream the doubt about all its times, of those of which there is one."""
    found = [(stream, stream.quarantined) for stream in streams]
    looks = {one.root: of_root(tx, one.root) for one, at in found if at is not None}
    return {
        one.key: InDoubt(at, looks[one.root]) for one, at in found if at is not None
    }


def known_since(tx: Connection, stream: int, end: Micros, now: Micros) -> Micros:
    """By when a recording of the stream that ended then, and that we have known, was
    there for certain: the first look after its end, `now` at the latest."""
    root = tx.exec_driver_sql(
        "SELECT root FROM stream WHERE key = ?", (stream,)
    ).scalar_one()
    return min(now, InDoubt(now, of_root(tx, root)).since(end))


def correct(tx: Transaction, step: Micros, now: Micros) -> None:
    """The clock is believed again, at `now`, after an error of `step`.

    It may have been so far behind until then: a file in quarantine that says that it is
    from after the first look at it was seen that much later, and its period counts from
    there, else it would be over too soon.  Nothing was first seen after now.
    """
    corrected = tx.exec_driver_sql(
        "UPDATE quarantine SET seen = min(?, max(seen, min(mtime, seen + ?)))"
        " WHERE mtime > seen OR seen > ? RETURNING stream, seen",
        (now, step, now),
    )
    for stream, seen in corrected.all():
        tx.touch(stream, seen)


_MOST = 8


_TIMES_MOVED = "root.times_moved"


def moved(tx: Connection, root: str, since: Micros = BEGINNING) -> list[Micros]:
    """By how much the modification times of a root were moved, all at once, since its
    files were catalogued (where that was seen `since` then or later), as its log says: a
    file whose time differs by as much is as it was."""
    if log.newest(tx, _TIMES_MOVED) < 0:
        return []  # asked for with each batch, and hardly ever there
    query = Query((_TIMES_MOVED,), f"root:{root}")
    found = [
        record.entry
        for record in islice(CatalogueSource(tx).backwards(query), _MOST)
        if not record.is_void
    ]
    return [one["fields"]["shift"] for one in reversed(found) if one["at"] >= since]
