"""What each root's time zones said of the times that are catalogued in it.

Paths are rendered from a recording's instant and its stream's zone.  Where a system's
time-zone data are others than when it was catalogued, they would be other paths: files
would seem lost, and be taken in a second time.
"""

from sqlalchemy import Connection

from retention.catalogue import streams
from retention.catalogue.db import get_fact, put_fact
from retention.model.localtime import format_utc
from retention.model.values import DAY, Micros
from retention.model.zones import differ, offsets

_FACT = "zones."


def changed(tx: Connection, root: int) -> list[str]:
    """What of the root's zones is said otherwise now, a sentence each."""
    kept = get_fact(tx, f"{_FACT}{root}") or {}
    found = []
    for zone, (since, until, before) in kept.items():
        oldest = max(since, _oldest(tx, root, zone, until))
        now = offsets(zone, since, until)
        at = differ([(start, offset) for start, offset in before], now)
        if at is not None and oldest < until:
            found.append(
                f"the system's data for {zone} say other times than when recordings were "
                f"catalogued, from {format_utc(at)} on"
            )
    return found


def keep(tx: Connection, root: int, now: Micros) -> None:
    """Note what the zones of a root say up to now, once a day; not where they changed."""
    kept = get_fact(tx, f"{_FACT}{root}") or {}
    new = {}
    for zone in sorted({stream.zone for stream in streams.of_root(tx, root)}):
        since, until, _ = kept.get(zone, (now, 0, ()))
        since = min(since, _oldest(tx, root, zone, now) // DAY * DAY)
        if zone not in kept or since < kept[zone][0] or now - until > DAY:
            new[zone] = [since, now, offsets(zone, since, now)]
    if new:
        put_fact(tx, f"{_FACT}{root}", {**kept, **new})


def accept(tx: Connection, root: int) -> None:
    """A person ruled: the zones of a root are right as they are now."""
    put_fact(tx, f"{_FACT}{root}", None)


def _oldest(tx: Connection, root: int, zone: str, otherwise: Micros) -> Micros:
    """The first start of any recording of the root that was named in that zone."""
    found = tx.exec_driver_sql(
        "SELECT min((SELECT min(r.start) FROM recording r WHERE r.stream = s.key)) "
        "FROM stream s WHERE s.root = ? AND s.zone = ?",
        (root, zone),
    ).scalar_one()
    return otherwise if found is None else int(found)
