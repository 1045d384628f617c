"""Any request over any route: never a fault, and no change by whoever has no role."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.control.verbs import VERBS
from retention.service.api.arguments import parameters
from retention.service.api.peer import Peer
from retention.service.api.server import Request
from tests.support import campaign
from tests.support.office import Office
from tests.support.people import People, Person, Session

TEXTS = st.sampled_from(
    [
        "1001", "1002", "100*", "*", "", " ", "..", "../1001", "a/b", "\0", "\u202e",
        "\U0001f4f7", "nvr1", "court", "police", "sar", "internal", "now", "+2h", "-1h",
        "2026-10-24T20:00Z", "2026-10-24T22:00Z", "yesterday 21:00", "0", "5m", "10d",
        "9999-12-31T23:59Z", "0001-01-01T00:00Z", "2026-02-30", "9" * 400, "x" * 501,
        "clock", "request", "active", "all", "pending", "released", "times_right",
        "police custody", "public_space", "1e400", "NaN", "Market", "hold.placed",
        "2f5cf5b9-5ffe-4b9a-b2e4-6c1d1c9a6f10", "aWQsbG9jYXRpb24KMSxB", "1001/x.mp4",
        "%", "_", "'; DROP TABLE hold; --", "{camera}", "[", "[a-", "[!]", "(((",
    ]
)  # fmt: skip
TEXT = TEXTS | st.text(max_size=30)
NUMBER = (
    st.integers(-2, 12)
    | st.integers(-(2**64), 2**64)
    | st.sampled_from([2**31, 2**53, 2**63 - 1, -(2**63), 86_400 * 10**6, 10**12])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBER | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=5,
)


def of_type(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of an argument's type, as its annotation says, mostly such as are meant."""
    found = str(getattr(annotation, "__name__", annotation))
    if "list[str]" in str(annotation):
        return st.lists(TEXT, max_size=3)
    for name, strategy in (("int", NUMBER), ("bool", st.booleans())):
        if name in found or name in str(annotation):
            return strategy
    if "float" in str(annotation):
        return st.floats(-200, 200) | NUMBER
    return TEXT


MEANT: dict[str, list[Any]] = {
    "cameras": [["1001"], ["1001", "1002"], ["100*"]],
    "camera": ["1001", "1002", "1003"],
    "location": ["Market", "station", "Bus"],
    "since": ["2026-10-24T20:00Z", "yesterday 21:00"],
    "until": ["2026-10-24T22:00Z", "now", "+2h"],
    "until_released": [False],
    "kind": ["court", "police", "sar", "public_space"],
    "received": ["2026-10-24T20:00Z"],
    "review": ["+30d"],
    "margin": ["0", "5m"],
    "length": ["2h"],
    "hold": [1, 2, 3, 4, 5],
    "replaces": [1, 2, 3],
    "proposal": [1, 2],
    "reason": ["done"],
    **{name: ["A/1"] for name in ("reference", "officer", "force", "requester")},
    "request": ["2f5cf5b9-5ffe-4b9a-b2e4-6c1d1c9a6f10"],
    "typed": ["yesterday"],
    "number": [0, 1, 2, 3],
    "guard": ["request", "clock"],
    "id": ["1003", "1004", "1001"],
    "old": ["1001", "1002"],
    "new": ["1003", "1004"],
    "name": ["nvr1"],
    "state": ["all", "pending"],
}
"""What people mean, by the name of the argument."""


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes]:
    """A verb and its body: right in form, more often than not."""
    verb = draw(st.sampled_from(list(VERBS)))
    tame = draw(st.integers(0, 2)) > 0
    body: dict[str, Any] = {}
    for name, annotation, default in parameters(verb):
        asked = verb == "hold.place" and name in ("cameras", "until", "reference")
        if default is None and not asked and draw(st.integers(0, 3)):
            continue
        if tame and name in MEANT:
            body[name] = draw(st.sampled_from(MEANT[name]))
        elif tame or draw(st.integers(0, 9)):
            body[name] = draw(of_type(annotation))
        elif draw(st.booleans()):
            body[name] = draw(JSON)
    if draw(st.integers(0, 29)) == 0:
        body[draw(TEXT)] = draw(JSON)
    return verb, json.dumps(body).encode()


