"""Entries of the log as people read them, whichever source they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from retention.model.answers.audit import EntryList, EntryShown
from retention.model.errors import UsageError, VerificationError, WithheldError
from retention.model.localtime import Moment
from retention.model.values import FOREVER, Window
from retention.tlog import render
from retention.tlog.render import LIMIT
from retention.tlog.rows import RowFile
from retention.tlog.source import (
    DELETED,
    INTENDED,
    Outcomes,
    Query,
    Record,
    Source,
    apart,
    opened,
    outcomes,
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
    if asked.camera is not None:
        query = query._replace(camera=key_of(asked.camera), footage=window)
    elif (*times, asked.on) != (None, None, None):
        query = query._replace(written=window)
    found = list(islice(_shown(source, query), limit + 1))
    if not found:
        refuse_unknown(asked.kind)
        if asked.subject is not None:
            about(asked.subject)  # and so is what no kind knows
    listed = found[:limit]
    return EntryList(listed, listed[-1].number if len(found) > limit else None)


def _shown(source: Source, query: Query) -> Iterator[EntryShown]:
    """Each entry that is about what is asked for, with those of its rows that are."""
    for record in source.backwards(query):
        if query.camera is None or query.footage is None:
            yield _entry(source, record)
            continue
        if record.kind == DELETED:
            batch, became = _batch_of(source, record)
        else:
            batch, became = record, None
        if batch.kind == INTENDED and apart(batch.entry["fields"], [query.footage]):
            continue
        rows = _rows(batch)
        if rows is None or not rows.columns.keys() >= render.FOOTAGE:
            yield _entry(source, record)
        elif places := render.places(rows, query.camera, query.footage):
            became = became or outcomes_shown(source, record)
            shown = [render.row(rows, place, became) for place in places]
            yield _entry(source, record, rows=shown)


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
