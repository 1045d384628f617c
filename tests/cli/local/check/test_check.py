"""`retention check`: each thing that stands in the way is found, with what to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from retention.catalogue import db, plans, policies
from retention.catalogue.log import Log
from retention.cli.local import check, check_footage, init
from retention.cli.local.check import findings
from retention.control import alarms, rules
from retention.model.policy import Policy
from retention.publication import log_key
from retention.site import clock, reserve, unit
from retention.site.caller import caller
from retention.site.settings import RetentionSettings
from tests.support import needs
from tests.support.installation import GROUP, Clock, Installation


@pytest.fixture(autouse=True)
def _quiet_machine(monkeypatch, tmp_path):
    """A machine with a synchronised clock, and no fstab, unit or service user."""
    monkeypatch.setattr(init, "_service_user", lambda: None)
    monkeypatch.setattr(reserve, "SIZE", 4096)
    monkeypatch.setattr(clock, "read", Clock(synchronised=True))
    monkeypatch.setattr(unit, "FSTAB", tmp_path / "fstab")
    monkeypatch.setattr(unit, "DIRECTORIES", (tmp_path / "units",))


@pytest.fixture
def site(tmp_path):
    made = Installation(tmp_path)
    made.init()
    return made


def texts(site, level=None):
    found = findings(site.settings)
    return [
        f"{one.what} -> {one.remedy}" for one in found if level in (None, one.level)
    ]


def has(site, *parts, level=None):
    """Whether one finding has all of these parts."""
    return any(all(part in text for part in parts) for text in texts(site, level))


def test_a_good_installation_has_no_error(site):
    assert texts(site, "error") == []


def test_a_journal_that_can_not_be_read_is_found(site, monkeypatch, tmp_path):
    command = tmp_path / "bin" / "journalctl"
    command.parent.mkdir()
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(check, "_SYSTEMD", tmp_path)
    said = "No journal files were opened due to insufficient permissions."
    command.write_text(f"#!/bin/sh\necho '{said}' >&2; exit 1\n")
    command.chmod(0o755)
    assert has(site, "the journal can't be read", said, "sysusers", level="warning")
    command.write_text("#!/bin/sh\nexit 1\n")  # nothing of the service in it yet
    assert not has(site, "the journal can't be read")
    command.unlink()
    monkeypatch.setenv("PATH", str(command.parent))
    assert has(site, "journalctl can't be run", level="warning")


@needs.root
def test_a_head_that_the_service_can_not_write_is_found(site, monkeypatch):
    real = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, *given, **more: (
            not str(path).endswith("-head") and real(path, *given, **more)
        ),
    )
    assert has(site, ".cctv-retention-head can't be written", "chown", level="warning")


def test_a_whole_log_where_a_web_server_shows_it_is_found(site, tmp_path):
    assert not has(site, "web server")
    for name in ("log_directory", "log_copy"):
        served = tmp_path / "www" / "log"
        told = findings(site.settings.model_copy(update={name: served}))
        (one,) = [found for found in told if "web server shows" in found.what]
        assert str(served) in one.what
        assert "audit copy --public" in one.remedy


def test_what_the_settings_doubt_is_found(site):
    assert has(site, "recorder_keeps is not set", level="warning")
    assert has(site, "release_requires_two_people is false", "-> set it to true")


def test_the_footages_disk_is_a_bad_place_for_the_catalogue(site):
    assert has(site, "on the same file system", "another disk", level="warning")


def test_before_init_it_says_so(tmp_path):
    site = Installation(tmp_path)
    assert has(site, "state_directory", "retention init", level="error")


def test_errors_come_first(site):
    site.state.chmod(0o755)
    levels = [one.level for one in findings(site.settings)]
    assert levels == sorted(levels, key=lambda level: level != "error")
    assert levels[0] == "error"


def test_every_finding_says_what_to_do(site):
    site.state.chmod(0o755)
    assert all(one.remedy for one in findings(site.settings))


def test_an_open_state_directory_is_an_error(site):
    site.state.chmod(0o750)
    assert has(site, "open to others (mode 0750)", "chmod 0700", level="error")


def test_a_key_that_others_may_read_is_an_error(site):
    os.chmod(site.state / log_key.NAME, 0o644)
    assert has(site, "signing key", "mode 0644", "chmod 0600", level="error")


def test_a_missing_key_is_an_error(site):
    (site.state / log_key.NAME).unlink()
    assert has(site, "signing key", "No such file", level="error")


def a_unit_with(directory, setting):
    (directory / "units").mkdir()
    (directory / "units" / unit.NAME).write_text(f"[Service]\n{setting}\n")


CREDENTIAL = f"LoadCredentialEncrypted={log_key.NAME}:/etc/cctv-retention/key.cred"


@pytest.mark.parametrize("setting", [CREDENTIAL, f"ImportCredential={log_key.NAME}"])
def test_a_key_that_is_a_credential_is_not_missing(site, tmp_path, setting):
    a_unit_with(tmp_path, setting)
    (site.state / log_key.NAME).unlink()
    assert not has(site, "signing key")


def test_another_credential_is_not_the_key(site, tmp_path):
    a_unit_with(tmp_path, "LoadCredential=other.key:/etc/other.key")
    (site.state / log_key.NAME).unlink()
    assert has(site, "signing key", "No such file", level="error")


def test_a_key_beside_its_credential_is_said(site, tmp_path):
    a_unit_with(tmp_path, CREDENTIAL)
    assert has(site, "credential", "is still there", "in a safe", level="warning")


def test_another_logs_key_is_an_error(site):
    log_key.make(site.state)
    assert has(site, "signing key", "not the one", level="error")


@needs.root
def test_a_key_of_another_user_is_an_error(site):
    os.chown(site.state / log_key.NAME, 65534, 65534)
    assert has(site, "not the service's own", "chown", level="error")


def test_a_missing_reserve_is_a_warning(site):
    os.truncate(site.state / reserve.NAME, 0)
    assert has(site, "reserve", "released", level="warning")


def test_a_damaged_catalogue_is_an_error(site):
    path = site.state / db.NAME
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    assert has(site, "damaged", "newest copy", level="error")


def test_a_missing_catalogue_is_an_error(site):
    (site.state / db.NAME).unlink()
    assert has(site, "no catalogue", level="error")


def test_a_tripped_guard_is_an_error_with_its_remedy(site):
    catalogue = db.open_(site.state / db.NAME)
    log = Log(site="test", host="h", program="p")
    with catalogue.write(db.Priority.HOLD, log.by(caller(), 0)) as tx:
        alarms.trip(tx, 0, "clock", "", "the clock jumped")
    catalogue.close()
    assert has(site, "the clock jumped", "guard acknowledge", level="error")


@pytest.fixture
def written(site):
    """The site's catalogue, to write what the daemon would have written."""
    catalogue = db.open_(site.state / db.NAME)
    yield catalogue
    catalogue.close()


