"""A log of six entries, always the same, to try a verifier with: what `format` prints.

Nothing in it is secret: its key, seeds and salts are made of counted bytes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.model.values import DAY, HOUR, MINUTE, SECOND, Actor, Entry, Micros, Rows
from retention.tlog import merkle, note, tiles
from retention.tlog.canonical import base64url
from retention.tlog.directory import CHECKPOINT, KEY, Published
from retention.tlog.note import Checkpoint
from retention.tlog.proof import prove_row
from retention.tlog.seal import Follows, Sealed, Writer, seal

NAME = "cctv.example/log"
INTENT, HOLD, ROW = 3, 4, 0
"""The intent, the hold that rescues a row of it, and the row that is proven."""

_START: Micros = 1_788_000_000 * SECOND
_NOW = _START + 28 * DAY + HOUR
_SIZES = (7_000_000, 7_100_000, 6_900_000)
_ORIGIN = {"site": "example", "host": "cctv-01", "program": "retention 1"}
_SERVICE = Actor(uid=990, login=4_294_967_295, pid=700, role="service")
_ANN = Actor(uid=1001, login=1001, pid=5150, role="operator", name="ann")


class Vectors(NamedTuple):
    """The published files by path, what opens committed fields of the hold, the proof of
    a row of the intent, and the entries as they were sealed."""

    files: dict[str, bytes]
    disclosures: dict[str, str]
    proof: str
    sealed: list[Sealed]


class _Held(Published):
    """A published directory that lies in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(Path())
        self._files = files

    def read(self, path: str, limit: int) -> bytes | None:
        return self._files.get(path)

    def _names(self, directory: str) -> list[str]:
        start = f"{directory}/"
        return [one.removeprefix(start) for one in self._files if one.startswith(start)]


class _DrawnBytes:
    """Stands in for random bytes."""

    def __init__(self) -> None:
        self._drawn = 0

    def __call__(self, count: int) -> bytes:
        self._drawn += 1
        return sha256(b"%d" % self._drawn).digest()[:count]


@cache
def vectors() -> Vectors:
    """The log; computed once."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key().public_bytes_raw()
    random, sealed, last = _DrawnBytes(), list[Sealed](), None
    for number, (entry, actor) in enumerate(_entries(base64url(public))):
        writer = Writer(actor, _NOW + number * SECOND, _ORIGIN)
        follows = Follows(number, int(number > 2), last)
        sealed.append(seal(entry, writer, follows, random))
        last = sealed[-1].data
    size = len(sealed)
    root = merkle.root(one.leaf for one in sealed)
    head = note.sign(Checkpoint(NAME, size, root).text, NAME, key)
    vkey = note.vkey(NAME, public)
    bundle = tiles.bundle(one.data for one in sealed)
    files = {KEY: f"{vkey}\n".encode(), CHECKPOINT: head.encode()}
    files |= {tiles.row_path(one.number): one.rows.data for one in sealed if one.rows}
    for tile in tiles.new_files(0, size):
        whole = tile.level == "entries"
        files[tile.path] = bundle if whole else tiles.make(tile, lambda _: bundle)
    proof = prove_row(
        _Held(files), INTENT, ROW, completion=size - 1, label=1, vkey=vkey
    )
    return Vectors(files, dict(sealed[HOLD].texts), proof, sealed)


def _entries(public_key: str) -> Iterator[tuple[Entry, Actor]]:
    window = (_START + 30 * SECOND - 5 * MINUTE, _START + 10 * MINUTE)
    opened = {
        "log_id": "00" * 16, "public_key": public_key, "origin": NAME,
        "format": "cctv-retention-log/1", "timezone": "Europe/London",
        "pruning": "none: no entry is ever removed",
    }  # fmt: skip
    camera = {
        "camera": 1, "id": "1001", "kind": "public_space", "custody": "council",
        "source": "cameras.csv", "location": "Market Place",
    }  # fmt: skip
    intent = {
        "root": "nvr1", "count": 3, "bytes": sum(_SIZES), "oldest": _START,
        "newest": _START + 3 * MINUTE,
    }  # fmt: skip
    hold = {
        "hold": 1, "kind": "police", "cameras": [1], "since": window[0],
        "until": window[1], "review": _NOW + 90 * DAY, "margin": 5 * MINUTE,
        "reference": "26*123456", "reason": "theft in Market Place",
    }  # fmt: skip
    done = {
        "intent": INTENT, "deleted": 1, "rescued": 1, "absent": 1,
        "absent_after_crash": 0, "changed": 0, "failed": 0, "stopped": 0,
        "bytes": _SIZES[0], "lateness": HOUR, "method": "unlink",
    }  # fmt: skip
    exceptions = Rows(("row", "outcome"), [(1, "rescued"), (2, "absent")])
    yield Entry("log.opened", opened), _SERVICE
    yield Entry("camera.added", camera), _SERVICE
    yield Entry("policy.changed", {"version": 1, "days": 28, "cameras": {}}), _SERVICE
    yield Entry("deletion.intended", intent, _recordings()), _SERVICE
    yield Entry("hold.placed", hold), _ANN
    yield Entry("recordings.deleted", done, exceptions), _SERVICE


def _recordings() -> Rows:
    values: list[tuple[Any, ...]] = []
    for number, size in enumerate(_SIZES):
        start = _START + number * MINUTE
        path = "café/2.mp4" if number == 2 else None
        due = start + MINUTE + 28 * DAY
        values.append((1, 4, start, 0, MINUTE, size, due, path, None))
    columns = "camera stream start n duration bytes due path seen"
    return Rows(tuple(columns.split()), values)


def encoded(data: bytes) -> str:
    """Bytes as the description prints them."""
    return b64encode(data).decode()
