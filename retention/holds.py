"""Evidence holds: place, list, release.

A hold is stored first and takes effect in its own transaction: from its commit on no
unlink of a file that it overlaps begins (the gate, design section 7).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from retention import guards
from retention.catalogue import cameras as register
from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.deletion.gate import Rescue
from retention.errors import (
    GuardError,
    NotPermittedError,
    RetentionError,
    UsageError,
)
from retention.hold_answer import what_is_kept
from retention.localtime import format_utc, parse_duration, parse_instant
from retention.model import (
    DAY,
    FOREVER,
    SECOND,
    Actor,
    Camera,
    Custody,
    Entry,
    Micros,
    Rows,
    Window,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context

KINDS = ("police", "sar", "court", "insurance", "internal", "preservation")

LONGEST_REVIEW: Micros = 366 * DAY

PATIENCE_SECONDS = 2.0
"""How long an answer waits for files that are being unlinked as the hold comes."""

CLEAR_CAMERAS = 500
"""A longer list of cameras goes into the rows beside the entry."""


def hold_place(
    context: Context,
    *,
    cameras: list[str],
    since: str,
    kind: str,
    reference: str,
    reason: str,
    until: str | None = None,
    requester: str | None = None,
    review: str | None = None,
    margin: str | None = None,
) -> dict[str, Any]:
    """Place a hold on cameras (today's ids, or patterns) for [since, until).

    Times are as people type them, in the site's zone; without `until` the hold stays
    open until it is released.  The margin (default: the clock tolerance) is kept
    before and after.  Raises UsageError for what can't be meant, NotPermittedError for
    cameras whose data is not the council's.
    """
    hold = _asked(
        context, since, until, kind, reference, reason, requester, review, margin
    )
    with ExitStack() as after_commit, context.catalogue.write(Priority.HOLD) as tx:
        found = _resolve(tx, cameras, hold.window)
        keys = sorted(camera.key for camera in found)
        number = holds.insert(tx, keys, **hold.row())
        kept = what_is_kept(tx, keys, hold.window)
        context.log.append(tx, hold.entry(number, keys, context.actor))
        rescue = Rescue([], [])
        if context.gate is not None:
            # No unlink begins from here to the commit; what waited is saved.
            after_commit.enter_context(context.gate.shut())
            rescue = context.gate.rescue(dict.fromkeys(keys, (hold.window,)))
    settled = _settled(context, rescue)
    follows = kept.pending if context.gate is None else len(rescue.unlinking)
    return {
        **hold.answer(number),
        **kept.answer(found, rescue.rescued, until=min(hold.asked.end, context.now)),
        "outcome_follows": 0 if context.gate is not None and settled else follows,
    }


class _Hold(NamedTuple):
    """A hold as it was asked for, its times resolved."""

    kind: str
    reference: str
    reason: str
    requester: str
    typed: str
    asked: Window
    window: Window
    placed: Micros
    placed_by: int
    review: Micros

    @property
    def margin(self) -> Micros:
        """What is kept before and after the time asked for."""
        return self.asked.start - self.window.start

    def row(self) -> dict[str, Any]:
        """The catalogue's row."""
        return {
            "kind": self.kind, "reference": self.reference, "reason": self.reason,
            "requester": self.requester, "since": self.window.start,
            "until": self.window.end, "typed": self.typed, "margin": self.margin,
            "placed": self.placed, "placed_by": self.placed_by, "review": self.review,
        }  # fmt: skip

    def entry(self, number: int, keys: list[int], actor: Actor) -> Entry:
        """The entry `hold.placed`."""
        many = len(keys) > CLEAR_CAMERAS
        fields = {
            "hold": number, "kind": self.kind, "cameras": None if many else keys,
            "since": self.window.start, "until": self.window.end,
            "review": self.review, "margin": self.margin,
            "reference": self.reference, "reason": self.reason,
            "requester": self.requester or None, "typed": self.typed,
        }  # fmt: skip
        return Entry(
            "hold.placed",
            self.placed,
            actor,
            fields,
            rows=Rows(("camera",), [(key,) for key in keys]) if many else None,
            index=tuple((key, *self.window) for key in keys),
        )

    def answer(self, number: int) -> dict[str, Any]:
        """What the caller is told of the hold itself."""
        return {
            "hold": number,
            "in_force_since": format_utc(self.placed),
            "asked": {
                "since": format_utc(self.asked.start),
                "until": _end(self.asked.end),
            },
            "since": format_utc(self.window.start),
            "until": _end(self.window.end),
            "margin_seconds": self.margin // SECOND,
            "review": format_utc(self.review),
            "note": "protected from deletion by this program; the recorder's own "
            "clean-up is not stopped",
        }


def _end(instant: Micros) -> str | None:
    return None if instant == FOREVER else format_utc(instant)


def _asked(
    context: Context,
    since: str,
    until: str | None,
    kind: str,
    reference: str,
    reason: str,
    requester: str | None,
    review: str | None,
    margin: str | None,
) -> _Hold:
    settings, now, zone = context.settings, context.now, context.settings.timezone
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of hold: use one of {', '.join(KINDS)}")
    asked = Window(
        parse_instant(since, zone, now),
        FOREVER if until is None else parse_instant(until, zone, now),
    )
    if asked.end <= asked.start:
        raise UsageError(
            f"the hold would end ({until}) before it begins ({since}): check the dates"
        )
    spare = _margin(margin, settings.retention.clock_tolerance)
    return _Hold(
        kind=kind, reference=reference, reason=reason, requester=requester or "",
        typed=f"{since} to {until or 'released'}", asked=asked,
        window=Window(asked.start - spare, min(asked.end + spare, FOREVER)),
        placed=now, placed_by=context.actor.uid,
        review=_review(review, zone, now, settings.retention.review_after),
    )  # fmt: skip


def _settled(context: Context, rescue: Rescue) -> bool:
    """Wait for the files that were being unlinked as the hold came; they are gone."""
    return context.gate is None or context.gate.wait_settled(
        rescue.unlinking, PATIENCE_SECONDS
    )


def _margin(margin: str | None, default: Micros) -> Micros:
    if margin is None:
        return default
    return 0 if margin.strip() == "0" else parse_duration(margin)


def _review(review: str | None, zone: str, now: Micros, after: Micros) -> Micros:
    due = now + after if review is None else parse_instant(review, zone, now)
    if not now < due <= now + LONGEST_REVIEW:
        raise UsageError(
            f"a hold is reviewed within a year from now, not at {review}: give a "
            "nearer date with --review"
        )
    return due


def _resolve(tx: Connection, asked: Iterable[str], window: Window) -> list[Camera]:
    """Today's cameras of these ids and patterns, each once, and any other camera that
    such an id meant within the window: in doubt the hold covers both."""
    found: dict[int, Camera] = {}
    everyone = register.current(tx)
    for text in asked:
        matches = [c for id_, c in everyone.items() if fnmatch.fnmatchcase(id_, text)]
        if not matches:
            raise UsageError(
                f"no camera is called {text!r} today: look it up with "
                "`retention camera list`. No hold was placed"
            )
        for camera in matches:
            found[camera.key] = camera
            for other in register.meaning(tx, camera.id, window):
                found.setdefault(other.key, other)
    for camera in found.values():
        if camera.custody is not Custody.COUNCIL:
            raise NotPermittedError(
                f"camera {camera.id} ({camera.location}) is not ours to hold: its data "
                f"is in {camera.custody} custody; ask them to keep it. No hold was "
                "placed: place it again without this camera"
            )
    return list(found.values())


def hold_list(
    context: Context, *, all: bool | None = None, camera: str | None = None
) -> dict[str, Any]:
    """Holds in force, or every hold; with `camera`, those that cover that id."""
    with context.catalogue.read() as tx:
        names = {c.key: c.id for c in register.everyone(tx)}
        found = []
        for row in holds.listing(tx, context.now, all_=bool(all)):
            ids = [names[key] for key in holds.cameras_of(tx, row.key)]
            if camera is None or camera in ids:
                found.append(_row(row, ids, context.now))
    return {"holds": found}


def _row(row: Any, ids: list[str], now: Micros) -> dict[str, Any]:
    state = "active"
    if row.free_at is not None:
        state = "cooling off" if row.free_at > now else "released"
    return {
        "hold": row.key,
        "state": state,
        "kind": row.kind,
        "cameras": ids,
        "since": format_utc(row.since),
        "until": None if row.until == FOREVER else format_utc(row.until),
        "reference": row.reference,
        "reason": row.reason,
        "requester": row.requester,
        "placed": format_utc(row.placed),
        "review": format_utc(row.review),
        "review_due": row.review <= now and row.free_at is None,
        "released": None if row.released is None else format_utc(row.released),
        "free_at": None if row.free_at is None else format_utc(row.free_at),
    }


def hold_release(context: Context, *, hold: int, reason: str) -> dict[str, Any]:
    """Release a hold: its footage is free once it has cooled off.

    Takes two people unless the settings say otherwise, which is itself on record; an
    offline command can't tell two people apart, so it refuses.
    """
    settings = context.settings.retention
    if settings.release_requires_two_people:
        raise NotPermittedError(
            "releasing a hold takes two people, and this version can't yet tell a "
            "second one apart: the hold stays. A site with one person sets "
            "release_requires_two_people = false"
        )
    if not reason.strip():
        raise UsageError("say why the hold is released, with --reason")
    free_at = context.now + settings.cooling_off
    with context.catalogue.write(Priority.HOLD) as tx:
        if doubt := guards.doubt_of_clock(tx, context.now):
            raise GuardError(
                f"the clock is not believed ({doubt}), and by a wrong one the cooling "
                "off would end too early: the hold stays. `retention status` says more"
            )
        if holds.find(tx, hold) is None:
            raise RetentionError(
                f"there is no hold {hold}: `retention hold list` shows them"
            )
        holds.release(tx, hold, context.now, free_at)
        context.log.append(
            tx,
            Entry(
                "hold.released",
                context.now,
                context.actor,
                {"hold": hold, "free_at": free_at, "reason": reason},
            ),
        )
    return {
        "hold": hold,
        "released": format_utc(context.now),
        "free_at": format_utc(free_at),
        "note": "nothing of it is deleted before then, and not where another hold "
        "covers it",
    }
