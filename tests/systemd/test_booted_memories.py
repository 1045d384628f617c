"""On a machine that systemd runs: each memory of the log alone shows a state directory
that was set back, and the way from a dead disk to deleting again."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import booted, needs

pytestmark = [needs.root, needs.systemd_nspawn]

STATE, BACKUP = "/var/lib/cctv-retention", "/root/backup"
HEAD = "/srv/footage/nvr1/.cctv-retention-head"
CONFIG = "etc/cctv-retention/retention.toml"
FILES = 5

SETTINGS = """
site = "leicester"
contact = "IT"
timezone = "UTC"
cameras = "/etc/cctv-retention/cameras.csv"
{extra}
[retention]
days = 1
cycle = "1s"
scan = "1s"
clock_tolerance = "10s"
[[root]]
name = "nvr1"
path = "/srv/footage/nvr1"
layout = "{{camera}}/%Y-%m-%d_%H-%M-%S.mp4"
timezone = "UTC"
stable_after = "1s"
max_length = "1m"
"""

PEOPLE = {"ann": "operators", "carl": "supervisors", "dora": "admins"}
DROP_IN = "[Service]\nReadWritePaths=-/srv/footage/nvr1 -/srv/worm\n"
WAIT = "WAIT: Micros = 7 * DAY"


@pytest.fixture(scope="module")
def machine(installed: Path) -> Iterator[booted.Machine]:
    """One on which deletion stays off after a successor log for ten seconds only."""
    with booted.machine(installed) as made:
        (waits,) = made.root.glob("opt/cctv-retention/lib/*/*/*/tlog/in_force.py")
        text = waits.read_text()
        assert WAIT in text
        waits.write_text(text.replace(WAIT, "WAIT: Micros = 10_000_000"))
        for user, group in PEOPLE.items():
            made.tried("userdel", user)  # of this name there may be one here
            made.run("useradd", "--create-home", user)
            made.run("usermod", "-aG", f"cctv-{group}", user)
        drop_in = made.root / "etc/systemd/system/cctv-retention.service.d/footage.conf"
        drop_in.parent.mkdir()
        drop_in.write_text(DROP_IN)
        (made.root / "etc/cctv-retention/cameras.csv").write_text(
            "id,location\n1001,Market Place\n"
        )
        made.run("systemctl", "daemon-reload")
        yield made


class Site:
    """The service on it, new."""

    def __init__(self, machine, extra=""):
        self.machine, self.run = machine, machine.run
        self.stop()
        self.run("rm", "-rf", STATE, BACKUP, "/srv/footage", "/srv/worm")
        (machine.root / CONFIG).write_text(SETTINGS.format(extra=extra))
        self.run("systemd-tmpfiles", "--create", "cctv-retention.conf")
        self.run("mkdir", "-p", "/srv/footage/nvr1/1001", "/srv/worm")
        for number in range(3):
            self.record(2 * 86_400 + number * 60)
        self.record(4 * 86_400)
        self.record(3600)
        self.run("chown", "-R", "cctv-retention:", "/srv/footage", "/srv/worm")
        self.run("sudo", "-u", "cctv-retention", "retention", "init")
        self.start()

    def record(self, age):
        end = int(time.time()) - age
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.gmtime(end - 5))
        path = f"/srv/footage/nvr1/1001/{stamp}.mp4"
        self.run("sh", "-c", f"echo footage > {path}; touch -d @{end} {path}")

    def start(self):
        self.run("systemctl", "start", "cctv-retention")

    def stop(self):
        self.machine.tried("systemctl", "stop", "cctv-retention")

    def ask(self, *words, by="dora"):
        done = self.machine.login(by, "retention", "--json", *map(str, words))
        assert done.returncode in (0, 6, 7, 8), (words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def status(self):
        return self.ask("status")

    def files(self):
        return len(list(self.machine.srv.glob("footage/nvr1/1001/*.mp4")))

    def hold(self, days=30):
        """On the last days; its number."""
        began = time.gmtime(time.time() - days * 86_400)
        since = time.strftime("%Y-%m-%d %H:%M", began)
        return self.ask(
            "hold", "place", "1001", "--from", since, "--to", "now",
            "--kind", "court", "--reference", "r", "--reason", "r", by="ann",
        )["hold"]  # fmt: skip

    def approve(self):
        self.machine.until(lambda: self.status()["plans_waiting"])
        (plan,) = self.status()["plans_waiting"]
        self.ask("deletion", "approve", plan["plan"], by="carl")

    def back_up(self):
        """Last night's copy, with the service stopped."""
        self.stop()
        self.run("cp", "-a", STATE, BACKUP)
        self.start()

    def restore(self, *before):
        """The state disk died; `before` the service starts on last night's copy."""
        self.stop()
        for command in before:
            self.run("sh", "-c", command)
        self.run("sh", "-c", f"rm -rf {STATE}/* && cp -a {BACKUP}/. {STATE}/")
        self.start()

    def guard(self):
        found = {one["alarm"]: one["detail"] for one in self.status()["alarms"]}
        return found.get("catalogue", "")

    def round(self):
        """Two cycles pass."""
        time.sleep(3)


