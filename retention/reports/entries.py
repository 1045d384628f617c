"""Entries of the log as people read them, whichever source they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from retention.model.answers.audit import EntryList, EntryShown
from retention.model.errors import UsageError, VerificationError, WithheldError
from retention.model.localtime import Moment
from retention.model.values import DAY, FOREVER, Window
from retention.reports.request import ALL_CAMERAS
from retention.tlog import render
from retention.tlog.cameras import logged
from retention.tlog.kinds import HOLDS
from retention.tlog.render import LIMIT
from retention.tlog.rows import RowFile
from retention.tlog.source import (
    DELETED,
    INTENDED,
    HoldSpans,
    Outcomes,
    Query,
    Record,
    Source,
    Span,
    apart,
    columns_of,
    opened,
    outcomes,
    spans,
)
from retention.tlog.subjects import about, mark, refuse_unbounded, refuse_unknown

MOST = 10_000
"""Entries in one answer: what the service's memory has room for beside its work."""


class ListRequest(NamedTuple):
    """What is asked of a list; times as typed.

    Entries, newest first, at most `limit`, numbers below `before`.  `kind` may be a
    pattern, such as `hold.*`.  [since, until), or `on` this day of the site's zone, is
    when they were written.  With `camera` (an id as of today) it is the time of the
    footage, and entries with rows come with those rows of that camera that overlap it,
    each with what became of the file; so does a completion, with those of its intent.
    With `controller` it is the same of all cameras of that one, without the rows where
    there are several.
    `subject`: what they are about, such as `hold:17`.
    """

    kind: str | None = None
    subject: str | None = None
    camera: str | None = None
    since: str | None = None
    until: str | None = None
    before: int | None = None
    limit: int | None = None
    on: str | None = None
    controller: str | None = None


class _AskedFootage(NamedTuple):
    """Footage of these cameras, by key, in a window."""

    cameras: frozenset[int]
    window: Window


def entries(
    source: Source,
    asked: ListRequest,
    moment: Moment,
    key_of: Callable[[str], int],
) -> EntryList:
    """The entries that are asked for; `before` of what gives the next ones, or None.

    `key_of` gives the camera that has an id today.
    """
    times = (asked.since, asked.until)
    if asked.on is not None:
        if times != (None, None):
            raise UsageError("ask for a day, or for a time from and to: not for both")
        window = moment.day(asked.on)
    else:
        window = moment.window(*times, Window(0, FOREVER))
    if asked.kind is not None:
        refuse_unbounded(asked.kind)
    if asked.limit is not None and not 1 <= asked.limit <= MOST:
        raise UsageError(
            f"entries are listed from 1 to {MOST} at a time, not {asked.limit}: ask for "
            "more with the number that the answer gives for `before`"
        )
    if asked.subject is not None:
        mark(asked.subject)  # what nothing could be about is mistyped
    limit = asked.limit or LIMIT
    query = Query(
        () if asked.kind is None else (asked.kind,),
        asked.subject,
        before=asked.before,
    )
    cameras = chosen(source, asked.controller, asked.camera, lambda id: {key_of(id)})
    footage = None if cameras is None else _AskedFootage(cameras, window)
    if footage is None and (*times, asked.on) != (None, None, None):
        query = query._replace(written=window)
    found = list(islice(_shown(source, query, footage), limit + 1))
    if not found:
        refuse_unknown(asked.kind)
        if asked.subject is not None:
            about(asked.subject)  # and so is what no kind knows
            _refuse_id(source, asked.subject)
    listed = found[:limit]
    return EntryList(listed, listed[-1].number if len(found) > limit else None)


def _refuse_id(source: Source, subject: str) -> None:
    """Of the id of a camera in place of its key no entry ever says anything."""
    what, _, which = subject.partition(":")
    if what == "camera" and which not in map(str, logged(source).by_key):
        raise UsageError(
            f"{which[:100]} is not the key of a camera in this log: by its published id "
            f"say --camera {which[:100]}"
        )


def chosen(
    source: Source,
    controller: str | None,
    camera: str | None,
    meant: Callable[[str], Set[int]],
) -> frozenset[int] | None:
    """The keys of the cameras that are `meant` by an id, or belong to a controller, or
    both; None for all.  UsageError where there is none."""
    keys = None if camera is None else frozenset(meant(camera))
    if controller is None:
        return keys
    whose = logged(source).of_controller(controller)
    found = whose if keys is None else keys & whose
    if not found:
        raise UsageError(f"camera {camera} is not one of {controller[:100]}'s")
    return found


