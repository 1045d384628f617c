"""Rulings on recordings in quarantine: their times are right, or off by so much.

A ruling goes stream by stream in bounded transactions, each with its entry.  Broken
off, it can be given again: what was ruled on is marked and not touched twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import cameras, doubtful_times, recordings, roots, streams
from retention.catalogue.db import Priority
from retention.catalogue.recordings import (
    OURS_TO_CHANGE,
    Doubt,
    Key,
    Move,
    Uncovering,
)
from retention.footage.ingest import late
from retention.footage.ingest.matching import as_key, places
from retention.footage.ingest.ruled_times import named, new_times
from retention.footage.ingest.ruling_requests import Uncovered, ask, takes_two
from retention.model.answers.recording import RecordingsResolved
from retention.model.errors import RetentionError, UsageError
from retention.model.layouts.layout import path_of
from retention.model.localtime import (
    format_duration,
    format_local,
    format_utc,
    parse_duration,
)
from retention.model.values import DAY, Entry, Micros, Recording, Rows, State, Stream
from retention.model.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction
    from retention.control.context import Context

TIMES_RIGHT = "times_right"
SHIFT = "shift"
RIGHT = "times are right"
"""The words of the first of the two."""
PAGE = 1_000
_ZONES: Micros = DAY
"""The first recordings of a camera may themselves be out by a zone."""

_COLUMNS = (
    "camera", "stream", "start", "n", "duration", "bytes", "reason", "path",
    "new_start", "new_end",
)  # fmt: skip


class Ruling(NamedTuple):
    """What a person says of recordings; `shift` is added to their starts."""

    word: str
    shift: Micros
    reason: str
    again: bool


class RulingScope(NamedTuple):
    """One stream, and which of its files are ruled on."""

    stream: Stream
    includes: Callable[[_Concerned], bool]
    whole: bool


class _Concerned(NamedTuple):
    row: Recording
    doubt: Doubt | None
    path: bytes
    in_doubt: bool


class _StreamRuled(NamedTuple):
    """What came of a ruling on one stream; `whole`: nothing of it was left out."""

    done: int
    whole: bool
    refused: list[Uncovering]


def recording_resolve(
    context: Context,
    *,
    ruling: str,
    reason: str,
    path: str | None = None,
    camera: str | None = None,
    delivery: str | None = None,
    shift: str | None = None,
    again: bool = False,
) -> RecordingsResolved:
    """Rule on quarantined recordings: a file (path or key), a directory, a camera, a
    late `delivery` as its alarm calls it.

    `times_right`: names say when it was.  `shift`: so much ("-1h") is added to that, and
    to the end where the same clock said it (see `ruled_times`).  A ruling on all of a stream lifts its quarantine, too.
    What would leave the cover of a hold by it waits for a second person, and is kept
    until then.  `again` rules on what was ruled on before.
    """
    given = _ruling(ruling, shift, reason, again=again)
    with context.catalogue.read() as tx:
        scopes = _scopes(tx, path, camera, delivery)
        alone = not takes_two(context, tx)
    count, lifted, wanted = 0, list[int](), Uncovered([], [])
    for scope in scopes:
        done = _rule_stream(context, scope, given, alone=alone)
        count += done.done
        wanted.found.extend(done.refused)
        if done.whole and scope.stream.quarantined is not None:
            refused = _lift(context, scope.stream, given, alone=alone)
            wanted.found.extend(refused)
            (wanted.lifts if refused else lifted).append(scope.stream.key)
    waiting = None
    if wanted.found:
        waiting = ask(context, said(given), given.reason, wanted)
    if count == 0 and not lifted and waiting is None:
        raise RetentionError(
            f"nothing of {path or camera or delivery} is in quarantine, so there is nothing to rule "
            "on; `retention recording list --state quarantined` shows what is"
        )
    return RecordingsResolved(given.word, count, lifted, waiting)


def _ruling(word: str, shift: str | None, reason: str, *, again: bool) -> Ruling:
    word = word.replace("-", "_")
    if word not in (TIMES_RIGHT, SHIFT):
        raise UsageError(f"{word!r} is no ruling: use times_right or shift")
    reason = reason_of(reason, "it is so")
    if (word == SHIFT) != (shift is not None):
        raise UsageError("say by how much with a shift, such as -1h, and only there")
    by = 0 if shift is None else _signed(shift)
    if word == SHIFT and by == 0:
        raise UsageError("a shift by nothing changes nothing: use times_right")
    return Ruling(word, by, reason, again)


def _signed(text: str) -> Micros:
    text = text.strip()
    length = parse_duration(text.lstrip("+-"))
    return -length if text.startswith("-") else length


def _scopes(
    tx: Connection, path: str | None, camera: str | None, delivery: str | None
) -> list[RulingScope]:
    if sum(one is not None for one in (path, camera, delivery)) != 1:
        raise UsageError("rule on a path, on a camera or on a delivery, one of them")
    if delivery is not None:
        return _delivered(tx, delivery)
    if camera is not None:
        found = cameras.today(tx, camera)
        if found is None:
            raise UsageError(
                f"no camera is called {camera!r} today: look it up with "
                "`retention camera list`"
            )
        return [
            RulingScope(stream, lambda _: True, whole=True)
            for stream in streams.of_camera(tx, found.key)
        ]
    if path is None or path.strip(" ./") == "":
        raise UsageError(
            "say on which recordings: a root by its name, or a directory or file below "
            "it, such as nvr1/1001/2026-10-25"
        )
    key = as_key(path)
    if key is not None:
        stream, row = streams.by_key(tx, key[0]), recordings.get(tx, key)
        if stream is None or row is None:
            raise UsageError(f"there is no recording {path}")
        return [RulingScope(stream, lambda one: one.row.key == key, whole=False)]
    return [
        RulingScope(stream, _below(below), whole=below == b"")
        for root, below in places(tx, path)
        for stream in streams.of_root(tx, root)
    ]


def _below(path: bytes) -> Callable[[_Concerned], bool]:
    """Is it that file, or in that directory?"""
    return lambda one: not path or one.path == path or one.path.startswith(path + b"/")


def _delivered(tx: Connection, delivery: str) -> list[RulingScope]:
    """Late files that came together, as the alarm *late* names them."""
    root = roots.by_name(tx, delivery.partition("/")[0])
    found = None if root is None else late.named(tx, root.key, root.name).get(delivery)
    if root is None or found is None:
        raise UsageError(
            f"no late delivery is called {delivery!r}, or none of it is in doubt any "
            "more: `retention alarm list` shows those that wait, as root/camera/hour"
        )
    return [
        RulingScope(
            stream, lambda one: bool(one.doubt and found.has(one.doubt)), whole=False
        )
        for stream in streams.of_root(tx, root.key)
        if stream.camera == found.camera
    ]


def _rule_stream(
    context: Context, scope: RulingScope, ruling: Ruling, *, alone: bool
) -> _StreamRuled:
    """Rule page by page; `alone`: it takes no second person.

    Away from where the shift moves them to: nothing moved is met again.
    """
    stream, count = scope.stream, 0
    waiting: list[Uncovering] = []
    met, left = scope.whole, False
    after: tuple[Micros, int] | None = None
    while True:
        with context.write(Priority.SCAN) as tx:
            page = recordings.page(
                tx, stream.key, after, PAGE, newest_first=ruling.shift > 0
            )
            if not page:
                return _StreamRuled(count, met and not left, waiting)
            concerned = _concerned(tx, stream, ruling, page)
            inside = [one for one in concerned if scope.includes(one)]
            met, left = met or bool(inside), left or len(inside) < len(concerned)
            found = [one for one in inside if one.in_doubt]
            if found:
                moves = _moves(context, tx, stream, ruling, found)
                done, refused = recordings.change(tx, moves, context.now, agreed=alone)
                waiting += refused
                count += len(done)
                if done:
                    before = {one.row.key: one.doubt for one in found}
                    words = said(ruling)
                    tx.append(*resolved(stream, words, ruling.reason, done, before))
        after = (page[-1].start, page[-1].n)


def _concerned(
    tx: Connection, stream: Stream, ruling: Ruling, page: Sequence[Recording]
) -> list[_Concerned]:
    """Rows of a page that are in doubt, themselves or with their stream; in order."""
    first, last = min(page), max(page)
    doubts = recordings.doubts(tx, stream.key, first.start, last.start + 1)
    found = []
    for row in sorted(page):
        doubt = doubts.get(row.key)
        in_doubt = _in_doubt(stream, row, doubt, ruling)
        if in_doubt or stream.quarantined is not None:
            found.append(_Concerned(row, doubt, path_of(stream, row), in_doubt))
    return found


def _in_doubt(
    stream: Stream, row: Recording, doubt: Doubt | None, ruling: Ruling
) -> bool:
    if row.state not in OURS_TO_CHANGE:
        return False
    if doubt is not None and doubt.settled:
        return ruling.again
    if doubt is not None:
        return True
    # Files catalogued before the zone of their stream came into doubt.
    return stream.quarantined is not None and ruling.word == SHIFT


def _moves(
    context: Context,
    tx: Connection,
    stream: Stream,
    ruling: Ruling,
    found: Sequence[_Concerned],
) -> list[Move]:
    """The new times of rows that follow each other."""
    first = recordings.first_known(tx, stream.camera) if ruling.shift else 0
    if ruling.shift:
        for row, doubt, path, _ in found:
            _check_bounds(context, row.start + ruling.shift, doubt, first, path)
    pairs = [(one.row, one.doubt) for one in found]
    after = _following(tx, stream, found[-1].row.start)
    tolerance = context.settings.retention.clock_tolerance
    times = new_times(stream, pairs, ruling.shift, context.now, tolerance, after)
    moves = []
    for (row, doubt, path, _), (start, end, known) in zip(found, times, strict=True):
        new = row._replace(
            start=start, duration=end - start, state=State.PRESENT,
            path=row.path if ruling.shift == 0 else path,
        )  # fmt: skip
        mtime = row.end if doubt is None else doubt.mtime
        settled = recordings.ruled(context.now, mtime, said(ruling), known=known)
        moves.append(Move(row, new, settled))
    return moves


def _following(tx: Connection, stream: Stream, start: Micros) -> Micros | None:
    """When the next recording began by its name, where that is in doubt as well."""
    row = recordings.after(tx, stream.key, start)
    doubt = None if row is None else recordings.doubt(tx, row.key)
    if row is None or (doubt is not None and doubt.settled):
        return None
    return named(stream, row) if doubt or stream.quarantined is not None else None


def _check_bounds(
    context: Context, start: Micros, doubt: Doubt | None, first: Micros, path: bytes
) -> None:
    """No shift goes beyond what was seen: UsageError, which names the first file that has
    to be ruled on by itself."""
    zone, slack = context.settings.timezone, context.settings.retention.clock_tolerance
    seen = context.now if doubt is None else doubt.seen
    if start > seen + slack:
        raise UsageError(
            f"the shift would have {path.decode(errors='backslashreplace')} begin at "
            f"{format_local(start, zone)}, after its file was first seen "
            f"({format_local(seen, zone)}); was it shifted before, rule on it first, by "
            "its path and with --times-right"
        )
    if start < first - _ZONES:
        raise UsageError(
            f"the shift would have {path.decode(errors='backslashreplace')} begin at "
            f"{format_local(start, zone)}, long before the first day that footage of its camera is known of "
            f"({format_utc(first)[:10]})"
        )


def said(ruling: Ruling) -> str:
    """A ruling in words, as entries have it."""
    if ruling.shift == 0:
        return RIGHT
    sign = "-" if ruling.shift < 0 else "+"
    return f"shifted by {sign}{format_duration(abs(ruling.shift))}"


def resolved(
    stream: Stream,
    words: str,
    reason: str,
    moves: Sequence[Move],
    before: Mapping[Key, Doubt | None],
    request: int | None = None,
    *,
    lifts: bool = False,
) -> Entry:
    """The entry of a ruling on recordings of one stream, of which `before` has the
    doubts; `request` is the one that two people agreed on.  `lifts`: the doubt about all
    of the stream is over."""
    values = []
    for old, new, _ in moves:
        doubt = before.get(old.key)
        why = doubt.reason if doubt else ""
        values.append(
            (stream.camera, *old.key, old.duration, old.size, why, old.path, new.start,
             new.end)
        )  # fmt: skip
    return Entry(
        "recordings.resolved",
        {
            "count": len(moves),
            "ruling": words,
            "reason": reason,
            "request": request,
            "stream": stream.key if lifts else None,
        },
        Rows(_COLUMNS, values),
        tuple((stream.camera, new.start, new.end) for _, new, _ in moves),
    )


def _lift(
    context: Context, stream: Stream, ruling: Ruling, *, alone: bool
) -> list[Uncovering]:
    """The stream's times are understood, unless something would leave a hold's cover by
    that: what would, then.  While they are in doubt, nothing that is moved does."""
    with context.write(Priority.SCAN) as tx:
        agreed = None if alone else ()
        refused = recordings.lift(tx, stream, context.now, agreed)
        if not refused:
            words = said(ruling)
            tx.append(*resolved(stream, words, ruling.reason, [], {}, lifts=True))
            accept(tx, stream, said(ruling))
    return refused


def accept(tx: Transaction, stream: Stream, words: str) -> None:
    """The same is not asked about again of a stream whose times are right.  New files of
    a wrong zone or clock come into doubt again."""
    doubtful_times.rule(tx, stream.key, right=words == RIGHT)
