"""What is in force by the log alone: holds, releases that wait, periods, rules, whose a
stream is and a camera's data are, doubts about times and rulings on them that wait,
approved plans, a pause.

A second witness of the catalogue's rows: whatever protects footage is an entry, too.
Pure: fed with the entries of `KINDS` in the order of the log.  Of those that came back
under no signed head only what keeps counts, and only as far as it keeps more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from retention.model.errors import VerificationError
from retention.model.policy import Policy
from retention.model.values import DAY, FOREVER, MINUTE, Micros, Window
from retention.tlog.canonical import UNREADABLE
from retention.tlog.kinds import telling
from retention.tlog.source import Record
from retention.tlog.source import acts as methods
from retention.tlog.unsigned import Stretch, acts

KINDS = telling("force")
"""The kinds that say what is in force."""

CLOCK, CATALOGUE = "clock", "catalogue"
"""The guard that is over once the clock is believed again; the one that stands after a
restoration."""

SERVICE = "service"
"""The role in which the program writes of its own accord."""

LONGEST_PAUSE: Micros = DAY
"""Of one that came back unsigned, from then on."""


SUCCESSOR_WAIT: Micros = 7 * DAY
"""Deletion stays off for so long after a successor log was opened."""


Key = tuple[int, int, int]
"""A recording: stream, start, n."""


class ReleaseSaid(NamedTuple):
    """Who asked for a release, and by which entry."""

    uid: int
    login: int
    entry: int


class HoldSaid(NamedTuple):
    """A hold as the log has it: its window with the margin, its cameras (keys), when its
    footage is free (None: active), the release that waits, and the entry it began with."""

    window: Window
    cameras: frozenset[int]
    free_at: Micros | None = None
    request: ReleaseSaid | None = None
    placed: int = -1

    def in_force(self, now: Micros) -> bool:
        """Active, or cooling off."""
        return self.free_at is None or self.free_at > now


class RecordingSaid(NamedTuple):
    """A recording as a ruling that waits has it: how long and how large it is, what path
    is kept of it, and the times that it shall have."""

    duration: Micros
    size: int
    path: str | None
    new_start: Micros
    new_duration: Micros


class RulingSaid(NamedTuple):
    """A ruling that waits: who asked for it, its words, the streams whose doubt it would
    end, and what is left of its recordings; whether a second person agreed."""

    uid: int
    login: int
    words: str
    lifts: tuple[int, ...]
    rows: dict[Key, RecordingSaid]
    approved: bool = False


_NOTHING = HoldSaid(Window(0, 0), frozenset())


class SuccessorSaid(NamedTuple):
    """A successor log: what its `log.opened` says, and the holds that a supervisor named
    (None: nobody did yet)."""

    fields: dict[str, Any]
    holds: list[int] | None


class StreamSaid(NamedTuple):
    """What a stream was opened with: it says whose its files are, and where."""

    camera: int
    root: str
    layout: str
    zone: str
    name: str
    extension: str


class InForce:
    """What the first `size` entries put in force, `moves` of them.

    `unsigned`: what came back under no head.  `kept`: the holds on which that has an
    effect, each with the last entry by which it has.
    """

    def __init__(self, unsigned: Iterable[Stretch] = ()) -> None:
        self.size = self.moves = 0
        self.kept: dict[int, int] = {}
        self.unsigned = tuple(unsigned)
        self.holds: dict[int, HoldSaid] = {}
        self.asked: dict[int, ReleaseSaid] = {}
        """Releases that wait of holds that the log does not have."""
        self.by_camera: dict[int, set[int]] = defaultdict(set)
        self.policy: Policy | None = None
        self.streams: dict[int, StreamSaid] = {}
        self.lengths: dict[int, Micros] = {}
        """How long a recording of each stream may be: as long at least."""
        self.rules: dict[str, str] = {}
        self.plans: dict[int, str] = {}
        self.paused: Micros | None = None
        self.custody: dict[int, str] = {}
        self.doubted: dict[int, Micros | None] = {}
        """Streams whose times are in doubt, and since when (older logs do not say)."""
        self.rulings: dict[int, RulingSaid] = {}
        """By the numbers of their requests; of those that were carried out what was left
        as it is, perhaps, too."""
        self.doubts: dict[Key, Micros | None] = {}
        """Recordings in quarantine, and from when their period counts (as above); of those
        that left since, perhaps, too."""
        self.standing: dict[tuple[str, str], int] = {}
        """Alarms, by name and scope, each with the entry that raised it."""
        self.restored: int | None = None
        """The entry of a restoration of the catalogue that nobody has acknowledged."""
        self.successor: SuccessorSaid | None = None
        self._acts = methods(self, KINDS)

    def take(self, records: Iterable[Record], size: int) -> None:
        """The next entries, those of `KINDS` of the first `size`, in order.

        VerificationError where a list of cameras beside an entry can't be read.
        """
        for record in records:
            back = next((one for one in self.unsigned if one.has(record.number)), None)
            if back is None:
                self._acts[record.kind](record)
            elif acts(record.kind):
                self._keep(record, back.at)
            self.moves += 1
        self.size = size

    def _restored(self, record: Record) -> None:
        """`unsigned` has what it says; doubts do not come back, the service finds them
        out again; nor do rulings, people are asked again."""
        self.restored = record.number
        self.rulings.clear()
        self.doubts.clear()
        self.doubted.clear()

    # -- what came back unsigned --------------------------------------------------------

    def _keep(self, record: Record, at: Micros) -> None:
        """As far as it keeps more: anybody may have written it."""
        fields = record.entry["fields"]
        if record.kind == "deletion.paused":
            until = min(fields["until"], at + LONGEST_PAUSE)
            self.paused = max(self.paused or until, until)
            return
        try:
            hold = self._wider(record)
        except (VerificationError, *UNREADABLE):
            return
        if hold is not None:
            self._put(fields["hold"], hold)
            self.kept[fields["hold"]] = record.number

    def _wider(self, record: Record) -> HoldSaid | None:
        """Its hold, which covers more by it; None where it does not fit those there are."""
        fields = record.entry["fields"]
        old = self.holds.get(fields["hold"])
        if record.kind == "hold.reinstated":
            if old is None or old.free_at is None or old.free_at != fields["free_at"]:
                return None
            return old._replace(free_at=None, request=None)
        window = Window(fields["since"], fields["until"])
        if not 0 <= window.start < window.end <= FOREVER:
            return None
        cameras = record.cameras()
        if record.kind == "hold.placed":
            new = fields["hold"] == max(self.holds, default=0) + 1
            return HoldSaid(window, cameras, placed=record.number) if new else None
        if old is None or old.free_at is not None:
            return None
        return old._replace(
            window=Window(
                min(old.window.start, window.start), max(old.window.end, window.end)
            ),
            cameras=old.cameras | cameras,
        )

    # -- holds ------------------------------------------------------------------------

    def _placed(self, record: Record) -> None:
        fields = record.entry["fields"]
        window = Window(fields["since"], fields["until"])
        hold = HoldSaid(window, record.cameras(), placed=record.number)
        self._put(fields["hold"], hold)

    def _extended(self, record: Record) -> None:
        fields = record.entry["fields"]
        old = self.holds.get(fields["hold"])
        if old is None:  # in the catalogue's rows alone so far
            old = _NOTHING._replace(request=self.asked.pop(fields["hold"], None))
        window = Window(fields["since"], fields["until"])
        cameras = old.cameras | record.cameras()
        self._put(fields["hold"], old._replace(window=window, cameras=cameras))

    def _put(self, key: int, hold: HoldSaid) -> None:
        self.holds[key] = hold
        for camera in hold.cameras:
            self.by_camera[camera].add(key)

    def _release_requested(self, record: Record) -> None:
        actor = record.entry["actor"]
        request = ReleaseSaid(actor["uid"], actor["login"], record.number)
        if record.entry["fields"]["hold"] not in self.holds:
            self.asked[record.entry["fields"]["hold"]] = request
        self._change(record, request=request)

    def _release_rejected(self, record: Record) -> None:
        self.asked.pop(record.entry["fields"]["hold"], None)
        self._change(record, request=None)

    def request(self, hold: int) -> ReleaseSaid | None:
        """The release of a hold that waits, whether the log has the hold or not."""
        one = self.holds.get(hold)
        return self.asked.get(hold) if one is None else one.request

    def _released(self, record: Record) -> None:
        free_at = record.entry["fields"]["free_at"]
        self.asked.pop(record.entry["fields"]["hold"], None)
        self._change(record, free_at=free_at, request=None)

    def _reinstated(self, record: Record) -> None:
        self._change(record, free_at=None)

    def _change(self, record: Record, **values: Any) -> None:
        hold = record.entry["fields"]["hold"]
        if hold in self.holds:  # else it was never placed, and there is nothing to free
            self.holds[hold] = self.holds[hold]._replace(**values)

    # -- all else -----------------------------------------------------------------------

    def _changed(self, record: Record) -> None:
        fields = record.entry["fields"]
        if record.kind == "rules.changed":
            self.rules |= fields["new"]
            return
        if record.kind == "camera.changed":
            self._custody_of(record)
            return
        self.policy = Policy(fields["version"], fields["days"], record.periods())

    def _opened(self, record: Record) -> None:
        fields = record.entry["fields"]
        if record.kind == "log.opened":
            if fields.get("succeeds") is not None:
                self.successor = SuccessorSaid(fields, None)
                self.restored = None
            return
        names = StreamSaid._fields
        self.streams[fields["stream"]] = StreamSaid(*(fields[name] for name in names))
        self.lengths[fields["stream"]] = fields["max_length"]

    def _approved(self, record: Record) -> None:
        fields = record.entry["fields"]
        if record.kind == "plan.approved":
            self.plans[fields["plan"]] = fields["digest"]
        elif fields["request"] in self.rulings:
            ruling = self.rulings[fields["request"]]
            self.rulings[fields["request"]] = ruling._replace(approved=True)

    def _proposed(self, record: Record) -> None:
        """A long list is in several such entries."""
        fields, actor = record.entry["fields"], record.entry["actor"]
        new = RulingSaid(
            actor["uid"], actor["login"], fields["ruling"], tuple(fields["lifts"]), {}
        )
        rows = self.rulings.setdefault(fields["request"], new).rows
        for key, row in _rows(record):
            start, end = row["new_start"], row["new_end"]
            rows[key] = RecordingSaid(
                row["duration"], row["bytes"], row["path"], start, end - start
            )

    def _rejected(self, record: Record) -> None:
        self.rulings.pop(record.entry["fields"]["request"], None)

    def _paused(self, record: Record) -> None:
        self.paused = record.entry["fields"]["until"]

    def _resumed(self, record: Record) -> None:
        self.paused = None

    def _added(self, record: Record) -> None:
        fields = record.entry["fields"]
        self.custody[fields["camera"]] = fields["custody"]

    def _custody_of(self, record: Record) -> None:
        fields = record.entry["fields"]
        if fields["camera"] in self.custody and "custody" in fields["changes"]:
            self.custody[fields["camera"]] = fields["changes"]["custody"][1]

    # -- doubts -------------------------------------------------------------------------

    def _doubted(self, record: Record) -> None:
        fields = record.entry["fields"]
        self.doubted[fields["stream"]] = fields.get("since")

    def _quarantined(self, record: Record) -> None:
        if record.kind == "stream.quarantined":
            self._doubted(record)
            return
        for key, row in _rows(record):
            self.doubts[key] = row.get("seen")

    def _resolved(self, record: Record) -> None:
        """Of recordings; of a stream where it names one."""
        keys, fields = _keys(record), record.entry["fields"]
        self._over(keys)
        if "stream" in fields:
            self.doubted.pop(fields["stream"], None)
        elif keys:  # an older log
            for stream in {key[0] for key in keys}:
                self.doubted.pop(stream, None)
        else:
            self.doubted.clear()
        ruling = self.rulings.get(fields["request"])
        if ruling is not None:
            for key in keys:
                ruling.rows.pop(key, None)

    def _moved(self, record: Record) -> None:
        """What it is from then on has an entry of its own where that is in doubt, before
        this one: which may be under the same key."""
        if record.kind == "camera.moved":
            self._custody_of(record)
            return
        self._over(
            key
            for key, row in _rows(record)
            if key != (row["new_stream"], key[1], row["new_n"])
        )

    def _assigned(self, record: Record) -> None:
        """The doubt goes along; an older log does not say under which key."""
        for key, row in _rows(record):
            known = key in self.doubts
            seen = self.doubts.pop(key, None)
            if known and "new_n" in row:
                self.doubts[row["new_stream"], key[1], row["new_n"]] = seen

    def _lost(self, record: Record) -> None:
        self._over(_keys(record))

    def gone(self, keys: Iterable[Key]) -> None:
        """These were deleted, or were not there any more."""
        self._over(keys)

    def _over(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.doubts.pop(key, None)

    # -- alarms -------------------------------------------------------------------------

    def _tripped(self, record: Record) -> None:
        fields = record.entry["fields"]
        self.standing[fields["guard"], fields["scope"]] = record.number

    def _raised(self, record: Record) -> None:
        fields = record.entry["fields"]
        self.standing[fields["alarm"], fields["scope"]] = record.number

    def _ended(self, record: Record) -> None:
        fields = record.entry["fields"]
        self.standing.pop((fields["alarm"], fields["scope"]), None)

    def _successor_holds(self, record: Record) -> None:
        if self.successor is not None:
            holds = record.entry["fields"]["holds"]
            self.successor = self.successor._replace(holds=holds)

    def _cleared(self, record: Record) -> None:
        """A person says of *catalogue* that what was restored is right.  Of *clock*: what
        was seen by a clock that was ahead was seen by now, and what a successor log waits
        for lasts no longer than from now on."""
        fields = record.entry["fields"]
        self.standing.pop((fields["guard"], fields["scope"]), None)
        if fields["guard"] == CATALOGUE and record.entry["actor"]["role"] != SERVICE:
            self.restored = None
        if fields["guard"] == CLOCK:
            latest = record.entry["at"] - MINUTE
            for key, seen in self.doubts.items():
                if seen is not None and seen > latest:
                    self.doubts[key] = latest
            if self.successor is not None:
                old = self.successor.fields
                until = min(old["until"], latest + SUCCESSOR_WAIT)
                self.successor = self.successor._replace(fields={**old, "until": until})


def _keys(record: Record) -> set[Key]:
    return {key for key, _ in _rows(record)} if "rows" in record.entry else set()


_COLUMNS = frozenset(
    (
        "stream", "start", "n", "duration", "bytes", "path", "seen", "new_start", "new_end",
        "new_stream", "new_n",
    )
)  # fmt: skip


def _rows(record: Record) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Its rows, each by its key, with those columns that it has."""
    found = record.read(_COLUMNS).columns
    for values in zip(*found.values(), strict=True):
        row = dict(zip(found, values, strict=True))
        yield (row["stream"], row["start"], row["n"]), row
