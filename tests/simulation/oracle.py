"""What must hold: the truth beside the disk, and the log's own rows beside both.

Nothing of the program decides here; its log is read as a stranger would read it.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue import log
from retention.model.localtime import format_utc, parse_instant
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Actor, Micros
from tests.simulation.people import MARGIN
from tests.simulation.program import DAYS

if TYPE_CHECKING:
    from retention.model.answers.hold import SilentStretch
    from tests.simulation.disk import Take
    from tests.simulation.people import Hold
    from tests.simulation.simulation import Simulation

PERIOD = DAYS * DAY
TOLERANCE: Micros = 5 * MINUTE
SLACK: Micros = 10 * SECOND
"""A next start may move an end by 5 s, a file system may keep times to 2 s."""

LONGEST = 6 * HOUR
GONE = ("deleted", "absent_after_crash")
DOUBTS = ("recordings.quarantined", "stream.quarantined", "recordings.reappeared")
HELD, EARLY, LATE = "held", "early", "kept too long"
ALARM, SILENT, LOG, ANSWER = "alarm", "not a word", "log", "answer"


class Violation(NamedTuple):
    """What went wrong, of which kind, and when."""

    kind: str
    at: Micros
    text: str

    def __str__(self) -> str:
        return f"{format_utc(self.at // SECOND * SECOND)} {self.kind}: {self.text}"


def _knowable(take: Take) -> bool:
    """Whether a look at the disk shows that the file is wrong about itself."""
    return take.late(TOLERANCE) or take.contradicts(LONGEST, TOLERANCE)


class Oracle:
    """Looks on, and writes down each broken promise once."""

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        self.violations: list[Violation] = []
        self.deleted = 0
        self.alarms: Counter[str] = Counter()
        self._standing: set[tuple[str, str]] = set()
        self._due: list[tuple[Micros, int, Take]] = []
        self._number = 0
        self._entries = 0
        self._open: dict[int, list[str]] = {}
        self._folders: dict[int, str] = {}

    def _say(self, kind: str, text: str) -> None:
        self.violations.append(Violation(kind, self.sim.now, text))

    # -- what is told it ------------------------------------------------------------

    def expect(self, take: Take) -> None:
        """A whole file is there: by when it must be gone again."""
        due = max(take.end, take.arrived) + PERIOD
        self._expect_at(due + 2 * self.sim.tick + TOLERANCE, take)

    def _expect_at(self, at: Micros, take: Take) -> None:
        self._number += 1
        heappush(self._due, (at, self._number, take))

    def expect_alarm(self, why: str) -> None:
        """Two rounds from now an alarm stands."""
        self.sim.at(self.sim.now + 2 * self.sim.tick, partial(self._alarmed, why))

    def _alarmed(self, why: str) -> None:
        if not self.sim.program.alarms():
            self._say(SILENT, why)

    def answered(self, hold: Hold, answer: Any) -> None:
        """ "All of it" is said only of what is there, unless a doubt is told with it."""
        if answer.total.in_doubt or answer.times_in_doubt:
            return
        for camera in answer.cameras:
            for one in camera.no_recording_seen:
                self._compare_silence(hold, one)
        if not answer.all_preserved:
            return
        for take in self.sim.disk.gone:
            if hold.covers(take) and take.error <= TOLERANCE:
                self._say(
                    ANSWER, f"hold {hold.number}: all of it, but {take.path} is gone"
                )

    def _compare_silence(self, hold: Hold, said: SilentStretch) -> None:
        """ "No recording seen" is not said of time in which one was, if it could be."""
        since, until = (
            parse_instant(at or said.since, "UTC", self.sim.now)
            for at in (said.since, said.until)
        )
        for take in (*self.sim.disk.there.values(), *self.sim.disk.gone):
            seen = take.whole and (take.gone is None or not take.taken)
            if (
                seen
                and take.camera == hold.camera
                and take.overlaps(since + SLACK, until - SLACK)
                and (take.error <= SECOND or _knowable(take))
            ):
                self._say(
                    ANSWER, f"hold {hold.number}: no recording seen, but {take.path}"
                )

    def begin(self, who: Actor) -> tuple[Actor, int, str]:
        """What somebody's request shall be compared with, should it come to nothing."""
        with self.sim.program.catalogue.read() as tx:
            return who, log.size(tx), self.sim.program.asked_for()

    def broke_off(self, verb: str, before: tuple[Actor, int, str]) -> bool:
        """Whether a request that broke off is on record: what is in force must say the
        same."""
        who, size, asked_for = before
        with self.sim.program.catalogue.read() as tx:
            entries = [log.read(tx, number) for number in range(size, log.size(tx))]
        happened = any(
            entry["actor"]["uid"] == who.uid and entry["kind"] != "access.changed"
            for entry in entries
        )
        if not happened and self.sim.program.asked_for() != asked_for:
            self._say(LOG, f"{verb} has come into force, and is not on record")
        return happened

    # -- what it looks at -------------------------------------------------------------

    def look(self) -> None:
        """After each round of the program."""
        said = self._read_log()
        if said is not None:
            self._compare(said)
        self._look_at_alarms()
        while self._due and self._due[0][0] <= self.sim.now:
            _, _, take = heappop(self._due)
            if take.gone is None and not self._judge_kept(take):
                self._expect_at(self.sim.now + DAY, take)

    def _read_log(self) -> Counter[tuple[str, str]] | None:
        """What the entries since the last look say was deleted; None where none does."""
        said: Counter[tuple[str, str]] | None = None
        with self.sim.program.catalogue.read() as tx:
            since, self._entries = self._entries, log.size(tx)
            for number in range(since, self._entries):
                entry = log.read(tx, number)
                fields = entry["fields"]
                if entry["kind"] == "stream.opened":
                    self._folders[fields["stream"]] = fields["name"]
                elif entry["kind"] == "deletion.intended":
                    self._open[number] = self._paths(tx, number, fields["root"])
                elif entry["kind"] in DOUBTS and self.sim.all_right:
                    self._say(ALARM, f"{entry['kind']}, though every recorder is right")
                elif entry["kind"] == "recordings.deleted":
                    rows = log.read_rows(tx, number)
                    kept = dict(rows.values) if rows is not None else {}
                    said = said or Counter()
                    for row, key in enumerate(self._open.pop(fields["intent"])):
                        if kept.get(row, "deleted") in GONE:
                            said[key] += 1
        return said

    def _paths(self, tx: Connection, number: int, root: str) -> list[tuple[str, str]]:
        """Where the rows of an intent lay."""
        rows = log.read_rows(tx, number)
        assert rows is not None
        columns = [dict(zip(rows.columns, row, strict=True)) for row in rows.values]
        return [(root, self._path(root, row)) for row in columns]

    def _path(self, root: str, row: dict[str, Any]) -> str:
        """Where a row's file lay, by our own reading of its name."""
        if row["path"] is not None:
            path = row["path"]
            return path.decode() if isinstance(path, bytes) else str(path)
        return self.sim.disk.path(root, self._folders[row["stream"]], row["start"])

    def _compare(self, said: Counter[tuple[str, str]]) -> None:
        """What vanished is what the log says, and might go."""
        takes = self.sim.disk.missing()
        vanished = Counter((take.root, take.path) for take in takes)
        for key in vanished - said:
            self._say(LOG, f"{key} is gone and the log does not say so")
        for key in said - vanished:
            self._say(LOG, f"{key} is there, and the log calls it deleted")
        for take in takes:
            self._judge_gone(take)
            self.sim.told(f"deleted {take.root}/{take.path}")
        self.deleted += len(takes)
        self.sim.disk.note_deleted(takes, self.sim.now)

    def _judge_gone(self, take: Take) -> None:
        """Might the program delete this now?  Errors that nobody could know of, or that
        a hold's margin makes good, are excused."""
        now = self.sim.now
        small = take.error <= TOLERANCE
        if not small and not _knowable(take):
            return
        for hold in self.sim.people.holds:
            if hold.keeps(now) and hold.covers(take):
                self._say(HELD, f"{self._said(take)}, under hold {hold.number}")
        since = take.end - take.error - SLACK if small else take.end
        if now < since + PERIOD:
            self._say(EARLY, f"{self._said(take)}, before its period was over")
        elif (
            take.late(TOLERANCE) and take.ruled is None and now < take.arrived + PERIOD
        ):
            self._say(EARLY, f"{self._said(take)}, which came late")

    def _said(self, take: Take) -> str:
        return (
            f"{take.root}/{take.path} (filmed until {format_utc(take.end)}, there since "
            f"{format_utc(take.arrived)})"
        )

    def _judge_kept(self, take: Take) -> bool:
        """Past its time and there: True where that is a violation, told once."""
        now, late = self.sim.now, take.late(TOLERANCE)
        doubtful = late or take.camera in self.sim.liars
        for hold in self.sim.people.holds:
            cameras = (take.camera, self.sim.names.get(take.camera))
            if hold.camera not in cameras or not hold.keeps(now - 2 * self.sim.tick):
                continue
            since, until = hold.since - MARGIN - SLACK, hold.until + MARGIN + SLACK
            if (
                doubtful
                or take.overlaps(since, until)
                or (take.named < until and take.mtime > since)
            ):
                return False
        if now < self._seen_by(take) + PERIOD + 2 * self.sim.tick + TOLERANCE:
            return False
        if any(now - at < 3 * self.sim.tick for at in self.sim.disturbed[-1:]) or any(
            one.scope in ("", take.root) for one in self.sim.program.alarms()
        ):
            return False
        self._say(LATE, self._said(take))
        return True

    def _seen_by(self, take: Take) -> Micros:
        """When a round might see at the latest that it is there, if what it counts from is
        that: none that did not come to its end."""
        at = take.arrived
        for disturbed in self.sim.disturbed:
            if at <= disturbed <= at + self.sim.tick:
                at = disturbed
        return at

    def _look_at_alarms(self) -> None:
        standing = {(one.name, one.scope) for one in self.sim.program.alarms()}
        for name, scope in sorted(standing - self._standing):
            self.alarms[name] += 1
            self.sim.told(f"alarm {name} {scope}")
            if name == "held-lost" and not any(one.taken for one in self.sim.disk.gone):
                self._say(ALARM, f"{name} {scope}, though nobody took anything")
            if self.sim.all_right:
                self._say(ALARM, f"{name} {scope}, though every recorder is right")
        self._standing = standing

    def end(self) -> None:
        """At the end of a simulation."""
        if self.sim.disk.missing():
            self._say(LOG, "files are gone that the log never spoke of")
        found = self.sim.program.verified()
        if not found.ok or found.verdict is None:
            self._say(LOG, f"does not verify: {found.faults}")
            return
        for one in found.verdict.violations:
            self._say(LOG, one.sentence)
