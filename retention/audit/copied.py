"""A published log as people read it, without the service: entries, proofs, checkpoint.

Everything shown is as it lies there: `published` verifies, and nothing else does.
Committed fields stay closed, since what opens them is not published.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from retention.audit import known_key, note, proof, shown
from retention.audit import rows as row_files
from retention.audit.books import UNREADABLE, row_file_complaint
from retention.audit.canonical import decode
from retention.audit.directory import CHECKPOINT, Published
from retention.audit.kinds import KINDS, about, mark, refuse_unknown
from retention.audit.labels import KINDS as LABELS
from retention.audit.labels import Labels
from retention.audit.note import Checkpoint
from retention.audit.records import DELETED, FOOTAGE_KINDS, INTENDED, Record
from retention.audit.records import Directory as Records
from retention.audit.shown import LIMIT, Answer, Fates
from retention.audit.tiles import WIDTH, Tile, begun
from retention.errors import RetentionError, UsageError, VerificationError
from retention.localtime import format_utc, parse_window
from retention.model import DAY, FOREVER, HOUR, Micros, Outcome, Rows, Window

HOLDS = tuple(name for name in KINDS if name.startswith("hold."))
CAMERAS = tuple(name for name in KINDS if name.startswith("camera."))
LOST = "recordings.lost"
ROLLED_UP = "recordings.recorded"


class Asked(NamedTuple):
    """What is asked of a list; times as typed."""

    kind: str | None = None
    subject: str | None = None
    camera: str | None = None
    since: str | None = None
    until: str | None = None
    before: int | None = None
    limit: int | None = None


class Copied:
    """A published directory; UsageError where it is none."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise UsageError(
                f"{directory} is no directory: name the published copy of a log"
            )
        self.directory = directory
        self.published = Published(directory, _head_of(directory))

    @cached_property
    def head(self) -> Checkpoint:
        """What its checkpoint says, unproven."""
        return note.unverified(self.published.checkpoint_bytes())

    @cached_property
    def opened(self) -> Mapping[str, Any]:
        """The first entry."""
        return _decoded(0, self.published.entry(0).data)

    @property
    def zone(self) -> str:
        """The zone in which people at the site read times; UTC where it is not known."""
        try:
            return ZoneInfo(str(self.opened["fields"]["timezone"])).key
        except (RetentionError, OSError, *UNREADABLE):
            return "UTC"

    def key(self) -> str:
        """The verifier key that the directory itself names; VerificationError."""
        for text in known_key.keys_in(self.published):
            with suppress(UsageError):
                return note.parse_vkey(text).vkey
        raise VerificationError(f"{self.directory} names no key of its log")

    def named_key(self) -> Answer:
        """As the verb audit.key, but what the directory says of itself."""
        verifier = note.parse_vkey(self.key())
        return {
            "origin": verifier.name,
            "vkey": verifier.vkey,
            "fingerprint": note.fingerprint(verifier.vkey),
        }

    def checkpoint(self) -> Answer:
        """As the verb audit.checkpoint; it must be signed with the directory's key."""
        data = self.published.checkpoint_bytes()
        head = note.open_checkpoint(data, note.parse_vkey(self.key()))
        if not head.size:
            raise RetentionError(f"the checkpoint in {self.directory} covers no entry")
        last = head.size - 1
        written = _decoded(last, self.published.entry(last).data)["at"]
        return {
            **self.named_key(),
            "checkpoint": data.decode(),
            "size": head.size,
            "root": head.root.hex(),
            "written": format_utc(written),
            "published": str(self.directory),
        }

    # -- entries ------------------------------------------------------------------

    def show(self, number: int) -> Answer:
        """One entry with all of its rows."""
        data = self._entry(number)
        entry = _decoded(number, data)
        answer = shown.entry(entry) | {"signed": number < self.head.size}
        rows = self._rows(number, entry)
        if rows is not None:
            fates = self._fates(number) if entry["kind"] == INTENDED else None
            answer["rows"] = [
                shown.row(rows, place, fates) for place in range(len(rows.values))
            ]
        return answer

    def listing(self, asked: Asked, now: Micros) -> Answer:
        """Entries, newest first; see the verb audit.list."""
        always = Window(0, FOREVER)
        window = parse_window(asked.since, asked.until, self.zone, now, always)
        found = (
            self._by_time(asked, window)
            if asked.camera is None
            else self._by_camera(asked, window)
        )
        wanted = asked.limit or LIMIT
        entries: list[Answer] = []
        for one in found:
            if len(entries) == wanted:
                return self._listed(entries, entries[-1]["number"])
            entries.append(one)
        if not entries:
            refuse_unknown(asked.kind)
            if asked.subject is not None:
                about(asked.subject)  # no kind knows such a thing: it was mistyped
        return self._listed(entries, None)

    def _listed(self, entries: list[Answer], before: int | None) -> Answer:
        return {"entries": entries, "before": before, "signed": self.head.size}

    def _by_time(self, asked: Asked, window: Window) -> Iterator[Answer]:
        marks = [mark(asked.subject)] if asked.subject else []
        kind = (asked.kind or "").encode(errors="replace")
        marks += [b'"kind":"%s"' % kind] if kind else []
        for number, data in self.backwards(asked.before):
            if not all(one in data for one in marks):
                continue
            entry = _decoded(number, data)
            if not _wanted(asked, entry):
                continue
            if window.start <= entry["at"] < window.end:
                yield shown.entry(entry)

    def backwards(self, before: int | None) -> Iterator[tuple[int, bytes]]:
        """The entries from the newest one on that is published, signed or not."""
        end = self._end() if before is None else before
        for number in range((end - 1) // WIDTH, -1, -1) if end > 0 else ():
            tile = Tile("entries", number)
            found = begun(self._bundle(tile))
            for at in range(min(len(found), end - tile.first) - 1, -1, -1):
                yield tile.first + at, found[at]

    def _end(self) -> int:
        """The number after that of the last entry that is there."""
        return self.head.size + sum(1 for _ in self.published.tail(self.head.size))

    def _bundle(self, tile: Tile) -> bytes:
        """A bundle as wide as it is there."""
        data = self.published.tile(tile)
        if data is None and (widths := self.published.partials(tile)):
            data = self.published.tile(tile._replace(width=widths[-1]))
        if data is None:
            raise VerificationError(
                f"{self.directory / tile.path} is missing; run `retention audit verify "
                f"{self.directory}`"
            )
        return data

    def _entry(self, number: int) -> bytes:
        tile = Tile("entries", number // WIDTH)
        found = begun(self._bundle(tile)) if 0 <= number < self._end() else []
        if not number - tile.first < len(found):
            raise RetentionError(
                f"there is no entry {number} in {self.directory}, which has "
                f"{self._end()}, numbered from 0"
            )
        return found[number - tile.first]

    def _rows(self, number: int, entry: Mapping[str, Any]) -> Rows | None:
        data = self.published.rows(number)
        if complaint := row_file_complaint(entry.get("rows_sha256"), data):
            raise VerificationError(f"entry {number} {complaint}")
        return None if data is None else row_files.decode(data)[0]

    def _fates(self, intent: int) -> Fates:
        done = self._completion(intent)
        if done is None:
            return Fates(None, {})
        rows = self._rows(done, _decoded(done, self._entry(done)))
        return Fates(done, dict(rows.values) if rows else {})

    def _completion(self, intent: int) -> int | None:
        for record in Records(self.directory).of_kinds((DELETED,)):
            if record.entry["fields"].get("intent") == intent:
                return record.number
        return None

    # -- by camera ----------------------------------------------------------------

    def labels(self) -> Labels:
        """Which camera has which id at the end of the log."""
        records = Records(self.directory).of_kinds(LABELS)
        return Labels(record.entry for record in records)

    def _by_camera(self, asked: Asked, window: Window) -> Iterator[Answer]:
        """There is no index: all is read, and the newest of it kept."""
        camera = self.labels().key(str(asked.camera))
        before = self._end() if asked.before is None else asked.before
        newest: deque[tuple[Record, list[int]]] = deque(
            maxlen=(asked.limit or LIMIT) + 1
        )
        completions: dict[int, Record] = {}
        for record, places in self._about(camera, window, completions):
            if record.number < before and _wanted(asked, record.entry):
                newest.append((record, places))
        for record, places in reversed(newest):
            answer = shown.entry(record.entry)
            rows = self._rows(record.number, record.entry) if places else None
            if rows is not None:
                fates = None
                if record.kind == INTENDED:
                    fates = _fates(completions.get(record.number))
                answer["rows"] = [shown.row(rows, place, fates) for place in places]
            yield answer

    def _about(
        self, camera: int, window: Window, completions: dict[int, Record]
    ) -> Iterator[tuple[Record, list[int]]]:
        """Entries about footage of a camera in a window and the rows that are, and those
        about holds on it."""
        on: set[int] = set()
        kinds = {*FOOTAGE_KINDS, *HOLDS, *CAMERAS}
        for record in Records(self.directory).of_kinds(kinds):
            fields = record.entry["fields"]
            if record.kind == DELETED:
                completions[fields["intent"]] = record
            elif record.kind in HOLDS:
                if _covers(record, camera, window):
                    on.add(fields["hold"])
                if fields["hold"] in on:
                    yield record, []
            elif record.kind in CAMERAS:
                keys = (fields.get("camera"), fields.get("old"), fields.get("new"))
                at = record.entry["at"]
                if camera in keys and shown.meets(at, at + 1, window):
                    yield record, []
            elif places := _places(record, camera, window):
                yield record, [] if record.kind == ROLLED_UP else places

    # -- proofs -------------------------------------------------------------------

    def prove(self, number: int, row: int | None) -> str:
        """The proof of an entry, or of one of its rows."""
        if row is None:
            return proof.prove_entry(self.published, number, vkey=self.key())
        return proof.prove_row(self.published, number, row, vkey=self.key())

    def gone(self, camera: str, at: Micros) -> list[tuple[int, int]]:
        """Entry and row of each recording of that instant that is on record as gone."""
        key, window = self.labels().key(camera), Window(at, at + 1)
        completions: dict[int, Record] = {}
        about = list(self._about(key, window, completions))
        found = []
        for record, places in about:
            fates = _fates(completions.get(record.number))
            for place in places:
                if record.kind == LOST or (
                    record.kind == INTENDED and is_gone(fates.of(place)["outcome"])
                ):
                    found.append((record.number, place))
        return found


def _wanted(asked: Asked, entry: Mapping[str, Any]) -> bool:
    return asked.kind in (None, entry["kind"]) and asked.subject in (
        None,
        entry.get("subject"),
    )


def _head_of(directory: Path) -> str:
    """Where its checkpoint is: a second copy has only those of whole days."""
    published = Published(directory)
    kept = published.kept()
    if kept and published.read(CHECKPOINT, 0) is None:
        return largest(kept)
    return CHECKPOINT


def largest(kept: list[tuple[str, bytes]]) -> str:
    """Which of these heads covers most, unproven: their names are anybody's."""

    def size(one: tuple[str, bytes]) -> int:
        try:
            return note.unverified(one[1]).size
        except VerificationError:
            return -1

    return max(kept, key=size)[0]


def is_gone(outcome: str | None) -> bool:
    """Whether a file of a batch is not there any more, by its outcome."""
    return outcome in (Outcome.DELETED, Outcome.ABSENT, Outcome.ABSENT_AFTER_CRASH)


def the_one(found: list[tuple[int, int]], camera: str, at: str) -> tuple[int, int]:
    """The only one; RetentionError where there is none, or one must be chosen."""
    if not found:
        raise RetentionError(
            f"the log has nothing on record of a recording of camera {camera} at {at} "
            f"that was deleted or lost: `retention audit find --camera {camera} --at "
            f'"{at}"` says what it has'
        )
    if len(found) > 1:
        names = ", ".join(f"`--row {row}` of entry {entry}" for entry, row in found)
        raise RetentionError(
            f"{len(found)} recordings of camera {camera} at {at} are on record as gone: "
            f"choose {names}, as in `retention audit prove {found[0][0]} --row "
            f"{found[0][1]}`"
        )
    return found[0]


def _fates(completion: Record | None) -> Fates:
    if completion is None:
        return Fates(None, {})
    if "rows" not in completion.entry:
        return Fates(completion.number, {})
    columns = completion.read().columns
    exceptions = zip(columns["row"], columns["outcome"], strict=True)
    return Fates(completion.number, dict(exceptions))


def _places(record: Record, camera: int, window: Window) -> list[int]:
    """Which rows of an entry are of that camera's footage in the window; of a roll-up
    those of days that begin in it."""
    known = record.kind in FOOTAGE_KINDS and "rows" in record.entry
    if not known or not _may_meet(record.entry["fields"], window):
        return []
    columns = record.read().columns
    if "day" in columns:
        days = zip(columns["camera"], columns["day"], strict=True)
        values = [(key, day * DAY, HOUR) for key, day in days]
    elif columns.keys() >= shown.FOOTAGE:
        names = ("camera", "start", "duration")
        values = list(zip(*(columns[name] for name in names), strict=True))
    else:
        return []
    return shown.places(Rows(("camera", "start", "duration"), values), camera, window)


def _may_meet(fields: Mapping[str, Any], window: Window) -> bool:
    """Whether a batch may have rows of that time, by what it says of all of them."""
    oldest, newest = fields.get("oldest"), fields.get("newest")
    return oldest is None or newest is None or shown.meets(oldest, newest, window)


def _covers(record: Record, camera: int, window: Window) -> bool:
    """Whether a hold's entry names that camera and overlaps the window."""
    fields = record.entry["fields"]
    if "cameras" not in fields or not shown.is_about(fields, window):
        return False
    cameras = fields["cameras"]
    if cameras is None and "rows" in record.entry:
        cameras = record.read(frozenset({"camera"})).columns["camera"]
    return camera in (cameras or ())


def _decoded(number: int, data: bytes) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = decode(data)
        entry["kind"], entry["fields"], entry["at"], entry["index"]
    except UNREADABLE as error:
        raise VerificationError(f"entry {number} can't be read: {error!r}") from error
    return entry