def _shown(
    source: Source, query: Query, footage: _AskedFootage | None
) -> Iterator[EntryShown]:
    """Each entry that is about what is asked for, with those of its rows that are."""
    if footage is None:
        yield from (_entry(source, record) for record in source.backwards(query))
        return
    cameras, window = footage
    for record in _about(source, query, footage):
        if record.kind == DELETED:
            batch, became = _batch_of(source, record)
        else:
            batch, became = record, None
        if batch.kind == INTENDED and apart(batch.entry["fields"], [window]):
            continue
        rows = _rows(batch)
        if rows is None or not rows.columns.keys() >= render.FOOTAGE:
            yield _entry(source, record)
        elif not (places := render.places(rows, cameras, window)):
            continue
        elif len(cameras) > 1:  # thousands of rows each
            yield _entry(source, record)
        else:
            became = became or outcomes_shown(source, record)
            shown = [render.row(rows, place, became) for place in places]
            yield _entry(source, record, rows=shown)


def _about(source: Source, query: Query, footage: _AskedFootage) -> Iterator[Record]:
    """The entries about footage, newest first, those of a batch as far as its window
    tells: which recordings it has, only its rows tell."""
    cameras, window = footage
    if len(cameras) == 1:
        (camera,) = cameras
        yield from source.backwards(query._replace(camera=camera, footage=window))
        return
    holds, held = HoldSpans(), dict[int, list[Span]]()
    for record in source.of_kinds(HOLDS):
        holds.read(record)
        held[record.number] = list(holds.of(record.entry["fields"]["hold"]))
    for record in _of_time(source, query, footage):
        if record.kind in (INTENDED, DELETED):
            yield record
            continue
        spoken = held.get(record.number) or spans(
            record.entry, partial(columns_of, record), lambda _: ()
        )
        if any(
            camera in cameras and render.meets(start, end, window)
            for camera, start, end in spoken
        ):
            yield record


def _of_time(source: Source, query: Query, footage: _AskedFootage) -> Iterator[Record]:
    """The entries that are asked for, newest first, apart from the footage; of a short
    time only those that an index has of it."""
    cameras, window = footage
    if not source.indexed or window.end - window.start > ALL_CAMERAS:
        yield from source.backwards(query)
        return
    days = range(window.start // DAY, (window.end - 1) // DAY + 1)
    places = {(camera, day) for camera in cameras for day in days}
    found = list(source.about(cameras, [window], places))
    yield from filter(query.wants, reversed(found))


def _rows(record: Record) -> RowFile | None:
    """Its rows, if it has any; None also where a public copy withholds them."""
    try:
        return record.read() if "rows" in record.entry else None
    except WithheldError:
        return None


def _entry(
    source: Source, record: Record, rows: list[dict[str, Any]] | None = None
) -> EntryShown:
    mark = _mark(record)
    try:
        texts = source.disclosures(record.number)
        return render.entry(opened(record.entry, texts), rows=rows, **mark)
    except VerificationError as error:  # shown, since a changed log must be readable
        return render.entry(
            record.entry, withheld=[], fault=str(error), rows=rows, **mark
        )


def _mark(record: Record) -> dict[str, bool]:
    """That no signature vouches for it, where none does."""
    if record.unsigned is None:
        return {}
    return {"signed": False, "came_back": record.unsigned.came_back}


def _batch_of(source: Source, done: Record) -> tuple[Record, Outcomes]:
    """The intent that an entry completes, which has the rows, and what became of them."""
    return source.entry(done.entry["fields"]["intent"]), outcomes(done)


def outcomes_shown(source: Source, record: Record) -> Outcomes | None:
    """What became of the rows of an intent; None for another kind."""
    if record.kind != INTENDED:
        return None
    return outcomes(source.completion(record.number))


def entry(source: Source, number: int) -> EntryShown:
    """One entry with its commitments opened and all of its rows."""
    record = source.entry(number)
    shown, found = None, opened(record.entry, source.disclosures(number))
    if "rows" in record.entry:
        try:
            rows, became = record.read(), outcomes_shown(source, record)
            shown = [render.row(rows, row, became) for row in range(rows.count)]
        except WithheldError:  # of a public copy
            found["withheld"].append("rows")
    return render.entry(found, rows=shown, **_mark(record))
