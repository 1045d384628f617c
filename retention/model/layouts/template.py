"""The language of layouts: what a person may type, and what to type instead.

Owns reading a template's text into parts, and refusing every text that could be
read in two ways or that dates a recording badly.  Matching and rendering are
`layout`'s.  Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from retention.model.errors import SettingsError

DATE_LETTERS = "YmdHMSfzs"
"""Date tokens of the language, without their per cent sign."""

EXAMPLE = "{camera}/%Y-%m-%d_%H-%M-%S.mp4"

_ALLOWED = "%Y %m %d %H %M %S %f %z %s {camera} {any} {ext:mp4|ts}"

# What other programs' templates use, and what stands for it here.  The reasons
# are those of the field study of recorders: a week's year dates New Year's
# footage a year wrong, a 12-hour clock and a 2-digit year have two meanings.
_REFUSED = {
    "G": "%G is the year of the ISO week, which around New Year is not the calendar's: "
    "have the recorder write %Y, and write %Y here",
    "V": "%V is a week's number, from which no date follows: have the recorder write "
    "%m and %d, and write them here",
    "y": "%y has no century: have the recorder write %Y, and write %Y here",
    "j": "%j is the day of the year: have the recorder write %m and %d, and write them "
    "here",
    "I": "%I is an hour of a 12-hour clock, which comes twice a day: have the recorder "
    "write %H, and write %H here",
    "p": "%p (AM or PM) belongs to a 12-hour clock: have the recorder write %H, and "
    "write %H here",
    "v": "%v (an event's number) can't be known beforehand: write {any}",
    "q": "%q (a frame's number) can't be known beforehand: write {any}",
    "t": "%t does not stand for the camera here: write {camera}",
    "$": "%$ does not stand for the camera here: write {camera}",
    "T": "%T is not known here: write %H:%M:%S",
    "F": "%F is not known here: write %Y-%m-%d",
    "D": "%D is a date with a 2-digit year: have the recorder write %Y, %m and %d, and "
    "write them here",
    "e": "%e is a day padded with a space: have the recorder write %d, and write %d here",
    "k": "%k is an hour padded with a space: have the recorder write %H, and write %H "
    "here",
    "b": "%b is a month's name in some language: have the recorder write %m, and write "
    "%m here",
    "a": "%a is a weekday's name, which says nothing about the date: write {any}",
}
_SAME = {"U": "V", "W": "V", "u": "V", "l": "I", "P": "p", "B": "b", "h": "b", "A": "a"}

_TOKEN = re.compile(r"%path|%.?|\{[^{}]*\}|[{}]|[^%{}]+", re.DOTALL)
_EXTENSIONS = re.compile(r"\{ext:([A-Za-z0-9]+(?:\|[A-Za-z0-9]+)*)\}")


class Part(NamedTuple):
    """One part of a template.

    `kind` is "literal" (then `text` is it), "camera", "any" (free text), "word"
    (an {any} held to letters and digits, since its name has a freer part), "ext"
    (`text` is "mp4|ts") or one of `DATE_LETTERS`.
    """

    kind: str
    text: str = ""


Component = tuple[Part, ...]
"""The parts between two slashes."""


def refuse(text: str, why: str) -> SettingsError:
    """The error for a template: names it; `why` says what is wrong and what to type."""
    return SettingsError(f'The layout "{text}" can\'t be used: {why}.')


def read_template(text: str, *, fixed_camera: bool = False) -> tuple[Component, ...]:
    """The components of a template, checked.

    Raises SettingsError with what to type instead.  `fixed_camera`: the camera is
    known without the path, so {camera} may be missing.
    """
    _check_path(text)
    parts = [_part(text, token) for token in _TOKEN.findall(text)]
    kinds = [part.kind for part in parts]
    if "camera" not in kinds and not fixed_camera:
        raise refuse(
            text,
            "it does not say which camera a file is of: put {camera} where the "
            f'camera\'s name stands, as in "{EXAMPLE}"',
        )
    _check_date(text, kinds)
    _check_extension(text, parts)
    return tuple(_separable(text, component) for component in _components(parts))


def kinds_of(text: str) -> frozenset[str]:
    """The kinds of parts in a template; raises as `read_template` does."""
    return frozenset(
        part.kind for component in read_template(text) for part in component
    )


def _check_path(text: str) -> None:
    if not text:
        raise refuse(text, f'it is empty: write one such as "{EXAMPLE}"')
    if not text.isprintable():
        raise refuse(text, "it holds a character that can't be shown: type it anew")
    if text.startswith(("/", "./", "~")):
        raise refuse(
            text,
            "it must be the part below the root's path: write it without the leading "
            f'directory, as in "{EXAMPLE}"',
        )
    names = text.split("/")
    if "" in names or "." in names or ".." in names:
        raise refuse(
            text,
            'it has an empty name, "." or ".." between slashes: write each directory '
            "once, with one slash between, and end with the file's name",
        )


def _part(text: str, token: str) -> Part:
    if token == "%path":  # noqa: S105 - MediaMTX's word for a camera, no secret
        raise refuse(text, "%path is MediaMTX's word: write {camera}")
    if token.startswith("%"):
        return _date_part(text, token)
    if token in {"{", "}"}:
        raise refuse(
            text, f'there is a lone "{token}": write {{camera}}, {{any}} or {{ext:mp4}}'
        )
    if not token.startswith("{"):
        return Part("literal", token)
    if token in {"{camera}", "{any}"}:
        return Part(token[1:-1])
    extensions = _EXTENSIONS.fullmatch(token)
    if extensions:
        return Part("ext", extensions[1])
    if token.startswith("{ext"):
        raise refuse(
            text, f"{token} names no extensions: write them like {{ext:mp4|ts}}"
        )
    raise refuse(text, f"{token} is not known: what may be written is {_ALLOWED}")


def _date_part(text: str, token: str) -> Part:
    letter = token[1:]
    if letter == "%":
        return Part("literal", "%")
    if letter and letter in DATE_LETTERS:
        return Part(letter)
    reason = _REFUSED.get(_SAME.get(letter, letter))
    if reason is None:
        raise refuse(
            text,
            f"{token} is not known: what may be written is {_ALLOWED}, and %% for "
            "a per cent sign",
        )
    same = _SAME.get(letter)
    raise refuse(text, reason.replace(f"%{same}", token, 1) if same else reason)


def _check_date(text: str, kinds: list[str]) -> None:
    missing = [f"%{letter}" for letter in "YmdHM" if letter not in kinds]
    if "s" not in kinds and missing:
        raise refuse(
            text,
            f"it does not give a whole date and time: add {' '.join(missing)} (or %s, "
            "the seconds since 1970) where the recorder writes them",
        )
    if "f" in kinds and "S" not in kinds and "s" not in kinds:
        raise refuse(text, "%f is the fraction of a second that is not there: add %S")


def _check_extension(text: str, parts: list[Part]) -> None:
    places = [at for at, part in enumerate(parts) if part.kind == "ext"]
    if not places:
        last = parts[-1]
        if last.kind != "literal" or not re.search(r"\.[A-Za-z0-9]+$", last.text):
            raise refuse(
                text,
                "it does not end with a file extension: end it with .mp4, or with "
                ".{ext:mp4|ts} for more than one",
            )
        return
    before = parts[places[0] - 1] if places[0] else Part("")
    if len(places) > 1 or places[0] != len(parts) - 1 or before.text[-1:] != ".":
        raise refuse(
            text, "{ext:...} stands once, at the end, after a dot: write .{ext:mp4|ts}"
        )


def _components(parts: list[Part]) -> list[list[Part]]:
    components: list[list[Part]] = [[]]
    for part in parts:
        if part.kind != "literal":
            components[-1].append(part)
            continue
        first, *others = part.text.split("/")
        for at, piece in enumerate([first, *others]):
            if at:
                components.append([])
            if piece and components[-1] and components[-1][-1].kind == "literal":
                piece = components[-1].pop().text + piece  # a %% beside other text
            if piece:
                components[-1].append(Part("literal", piece))
    return components


def _separable(text: str, component: list[Part]) -> Component:
    """The component with every {any} but one held to a word, or SettingsError.

    One part of free length beside parts of known length can be read in one way
    only.  Further ones must be words with a separator on each side: then they are
    told apart from both ends, and the free part is what remains.
    """
    free = [at for at, part in enumerate(component) if part.kind in {"camera", "any"}]
    cameras = [at for at in free if component[at].kind == "camera"]
    if len(cameras) > 1:
        raise refuse(
            text,
            "{camera} comes twice between two slashes: keep one, and write {any} for "
            "the other",
        )
    words = [at for at in free if at not in (cameras or free[:1])]
    if not all(_bounded(component, at) for at in words):
        raise refuse(
            text,
            "where one part of free length ends and the next begins can't be told: put "
            "a separator such as - or _ on both sides of each {any}, or have the "
            "recorder make a directory for each camera, {camera}/",
        )
    return tuple(
        Part("word") if at in words else part for at, part in enumerate(component)
    )


def _bounded(component: list[Part], at: int) -> bool:
    left = component[at - 1] if at else None
    right = component[at + 1] if at + 1 < len(component) else None
    return (left is None or _separates(left, -1)) and (
        right is None or _separates(right, 0)
    )


def _separates(part: Part, edge: int) -> bool:
    if part.kind != "literal":
        return False
    character = part.text[edge]
    return not (character.isascii() and character.isalnum())