def test_times_in_doubt_are_an_error_with_what_to_do(site, written):
    with written.write(db.Priority.SCAN) as tx:
        tx.exec_driver_sql(
            "INSERT INTO camera VALUES (77,'','','k','council',NULL,NULL,1,0,NULL,NULL,NULL,NULL)"
        )
        tx.exec_driver_sql(
            "INSERT INTO stream VALUES (1,1,77,'l','UTC','market','.mp4',1,5,1)"
        )
        db.put_fact(tx, "zone.found.1", 3_600_000_000)
    assert has(site, "nvr1/market look 1 h out", "recording resolve", level="error")


def test_a_catalogue_that_others_may_read_is_an_error(site):
    os.chmod(site.state / db.NAME, 0o640)
    assert has(site, "catalogue", "mode 0640", "chmod 0600", level="error")


def test_whether_a_release_takes_two_is_asked_of_the_rules_in_force(
    site, written, monkeypatch
):
    monkeypatch.setattr("pwd.getpwall", list)  # nobody is in any group
    assert not has(site, "nobody is a supervisor")
    with written.write(db.Priority.HOLD) as tx:
        rules.adopt(tx, RetentionSettings(release_requires_two_people=True))
    assert has(site, "nobody is a supervisor", "usermod -aG", level="warning")


def test_a_shorter_period_that_waits_is_a_warning(site, written):
    with written.write(db.Priority.HOLD) as tx:
        policies.insert(tx, 1, Policy(9, 60))
    assert has(
        site, "shorter than the 60 in force", "start the service", level="warning"
    )


def test_a_volume_guard_whose_plan_was_approved_is_no_error(site, written):
    log = Log(site="x", host="h", program="p")
    with written.write(db.Priority.HOLD, log.by(caller(), 1)) as tx:
        alarms.trip(tx, 1, "volume", "nvr1", "plan 1 waits")
        key = plans.begin(tx, 1, 1, 1)
        plans.propose(tx, key, 1, 1, "d")
    assert has(site, "the guard volume is tripped", level="error")
    with written.write(db.Priority.HOLD) as tx:
        plans.approve(tx, key)
    assert not has(site, "the guard volume is tripped")


