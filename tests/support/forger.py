"""Somebody who can write into the published directory and has everything but the key."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retention.model.values import DAY, FOREVER, HOUR, Actor, Entry, Outcome, Rows
from retention.tlog import note, seal, tiles
from retention.tlog.declare import Field, Footage
from retention.tlog.directory import Published
from retention.tlog.kinds import KINDS
from retention.tlog.tiles import WIDTH, Tile
from tests.support.publishing import write

ORIGIN = {"site": "test", "host": "h", "program": "p"}
TEXTS = ("camera", "id", "outcome", "detail", "reason", "path", "new_path", "digest")
NAMES = {
    "root": ("nvr1", "nvr2"), "scope": ("", "nvr1"), "rule": ("cooling_off",),
    "guard": ("catalogue", "clock", "root", "mismatch", "volume", "log", "zone"),
    "alarm": ("held-lost", "lost", "stream", "doubt"), "custody": ("council", "police"),
    "id": ("1001", "1002", "1003"), "ruling": ("times right",), "zone": ("UTC",),
    "layout": ("{camera}/%Y-%m-%d_%H-%M-%S.mp4",), "name": ("1001", "1002"),
    "extension": (".mp4",), "origin": ("catalogued", "corrected", "lost", "there"),
    "lon": ("-1.13",), "lat": ("52.6",), "old": ("1001", "1002"), "new": ("1009",),
}  # fmt: skip
"""What a text field of that name says, besides nonsense."""


class Forger:
    """Draws entries that look as this site's: `files` are rows of its recordings
    (camera, stream, start, n, duration, bytes, path), `now` when it forges."""

    def __init__(
        self, chance: random.Random, now: int, files: Sequence[tuple[Any, ...]]
    ) -> None:
        self._chance, self._now, self._files = chance, now, files

    def entry(self, kind: str) -> Entry:
        """One of a kind, well made."""
        declared = KINDS[kind]
        fields = {
            field.name: self._value(field)
            for field in declared.fields
            if not (field.nullable and self._chance.random() < 0.3)
        }
        rows = None
        if declared.rows == "must" or (declared.rows == "may" and self._toss()):
            rows = self._rows(declared.columns, declared.footage)
            self._agree(fields, rows)
        if kind == "catalogue.restored":
            fields |= {"old_size": 0, "size": self._chance.randrange(1, 999)}
        return Entry(kind, fields, rows)

    def _agree(self, fields: dict[str, Any], rows: Rows) -> None:
        if "count" in fields:
            fields["count"] = len(rows.values)
        if "bytes" in fields and "bytes" in rows.columns:
            at = rows.columns.index("bytes")
            fields["bytes"] = sum(row[at] for row in rows.values)

    def _toss(self) -> bool:
        return self._chance.random() < 0.5

    def _value(self, field: Field) -> Any:
        choose, name = self._chance.choice, field.name
        match field.type:
            case "int":
                return self._number(name)
            case "bool":
                return self._toss()
            case "text" | "path":
                return choose((*NAMES.get(name, ()), *NAMES.get(name, ()), "x", ""))
            case "ints":
                return [choose((1, 2, 3, 999)) for _ in range(choose((0, 1, 2)))]
            case "texts":
                return ["reason"]
        if name in ("cameras", "old_cameras"):
            return {"1": 1, "2": choose((1, 28))}
        if name in ("new", "old"):
            return {"cooling_off": "0s", "deletion_floor": "999999"}
        if name == "changes":
            return {"custody": ["council", "police"], "location": ["a", "b"]}
        return {}

    def _number(self, name: str) -> int:
        choose, now = self._chance.choice, self._now
        times = (
            now - 40 * DAY,
            now - 3 * DAY,
            now - HOUR,
            now,
            now + DAY,
            now + 90 * DAY,
        )
        if name in (
            "since",
            "until",
            "free_at",
            "review",
            "cutoff",
            "oldest",
            "newest",
        ):
            return choose((*times, 0, -1, FOREVER))
        if name in ("days", "old_days", "version", "plan", "proposal"):
            return choose((1, 1, 2, 3, 9_999))
        if name in ("request", "intent", "raised"):
            return choose((0, 3, 17, 40, 10**6))
        return choose((1, 1, 1, 2, 2, 3, 4, 0, -1, 2**40, FOREVER))

    def _rows(self, columns: tuple[str, ...], footage: Footage) -> Rows:
        chosen = self._chance.sample(
            list(self._files), self._chance.randrange(1, len(self._files) + 1)
        )
        values = [
            tuple(self._cell(name, number, row, footage) for name in columns)
            for number, row in enumerate(chosen)
        ]
        return Rows(columns, values)

    def _cell(self, name: str, number: int, row: tuple[Any, ...], of: Footage) -> Any:
        known = dict(
            zip(
                ("camera", "stream", "start", "n", "duration", "bytes"),
                row,
                strict=False,
            )
        )
        choose = self._chance.choice
        if name == "outcome":
            return str(choose(list(Outcome))) if of is Footage.INTENT else "added"
        if name in ("path", "new_path"):
            return choose((None, row[6], "1001/other.mp4"))
        if name in known:
            return known[name] if self._chance.random() < 0.8 else choose((1, 2, 1000))
        if name in ("reason", "detail", "digest", "id"):
            return "x"
        if name in ("new_start", "new_end", "due"):
            return choose((0, self._now - 90 * DAY, self._now))
        if name == "day":
            return known["start"] // DAY
        return number if name == "row" else choose((0, 1, 2, 9))


def put(directory: Path, entries: Sequence[tuple[Entry, int, Actor]]) -> int:
    """Put these (with when and in whose name) behind the published head, chained, each
    with its rows; the number of the first."""
    published = Published(directory)
    first = note.unverified(published.checkpoint_bytes()).size
    there = [one.data for one in published.entries(first, first // WIDTH * WIDTH)]
    last = published.entry(first - 1).data
    for number, (entry, at, actor) in enumerate(entries, first):
        sealed = seal.seal(
            entry, seal.Writer(actor, at, ORIGIN), seal.Follows(number, 1, last)
        )
        last = sealed.data
        there.append(last)
        if sealed.rows is not None:
            write(directory, tiles.row_path(number), sealed.rows.data)
    bundle = Tile("entries", first // WIDTH, len(there))
    write(directory, bundle.path, tiles.bundle(there))
    return first
