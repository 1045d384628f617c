"""What a person asks to be kept, read and checked: words, times, cameras.

Nothing here stores anything.  Each error is one sentence that says what to give instead.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import cameras as register
from retention.holds.reviews import read_review
from retention.model.errors import NotPermittedError, UsageError
from retention.model.localtime import format_duration, format_local, parse_duration
from retention.model.values import DAY, FOREVER, Camera, Custody, Micros, Window
from retention.model.wording import text_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.control.context import Context

REQUIRED: dict[str, tuple[str, ...]] = {
    "police": ("officer", "force"),
    "sar": ("received", "reference"),
    "court": ("reference",),
    "insurance": ("reference",),
    "internal": ("reference",),
    "preservation": ("reference",),
}
"""The kinds of hold, and what each needs to be placed."""

FOLLOWS: dict[str, tuple[str, ...]] = {"police": ("reference",)}
"""What may follow by `hold amend`; the hold is *incomplete* until then."""

LONGEST_MARGIN: Micros = 28 * DAY

LONGEST_PATTERN = 200
"""Characters of one camera's id, with signs that stand for others or not."""
MOST_PATTERNS = 100
"""Ids with such signs in one request: each is compared with every camera's."""

_SPOKEN = {"received": "date on which the request was received"}


class AskedTimes(NamedTuple):
    """The times of a hold: as asked for, and with its margin.

    `number` and `placed` are None where it is not placed (a dry run).
    """

    number: int | None
    asked: Window
    window: Window
    placed: Micros | None


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a hold is placed with, checked; instants resolved."""

    kind: str
    reference: str
    reason: str
    requester: str
    officer: str
    force: str
    power: str
    received: Micros | None
    typed: str
    asked: Window
    margin: Micros
    review: Micros

    @property
    def window(self) -> Window:
        """The time asked for with its margin on both sides."""
        return with_margin(self.asked, self.margin)

    def row(self) -> dict[str, Any]:
        """The catalogue's columns that these are."""
        return {
            "kind": self.kind, "reference": self.reference, "reason": self.reason,
            "requester": self.requester, "officer": self.officer, "force": self.force,
            "power": self.power, "received": self.received, "typed": self.typed,
            "since": self.window.start, "until": self.window.end,
            "margin": self.margin, "review": self.review,
        }  # fmt: skip


def with_margin(asked: Window, margin: Micros) -> Window:
    """What is kept for `asked`: the margin before and after as well."""
    return Window(max(0, asked.start - margin), min(asked.end + margin, FOREVER))


def asked_of(row: Row[Any]) -> AskedTimes:
    """The times of a hold in the catalogue."""
    window = Window(row.since, row.until)
    return AskedTimes(row.key, without_margin(window, row.margin), window, row.placed)


def without_margin(window: Window, margin: Micros) -> Window:
    """What was asked for, of a window with its margin."""
    end = window.end if window.end == FOREVER else window.end - margin
    return Window(window.start + margin, end)


def read_terms(
    context: Context,
    *,
    kind: str,
    since: str,
    until: str | None,
    until_released: bool,
    received: str | None,
    review: str | None,
    margin: str | None,
    typed: str | None,
    words: Mapping[str, str | None],
) -> Terms:
    """Read what was given for a new hold; `words` are its texts by name.

    UsageError for the first thing that can't be meant.
    """
    if kind not in REQUIRED:
        kinds = ", ".join(REQUIRED)
        raise UsageError(f"{kind!r} is no kind of hold: use one of {kinds}")
    texts = {name: text_of(name, text) for name, text in words.items()}
    came = None if received is None else _received(context, received)
    _refuse_missing(kind, {**texts, "received": received})
    for text in (typed or "").split(" to "):
        context.moment.refuse_in_doubt(text)  # whoever read them had no better clock
    asked = read_window(context, since, until, until_released=until_released)
    return Terms(
        **texts,
        kind=kind,
        received=came,
        typed=text_of("time", typed or f"{since} to {until or 'its release'}"),
        asked=asked,
        margin=_margin(margin, context.settings.retention.clock_tolerance),
        review=read_review(context, review),
    )


def _refuse_missing(kind: str, given: Mapping[str, str | None]) -> None:
    """All that is missing at once: the caller's patience is short at 3 a.m."""
    missing = [name for name in (*REQUIRED[kind], "reason") if not given[name]]
    if missing:
        names = " and the ".join(_SPOKEN.get(name, name) for name in missing)
        options = " and ".join(f"--{name}" for name in missing)
        raise UsageError(f"a hold of kind {kind} needs the {names}: give {options}")


def incomplete(hold: Row[Any] | Terms) -> list[str]:
    """What a hold of its kind should say and does not yet."""
    return [name for name in wanted_of(hold.kind) if getattr(hold, name) in ("", None)]


def wanted_of(kind: str) -> tuple[str, ...]:
    """What a hold of that kind should say, now or later."""
    return (*REQUIRED.get(kind, ()), *FOLLOWS.get(kind, ()))


