"""Laws *hold*, *period*, *twice* and *batch*: each deletion, by what was in force then.

What is kept: the rows of open intents, what `GoneRows` keeps, and recordings that were dated
in the future when they came into doubt, of which there are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from retention.model.errors import VerificationError
from retention.model.localtime import format_duration, format_utc
from retention.model.policy import Holds, merge
from retention.model.values import MINUTE, SECOND, Micros, Outcome, Window
from retention.tlog.declare import RULED
from retention.tlog.in_force import HoldSaid, InForce
from retention.tlog.kinds import KINDS
from retention.tlog.lawful.laws import BATCH, HOLD, PERIOD, TWICE, Verdict
from retention.tlog.lawful.twice import Fetch, GoneRows
from retention.tlog.source import DELETED, INTENDED, Record, outcomes_in

SLACK: Micros = 5 * SECOND
"""An entry is written a moment after its `now` was read, by a clock that may be set."""
TOLERANCE: Micros = 5 * MINUTE
"""What ends no later than that after it was seen needs no doubt to explain it."""

Columns = Mapping[str, Sequence[Any]]
Key = tuple[int, int, int]


class _OpenIntent(NamedTuple):
    """A batch that is not over: its rows, and the holds placed since."""

    fields: Mapping[str, Any]
    columns: Columns | None
    placed: set[int]


class Deletions:
    """Judges intents and completions by what `said` puts in force before each."""

    def __init__(self, said: InForce, verdict: Verdict, fetch: Fetch) -> None:
        self._said, self._verdict = said, verdict
        self._gone = GoneRows(fetch)
        self._open: dict[int, _OpenIntent] = {}
        self.foreign: set[int] = set()
        """Intents that came back unsigned: whoever wrote them, nothing is deleted by them."""
        self._ahead: dict[Key, Micros] = {}
        """Dated in the future when they came into doubt: the instant of that."""

    def hear(self, record: Record) -> None:
        """The next entry, before what it puts in force is."""
        kind = KINDS[record.kind]
        if record.kind == INTENDED:
            self._intended(record)
        elif record.kind == DELETED:
            self._deleted(record)
        elif "cover" in kind.tells or kind.act == "reinstate_hold":
            for one in self._open.values():
                one.placed.add(record.entry["fields"]["hold"])
        elif kind.fate in (RULED, "moved"):
            self._moved(record)
        elif kind.fate in ("quarantined", "recorded"):
            self._came(record)

    # -- intents ------------------------------------------------------------------------

    def _intended(self, record: Record) -> None:
        fields = record.entry["fields"]
        for number, one in self._open.items():
            if one.fields["root"] == fields["root"]:
                self._verdict.broke(
                    BATCH, record.number,
                    f"begins in {fields['root']}, and the batch of entry {number} there "
                    "has no completion",
                )  # fmt: skip
        columns = self._columns(record, HOLD, PERIOD, TWICE)
        self._open[record.number] = _OpenIntent(fields, columns, set())
        if columns is not None:
            self._streams(record, columns)
            seen = self._periods(record, columns)
            self._holds(record, columns, seen)

    def _columns(self, record: Record, *laws: str) -> Columns | None:
        try:
            return record.read().columns
        except VerificationError:
            self._verdict.unchecked.update(laws)
            return None

    def _streams(self, record: Record, columns: Columns) -> None:
        """Whose a recording is, its stream says: a hold is looked up by the camera."""
        for stream, camera in set(
            zip(columns["stream"], columns["camera"], strict=True)
        ):
            one = self._said.streams.get(stream)
            if one is None:
                self._verdict.unchecked[HOLD] += 1
            elif one.camera != camera or one.root != record.entry["fields"]["root"]:
                self._verdict.broke(
                    HOLD, record.number,
                    f"calls stream {stream} camera {camera}'s, it is that of camera "
                    f"{one.camera} in {one.root}",
                )  # fmt: skip

    def _periods(
        self, record: Record, columns: Columns
    ) -> Sequence[Micros | None] | None:
        """From when the period of each counts that is in doubt; None: not known."""
        policy, entry = self._said.policy, record.entry
        if policy is None:
            self._verdict.unchecked[PERIOD] += 1
            return columns.get("seen")
        if entry["policy"] != policy.version:
            self._verdict.broke(
                PERIOD, record.number,
                f"goes by periods of version {entry['policy']}, in force was "
                f"{policy.version}",
            )  # fmt: skip
        latest = entry["at"] + SLACK
        periods = {camera: policy.period(camera) for camera in set(columns["camera"])}
        given = columns.get("seen")
        doubts: list[Micros | None] = []
        early: list[tuple[int, str]] = []
        for row, (camera, start, length, due) in enumerate(
            zip(*(columns[n] for n in ("camera", "start", "duration", "due")), strict=True)
        ):  # fmt: skip
            period, end = periods[camera], start + length
            seen = given[row] if given is not None else None
            if given is None and due != end + period:
                seen = due - period  # an older log: it was in doubt
            doubts.append(seen)
            since = end if seen is None else seen
            over = since + period
            if max(over, due) > latest:
                by = format_duration((max(over, due) - latest) // SECOND * SECOND)
                early.append((row, f"is deleted {by} before its period is over"))
            elif since < end - TOLERANCE and not self._was_ahead(columns, row, since):
                by = format_duration((end - since) // SECOND * SECOND)
                what = f"counts from {by} before its end"
                early.append((row, f"{what}, and no entry calls it in doubt"))
            elif given is not None and (sooner := self._sooner(columns, row, seen)):
                early.append((row, sooner))
        self._told(PERIOD, record.number, early)
        return doubts

    def _sooner(self, columns: Columns, row: int, seen: Micros | None) -> str | None:
        """How the period of one in quarantine counts from sooner than when it was seen;
        older logs do not say when that was."""
        said = self._said.doubts.get(_key(columns, row))
        if said is None or (seen is not None and seen >= said - TOLERANCE):
            return None
        since = "its end" if seen is None else format_utc(seen)
        return f"counts from {since}, and is in quarantine since {format_utc(said)}"

    def _was_ahead(self, columns: Columns, row: int, since: Micros) -> bool:
        at = self._ahead.get(_key(columns, row))
        return at is not None and since >= at - TOLERANCE

    def _told(self, law: str, entry: int, rows: list[tuple[int, str]]) -> None:
        """One violation an entry: the first row that breaks a law, and how many do."""
        if rows:
            row, what = rows[0]
            more = f"; so do {len(rows) - 1} more" if len(rows) > 1 else ""
            self._verdict.broke(
                law, entry, f"has row {row}, which {what}{more}"
            )  # fmt: skip

    def _holds(
        self, record: Record, columns: Columns, seen: Sequence[Micros | None] | None
    ) -> None:
        now = record.entry["at"] + SLACK

        def in_force(number: int, one: HoldSaid) -> bool:
            return one.in_force(now)

        found = self._held(columns, seen, in_force)
        rows = [
            (row, f"hold {self._which(columns, row, in_force)} covers") for row in found
        ]
        self._told(HOLD, record.number, rows)

    def _held(
        self,
        columns: Columns,
        seen: Sequence[Micros | None] | None,
        counts: Callable[[int, HoldSaid], bool],
    ) -> list[int]:
        """Numbers of the rows that these holds cover."""
        by_camera = {
            camera: Holds(merge(windows))
            for camera in set(columns["camera"])
            if (windows := self._windows(camera, counts))
        }
        if not by_camera:
            return []
        starts, lengths = columns["start"], columns["duration"]
        return [
            row
            for row, camera in enumerate(columns["camera"])
            if camera in by_camera
            and by_camera[camera].hold(
                starts[row], starts[row] + lengths[row],
                doubtful=seen is not None and seen[row] is not None,
            )
        ]  # fmt: skip

    def _windows(
        self, camera: int, counts: Callable[[int, HoldSaid], bool]
    ) -> list[Window]:
        holds = self._said.holds
        return [
            holds[key].window
            for key in self._said.by_camera.get(camera, ())
            if counts(key, holds[key])
        ]

    def _which(
        self, columns: Columns, row: int, counts: Callable[[int, HoldSaid], bool]
    ) -> int:
        """A hold that covers a row: of one in doubt, any of its camera."""
        start, end = (
            columns["start"][row],
            columns["start"][row] + columns["duration"][row],
        )
        keys = [
            key
            for key in sorted(self._said.by_camera[columns["camera"][row]])
            if counts(key, self._said.holds[key])
        ]
        for key in keys:
            window = self._said.holds[key].window
            if window.start < end and start < window.end:
                return key
        return keys[0]

    # -- completions ----------------------------------------------------------------------

    def _deleted(self, record: Record) -> None:
        fields = record.entry["fields"]
        intent = self._open.pop(fields["intent"], None)
        if fields["intent"] in self.foreign:
            self.foreign.remove(fields["intent"])
            if any(fields[outcome] for outcome in Outcome if outcome.ours):
                what = f"deletes by entry {fields['intent']}, which came back unsigned"
                self._verdict.broke(BATCH, record.number, what)
            return
        if intent is None:
            self._verdict.broke(
                BATCH, record.number,
                f"completes {fields['intent']}, which is no open intent",
            )  # fmt: skip
            return
        columns = intent.columns
        if columns is None:
            return
        odd = self._columns(record, TWICE) if "rows" in record.entry else {}
        if odd is None:
            return
        became = outcomes_in(record.entry, odd)
        gone = [
            row
            for row in range(len(columns["start"]))
            if (became.of(row) or Outcome.FAILED).ours
        ]
        if intent.placed:
            held = set(
                self._held(
                    columns, columns.get("seen"), lambda n, _: n in intent.placed
                )
            )
            self._verdict.in_flight += len(held.intersection(gone))
        self._twice(record, columns, gone)
        self._gone.add(
            fields["intent"], record.number, intent.fields,
            (
                (columns["stream"][row], columns["start"][row],
                 columns["start"][row] + columns["duration"][row])
                for row in gone
            ),
        )  # fmt: skip
        for row in gone:
            self._ahead.pop(_key(columns, row), None)
        self._said.gone(
            _key(columns, row)
            for row in range(len(columns["start"]))
            if (became.of(row) or Outcome.FAILED).gone
        )

    def _twice(self, record: Record, columns: Columns, gone: Iterable[int]) -> None:
        keys = [_key(columns, row) for row in gone]
        try:
            found = self._gone.before(keys, record.entry["fields"]["intent"])
        except (LookupError, ValueError):
            self._verdict.unchecked[TWICE] += 1
            return
        twice = found[0] if found else _doubled(keys)
        if twice is not None:
            where = f"as entry {found[1]} did" if found else "twice in one batch"
            stream, start, n = twice
            self._verdict.broke(
                TWICE, record.number,
                f"deletes what stream {stream} recorded from {format_utc(start)} on (n {n}), "
                f"{where}",
            )  # fmt: skip

    # -- what comes again, and what is in doubt ---------------------------------------------

    def _came(self, record: Record) -> None:
        columns = self._columns(record, TWICE)
        if columns is None:
            return
        self._gone.came(
            record.number, zip(columns["stream"], columns["start"], strict=True)
        )
        at = record.entry["at"]
        for row, (start, length) in enumerate(
            zip(columns["start"], columns["duration"], strict=True)
        ):
            if start + length > at - TOLERANCE:
                self._ahead.setdefault(_key(columns, row), at)

    def _moved(self, record: Record) -> None:
        """A recording goes on under another key, with its doubts."""
        columns = self._columns(record, TWICE)
        if columns is None:
            return
        streams = columns.get("new_stream", columns["stream"])
        starts = columns.get("new_start", columns["start"])
        numbers = columns.get("new_n", columns["n"])
        self._gone.came(record.number, zip(streams, starts, strict=True))
        for row, key in enumerate(zip(streams, starts, numbers, strict=True)):
            at = self._ahead.pop(_key(columns, row), None)
            if at is not None:
                self._ahead[key] = at


def _key(columns: Columns, row: int) -> Key:
    return columns["stream"][row], columns["start"][row], columns["n"][row]


def _doubled(keys: Sequence[Key]) -> Key | None:
    seen: set[Key] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None
