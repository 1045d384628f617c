"""Owns the bytes of an entry: canonical JSON (RFC 8785) for a narrow profile.

The profile is null, true, false, integers within 2**53, strings, arrays and objects
with ASCII keys: there, sorted keys and no spaces are all that RFC 8785 asks.  Floats
are refused, and so is text that has no UTF-8 form.  Reading never writes again: what
is hashed is what is stored.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NoReturn

LARGEST = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""What entries of another shape than ours raise where they are read."""

_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)

_UNCLEAN = re.compile(r"[%\x00-\x1f\x7f\udc80-\udcff]")
_ESCAPED = re.compile(rb"%([0-9A-F]{2})")


def encode(value: Any) -> bytes:
    """The canonical bytes of `value`; ValueError outside the profile."""
    _check(value)
    return to_bytes(value)


def to_bytes(value: Any) -> bytes:
    """As `encode`, for a value that is known to be of the profile."""
    return _ENCODER.encode(value).encode()


def _check(value: Any) -> None:
    if value is None or isinstance(value, bool | str):
        return  # text without a UTF-8 form fails when it is encoded
    if isinstance(value, int):
        integer(value)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise ValueError(f"{key!r} is no ASCII key")
            _check(item)
    else:
        raise ValueError(f"a {type(value).__name__} has no canonical form")


def integer(value: int) -> int:
    """`value`, where every JSON reader keeps it exactly; else ValueError."""
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{value} is beyond 2**53; write it as text")
    return value


def decode(data: bytes) -> Any:
    """The value of stored bytes; ValueError where two readers could differ on it.

    Refuses doubled keys, floats, integers beyond 2**53 and what is not UTF-8.  Does not
    ask that the bytes are canonical: they are what was hashed.
    """
    try:
        # A call for each integer would take three times as long: only where one could
        # be too large.
        decoder = _CAREFUL if _may_be_large(data) else _DECODER
        return decoder.decode(data.decode())
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("JSON with one key twice")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no integer")


def _parse_int(text: str) -> int:
    if len(text) > 17:
        raise ValueError("an integer beyond 2**53")
    return integer(int(text))


_NINE = re.compile(rb"9[0-9]{15}")
_SEVENTEEN = b"0" * 17
_ZEROS = bytes(ord("0") if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))


def _may_be_large(data: bytes) -> bool:
    """Whether any run of digits in there could be an integer beyond 2**53."""
    # A pattern for 17 digits takes ten times as long.
    return _SEVENTEEN in data.translate(_ZEROS) or bool(_NINE.search(data))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_refuse, parse_constant=_refuse
)
_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_refuse,
    parse_constant=_refuse,
    parse_int=_parse_int,
)


def path_text(path: bytes) -> str:
    """A file's path as text that loses nothing.

    `%`, control characters and bytes that are not UTF-8 become `%XX`; Python's own way
    with the latter, lone surrogates, has no UTF-8 form.
    """
    text = path.decode("utf-8", "surrogateescape")
    if _UNCLEAN.search(text):
        return _UNCLEAN.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}", text)
    return text


def path_bytes(text: str) -> bytes:
    """The path that `path_text` was given."""
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode())


def base64url(data: bytes) -> str:
    """Base64 for URLs without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The reverse; ValueError for any other spelling of the same bytes.

    Python and Go accept unused bits that are not zero and stray characters, so one
    value would have many texts: written again, it must be the same.
    """
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError(f"{text!r} is not base64url in its one spelling")
    return data
