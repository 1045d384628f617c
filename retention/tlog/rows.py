"""Owns the rows of a batch that lie beside an entry: their file, and their root.

The file is zlib over canonical JSON: a seed, and each column's values as written or as
small numbers (from a base, from the row before, from the sum of other columns).  The
root is RFC 6962 over one leaf a row: a salt of 16 bytes, HMAC-SHA-256(seed, row
number as 8 bytes big-endian) cut short, and the row as a canonical JSON array.  The
salt keeps the hash of a row from telling its neighbour, which could be guessed.
"""

import secrets
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, compress, pairwise, repeat
from json.encoder import encode_basestring
from operator import add
from typing import Any

from retention.model.values import HOUR, Micros, Prepared, Rows
from retention.tlog import canonical, merkle
from retention.tlog.canonical import (
    LARGEST,
    base64url,
    from_base64url,
    path_text,
    to_bytes,
)
from retention.tlog.commitments import Random

VERSION = 1
SEED_BYTES = 16
SALT_BYTES = 16

INFLATED_LIMIT = 32 * 2**20
"""No row file is larger once inflated (bytes): a small file can't fill the memory."""

LONG_HOURS = 48
LONG = -1
"""The hour under which a span of more than `LONG_HOURS` is found."""

# The end of the period follows from the end of the recording, but for a constant.
_SUMS = {"due": ("start", "duration")}

Columns = dict[str, Sequence[Any]]


def prepare(rows: Rows, random: Random = secrets.token_bytes) -> Prepared:
    """All that an entry says of its rows, and their file; outside a transaction.

    Raises ValueError where a row has not one value a column, where a value is no
    integer, string, path as bytes or None, or where the file would be too large.
    """
    seed = random(SEED_BYTES)
    columns = _columns(rows)
    data = _deflate(columns, len(rows.values), seed)
    return Prepared(
        columns=rows.columns,
        count=len(rows.values),
        data=data,
        root=_root(columns, len(rows.values), seed),
        sha256=sha256(data).digest(),
        total=total_of(columns),
        hours=frozenset(footage_hours(columns)),
    )


def encode(rows: Rows, seed: bytes) -> bytes:
    """The row file; errors as `prepare`."""
    return _deflate(_columns(rows), len(rows.values), seed)


def root(rows: Rows, seed: bytes) -> bytes:
    """The Merkle root over the salted rows; errors as `prepare`."""
    return _root(_columns(rows), len(rows.values), seed)


@dataclass(frozen=True, slots=True)
class RowFile:
    """A row file as it was read: all names of columns, and the columns asked for, of the
    rows asked for, which are `places`."""

    names: tuple[str, ...]
    count: int
    seed: bytes
    columns: Columns
    places: Sequence[int]

    def root(self) -> bytes:
        """The Merkle root over the salted rows; all of it must have been read."""
        return _root(self.columns, self.count, self.seed)

    def hashes(self) -> list[bytes]:
        """The leaf hash of each row, from which `root` is made."""
        return _leaf_hashes(self.columns, self.count, self.seed)


def read(
    data: bytes, only: Set[str] | None = None, cameras: Set[int] | None = None
) -> RowFile:
    """A row file column by column: all, or those in `only`; all rows, or those of these
    cameras (of a file that has such a column).

    Raises ValueError for anything that `encode` can't have written and that could be
    read in two ways, and for a file that inflates beyond the limit.
    """
    found = canonical.decode(_inflate(data))
    try:
        if found["v"] != VERSION:
            raise ValueError(f"row file of version {found['v']}, not {VERSION}")
        packed, count = found["columns"], found["count"]
        names = tuple(str(one["name"]) for one in packed)
        if len(set(names)) != len(names):
            raise ValueError("a column is doubled")
        if only is not None:
            packed = [one for one in packed if one["name"] in only]
        if not names and count:
            raise ValueError(f"{count} rows without a column")
        places = range(count) if cameras is None else _places(packed, count, cameras)
        columns = _read_columns(packed, count, places)
        seed = from_base64url(found["seed"])
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed of {len(seed)} bytes")
    except (KeyError, TypeError) as error:
        raise ValueError("not a row file") from error
    return RowFile(names, int(count), seed, columns, places)


def decode(data: bytes) -> tuple[Rows, bytes]:
    """The rows and the seed of a row file; errors as `read`."""
    found = read(data)
    return rows_of(found), found.seed


def rows_of(found: RowFile) -> Rows:
    """All rows of a file that was read with all its columns."""
    return Rows(found.names, list(zip(*found.columns.values(), strict=True)))


def digest(data: bytes) -> str:
    """What an entry says of its row file: base64url of SHA-256."""
    return base64url(sha256(data).digest())


