"""Which cameras of a newer list may be known ones under new ids.  Pure.

Only suggestions for a person: the same place, or the same shift of many numbers, can
be a renumbering as well as another camera.
"""

import csv
import io
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from retention.model.cells import bare, shielded
from retention.register.grid import EARTH_METRES, Degrees, metres
from retention.register.lists import MAX_ROWS, SAME_PLACE_METRES
from retention.register.rows import ListRow, decode, read_rows, refuse

_SHIFT_VOTES = 3
_COLUMNS = (
    "apply", "old", "new", "metres", "why", "old_location", "new_location",
)  # fmt: skip


class Place(NamedTuple):
    """A camera as far as pairing looks at it."""

    id: str
    location: str
    at: Degrees | None


class Pair(NamedTuple):
    """A suggestion: camera `old` is now published as `new`.

    `metres` is None where either has no position; `sure` when a person need not look
    twice, which is what the file says under `apply`.  `shift` is the difference of the
    numbers where many cameras share it.
    """

    old: Place
    new: Place
    metres: float | None
    shift: int | None

    @property
    def near(self) -> bool:
        """At the same place, by the measure of an import."""
        return self.metres is not None and self.metres <= SAME_PLACE_METRES

    @property
    def alike(self) -> bool:
        """Of the same location text, but for signs and capitals."""
        return _words(self.old.location) == _words(self.new.location)

    @property
    def sure(self) -> bool:
        """Near and renumbered as the others, or the same in place and text.

        Near alone is not enough: neighbours at one junction come and go.
        """
        exactly = self.metres is not None and self.metres < 1 and self.alike
        return exactly or (self.near and self.shift is not None)

    @property
    def why(self) -> str:
        """The reason for a person to read."""
        if self.metres is None:
            place = "same location text, " if self.alike else ""
            place += "place not known"
        else:
            place = "near" if self.near else f"but {self.metres:,.0f} m away"
        return place if self.shift is None else f"{self.shift:+d} as others, {place}"


class Typed(NamedTuple):
    """One pair of ids from a file that a person edited."""

    line: int
    old: str
    new: str


def distance(a: Place, b: Place) -> float | None:
    """Metres between two places; None where one is not known."""
    return None if a.at is None or b.at is None else metres(a.at, b.at)


def propose(gone: Sequence[Place], appeared: Sequence[Place]) -> list[Pair]:
    """One-to-one suggestions, the order of `gone`.

    A pair is suggested for the same place (50 m), and for the shift of the numbers that
    most such pairs share (1 is 1001, 2 is 1002 ...).
    """
    near = list(_near(gone, appeared))
    shift = _shift(near)
    found = [_pair(a, b, shift) for a, b in near]
    if shift is not None:
        by_number = {_number(new.id): new for new in appeared}
        found += [
            _pair(old, by_number[number + shift], shift)
            for old in gone
            if (number := _number(old.id)) is not None and number + shift in by_number
        ]
    return _one_to_one(found, [old.id for old in gone])


def _near(
    gone: Sequence[Place], appeared: Sequence[Place]
) -> Iterable[tuple[Place, Place]]:
    """Pairs at the same place; by name where a position is missing."""
    placed = sorted(
        (new.at.lat, n) for n, new in enumerate(appeared) if new.at is not None
    )
    named: dict[str, list[Place]] = {}
    for new in appeared:
        named.setdefault(_words(new.location), []).append(new)
    reach = math.degrees(SAME_PLACE_METRES / EARTH_METRES) * 1.001
    for old in gone:
        if old.at is not None:
            low = bisect_left(placed, (old.at.lat - reach, -1))
            high = bisect_right(placed, (old.at.lat + reach, len(appeared)))
            for _, n in placed[low:high]:
                away = distance(old, appeared[n])
                if away is not None and away <= SAME_PLACE_METRES:
                    yield old, appeared[n]
        for new in named.get(_words(old.location), ()):
            if old.location and distance(old, new) is None:
                yield old, new


def _words(location: str) -> str:
    return " ".join(
        "".join(c if c.isalnum() else " " for c in location).split()
    ).lower()


def _number(id: str) -> int | None:
    return int(id) if id.isascii() and id.isdigit() else None


def _shift(near: Iterable[tuple[Place, Place]]) -> int | None:
    """The difference that most pairs share: at least three, and half of the cameras."""
    votes: Counter[int] = Counter()
    voters = set()
    for old, new in near:
        a, b = _number(old.id), _number(new.id)
        if a is not None and b is not None:
            votes[b - a] += 1
            voters.add(a)
    if not votes:
        return None
    shift, count = votes.most_common(1)[0]
    return shift if count >= _SHIFT_VOTES and 2 * count >= len(voters) else None


def _pair(old: Place, new: Place, shift: int | None) -> Pair:
    a, b = _number(old.id), _number(new.id)
    shared = a is not None and b is not None and b - a == shift
    return Pair(old, new, distance(old, new), shift if shared else None)


def _one_to_one(found: list[Pair], order: list[str]) -> list[Pair]:
    """The best suggestions that share no camera: near and shifted, near, shifted."""

    def rank(pair: Pair) -> tuple[bool, bool, float]:
        return (not pair.near, pair.shift is None, pair.metres or 0.0)

    olds: dict[str, Pair] = {}
    news: set[str] = set()
    for pair in sorted(found, key=rank):
        if pair.old.id not in olds and pair.new.id not in news:
            olds[pair.old.id] = pair
            news.add(pair.new.id)
    return [olds[id] for id in order if id in olds]


def write_pairs(pairs: Iterable[Pair]) -> bytes:
    """The suggestions as CSV for a spreadsheet; `apply` is yes where they are sure."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for pair in pairs:
        away = "" if pair.metres is None else f"{pair.metres:.0f}"
        apply = "yes" if pair.sure else "no"
        old, new, why, *places = map(
            shielded,
            (pair.old.id, pair.new.id, pair.why, pair.old.location, pair.new.location),
        )
        writer.writerow((apply, old, new, away, why, *places))
    # With a byte order mark, or a spreadsheet takes the text for Windows-1252.
    return out.getvalue().encode("utf-8-sig")


def read_pairs(data: bytes, name: str) -> list[Typed]:
    """The pairs to apply from an edited file: columns old and new, maybe apply.

    RetentionError with the line where it can't be read or where apply is neither yes
    nor no; all of the file is applied where it has no such column.
    """
    header, *rows = read_rows(decode(data, name)[0], name)
    columns = [cell.lower() for cell in header.cells]
    if columns.count("old") != 1 or columns.count("new") != 1:
        raise refuse(name, header.line, "the columns old and new must be there, once")
    if len(rows) > MAX_ROWS:
        raise refuse(name, rows[MAX_ROWS].line, f"more than {MAX_ROWS:,} pairs")
    pairs = [
        Typed(
            row.line,
            bare(row.cells[columns.index("old")]),
            bare(row.cells[columns.index("new")]),
        )
        for row in rows
        if _applies(row, columns, name)
    ]
    if not pairs:
        raise refuse(name, header.line, "no pair is to be applied")
    return pairs


def _applies(row: ListRow, columns: list[str], name: str) -> bool:
    if "apply" not in columns:
        return True
    said = row.cells[columns.index("apply")].lower()
    if said not in ("yes", "no"):
        raise refuse(name, row.line, f"apply is {said!r}; write yes or no")
    return said == "yes"
