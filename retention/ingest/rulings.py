"""Rulings on recordings in quarantine: their times are right, or off by so much.

A ruling goes stream by stream in bounded transactions, each with its entry.  Broken
off, it can be given again: what was ruled on is marked and not touched twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import cameras, recordings, streams
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.catalogue.recordings import OURS_TO_CHANGE, RULED, Doubt
from retention.errors import RetentionError, StaleError, UsageError
from retention.ingest.matching import as_key, path_of, places
from retention.ingest.placing import ZONE_ACCEPTED, ZONE_FOUND
from retention.layouts.dating import end_of
from retention.localtime import format_duration, format_local, parse_duration
from retention.model import Entry, Micros, Recording, Rows, State, Stream
from retention.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context

TIMES_RIGHT = "times_right"
SHIFT = "shift"
PAGE = 1_000

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


class Scope(NamedTuple):
    """One stream, and which of its files are ruled on."""

    stream: Stream
    includes: Callable[[bytes], bool]
    whole: bool


class _Concerned(NamedTuple):
    row: Recording
    doubt: Doubt | None
    path: bytes
    in_doubt: bool


class _New(NamedTuple):
    old: Recording
    new: Recording
    before: Doubt | None
    after: Doubt


def recording_resolve(
    context: Context,
    *,
    ruling: str,
    reason: str,
    path: str | None = None,
    camera: str | None = None,
    shift: str | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """Rule on quarantined recordings: a file (path or key), a directory, a camera.

    `times_right`: names say when it was, ends follow from them.  `shift`: so much
    ("-1h") is added to the start, the end is the mtime's.  A ruling on all of a stream
    lifts its quarantine, too.  `again` rules on what was ruled on before.
    """
    given = _ruling(ruling, shift, reason, again=again)
    with context.catalogue.read() as tx:
        scopes = _scopes(tx, path, camera)
    count, lifted = 0, []
    for scope in scopes:
        done, whole = _rule_stream(context, scope, given)
        count += done
        if whole and _lift(context, scope.stream, given, empty=done == 0):
            lifted.append(scope.stream.key)
    if count == 0 and not lifted:
        raise RetentionError(
            f"nothing of {path or camera} is in quarantine, so there is nothing to rule "
            "on; `retention recording list --state quarantined` shows what is"
        )
    return {"ruling": given.word, "recordings": count, "streams": lifted}


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


def _scopes(tx: Connection, path: str | None, camera: str | None) -> list[Scope]:
    if (path is None) == (camera is None):
        raise UsageError("rule on a path or on a camera, one of the two")
    if camera is not None:
        found = cameras.today(tx, camera)
        if found is None:
            raise UsageError(
                f"no camera is called {camera!r} today: look it up with "
                "`retention camera list`"
            )
        return [
            Scope(stream, lambda _: True, whole=True)
            for stream in streams.of_camera(tx, found.key)
        ]
    if path is None:
        return []
    key = as_key(path)
    if key is not None:
        stream, row = streams.by_key(tx, key[0]), recordings.get(tx, key)
        if stream is None or row is None:
            raise UsageError(f"there is no recording {path}")
        return [Scope(stream, path_of(stream, row).__eq__, whole=False)]
    return [
        Scope(stream, _below(below), whole=below == b"")
        for root, below in places(tx, path)
        for stream in streams.of_root(tx, root)
    ]


def _below(path: bytes) -> Callable[[bytes], bool]:
    """Is it that file, or in that directory?"""
    return lambda one: one == path or not path or one.startswith(path + b"/")


def _rule_stream(context: Context, scope: Scope, ruling: Ruling) -> tuple[int, bool]:
    """Rule page by page; (how many, whether nothing of the stream was left out).

    Away from where the shift moves them to: nothing moved is met again.
    """
    stream, count = scope.stream, 0
    met, left = scope.whole, False
    after: tuple[Micros, int] | None = None
    while True:
        with context.catalogue.write(Priority.SCAN) as tx:
            page = recordings.page(
                tx, stream.key, after, PAGE, newest_first=ruling.shift > 0
            )
            if not page:
                return count, met and not left
            concerned = _concerned(tx, stream, ruling, page)
            inside = [one for one in concerned if scope.includes(one.path)]
            met, left = met or bool(inside), left or len(inside) < len(concerned)
            found = [one for one in inside if one.in_doubt]
            if found:
                news = _rule(context, tx, stream, ruling, found)
                context.log.append(tx, _entry(context, stream, ruling, news))
        count += len(found)
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
    if doubt is not None and doubt.reason.startswith(RULED):
        return ruling.again
    if doubt is not None:
        return True
    # Files catalogued before the zone of their stream came into doubt.
    return stream.quarantined is not None and ruling.word == SHIFT


def _rule(
    context: Context,
    tx: Connection,
    stream: Stream,
    ruling: Ruling,
    found: Sequence[_Concerned],
) -> list[_New]:
    """Compute and write the new times of rows that follow each other."""
    starts = [one.row.start + ruling.shift for one in found]
    following = recordings.after(tx, stream.key, found[-1].row.start)
    ends = [*starts[1:], None if following is None else following.start + ruling.shift]
    tolerance = context.settings.retention.clock_tolerance
    news = []
    for (row, doubt, path, _), start, next_start in zip(
        found, starts, ends, strict=True
    ):
        if start > context.now + tolerance:
            raise UsageError(
                "the shift would move recordings into the future: "
                + format_local(start, context.settings.timezone)
            )
        mtime = row.end if doubt is None else doubt.mtime
        end = end_of(start, mtime, next_start, stream.max_length, tolerance)
        new = row._replace(
            start=start, duration=end - start, state=State.PRESENT,
            path=row.path if ruling.shift == 0 else path,
        )  # fmt: skip
        after = Doubt(context.now, mtime, RULED + _said(ruling))
        news.append(_New(row, new, doubt, after))
    return _write_moved(tx, news) if ruling.shift else _write_right(tx, news)


def _said(ruling: Ruling) -> str:
    if ruling.shift == 0:
        return "times are right"
    sign = "-" if ruling.shift < 0 else "+"
    return f"shifted by {sign}{format_duration(abs(ruling.shift))}"


def _write_right(tx: Connection, news: list[_New]) -> list[_New]:
    for one in news:
        if not recordings.rule(tx, one.old, one.new.duration, one.after):
            raise StaleError("recordings changed meanwhile; give the ruling again")
    return news


def _write_moved(tx: Connection, news: list[_New]) -> list[_New]:
    """All out, then all in: a shift by a recording's length meets its neighbours."""
    gone = recordings.remove(tx, [one.old.key for one in news])
    if len(gone) != len(news):
        raise StaleError("recordings changed meanwhile; give the ruling again")
    moved: list[_New] = []
    free: dict[Micros, int] = {}
    for one in news:
        start = one.new.start
        n = free.get(start)
        if n is None:
            n = recordings.next_n(tx, one.new.stream, start)
        free[start] = n + 1
        moved.append(one._replace(new=one.new._replace(n=n)))
    recordings.insert(
        tx,
        [one.new for one in moved],
        {one.new.key: one.after for one in moved},
        moved=True,
    )
    return moved