def test_an_unsynchronised_clock_is_a_warning_or_an_error(site, monkeypatch):
    monkeypatch.setattr(clock, "read", Clock(synchronised=False))
    assert has(site, "synchronised", "timedatectl", level="warning")
    site.settings = site.settings.model_copy(update={"clock_synchronised": "required"})
    assert has(site, "requires it", level="error")
    site.settings = site.settings.model_copy(update={"clock_synchronised": "ignored"})
    assert not has(site, "timedatectl")


def test_a_group_that_does_not_exist_is_a_warning(site, monkeypatch):
    def missing(name):
        raise KeyError(name)

    monkeypatch.setattr("grp.getgrnam", missing)
    assert has(site, GROUP, "groupadd", level="warning")


def test_a_zone_without_data_is_an_error(site, monkeypatch):
    site.settings = site.settings.model_copy(update={"timezone": "Europe/Atlantis"})
    assert has(site, "Europe/Atlantis", "tzdata", level="error")


def test_a_root_that_is_gone_is_an_error(site):
    shutil.rmtree(site.directory / "nvr1")
    assert has(site, "nvr1", "No such file", level="error")


def test_another_disk_in_the_place_of_a_root_is_an_error(site):
    (site.directory / "nvr1" / ".cctv-retention-root").unlink()
    assert has(site, "nvr1 is not available", "identity", level="error")


# -- mounts and the unit -------------------------------------------------------------


def test_a_root_whose_mount_is_missing_is_an_error(site, tmp_path):
    (tmp_path / "fstab").write_text(f"# disks\n/dev/sdb1 {tmp_path}/nvr1 ext4 rw 0 2\n")
    assert has(site, "is not mounted now", f"mount {tmp_path}/nvr1", level="error")


def test_a_root_below_a_missing_mount_is_an_error(site, tmp_path):
    (tmp_path / "fstab").write_text(f"/dev/sda1 / ext4\nnas:/x {tmp_path} nfs rw\n")
    assert has(site, "is not mounted now", level="error")


def test_a_mounted_root_is_fine(site, tmp_path):
    (tmp_path / "fstab").write_text("/dev/sda1 / ext4 rw 0 1\nproc /proc proc\n")
    assert not has(site, "mounted now")


@needs.root
def test_a_directory_of_the_same_disk_that_is_mounted_there_is_mounted(site, tmp_path):
    root, there = tmp_path / "nvr1", tmp_path / "a disk"
    shutil.copytree(root, there)
    (tmp_path / "fstab").write_text(f"{tmp_path}/disk {root} none bind 0 0\n")
    subprocess.run(["mount", "--bind", there, root], check=True)
    try:
        assert not has(site, "mounted now")
    finally:
        subprocess.run(["umount", root], check=True)


def test_a_mount_with_a_space_is_read_as_fstab_writes_it(tmp_path):
    (tmp_path / "fstab").write_text("/dev/sdb1 /srv/a\\040b ext4\n")
    assert unit.fstab_points() == [Path("/srv/a b")]


def a_unit(tmp_path, drop_in):
    directory = tmp_path / "units" / "cctv-retention.service.d"
    directory.mkdir(parents=True)
    source = Path(__file__).parents[4] / "systemd" / "cctv-retention.service"
    shutil.copy(source, tmp_path / "units")
    (directory / "footage.conf").write_text(drop_in)


def test_a_unit_that_may_not_write_there_is_an_error(site, tmp_path):
    a_unit(tmp_path, "")
    assert has(site, "no ReadWritePaths=", "daemon-reload", level="error")
    assert has(site, "no Wants= and After=", "After=", level="warning")


def test_a_unit_that_does_not_start_without_a_disk_is_told(site, tmp_path):
    """With several disks one that is dead would stop them all."""
    where = site.directory / "nvr1"
    drop_in = f"[Unit]\nRequiresMountsFor={where}\n[Service]\nReadWritePaths={where}\n"
    a_unit(tmp_path, drop_in)
    assert has(site, "RequiresMountsFor=", "missing at boot", level="warning")


def test_the_drop_in_that_init_prints_is_enough(site, tmp_path):
    a_unit(tmp_path, "\n".join(site.init()["drop_in"]))
    assert not has(site, "ReadWritePaths", "footage root")
    assert not has(site, "RequiresMountsFor")
    assert not has(site, "After=")


def test_the_drop_in_that_init_prints_is_read_whatever_the_path(tmp_path):
    for name in ("my footage", "50%", "Ann's disk"):
        (tmp_path / name).mkdir()
        site = Installation(tmp_path / name)
        drop_in = "\n".join(site.init()["drop_in"])
        (tmp_path / "units").mkdir(exist_ok=True)
        (tmp_path / "units" / unit.NAME).write_text(drop_in)
        assert unit.covers("ReadWritePaths", site.directory / "nvr1"), drop_in


