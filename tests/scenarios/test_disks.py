"""Disks that are away or full at the wrong moment, with the whole daemon's parts."""

import shutil
import subprocess

import needs
import pytest
from installation import MINUTE, Installation, never

from retention import batch as procedure
from retention.cli import run as command
from retention.model import HOUR

pytestmark = needs.root


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def nas(tmp_path, fake_clock, mount):
    """An installation whose root is a disk of its own, with three recordings."""
    (tmp_path / "disk").mkdir()
    mount(tmp_path / "disk", "-t", "tmpfs", "none")
    site = Installation(tmp_path)
    connect(site)
    (tmp_path / "nvr1" / "1001").mkdir()
    site.init()
    for n in range(3):
        site.record(fake_clock().wall, 23 * HOUR + n * MINUTE)
    service = site.service()
    service.tick(never)
    turn(service)
    yield site, service
    subprocess.run(["umount", "-l", tmp_path / "nvr1"], capture_output=True)


def connect(site):
    """Mount the disk at the root."""
    mounts = site.directory / "disk", site.directory / "nvr1"
    subprocess.run(["mount", "--bind", *mounts], check=True)


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
    service._catalogue.close()


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
    assert "missing (nothing is mounted" in turn(service)
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
        turn(service)
    fake_clock.elapsed += MINUTE
    assert "mount" in turn(service)
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


def test_on_a_full_disk_a_hold_is_refused_in_a_sentence_and_none_is_half_there(
    tmp_path, mount, capsys
):
    (tmp_path / "state").mkdir()
    mount(tmp_path / "state", "-t", "tmpfs", "-o", "size=2m,mode=700", "none")
    site = Installation(tmp_path)
    site.init()
    fill(site.state / "fill")
    place = ["hold", "place", "1001", "--from", "-2d", "--to", "now"]
    why = ["--kind", "police", "--reference", "16*1", "--reason", "assault"]
    capsys.readouterr()
    assert command(["--config", str(site.config), *place, *why]) == 1
    said = capsys.readouterr().err
    assert "disk is full" in said
    assert said.count("\n") <= 2
    assert site.entries("hold.placed") == []
    (site.state / "fill").unlink()
    assert command(["--config", str(site.config), *place, *why]) == 7
    assert len(site.entries("hold.placed")) == 1
    assert site.verify().ok


def fill(path):
    """Take all that is free, to the last byte."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