def _entry(
    context: Context, stream: Stream, ruling: Ruling, news: Sequence[_New]
) -> Entry:
    values = [
        (
            stream.camera, *one.old.key, one.old.duration, one.old.size,
            one.before.reason if one.before else "", one.old.path, one.new.start,
            one.new.end,
        )
        for one in news
    ]  # fmt: skip
    return Entry(
        "recordings.resolved",
        context.now,
        context.actor,
        {"count": len(news), "ruling": _said(ruling), "reason": ruling.reason},
        Rows(_COLUMNS, values),
        tuple((stream.camera, one.new.start, one.new.end) for one in news),
    )


def _lift(context: Context, stream: Stream, ruling: Ruling, *, empty: bool) -> bool:
    """The stream's times are understood; the same offset is not asked about again
    where they are right.  New files of a wrong zone come into doubt again."""
    with context.catalogue.write(Priority.SCAN) as tx:
        if not streams.lift_quarantine(tx, stream.key):
            return False
        if ruling.word == TIMES_RIGHT:
            offset = get_fact(tx, f"{ZONE_FOUND}{stream.key}")
            put_fact(tx, f"{ZONE_ACCEPTED}{stream.key}", offset)
        if empty:
            fields = {"count": 0, "ruling": _said(ruling), "reason": ruling.reason}
            context.log.append(
                tx,
                Entry(
                    "recordings.resolved", context.now, context.actor, fields,
                    Rows(_COLUMNS, []),
                ),
            )  # fmt: skip
    return True
