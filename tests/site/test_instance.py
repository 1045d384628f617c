"""The single-instance lock: one writer, and a clear word to whoever comes second."""

import os
import subprocess
import sys

import pytest

from retention.model.errors import CatalogueError
from retention.site import instance
from tests.support import needs


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(instance, "_TRIES", 2)
    monkeypatch.setattr(instance, "_PAUSE_SECONDS", 0.01)


def _refusal(directory):
    with (
        pytest.raises(CatalogueError) as refused,
        instance.exclusive(directory, "hold.release"),
    ):
        pass
    return str(refused.value)


def test_a_second_command_is_told_who_is_at_work(tmp_path):
    with instance.exclusive(tmp_path, "hold.place"):
        assert f"(pid {os.getpid()}, hold.place)" in _refusal(tmp_path)


def test_while_the_daemon_runs_a_command_says_how_to_stop_it(tmp_path):
    with instance.exclusive(tmp_path):
        sentence = _refusal(tmp_path)
    assert f"the daemon is running (pid {os.getpid()})" in sentence
    assert "systemctl stop cctv-retention" in sentence


def test_the_lock_is_free_after_the_block_and_after_a_failure(tmp_path):
    with pytest.raises(ZeroDivisionError), instance.exclusive(tmp_path):
        raise ZeroDivisionError
    with instance.exclusive(tmp_path):
        pass
    assert instance.holder(tmp_path) is None


def test_the_holder_is_known_while_it_lasts(tmp_path):
    assert instance.holder(tmp_path) is None
    with instance.exclusive(tmp_path):
        assert instance.holder(tmp_path) == (os.getpid(), "daemon")
    assert instance.holder(tmp_path) is None


def test_a_killed_holder_leaves_no_lock_behind(tmp_path):
    program = (
        "import os, signal, pathlib\nfrom retention.site.instance import exclusive\n"
        f"with exclusive(pathlib.Path({str(tmp_path)!r})):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert (tmp_path / instance.NAME).read_text().endswith("daemon\n")
    assert instance.holder(tmp_path) is None
    with instance.exclusive(tmp_path):
        pass


def test_asking_who_holds_it_never_keeps_a_daemon_from_starting(tmp_path, monkeypatch):
    """A probe has the lock for an instant; the one who wants it waits that out."""
    monkeypatch.setattr(instance, "_TRIES", 5000)
    program = (
        "import pathlib\nfrom retention.site.instance import holder\n"
        f"for _ in range(3000): holder(pathlib.Path({str(tmp_path)!r}))"
    )
    with instance.exclusive(tmp_path):
        pass
    probe = subprocess.Popen([sys.executable, "-c", program])
    while probe.poll() is None:
        with instance.exclusive(tmp_path):
            pass
    assert probe.returncode == 0


@needs.root
def test_made_by_root_the_lock_file_belongs_to_the_directorys_owner(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    with instance.exclusive(tmp_path, "hold.place"):
        assert (tmp_path / instance.NAME).stat().st_uid == 65534


def test_a_link_in_place_of_the_lock_is_refused(tmp_path):
    (tmp_path / instance.NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), instance.exclusive(tmp_path):
        pass


def test_without_a_state_directory_the_sentence_names_init(tmp_path):
    with (
        pytest.raises(CatalogueError, match="retention init"),
        instance.exclusive(tmp_path / "gone"),
    ):
        pass