def test_a_list_of_a_unit_goes_on_over_lines_and_begins_anew_where_it_is_empty(
    tmp_path,
):
    file = tmp_path / "units" / unit.NAME
    file.parent.mkdir()
    file.write_text("ReadWritePaths=/srv/a \\\n  /srv/b\n")
    assert unit.covers("ReadWritePaths", Path("/srv/b/nvr1"))
    file.write_text("ReadWritePaths=/srv/a\nReadWritePaths=\nReadWritePaths=-/srv/b\n")
    assert not unit.covers("ReadWritePaths", Path("/srv/a"))
    assert unit.covers("ReadWritePaths", Path("/srv/b"))


# -- rights --------------------------------------------------------------------------


@pytest.fixture
def other(tmp_path_factory):
    """An installation whose service is the user nobody, where that user can come."""
    top = Path(
        subprocess.check_output(["mktemp", "-d", "-p", "/var/tmp"], text=True).strip()
    )
    top.chmod(0o755)
    site = Installation(top)
    site.state.mkdir(mode=0o700)
    os.chown(site.state, 65534, 65534)
    site.init()
    for directory in (top / "nvr1", top / "nvr1" / "1001"):
        os.chown(directory, 65534, 65534)
    yield site
    shutil.rmtree(top)


@needs.root
def test_root_looks_with_the_services_rights_and_has_its_own_again(other):
    assert texts(other, "error") == []
    assert os.geteuid() == 0
    (other.directory / "nvr1" / "1002").mkdir()
    assert has(other, "1002", "may not delete here", "setfacl", level="error")
    assert os.geteuid() == 0


@needs.root
def test_many_directories_of_one_kind_are_one_finding(other):
    for number in range(30):
        (other.directory / "nvr1" / f"{number}").mkdir()
    (text,) = texts(other, "error")
    assert " and 29 more" in text


@needs.root
def test_a_sticky_directory_is_an_error(other):
    sticky = other.directory / "nvr1" / "1003"
    sticky.mkdir()
    sticky.chmod(0o1777)
    assert has(other, "sticky", "chmod -t", level="error")


@needs.root
def test_a_directory_that_can_not_be_read_is_an_error(other):
    (other.directory / "nvr1" / "1004").mkdir(mode=0o700)
    assert has(other, "1004", "can't read", level="error")


@needs.root
@needs.setfacl
def test_inherited_rights_that_a_mode_cut_off_are_found(other):
    """mkdir with 0755, as Go and ffmpeg do, masks the default ACL's write right."""
    camera = other.directory / "nvr1" / "1005"
    camera.mkdir()
    subprocess.run(["setfacl", "-m", "u:nobody:rwx,d:u:nobody:rwx", camera], check=True)
    assert not has(other, "1005")
    (camera / "2026-11-24").mkdir(mode=0o755)
    assert has(other, "2026-11-24", "CAP_DAC_OVERRIDE", level="error")


@needs.root
def test_another_mount_inside_a_root_is_an_error(other):
    inside = other.directory / "nvr1" / "1001" / "disk"
    inside.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", inside], check=True)
    try:
        assert has(other, "another file system is mounted inside", level="error")
    finally:
        subprocess.run(["umount", inside], check=True)


@needs.root
def test_a_read_only_root_is_an_error(site, tmp_path):
    footage = tmp_path / "nvr1"
    subprocess.run(["mount", "--bind", footage, footage], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", footage], check=True)
        assert has(site, "mounted read-only", level="error")
    finally:
        subprocess.run(["umount", footage], check=True)


def test_long_walks_show_progress(site, monkeypatch):
    monkeypatch.setattr(check_footage, "_EVERY", 2)
    said = []
    findings(site.settings, said.append)
    assert said == ["nvr1: 2 directories looked at"]


@pytest.mark.parametrize("booted", [True, False])
def test_without_systemd_no_login_counts(site, tmp_path, monkeypatch, booted):
    (tmp_path / "booted").mkdir()
    monkeypatch.setattr(unit, "BOOTED", tmp_path / ("booted" if booted else "none"))
    said = ("does not run systemd", "-> set require_login_uid to false")
    assert not has(site, *said)
    two = site.settings.retention.model_copy(
        update={"release_requires_two_people": True}
    )
    site.settings = site.settings.model_copy(update={"retention": two})
    catalogue = db.open_(site.state / db.NAME)
    with catalogue.write(db.Priority.HOLD) as tx:
        rules.adopt(tx, two)
    catalogue.close()
    assert has(site, *said, level="error") is not booted
