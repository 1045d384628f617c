"""The state directory set back whole: each memory of the log's head alone shows it."""

import json
import os
import shutil
import threading

import pytest

from retention.footage import kept_head
from retention.footage.handles import open_directory
from retention.model.errors import RetentionError
from retention.model.localtime import format_utc
from retention.model.values import HOUR
from retention.publication import memories
from retention.service import remembering
from retention.site import clock
from retention.tlog import note
from retention.tlog.note import Checkpoint
from tests.support.installation import DAY, MINUTE, never
from tests.support.publishing import OTHER_KEY
from tests.support.station import CARA


def now():
    return clock.read().wall


def footage(station):
    """Adopted and scanned: three recordings that are due, four that are not."""
    for number in range(3):
        station.installed.record(now(), 2 * DAY + number * MINUTE)
    for number in range(4):
        station.installed.record(now(), HOUR + number * MINUTE)
    station.round()
    station.approve()


def hold(station):
    """On what is due."""
    return station.ask(
        "hold.place", cameras=["1001"], since=format_utc(now() - 3 * DAY),
        until=format_utc(now()), kind="court", reference="r", reason="r",
    )  # fmt: skip


def head_in_root(station):
    verifier = station.service._publishing.verifier
    root = station.work.root.path
    return kept_head.newest(open_directory(root), verifier, root)


def rewrite(station, *slots):
    """The root's file has just these notes."""
    path = station.installed.directory / "nvr1" / kept_head.NAME
    path.write_bytes(b"".join(one.ljust(kept_head.SLOT, b"\0") for one in slots))


def set_back(station, *, forget_root=True):
    """Yesterday's state directory, and today's hold nowhere but where a memory has it."""
    footage(station)
    station.remember()
    before = (station.installed.directory / "nvr1" / kept_head.NAME).read_bytes()
    kept = station.keep_state()
    hold(station)
    station.remember()
    station.stop()
    newest = (station.state / "last-checkpoint").read_text()
    station.restore_state(kept)
    if forget_root:
        (station.installed.directory / "nvr1" / kept_head.NAME).write_bytes(before)
    return newest


def nothing_is_deleted(station):
    """Not now, and not in the rounds that follow; nothing is signed either."""
    files = {
        path: path.read_bytes()
        for path in station.settings.published_log.rglob("*")
        if path.is_file()
    }
    for _ in range(3):
        assert station.round().startswith("guard catalogue")
        station.service.tick(never)
    assert len(station.installed.files()) == 7
    assert files == {
        path: path.read_bytes()
        for path in station.settings.published_log.rglob("*")
        if path.is_file()
    }


def told(station, where):
    detail = station.guards()["catalogue"]
    assert where in detail
    assert "retention schema successor" in detail
    assert "put back that older copy of the catalogue once more" in detail


def test_without_any_memory_the_hold_is_gone_and_nobody_knows(station):
    """What the memories are for."""
    set_back(station)
    station.start()
    station.round()
    assert len(station.installed.files()) == 4


def test_a_footage_root_alone_shows_it(station):
    set_back(station, forget_root=False)
    station.start()
    told(station, ".cctv-retention-head was signed at")
    nothing_is_deleted(station)
    assert hold(station)["published"] is False  # it is stored all the same
    nothing_is_deleted(station)
    with pytest.raises(RetentionError, match="while its cause is there"):
        station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.stop()
    station.start()  # the catalogue went on by itself, and is longer by now
    nothing_is_deleted(station)


def test_a_catalogue_that_went_on_longer_than_the_head_is_shown_too(station):
    set_back(station, forget_root=False)
    station.start()
    size = head_in_root(station).size
    for number in range(12):
        hold(station) if number else None
    assert len(station.installed.entries()) > size
    station.stop()
    station.start()
    assert "went on without them" in station.guards()["catalogue"]
    nothing_is_deleted(station)


def test_a_root_that_is_mounted_later_shows_it_then(station):
    """Its disk is away at the start, and the log goes on and is signed."""
    set_back(station, forget_root=False)
    root = station.installed.directory / "nvr1"
    root.rename(station.installed.directory / "unplugged")
    station.start()
    assert "catalogue" not in station.guards()
    assert hold(station)["published"] is True
    assert station.ask("audit.verify", CARA, deep=True)["ok"]
    (station.installed.directory / "unplugged").rename(root)
    station.work.scan(never)
    assert "catalogue" in station.guards()
    found = station.ask("audit.verify", CARA, deep=True)
    assert (found["ok"], set(found["stands"])) == (False, {"catalogue"})
    assert hold(station)["published"] is False
    nothing_is_deleted(station)


