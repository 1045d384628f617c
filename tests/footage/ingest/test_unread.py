"""A scan that could not read everything is remembered: what it did not see may exist."""

from retention.catalogue import unread as parts_unread
from retention.model.values import HOUR


def unread(world):
    with world.catalogue.read() as tx:
        return parts_unread.parts(tx, world.root().key).parts


def test_a_directory_that_can_not_be_read_is_remembered_until_it_can(world, scan):
    """Here a link in place of the directory; root may read anything else."""
    file = world.write("1001/2026-07-20_10-00-00.mp4", world.NOW - HOUR)
    scan()
    assert not unread(world)
    aside = world.directory / "aside"
    file.parent.rename(aside)
    file.parent.symlink_to(aside)
    world.settle(world.directory / "nvr1")
    scan()
    why = "a link to a directory, and links are never followed"
    assert unread(world)[b"1001"] == why
    file.parent.unlink()
    aside.rename(file.parent)
    world.settle(world.directory / "nvr1")
    scan()
    assert not unread(world)
