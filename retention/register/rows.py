"""Files of rows, CSV or GeoJSON: texts by column out, each with its line.  Pure."""

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from retention.model.cells import shielded
from retention.model.errors import RetentionError

_FEATURES = re.compile(r'(?<!\\)"features"\s*:\s*\[')
_BEGINS = re.compile(r"[^\s,]")
_DECODER = json.JSONDecoder()


class ListRow(NamedTuple):
    """One record of a file, its cells stripped, with its first line's number."""

    line: int
    cells: list[str]


def refuse(name: str, line: int, what: str) -> RetentionError:
    """The sentence for a file that can't be taken."""
    return RetentionError(f"{name}, line {line}: {what}. Nothing was changed")


def decode(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file and the encoding that it was in."""
    for start, what in (
        (b"PK\x03\x04", "a spreadsheet or zip archive"),
        (b"\xff\xfe", "UTF-16 text"),
        (b"\xfe\xff", "UTF-16 text"),
        (b"%PDF", "a PDF"),
    ):
        if data.startswith(start):
            raise refuse(name, 1, f"this is {what}, not CSV: save it as CSV (UTF-8)")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise refuse(name, line, "this is not text: save the list as CSV (UTF-8)")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
    raise refuse(
        name, line, "neither UTF-8 nor Windows-1252 text: save the list as CSV (UTF-8)"
    )


def read_rows(text: str, name: str) -> list[ListRow]:
    """The records of a CSV text, the column names first; empty ones are left out.

    Spreadsheets in some countries separate by semicolons or tabs: the column names
    show which.
    """
    head = text.lstrip()[:1]
    if head in ("{", "[", "<"):
        what = "HTML or XML" if head == "<" else "JSON"
        raise refuse(name, 1, f"this looks like {what}, not CSV")
    rows = [row for row in _records(text, name) if any(row.cells)]
    if not rows:
        raise refuse(name, 1, "the file is empty")
    width = len(rows[0].cells)
    for row in rows:
        if len(row.cells) != width:
            raise refuse(
                name,
                row.line,
                f"{len(row.cells)} fields where the column names are {width} (is there "
                "a comma outside quotes?)",
            )
    return rows


def _records(text: str, name: str) -> Iterator[ListRow]:
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield ListRow(line, [cell.strip() for cell in cells])
            line = reader.line_num + 1
    except csv.Error as error:
        raise refuse(name, line, f"this is not CSV ({error})") from error


def features(
    text: str, name: str, usual: Mapping[str, Collection[str]]
) -> list[ListRow]:
    """The features of a GeoJSON text, the column names first: properties, and the degrees
    of the point; its own id where no property is called as ids usually are.
    """
    found = list(_features(text, name))
    said = dict.fromkeys(key for _, one in found for key in one["properties"])
    degrees = {*usual["lon"], *usual["lat"]}
    columns = [one for one in said if plain(one) not in degrees]
    if not any(plain(one) in usual["id"] for one in columns):
        columns.insert(0, "id")
    rows = [ListRow(1, [*columns, "lon", "lat"])]
    for line, one in found:
        values = {"id": one.get("id"), **one["properties"]}
        cells = [_cell(values.get(column)) for column in columns]
        rows.append(ListRow(line, [*cells, *map(_cell, _point(one, line, name))]))
    return rows


def _features(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each with the line on which it begins."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise refuse(
            name, line, f"this is neither CSV nor GeoJSON ({error})"
        ) from error
    begun, those = _FEATURES.search(text), whole.get("features")
    is_one = whole.get("type") == "FeatureCollection" and isinstance(those, list)
    if begun is None or not is_one:
        raise refuse(name, 1, "this is JSON, but no GeoJSON FeatureCollection")
    if not those:
        raise refuse(name, 1, "there is no camera in it")
    before, at, line = 0, begun.end(), 1
    for one in those:
        next_ = _BEGINS.search(text, at)
        start = at if next_ is None else next_.start()
        line += text.count("\n", before, start)
        found, at = _DECODER.raw_decode(text, start)
        before = start
        said = found.get("properties") if isinstance(found, dict) else None
        if found != one or not isinstance(said, dict):
            raise refuse(name, line, "this is no feature with properties")
        yield line, found


def _point(feature: Mapping[str, Any], line: int, name: str) -> list[Any]:
    """Longitude and latitude; nothing where it has no place."""
    match feature.get("geometry"):
        case None:
            return [None, None]
        case {"type": "Point", "coordinates": [lon, lat, *_]}:
            return [lon, lat]
    raise refuse(name, line, "the place of a camera is a point, and this is none")


def _cell(value: Any) -> str:
    """As CSV has it: texts with the apostrophe that is taken off again."""
    if value is None:
        return ""
    return shielded(value.strip()) if isinstance(value, str) else json.dumps(value)


def plain(column: str) -> str:
    """The name of a column without capitals and signs."""
    return re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
