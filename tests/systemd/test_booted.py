"""The README's installation on a booted systemd, with people in sessions of their own."""

import json
import os
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support import booted, needs

pytestmark = [needs.root, needs.systemd_nspawn]

PEOPLE = {
    "ann": "operators", "carl": "supervisors", "sue": "supervisors", "adam": "admins",
}  # fmt: skip

EDITOR = """#!/bin/sh
sed -i 's/^cycle = .*/cycle = "5s"/; s/^scan = .*/scan = "2s"/' "$1"
sed -i 's/^stable_after = .*/stable_after = "2s"/; s/^cooling_off = .*/cooling_off = "0s"/' "$1"
cat >> "$1" <<END

[[root]]
name = "nvr2"
path = "/srv/footage/nvr2"
layout = "mediamtx"
timezone = "Europe/London"
stable_after = "2s"
END
"""
"""A person who knows what to write."""

MOUNT = "srv-footage-nvr2.mount"
LONDON = ZoneInfo("Europe/London")
MINUTE = timedelta(minutes=1)
OLD = timedelta(days=29)
OLDER = timedelta(days=30)


@pytest.fixture(scope="module")
def machine(installed: Path) -> Iterator[booted.Machine]:
    """One where the README's installation was typed, for two disks."""
    with booted.machine(installed) as made:
        editor = made.root / "usr/local/bin/editor"
        editor.write_text(EDITOR)
        editor.chmod(0o755)
        for path in ("footage/nvr1/1001", "disks/nvr2/1002", "footage/nvr2"):
            (made.srv / path).mkdir(parents=True)
        with (made.root / "etc/fstab").open("a") as fstab:
            fstab.write("/srv/disks/nvr2 /srv/footage/nvr2 none bind,nofail 0 0\n")
        made.run("systemctl", "daemon-reload")
        made.run("systemctl", "start", MOUNT)
        for age in (OLD, OLDER):
            recorded(made, "nvr1", "1001", age)
        recorded(made, "nvr2", "1002", OLD)
        for user in PEOPLE:
            made.tried("userdel", user)  # of this name there may be one here
            made.run("useradd", "--create-home", user)
        _, settings, rights, init, key, start, people, _ = booted.blocks(
            "Install it as a service"
        )
        for block in (settings, rights):
            made.typed(block)
        made.typed(rights.replace("nvr1", "nvr2").replace("footage.conf", "2.conf"))
        for block in (init, key, "set +e\n" + start, people):
            made.typed(block)
        for user, group in PEOPLE.items():
            made.run("usermod", "-aG", f"cctv-{group}", user)
        yield made


def recorded(machine: booted.Machine, root: str, camera: str, age: timedelta) -> Path:
    """A finished recording of ten minutes that ended so long ago."""
    end = datetime.now(UTC) - age
    start = (end - timedelta(minutes=10)).astimezone(LONDON)
    disk = {"nvr1": "footage/nvr1", "nvr2": "disks/nvr2"}[root]
    path = machine.srv / disk / camera / f"{start:%Y-%m-%d_%H-%M-%S-%f}.mp4"
    path.write_bytes(os.urandom(1000))
    os.utime(path, (end.timestamp(), end.timestamp()))
    return path


def typed(machine: booted.Machine, user: str, line: str) -> tuple[int, str]:
    """Exit status and output of a command of a person's."""
    done = machine.login(user, "retention", *shlex.split(line))
    return done.returncode, done.stdout + done.stderr


def status(machine: booted.Machine) -> Any:
    return json.loads(typed(machine, "ann", "--json status")[1])


def alarms(machine: booted.Machine) -> set[tuple[str, str]]:
    return {(one["alarm"], one["scope"]) for one in status(machine)["alarms"]}


def left(machine: booted.Machine) -> int:
    return len(list(machine.srv.glob("footage/nvr1/1001/*")))


def test_footage_goes_and_a_hold_ends_by_two_people_who_logged_in(machine):
    begin = datetime.now(UTC) - OLDER - timedelta(minutes=6)
    first, last = (f"{begin + n * MINUTE:%Y-%m-%dT%H:%MZ}" for n in (0, 2))
    place = f"hold place 1001 --from {first} --to {last} --margin 0 --kind internal"
    both = {("volume", "nvr1"), ("volume", "nvr2")}
    machine.until(lambda: alarms(machine) >= both)
    code, said = typed(machine, "ann", f"{place} --reference 7 --reason crowd")
    assert (code, "1 recording" in said) == (0, True), said
    for plan in "12":  # one for each disk
        assert typed(machine, "ann", f"deletion approve {plan}")[0] == 4
        assert typed(machine, "carl", f"deletion approve {plan}")[0] == 0
    machine.until(lambda: left(machine) == 1)
    assert typed(machine, "carl", "hold release 1 --reason over")[0] == 0
    assert typed(machine, "carl", "hold approve 1")[0] != 0
    assert machine.tried("retention", "hold", "approve", "1").returncode == 4
    assert left(machine) == 1
    assert typed(machine, "sue", "hold approve 1")[0] == 0
    machine.until(lambda: left(machine) == 0)


def test_a_disk_that_is_missing_at_boot_keeps_nobody_and_goes_on_once_it_is_there(
    machine,
):
    machine.power_cut()
    disks, away = machine.srv / "disks", machine.srv / "away"
    disks.rename(away)
    disks.touch()  # systemd would make an empty directory, and mount that
    machine.boot()
    assert machine.run("systemctl", "is-active", "cctv-retention").strip() == "active"
    machine.until(lambda: ("root", "nvr2") in alarms(machine))
    assert ("root", "nvr1") not in alarms(machine)
    disks.unlink()
    away.rename(disks)
    machine.run("systemctl", "start", MOUNT)
    machine.until(lambda: ("root", "nvr2") not in alarms(machine))
    young = recorded(machine, "nvr2", "1002", timedelta(hours=1))
    shown = f"recording show nvr2/1002/{young.name}"
    machine.until(lambda: typed(machine, "ann", shown)[0] == 0)


def test_the_running_service_is_as_closed_as_its_file(machine):
    """A tenth more is for its key: as a credential it may be bound to a chip."""
    machine.run("systemd-analyze", "security", "--threshold=10", "cctv-retention")


def test_an_upgrade_as_the_readme_types_it_leaves_all_that_there_was(machine):
    before = status(machine)
    machine.typed(booted.blocks("Install it as a service")[-1])
    after = status(machine)
    assert after["log_entries"] > before["log_entries"]
    assert (after["deleting"], after["why_not"]) == (True, [])
    assert machine.run("systemctl", "is-active", "cctv-retention").strip() == "active"
