"""What there is of each camera for a hold to keep, and what became of the rest.

Read in one transaction, so that nothing is counted twice or missed while a batch ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import (
    batches,
    roots,
    spans,
    streams,
    unread,
    uptime,
)
from retention.catalogue.due import Sum
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.spans import Sized
from retention.control import alarms, guards
from retention.holds.gone import Gone, gone_footage
from retention.holds.nearby import Nearby, Strangers, lie_there
from retention.model.coverage import (
    DELETING,
    FUTURE,
    NO_GAP,
    NOT_LOOKED_UP,
    QUARANTINED,
    Fate,
    Layer,
    Piece,
    WatchedRoot,
    Written,
    account,
    bridged,
    clipped,
    close_gaps,
    down,
    explained,
    layers_of,
    length,
    split,
    unavailable,
)
from retention.model.policy import merge
from retention.model.values import HOUR, MINUTE, SECOND, Camera, Micros, Stream, Window

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.roots import Root
    from retention.control.context import Context
    from retention.control.gate import GateFile
    from retention.holds.terms import AskedTimes

_NETWORK: Micros = 2 * MINUTE
"""So much later a network file system may tell that a file is finished."""


NOTHING = Sum(0, 0)
_UNENDED = "a recording of then is kept, but when it ended is not known"

GONE = (Fate.DELETED, Fate.LOST)


@dataclass(slots=True)
class HeldFootage:
    """What the catalogue has of one camera that a hold keeps.

    `covered` is the time of recordings whose times are certain, `doubtful` what others
    say of themselves, `unended` that of those of which the start alone is known, `deleting` that of files whose deletion is under way: `follows`
    of them, `away` (by root) that of files on storage that nobody can read now: kept,
    but whether they are still there is not known.  `gone_at` is when the recorder's own clean-up takes the first,
    `gone_known` whether that is known of every root.
    """

    kept: Sum = NOTHING
    in_doubt: int = 0
    empty: int = 0
    covered: list[Window] = field(default_factory=list)
    beside: list[Window] = field(default_factory=list)
    doubtful: list[Window] = field(default_factory=list)
    unended: list[Window] = field(default_factory=list)
    deleting: list[Window] = field(default_factory=list)
    away: dict[str, list[Window]] = field(default_factory=dict)
    follows: int = 0
    gone_at: Micros | None = None
    gone_known: bool = True

    def surplus(self, asked: Window) -> Micros:
        """How much is kept outside the time asked for: files are longer than that."""
        whole = bridged(self.covered)
        return length(whole) - length(split(whole, [asked])[0])

    def layers(self) -> list[Layer]:
        """Its time, what is certain first."""
        return [
            Layer(Fate.PROTECTED, "", bridged([*self.covered, *self.beside])),
            Layer(Fate.PENDING, QUARANTINED, merge(self.doubtful)),
            Layer(Fate.UNKNOWN, _UNENDED, merge(self.unended)),
            Layer(Fate.PENDING, DELETING, merge(self.deleting)),
            *(
                Layer(Fate.PENDING, unavailable(root), merge(windows))
                for root, windows in self.away.items()
            ),
        ]


class Account(NamedTuple):
    """All of one camera: every instant of the asked window is in one of `pieces`.

    `without`: what of it is gone by the log, and nothing that is there has, whatever else
    may come or says it is of that time.  `gone` are the recordings of it.
    """

    camera: Camera
    footage: HeldFootage
    pieces: list[Piece]
    without: list[Piece]
    gone: list[Gone]
    beside: Strangers


def accounts(
    tx: Connection,
    context: Context,
    hold: AskedTimes,
    cameras: Sequence[Camera],
    rescued: Iterable[GateFile],
    unfinished: set[str],
) -> list[Account]:
    """What of the time that the hold asks for is what, camera by camera."""
    site = _Site(tx, context, unfinished)
    saved: dict[int, list[GateFile]] = {}
    for file in rescued:
        saved.setdefault(file.camera, []).append(file)
    past = _past(hold.asked, context.now)
    footage: dict[int, HeldFootage] = {}
    gaps: dict[int, list[Window]] = {}
    for camera in cameras:
        found = site.footage(hold, camera.key, saved.get(camera.key, []))
        footage[camera.key] = found
        pieces = _pieces(past, found.layers())
        gaps[camera.key] = [  # what ends just before closes the edge of a gap
            Window(one.start - NO_GAP, one.end + NO_GAP)
            for one in pieces
            if one.fate is not Fate.PROTECTED
        ]
    log = gone_footage(CatalogueSource(tx), gaps)
    whole = [Window(hold.asked.start, hold.asked.end)]
    future = split(whole, [past])[1] if past.start < past.end else whole
    later = [Piece(*part, Fate.PENDING, FUTURE) for part in future]
    said: list[Account] = []
    for camera in cameras:
        key = camera.key
        there, gone = footage[key].layers(), _of_log(log.gone[key])
        pieces = _pieces(past, [*there, *gone])
        without = _pieces(past, [there[0], *gone])
        if any(piece.fate is Fate.SILENT for piece in pieces):
            unseen = Layer(Fate.UNKNOWN, NOT_LOOKED_UP, log.unread.get(key, []))
            pieces = explained(pieces, [unseen, *site.why_nothing(key, past)])
        beside = site.nearby.beside(key, past)
        if beside:
            pieces = explained(pieces, [Layer(Fate.UNKNOWN, lie_there(beside), [past])])
        if number := footage[key].in_doubt:
            pieces = explained(pieces, [Layer(Fate.UNKNOWN, _undated(number), [past])])
        said.append(
            Account(
                camera, footage[key], close_gaps(pieces) + later,
                [one for one in without if one.fate in GONE], log.gone[key], beside,
            )
        )  # fmt: skip
    return said


def _undated(number: int) -> str:
    """Why nothing is said to be silent while a camera has recordings in doubt."""
    of = (
        "1 recording in doubt was"
        if number == 1
        else f"{number:,} recordings in doubt were"
    )
    return f"when {of} made is not known"


def _past(asked: Window, now: Micros) -> Window:
    """The part of the asked window that is over.

    "From now on" is read a moment before it is answered: that moment is none of it, else
    every such hold would be told that something is missing.
    """
    end = now if now - asked.start >= NO_GAP else asked.start
    return Window(asked.start, min(asked.end, end))


def _pieces(past: Window, layers: Iterable[Layer]) -> list[Piece]:
    """The past of the asked window; its edges are no gaps where a recording is near."""
    if past.start >= past.end:
        return []
    wide = Window(past.start - NO_GAP, past.end + NO_GAP)
    return clipped(close_gaps(account(wide, layers, Fate.SILENT)), past)


def _of_log(gone: Sequence[Gone]) -> list[Layer]:
    return [
        Layer(
            fate,
            "",
            bridged(
                Window(one.start, one.end) for one in gone if one.deleted is deleted
            ),
        )
        for fate, deleted in ((Fate.DELETED, True), (Fate.LOST, False))
    ]


class _Site:
    """What all cameras of an answer share, read once; the rest when it is asked for."""

    def __init__(self, tx: Connection, context: Context, unfinished: set[str]) -> None:
        self._tx = tx
        self._now = context.now
        self._unfinished = unfinished
        self._settings = {one.name: one for one in context.settings.root}
        self._roots = {root.key: root for root in roots.everyone(tx)}
        self._streams: dict[int, list[Stream]] = {}
        for stream in streams.everyone(tx):
            self._streams.setdefault(stream.camera, []).append(stream)
        self._open_batches = bool(batches.open_batches(tx))
        self._away = {
            guard.scope for guard in alarms.tripped(tx) if guard.name == guards.ROOT
        }
        self.nearby = Nearby(tx, self._roots, self._streams)
        self._past: tuple[Window, list[Window], Mapping[str, list[Window]]] | None = (
            None
        )

    # -- what is there ------------------------------------------------------------

    def footage(
        self, hold: AskedTimes, camera: int, saved: Sequence[GateFile]
    ) -> HeldFootage:
        """What the catalogue has of a camera; `saved` are files that a hold just kept
        from being deleted, whose rows may not say so yet."""
        found = HeldFootage()
        waiting = Counter(Sized(one.start, one.end, one.size) for one in saved)
        doubtful = {one.start for one in saved if one.doubtful}
        edges = hold.asked.start - hold.window.start < NO_GAP
        for stream in self._streams.get(camera, []):
            self._add(found, stream, hold.window, edges=edges)
            if self._open_batches:
                self._add_batches(found, stream, hold.window, waiting, doubtful)
        for root in self._roots_of(camera):
            setting = self._settings.get(root.name)
            found.gone_known &= setting is not None and bool(setting.recorder_keeps)
        return found

    def _add(
        self, found: HeldFootage, stream: Stream, window: Window, *, edges: bool
    ) -> None:
        tx = self._tx
        sums = spans.sums(tx, stream, window)
        covered = []
        if sums.last_end is not None:
            covered = spans.islands(tx, stream, window, sums.last_end, NO_GAP)
        doubt = spans.in_doubt(tx, stream)
        found.in_doubt += doubt.number
        found.kept += doubt
        found.doubtful += _windows(spans.quarantined(tx, stream, window))
        if stream.quarantined is not None:
            found.doubtful += covered
            return
        unended = spans.unended(tx, stream, window)
        found.kept += Sum(sums.number, sums.size)
        found.kept += Sum(len(unended), sum(row.size for row in unended))
        found.unended += _windows(unended)
        found.empty += sums.empty + sum(not row.size for row in unended)
        root = self._roots[stream.root].name
        if root in self._away:
            found.away.setdefault(root, []).extend(covered)
            return
        found.covered += covered
        if edges:
            found.beside += spans.beside(tx, stream, window, NO_GAP)
        if sums.first_end is not None:
            self._note_clean_up(found, stream, sums.first_end)

    def _note_clean_up(self, found: HeldFootage, stream: Stream, end: Micros) -> None:
        setting = self._settings.get(self._roots[stream.root].name)
        if setting is not None and setting.recorder_keeps:
            at = end + setting.recorder_keeps
            found.gone_at = at if found.gone_at is None else min(at, found.gone_at)

    def _add_batches(
        self,
        found: HeldFootage,
        stream: Stream,
        window: Window,
        waiting: Counter[Sized],
        doubtful: set[Micros],
    ) -> None:
        """Files of open batches: those that were saved are kept, of the others the
        outcome follows."""
        starts = sorted({one.start for one in waiting})
        saved: list[Sized] = []
        for row in spans.deleting_at(self._tx, stream.key, starts):
            if waiting[row] > 0:
                waiting[row] -= 1
                saved.append(row)
        for row in saved:
            found.kept += Sum(1, row.size)
            found.empty += not row.size
            if row.start in doubtful:
                found.in_doubt += 1
                found.doubtful.append(Window(row.start, row.end))
            else:
                found.covered.append(Window(row.start, row.end))
                self._note_clean_up(found, stream, row.end)
        going = Counter(spans.deleting(self._tx, stream, window)) - Counter(saved)
        found.deleting += _windows(going)
        found.follows += going.total()

    # -- why nothing is there -------------------------------------------------------

    def why_nothing(self, camera: int, past: Window) -> list[Layer]:
        """Why there may be footage of a camera that nobody has seen."""
        if self._past is None or self._past[0] != past:
            signs = uptime.signs(self._tx, past)
            self._past = (
                past,
                down(past, signs, self._now),
                uptime.away(self._tx, past),
            )
        _, down_, away = self._past
        watches = [
            self._watch(root, camera, past, away.get(root.name, ()))
            for root in self._roots_of(camera)
        ]
        return layers_of(watches, down_, past)

    def _roots_of(self, camera: int) -> list[Root]:
        """The roots that a camera is recorded in; before its first file is met, and
        where nobody has read them, it may be any."""
        used = {stream.root for stream in self._streams.get(camera, [])}
        return [
            root
            for key, root in self._roots.items()
            if key in used or not used or root.scanned is None
        ]

    def _watch(
        self, root: Root, camera: int, past: Window, out: Sequence[Window]
    ) -> WatchedRoot:
        setting = self._settings.get(root.name)
        return WatchedRoot(
            name=root.name,
            adopted=root.adopted,
            scanned=root.scanned,
            available=root.name not in self._away,
            looked=root.name not in self._unfinished,
            quiet=_NETWORK + (setting.stable_after if setting else 30 * SECOND),
            max_length=setting.max_length if setting else HOUR,
            out=out,
            unread=self.nearby.unread(root, camera, past),
            writing=unread.writing_since(self._tx, root.key, camera),
            written=[
                Written(*newest, stream.max_length)
                for stream in self._streams.get(camera, [])
                if stream.root == root.key
                and (newest := spans.newest(self._tx, stream.key)) is not None
            ],
        )


def _windows(rows: Iterable[Sized]) -> list[Window]:
    return [Window(row.start, row.end) for row in rows]
