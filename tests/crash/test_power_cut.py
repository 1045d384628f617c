"""The power goes at any system call of a deletion cycle: state and footage on one ext4
or on two, whose journals and caches are lost.  What was called durable is there.

A tenth of the draws, as `campaign` says.  What an outsider finds, and what the next
start makes of it, is as after a kill.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.test_kill_everywhere import restarted
from tests.publication.test_kill import restarted as published
from tests.support import campaign, killed, needs
from tests.support import crash_archive as archive
from tests.support.power import Disk
from tests.support.victims import Victims, instead, traced

CUTS = 200

pytestmark = [needs.root, needs.strace, needs.mkfs_ext4]


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    made = Victims()
    yield made
    made.close()


@pytest.fixture(scope="module")
def dozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dozen") / "site"
    archive.make(directory)
    return directory


@contextmanager
def on_disks(dozen: Path, directory: Path, *, two: bool) -> Iterator[list[Disk]]:
    """The archive on a disk, or its footage on one of its own; synced."""
    site = directory / "site"
    disks = [Disk(directory / "state.img", site)]
    if two:
        disks.append(Disk(directory / "footage.img", site / "footage"))
    try:
        shutil.copytree(dozen, site, dirs_exist_ok=True)
        for disk in disks:
            disk.sync()
        yield disks
    finally:
        for disk in reversed(disks):
            disk.unmount()


@pytest.mark.parametrize("two", [False, True], ids=["one disk", "two disks"])
def test_the_power_goes_and_nothing_held_or_on_record_is_lost(
    victims, dozen, tmp_path, two
):
    calls = traced(victims, dozen, tmp_path)
    points = [(call, n + 1) for call, made in calls.items() for n in range(len(made))]
    chance = campaign.chance(f"power {two}")
    for cut in range(campaign.share(CUTS // 2)):
        call, number = chance.choice(points)
        where = f"cut at {call} {number}"
        directory = tmp_path / f"{cut}"
        directory.mkdir()
        with on_disks(dozen, directory, two=two) as disks:
            tracing = instead(call, number, "signal=KILL")
            status, said = victims.run(directory / "site", *tracing)
            for disk in disks:
                disk.cut()
            assert status == -signal.SIGKILL, (where, said)
            for disk in reversed(disks):
                disk.unmount()
            for disk in disks:
                disk.mount()
            # An empty directory may be back, which harms nobody.
            hold = cut % 2 == 0
            restarted(directory / "site", where, hold=hold, emptied=False)


def test_the_power_goes_and_no_head_that_anybody_saw_is_contradicted(tmp_path):
    made = tmp_path / "made"
    killed.make(made)
    publishers = Victims("tests.support.killed")
    try:
        calls = traced(publishers, made, tmp_path)
        chance = campaign.chance("power publication")
        points = [(call, n + 1) for call, one in calls.items() for n in range(len(one))]
        for cut in range(campaign.share(CUTS // 2)):
            call, number = chance.choice(points)
            directory = tmp_path / f"{cut}"
            directory.mkdir()
            with on_disks(made, directory, two=False) as (disk,):
                tracing = instead(call, number, "signal=KILL")
                status, said = publishers.run(directory / "site", *tracing)
                disk.cut()
                assert status == -signal.SIGKILL, (call, number, said)
                disk.unmount()
                disk.mount()
                try:
                    published(directory / "site", said)
                except Exception as error:
                    error.add_note(f"cut at {call} {number}; it said {said}")
                    raise
    finally:
        publishers.close()


def test_what_is_not_synced_is_lost_when_the_power_goes(tmp_path):
    """Else the cuts above would prove nothing."""
    disk = Disk(tmp_path / "image", tmp_path / "disk")
    disk.sync()
    try:
        (tmp_path / "disk" / "lost").write_bytes(b"x")
        kept = os.open(tmp_path / "disk" / "kept", os.O_CREAT | os.O_WRONLY)
        os.fsync(kept)
        os.close(kept)
        (tmp_path / "disk" / "late").write_bytes(b"x")
        disk.cut()
        disk.unmount()
        disk.mount()
        there = {path.name for path in (tmp_path / "disk").iterdir()}
        assert "kept" in there
        assert "late" not in there
    finally:
        disk.unmount()