FORGET_ROOT = f"dd if=/dev/zero of={HEAD} bs=4096 count=2 conv=notrunc"
FORGET_JOURNAL = (
    "journalctl --rotate && journalctl --vacuum-time=1s; "
    "rm -f /run/log/journal/*/* /var/log/journal/*/*; "
    "systemctl restart systemd-journald"
)


def held_today(machine, extra=""):
    """A hold on what is due, which last night's copy does not have."""
    site = Site(machine, extra)
    site.machine.until(lambda: site.status()["plans_waiting"])
    site.back_up()
    site.hold()
    site.approve()
    site.round()
    assert site.files() == FILES
    return site


def kept(site):
    """No held file is deleted, though a supervisor approves what seems due."""
    assert not site.status()["deleting"]
    waiting = site.status()["plans_waiting"]
    for plan in waiting:
        site.ask("deletion", "approve", plan["plan"], by="carl")
    site.round()
    assert site.files() == FILES


def test_the_roots_head_alone_shows_a_state_directory_that_was_set_back(machine):
    site = held_today(machine)
    site.restore(FORGET_JOURNAL)
    assert ".cctv-retention-head was signed at" in site.guard()
    kept(site)


def test_the_journal_alone_shows_it(machine):
    site = held_today(machine)
    site.machine.until(lambda: "checkpoint.signed" in site.machine.journal())
    site.restore(FORGET_ROOT)
    assert "the journal was signed at" in site.guard()
    site.machine.until(
        lambda: "journal" in {m["where"] for m in site.status()["outside_memory"]}
    )
    kept(site)


def test_the_second_directory_alone_gives_the_hold_back(machine):
    site = held_today(machine, 'log_copy = "/srv/worm"')
    site.machine.until(lambda: list(site.machine.srv.glob("worm/checkpoints/*")))
    site.restore(FORGET_ROOT, FORGET_JOURNAL)
    assert "restored from a backup" in site.guard()
    assert site.status()["holds"]["active"] == 1
    kept(site)


def test_check_says_whether_the_journal_can_be_read(machine):
    site = Site(machine)
    check = ("sudo", "-u", "cctv-retention", "retention", "check")
    assert "journal can't be read" not in machine.tried(*check).stdout
    machine.run("gpasswd", "--delete", "cctv-retention", "systemd-journal")
    try:
        said = " ".join(machine.tried(*check).stdout.split())
        assert "the journal can't be read" in said
    finally:
        machine.run("gpasswd", "--add", "cctv-retention", "systemd-journal")
    site.stop()


def test_from_a_dead_disk_to_deleting_again(machine):
    site = held_today(machine)
    site.restore()
    assert "retention schema successor" in site.guard()
    reason = ("--reason", "state disk died")
    site.ask("schema", "successor", *reason, by="dora")
    site.ask("schema", "successor", "--approve", *reason, by="carl")
    site.run("systemctl", "restart", "cctv-retention")
    assert "a successor log was opened" in site.guard()
    kept(site)
    number = site.hold(days=3)
    site.ask("schema", "successor", "--holds", number, *reason, by="carl")
    site.machine.until(lambda: not site.guard())
    # What is older than the hold goes, by the plan that was approved meanwhile.
    site.machine.until(lambda: site.files() == FILES - 1)
    site.round()
    assert site.files() == FILES - 1
    assert site.ask("audit", "verify")["ok"]
    assert site.status()["deleting"]
