"""What no scan reaches and what never rests is told, in the words of who looks."""

import os
import unicodedata

import pytest

from retention.catalogue import raised, unread
from retention.control import guards
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State
from retention.reports import conditions
from tests.support import needs
from tests.support.disks import nobody, unmount
from tests.support.fixtures import mount as mount
from tests.support.world import World

T0 = 1_784_541_600 * SECOND  # 20 Jul 2026, 10:00:00 UTC; the world's now is 12:20
NAME = "2026-07-20_10-00-00.mp4"


def told(world: World, name: str) -> list[str]:
    with world.catalogue.read() as tx:
        return [one.detail for one in raised.everyone(tx) if one.name == name]


def test_a_camera_s_folder_that_is_a_link_is_told(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    elsewhere = world.directory / "elsewhere"
    elsewhere.mkdir()
    (world.directory / "nvr1" / "1002").symlink_to(elsewhere)
    world.settle(world.directory / "nvr1")
    scan()
    assert told(world, "unreached") == [
        "1002 (a link to a directory, and links are never followed)"
    ]
    with world.catalogue.read() as tx:
        assert list(unread.parts(tx, world.root().key).parts) == [b"1002"]


def test_it_is_told_no_more_once_the_link_is_gone(world):
    world.write(f"1001/{NAME}", T0 + HOUR)
    link = world.directory / "nvr1" / "1002"
    link.symlink_to(world.directory)
    world.settle(link.parent)
    scanner = world.scanner()
    scanner.scan(world.NOW, lambda: False)
    assert len(told(world, "unreached")) == 1
    scanner.scan(world.NOW + MINUTE, lambda: False)
    assert len(told(world, "unreached")) == 1
    world.remove(link)
    scanner.scan(world.NOW + 2 * MINUTE, lambda: False)
    assert told(world, "unreached") == []
    with world.catalogue.read() as tx:
        assert not unread.parts(tx, world.root().key).parts


@needs.root
def test_a_dated_directory_that_is_a_mount_is_told(world, scan, mount):
    world.write(f"1001/{NAME}", T0 + HOUR)
    (world.directory / "nvr1" / "1002").mkdir()
    mount(world.directory / "nvr1" / "1002")
    world.settle(world.directory / "nvr1")
    scan()
    assert told(world, "unreached") == [
        "1002 (another file system is mounted there: make it a root of its own)"
    ]


@needs.root
def test_what_lies_below_a_mount_is_met_as_soon_as_that_is_gone(world, mount):
    """Taking it away changes no directory."""
    folder = world.directory / "nvr1" / "1002"
    world.write(f"1002/{NAME}", T0 + HOUR)
    mount(folder)
    world.settle(world.directory / "nvr1")
    scanner = world.scanner()
    for minutes in range(2):
        scanner.scan(world.NOW + minutes * MINUTE, lambda: False)
    assert (world.rows(), len(told(world, "unreached"))) == ([], 1)
    unmount(folder)
    scanner.scan(world.NOW + 2 * MINUTE, lambda: False)
    assert (len(world.rows()), told(world, "unreached")) == (1, [])


@needs.root
def test_an_older_directory_that_can_t_be_read_any_more_is_told_at_once(world):
    """Taking away its rights changes no name in it, nor its modification time."""
    file = world.write(f"1001/2026-07-19/{NAME}", T0 + HOUR)
    scanner = world.scanner(layout="{camera}/%Y-%m-%d/%Y-%m-%d_%H-%M-%S.mp4")
    for minutes in range(2):
        scanner.scan(world.NOW + minutes * MINUTE, lambda: False)
    assert told(world, "unreached") == []
    file.parent.chmod(0)
    for path in (world.directory, *world.directory.rglob("*")):
        os.chown(path, 65534, 65534)
    os.chown(file.parent, 0, 0)
    for above in world.directory.parents:
        above.chmod(above.stat().st_mode | 0o011)
    with nobody():
        scanner.scan(world.NOW + 2 * MINUTE, lambda: False)
    assert told(world, "unreached") == ["1001/2026-07-19 (Permission denied)"]
    file.parent.chmod(0o755)
    scanner.scan(world.NOW + 3 * MINUTE, lambda: False)
    assert told(world, "unreached") == []


def test_every_part_that_is_not_reached_is_named_once_for_its_reason(world, scan):
    """A fourth one is the one that a hold asks for."""
    for number in range(1, 6):
        link = world.root().path / f"100{number}"
        link.symlink_to(world.directory)
    world.settle(link)
    scan()
    assert told(world, "unreached") == [
        "1001, 1002, 1003, 1004, 1005 (a link to a directory, and links are never "
        "followed)"
    ]


def test_a_root_that_is_read_whole_tells_nothing(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    scan()
    assert told(world, "unreached") == told(world, "restless") == []


def test_a_file_that_is_written_on_for_ever_is_told(world):
    file = world.write("1001/2026-06-10_10-00-00.mp4", world.NOW)
    scanner = world.scanner()
    for seconds in range(0, 120, 20):
        now = world.NOW + seconds * SECOND
        world.touch(file, now)
        scanner.scan(now, lambda: False)
    assert world.rows() == []
    assert told(world, "restless") == [
        "1 file still being written, a day or more after the longest a recording may be: "
        "1001/2026-06-10_10-00-00.mp4"
    ]
    scanner.scan(world.NOW + DAY, lambda: False)
    assert told(world, "restless") == []


@pytest.mark.parametrize(
    "folder", [unicodedata.normalize("NFD", "café"), "CAFÉ", "café "]
)
def test_a_name_that_only_looks_the_same_is_told_at_once(world, scan, folder):
    world.camera("café")
    world.write(f"{folder}/{NAME}", T0 + HOUR)
    scan()
    with world.catalogue.read() as tx:
        (found,) = conditions.strangers(
            world.asked(world.settings()), tx
        ).where.values()
    assert 'no camera of this name is registered, but "café" is one' in found.detail


def test_footage_of_a_camera_that_nobody_registered_is_told_at_once(world, scan):
    world.write(f"9999/{NAME}", T0 + HOUR)
    scan()
    with world.catalogue.read() as tx:
        (found,) = conditions.strangers(
            world.asked(world.settings()), tx
        ).where.values()
    assert found.detail.startswith("1 file, 10 B, in 1 directory: no camera of this")


def test_a_file_that_the_catalogue_does_not_take_is_told(world):
    """Its row was taken out by hand; something of it is left there."""
    world.write(f"1001/{NAME}", T0 - HOUR)  # quarantined: written before it began
    for _ in range(2):
        world.scanner().scan(world.NOW, lambda: False)
    assert [row.state for row in world.rows()] == [State.QUARANTINED]
    world.tamper("DELETE FROM recording")
    world.scanner().scan(world.NOW + MINUTE, lambda: False)
    assert world.rows() == []
    (said,) = told(world, "unreached")
    assert said.startswith(
        f"1001/{NAME} (the catalogue has something else in its place"
    )
    world.tamper("DELETE FROM quarantine")
    world.scanner().scan(world.NOW + 2 * MINUTE, lambda: False)
    assert (len(world.rows()), told(world, "unreached")) == (1, [])


def test_a_file_of_several_names_is_told_with_what_ends_it(world, scan):
    """Neither its camera nor its layout is missing."""
    old = world.write("1001/2026-06-10_10-00-00.mp4", T0 - 40 * DAY)
    (world.directory / "kept.mp4").hardlink_to(old)
    scan()
    with world.catalogue.read() as tx:
        (found,) = conditions.strangers(
            world.asked(world.settings()), tx
        ).where.values()
    assert "has several hard links" in found.detail
    assert "leave a file with several hard links a single name" in guards.remedy(
        "unknown"
    )
