"""The figures are derived: behind at worst, never wrong, and made anew where they are not
of this log."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from retention.catalogue.figures import Figures
from retention.model.errors import CatalogueError
from retention.reports import gathering, report
from tests.support.publishing import publish
from tests.support.reported import Council, Reported, table

BATCHES = 12


@pytest.fixture
def story() -> Council:
    site = Council()
    for number in range(BATCHES):
        site.delete(site.row(), site.row(2, bytes=number))
        site.recorded(site.row(age=0))
    return site


@pytest.fixture
def log(tmp_path, story):
    made = Reported(tmp_path / "log", story.entries)
    yield made
    made.close()


def deleted(log: Reported) -> int:
    return sum(row["recordings"] for row in table(log.live("deletions"), "by_day"))


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return list(db.iterdump())


def test_it_is_the_same_in_one_go_and_in_slices_of_any_size(log, monkeypatch):
    assert deleted(log) == 2 * BATCHES
    whole = dump(log.figures)
    for rows in (1, 3, 7):
        monkeypatch.setattr(gathering, "SLICE", rows)
        gathering.figures_at(log.figures).forget()
        log.advanced()
        assert dump(log.figures) == whole


@pytest.mark.parametrize("step", range(0, 60, 4))
def test_killed_at_any_point_it_is_behind_and_not_wrong(log, monkeypatch, step):
    """At each statement of the file's own database a process ends by SIGKILL."""
    monkeypatch.setattr(gathering, "SLICE", 6)
    child = os.fork()
    if child == 0:  # a child of a test must not go on with it
        left = [step]

        def trace(_: str) -> None:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        real = Figures._open

        def opened(self):
            db = real(self)
            db.set_trace_callback(trace)
            return db

        monkeypatch.setattr(Figures, "_open", opened)
        log.advanced()
        os._exit(0)
    os.waitpid(child, 0)
    assert deleted(log) == 2 * BATCHES
    killed = dump(log.figures)
    gathering.figures_at(log.figures).forget()
    assert deleted(log) == 2 * BATCHES
    assert dump(log.figures) == killed


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"not a database at all" * 100),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: altered(path, "UPDATE cell SET number = number + 1"),
        lambda path: altered(path, "DELETE FROM odd"),
        lambda path: altered(
            path, "DELETE FROM cell WHERE rowid IS NULL OR camera = 1"
        ),
        lambda path: altered(path, "UPDATE meta SET value = 'x' WHERE name = 'last'"),
        lambda path: altered(path, "UPDATE meta SET value = '{' WHERE name = 'known'"),
        lambda path: altered(path, "DROP TABLE recorded"),
        lambda path: altered(path, "PRAGMA user_version = 99"),
    ],
)
def test_what_is_damaged_or_altered_is_made_anew(log, damage, story):
    story.delete(story.row(age=40 * 86_400_000_000))
    log.sign(story.entries)
    assert deleted(log) == 2 * BATCHES + 1
    right = dump(log.figures)
    damage(log.figures)
    assert deleted(log) == 2 * BATCHES + 1
    assert dump(log.figures) == right


def altered(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement.replace("rowid IS NULL OR ", ""))


def test_those_of_another_log_are_made_anew(log, tmp_path):
    assert deleted(log) == 2 * BATCHES
    other = Council()
    other.now += 1
    for _ in range(20):
        other.delete(other.row())
    second = Reported(tmp_path / "second", other.entries)
    second.figures.write_bytes(log.figures.read_bytes())
    assert deleted(second) == 20
    second.close()


def test_an_older_copy_is_not_told_what_a_newer_one_has(log, story, tmp_path):
    newer = log.copied("deletions")
    older = publish(tmp_path / "older", story.entries[:20])
    assert log.copied("deletions", older) != newer
    publish(log.copy, story.entries[:20])
    again = log.copied("deletions")
    assert again.head.size == 20
    assert again.tables == log.copied("deletions", older).tables


def test_rebuilding_says_what_entries_are_not_what_they_say(log, story):
    found = report.report_rebuild(log.context())
    assert (found.files, found.faults) == (2 * BATCHES, [])
    story.delete(story.row())
    number = story.size - 1
    fields = {"intent": number - 1, "deleted": 3, "bytes": 99, "lateness": 0}
    zeros = ["rescued", "absent", "absent_after_crash", "changed", "failed", "stopped"]
    fields |= dict.fromkeys(zeros, 0) | {"method": "unlink"}
    story.altered(number, fields=fields)
    log.sign(story.entries)
    found = report.report_rebuild(log.context())
    assert len(found.faults) == 1
    assert found.faults[0].startswith(f"entry {number}: says ")
    verdict = log.both("deletions").verdict
    assert [one.good for one in verdict][-1] is False
    assert f"entry {number}" in verdict[-1].text


def test_a_place_that_can_not_be_written_is_one_sentence(tmp_path, story):
    cache = tmp_path / "file"
    cache.write_text("in the way")
    log = Reported(tmp_path / "log", story.entries)
    log.cache = cache
    with pytest.raises(
        CatalogueError, match="derived from the log, so nothing is lost"
    ):
        log.copied("deletions")
    log.close()


def test_nobody_else_on_the_machine_may_read_them(log):
    log.advanced()
    assert log.figures.stat().st_mode & 0o077 == 0
