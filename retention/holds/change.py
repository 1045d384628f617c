"""What people do to a hold in force: widen it, correct what it says, keep it on review.

A hold is never narrowed: that would free footage, and only a release does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.holds import entries
from retention.holds.effect import Kept, answer, read_back, take_effect
from retention.holds.release import active, drop, known, nobody_asked
from retention.holds.reviews import note_clock, read_review
from retention.holds.terms import (
    asked_of,
    incomplete,
    resolve,
    with_margin,
)
from retention.model.answers.hold import (
    HoldAmended,
    HoldExtended,
    HoldReviewed,
    OldAndNew,
)
from retention.model.errors import UsageError
from retention.model.localtime import format_local, format_utc
from retention.model.values import FOREVER, Micros, Window
from retention.model.wording import reason_of, text_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.catalogue.db import Transaction
    from retention.control.context import Context

NOTHING_DONE = "The hold is as it was"
EXTENDED = "the hold was extended meanwhile: ask again if it may go all the same"


def hold_extend(
    context: Context,
    *,
    hold: int,
    reason: str,
    since: str | None = None,
    until: str | None = None,
    until_released: bool | None = None,
    cameras: list[str] | None = None,
    review: str | None = None,
) -> HoldExtended:
    """Let an active hold cover more: earlier, longer, more cameras, a later review.

    Answered like a new hold; `extended` is false where it covered all that already.  A
    release that waits for approval comes to nothing: nobody approves what he has not
    seen.  UsageError where anything would be narrower.
    """
    why = reason_of(reason, "the hold is extended")
    if not (since or until or until_released or cameras or review):
        raise UsageError(
            "say what is to be extended: --from, --to, --until-released, --camera or "
            "--review"
        )
    if until is not None and until_released:
        raise UsageError("give either --to or --until-released, not both")
    want = _Want(since, until, bool(until_released), cameras or [], review)
    more: dict[str, Any] = {"extended": True, "request_dropped": False}

    def change(tx: Transaction) -> Kept:
        row = active(tx, hold)
        wider = _wider(context, tx, row, want)
        more["extended"] = wider != _Wider(asked_of(row).window, row.review, [])
        if not more["extended"]:
            return read_back(tx, hold, new=False)
        forged = nobody_asked(context, tx, hold)  # nor is it dropped: repair does that
        _store(tx, row, wider, why, want.typed)
        if wider.review != row.review:
            note_clock(context, tx, hold, wider.review)
        more["request_dropped"] = not forged and drop(tx, row, EXTENDED) is not None
        return read_back(tx, hold)

    kept, rescue = take_effect(context, change, "The hold is NOT extended")
    return answer(context, kept, rescue, HoldExtended, **more)


class _Want(NamedTuple):
    """What is to be wider, as typed."""

    since: str | None
    until: str | None
    until_released: bool
    cameras: list[str]
    review: str | None

    @property
    def typed(self) -> str:
        """The words of the times."""
        end = "its release" if self.until_released else self.until
        return text_of("time", f"{self.since or 'as it was'} to {end or 'as it was'}")


class _Wider(NamedTuple):
    """A hold as it is to be; `added` are the keys of the cameras that come to it."""

    window: Window
    review: Micros
    added: list[int]


def _wider(context: Context, tx: Connection, row: Row[Any], want: _Want) -> _Wider:
    old = asked_of(row).asked
    start = old.start if want.since is None else context.moment.instant(want.since)
    end = old.end if want.until is None else context.moment.instant(want.until)
    if want.until_released:
        end = FOREVER
    _refuse_narrower(row.key, old, Window(start, end), context.settings.timezone)
    window = Window(start, end)
    kept = with_margin(window, row.margin) if window != old else asked_of(row).window
    added = []
    if want.cameras:
        found = resolve(tx, want.cameras, None, kept, NOTHING_DONE)
        covered = set(holds.cameras_of(tx, row.key))
        added = sorted(one.key for one in found if one.key not in covered)
    return _Wider(kept, _later_review(context, row, want.review), added)


def _refuse_narrower(number: int, old: Window, new: Window, zone: str) -> None:
    for name, was, narrower in (
        ("begin", old.start, new.start > old.start),
        ("end", old.end, new.end < old.end),
    ):
        if narrower:
            at = (
                "with its release"
                if was == FOREVER
                else f"at {format_local(was, zone)}"
            )
            raise UsageError(
                f"hold {number} {name}s {at}, and extending can't make it cover less: "
                "place the right hold with `retention hold place --replaces "
                f"{number}`, which asks for the release of this one. {NOTHING_DONE}"
            )


def _later_review(context: Context, row: Row[Any], review: str | None) -> Micros:
    if review is None:
        return int(row.review)
    due = read_review(context, review)
    if due < row.review:
        at = format_local(row.review, context.settings.timezone)
        raise UsageError(
            f"hold {row.key} is to be reviewed at {at}, and extending can't make that "
            f"earlier: `retention hold review {row.key}` sets any date. {NOTHING_DONE}"
        )
    return due


def _store(
    tx: Transaction,
    row: Row[Any],
    wider: _Wider,
    reason: str,
    typed: str,
) -> None:
    holds.widen(tx, row.key, *wider.window, wider.review)
    holds.add_cameras(tx, row.key, wider.added)
    entry = entries.extended(
        row, window=wider.window, review=wider.review,
        added=wider.added, covered=holds.cameras_of(tx, row.key), reason=reason,
        typed=typed,
    )  # fmt: skip
    tx.append(*entry)


def hold_amend(
    context: Context,
    *,
    hold: int,
    reference: str | None = None,
    officer: str | None = None,
    force: str | None = None,
    requester: str | None = None,
    reason: str | None = None,
) -> HoldAmended:
    """Add or correct what a hold says; old and new go on record.

    Also of a released one: it may be learnt late.  What is given is never empty; what
    says so already is no change.
    """
    given = {
        "reference": reference, "officer": officer, "force": force,
        "requester": requester, "reason": reason,
    }  # fmt: skip
    texts = {
        name: text_of(name, text) for name, text in given.items() if text is not None
    }
    empty = [name for name, text in texts.items() if not text]
    if empty or not texts:
        names = ", ".join(f"--{name}" for name in empty or given)
        raise UsageError(
            f"say what the hold should say instead, with {names}"
            + ("" if empty else " (any of them)")
        )
    with context.write(Priority.HOLD) as tx:
        row = known(tx, hold)
        changes = {
            name: [getattr(row, name), text]
            for name, text in texts.items()
            if getattr(row, name) != text
        }
        if changes:
            holds.amend(tx, hold, **{name: new for name, (_, new) in changes.items()})
            fields = {"changed": list(changes), "changes": changes}
            keys = holds.cameras_of(tx, hold)
            tx.append(*entries.about("hold.amended", row, keys, fields))
            row = known(tx, hold)
    return HoldAmended(
        hold=hold,
        changed={name: OldAndNew(*both) for name, both in changes.items()},
        incomplete=incomplete(row),
    )


def hold_review(
    context: Context, *, hold: int, reason: str, review: str | None = None
) -> HoldReviewed:
    """Keep a hold after looking at it: on record, with the next date to look again.

    The date is at most a year ahead, `review_after` from now where none is given.
    """
    why = reason_of(reason, "the hold is still needed")
    due = read_review(context, review)
    with context.write(Priority.HOLD) as tx:
        row = active(tx, hold)
        holds.set_review(tx, hold, due)
        note_clock(context, tx, hold, due)
        keys = holds.cameras_of(tx, hold)
        fields = {"review": due, "old_review": row.review, "reason": why}
        tx.append(*entries.about("hold.reviewed", row, keys, fields))
    return HoldReviewed(
        hold=hold,
        reviewed=format_utc(context.now),
        review=format_utc(due),
        old_review=format_utc(row.review),
        reason=why,
    )
