"""Who may ask for what: the table, walked over the socket by real users."""

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace

import pytest

from retention.catalogue import raised
from retention.control.verbs import VERBS, Verb
from retention.model.values import HOUR
from retention.service.api import denials
from retention.service.api.peer import Peer
from retention.service.api.server import Request
from retention.service.requests import Requests
from retention.site import clock
from tests.support.office import Office, denied
from tests.support.people import ROLES, UNSET, People

EVERYBODY = "operator supervisor auditor administrator"
EXPECTED = {
    EVERYBODY: "status alarm.list alarm.show plan camera.list camera.show camera.publish camera.reconcile root.list recording.list "
    "recording.show hold.list hold.show policy.show audit.list audit.show audit.find "
    "audit.balance audit.verify audit.prove audit.checkpoint audit.key "
    "recording.requests report.deletions report.holds report.compliance "
    "report.exceptions report.seizures report.access report.foi "
    "report.certificate report.coverage report.summary",
    "auditor administrator": "report.rebuild",
    "supervisor auditor administrator": "report.holds_open",
    "operator supervisor administrator": "hold.place deletion.pause",
    "operator supervisor": "hold.extend hold.amend hold.review hold.release",
    "supervisor": "hold.approve hold.reject hold.reinstate policy.approve "
    "policy.reject deletion.approve recording.resolve recording.approve "
    "recording.reject schema.successor_approve schema.successor_reject "
    "schema.successor_holds",
    "supervisor administrator": "deletion.resume root.replace alarm.acknowledge "
    "schema.repair",
    "administrator": "camera.add camera.amend camera.import camera.renumber camera.moved "
    "camera.replace camera.assign camera.retire root.adopt guard.acknowledge audit.publish "
    "schema.successor",
}
"""Design, section 11, written down a second time."""

ALLOWED = {
    verb: set(roles.split())
    for roles, verbs in EXPECTED.items()
    for verb in verbs.split()
}

UNKNOWN = {"no such argument": 1}
"""Refused as usage to whoever may ask at all, before anything is done."""


def test_the_table_is_the_one_of_the_design():
    assert {name: set(verb.roles) for name, verb in VERBS.items()} == ALLOWED


@pytest.mark.parametrize("role", [*ROLES, "nobody", "root"])
def test_each_role_may_ask_for_each_verb_that_the_table_gives_it(office, people, role):
    of_role = {
        "operator": people.olga, "supervisor": people.sue, "auditor": people.art,
        "administrator": people.ada, "nobody": people.stranger, "root": people.root,
    }  # fmt: skip
    own = "administrator" if role == "root" else role
    asking, found = office.session(of_role[role]), {}
    for verb in VERBS:
        reply = asking.post(verb, **UNKNOWN)
        assert (reply.status, reply.kind) in ((400, "usage"), (403, "not_permitted"))
        found[verb] = reply.status == 400
    assert found == {verb: own in ALLOWED[verb] for verb in VERBS}


def test_two_roles_together_allow_what_either_allows(office: Office, people: People):
    asking = office.session(people.both)
    assert asking.post("hold.approve", **UNKNOWN).status == 400
    assert asking.post("hold.release", **UNKNOWN).status == 400
    assert denied(asking.post("guard.acknowledge", **UNKNOWN))


def test_the_entry_of_a_change_names_the_user_that_the_kernel_names(office, people):
    asking = office.session(people.olga, login=4321)
    office.hold(asking)
    (entry,) = office.written("hold.placed")
    actor = entry["actor"]
    assert (actor["uid"], actor["login"], actor["role"]) == (
        people.olga.uid, 4321, "operator",
    )  # fmt: skip


def test_who_has_no_role_is_told_so_and_that_is_an_entry(office, people):
    reply = office.session(people.stranger).post("hold.list")
    assert denied(reply)
    assert people.stranger.name in reply.message
    assert "ask an administrator" in reply.message
    (entry,) = office.written("access.denied")
    assert (entry["verb"], entry["count"]) == ("hold.list", 1)
    assert entry["actor"]["uid"] == people.stranger.uid
    assert entry["actor"]["role"] == "none"


def test_a_thousand_denials_are_two_entries_with_the_right_total(
    office, people, monkeypatch
):
    monkeypatch.setattr(denials, "PAUSE", HOUR)  # however long a thousand take
    asking = office.session(people.stranger)
    assert asking.many(1000, "status") == [403]
    assert len(office.written("access.denied")) == 1
    office.desk.denials.flush(clock.monotonic() + HOUR)
    counts = [entry["count"] for entry in office.written("access.denied")]
    assert counts == [1, 999]


