"""What a machine does to an installation: each a clear message, and nothing is lost.

Through the real daemon and the real command, each a process of its own.

| bad input | tests |
|---|---|
| unreadable directory | here; footage/test_read.py, ingest/test_losses.py |
| file replaced by a link or directory, two links | here; deletion/test_cycle.py |
| read-only root | here; footage/test_mounts.py |
| full disk under the catalogue | test_disks.py; daemon/test_trouble.py |
| root unmounted while running | here; test_disks.py (in mid-batch, and at boot) |
| catalogue missing, truncated, garbage, replaced | here; daemon/test_daemon.py |
| two daemons | here; daemon/test_daemon.py |
| names that are not UTF-8 | here; ingest/test_scan.py, footage/test_read.py |
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from retention.catalogue import db
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.site import clock
from tests.support import needs
from tests.support.installation import Daemon, Installation


@pytest.fixture
def site(tmp_path):
    made = Installation(tmp_path)
    (tmp_path / "nvr1" / "1002").mkdir()
    made.init()
    return made


def film(site, *, due_in=HOUR, camera="1001"):
    """A recording that falls due in this time; it is there before the daemon."""
    return site.record(clock.read().wall, DAY - due_in, camera=camera)


def retention(site, *arguments):
    """One command: status, standard output, and errors, which are never a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "retention", "--config", site.config, *arguments],
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def adopted(running):
    """It has taken the root in, so that what falls due later is no surprise."""
    running.until(lambda: running.installation.entries("root.adopted"))
    return running


def catalogued(running, count):
    """It knows so many recordings."""
    running.until(lambda: sum(added(running)) == count)


def added(running):
    for line in running.log().splitlines():
        yield json.loads(line).get("added", 0)


def guards(site, kind="guard.tripped"):
    return [(e["fields"]["guard"], e["fields"]["scope"]) for e in site.entries(kind)]


def end(running):
    """It stops in order, and its journal is JSON, with no traceback in it."""
    assert running.end() == 0
    for line in running.log().splitlines():
        assert "exception" not in json.loads(line)


# -- files ---------------------------------------------------------------------------


def test_files_that_are_not_what_was_catalogued_are_kept_and_said(site, daemon):
    linked, *_ = files = [film(site, due_in=HOUR + n * SECOND) for n in range(3)]
    good = film(site, camera="1002")
    running = adopted(daemon(site))
    catalogued(running, 4)
    other = site.directory / "other"
    os.link(linked, other)
    target = site.directory / "target"
    target.write_bytes(b"footage")
    files[1].unlink()
    files[1].mkdir()
    (files[1] / "in it").write_bytes(b"x")
    files[2].unlink()
    files[2].symlink_to(target)
    site.pass_time(HOUR + MINUTE)
    running.until(lambda: not good.exists())
    running.until(lambda: retention(site, "status")[0] == 6)
    answer = json.loads(retention(site, "--json", "status")[1])
    (alarm,) = (one for one in answer["alarms"] if one["alarm"] == "overdue")
    assert "1 recording could not be deleted (several links)" in alarm["detail"]
    plan = json.loads(retention(site, "--json", "plan")[1])
    said = "Due, but could not be deleted in nvr1: 1 recording (several links)"
    assert said in retention(site, "plan")[1]
    shown = retention(site, "recording", "show", f"nvr1/1001/{linked.name}")[1]
    assert "several links (tried 1 time)" in shown
    # What is only a directory or a link now is lost, or what could not be deleted until
    # a comparison has seen that.
    failed = {one["why"]: one["recordings"] for one in plan["failed"]}
    lost = sum(one["fields"]["count"] for one in site.entries("recordings.lost"))
    assert failed.pop("several links") == 1
    assert failed.keys() <= {"not a regular file"}
    assert sum(failed.values()) + lost >= 2
    assert all(os.path.lexists(file) for file in files)
    assert (other.read_bytes(), target.read_bytes()) == (b"footage", b"footage")
    assert (files[1] / "in it").exists()
    end(running)
    assert site.verify().ok


