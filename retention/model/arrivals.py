"""What the last recordings of a stream say of its clock: when they arrived, and whether
their modification times are anything but their names.

Pure, and small: of a stream that is right nothing is kept at all.
"""

from collections.abc import Sequence
from typing import NamedTuple

from retention.model.values import MINUTE, SECOND, Micros

LOOKS = 20
"""So many looks at which something arrived late, or early, are kept of a stream."""

STEADILY = 3
"""Out by the same at so many looks in a row, and the clock is wrong."""

MANY = 20
"""So many recordings late, or with a time that is their name's, are no accident."""

SAME: Micros = 2 * SECOND
"""How near to the time in its name an mtime is the same (FAT keeps two seconds)."""


class Late(NamedTuple):
    """What arrived out of time at one look: how long after its own end the newest of it,
    at least and at most, and how many recordings.  Less than nothing where it was seen
    before its own end: its clock is ahead."""

    least: Micros
    most: Micros
    number: int

    def mirrored(self) -> "Late":
        """The same of how long before its own end."""
        return Late(-self.most, -self.least, self.number)


class Allowed(NamedTuple):
    """How long after its own end a recording may arrive, and how long before it."""

    late: Micros
    early: Micros

    def ahead(self, look: Late) -> bool:
        """Whether what arrived then was seen too long before its own end."""
        return look.most < -self.early


class Arrivals(NamedTuple):
    """Of a stream, since the last recording that was right: what arrived late, or early,
    look by look, and how many recordings have an mtime that is the time in their name.
    """

    late: tuple[Late, ...] = ()
    named: int = 0


NOTHING = Arrivals()


def arrived(before: Arrivals, look: Late | None, allowed: Allowed) -> Arrivals:
    """With one more look; one that was in time ends what was before, and so does one
    that is out the other way."""
    if look is None:
        return before
    ahead = allowed.ahead(look)
    if look.least <= allowed.late and not ahead:
        return before._replace(late=())
    alike = [one for one in before.late if allowed.ahead(one) is ahead]
    return before._replace(late=(*alike, look)[-LOOKS:])


def steady_delay(late: Sequence[Late], allowed: Allowed) -> Micros | None:
    """By how much a stream is steadily late, in whole minutes; less than nothing where
    its clock is ahead, None where it is in time.

    By the same at several looks: its clock is out.  Or so many recordings in so many
    looks that it delivers late.
    """
    if late and allowed.ahead(late[-1]):
        found = _steady([one.mirrored() for one in late], allowed.early)
        return None if found is None else -found
    return _steady(late, allowed.late)


def _steady(late: Sequence[Late], tolerance: Micros) -> Micros | None:
    if len(late) < STEADILY:
        return None
    last = late[-STEADILY:]
    same = max(one.least for one in last) - min(one.most for one in last) <= tolerance
    if not same and sum(one.number for one in late) < MANY:
        return None
    return -(-max(one.least for one in last) // MINUTE) * MINUTE


def count_named(
    before: int, spans: Sequence[tuple[Micros, Micros]], previous: Micros | None
) -> int:
    """How many recordings in a row, the newest last, have an mtime that is the time in
    their name, with these (start, mtime) in order; `previous` is the start before them.

    Where recordings begin as close together as that, it is just their end.
    """
    count = before
    for start, mtime in spans:
        apart = previous is None or start - previous > 3 * SAME
        count = count + 1 if abs(mtime - start) <= SAME and apart else 0
        previous = start
    return min(count, MANY)