def test_the_second_directory_alone_gives_the_hold_back(copied, stations):
    """It had the hold's head and its bundle at once."""
    station = stations(copied)
    set_back(station)
    station.start()
    assert len(station.tables("hold")["hold"]) == 1
    assert "restored" in station.guards()["catalogue"]
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.round()
    assert len(station.installed.files()) == 7


def test_what_the_second_directory_has_comes_back_where_the_rest_is_nowhere(
    copied, stations
):
    """The root has a head that is newer than the last hold's."""
    station = stations(copied)
    footage(station)
    station.remember()
    kept = station.keep_state()
    hold(station)
    station.remember()
    station.stop()
    station.start()
    station.service._core.memories["nvr1"]._write(never)
    station.killed()
    station.restore_state(kept)
    station.start()
    assert len(station.tables("hold")["hold"]) == 1
    told(station, ".cctv-retention-head was signed at")
    nothing_is_deleted(station)


def test_a_second_directory_that_is_mounted_later_shows_it_then(copied, stations):
    """Its share is away at the start, and the log goes on and is signed."""
    station = stations(copied)
    share = station.settings.log_copy
    away = share.with_name("unplugged")
    set_back(station)
    share.rename(away)
    station.start()
    station.service.tick(never)
    assert "catalogue" not in station.guards()
    assert hold(station)["published"] is True
    away.rename(share)
    for _ in range(2):
        station.service.tick(never)
        assert station.service._publishing._copying._worker.wait_idle(60)
    station.service.tick(never)
    assert "went on without them" in station.guards()["catalogue"]
    assert hold(station)["published"] is False
    nothing_is_deleted(station)


def test_the_journal_alone_shows_it(station, monkeypatch, tmp_path):
    newest = set_back(station)
    journalctl(monkeypatch, tmp_path, newest)
    station.start()
    told(station, "the journal was signed at")
    nothing_is_deleted(station)


def test_the_head_beside_the_key_alone_shows_it(station):
    newest = set_back(station)
    (station.state / "last-checkpoint").write_text(newest)
    station.start()
    told(station, "last-checkpoint was signed at")
    nothing_is_deleted(station)


def journalctl(monkeypatch, tmp_path, text):
    command = tmp_path / "bin" / "journalctl"
    command.parent.mkdir(exist_ok=True)
    line = json.dumps({"event": "checkpoint.signed", "note": text})
    (tmp_path / "lines").write_text(f"{line}\n")
    command.write_text(f"#!/bin/sh\ncat {tmp_path}/lines\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")


def test_a_head_that_is_damaged_of_another_key_or_log_or_smaller_says_nothing(station):
    footage(station)
    station.remember()
    older = head_in_root(station)
    hold(station)
    station.stop()
    verifier = station.service._publishing.verifier
    ahead = Checkpoint(verifier.name, 9_999, b"r" * 32)
    forged = note.sign(ahead.text, verifier.name, OTHER_KEY).encode()
    other = Checkpoint("test/other", 9_999, b"r" * 32)
    for slots in (
        (forged, b"rubbish"),
        (note.sign(other.text, "test/other", OTHER_KEY).encode(), b"\0\xff"),
        (older.note.encode(), b""),
        (older.note.encode()[:-20], forged),
    ):
        rewrite(station, *slots)
        station.start()
        assert station.guards() == {}
        assert station.round() is None
        station.stop()
    assert len(station.installed.files()) == 7


def test_power_cut_while_a_head_is_written_leaves_the_one_before(station):
    """It is ahead of yesterday's all the same."""
    footage(station)
    kept = station.keep_state()
    for _ in range(2):
        hold(station)
        station.remember()
    newest = head_in_root(station)
    path = station.installed.directory / "nvr1" / kept_head.NAME
    data = path.read_bytes()
    hurt = data.index(newest.note.encode()) + 100
    path.write_bytes(data[:hurt] + bytes(90) + data[hurt + 90 :])
    station.stop()
    station.restore_state(kept)
    station.start()
    assert head_in_root(station).size < newest.size
    nothing_is_deleted(station)


def test_a_root_keeps_each_head_and_its_own_time_stays(station):
    """Scans skip a directory by its mtime."""
    footage(station)
    station.remember()
    root = station.installed.directory / "nvr1"
    os.utime(root, (1_000_000, 1_000_000))
    for _ in range(3):
        hold(station)
        station.remember()
        head = head_in_root(station)
        published = note.unverified(
            (station.settings.published_log / "checkpoint").read_bytes()
        )
        assert head.size == published.size
    assert root.stat().st_mtime == 1_000_000
    assert station.round() is None
    with station.service._core.catalogue.read() as tx:
        assert not [one for one in memories.memories(tx, station.settings) if one.fault]