def complaint(said: str | None, data: bytes | None) -> str | None:
    """Why a row file is not the one whose digest an entry says, or None."""
    if said is None:
        return None if data is None else "has a row file that it does not speak of"
    if data is None:
        return "lacks its row file"
    if digest(data) != said:
        return "has a row file that was changed"
    return None


def disagreement(
    fields: Mapping[str, Any], count: int, total: int | None
) -> str | None:
    """Why an entry's `count` and `bytes` are not those of its rows, or None."""
    if fields.get("count", count) != count:
        return f"it says {fields['count']} rows and has {count}"
    if total is not None and fields.get("bytes", total) != total:
        return f"it says {fields['bytes']} bytes and its rows add up to {total}"
    return None


def leaf(row: Sequence[Any], number: int, seed: bytes) -> bytes:
    """The leaf's bytes of one row: its salt and its canonical JSON."""
    return _salt(number, seed) + to_bytes(list(row))


def footage_hours(columns: Columns) -> set[tuple[int, int]]:
    """(camera, hour) by which an entry with these rows must be found."""
    if not columns.keys() >= {"camera", "start", "duration"}:
        return set()
    starts = columns["start"]
    ends = map(int.__add__, starts, columns["duration"])
    return hours(columns["camera"], starts, list(ends))


def hours(
    cameras: Iterable[int], starts: Iterable[Micros], ends: Iterable[Micros]
) -> set[tuple[int, int]]:
    """(camera, hour since the epoch) of all spans [start, end), each once.

    A span of more than two days (a hold) counts under the hour `LONG` alone.
    """
    ranges = {
        (camera, start // HOUR, (end - 1) // HOUR)
        for camera, start, end in zip(cameras, starts, ends, strict=True)
    }
    found = {(camera, first) for camera, first, last in ranges if first == last}
    for camera, first, last in ranges:
        if last - first > LONG_HOURS:
            found.add((camera, LONG))
        else:
            found.update((camera, hour) for hour in range(first, last + 1))
    return found


def _columns(rows: Rows) -> Columns:
    """Column by column, every value as it is hashed: checked once, then trusted."""
    if not rows.values:
        return dict.fromkeys(rows.columns, ())
    columns = list(zip(*rows.values, strict=True))
    if len(columns) != len(rows.columns) or len(set(rows.columns)) != len(columns):
        raise ValueError("rows and columns do not match")
    return {
        name: _clean(name, column)
        for name, column in zip(rows.columns, columns, strict=True)
    }


def _clean(name: str, column: Sequence[Any]) -> Sequence[Any]:
    types = set(map(type, column))
    if not types <= {int, str, type(None)}:
        column = [_plain(name, value) for value in column]
        types = set(map(type, column))
    if int in types:
        numbers = column if types == {int} else [v for v in column if type(v) is int]
        _in_range(name, numbers)
    return column


def _in_range(name: str, numbers: Sequence[int]) -> None:
    if min(numbers) < -LARGEST or max(numbers) > LARGEST:
        raise ValueError(f"column {name} has a number beyond 2**53")


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return path_text(value)
    if isinstance(value, int):
        return int(value)
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    raise ValueError(f"column {name} has a {type(value).__name__}")


def total_of(columns: Columns) -> int | None:
    """The sum of the column `bytes`; None where there is none or not of all rows."""
    sizes = columns.get("bytes", (None,))
    return None if None in sizes else sum(sizes)


def _deflate(columns: Columns, count: int, seed: bytes) -> bytes:
    data = to_bytes(
        {
            "columns": [_pack(name, columns) for name in columns],
            "count": count,
            "seed": base64url(seed),
            "v": VERSION,
        }
    )
    if len(data) > INFLATED_LIMIT:
        raise ValueError(f"{count} rows are too many for one entry: make several")
    return zlib.compress(data, 5)  # 6 saves 0.3 % for half as much time again


def _numbers(column: Sequence[Any] | None) -> bool:
    return column is not None and set(map(type, column)) == {int}


def _pack(name: str, columns: Columns) -> dict[str, Any]:
    """A column as it is written: numbers as small as they can be made."""
    values = columns[name]
    packed: dict[str, Any] = {"name": name}
    if not _numbers(values):
        return packed | {"values": values}
    if name in _SUMS and all(_numbers(columns.get(other)) for other in _SUMS[name]):
        packed["add"] = list(_SUMS[name])
        for other in _SUMS[name]:
            values = list(map(int.__sub__, values, columns[other]))
    steps = [b - a for a, b in pairwise(values)]
    base = min(values)
    if abs(base) > LARGEST or max(values) - base > LARGEST:
        return {"name": name, "values": columns[name]}
    if 2 * sum(map(abs, steps)) < sum(values) - base * len(values):
        return packed | {"steps": True, "values": [values[0], *steps]}
    return packed | {"base": base, "values": [value - base for value in values]}


def _places(
    packed: list[dict[str, Any]], count: int, cameras: Set[int]
) -> Sequence[int]:
    """The rows of these cameras."""
    own = [one for one in packed if one["name"] == "camera"]
    column = _read_columns(own, count, range(count)).get("camera")
    if column is None:
        return range(count)
    return list(compress(range(count), map(cameras.__contains__, column)))


def _read_columns(
    packed: list[dict[str, Any]], count: int, places: Sequence[int]
) -> Columns:
    columns: Columns = {}
    numbers: set[str] = set()
    sums: dict[str, list[str]] = {}
    some = len(places) < count
    if some and not places:
        return {str(one["name"]): () for one in packed}
    for one in packed:
        name, values, steps = str(one["name"]), one["values"], one.get("steps")
        if len(values) != count:
            raise ValueError(f"column {name} is not of {count} values")
        if some and not steps:
            values = [values[place] for place in places]
        types = set(map(type, values))
        if not types <= {int, str, type(None)}:
            raise ValueError(f"column {name} has values that rows have not")
        if types == {int}:
            numbers.add(name)
        elif steps or "base" in one or "add" in one:
            raise ValueError(f"column {name} is given as numbers and has others")
        if steps:
            values = list(accumulate(values))
            if some:
                values = [values[place] for place in places]
        elif "base" in one:
            base = canonical.integer(int.__add__(one["base"], 0))
            values = [base + value for value in values]
        if "add" in one:
            sums[name] = one["add"]
        columns[name] = values
    for name, others in sums.items():
        if not sums.keys().isdisjoint(others):
            raise ValueError(f"column {name} is a sum of sums")
        if not numbers.issuperset(others):
            raise ValueError(f"column {name} is a sum of what are no numbers")
        for other in others:
            columns[name] = list(map(add, columns[name], columns[other]))
    for name, values in columns.items():
        if name in numbers:
            _in_range(name, values)
        else:
            _clean(name, values)
    return columns


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, INFLATED_LIMIT + 1)
    except zlib.error as error:
        raise ValueError(f"not a row file ({error})") from error
    if len(found) > INFLATED_LIMIT:
        raise ValueError(f"the row file inflates beyond {INFLATED_LIMIT} bytes")
    if not inflater.eof or inflater.unused_data:
        raise ValueError("the row file is cut short or has something after its end")
    return found


