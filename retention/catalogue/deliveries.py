"""What of a root is in quarantine: late deliveries, by camera and hour of arrival, and
the rest by why."""

from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue.recordings import ARRIVED, RULED, Doubt
from retention.model.values import HOUR, Micros, State


class Delivery(NamedTuple):
    """Late files of one camera in one root that came in the same hour (`hour` is its
    first instant) and are in doubt: how many, the time that they say they are of, and
    the longest time after their own end at which one was seen."""

    camera: int
    hour: Micros
    files: int
    oldest: Micros
    newest: Micros
    delay: Micros

    def has(self, doubt: Doubt) -> bool:
        """Whether a recording of the camera in doubt for that came with it."""
        return (
            doubt.reason.startswith(ARRIVED) and doubt.seen // HOUR * HOUR == self.hour
        )


_IN_QUARANTINE = (
    "FROM stream s CROSS JOIN quarantine q ON q.stream = s.key CROSS JOIN recording r "
    "ON r.stream = q.stream AND r.start = q.start AND r.n = q.n "
    f"AND r.state = {int(State.QUARANTINED)} WHERE s.root = ? AND s.quarantined IS NULL"
)


def of_root(tx: Connection, root: int) -> list[Delivery]:
    """The late deliveries of a root of which something is in quarantine; without those
    of streams that are in doubt as a whole."""
    found = tx.exec_driver_sql(
        f"SELECT s.camera, q.seen / {HOUR} * {HOUR} AS hour, count(*), min(r.start), max(r.start + r.duration),"
        f" max(q.seen - r.start - r.duration) {_IN_QUARANTINE} AND q.reason LIKE ?"
        " GROUP BY s.camera, hour",
        (root, f"{ARRIVED}%"),
    )
    return [Delivery._make(row) for row in found]


class SameDoubt(NamedTuple):
    """Recordings of one camera that are in quarantine for the same reason, and how
    many."""

    camera: int
    reason: str
    files: int


def others(tx: Connection, root: int) -> list[SameDoubt]:
    """What else is in quarantine, the most first; without what was ruled on, and streams
    that are in doubt as a whole."""
    found = tx.exec_driver_sql(
        f"SELECT s.camera, q.reason, count(*) {_IN_QUARANTINE} AND q.reason NOT LIKE ?"
        " AND q.reason NOT LIKE ? GROUP BY s.camera, q.reason ORDER BY 3 DESC, 1, 2",
        (root, f"{ARRIVED}%", f"{RULED}%"),
    )
    return [SameDoubt._make(row) for row in found]