def test_a_root_that_an_older_version_took_in_gets_the_file_at_the_next_start(station):
    footage(station)
    station.stop()
    path = station.installed.directory / "nvr1" / kept_head.NAME
    path.unlink()
    station.start()
    station.remember()
    assert path.stat().st_size == 2 * kept_head.SLOT
    assert head_in_root(station) is not None


def test_init_makes_the_file(installed):
    path = installed.directory / "nvr1" / kept_head.NAME
    assert path.stat().st_size == 2 * kept_head.SLOT


def test_a_root_that_can_not_keep_it_is_an_alarm_and_no_guard(station):
    footage(station)
    path = station.installed.directory / "nvr1" / kept_head.NAME
    path.unlink()
    path.mkdir()
    station.stop()
    station.start()
    station.remember()
    station.service.tick(never)
    assert station.guards() == {}
    found = station.ask("alarm.list", CARA)["alarms"]
    (alarm,) = [one for one in found if one["alarm"] == "memory"]
    assert "can't keep the newest signed head" in alarm["detail"]
    assert station.round() is None
    assert len(station.installed.files()) == 4
    path.rmdir()
    station.stop()
    station.start()
    station.remember()
    station.service.tick(never)
    assert "memory" not in [
        one["alarm"] for one in station.ask("alarm.list", CARA)["alarms"]
    ]


def test_a_disk_that_hangs_is_an_alarm_and_nobody_waits_for_it(station, monkeypatch):
    footage(station)
    answer, asked = threading.Event(), threading.Event()
    memory = station.service._core.memories["nvr1"]

    def hang(*_):
        asked.set()
        answer.wait(120)

    monkeypatch.setattr(kept_head, "keep", hang)
    monkeypatch.setattr(remembering, "PATIENCE", -1)
    memory.worker.start()
    assert hold(station)["published"] is True
    assert asked.wait(60)
    station.service.tick(never)
    assert station.guards() == {}
    found = station.ask("alarm.list", CARA)["alarms"]
    (alarm,) = [one for one in found if one["alarm"] == "memory"]
    assert "it does not answer" in alarm["detail"]
    answer.set()
    memory.worker.stop()
    assert memory.worker.join(60)


def test_a_second_directory_that_is_away_is_an_alarm(copied, stations):
    station = stations(copied)
    footage(station)
    shutil.rmtree(station.settings.log_copy)
    station.remember()
    station.service.tick(never)
    station.service.tick(never)
    found = station.ask("alarm.list", CARA)["alarms"]
    assert [one["scope"] for one in found if one["alarm"] == "memory"] == ["log_copy"]


def test_status_says_how_far_each_memory_goes(copied, stations):
    station = stations(copied)
    footage(station)
    hold(station)
    station.remember()
    station.service.tick(never)
    answer = station.ask("status", CARA)
    where = {one["where"]: one for one in answer["outside_memory"]}
    assert where.keys() == {"beside the key", "footage root", "second directory"}
    assert {one["fault"] for one in where.values()} == {None}
    assert all(one["entries"] for one in where.values())


def test_a_journal_is_a_memory_only_where_it_was_read(station, monkeypatch, tmp_path):
    footage(station)
    newest = (station.state / "last-checkpoint").read_text()
    station.stop()
    journalctl(monkeypatch, tmp_path, newest)
    station.start()
    station.service.tick(never)
    found = {one["where"]: one for one in station.ask("status", CARA)["outside_memory"]}
    assert found["journal"]["entries"] == note.unverified(newest.encode()).size
    said = "No journal files were opened due to insufficient permissions."
    (tmp_path / "bin" / "journalctl").write_text(f"#!/bin/sh\necho {said} >&2; exit 1")
    station.stop()
    station.start()
    for _ in range(2):
        station.service.tick(never)
    answer = station.ask("status", CARA)
    assert "journal" not in [one["where"] for one in answer["outside_memory"]]
    (alarm,) = [one for one in answer["alarms"] if one["alarm"] == "memory"]
    assert (alarm["scope"], said in alarm["detail"]) == ("journal", True)
    assert station.guards() == {}


def test_init_and_upgrade_add_nothing_where_a_root_remembers_more(station):
    set_back(station, forget_root=False)
    entries = len(station.installed.entries())
    with pytest.raises(Exception, match="schema successor"):
        station.installed.init()
    assert len(station.installed.entries()) == entries
    station.start()