def _texts(columns: Columns, count: int) -> Iterable[str]:
    """Each row as a JSON array."""
    parts: list[str] = []
    given: list[Sequence[Any]] = []
    for column in columns.values():
        if _numbers(column):
            parts.append("%d")
            given.append(column)
        elif set(column) == {None}:
            parts.append("null")
        else:
            parts.append("%s")
            given.append([_text(value) for value in column])
    row = f"[{','.join(parts)}]"
    if not given:
        return repeat(row, count)
    # One format for all rows: twice as fast as joining their texts.
    return [row % values for values in zip(*given, strict=True)]


def _text(value: Any) -> str:
    if value is None:
        return "null"
    # The C encoder of one string; it escapes what RFC 8785 escapes, and no more.
    return encode_basestring(value) if isinstance(value, str) else int.__repr__(value)


def _root(columns: Columns, count: int, seed: bytes) -> bytes:
    return merkle.root(_leaf_hashes(columns, count, seed))


def _leaf_hashes(columns: Columns, count: int, seed: bytes) -> list[bytes]:
    inner, outer = _keyed(seed)
    found = []
    for number, row in zip(range(count), _texts(columns, count), strict=True):
        # `_salt`, written out: a call a row would be a tenth of the time.
        first, second = inner(), outer()
        first.update(number.to_bytes(8, "big"))
        second.update(first.digest())
        salted = b"\x00" + second.digest()[:SALT_BYTES] + row.encode()
        found.append(sha256(salted).digest())
    return found


def _salt(number: int, seed: bytes) -> bytes:
    inner, outer = _keyed(seed)
    first, second = inner(), outer()
    first.update(number.to_bytes(8, "big"))
    second.update(first.digest())
    found: bytes = second.digest()
    return found[:SALT_BYTES]


def _keyed(seed: bytes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """HMAC-SHA-256 (RFC 2104) keyed once: for many rows that is twice as fast."""
    key = seed.ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in key))
    outer = sha256(bytes(byte ^ 0x5C for byte in key))
    return inner.copy, outer.copy
