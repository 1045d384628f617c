"""A dozen recordings of two cameras, made once and copied for each crash; and what an
outsider finds afterwards, from the files and the log alone."""

import os
import shutil
from pathlib import Path
from typing import Any

from retention.catalogue import batches, streams
from retention.catalogue.entries import listing
from retention.catalogue.log import read_rows
from retention.catalogue.log_check import verify_catalogue
from retention.catalogue.roots import by_name
from retention.control.gate import Gate
from retention.model.values import DAY, MINUTE, SECOND, Outcome
from retention.site.settings import RetentionSettings
from tests.support.site_ import ACTOR, NOW, Site

OLD = NOW - 30 * DAY
BATCH = 5
"""A cycle over the dozen is three batches."""

HELD, MISSING, GROWN, LATE = 1, 3, 8, 11
"""Numbers of the recordings: held from the first, missing, grown since, and the last
one, on which the tests place a hold after the crash."""


class Archive(Site):
    """The site of the crash tests: dated directories, small batches."""

    LAYOUT = "{camera}/%Y-%m-%d/%H-%M-%S.mp4"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, batch=BATCH)

    @classmethod
    def of(cls, directory: Path) -> "Archive":
        """Open one that is there already, as a start of the daemon does."""
        made = cls.__new__(cls)
        made.found(directory, ACTOR, Gate())
        made.footage = directory / "footage"
        made.reopen()
        made.settings, made.batch = RetentionSettings(), BATCH
        with made.catalogue.read() as tx:
            made.root_key = by_name(tx, "nvr1").key
            made.streams = {s.name: s for s in streams.of_root(tx, made.root_key)}
        made.open()
        return made


def window(number: int) -> tuple[str, int]:
    """Camera and start of one of the dozen: six each, over two days, all due; the one
    that grew is not any more with its later end."""
    start = OLD + number % 6 // 2 * DAY // 2 + number * MINUTE
    if number == GROWN:
        start = NOW - 28 * DAY - 10 * MINUTE
    return "ab"[number // 6], start


def make(directory: Path) -> None:
    """The dozen: all due; one held, one missing, one that grew."""
    archive = Archive(directory)
    for n in range(12):
        archive.path(*window(n)).parent.mkdir(parents=True, exist_ok=True)
    paths = [archive.record(*window(n), length=MINUTE, size=10 + n) for n in range(12)]
    archive.hold(*_reach(HELD))
    paths[MISSING].unlink()
    paths[GROWN].write_bytes(b"x" * 99)
    later = (window(GROWN)[1] + 50 * MINUTE) * 1000
    os.utime(paths[GROWN], ns=(later, later))
    archive.close()


def _reach(number: int) -> tuple[str, int, int]:
    camera, start = window(number)
    return camera, start + 30 * SECOND, start + 31 * SECOND


def copy(directory: Path, to: Path) -> Path:
    """The same archive again, with its times."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(directory, to)
    return to


def numbers(archive: Archive) -> set[int]:
    """Which of the dozen are on the disk."""
    return {n for n in range(12) if archive.path(*window(n)).exists()}


def place_late_hold(archive: Archive) -> None:
    """Somebody holds the last recording while the program is down."""
    archive.hold(*_reach(LATE))


class Fate:
    """What the log says became of each of the dozen."""

    def __init__(self, archive: Archive) -> None:
        self.outcomes: dict[int, list[str]] = {n: [] for n in range(12)}
        self.intended: set[int] = set()
        number_of = {
            (archive.streams[camera].key, start): n
            for n in range(12)
            for camera, start in [window(n)]
        }
        with archive.catalogue.read() as tx:
            done = {
                entry["fields"]["intent"]: entry
                for entry in listing(tx, kind="recordings.deleted", limit=100)
            }
            self.completions = len(listing(tx, kind="recordings.deleted", limit=100))
            self.intents = [
                e["index"] for e in listing(tx, kind="deletion.intended", limit=100)
            ]
            self.open = batches.open_batches(tx)
            self.by_intent = done
            self.grown = len(listing(tx, kind="recording.changed", limit=100))
            for intent in self.intents:
                rows = read_rows(tx, intent)
                keys = [(row[1], row[2]) for row in rows.values]
                found = [number_of[key] for key in keys]
                self.intended |= set(found)
                if intent not in done:
                    continue
                for n, outcome in zip(
                    found, _outcomes(tx, done[intent], len(found)), strict=True
                ):
                    self.outcomes[n].append(outcome)


def _outcomes(tx: Any, done: dict[str, Any], count: int) -> list[str]:
    outcomes = [str(Outcome.DELETED)] * count
    exceptions = read_rows(tx, done["index"])
    for number, outcome in exceptions.values if exceptions else ():
        outcomes[number] = outcome
    for outcome in Outcome:  # the counts are those of the rows
        assert done["fields"][outcome] == outcomes.count(outcome)
    return outcomes


def check_after_crash(archive: Archive) -> None:
    """Whatever a kill left: what is gone had its intent first, what is held is there."""
    fate, there = Fate(archive), numbers(archive)
    gone = set(range(12)) - there - {MISSING}
    assert gone <= fate.intended, "P3: a file is gone without an intent"
    assert HELD in there, "P1: held and gone"
    assert GROWN in there
    assert set(fate.intents) == {*fate.by_intent, *fate.open}
    assert verify_catalogue(archive.catalogue, deep=True).ok


def check_after_restart(
    archive: Archive, kept: set[int], *, emptied: bool = True
) -> None:
    """The books balance: held, `kept` and grown are there, all else is gone, each with
    one final outcome on record.  `emptied`: and so are the directories."""
    fate, there = Fate(archive), numbers(archive)
    assert there == {HELD, GROWN, *kept}, "P1 held is kept, P2 due is gone"
    assert fate.open == []
    assert sorted(fate.by_intent) == sorted(fate.intents), "P3: one completion each"
    assert fate.completions == len(fate.intents)
    for n in range(12):
        final = [o for o in fate.outcomes[n] if Outcome(o).gone]
        if n in there:
            assert final == [], f"P7: {n} is there and the log says {final}"
        elif n == MISSING:
            assert len(final) == 1
            assert final[0] in (Outcome.ABSENT, Outcome.ABSENT_AFTER_CRASH)
        else:
            assert len(final) == 1, f"P7: {n} has {fate.outcomes[n]}"
            assert Outcome(final[0]).ours
    assert HELD not in fate.intended
    assert fate.grown == 1
    assert archive.rows() == len(there)
    report = verify_catalogue(archive.catalogue, deep=True)
    assert report.ok, report.fault
    assert report.open_intents == []
    days = [day for camera in "ab" for day in (archive.footage / camera).iterdir()]
    assert not emptied or all(any(day.iterdir()) for day in days)
