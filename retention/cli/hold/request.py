"""What `hold place` asks for: nothing missing, its times read once and told in full.

Times are read here, not where the request ends up: "yesterday" in a request that waits
for the service over midnight would mean another day.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import click

from retention.cli import display
from retention.cli.base import Session
from retention.control.guards import CLOCK
from retention.model.answers.alarm import AlarmList
from retention.model.errors import NotPermittedError, UnreachableError, UsageError
from retention.model.localtime import Moment, format_local, format_utc
from retention.model.values import SECOND, Micros

KINDS = ("police", "sar", "court", "insurance", "internal", "preservation")
"""Who can need footage; sar is a subject access request."""

Given = Mapping[str, Any]
"""The options by the verb's names; None where one was not given."""

OPTIONS = {
    "location": "--location",
    "since": "--from",
    "until": "--to",
    "until_released": "--until-released",
    "kind": "--kind",
    "officer": "--officer",
    "force": "--force",
    "power": "--power",
    "received": "--received",
    "reference": "--reference",
    "requester": "--requester",
    "reason": "--reason",
    "review": "--review",
    "margin": "--margin",
    "replaces": "--replaces",
    "dry_run": "--dry-run",
}
"""The verb's names of what an option says, in the order of a phone call."""

_TIMES = {"since": "from", "until": "to", "received": "received", "review": "review by"}
_ELSEWHERE = "Etc/GMT+12"
_NEEDED = {"police": ("officer", "force"), "sar": ("received", "reference")}
_NEEDED_ELSE = ("reference",)


@dataclass(frozen=True, slots=True)
class TypedTimes:
    """Reads what one person says of times in one request: all by one `now`.

    `zone` is None where nobody here knows the site's: neither the configuration nor the
    service can be asked.  `doubt` says why the clock is not believed, if it is not.
    """

    zone: str | None
    now: Micros
    doubt: Callable[[], str | None] = lambda: None

    @classmethod
    def of_this_moment(cls, session: Session) -> TypedTimes:
        """Times as they are meant now at this site."""
        from retention.site import clock

        zone = session.client.place.zone
        if zone is None:
            try:  # the service says its zone with any answer; this one is short
                session.client.call("hold.list", state="pending")
                zone = session.zone
            except UnreachableError:
                pass
        return cls(zone, clock.read().wall, cache(partial(_doubt_of_clock, session)))

    def instant(self, text: str) -> Micros:
        """What `text` means; UsageError says what to write instead."""
        found = Moment(self.zone or "UTC", self.now, self.doubt).instant(text)
        if self.zone is None and found != Moment(_ELSEWHERE, self.now).instant(text):
            raise UsageError(
                "the configuration can't be read, so it is not known which zone "
                f'"{text}" is meant in: write it in UTC, such as "2026-10-24 20:00Z".'
            )
        return found

    def told(self, instant: Micros) -> str:
        """In full: day of the week, offset, and UTC."""
        whole = instant - instant % SECOND
        return f"{format_local(whole, self.zone or 'UTC')} ({format_utc(whole)})"

    def read(self, given: Given) -> dict[str, Any]:
        """The options with their times in UTC."""
        found = self._found(given)
        return {**given, **{name: format_utc(at) for name, at in found.items()}}

    def tell(self, given: Given) -> None:
        """Say on a terminal how each time was read, before anything is stored."""
        if not display.on_terminal():
            return
        for name, instant in self._found(given).items():
            said = f"{_TIMES[name]} {display.safe(given[name])}"
            display.note(f"{said} = {self.told(instant)}")

    def _found(self, given: Given) -> dict[str, Micros]:
        typed = {name: given.get(name) for name in _TIMES}
        return {
            name: self.instant(text) for name, text in typed.items() if text is not None
        }


def _doubt_of_clock(session: Session) -> str | None:
    """Why the service does not believe the clock; None where it can't be asked."""
    try:
        found = session.ask("alarm.list", AlarmList).alarms
    except (UnreachableError, NotPermittedError):
        return None
    return next((one.detail for one in found if one.alarm == CLOCK), None)


def asked_for(given: Given, times: TypedTimes) -> dict[str, Any]:
    """The arguments of the verb `hold.place`.

    Raises click's UsageError with all that is missing, at once: at 3 a.m. nobody has
    the patience to be told one by one.  The request's own number makes a second try
    give the first one's hold.
    """
    from uuid import uuid4

    if missing := _missing(given):
        raise click.UsageError(
            f"Missing: {', '.join(missing)}. On a terminal, `retention hold place` "
            "without options asks for everything in turn."
        )
    end = given["until"] or "its release"
    return {
        **times.read(given),
        "typed": f"{given['since']} to {end}",
        "request": str(uuid4()),
    }


def _missing(given: Given) -> list[str]:
    missing = [] if given["cameras"] or given["location"] else ["CAMERA or --location"]
    if given["since"] is None:
        missing.append("--from")
    if given["until"] is None and not given["until_released"]:
        missing.append("--to or --until-released")
    kind = given["kind"]
    more = _NEEDED.get(kind, _NEEDED_ELSE) if kind else ()
    named = ("kind", *more, "reason")
    return [*missing, *(OPTIONS[name] for name in named if given[name] is None)]


def as_command(given: Given) -> str:
    """The same request as one line to change and run."""
    words = ["retention", "hold", "place", *(given.get("cameras") or ())]
    for name, option in OPTIONS.items():
        value = given.get(name)
        if value is True:
            words.append(option)
        elif value not in (None, False):
            words += [option, str(value)]
    return shlex.join(words)
