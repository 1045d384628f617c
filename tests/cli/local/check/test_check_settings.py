"""`retention check`: whether people can reach the service, and a release have its two."""

import grp
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from retention.cli.local import check_settings, spool_directory
from retention.site import unit
from retention.site.settings import AccessSettings, Settings
from tests.support import needs

UNIT = Path(__file__).parents[4] / "systemd" / "cctv-retention.service"
GROUPS = {"ops": 60001, "sups": 60002, "admins": 60003, "auditors": 60004}


@pytest.fixture(autouse=True)
def people(monkeypatch, tmp_path):
    """Who is in which group; a machine where the unit is not installed."""
    members = {"ops": ["ann", "bob"], "sups": ["carl"], "admins": ["dora"],
               "auditors": ["eve"]}  # fmt: skip

    def named(name):
        if name not in members:
            raise KeyError(name)
        return grp.struct_group((name, "x", GROUPS[name], members[name]))

    def numbered(gid):
        names = [name for name, number in GROUPS.items() if number == gid]
        return named(names[0]) if names else real(gid)

    real = grp.getgrgid
    monkeypatch.setattr("grp.getgrnam", named)
    monkeypatch.setattr("grp.getgrgid", numbered)
    monkeypatch.setattr(unit, "BOOTED", tmp_path)
    monkeypatch.setattr(unit, "DIRECTORIES", (tmp_path / "units",))
    return members


@pytest.fixture
def top():
    """A directory that others can come to, which pytest's own are not."""
    made = Path(
        subprocess.check_output(["mktemp", "-d", "-p", "/var/tmp"], text=True).strip()
    )
    made.chmod(0o755)
    (made / "state").mkdir(mode=0o700)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def settings(top):
    return Settings(
        site="test",
        state_directory=str(top / "state"),
        socket=str(top / "api.sock"),
        spool=str(top / "spool"),
        access=AccessSettings(
            operators=["ops"], supervisors=["sups"], auditors=["auditors"],
            administrators=["admins"],
        ),
    )  # fmt: skip


def texts(settings, *, two_people=True, level=None):
    found = check_settings.findings_of(settings, two_people=two_people)
    return [
        f"{one.what} -> {one.remedy}" for one in found if level in (None, one.level)
    ]


def has(settings, *parts, **named):
    """Whether one finding has all of these parts."""
    found = texts(settings, **named)
    return any(all(part in text for part in parts) for text in found)


@needs.root
def test_with_people_in_every_group_and_a_spool_there_is_nothing_to_say(settings):
    assert spool_directory.make(settings) is None
    assert texts(settings) == []


# -- roles ---------------------------------------------------------------------------


def test_a_group_that_does_not_exist_is_named(settings, people):
    del people["auditors"]
    assert has(settings, "group auditors of the auditors does not exist", "groupadd")


def test_a_group_without_members_is_named(settings, people):
    people["admins"] = []
    assert has(settings, "nobody is in the group admins", "usermod -aG admins NAME")


def test_whoever_has_a_group_as_his_first_one_is_in_it(settings, people, monkeypatch):
    people["admins"] = []
    dora = pwd.struct_passwd(("dora", "x", 7, GROUPS["admins"], "", "/", "/bin/sh"))
    monkeypatch.setattr("pwd.getpwall", lambda: [dora])
    assert not has(settings, "group admins")


def test_without_a_supervisor_no_release_can_be_approved(settings, people):
    people["sups"] = ["root"]  # who may release nothing
    assert has(settings, "nobody is a supervisor", "usermod -aG sups NAME")


def test_one_person_alone_is_not_two(settings, people):
    people["ops"] = people["sups"] = ["carl"]
    assert has(settings, "only carl could ask", "takes two people")


def test_where_one_person_may_release_there_need_be_no_second(settings, people):
    people["ops"] = people["sups"] = ["carl"]
    assert not has(settings, "only carl", two_people=False)


# -- the socket ----------------------------------------------------------------------


def test_a_file_in_the_place_of_the_socket_is_an_error(settings):
    settings.socket.touch()
    assert has(settings, "is not a socket", "move it away", level="error")


def test_a_socket_without_its_directory_is_an_error(settings, top):
    moved = settings.model_copy(update={"socket": top / "run" / "api.sock"})
    assert has(moved, "does not exist", "install -d -m 0755", level="error")


def test_systemd_s_own_directory_is_not_there_before_the_first_start(
    settings, top, monkeypatch
):
    monkeypatch.setattr(check_settings, "RUNTIME", top / "run")
    usual = settings.model_copy(update={"socket": top / "run" / "api.sock"})
    assert not has(usual, "socket")


def test_a_directory_that_others_can_t_pass_keeps_them_from_the_service(settings, top):
    top.chmod(0o750)
    assert has(settings, f"{top} is closed to others", "chmod o+x", level="warning")


