"""The daemon as a process: start, stop, kill, two at once, roots that fail."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retention.catalogue import db
from retention.model.errors import UnreachableError
from retention.model.localtime import format_utc
from retention.model.values import HOUR, MINUTE
from retention.service.client import Client
from retention.site import clock
from tests.support import needs
from tests.support.installation import DAY, SECOND, Installation


def now():
    return clock.read().wall


def adopted(site, daemon, count, camera="1001", age=2 * DAY):
    """A running daemon that has adopted `count` recordings that are due."""
    for number in range(count):
        site.record(now(), age + number * MINUTE, camera=camera)
    running = daemon(site)
    running.until(lambda: site.entries("plan.proposed"))
    return running


def slowed(running):
    """Each unlink takes a fifth of a second, so that a batch is under way for long."""
    pid = str(running.process.pid)
    trace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-p",
        pid,
        "-e",
        "trace=unlinkat",
    ]
    slow = subprocess.Popen([*trace, "-e", "inject=unlinkat:delay_enter=200000"])
    tasks = Path(f"/proc/{pid}/task")
    running.until(
        lambda: all(
            "TracerPid:\t0\n" not in one.read_text() for one in tasks.glob("*/status")
        )
    )
    return slow


def test_the_opening_balance_is_on_record_before_anything_is_deleted(installed, daemon):
    running = adopted(installed, daemon, 3)
    running.until(lambda: installed.entries("recordings.recorded"))
    assert installed.entries("deletion.intended") == []
    (entry,) = installed.entries("recordings.recorded")
    assert entry["fields"]["recordings"] == 3


def test_it_starts_deletes_what_was_approved_and_stops_in_order(installed, daemon):
    running = adopted(installed, daemon, 3)
    installed.approve()
    running.until(lambda: not installed.files())
    assert running.end() == 0
    kinds = [entry["kind"] for entry in installed.entries()]
    assert kinds[-1] == "service.stopped"
    recorded = installed.entries("recordings.recorded")
    assert sum(entry["fields"]["recordings"] for entry in recorded) == 3
    assert {"settings.loaded", "service.started", "heartbeat"} <= set(kinds)
    assert installed.verify().ok


def test_interrupted_on_a_terminal_it_stops_in_order_too(installed, daemon):
    running = daemon(installed)
    running.until(lambda: installed.entries("service.started"))
    assert running.end(signal.SIGINT) == 0


def test_two_daemons_at_once_are_one_too_many(installed, daemon):
    first = daemon(installed)
    first.until(lambda: installed.entries("service.started"))
    second = subprocess.run(
        [sys.executable, "-m", "retention", "--config", installed.config, "run"],
        capture_output=True,
        text=True,
    )
    assert second.returncode == 1
    assert f"pid {first.process.pid}" in second.stderr


@needs.strace
def test_sigterm_in_the_middle_of_a_batch_finishes_the_record(installed, daemon):
    running = adopted(installed, daemon, 60)
    slow = slowed(running)
    installed.approve()
    running.until(lambda: len(installed.files()) < 55)
    running.process.terminate()  # at once: what is left would take ten seconds
    assert running.process.wait(120) == 0
    slow.wait(60)
    (done,) = installed.entries("recordings.deleted")
    left = len(installed.files())
    assert left > 0
    assert done["fields"]["deleted"] == 60 - left
    assert done["fields"]["stopped"] == left
    report = installed.verify()
    assert report.ok
    assert report.open_intents == []


@needs.strace
def test_sigkill_in_the_middle_of_a_batch_is_recovered_at_the_next_start(
    installed, daemon
):
    running = adopted(installed, daemon, 60)
    slow = slowed(running)
    installed.approve()
    running.until(lambda: len(installed.files()) < 55)
    running.kill()
    slow.wait(60)
    gone = 60 - len(installed.files())
    assert installed.entries("recordings.deleted") == []
    again = daemon(installed)
    again.until(lambda: not installed.files())
    assert again.end() == 0
    first = installed.entries("recordings.deleted")[0]["fields"]
    assert first["absent_after_crash"] >= gone
    assert installed.verify().ok


def test_a_root_that_is_missing_stops_no_other(tmp_path, daemon):
    site = Installation(tmp_path, ("nvr1", "nvr2"))
    site.init()
    shutil.move(tmp_path / "nvr1", tmp_path / "away")
    site.record(now(), 2 * DAY, root="nvr2")
    running = daemon(site)
    running.until(lambda: site.entries("plan.proposed"))
    site.approve()
    running.until(lambda: not site.files("nvr2"))
    tripped = [e["fields"]["scope"] for e in site.entries("guard.tripped")]
    assert tripped.count("nvr1") == 1
    shutil.move(tmp_path / "away", tmp_path / "nvr1")
    running.until(lambda: site.entries("root.adopted")[1:])
    running.until(
        lambda: "nvr1" in [e["fields"]["scope"] for e in site.entries("guard.cleared")]
    )
    assert running.end() == 0


def test_a_root_that_goes_away_while_running_comes_back(installed, daemon, tmp_path):
    running = adopted(installed, daemon, 1)
    shutil.move(tmp_path / "nvr1", tmp_path / "away")
    running.until(
        lambda: (
            "root" in [e["fields"]["guard"] for e in installed.entries("guard.tripped")]
        )
    )
    shutil.move(tmp_path / "away", tmp_path / "nvr1")
    running.until(
        lambda: (
            "root" in [e["fields"]["guard"] for e in installed.entries("guard.cleared")]
        )
    )
    assert installed.entries("recordings.lost") == []
    installed.approve()
    running.until(lambda: not installed.files())
    assert running.end() == 0


def test_a_root_that_the_settings_forgot_is_said(tmp_path, daemon):
    site = Installation(tmp_path, ("nvr1", "nvr2"))
    site.init()
    text = site.config.read_text()
    site.config.write_text(text[: text.index('[[root]]\nname = "nvr2"')])
    running = daemon(site)
    running.until(lambda: site.entries("guard.tripped"))
    (entry,) = site.entries("guard.tripped")
    assert "not in the configuration" in entry["fields"]["detail"]
    assert running.end() == 0


def test_without_init_it_does_not_start(tmp_path):
    site = Installation(tmp_path)
    site.state.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "retention", "--config", site.config, "run"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "retention init" in done.stderr


def test_a_damaged_catalogue_deletes_nothing(installed, daemon):
    """Pages of garbage in the middle: found by the check at start."""
    installed.record(now(), 2 * DAY)
    path = installed.state / db.NAME
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 4096 // 2 * 4096)
        file.write(os.urandom(3 * 4096))
    running = installed.start()
    try:
        running.until(lambda: "is damaged" in running.log())
    except AssertionError:
        assert running.process.poll() == 1  # what it met at start was damaged
    time.sleep(2)
    assert len(installed.files()) == 1
    running.kill()


def test_systemd_hears_that_it_is_ready_lives_and_stops(installed, daemon, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(120)
        running = daemon(
            installed,
            NOTIFY_SOCKET=manager.getsockname(),
            WATCHDOG_USEC=str(2 * SECOND),
            JOURNAL_STREAM="1:2",
        )
        heard = [manager.recv(4096).decode()]
        while not heard[-1].startswith("READY=1\nSTATUS="):
            heard.append(manager.recv(4096).decode())
        while heard[-1] != "WATCHDOG=1":
            heard.append(manager.recv(4096).decode())
        running.process.terminate()
        while not heard[-1].startswith("STOPPING=1"):
            heard.append(manager.recv(4096).decode())
        assert running.process.wait(120) == 0
    assert running.log().startswith('<6>{"')


def test_its_own_log_is_json_with_one_object_a_line(installed, daemon):
    import json

    running = daemon(installed)
    running.until(lambda: installed.entries("service.started"))
    running.end()
    lines = [json.loads(line) for line in running.log().splitlines()]
    assert {"service.started", "service.stopped"} <= {line["event"] for line in lines}


def test_a_hold_keeps_what_an_approved_plan_lists(installed, daemon):
    """From one end to the other: seized footage stays, the rest goes."""
    kept = installed.record(now(), 2 * DAY)
    gone = installed.record(now(), 2 * DAY + HOUR)
    running = daemon(installed)
    running.until(lambda: installed.entries("plan.proposed"))
    ask = Client(installed.config).call
    (plan,) = ask("plan")["plans_waiting"]
    filmed = now() - 2 * DAY
    placed = ask(
        "hold.place", cameras=["1001"], since=format_utc(filmed - 20 * SECOND),
        until=format_utc(filmed + 20 * SECOND), kind="court", reference="CAD 1",
        reason="assault",
    )  # fmt: skip
    assert placed["total"]["recordings"] == 1
    ask("deletion.approve", plan=plan["plan"])
    running.until(lambda: not gone.exists())
    running.until(lambda: ask("plan")["due"] == [])
    assert kept.exists()
    assert running.end() == 0
    assert installed.verify().ok


def test_what_the_site_says_of_itself_is_on_record_when_it_changes(
    installed, daemon, tmp_path
):
    said = {"controller": "Leicester City Council", "monitored_hours": "24/7"}
    changed = Installation(installed.directory, **said)
    for starts in (1, 2):
        running = daemon(changed)
        running.until(lambda n=starts: len(changed.entries("service.started")) == n)
        assert running.end() == 0
    first, then = (entry["fields"] for entry in changed.entries("site.described"))
    nothing = {"published_list": None, "published_list_day": None}
    assert first == {"controller": "test", "monitored_hours": None} | nothing
    assert then == said | nothing
    assert changed.verify().ok


def test_what_a_person_asks_for_is_done_between_the_services_own_acts(
    installed, daemon
):
    """One writer: entries of both are one log, in the order of their commits."""
    running = daemon(installed)
    running.until(lambda: installed.entries("service.started"))
    ask = Client(installed.config).call
    running.until(installed.settings.socket.exists)
    ask("camera.add", id="1003", location="High Street")
    assert running.end() == 0
    started, stopped = (
        installed.entries(kind)[0] for kind in ("service.started", "service.stopped")
    )
    added = installed.entries("camera.added")[-1]
    assert started["index"] < added["index"] < stopped["index"]
    assert (started["actor"]["role"], added["actor"]["role"]) == (
        "service",
        "administrator",
    )
    assert added["actor"]["pid"] == os.getpid()
    assert installed.verify().ok
    with pytest.raises(UnreachableError, match="is not running"):
        ask("status")
