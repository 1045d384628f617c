"""Disks that are away or full at the wrong moment, with the whole daemon's parts."""

import re
import shutil
import subprocess
import sys

import pytest

from retention.deletion import batch as procedure
from retention.model.errors import CatalogueError
from retention.model.values import HOUR
from retention.service.client import Client
from retention.site import reserve
from tests.support import needs
from tests.support.installation import MINUTE, Installation, never
from tests.support.premises import Crash
from tests.support.served import served

pytestmark = needs.root


@pytest.fixture
def nas(tmp_path, fake_clock, mount):
    """An installation whose root is a disk of its own, with three recordings."""
    (tmp_path / "disk").mkdir()
    mount(tmp_path / "disk", "-t", "tmpfs", "none")
    site = Installation(tmp_path)
    mount(tmp_path / "nvr1", "--bind", tmp_path / "disk")
    (tmp_path / "nvr1" / "1001").mkdir()
    site.init()
    for n in range(3):
        site.record(fake_clock().wall, 23 * HOUR + n * MINUTE)
    service = site.service()
    service.tick(never)
    turn(service)
    return site, service


def connect(site):
    """Mount the disk at the root again."""
    disk, where = site.directory / "disk", site.directory / "nvr1"
    subprocess.run(["mount", "--bind", disk, where], check=True)


def turn(service):
    """One round of the root; why nothing was deleted."""
    (work,) = service._works
    work.scan(never)
    work.recover(never)
    work.cycle(never)
    return work.blocked


def end(service):
    for work in service._works:
        work.close()
    service._core.catalogue.close()


def test_a_disk_that_is_away_at_boot_leaves_its_open_intent_open(
    nas, fake_clock, monkeypatch
):
    """The machine died in a batch, and starts without its disk; at the mount point
    lies a copy of a file of the batch."""
    site, service = nas
    fake_clock.elapsed += 2 * HOUR
    calls = iter(range(9))
    with monkeypatch.context() as patch:
        real = procedure.delete
        patch.setattr(procedure, "delete", lambda *a: _dying(calls, real, *a))
        with pytest.raises(Crash):
            turn(service)
    left = site.files()
    assert len(left) == 2
    end(service)
    shutil.copy2(site.directory / "nvr1" / "1001" / left[0], site.directory)
    subprocess.run(["umount", "-l", site.directory / "nvr1"], check=True)
    shutil.copy2(site.directory / left[0], site.directory / "nvr1" / "1001")
    fake_clock.boot, fake_clock.synchronised = "another boot", True
    service = site.service()
    fake_clock.elapsed += MINUTE
    assert "missing (it is on the disk of" in turn(service)
    assert turn(service).startswith("guard root")
    assert site.files() == left[:1]  # the copy
    assert site.entries("recordings.deleted") == []
    assert site.entries("recordings.lost") == []
    assert site.verify().open_intents != []
    connect(site)
    fake_clock.elapsed += MINUTE
    turn(service)
    turn(service)
    assert site.files() == []
    (done,) = site.entries("recordings.deleted")
    assert (done["fields"]["absent_after_crash"], done["fields"]["deleted"]) == (1, 2)
    report = site.verify()
    assert (report.ok, report.open_intents) == (True, [])
    end(service)


def _dying(calls, real, *arguments):
    if next(calls) == 1:
        raise Crash
    return real(*arguments)


def test_a_disk_that_goes_in_the_middle_of_a_batch_loses_nothing(
    nas, fake_clock, monkeypatch
):
    """Unmounted by force: the open handles lead to it still, and to nothing else."""
    site, service = nas
    fake_clock.elapsed += 2 * HOUR
    calls = iter(range(9))
    real = procedure.delete

    def delete(*arguments):
        if next(calls) == 1:
            subprocess.run(["umount", "-l", site.directory / "nvr1"], check=True)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(procedure, "delete", delete)
        assert "another directory or disk" in turn(service)
    fake_clock.elapsed += MINUTE
    assert "Nothing in it is deleted meanwhile" in turn(service)
    assert [e["fields"]["scope"] for e in site.entries("guard.tripped")] == ["nvr1"]
    connect(site)
    for _ in range(3):
        fake_clock.elapsed += 2 * MINUTE
        turn(service)
    assert site.files() == []
    done = [entry["fields"] for entry in site.entries("recordings.deleted")]
    assert sum(one["deleted"] + one["absent_after_crash"] for one in done) == 3
    assert sum(one["absent"] for one in done) == 0
    assert site.entries("recordings.lost") == []
    report = site.verify()
    assert (report.ok, report.open_intents) == (True, [])
    end(service)