@pytest.fixture(scope="module")
def office(still: Office, people: People) -> Office:
    """With a few holds, so that there is something to act on."""
    asking = still.session(people.olga)
    for _ in range(5):
        still.hold(asking)
    return still


def ask(office: Office, person: Person, verb: str, body: bytes) -> tuple[int, Any]:
    peer = Peer(1, person.uid, 100, person.uid)
    answer = office.desk.respond(Request(peer, "POST", f"/v1/{verb}", body))
    return answer.status, json.loads(answer.body)


ALARMS = "alarm"


def judge(office: Office, person: Person, asked: tuple[str, bytes]) -> None:
    status, body = ask(office, person, *asked)
    assert status in (200, 400, 403, 409), (asked, body)
    assert (status == 200) != ("error" in body)


@settings(max_examples=campaign.share(300))
@given(asked=requests())
def test_without_a_role_nothing_changes_but_the_record_of_denials(
    office: Office, people: People, asked: tuple[str, bytes]
):
    before, size = office.tables(), office.size()
    assert ask(office, people.stranger, *asked)[0] == 403
    assert office.tables() == before
    assert office.kinds_since(size) <= {"access.denied"}


@settings(max_examples=campaign.share(300))
@given(asked=requests())
def test_an_auditor_changes_nothing_and_meets_no_fault(office, people, asked):
    """But for the alarm that they tried what they may not."""
    before, size = office.tables(), office.size()
    judge(office, people.art, asked)
    after = office.tables()
    assert after | {ALARMS: []} == before | {ALARMS: []}
    assert {row.name for row in after[ALARMS]} <= {"refused"}
    assert office.kinds_since(size) <= {"access.denied", "alarm.raised"}


@settings(max_examples=campaign.share(800))
@given(asked=requests(), who=st.sampled_from(["both", "sue", "otto"]))
def test_who_works_with_footage_meets_no_fault(office, people, asked, who):
    judge(office, getattr(people, who), asked)


def test_a_list_of_an_impossible_length_is_refused(office, people):
    """Found by the tests above."""
    for limit in (0, -1, -2, 2**63 - 1):
        body = json.dumps({"limit": limit}).encode()
        assert ask(office, people.art, "audit.list", body)[0] == 400


@settings(max_examples=campaign.share(600))
@given(asked=requests())
def test_an_administrator_meets_no_fault(office, people, asked):
    judge(office, people.ada, asked)


@pytest.fixture(scope="module")
def operator(office: Office, people: People) -> Session:
    return office.session(people.olga)


LINES = st.sampled_from(
    [
        b"POST /v1/hold.list HTTP/1.1", b"GET /v1 HTTP/1.1", b"\r\n", b"\r\n\r\n", b"\n",
        b"Content-Length: 2", b"Content-Length: 9", b"Transfer-Encoding: chunked", b"{}",
        b"Expect: 100-continue", b"Connection: keep-alive", b" ", b"\0", b":", b"\xff",
        b"HTTP/0.9", b"0\r\n\r\n", b"Upgrade: h2c", b"POST", b"/v1/status",
    ]
)  # fmt: skip


@settings(max_examples=campaign.share(300))
@given(pieces=st.lists(LINES | st.binary(max_size=20), max_size=12))
def test_any_bytes_are_answered_or_let_go_and_the_next_request_is_answered(
    office: Office, operator: Session, pieces: list[bytes]
):
    reply = operator.send(b"".join(pieces), shut=True)
    assert reply.raw == b"" or reply.raw.startswith(b"HTTP/1."), reply
    assert b" 500 " not in reply.raw.partition(b"\r\n")[0]
    assert operator.post("hold.list").status == 200
