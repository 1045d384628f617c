"""Empty directories go one by one, upward, as far as they may."""

import os

import pytest

from retention.footage.delete import remove_empty
from tests.support import needs
from tests.support.disks import nobody


def never(directory):
    return False


def test_empty_directories_go_up_to_the_root(root, path):
    (path / "cam" / "day" / "hour").mkdir(parents=True)
    assert remove_empty(root, b"cam/day/hour", never) is None
    assert os.listdir(path) == [".cctv-retention-root"]


def test_the_root_stays(root, path):
    os.unlink(path / ".cctv-retention-root")
    assert remove_empty(root, b"", never) is None
    assert path.is_dir()


def test_what_is_to_be_kept_is_kept_with_all_above(root, path):
    (path / "cam" / "day" / "hour").mkdir(parents=True)
    asked = []

    def keep(directory):
        asked.append(directory)
        return directory == b"cam/day"

    remove_empty(root, b"cam/day/hour", keep)
    assert asked == [b"cam/day/hour", b"cam/day"]
    assert os.listdir(path / "cam") == ["day"]


def test_a_directory_with_anything_in_it_stays(root, put, path):
    put(b"cam/day/a.mp4")
    (path / "cam" / "empty").mkdir()
    assert remove_empty(root, b"cam/day", never) is None
    assert remove_empty(root, b"cam", never) is None
    assert (path / "cam" / "empty").is_dir()


def test_one_that_went_meanwhile_is_fine_and_its_parent_goes(root, path):
    (path / "cam").mkdir()
    assert remove_empty(root, b"cam/day", never) is None
    assert not (path / "cam").exists()


@pytest.mark.parametrize("target", ["empty", "nowhere"])
def test_a_link_is_not_removed_nor_what_it_leads_to(root, path, tmp_path, target):
    (tmp_path / "empty").mkdir()
    (path / "link").symlink_to(tmp_path / target)
    assert remove_empty(root, b"link", never) == "Not a directory"
    assert (path / "link").is_symlink()
    assert (tmp_path / "empty").is_dir()


def test_a_file_is_not_removed(root, put):
    file = put(b"cam")
    assert remove_empty(root, b"cam", never) == "Not a directory"
    assert os.path.exists(file)


@pytest.mark.parametrize("way", [b"..", b"cam/..", b"cam/.", b"/cam", b"../outside"])
def test_no_path_leads_out_of_the_root(root, path, tmp_path, way):
    (path / "cam").mkdir()
    (tmp_path / "outside").mkdir()
    assert remove_empty(root, way, never) == "not a path below the root"
    assert (tmp_path / "outside").is_dir()
    assert (path / "cam").is_dir()


def test_a_moved_directory_is_out_of_reach(root, path, tmp_path):
    (path / "cam" / "day").mkdir(parents=True)
    root.directory(b"cam/day")
    (path / "cam" / "day").rename(tmp_path / "seized")
    remove_empty(root, b"cam/day", never)
    assert (tmp_path / "seized").is_dir()


@needs.root
def test_missing_rights_are_said(root, path):
    (path / "cam" / "day").mkdir(parents=True)
    with nobody():
        assert remove_empty(root, b"cam/day", never) == "Permission denied"
    assert (path / "cam" / "day").is_dir()