@pytest.fixture
def small(tmp_path, mount, monkeypatch):
    """An installation whose catalogue has a disk of 4 MiB, a quarter of it in reserve."""
    monkeypatch.setattr(reserve, "SIZE", 1 << 20)
    (tmp_path / "state").mkdir()
    mount(tmp_path / "state", "-t", "tmpfs", "-o", "size=4m,mode=700", "none")
    site = Installation(tmp_path)
    site.init()
    return site


@pytest.fixture
def full(small):
    """The same, full but for the reserve, and no service yet."""
    fill(small.state / "fill")
    return small


@pytest.fixture
def filled(small):
    """The same, full but for the reserve, under a service that is answering."""
    with served(small.settings):
        fill(small.state / "fill")
        use_up(small)
        yield small


def use_up(site):
    """Write until nothing more can be: what the catalogue has of its own is used too."""
    with pytest.raises(CatalogueError, match="the disk is full"):
        add_cameras(Client(site.config), 1000)


def add_cameras(client, count):
    for number in range(count):
        client.call("camera.add", id=f"9{number:03}", location="x" * 400)


def retention(site, *arguments):
    """Status and standard error of one command."""
    done = subprocess.run(
        [sys.executable, "-m", "retention", "--config", site.config, *arguments],
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


HOLD = (
    "hold", "place", "1001", "--from", "-2d", "--to", "now", "--kind", "court",
    "--reference", "16*1", "--reason", "assault",
)  # fmt: skip


def test_on_a_full_disk_a_hold_is_stored_in_the_reserve(filled):
    assert (filled.state / reserve.NAME).stat().st_size == 1 << 20
    assert retention(filled, *HOLD)[0] == 7
    assert len(filled.entries("hold.placed")) == 1
    assert (filled.state / reserve.NAME).stat().st_size == 0
    assert filled.verify().ok


def test_on_a_full_disk_without_reserve_a_sentence_says_what_to_do(filled):
    (filled.state / reserve.NAME).write_bytes(b"")
    fill(filled.state / "more")
    use_up(filled)
    for command in (HOLD, ["camera", "retire", "1001"]):
        status, said = retention(filled, *command)
        assert status == 1
        assert "the disk is full; nothing was written. Free space" in said
    assert retention(filled, "status")[0] == 6  # nobody has scanned its root yet
    (filled.state / "more").write_bytes(b"")
    assert retention(filled, *HOLD)[0] == 7
    assert len(filled.entries("hold.placed")) == 1
    assert filled.verify().ok


def test_on_a_full_disk_only_what_keeps_footage_may_use_the_reserve(filled):
    status, said = retention(filled, "camera", "retire", "1001")
    assert status == 1
    assert "the disk is full" in said
    assert (filled.state / reserve.NAME).stat().st_size == 1 << 20


def test_on_a_full_disk_without_reserve_no_service_starts_and_a_hold_waits(
    full, daemon
):
    """It is stored as soon as there is room, before anything is deleted."""
    (full.state / reserve.NAME).write_bytes(b"")
    fill(full.state / "more")
    status, said = retention(full, "run")
    assert status == 1
    assert "the disk is full; nothing was written. Free space" in said
    status, said = retention(full, *HOLD)
    assert status == 3
    assert "WAITING, NOT CONFIRMED" in said
    (full.state / "more").write_bytes(b"")
    running = daemon(full)
    running.until(lambda: not list(full.settings.spool.glob("*.json")))
    assert len(full.entries("hold.placed")) == 1
    assert running.end() == 0
    assert full.verify().ok


def test_on_a_disk_that_fills_under_the_daemon_a_hold_is_stored_all_the_same(
    small, daemon
):
    # Else a scan that can't write releases the reserve, and cameras use that up too.
    text = small.config.read_text()
    small.config.write_text(
        re.sub(r'^(scan|cycle) = ".*"', r'\1 = "1h"', text, flags=re.M)
    )
    running = daemon(small)
    running.until(lambda: retention(small, "status")[0] != 3)
    begun = {f"nvr1.{what}" for what in ("scan", "cycle")}
    rounds = small.directory / "rounds"
    running.until(lambda: {one.name for one in rounds.glob("nvr1.*")} >= begun)
    fill(small.state / "fill")
    use_up(small)
    assert retention(small, *HOLD)[0] == 7
    assert len(small.entries("hold.placed")) == 1
    assert running.end() == 0
    assert small.verify().ok


def test_on_a_full_disk_the_daemon_starts_in_the_room_of_the_reserve(full, daemon):
    running = daemon(full)
    running.until(lambda: full.entries("heartbeat"))
    assert "reserve.released" in running.log()
    assert running.end() == 0
    assert full.verify().ok


def fill(path):
    """Take all that is free, to the last byte."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
