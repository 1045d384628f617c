"""Hostile and broken clients: nobody else waits for them, nothing is changed by them."""

import json
import socket

import pytest

from retention.model.errors import RetentionError
from retention.service.api import peer as peers
from retention.service.api import server
from retention.service.api.server import LARGEST_BODY, Server
from tests.support.office import HOLD, Office, denied
from tests.support.people import People, Session, request

BODY = json.dumps(HOLD).encode()


@pytest.fixture(scope="module")
def office(still: Office) -> Office:
    return still


@pytest.fixture(scope="module")
def operator(office: Office, people: People) -> Session:
    return office.session(people.olga)


@pytest.fixture(scope="module")
def auditor(office: Office, people: People) -> Session:
    return office.session(people.art)


@pytest.fixture
def impatient(monkeypatch):
    """A server that waits for one second for a request to arrive, instead of five."""
    monkeypatch.setattr(server, "READ_SECONDS", 1)


def unharmed(auditor: Session) -> bool:
    """Nothing was held, and the next one is answered."""
    reply = auditor.post("hold.list", state="all")
    return reply.status == 200 and reply.body["holds"] == []


def test_a_path_that_is_not_a_socket_is_left_alone(directory):
    path = directory / "api.sock"
    path.write_text("precious")
    with pytest.raises(RetentionError, match="is not a socket: see what it is"):
        Server(path, lambda _: pytest.fail("asked"))
    assert path.read_text() == "precious"


def test_a_link_is_not_followed_to_a_socket(directory):
    (directory / "target").write_text("precious")
    (directory / "api.sock").symlink_to(directory / "target")
    with pytest.raises(RetentionError, match="is not a socket"):
        Server(directory / "api.sock", lambda _: pytest.fail("asked"))


def test_a_socket_that_a_dead_process_left_is_replaced_for_everybody(directory):
    path = directory / "api.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    made = Server(path, lambda _: pytest.fail("asked"))
    assert path.stat().st_mode & 0o777 == 0o666
    assert made.stop(1)


def test_a_body_of_a_gigabyte_is_refused_by_its_announced_length(auditor, operator):
    head = b"POST /v1/hold.place HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n"
    reply = operator.send(head)
    assert (reply.status, reply.kind) == (413, "usage")
    assert unharmed(auditor)


def test_a_body_of_a_gigabyte_that_really_comes_is_not_read(auditor, operator):
    head = b"POST /v1/hold.place HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n"
    sent, reply = operator.stream(head, 1 << 30)
    assert sent < 4 << 20
    assert reply.status == 413
    assert unharmed(auditor)


def test_more_than_was_announced_is_not_read_either(auditor, operator):
    head = request("/v1/hold.list", b"{}")
    sent, reply = operator.stream(head, 1 << 30)
    assert sent < 4 << 20
    assert reply.status == 200


def test_the_largest_body_is_taken(operator):
    body = b'{"camera": "' + b"x" * (LARGEST_BODY - 14) + b'"}'
    assert len(body) == LARGEST_BODY
    assert operator.post_raw("hold.list", body).status in (200, 400)
    assert operator.post_raw("hold.list", body + b" ").status == 413


@pytest.mark.usefixtures("impatient")
def test_a_byte_now_and_then_does_not_keep_a_connection(auditor, operator):
    reply = operator.send(*(bytes([one]) for one in request("/v1/status")), pause=0.1)
    assert (reply.raw, bool(reply.error)) == (b"", True)
    assert unharmed(auditor)


@pytest.mark.usefixtures("impatient")
def test_half_a_body_is_no_request(auditor, operator):
    whole = request("/v1/hold.place", BODY)
    assert operator.send(whole[:-5], shut=True).raw == b""
    assert operator.send(whole[:-5]).raw == b""  # and waits
    assert unharmed(auditor)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"hold"',
        b"\xff\xfe{}",
        b'{"camera": "\xff"}',
        b'{"camera": "\xed\xa0\x80"}',
        b'{"camera": "\\ud800"}',
        b'{"hold": 1' + b"0" * 10_000 + b"}",
        b'{"camera": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"camera": ' + b'{"a":' * 100_000 + b"}" * 100_000 + b"}",
        b'{"state": NaN}',
        b'{"state": true}',
        b'{"state": "all", "state2": 1}',
        b"{} {}",
        b"\x00",
        b"",
    ],
    ids=range(17),
)
def test_a_body_that_is_no_object_of_arguments_is_refused(operator, body):
    reply = operator.post_raw("hold.list", body)
    if body == b"":
        assert reply.status == 200  # nothing asked for but the verb
    else:
        assert (reply.status, reply.kind) == (400, "usage")


@pytest.mark.parametrize("hold", [2**63, -(2**63) - 1, 10**400, 2**63 - 1, -1, 0])
def test_a_hold_of_an_impossible_number_is_no_hold(operator, hold):
    assert operator.post("hold.show", hold=hold).status in (400, 409)


@pytest.mark.parametrize(
    "name",
    ["../1001", "10/01", "/etc/passwd", "1001\0", "..", "\u202e1001", "C" * 9999],
)
def test_a_camera_of_an_impossible_id_is_no_camera(auditor, operator, name):
    reply = operator.post("hold.place", **(HOLD | {"cameras": [name]}))
    assert (reply.status, reply.kind) == (400, "usage")
    assert operator.post("camera.show", camera=name).status in (400, 409)
    assert unharmed(auditor)


