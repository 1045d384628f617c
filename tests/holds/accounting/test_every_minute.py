"""P7 as a property: whatever happened, each instant of a window has one true answer."""

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from retention.model.coverage import Fate
from retention.model.values import HOUR, MINUTE, SECOND, Outcome, State
from tests.support import campaign
from tests.support.site_ import NOW
from tests.support.watched_site import Watched

SLOTS = 24
SLOT = 10 * MINUTE
FIRST = NOW - 30 * HOUR
"""Long enough ago that no file of then can still be being written."""

slot = st.sampled_from(
    ["present", "failed", "deleted", "lost", "absent", "rescued", "doubt", "nothing"]
)
EXPECTED = {
    "present": (Fate.PROTECTED, ""),
    "failed": (Fate.PROTECTED, ""),
    "deleted": (Fate.DELETED, ""),
    "lost": (Fate.LOST, ""),
    "absent": (Fate.LOST, ""),
    "doubt": (Fate.PENDING, "in quarantine"),
}
edge = st.integers(-2 * SLOT // SECOND, (SLOTS + 2) * SLOT // SECOND)
hours = st.integers(-4, 8)


@given(
    slots=st.lists(slot, min_size=SLOTS, max_size=SLOTS),
    edges=st.tuples(edge, edge),
    shorter=st.integers(0, 3),
    adopted=hours,
    scanned=hours,
    away=st.tuples(hours, hours),
    down=st.tuples(hours, hours),
    now=st.integers(-2, SLOTS + 2),
)
@settings(max_examples=campaign.share(100))
@example(
    slots=["nothing", "doubt", *["present"] * (SLOTS - 2)], edges=(0, 598), shorter=0,
    adopted=-1, scanned=8, away=(0, 0), down=(0, 0), now=SLOTS,
)  # fmt: skip
def test_every_instant_has_one_answer_and_it_is_true(
    tmp_path_factory, slots, edges, shorter, adopted, scanned, away, down, now
):
    """A history of ten-minute files, each with a fate of its own; the model is asked
    about both sides of every edge there is."""
    desk = Watched(tmp_path_factory.mktemp("history") / "site", since=NOW)
    start, end = (FIRST + n * SECOND for n in sorted(edges))
    end += SECOND * (start == end)
    asked_at = FIRST + now * SLOT + 30 * HOUR * (now > SLOTS)
    adoption, scan = (FIRST + n * HOUR for n in (adopted, scanned))
    out = tuple(FIRST + n * HOUR for n in sorted(away))
    dead = tuple(FIRST + n * HOUR for n in sorted(down))
    length = SLOT - shorter * SECOND
    happen(desk, slots, length, out, dead)
    desk.adopted(adoption)
    desk.scanned(scan)
    account = desk.account("a", start, end, now=asked_at)
    desk.close()

    pieces = account.pieces
    assert (pieces[0].start, pieces[-1].end) == (start, end)
    for one, following in pairwise(pieces):
        assert one.end == following.start

    model = Minutes(slots, length, adoption, scan, out, dead, asked_at)
    for instant in instants(pieces, start, end):
        (piece,) = [one for one in pieces if one.start <= instant < one.end]
        assert piece[2:] == model.at(instant), (instant - FIRST) / SLOT


def happen(desk, slots, length, out, dead):
    """Files and the log, in the order in which it would be written."""
    desk.site.stream("a")
    signs = desk.signs(FIRST - 20 * HOUR, NOW)
    if dead[0] < dead[1]:
        signs = [
            *desk.signs(FIRST - 20 * HOUR, dead[0]),
            desk.entry("service.stopped", dead[0]),
            *desk.signs(dead[1], NOW),
        ]
    if out[0] < out[1]:
        signs += [desk.guard(True, out[0]), desk.guard(False, out[1])]
    desk.note(*sorted(signs, key=lambda entry: entry.at))
    for number, what in enumerate(slots):
        at = FIRST + number * SLOT
        if what == "present":
            desk.row("a", at, length)
        elif what in ("failed", "doubt"):
            state = State.FAILED if what == "failed" else State.QUARANTINED
            desk.row("a", at, length, state=state)
        elif what == "lost":
            desk.lost("a", at, length=length)
        elif what == "absent":
            desk.deleted("a", at, length=length, _0=Outcome.ABSENT)
        elif what == "rescued":
            desk.deleted("a", at, length=length, _0=Outcome.RESCUED)
        elif what == "deleted":
            desk.deleted("a", at, length=length)


class Minutes:
    """The truth of one instant, found without any interval arithmetic."""

    def __init__(self, slots, length, adopted, scanned, out, dead, now) -> None:
        self.slots, self.length, self.now = slots, length, now
        self.adopted, self.scanned, self.out, self.dead = adopted, scanned, out, dead

    def at(self, instant):
        if instant >= self.now:
            return Fate.PENDING, "future"
        return self._file(instant) or self._why(instant)

    def _file(self, instant):
        number = (instant - FIRST) // SLOT
        here = self._fate(number)
        within = (instant - FIRST) % SLOT < self.length
        if here is None or within:
            return here
        short = SLOT - self.length < 2 * SECOND
        return here if short and self._fate(number + 1) is not None else None

    def _fate(self, number):
        if not 0 <= number < SLOTS:
            return None
        return EXPECTED.get(self.slots[number])

    def _why(self, instant):
        if instant >= self.scanned:
            return Fate.PENDING, "not scanned yet"
        if (why := self._unfinished(instant)) is not None:
            return why
        if instant < self.adopted:
            return Fate.UNKNOWN, "before adoption"
        if self.out[0] <= instant < self.out[1]:
            return Fate.UNKNOWN, "root nvr1 unavailable"
        if self.dead[0] <= instant < self.dead[1]:
            return Fate.UNKNOWN, "service down"
        doubtful = self.slots.count("doubt")
        if doubtful:
            many = f"{doubtful} recordings in doubt were"
            of = many if doubtful > 1 else "1 recording in doubt was"
            return Fate.UNKNOWN, f"when {of} made is not known"
        return Fate.SILENT, ""

    def _unfinished(self, instant):
        """The newest file may have been open at the last scan: an hour at most, and
        two and a half minutes until it is taken in."""
        quiet = 2 * MINUTE + 30 * SECOND
        catalogued = [
            FIRST + number * SLOT + self.length
            for number, what in enumerate(self.slots)
            if what in ("present", "failed", "doubt")
        ]
        last = max(catalogued, default=None)
        if last is not None and last >= self.scanned - 2 * self.length - quiet:
            return (Fate.PENDING, "being written") if instant >= last else None
        oldest = self.scanned - HOUR - quiet
        if instant >= max(oldest, oldest if last is None else last):
            return Fate.UNKNOWN, "nothing finished yet"
        return None


def instants(pieces, start, end):
    """Both sides of every edge, and of every slot's."""
    edges = {edge for piece in pieces for edge in piece[:2]}
    edges |= {
        FIRST + n * SLOT + d * SECOND for n in range(SLOTS + 1) for d in (-3, -2, -1, 0)
    }
    near = {edge + step for edge in edges for step in (-1, 0)}
    return sorted(instant for instant in near if start <= instant < end)
