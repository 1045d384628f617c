"""Two people release a hold: two by their uid, and two by who logged in."""

import sys
from contextlib import ExitStack

import pytest

from tests.support.office import Office, denied
from tests.support.people import UNSET, People


@pytest.fixture
def hold(office: Office, people: People) -> int:
    """A hold whose release `both` asked for."""
    asking = office.session(people.both)
    number = office.hold(asking)
    reply = asking.post("hold.release", hold=number, reason="case closed")
    assert (reply.status, reply.body["state"]) == (200, "pending release")
    return number


def approve(office, person, hold, login=None):
    return office.session(person, login).post("hold.approve", hold=hold)


def still_pending(office: Office, people: People, hold: int) -> bool:
    state = office.state_of(office.session(people.art), hold)
    return state == "pending release" and not office.written("hold.released")


def test_another_supervisor_approves(office, people, hold):
    assert approve(office, people.sue, hold).body["state"] == "cooling off"
    (entry,) = office.written("hold.released")
    assert entry["actor"]["uid"] == people.sue.uid


def test_who_asked_for_a_release_can_not_approve_it(office, people, hold):
    reply = approve(office, people.both, hold)
    assert denied(reply)
    assert "another" in reply.message
    assert still_pending(office, people, hold)
    (entry,) = office.written("access.denied")
    assert (entry["verb"], entry["actor"]["uid"]) == ("hold.approve", people.both.uid)


def test_an_operator_can_not_approve_what_he_asked_for(office, people):
    asking = office.session(people.olga)
    hold = office.hold(asking)
    assert asking.post("hold.release", hold=hold, reason="done").status == 200
    reply = asking.post("hold.approve", hold=hold)
    assert denied(reply)
    assert "supervisor" in reply.message
    assert still_pending(office, people, hold)


def test_the_same_person_under_another_user_can_not_approve(office, people, hold):
    """As `sudo -u` leaves it: another uid, and the login of who asked."""
    assert denied(approve(office, people.sue, hold, login=people.both.uid))
    assert still_pending(office, people, hold)


def test_the_same_user_under_another_login_can_not_approve(office, people, hold):
    assert denied(approve(office, people.both, hold, login=people.sid.uid))
    assert still_pending(office, people, hold)


def test_root_can_not_approve_whoever_logged_in(office, people, hold):
    for login in (0, people.sue.uid, UNSET):
        reply = approve(office, people.root, hold, login)
        assert denied(reply)
        assert "run it again without sudo" in reply.message
    assert still_pending(office, people, hold)


@pytest.mark.parametrize("verb", ["release", "approve", "reject", "reinstate"])
def test_with_sudo_the_release_verbs_say_to_run_it_again_without(office, people, verb):
    arguments = {"hold": office.hold(office.session(people.olga)), "reason": "done"}
    if verb == "approve":
        del arguments["reason"]
    asking = office.session(people.root, login=people.sue.uid)
    reply = asking.post(f"hold.{verb}", **arguments)
    assert denied(reply)
    assert "not" in reply.message
    assert "run it again without sudo" in reply.message
    (entry,) = office.written("access.denied")
    assert (entry["actor"]["uid"], entry["actor"]["login"]) == (0, people.sue.uid)


def test_nobody_knows_who_logged_in_and_so_he_can_not_approve(office, people, hold):
    reply = approve(office, people.sue, hold, login=UNSET)
    assert denied(reply)
    assert "log in" in reply.message
    assert still_pending(office, people, hold)


def test_nobody_knows_who_logged_in_and_so_he_can_not_ask_for_a_release(office, people):
    asking = office.session(people.olga, login=UNSET)
    hold = office.hold(asking)  # placing only keeps
    assert denied(asking.post("hold.release", hold=hold, reason="done"))
    assert office.state_of(asking, hold) == "active"


def test_a_supervisor_who_lost_his_role_meanwhile_can_not_approve(office, people, hold):
    asking = office.session(people.sue)
    assert asking.post("hold.list").status == 200
    with ExitStack() as after:
        people.leave(people.sue, "supervisor")
        after.callback(people.join, people.sue, "supervisor")
        assert denied(asking.post("hold.approve", hold=hold))
    assert still_pending(office, people, hold)


def test_who_became_a_supervisor_meanwhile_can_approve_and_it_is_on_record(
    office, people, hold
):
    office.session(people.sid).post("hold.approve", hold=hold + 1)  # members are read
    with ExitStack() as after:
        people.join(people.otto, "supervisor")
        after.callback(people.leave, people.otto, "supervisor")
        assert approve(office, people.otto, hold).status == 200
    change = office.written("access.changed")[-1]
    assert change["role"] == "supervisor"
    assert change["added"] == {"names": [people.otto.name]}
    assert change["removed"] == {"names": []}


def test_the_list_names_the_supervisors_who_can_approve(office, people, hold):
    (row,) = (
        office.session(people.olga).post("hold.list", state="pending").body["holds"]
    )
    assert row["approvers"] == sorted([people.sue.name, people.sid.name])


def test_the_login_is_that_of_the_process_that_connected_not_of_a_later_one(
    office, people, hold
):
    """`both` asked, and now connects as sue; the process ends, and its number is given
    to one that sue herself started, before the request is sent."""
    done = people.root.run(
        sys.executable, "-I", "-c", TAKEN_OVER, str(office.socket), str(hold),
        str(people.both.uid), str(people.sue.uid),
        *(str(people.slices.of(one.uid)) for one in (people.both, people.sue)),
    )  # fmt: skip
    assert "same number" in done.stdout, done
    assert "HTTP/1.1 403" in done.stdout
    assert still_pending(office, people, hold)


TAKEN_OVER = """
import os, socket, sys, time
path, hold, both, sue, *places = sys.argv[1:]

def become(login, place):
    with open(place + "/cgroup.procs", "w") as file:
        file.write(str(os.getpid()))
    with open("/proc/self/loginuid", "w") as file:
        file.write(login)
    os.setgroups([])
    os.setresgid(100, 100, 100)
    os.setresuid(*[int(sue)] * 3)

s = socket.socket(socket.AF_UNIX)
first = os.fork()
if not first:
    become(both, places[0])
    s.connect(path)
    os._exit(0)
os.waitpid(first, 0)
for _ in range(50):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(first - 1))
    told, tell = os.pipe()
    second = os.fork()
    if not second:
        become(sue, places[1])
        os.write(tell, b"x")
        time.sleep(150)
        os._exit(0)
    if second == first:
        print("same number")
        break
    os.kill(second, 9)
    os.waitpid(second, 0)
os.read(told, 1)
body = b'{"hold": %s}' % hold.encode()
s.sendall(b"POST /v1/hold.approve HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
print(s.recv(9000).decode())
os.kill(second, 9)
"""
