"""The unit, user and directory files, as systemd's own programs read them."""

import grp
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from retention.cli.local import spool_directory
from retention.site import unit
from retention.site.address import DEFAULT_CONFIG
from retention.site.caller import SERVICE_USER
from retention.site.settings import Settings
from tests.support import needs
from tests.support.installation import Installation

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "cctv-retention.service"
ACCESS = Settings.model_fields["access"].default

WORST_SCORE = 9
"""In tenths: what the unit has, with systemd 252."""


def lines(path):
    text = path.read_text(encoding="utf-8").splitlines()
    return [line for line in text if line and not line.startswith("#")]


def values(key):
    pairs = (line.partition("=") for line in lines(UNIT))
    return [value for name, _, value in pairs if name == key]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


@needs.systemd_analyze
def test_systemd_has_no_complaint_about_the_unit(tmp_path):
    installed = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    installed.write_text(text.replace("/usr/bin/retention", sys.executable))
    done = run("systemd-analyze", "verify", "--man=no", installed)
    assert (done.returncode, done.stderr) == (0, "")


@needs.systemd_analyze
def test_systemd_has_no_complaint_about_the_drop_in_of_a_disk_that_is_missing(tmp_path):
    (tmp_path / "50% of Ann's disk").mkdir()
    drop_in = Installation(tmp_path / "50% of Ann's disk").init()["drop_in"]
    installed = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    installed.write_text(text.replace("/usr/bin/retention", sys.executable))
    (tmp_path / f"{UNIT.name}.d").mkdir()
    (tmp_path / f"{UNIT.name}.d" / "footage.conf").write_text("\n".join(drop_in))
    done = run("systemd-analyze", "verify", "--man=no", installed)
    assert (done.returncode, done.stderr) == (0, "")
    assert not any(line.startswith("Requires") for line in drop_in)


@pytest.mark.skipif(not shutil.which("systemd-escape"), reason="needs systemd")
@pytest.mark.parametrize(
    "path", ["/srv/footage/nvr1", "/srv/a-b c/50%", "/.hidden/x_1:2", "/ä\\", "/"]
)
def test_the_unit_of_a_mount_is_named_as_systemd_names_it(path):
    done = run("systemd-escape", "-p", "--suffix=mount", path)
    assert unit.mount_unit(Path(path)) == done.stdout.strip()


@needs.systemd_analyze
def test_the_unit_is_as_closed_as_it_was():
    done = run(
        "systemd-analyze", "security", "--offline=yes",
        f"--threshold={WORST_SCORE}", UNIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:]


def test_a_weaker_unit_would_be_noticed(tmp_path):
    """The score has no slack for one protection less that matters."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs the command systemd-analyze")
    weaker = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    weaker.write_text(text.replace("ProtectSystem=strict\n", ""))
    done = run(
        "systemd-analyze", "security", "--offline=yes",
        f"--threshold={WORST_SCORE}", weaker,
    )  # fmt: skip
    assert done.returncode != 0


@pytest.mark.parametrize(
    "key", ["ProtectProc", "ProcSubset", "ProtectClock", "PrivateUsers"]
)
def test_what_would_blind_the_service_is_left_out(key):
    """They hide login uids, the boot id, adjtimex and groups (design, section 11)."""
    assert values(key) == []


CLOCK_CALLS = "adjtimex clock_adjtime clock_adjtime64"


def test_reading_the_clocks_state_is_allowed_after_the_privileged_calls_are_not():
    filters = values("SystemCallFilter")
    assert filters.index(CLOCK_CALLS) > filters.index("~@privileged @resources")


@needs.strace
def test_the_call_that_this_c_library_makes_is_among_them():
    """glibc's adjtimex() calls clock_adjtime."""
    code = "from retention.site import clock; clock.read()"
    done = run(
        "strace", "-f", "-qq", "-e", "trace=/adjtime", sys.executable, "-c", code
    )  # fmt: skip
    called = {line.partition("(")[0].split()[-1] for line in done.stderr.splitlines()}
    assert called
    assert called <= set(CLOCK_CALLS.split())


def test_it_has_no_capability():
    assert values("CapabilityBoundingSet") == [""]
    assert values("AmbientCapabilities") == [""]


def test_it_starts_what_the_package_installs_and_tells_when_it_is_ready():
    assert values("ExecStart") == ["/usr/bin/retention run"]
    assert values("Type") == ["notify"]
    assert values("NotifyAccess") == ["main"]
    assert values("WatchdogSec")
    assert values("Restart") == ["on-failure"]