SMUGGLED = request("/v1/hold.place", BODY)
"""What a hostile client would have a second reader take for a request."""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 2\r\nContent-Length: 2", 400),
        (b"Content-Length: 2\r\nContent-Length: 500", 400),
        (b"Content-Length: 2, 2", 400),
        (b"Content-Length: +2", 400),
        (b"Content-Length: -2", 400),
        (b"Content-Length: 0x2", 400),
        (b"Content-Length: 2\r\n 0", 400),
        (b"Content-Length:\r\n 2", 400),
        ("Content-Length: ²".encode(), 400),
        (b"Content-Length: " + b"9" * 5000, 400),
        (b"Transfer-Encoding: chunked", 501),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 2", 501),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked", 501),
        (b"Content-Length: 2\r\nTransfer-Encoding: identity", 501),
        (b"Content-Length: 2\r\nTransfer-Encoding:\r\n chunked", 400),
        (b"Content-Length: 2\r\nTransfer-Encoding : chunked", 400),
        (b"Content-Length : 2", 400),
        (b" Content-Length: 2", 400),
        (b"X: 1\r\n folded: yes\r\nContent-Length: 2", 400),
        (b"X: \0\r\nContent-Length: 2", 400),
        (b"X: a\rb\r\nContent-Length: 2", 400),
        (b"no header at all\r\nContent-Length: 2", 400),
        (b"X: 1", 411),
    ],
)
def test_a_length_that_two_readers_could_read_differently_is_refused(
    auditor, operator, head, status
):
    start = b"POST /v1/hold.list HTTP/1.1\r\n"
    reply = operator.send(start + head + b"\r\n\r\n{}" + SMUGGLED)
    assert reply.status == status
    assert reply.raw.count(b"HTTP/1.1 ") == 1
    assert unharmed(auditor)


def test_a_second_request_on_the_same_connection_is_not_heard(auditor, operator):
    reply = operator.send(request("/v1/hold.list") + SMUGGLED)
    assert reply.status == 200
    assert reply.raw.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in reply.raw
    assert unharmed(auditor)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1",
        b"POST /v1/hold.place",
        b"GARBAGE",
        b"\x00\x01\x02",
        b"\xff\xff /v1 HTTP/1.1",
        b"POST /v1/hold.list HTTP/2.0",
        b"POST /v1/hold.list HTTP/1.1 HTTP/1.1",
        b"POST  HTTP/1.1",
        b"POST /v1/" + b"x" * 70_000 + b" HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"POST //v1/hold.place HTTP/1.1",
    ],
    ids=range(11),
)
def test_a_line_that_is_no_request_is_refused(auditor, operator, line):
    reply = operator.send(line + b"\r\nContent-Length: 2\r\n\r\n{}")
    assert reply.status in (400, 414, 501, 505)
    assert unharmed(auditor)


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "HEAD", "TRACE", "CONNECT", "post"]
)
def test_other_methods_are_not_known(auditor, operator, method):
    head = f"{method} /v1/hold.place HTTP/1.1\r\nContent-Length: {len(BODY)}\r\n\r\n"
    assert operator.send(head.encode() + BODY).status == 501
    assert unharmed(auditor)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../v1/hold.place",
        "/v1//hold.place",
        "/v1/hold.place/",
        "/v1/hold.place?x=1",
        "/v1/hold%2eplace",
        "/v2/hold.place",
        "/hold.place",
        "hold.place",
        "http://localhost/v1/hold.place",
        "/v1/",
        "/",
        "*",
        "/v1/hold.place%00",
        "/v1/__class__",
        "/v1/Hold.Place",
    ],
)
def test_a_path_has_one_spelling(auditor, operator, path):
    reply = operator.send(request(path, BODY))
    assert reply.status == 404
    assert unharmed(auditor)


def test_an_answer_never_shows_what_was_asked_as_a_header(operator):
    reply = operator.send(request("/v1/x\x0bRetention-Zone:evil", b"{}"))
    head = reply.raw.partition(b"\r\n\r\n")[0]
    assert b"evil" not in head


def test_whom_the_kernel_does_not_name_is_denied(office, operator, monkeypatch):
    monkeypatch.setattr(peers, "of", lambda _: None)
    for verb in ("hold.list", "hold.place", "status"):
        reply = operator.post(verb)
        assert denied(reply)
        assert "does not say who you are" in reply.message
    entry = office.written("access.denied")[0]
    assert (entry["actor"]["uid"], entry["actor"]["role"]) == (2**32 - 1, "none")


@pytest.mark.parametrize("raw", [(0, 0, 0), (0, 1000, 100), (77, 2**32 - 1, 100)])
def test_a_peer_outside_the_own_namespace_is_none(raw):
    """Process 0: it can't be seen from here.  Uid -1: nobody."""

    class Connection:
        def getsockopt(self, *_):
            return peers._UCRED.pack(*raw)

    assert peers.of(Connection()) is None


def test_a_pair_of_connections_over_the_network_has_no_peer():
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as one,
    ):
        assert peers.of(one) is None
