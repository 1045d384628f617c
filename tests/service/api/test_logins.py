"""Who somebody is: a user that a database knows, by the names of groups, and by a login
that nobody else can claim."""

import grp
import subprocess
from contextlib import ExitStack

import pytest

from tests.support.office import Office, denied, running
from tests.support.people import UNSET, People

CRON = "system.slice/cron.service"
CONTAINER = "machine.slice/libpod-5f2.scope/container"
NESTED = "system.slice/cron.service/user.slice/user-{uid}.slice/session-1.scope"


@pytest.fixture
def hold(office: Office, people: People) -> int:
    """A hold whose release olga asked for."""
    asking = office.session(people.olga)
    number = office.hold(asking)
    assert asking.post("hold.release", hold=number, reason="done").status == 200
    return number


def pending(office: Office, people: People, hold: int) -> bool:
    return office.state_of(office.session(people.art), hold) == "pending release"


@pytest.mark.parametrize("group", [CRON, CONTAINER, NESTED])
def test_a_login_that_was_only_written_down_does_not_count(office, people, hold, group):
    """What cron or a container starts has no login, and may write any number there:
    sue's account and sid's number would be two people."""
    forged = office.session(
        people.sue, people.sid.uid, group.format(uid=people.sid.uid)
    )
    reply = forged.post("hold.approve", hold=hold)
    assert denied(reply)
    assert "not known who logged in" in reply.message
    assert pending(office, people, hold)
    (entry,) = office.written("access.denied")
    assert (entry["actor"]["uid"], entry["actor"]["login"]) == (people.sue.uid, UNSET)


def test_nobody_asks_for_a_release_under_a_colleague_s_number(office, people):
    hold = office.hold(office.session(people.olga))
    forged = office.session(people.olga, people.otto.uid, CRON)
    assert denied(forged.post("hold.release", hold=hold, reason="done"))
    other = office.session(
        people.olga, people.otto.uid, f"user.slice/user-{people.olga.uid}.slice/a.scope"
    )
    assert denied(other.post("hold.release", hold=hold, reason="done"))


def test_what_a_session_left_running_keeps_its_login(office, people, hold):
    """tmux after the logout: systemd leaves it where the session was."""
    left = (
        f"user.slice/user-{people.sue.uid}.slice/user@{people.sue.uid}.service/t.scope"
    )
    reply = office.session(people.sue, group=left).post("hold.approve", hold=hold)
    assert reply.body["state"] == "cooling off"


def test_under_a_subordinate_uid_nobody_has_a_role(office, people, hold):
    """A user namespace gives each user uids and any group within it."""
    gid = grp.getgrnam(people.groups["supervisor"]).gr_gid
    asking = office.session(people.unknown(820_900, gid), people.sue.uid)
    reply = asking.post("hold.approve", hold=hold)
    assert denied(reply)
    assert "user 820900 has no role here" in reply.message
    assert denied(asking.post("hold.list"))
    assert pending(office, people, hold)


def test_who_approves_is_a_member_by_name(office, people, hold):
    """A second group of the same number makes a supervisor whom no list names."""
    gid = grp.getgrnam(people.groups["supervisor"]).gr_gid
    alias = f"{people.groups['supervisor']}2"
    with ExitStack() as after:
        subprocess.run(["groupadd", "--non-unique", f"--gid={gid}", alias], check=True)
        after.callback(subprocess.run, ["groupdel", alias], check=True)
        subprocess.run(["gpasswd", "--add", people.stranger.name, alias], check=True)
        asking = office.session(people.stranger)
        assert asking.post("hold.list").status == 200
        reply = asking.post("hold.approve", hold=hold)
        assert denied(reply)
        assert f"{people.stranger.name} is not listed by name" in reply.message
    assert pending(office, people, hold)


def test_a_group_of_the_same_number_gives_no_role_by_itself(office, people):
    """Groups are known by name: the first of a number has it."""
    gid = grp.getgrnam(people.groups["operator"]).gr_gid
    reply = office.session(people.unknown(people.stranger.uid, gid)).post("hold.list")
    assert denied(reply)


def test_the_list_says_under_whose_login_it_was_done(people, directory):
    """ada logged in, and became sue."""
    office = Office(directory, people.groups)
    office.init()
    with running(office) as daemon:
        daemon.answering()
        words = ("deletion", "pause", "--for", "4h", "--reason", "a test")
        done = people.sue.retention(office.config, *words, login=people.ada.uid)
        assert done.returncode == 0, done
        listed = people.art.retention(office.config, "audit", "list", "--limit", "3")
        assert f"{people.sue.name} (login {people.ada.name})" in listed.stdout, listed