def test_names_that_are_not_utf_8_are_told_and_left_alone(site, daemon):
    strange = os.fsencode(site.directory) + b"/nvr1/caf\xe9"
    os.mkdir(strange)
    paths = [
        strange + b"/2026-01-01_00-00-00.mp4",
        os.fsencode(site.directory) + b"/nvr1/1001/\xff\xfe.mp4",
    ]
    for path in paths:
        with open(path, "wb") as file:
            file.write(b"film")
        os.utime(path, (1_767_225_605,) * 2)
    good = film(site)
    running = adopted(daemon(site))
    site.pass_time(HOUR)
    running.until(lambda: not good.exists())
    running.until(lambda: retention(site, "status")[0] == 8)
    text = retention(site, "--json", "status")[1]
    told = [(one["directory"], one["example"]) for one in json.loads(text)["unknown"]]
    assert sorted(told) == [
        ("1001", "%FF%FE.mp4"),
        ("caf%E9", "2026-01-01_00-00-00.mp4"),
    ]
    assert "caf%E9/2026-01-01" in retention(site, "status")[1]
    assert retention(site, "audit", "list")[0] == 0
    assert all(os.path.exists(path) for path in paths)
    end(running)
    assert site.verify().ok


@needs.root
@pytest.mark.skipif(
    shutil.which("setpriv") is None and not needs.CI, reason="needs the command setpriv"
)
def test_a_directory_of_another_user_is_told_and_the_rest_goes_on(site, daemon):
    """The service has no more rights than any user; camera 1002's folder is closed."""
    closed, good = film(site, due_in=2 * HOUR, camera="1002"), film(site)
    os.chown(closed.parent, 65534, 65534)
    closed.parent.chmod(0o700)
    running = Unprivileged(site, {})
    try:
        adopted(running)
        site.pass_time(HOUR)
        running.until(lambda: "scan.unreadable" in running.log())
        running.until(lambda: not good.exists())
        assert "1002" in running.log()
        assert "Permission denied" in running.log()
        check = subprocess.run(
            [*UNPRIVILEGED, sys.executable, "-m", "retention", "--config", site.config,
             "check"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert check.returncode == 1
        assert f"{closed.parent}" in check.stdout
        assert closed.exists()
        assert site.entries("recordings.lost") == []
        closed.parent.chmod(0o777)
        running.round()
        site.pass_time(HOUR)
        running.until(lambda: not closed.exists())
        end(running)
    finally:
        running.kill()
    assert site.verify().ok


UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")


class Unprivileged(Daemon):
    """The daemon without root's right to pass over modes and owners."""

    PREFIX = UNPRIVILEGED


# -- roots ---------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path, mount):
    """An installation whose root is a disk of its own, bound to its place."""
    (tmp_path / "disk").mkdir()
    mount(tmp_path / "disk", "-t", "tmpfs", "none")
    (tmp_path / "disk" / "1001").mkdir()
    site = Installation(tmp_path)
    mount(tmp_path / "nvr1", "--bind", tmp_path / "disk")
    site.init()
    return site


def connect(site):
    places = site.directory / "disk", site.directory / "nvr1"
    subprocess.run(["mount", "--bind", *places], check=True)


def unmount(site):
    where = site.directory / "nvr1"
    subprocess.run(["umount", "-l", where], capture_output=True, check=False)


@needs.root
def test_a_root_that_turns_read_only_is_a_guard_until_it_is_writable(disk, daemon):
    file = film(disk)
    running = adopted(daemon(disk))
    catalogued(running, 1)
    turn = ["mount", "-o", "remount,bind,ro", disk.directory / "nvr1"]
    subprocess.run(turn, check=True)
    running.until(lambda: guards(disk))
    assert guards(disk) == [("root", "nvr1")]
    status, text, _ = retention(disk, "status")
    assert status == 6
    assert "read-only" in text
    disk.pass_time(HOUR + MINUTE)
    running.round()
    assert file.exists()
    turn[2] = "remount,bind,rw"
    subprocess.run(turn, check=True)
    running.until(lambda: not file.exists())
    running.until(lambda: guards(disk, "guard.cleared"))
    end(running)
    assert disk.entries("recordings.lost") == []
    assert disk.verify().ok


@needs.root
def test_a_root_that_is_unmounted_while_it_runs_is_a_guard_until_it_is_back(
    disk, daemon
):
    file, kept = film(disk), film(disk, due_in=2 * HOUR)
    running = adopted(daemon(disk))
    catalogued(running, 2)
    unmount(disk)
    running.until(lambda: guards(disk))
    status, text, _ = retention(disk, "status")
    assert status == 6
    assert f"footage root nvr1 ({disk.directory}/nvr1)" in text
    connect(disk)
    disk.pass_time(HOUR)
    running.until(lambda: not file.exists())
    running.until(lambda: guards(disk, "guard.cleared"))
    assert kept.exists()
    end(running)
    assert disk.entries("recordings.lost") == []
    assert disk.verify().ok


# -- the catalogue -------------------------------------------------------------------


def missing(path):
    path.unlink()


def truncated(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def garbage(path):
    path.write_bytes(os.urandom(100_000))


def directory(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [missing, truncated, empty, garbage, directory])
def test_without_its_catalogue_it_does_not_start_and_a_sentence_says_why(site, harm):
    """Nothing is deleted, nobody is answered, and a hold waits for a better day."""
    file = film(site, due_in=-HOUR)
    harm(site.state / db.NAME)
    status, _, said = retention(site, "run")
    assert (status, said.count("\n")) == (1, 1)
    assert str(site.state / db.NAME) in said
    for command in (["status"], ["audit", "verify"]):
        status, text, said = retention(site, *command)
        assert (status, text) == (3, "")
        assert "nothing is being deleted by this program" in said
    status, _, said = retention(site, *HOLD)
    assert status == 3
    assert "WAITING, NOT CONFIRMED" in said
    (left,) = site.settings.spool.glob("*.json")
    assert str(left) in said
    assert file.exists()


HOLD = (
    "hold", "place", "1001", "--from", "-2d", "--to", "now", "--kind", "court",
    "--reference", "1", "--reason", "x",
)  # fmt: skip


def move_away(site):
    for file in site.state.glob(f"{db.NAME}*"):
        shutil.move(file, site.directory / file.name)


def put_another(site):
    """As a restore under the running daemon does."""
    shutil.copy2(site.state / db.NAME, site.state / "copy")
    os.replace(site.state / "copy", site.state / db.NAME)


@pytest.mark.parametrize("harm", [move_away, put_another])
def test_a_catalogue_that_goes_while_it_runs_stops_deletion(site, daemon, harm):
    """SQLite would not notice, and deletions would be on no record."""
    file = film(site)
    running = adopted(daemon(site))
    catalogued(running, 1)
    harm(site)
    site.pass_time(HOUR + MINUTE)
    running.round()
    running.until(lambda: "was moved, removed or replaced" in running.log())
    assert file.exists()
    running.end()
    assert "Traceback" not in running.log()
    for moved in site.directory.glob(f"{db.NAME}*"):
        shutil.move(moved, site.state / moved.name)
    again = daemon(site)
    again.until(lambda: not file.exists())
    assert again.end() == 0
    assert site.verify().ok


def test_a_catalogue_that_is_put_back_goes_on_by_itself(site, daemon):
    file = film(site)
    running = adopted(daemon(site))
    catalogued(running, 1)
    site.pass_time(HOUR)
    move_away(site)
    running.until(lambda: "was moved, removed or replaced" in running.log())
    for moved in site.directory.glob(f"{db.NAME}*"):
        shutil.move(moved, site.state / moved.name)
    running.until(lambda: not file.exists())
    end(running)
    assert site.verify().ok


def test_a_second_daemon_is_told_who_is_there_and_touches_nothing(site, daemon):
    running = adopted(daemon(site))
    before = len(site.entries())
    status, text, said = retention(site, "run")
    assert (status, text) == (1, "")
    assert f"the daemon is running (pid {running.process.pid})" in said
    assert said.count("\n") == 1
    since = site.entries()[before:]  # the first one may have had something to say
    assert {entry["actor"]["pid"] for entry in since} <= {running.process.pid}
    end(running)


def test_a_catalogue_that_another_program_has_locked_is_told_by_status(site, daemon):
    old = film(site)
    running = adopted(daemon(site))
    catalogued(running, 1)
    running.round()
    with sqlite3.connect(site.state / db.NAME, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        told = "NOT DELETING: guard log: the catalogue "
        running.until(lambda: retention(site, "status")[1].startswith(told))
        status, text, _ = retention(site, "status")
        assert status == 6
        assert "is locked by another program; close whatever has it open" in text
        (alarm,) = json.loads(retention(site, "--json", "status")[1])["alarms"]
        assert (alarm["rank"], alarm["number"]) == ("stops", None)
        _, _, said = retention(
            site, "hold", "place", "1001", "--from", "2026-10-24 20:00", "--to",
            "2026-10-24 21:00", "--kind", "court", "--reference", "A/1", "--reason", "trial",
        )  # fmt: skip
        assert "is locked by another program" in said
        assert "NO hold is placed. This program begins no deletion while" in said
        site.pass_time(HOUR + MINUTE)
        running.round()
        assert old.exists()
        other.execute("ROLLBACK")
    other.close()
    running.until(lambda: not old.exists())
    running.until(lambda: retention(site, "status")[0] != 6)
    end(running)
