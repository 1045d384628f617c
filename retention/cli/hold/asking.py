"""Placing a hold by answering questions, in the order in which a phone call goes.

All that is said here goes to standard error: standard output has the answer alone.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Any

import click

from retention.cli import display
from retention.cli.base import Session
from retention.cli.hold import answers
from retention.cli.hold.request import KINDS, TypedTimes, as_command, asked_for
from retention.model.answers.camera import CameraRow, CamerasListed
from retention.model.answers.hold import HoldPlaced
from retention.model.errors import RetentionError, UnreachableError, UsageError
from retention.model.localtime import format_duration
from retention.model.values import Micros
from retention.model.wording import LONGEST

NO_NAMES = "No names or descriptions of people filmed, here or later."

_WELCOME = (
    f"A new evidence hold. {NO_NAMES}\n"
    "Nothing is stored before you have seen what it keeps and said yes; Ctrl-C stops."
)
_FROM = 'From when, such as "yesterday 21:00" or "24/10/2026 21:00"'
_OPEN = "released"
_TO = f'To when (or "{_OPEN}": open until it is released)'
_KIND = "Who asks"

Given = dict[str, Any]


def place(session: Session, cameras: list[str]) -> int:
    """Ask for a hold, show what it keeps, place it after a yes; the exit status."""
    times = TypedTimes.of_this_moment(session)
    try:
        display.note(_WELCOME)
        given = _questions(session, times, cameras)
        request = asked_for(given, times)
        _preview(session, given, request)
        agreed = click.confirm("Place this hold?", default=None, err=True)
    except click.Abort:
        display.note("\nNo hold was placed.")
        raise
    if not agreed:
        display.note(f"No hold was placed. {_again(given)}")
        return 1
    return answers.give_place(session, request)


def _questions(session: Session, times: TypedTimes, cameras: list[str]) -> Given:
    given: Given = {"cameras": cameras or _which_cameras(session), "location": None}
    given |= _when(times)
    kind = given["kind"] = _ask(
        _KIND, _one_of, default="police", shown=", ".join(KINDS)
    )
    given |= _who(kind, times)
    given["reason"] = _ask("Why, in a few words")
    return given


def _preview(session: Session, given: Given, request: Given) -> None:
    """Show what the hold would keep.

    What was answered so far must not be lost by a refusal: it is told as one command.
    """
    try:
        answer = session.ask(
            "hold.place", HoldPlaced, **{**request, "dry_run": True, "request": None}
        )
    except UnreachableError as error:
        display.note(f"{error}.\nWhat the hold would keep can't be said now.")
        return
    except RetentionError:
        display.note(_again(given))
        raise
    display.note(f"\n{answers.placed(answer, session.zone)}\n")


def _again(given: Given) -> str:
    return f"The same as one command, to change and run:\n  {as_command(given)}"


def _which_cameras(session: Session) -> list[str]:
    """Today's ids; looked up by id, pattern or place while the service answers."""
    known = _register(session)
    chosen: dict[str, None] = {}
    while True:
        if not chosen:
            text = _ask("Which cameras: ids, or words of the place")
        else:
            text = _ask("More cameras (Enter: no)", needed=False)
        if text is None:
            return list(chosen)
        chosen |= dict.fromkeys(
            _words(text) if known is None else _look_up(known, text)
        )


def _register(session: Session) -> list[CameraRow] | None:
    try:
        answer = session.ask("camera.list", CamerasListed)
    except UnreachableError as error:
        display.note(f"{error}.\nGo on all the same: give the ids of the cameras.")
        return None
    return [one for one in answer.cameras if one.current]


def _words(text: str) -> list[str]:
    return re.split(r"[\s,]+", text)


def _look_up(known: list[CameraRow], text: str) -> list[str]:
    """The ids that `text` means, shown with their places; a place is asked back."""
    by_id = [_matching(known, word) for word in _words(text)]
    found = [one for matches in by_id for one in matches]
    exact = all(by_id)
    if not exact:
        found = [one for one in known if _is_at(one, text)]
    if not found:
        display.note(f'  no camera is called or stands at "{display.safe(text)}"')
    ours = []
    for one in found:
        display.note(f"  {display.safe(one.id)}  {_described(one)}")
        if one.custody == "council":
            ours.append(one.id)
    return ours if exact or not ours else _which_of(ours)


