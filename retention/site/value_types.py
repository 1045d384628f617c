"""The kinds of value that settings are made of, and what each refuses.

A validator's message continues the sentence "[retention] days = 0 ...", so it
says what is wrong with the value and, after a colon, what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from retention.model import monitored
from retention.model.errors import UsageError
from retention.model.localtime import parse_duration
from retention.model.values import LONGEST_CONTROLLER, Micros

# Names that mean another zone on another machine, or count leap seconds.
_NO_ZONES = re.compile(r"localtime|Factory|posixrules|(posix|right)/.*")
_ORIGIN = re.compile(r"[^\s+\x00-\x1f]{1,200}")
_SITE = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")

_Value = TypeVar("_Value")


def like(word: str, known: Iterable[str]) -> str | None:
    """Return the one of the known words that `word` may be a misspelling of."""
    lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), lower, n=1)
    return lower[close[0]] if close else None


def span(low: str, high: str) -> BeforeValidator:
    """Return the validator of a duration from `low` to `high`, both allowed."""
    bottom, top = parse_duration(low), parse_duration(high)

    def check(value: Any) -> Micros:
        if not isinstance(value, str):
            raise ValueError(f'has no unit: write it in quotes, such as "{low}"')
        try:
            length = parse_duration(value)
        except UsageError as error:
            remedy = str(error).split(": ", 1)[-1].rstrip(".")
            raise ValueError(f"is not a duration: {remedy}") from None
        if not bottom <= length <= top:
            raise ValueError(
                f'is out of bounds: write a duration from "{low}" to "{high}"'
            )
        return length

    return BeforeValidator(check)


def whole(low: int, high: int, what: str) -> BeforeValidator:
    """Return the validator of a whole number of `what` from `low` to `high`."""

    def check(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)  # from the environment
        if type(value) is int and low <= value <= high:
            return value
        raise ValueError(
            f"is not a whole number of {what}: write one from {low} to {high}"
        )

    return BeforeValidator(check)


def _percent(value: Any) -> float:
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%", str(value))
    share = float(match[1]) / 100 if match else 0.0
    if not 0 < share <= 1:
        raise ValueError(
            'is not a share: write a percentage above 0 and up to 100, such as "2%"'
        )
    return share


def _yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):  # from the environment
        return bool(value == "true")
    raise ValueError("is neither true nor false: write one of the two")


def check_zone(value: Any) -> str:
    """Return the name of an IANA time zone; `ValueError` suggests close ones."""
    try:
        if isinstance(value, str) and not _NO_ZONES.fullmatch(value):
            return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass  # OSError: the name of a directory of zones, such as "Europe"
    close = like(str(value), available_timezones()) or "Europe/London"
    if str(value).upper() in {"BST", "GMT/BST", "UK", "LONDON"}:
        close = "Europe/London"
    raise ValueError(
        f'is not a time zone: write a name of the IANA list, such as "{close}"'
    )


def _absolute(value: Any) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError('is not a path: write one in quotes, such as "/srv/footage"')
    path = Path(value)
    if not path.is_absolute():
        raise ValueError(
            "is a relative path, and the service starts in another directory than "
            "you do: write the whole path, from /"
        )
    if ".." in path.parts:
        raise ValueError('has ".." in it: write the path without it')
    return path


def _matching(pattern: re.Pattern[str], rule: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise ValueError(f"is not a usable name: write {rule}")

    return check


def _origin(value: Any) -> str:
    if isinstance(value, str) and "://" in value:
        raise ValueError("begins with a scheme: write the address without it")
    return _matching(_ORIGIN, "up to 200 characters, without spaces and +")(value)


def _line(value: Any) -> str:
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    raise ValueError("is not a line of text: write one, in quotes")


def _controller(value: Any) -> str:
    line = " ".join(_line(value).split())
    if len(line) <= LONGEST_CONTROLLER:
        return line
    raise ValueError(f"is too long: write at most {LONGEST_CONTROLLER} characters")


def _hours(value: Any) -> str:
    line = " ".join(_line(value).split())
    try:
        monitored.read(line)
    except ValueError as error:
        raise ValueError(
            f'{error}: write "{monitored.ALWAYS}", or days and local hours such as '
            '"Mon-Fri 08:00-22:00, Sat 20:00-04:00"'
        ) from None
    return line


def _address(value: Any) -> str:
    line = _line(value)
    try:
        parts = urlsplit(line)
    except ValueError:
        parts = urlsplit("")
    plain = line.isascii() and " " not in line and len(line) <= 2_000
    if plain and parts.scheme in ("https", "http") and parts.hostname:
        return line
    raise ValueError(
        "is no address of a page: write it whole, from https:// on, in ASCII"
    )


def _day(value: Any) -> str:
    if type(value) is date:  # TOML has a form of its own for days
        return value.isoformat()
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ValueError('is no day: write year, month and day, such as "2026-06-30"')


def _groups(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):  # from the environment
        value = [name.strip() for name in value.split(",") if name.strip()]
    if not isinstance(value, list):
        raise ValueError('is not a list: write Unix groups such as ["cctv-operators"]')
    for name in value:
        if not isinstance(name, str) or not _GROUP.fullmatch(name):
            raise ValueError(
                f"has {name!r}, which is not the name of a Unix group: correct it"
            )
    if len(set(value)) < len(value):
        raise ValueError("names a group twice: write each once")
    return tuple(value)


def freeze(value: Mapping[str, _Value]) -> Mapping[str, _Value]:
    """Return a copy that nobody can change."""
    return MappingProxyType(dict(value))


def _names(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError('is not a table: write lines such as "market-place" = "1001"')
    for name, camera in value.items():
        if not isinstance(camera, str) or not camera.strip():
            raise ValueError(f'gives no camera id for "{name}": write the id in quotes')
        if not name.strip("/") or name != name.strip("/"):
            raise ValueError(
                f'has the name "{name}", which is empty or begins or ends with "/": '
                "write it as the recorder does in its paths"
            )
    return dict(value)


Days = Annotated[int, whole(1, 3650, "days")]
Count = Annotated[int, whole(0, 1_000_000, "recordings")]
Share = Annotated[float, BeforeValidator(_percent)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Zone = Annotated[str, BeforeValidator(check_zone)]
AbsolutePath = Annotated[Path, BeforeValidator(_absolute)]
Line = Annotated[str, BeforeValidator(_line)]
Controller = Annotated[str, BeforeValidator(_controller)]
Hours = Annotated[str, BeforeValidator(_hours)]
Address = Annotated[str, BeforeValidator(_address)]
Day = Annotated[str, BeforeValidator(_day)]
Groups = Annotated[tuple[str, ...], BeforeValidator(_groups)]
Site = Annotated[
    str,
    BeforeValidator(
        _matching(_SITE, "up to 63 small letters, digits, dots and hyphens")
    ),
]
Origin = Annotated[str, BeforeValidator(_origin)]
RootName = Annotated[
    str,
    BeforeValidator(
        _matching(_NAME, "up to 63 letters, digits, dots, hyphens and underscores")
    ),
]
CameraNames = Annotated[
    Mapping[str, str],
    BeforeValidator(_names),
    AfterValidator(freeze),
    PlainSerializer(dict),
]
