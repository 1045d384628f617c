"""When a hold is to be looked at again.

A date that was counted by a clock in doubt is remembered, and capped anew once the clock
is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue import holds
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.control import alarms
from retention.holds import entries
from retention.model.errors import UsageError
from retention.model.localtime import format_local
from retention.model.values import DAY, Micros

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue, Transaction
    from retention.catalogue.log import Author
    from retention.control.context import Context

LONGEST_REVIEW: Micros = 366 * DAY

_BY_CLOCK_IN_DOUBT = "holds.review_by_clock_in_doubt"
"""By hold (its number as text): how far ahead its review may be once the clock is
right."""


def read_review(context: Context, review: str | None) -> Micros:
    """The next review date: as typed, else `review_after` from now.

    UsageError for one that is past or too far off, where the clock can tell.
    """
    zone, now = context.settings.timezone, context.now
    if review is None:
        return now + context.settings.retention.review_after
    due = context.moment.instant(review)
    if now < due <= now + LONGEST_REVIEW or context.doubt_of_clock():
        return due
    if due <= now:
        raise UsageError(
            f"the review date {format_local(due, zone)} is past: give a later one with "
            "--review"
        )
    raise UsageError(
        f"a hold is reviewed within a year, not as late as {format_local(due, zone)}"
        ": give a nearer date with --review"
    )


def note_clock(context: Context, tx: Transaction, hold: int, review: Micros) -> None:
    """A hold was given this review date: note by which clock, in the transaction that
    writes it."""
    noted = get_fact(tx, _BY_CLOCK_IN_DOUBT) or {}
    after = context.settings.retention.review_after
    kept = {number: most for number, most in noted.items() if number != str(hold)}
    if alarms.doubt_of_clock(tx, context.now):
        kept[str(hold)] = LONGEST_REVIEW if review != context.now + after else after
    if kept != noted:
        put_fact(tx, _BY_CLOCK_IN_DOUBT, kept or None)


def cap_reviews(catalogue: Catalogue, author: Author) -> None:
    """Bring near what a clock in doubt put too far off, on record, once the clock is
    right.  Raises CatalogueError."""
    with catalogue.read() as tx:
        if not get_fact(tx, _BY_CLOCK_IN_DOUBT) or alarms.doubt_of_clock(
            tx, author.now
        ):
            return
    with catalogue.write(Priority.DELETION, author) as tx:
        for number, most in (get_fact(tx, _BY_CLOCK_IN_DOUBT) or {}).items():
            row = holds.find(tx, int(number))
            if row is None or row.free_at is not None:
                continue
            latest = author.now + most
            if row.review > latest:
                holds.set_review(tx, row.key, latest)
                fields = {"review": latest, "old_review": row.review}
                keys = holds.cameras_of(tx, row.key)
                tx.append(*entries.about("hold.redated", row, keys, fields))
        put_fact(tx, _BY_CLOCK_IN_DOUBT, None)
