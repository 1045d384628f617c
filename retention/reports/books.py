"""`find` and `balance`: what became of recordings, and whether the books add up; written
once, of whatever source and site."""

from __future__ import annotations

from retention.model.answers.books import BookBalance, BookFindings, Effort
from retention.model.errors import UsageError
from retention.model.values import DAY, SECOND, Micros, Window
from retention.reports import answers
from retention.reports.entries import chosen
from retention.reports.find import Wanted, search
from retention.reports.known import KnownSite
from retention.reports.request import days_of, window_of
from retention.site import clock
from retention.tlog.balance import KINDS, Balance
from retention.tlog.source import Source


def find(
    source: Source,
    site: KnownSite,
    now: Micros,
    *,
    camera: str | None = None,
    at: str | None = None,
    since: str | None = None,
    until: str | None = None,
    path: str | None = None,
    controller: str | None = None,
) -> BookFindings:
    """What became of the recordings of a camera at an instant or in [since, until), or
    of the file at a path: recorded, deleted, held, lost, there, or why it is not known.

    `camera` is every camera that the id meant then, `controller` those of that one; None
    is all cameras.
    """
    began = clock.monotonic()
    window = window_of(camera, at, since, until, path, site.moment(now))
    if window is None:
        if controller is not None:
            raise UsageError("ask for a path, or for a controller: not for both")
        wanted = site.at_path(path or "")
    else:
        time = window
        keys = chosen(source, controller, camera, lambda id: site.meant(id, time))
        wanted = Wanted(set(site.names() if keys is None else keys), [window])
    size = None
    while size != wanted.size():
        size = wanted.size()
        finder = search(wanted, source)
        there = site.there(finder)
    gaps = [] if window is None else list(site.gaps(finder, window))
    if window is None and not finder.lives:
        gaps = [answers.unnamed(known=bool(wanted.starts))]
    names, paths = site.names(wanted.cameras), site.paths(finder)
    return answers.found(
        finder, names, window, now, there=there, waiting=site.waiting(), gaps=gaps,
        paths=paths, read=_effort(source, finder.rows, began),
        came_back=_came_back(source),
    )  # fmt: skip


def balance(
    source: Source,
    site: KnownSite,
    now: Micros,
    *,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    controller: str | None = None,
) -> BookBalance:
    """Per camera and UTC day of the start: recorded, deleted, lost, moved, there, and
    the difference, which must be nothing; without what is there, what should be.

    Of a camera or of a controller's, and of the days that [since, until) meets; else of all.  At most `limit`
    days are listed, and as many of those that differ.
    """
    began = clock.monotonic()
    days = days_of(since, until, site.moment(now))
    span = Window(days.start * DAY, days.stop * DAY) if days else answers.ALWAYS
    keys = chosen(source, controller, camera, lambda id: site.meant(id, span))
    names = site.names()
    books = Balance(keys, days)
    if days is None:
        books.read(source.of_kinds(KINDS))
    else:
        books.read(source.about(keys or set(names), [span], []))
    site.add_to(books, keys, days)
    read = _effort(source, books.rows, began)
    return answers.balanced(
        books, names, limit, complete=site.complete, read=read,
        came_back=_came_back(source),
    )  # fmt: skip


def _came_back(source: Source) -> set[int]:
    """What was read that came back under no signed head."""
    return {number for number, one in source.doubted.items() if one.came_back}


def _effort(source: Source, rows: int, began: Micros) -> Effort:
    length = clock.monotonic() - began
    return Effort(source.indexed, source.entries, rows, round(length / SECOND, 3))