def read_window(
    context: Context, since: str, until: str | None, *, until_released: bool
) -> Window:
    """The time asked for, as typed in the site's zone; exactly one end is given."""
    if (until is not None) == until_released:
        raise UsageError(
            "say where the hold ends: either --to TIME, or --until-released for one "
            "that stays open" + (", not both" if until_released else "")
        )
    start = context.moment.instant(since)
    end = FOREVER if until is None else context.moment.instant(until)
    if end <= start:
        raise UsageError(
            f"the hold would end ({until}) before it begins ({since}): check the dates"
        )
    return Window(start, end)


def _received(context: Context, received: str) -> Micros:
    came = context.moment.instant(received)
    if came > context.now and not context.doubt_of_clock():
        at = format_local(came, context.settings.timezone)
        raise UsageError(
            f"the request can't have been received at {at}, "
            "which is still to come: correct --received"
        )
    return came


def _margin(margin: str | None, default: Micros) -> Micros:
    if margin is None:
        return default
    length = 0 if margin.strip() == "0" else parse_duration(margin)
    if length > LONGEST_MARGIN:
        raise UsageError(
            f"a margin of {margin} is too much, {format_duration(LONGEST_MARGIN)} is the "
            "most: say a longer time with --from and --to"
        )
    return length


def resolve(
    tx: Connection,
    patterns: Iterable[str],
    location: str | None,
    window: Window,
    done: str,
) -> list[Camera]:
    """Today's cameras of these ids and patterns, and at that location, each once.

    Also any other camera that such an id meant within the window: in doubt the hold
    covers both.  `done` says in every error what did not happen.  UsageError where
    something matches no camera, NotPermittedError where the data is not the council's.
    """
    everyone = register.current(tx)
    found: dict[int, Camera] = {}
    patterns = list(patterns)
    _refuse_costly(patterns, done)
    for pattern in patterns:
        matches = _called(everyone, pattern) or _nobody(tx, pattern, done)
        found |= {camera.key: camera for camera in matches}
    if location is not None:
        found |= {camera.key: camera for camera in _at(everyone, location, done)}
    if not found:
        raise UsageError(f"say which cameras, by their ids or with --location. {done}")
    _refuse_foreign(found.values(), done)
    for camera in list(found.values()):
        for other in register.meaning(tx, camera.id, window):
            # Of another's data there is nothing here to keep.
            if other.custody is Custody.COUNCIL:
                found.setdefault(other.key, other)
    return list(found.values())


def _refuse_costly(patterns: Sequence[str], done: str) -> None:
    """What others wait for, since a hold is placed while nobody else writes, is short."""
    if any(len(one) > LONGEST_PATTERN for one in patterns):
        raise UsageError(
            f"a camera's id is at most {LONGEST_PATTERN} characters long. {done}"
        )
    if sum(any(sign in one for sign in "*?[") for one in patterns) > MOST_PATTERNS:
        raise UsageError(
            f"at most {MOST_PATTERNS} ids with * ? or [ at once: say the ids. {done}"
        )


def _called(everyone: Mapping[str, Camera], pattern: str) -> list[Camera]:
    if pattern in everyone:
        return [everyone[pattern]]
    return [
        camera for id, camera in everyone.items() if fnmatch.fnmatchcase(id, pattern)
    ]


def _nobody(tx: Connection, id: str, done: str) -> list[Camera]:
    former = register.last_holder(tx, id)
    if former is not None and former[0].id != id:
        raise UsageError(
            f"camera {id} has another id today: type {former[0].id} "
            f"({former[0].location}). {done}"
        )
    raise UsageError(
        f"no camera is called {id!r} today: look it up with `retention camera list`. "
        f"{done}"
    )


def _at(everyone: Mapping[str, Camera], location: str, done: str) -> list[Camera]:
    wanted = text_of("location", location).casefold()
    matches = [
        camera
        for camera in everyone.values()
        if wanted
        and (wanted in camera.location.casefold() or wanted in camera.view.casefold())
    ]
    if not matches:
        raise UsageError(
            f"no camera has {location!r} in its location or view: look it up with "
            f"`retention camera list`. {done}"
        )
    return matches


def _refuse_foreign(cameras: Iterable[Camera], done: str) -> None:
    foreign = [one for one in cameras if one.custody is not Custody.COUNCIL]
    if not foreign:
        return
    names = ", ".join(f"{one.id} ({one.location})" for one in foreign[:4])
    more = f" and {len(foreign) - 4} more" if len(foreign) > 4 else ""
    who = " and ".join(sorted({_HOLDERS[one.custody] for one in foreign}))
    plural = len(foreign) > 1
    raise NotPermittedError(
        f"camera{'s' if plural else ''} {names}{more} {'are' if plural else 'is'} not "
        f"ours to hold: the data is in {who} custody; ask them to keep it. {done}: ask "
        f"again without {'them' if plural else 'it'}"
    )


_HOLDERS = {Custody.POLICE: "police", Custody.THIRD_PARTY: "third-party"}