def test_a_directory_that_others_can_write_lets_them_pass_for_the_service(
    settings, top
):
    top.chmod(0o775)
    assert has(settings, "a socket of his own", f"chmod 0755 {top}", level="warning")


def installed(tmp_path, drop_in=""):
    units = tmp_path / "units" / f"{UNIT.name}.d"
    units.mkdir(parents=True)
    shutil.copy(UNIT, tmp_path / "units")
    (units / "footage.conf").write_text(drop_in)


def test_a_unit_that_may_not_make_the_socket_or_empty_the_spool_is_an_error(
    settings, tmp_path, top
):
    installed(tmp_path)
    assert has(settings, "the directory of socket", level="error")
    assert has(settings, "covers spool", "daemon-reload", level="error")
    (tmp_path / "units" / f"{UNIT.name}.d" / "more.conf").write_text(
        f"[Service]\nReadWritePaths=-{top}\n"
    )
    assert not has(settings, "ReadWritePaths")


def test_the_unit_may_use_the_usual_places(tmp_path):
    installed(tmp_path)
    assert not has(Settings(site="test"), "ReadWritePaths")


# -- the spool -----------------------------------------------------------------------


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_spool_is_found_with_what_makes_it(settings, top):
    assert has(
        settings, "spool", "is not there", "install -d -m 1770", "-g ops",
        "setfacl -m g:sups:rwx,g:admins:rwx", level="warning",
    )  # fmt: skip


def test_a_spool_without_the_sticky_bit_is_found(settings):
    settings.spool.mkdir(mode=0o700)
    assert has(settings, "no sticky bit", level="warning")


def test_a_spool_that_everybody_may_write_is_found(settings):
    settings.spool.mkdir()
    settings.spool.chmod(0o1777)
    assert has(settings, "written by everybody", level="warning")
    assert not has(settings, "can't be used by members")


def test_a_spool_that_a_group_can_t_use_is_found(settings):
    settings.spool.mkdir()
    settings.spool.chmod(0o1700)
    assert has(settings, "can't be used by members of ops, sups, admins")


@needs.root
def test_a_spool_of_another_user_is_found(settings):
    spool_directory.make(settings)
    os.chown(settings.spool, 65534, -1)
    assert has(settings, "not the service's own", level="warning")


@needs.root
def test_a_spool_is_made_for_all_who_may_place_holds_and_nobody_else(settings):
    os.chown(settings.state_directory, 65534, 65534)
    assert spool_directory.make(settings) is None
    assert mode(settings.spool) == 0o1770
    found = settings.spool.stat()
    assert (found.st_uid, found.st_gid) == (65534, GROUPS["ops"])
    for group, may in (("ops", 0), ("sups", 0), ("admins", 0), ("auditors", 1)):
        gid = GROUPS[group]
        done = subprocess.run(
            ["setpriv", "--reuid=60000", f"--regid={gid}", "--clear-groups", "sh", "-c",
             f"ls {settings.spool} && touch {settings.spool}/{group}"],
            capture_output=True,
        )  # fmt: skip
        assert bool(done.returncode) == bool(may), (group, done.stderr)


@needs.root
def test_nobody_can_take_away_what_another_left(settings):
    spool_directory.make(settings)
    left = settings.spool / "request.json"
    left.touch()
    os.chown(left, 60009, -1)
    command = ["setpriv", "--reuid=60000", f"--regid={GROUPS['ops']}", "--clear-groups",
               "rm", "-f", left]  # fmt: skip
    assert subprocess.run(command, capture_output=True).returncode != 0


@needs.root
@needs.setfacl
def test_the_command_that_is_named_makes_the_same_directory(settings, monkeypatch):
    monkeypatch.undo()  # groups that the system itself knows
    own = settings.model_copy(
        update={
            "access": AccessSettings(
                operators=["games"], supervisors=["users"], administrators=["mail"]
            )
        }
    )
    line = spool_directory.command(own)
    subprocess.run(line, shell=True, check=True)  # noqa: S602 - as it is printed
    assert list(spool_directory.complaints(own)) == []
    by_command = os.getxattr(own.spool, "system.posix_acl_access")
    own.spool.rmdir()
    assert spool_directory.make(own) is None
    assert os.getxattr(own.spool, "system.posix_acl_access") == by_command


def test_a_spool_that_is_there_is_left_as_it_is(settings):
    settings.spool.mkdir()
    settings.spool.chmod(0o755)
    assert spool_directory.make(settings) is None
    assert mode(settings.spool) == 0o755


def test_without_its_groups_a_spool_is_not_made(settings, people):
    people.clear()
    assert "there is no group ops, sups, admins" in spool_directory.make(settings)
    assert not settings.spool.exists()


def test_a_spool_that_can_t_be_made_is_said_with_the_command(settings, top):
    moved = settings.model_copy(update={"spool": top / "none" / "spool"})
    assert "No such file or directory): as root, `install" in spool_directory.make(
        moved
    )
