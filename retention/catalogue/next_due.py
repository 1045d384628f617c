"""What falls due next in each stream, kept in memory so that an idle cycle asks nothing.

Everything here only skips work.  Whether a recording may be deleted is decided on its
row and the holds, never on a mark.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from retention.catalogue import due, holds
from retention.catalogue.db import Feed
from retention.model.choice import Scope, Versions
from retention.model.policy import BEGINNING, Holds, Policy
from retention.model.values import Micros, Stream


class NextDue:
    """By stream the next due instant (None: nothing can fall due) and the first start of
    any free recording; the merged holds by camera, and what all that was read at.  `feed`
    tells of what is written meanwhile."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._told: dict[int, Micros] = {}
        self._marks: dict[int, Micros | None] = {}
        self._first: dict[int, Micros] = {}
        self._held: dict[int, Holds] = {}
        self._moved: holds.Moved | None = None
        self._policy: int | None = None

    def reset(self) -> None:
        """Forget all: the next cycle looks at every stream again."""
        self._marks.clear()
        self._first.clear()

    def forget(self, stream: int, *, wholly: bool) -> None:
        """A batch changed a stream; `wholly` where it left rows behind."""
        self._marks.pop(stream, None)
        if wholly:
            self._first.pop(stream, None)

    def hear(self) -> None:
        """Take what is told, before the transaction of the next refresh begins: what was
        committed before is in what it reads, what is committed after is told the next
        time."""
        for stream, end in self._feed.take().items():
            self._told[stream] = min(end, self._told.get(stream, end))

    def _note(self, policy: Policy) -> None:
        """Recordings were catalogued or changed: by stream, the earliest instant from
        which the period of any of them counts."""
        told, self._told = self._told, {}
        days = min([policy.days, *policy.cameras.values()])
        for stream, end in told.items():
            mark = self._marks.get(stream)
            if mark is None or end + Policy(0, days).period(0) <= mark:
                self._marks.pop(stream, None)
            first = self._first.get(stream)
            if first is not None and end <= first + 2 * Policy(0, 1).period(0):
                # No recording is longer than a day, by the settings' own limit.
                del self._first[stream]

    def refresh(
        self, tx: Connection, found: Collection[Stream], policy: Policy, now: Micros
    ) -> dict[int, Scope]:
        """Bring the marks of these streams up to date; each as deletion sees it."""
        self._watch(tx, policy, now)
        self._note(policy)
        scopes = {one.stream: one for one in due.scopes_of(tx, found, policy, now)}
        unknown = [one for key, one in scopes.items() if key not in self._marks]
        for key, what in due.nexts(tx, unknown, self._first).items():
            self._marks[key] = what.soonest
            if what.first is not None:
                self._first[key] = what.first
        return scopes

    def held(
        self, tx: Connection, cameras: Collection[int], now: Micros
    ) -> dict[int, Holds]:
        """The holds on these cameras, as of the last refresh."""
        missing = set(cameras) - self._held.keys()
        if missing:
            self._held.update(holds.of_cameras(tx, missing, now))
        return {camera: self._held[camera] for camera in cameras}

    def is_due(self, stream: int, now: Micros) -> bool:
        """Whether anything in the stream may be due; where not, nothing is asked of it."""
        mark = self._marks[stream]
        return mark is not None and mark <= now

    def first(self, stream: int) -> Micros:
        """No free recording of the stream starts before this."""
        return self._first.get(stream, BEGINNING)

    def soonest(self, found: Iterable[Stream]) -> Micros | None:
        """When the next recording of these streams falls due."""
        marks = (self._marks.get(stream.key) for stream in found)
        return min((at for at in marks if at is not None), default=None)

    def next_free(self) -> Micros | None:
        """When the next hold has cooled off, whose footage may be due then."""
        return None if self._moved is None else self._moved.next_free

    def versions(self) -> Versions:
        """Of the holds and the policy that the last refresh went by."""
        if self._moved is None or self._policy is None:
            raise RuntimeError("nothing was read yet")
        return Versions(self._moved.version, self._policy)

    def _watch(self, tx: Connection, policy: Policy, now: Micros) -> None:
        """Forget what other holds or another policy may have made wrong."""
        old, new = self._moved, holds.moved(tx, now)
        # Cooling off that ended between the two frees footage without a new version.
        ended = old is not None and old.next_free is not None and old.next_free <= now
        if old is None or ended or new.version != old.version:
            self._held = {}
            self.reset()
        if self._policy != policy.version:
            self.reset()
        self._moved, self._policy = new, policy.version