def _matching(known: list[CameraRow], word: str) -> list[CameraRow]:
    return [one for one in known if fnmatch.fnmatchcase(one.id, word)]


def _is_at(one: CameraRow, text: str) -> bool:
    place = answers.place_of(one.location, one.view).casefold()
    return all(word.casefold() in place for word in _words(text))


def _described(one: CameraRow) -> str:
    place = display.safe(answers.place_of(one.location, one.view))
    if one.custody == "council":
        return place
    return (
        f"{place}: NOT OURS, its data is in {display.safe(one.custody)} custody; "
        "ask them to keep it"
    )


def _which_of(ids: list[str]) -> list[str]:
    """Those of a search's finds that are meant."""

    def chosen(text: str) -> list[str]:
        if text == "all":
            return ids
        wrong = [word for word in _words(text) if word not in ids]
        if wrong:
            raise UsageError(f"{', '.join(wrong)}: none of these that can be held")
        return _words(text)

    question = "Which of these: ids, all, or Enter for none"
    return _ask(question, chosen, needed=False) or []


def _when(times: TypedTimes) -> Given:
    since, first = _time(times, _FROM)

    def end(text: str) -> Given:
        if text == _OPEN:
            display.note("  = open until the hold is released")
            return {"until": None, "until_released": True}
        last = _told(times, text)
        if last <= first:
            raise UsageError("that is not after the beginning: give a later time")
        display.note(f"  that is {format_duration(last - first)} in all")
        return {"until": text, "until_released": None}

    return {"since": since, **_ask(_TO, end)}


def _time(
    times: TypedTimes, question: str, *, past: bool = False
) -> tuple[str, Micros]:
    """What was typed, and the instant that it means."""

    def read(text: str) -> tuple[str, Micros]:
        instant = _told(times, text)
        if past and instant > times.now:
            raise UsageError("that is still to come: give a time that has been")
        return text, instant

    answer: tuple[str, Micros] = _ask(question, read)
    return answer


def _told(times: TypedTimes, text: str) -> Micros:
    instant = times.instant(text)
    display.note(f"  = {times.told(instant)}")
    return instant


def _who(kind: str, times: TypedTimes) -> Given:
    """What this kind of hold needs; the rest may be left empty."""
    empty = ("officer", "force", "power", "received", "requester", "review", "margin")
    who: Given = dict.fromkeys((*empty, "replaces", "dry_run"))
    if kind == "police":
        who["officer"] = _ask("Officer: name and number")
        who["force"] = _ask("Police force")
        who["reference"] = _ask(
            "Crime or incident reference (Enter: it follows later)", needed=False
        )
        who["power"] = _ask("Power used, if any (Enter: none said)", needed=False)
    elif kind == "sar":
        who["received"], _ = _time(times, "When the request was received", past=True)
        who["reference"] = _ask("Reference of the request (not the person's name)")
    else:
        who["requester"] = _ask("Who asks: name and office", needed=False)
        who["reference"] = _ask("Reference")
    return who


def _one_of(text: str) -> str:
    if text not in KINDS:
        raise UsageError(f"answer one of {', '.join(KINDS)}")
    return text


def _plain(text: str) -> str:
    if len(text) > LONGEST or not text.isprintable():
        raise UsageError(f"write plain text of {LONGEST} characters at most")
    return text


def _ask(
    question: str,
    read: Callable[[str], Any] = _plain,
    *,
    needed: bool = True,
    default: str | None = None,
    shown: str = "",
) -> Any:
    """One question, again until its answer can be read; None where it may be empty."""
    label = f"{question} ({shown})" if shown else question
    while True:
        text = click.prompt(
            label,
            default=default or ("" if not needed else None),
            show_default=default is not None,
            err=True,
        ).strip()
        if not text and not needed:
            return None
        try:
            return read(_plain(text)) if text else None
        except UsageError as error:
            display.note(f"  {error}")