def test_its_directories_are_those_of_the_settings():
    state = Settings.model_fields["state_directory"].default
    assert [str(state)] == [f"/var/lib/{name}" for name in values("StateDirectory")]
    assert values("StateDirectoryMode") == ["0700"]
    assert values("ConfigurationDirectory") == [DEFAULT_CONFIG.parent.name]
    socket = Settings.model_fields["socket"].default
    (runtime,) = values("RuntimeDirectory")
    assert socket.parent == Path("/run") / runtime
    assert values("RuntimeDirectoryMode") == ["0755"]  # anybody may ask
    spool = Settings.model_fields["spool"].default
    assert values("ReadWritePaths") == [f"-{spool}"]


def test_the_socket_needs_no_other_family():
    assert values("RestrictAddressFamilies") == ["AF_UNIX"]


def test_its_user_is_the_one_that_commands_name():
    assert values("User") == [SERVICE_USER]


def test_it_may_read_the_heads_that_it_wrote_to_the_journal():
    """Also what is typed as its user: `check` tries it."""
    assert values("SupplementaryGroups") == ["systemd-journal"]
    file = SYSTEMD / "cctv-retention.sysusers"
    assert f"m {SERVICE_USER} systemd-journal" in lines(file)


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="needs systemd")
def test_systemd_can_make_the_user_and_the_groups_of_all_roles(tmp_path):
    (tmp_path / "etc").mkdir()
    file = SYSTEMD / "cctv-retention.sysusers"
    done = run("systemd-sysusers", f"--root={tmp_path}", "--dry-run", file)
    assert done.returncode == 0, done.stderr
    wanted = {SERVICE_USER, *(group for _, groups in ACCESS for group in groups)}
    assert {line.split()[1] for line in lines(file)} == wanted


def test_the_state_directory_is_the_services_alone():
    file = SYSTEMD / "cctv-retention.tmpfiles"
    state = next(line.split() for line in lines(file) if "/var/lib/" in line)
    assert state[2:] == ["0700", SERVICE_USER, SERVICE_USER, "-"]


def made_by_systemd(top):
    """The directories below `top`, by systemd's own program; users are read there."""
    etc = top / "etc"
    etc.mkdir()
    names = [SERVICE_USER, *(name for _, names in ACCESS for name in names)]
    groups = {name: 60001 + number for number, name in enumerate(names)}
    (etc / "passwd").write_text(
        f"root:x:0:0::/:/bin/sh\n{SERVICE_USER}:x:60001:60001::/:/bin/false\n"
    )
    (etc / "group").write_text(
        "root:x:0:\n" + "".join(f"{name}:x:{gid}:\n" for name, gid in groups.items())
    )
    # Names in an access list are looked up on this machine, even below a root.
    text = (SYSTEMD / "cctv-retention.tmpfiles").read_text()
    for name, gid in groups.items():
        text = text.replace(f"group:{name}:", f"group:{gid}:")
    (top / "lines.conf").write_text(text)
    for _ in range(2):  # at each start of the machine again
        done = run(
            "systemd-tmpfiles", f"--root={top}", "--create", top / "lines.conf"
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
    return groups


@needs.root
@needs.systemd_analyze
def test_those_who_may_place_holds_can_leave_a_request_and_nobody_else(
    tmp_path, monkeypatch
):
    (tmp_path / "var/lib").mkdir(parents=True)
    (tmp_path / "var/spool").mkdir()
    groups = made_by_systemd(tmp_path)
    monkeypatch.setattr(
        "grp.getgrnam",
        lambda name: grp.struct_group((name, "x", groups[name], [])),
    )
    usual = Settings(site="test")
    moved = usual.model_copy(
        update={
            key: tmp_path / str(getattr(usual, key)).lstrip("/")
            for key in ("spool", "state_directory")
        }
    )
    assert list(spool_directory.complaints(moved)) == []
    assert stat.S_IMODE(moved.spool.stat().st_mode) == spool_directory.MODE
    listed = os.getxattr(moved.spool, spool_directory._ACL)
    by_us = moved.model_copy(update={"spool": tmp_path / "spool"})
    assert spool_directory.make(by_us) is None
    assert os.getxattr(by_us.spool, spool_directory._ACL) == listed