def test_denials_of_another_user_or_verb_are_entries_of_their_own(office, people):
    stranger, auditor = office.session(people.stranger), office.session(people.art)
    for asking in (stranger, auditor, stranger):
        asking.post("hold.approve", hold=1)
    stranger.post("status")
    found = [(e["actor"]["uid"], e["verb"]) for e in office.written("access.denied")]
    assert found == [
        (people.stranger.uid, "hold.approve"), (people.art.uid, "hold.approve"),
        (people.stranger.uid, "status"),
    ]  # fmt: skip


def test_somebody_of_the_house_who_tries_what_they_may_not_is_an_alarm(office, people):
    for who in (people.stranger, people.art):
        assert denied(office.session(who).post("hold.approve", hold=1))
    with office.desk.core.catalogue.read() as tx:
        (alarm,) = raised.everyone(tx)
    assert (alarm.name, alarm.scope) == ("refused", people.art.name)
    assert "(auditor) asked for 'hold.approve', which that role may not" in alarm.detail


def test_who_may_do_a_thing_but_not_twice_is_not_said_to_have_no_right(office, people):
    """The second of two who end a hold was the first one, too."""
    asking = office.session(people.both)
    hold = office.hold(asking)
    assert asking.post("hold.release", hold=hold, reason="done").status == 200
    assert denied(asking.post("hold.approve", hold=hold))
    with office.desk.core.catalogue.read() as tx:
        (alarm,) = raised.everyone(tx)
    assert "'hold.approve', which that role may, and was refused:" in alarm.detail
    assert "asked for the release of hold 1, and another person must" in alarm.detail


def test_who_may_by_role_and_was_refused_for_another_reason_is_told_by_that(
    office, people
):
    """An operator may ask for a release; nobody knew who had logged in."""
    asking = office.session(people.olga, login=UNSET)
    hold = office.hold(asking)
    assert denied(asking.post("hold.release", hold=hold, reason="done"))
    with office.desk.core.catalogue.read() as tx:
        (alarm,) = raised.everyone(tx)
    assert "may not" not in alarm.detail
    assert "was refused: it is not known who logged in" in alarm.detail


def test_a_role_that_was_taken_away_ends_at_once_in_a_session_still_open(
    office, people
):
    """The process keeps its old groups; what counts is the group database now."""
    asking = office.session(people.olga)
    assert asking.post("hold.list").status == 200
    with ExitStack() as after:
        people.leave(people.olga, "operator")
        after.callback(people.join, people.olga, "operator")
        assert denied(asking.post("hold.list"))
    assert asking.post("hold.list").status == 200


def test_a_group_that_a_process_took_on_by_itself_gives_no_role(office, people):
    """Only the database says who is in a group, not a process's own list."""
    group = people.groups["supervisor"]
    script = (
        "import socket, sys\ns = socket.socket(socket.AF_UNIX)\n"
        "s.connect(sys.argv[1])\n"
        "s.sendall(b'POST /v1/hold.list HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\n{}')\n"
        "print(s.recv(20).decode())"
    )
    stranger = people.stranger
    words = stranger.command(sys.executable, "-I", "-c", script, str(office.socket))
    words = [w.replace("--init-groups", f"--groups={group}") for w in words]
    done = subprocess.run(words, capture_output=True, text=True)
    assert "403" in done.stdout, done


def test_the_description_is_the_table_of_verbs_and_anybody_may_read_it(office, people):
    reply = office.session(people.stranger).send(b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n")
    verbs = json.dumps(reply.body["verbs"])
    assert reply.body["verbs"].keys() == VERBS.keys(), verbs
    for name, verb in VERBS.items():
        told = reply.body["verbs"][name]
        assert told["roles"] == list(verb.roles)
        assert [told[key] for key in ("changes", "keeps", "seconds")] == [
            verb.changes, verb.keeps, verb.seconds,
        ]  # fmt: skip
        assert told["meaning"]


def test_denials_that_were_only_counted_are_on_record_when_the_service_ends(
    office, people
):
    office.session(people.stranger).many(3, "status")
    Requests(office.desk).close()
    assert [entry["count"] for entry in office.written("access.denied")] == [1, 2]


def test_an_answer_that_can_not_be_sent_is_a_fault_that_is_told(office, people):
    """And not a connection that ends in silence."""
    told: list[str] = []
    desk = replace(office.desk, crashed=lambda verb, _: told.append(verb))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Verb, "resolve", lambda _: lambda _: {"no": {"JSON"}})
        peer = Peer(1, people.olga.uid, 100)
        answer = desk.respond(Request(peer, "POST", "/v1/hold.list", b"{}"))
    assert (answer.status, told) == (500, ["hold.list"])
    assert json.loads(answer.body)["error"]["kind"] == "fault"
