"""What a template's parts become: a pattern to match paths, a format to render them.

Owns the spelling of each part, and of cameras' names that can't be shown as they
are.  `layout` uses both.  Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any
from urllib.parse import unquote_to_bytes

from retention.model.layouts.template import Component, Part

# No hidden names: those are temporary files, recycle bins and snapshots.
_NAME = rb"(?!\.)[^/\0]+"
_PATTERNS = {
    "camera": _NAME + rb"(?:/" + _NAME + rb")*",
    "any": rb"[^/\0]+",
    "word": rb"[0-9A-Za-z]+",
    "Y": rb"[0-9]{4}",
    "m": rb"[01][0-9]",
    "d": rb"[0-3][0-9]",
    "H": rb"[0-2][0-9]",
    "M": rb"[0-5][0-9]",
    "S": rb"[0-5][0-9]",  # a leap second, :60, is no instant of ours
    "f": rb"[0-9]{6}",
    "z": rb"Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9]",
    "s": rb"[0-9]{10}",
}
FIELDS = ("Y", "m", "d", "H", "M", "S", "f", "z", "s", "camera", "ext")

# What could break a line, a terminal or the encoding itself when a name is shown.
_UNSHOWN = re.compile("[%\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def path_pattern(components: Sequence[Component]) -> re.Pattern[bytes]:
    """The pattern of whole paths, with a group for each field there can be.

    A part that comes again must be the same; a field that is not there matches "".
    """
    seen: set[str] = set()
    pieces = [b"".join(_piece(part, seen) for part in parts) for parts in components]
    absent = [b"(?P<%b>)" % field.encode() for field in FIELDS if field not in seen]
    return re.compile(b"/".join(pieces) + b"".join(absent))


def _piece(part: Part, seen: set[str]) -> bytes:
    kind, text = part
    if kind == "literal":
        return re.escape(text.encode())
    if kind in {"any", "word"}:
        return _PATTERNS[kind]
    if kind in seen:
        return b"(?P=%b)" % kind.encode()
    seen.add(kind)
    pattern = text.encode() if kind == "ext" else _PATTERNS[kind]
    return b"(?P<%b>%b)" % (kind.encode(), pattern)


def directory_patterns(components: Sequence[Component]) -> list[Any]:
    """Matchers of the dated directories above the files, the deepest first."""
    depths = range(len(components) - 1, 0, -1)
    above = [components[:depth] for depth in depths]
    return [
        path_pattern(parts).fullmatch
        for parts in above
        if {"Y", "s"} & {part.kind for component in parts for part in component}
    ]


def own_directories(
    components: Sequence[Component], camera: bytes
) -> list[re.Pattern[bytes]]:
    """Patterns of the directories from the root to that of a camera's own, one each; all
    above the files where cameras share them."""
    found: list[bytes] = []
    for parts in components[:-1]:
        piece = b""
        for part in parts:
            if part.kind == "camera":
                *above, last = (re.escape(one) for one in camera.split(b"/"))
                for one in above:
                    found.append(piece + one)
                    piece = b""
                piece += last
            elif part.kind == "literal":
                piece += re.escape(part.text.encode())
            else:
                piece += b"(?:%b)" % _PATTERNS[part.kind]
        found.append(piece)
        if any(part.kind == "camera" for part in parts):
            break
    return [re.compile(one) for one in found]


def renderer(components: Sequence[Component]) -> tuple[bytes, Any]:
    """A format, and what picks its values from the fields in `FIELDS`' order."""
    written: list[bytes] = []
    picked: list[int] = []
    for component in components:
        pieces = b""
        for kind, text in component:
            if kind == "literal":
                pieces += text.encode().replace(b"%", b"%%")
            elif kind in FIELDS:
                pieces += {"f": b"%06d", "s": b"%010d"}.get(kind, b"%b")
                picked.append(FIELDS.index(kind))
        written.append(pieces)
    return b"/".join(written), itemgetter(*picked)


def extensions(last: Part) -> dict[bytes, str]:
    """What the extension's group may hold, and the extension with its dot."""
    if last.kind == "ext":
        return {text.encode(): f".{text}" for text in last.text.split("|")}
    return {b"": f".{last.text.rpartition('.')[2]}"}


_CAMERA = re.compile(_PATTERNS["camera"]).fullmatch


def shown_name(raw: bytes) -> str:
    """A camera's name as text; `unquote_to_bytes` gives the very bytes back."""
    text = raw.decode(errors="surrogateescape")
    shown = _UNSHOWN.sub(lambda found: _percent(found[0]), text)
    return re.sub("[\ud800-\udfff]", lambda found: _percent(found[0]), shown)


def _percent(character: str) -> str:
    return "".join(
        f"%{byte:02X}" for byte in character.encode(errors="surrogateescape")
    )


def written_name(name: str) -> bytes | None:
    """The bytes that `shown_name` shows as `name`; None where it shows none so."""
    raw = unquote_to_bytes(name)
    return raw if _CAMERA(raw) and shown_name(raw) == name else None
