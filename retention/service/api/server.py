"""Owns the socket: who may connect how often, how long and how much may be sent.

One request a connection, each on a thread of its own.  A connection that says nothing
costs its own user's share and nobody else's: how many a user may have open is decided by
the kernel's word on who it is, before a thread or a byte is spent on it.  That, and that
there is one route, is why this is the standard library's server and no framework.
"""

from __future__ import annotations

import errno
import json
import socket
import socketserver
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

from retention import __version__
from retention.model.errors import RetentionError
from retention.model.values import SECOND, Micros
from retention.service.api import peer as peers
from retention.service.api.peer import Peer
from retention.site import clock
from retention.site.address import reachable

LARGEST_BODY = 4 << 20
"""Bytes of a request: a list of some ten thousand cameras."""
READ_SECONDS = 5
"""For the whole of a request to arrive."""
WRITE_SECONDS = 10
"""For the whole of an answer to be taken."""
EACH = 8
"""Connections that one user may have open; more are turned away."""
ALL = 64
"""Connections of everybody together."""
STRANGERS = 16
"""Of these, all that users without a role have together: the others are a reserve for
people with one."""
_LOOK_SECONDS = 0.25


class Answer(NamedTuple):
    """What goes back: HTTP status, JSON text, and what every screen has to say."""

    status: HTTPStatus
    body: bytes
    headers: dict[str, str]


class Request(NamedTuple):
    """What came in, from whom; `peer` None where the kernel did not say."""

    peer: Peer | None
    method: str
    path: str
    body: bytes


class Door(NamedTuple):
    """Who comes in: whether a peer has any role, and who hears of those turned away."""

    known: Callable[[Peer], bool] = lambda _: True
    turned_away: Callable[[Peer], None] = lambda _: None


class _Handler(BaseHTTPRequestHandler):
    """Reads one request and writes one answer; then the connection ends."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # a refusal always has a status line
    server_version = f"retention/{__version__}"
    sys_version = ""
    timeout = READ_SECONDS
    server: _Listener

    def handle_one_request(self) -> None:
        """As the base class, and nothing follows on the same connection."""
        super().handle_one_request()
        self.close_connection = True

    def parse_request(self) -> bool:
        """As the base class, but a request that could be read in two ways is none."""
        if not super().parse_request():
            return False
        if _one_reading(self.requestline, self.path, self.headers):
            return True
        self._refuse(HTTPStatus.BAD_REQUEST)
        return False

    def do_POST(self) -> None:
        """A verb."""
        size = _body_size(self.headers)
        if isinstance(size, HTTPStatus):
            self._refuse(size)
            return
        body = self.rfile.read(size)
        if len(body) < size:
            return  # the caller went away, or took too long
        self._answer(body)

    def do_GET(self) -> None:
        """The description of the API."""
        self._answer(b"")

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """What the parser does not take is refused in our own form."""
        self._refuse(HTTPStatus(code), explain or message)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what matters is in the audit log."""

    def address_string(self) -> str:
        """A Unix socket's peer has no address."""
        return "local"

    def _answer(self, body: bytes) -> None:
        peer = self.server.read(self.connection)
        answer = self.server.respond(Request(peer, self.command, self.path, body))
        self._send(answer)

    def _refuse(self, status: HTTPStatus, why: str | None = None) -> None:
        text = why or f"{status.phrase.lower()}: {status.description.lower()}"
        self._send(Answer(status, encoded(problem("usage", text)), {}))

    def _send(self, answer: Answer) -> None:
        self.connection.settimeout(WRITE_SECONDS)
        self.close_connection = True
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        for name, text in answer.headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(answer.body)


def problem(kind: str, message: str) -> dict[str, Any]:
    """The body of an answer that is none."""
    return {"error": {"kind": kind, "message": message}}


def encoded(body: dict[str, Any]) -> bytes:
    """A body as it is sent: in ASCII, which has a form for whatever a text holds."""
    return json.dumps(body).encode("ascii")


def _one_reading(line: str, path: str, headers: Message) -> bool:
    """Method, path as it was sent, version; headers of one plain line each."""
    if line.split()[1:-1] != [path] or headers.defects:
        return False
    return not any(_CONTROL & set(name + text) for name, text in headers.items())


_CONTROL = {chr(code) for code in (*range(32), 127)} - {"\t"}


def _body_size(headers: Message) -> int | HTTPStatus:
    """How much follows; where two readers could understand it differently, refuse."""
    if headers.get_all("Transfer-Encoding"):
        return HTTPStatus.NOT_IMPLEMENTED
    lengths = headers.get_all("Content-Length") or []
    if not lengths:
        return HTTPStatus.LENGTH_REQUIRED
    text = lengths[0].strip()
    if len(lengths) > 1 or not (text.isascii() and text.isdigit()) or len(text) > 12:
        return HTTPStatus.BAD_REQUEST
    size = int(text)
    return size if size <= LARGEST_BODY else HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class _Listener(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, listening: socket.socket, respond: Callable[[Request], Answer], door: Door
    ) -> None:
        socketserver.BaseServer.__init__(self, "", _Handler)
        self.socket = listening
        self.respond = respond
        self._door = door
        self._mutex = threading.Lock()
        self._open: dict[socket.socket, Peer | None] = {}
        self._strangers: set[socket.socket] = set()
        self._reading: dict[socket.socket, Micros] = {}

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Is there room for one more of this user?  Else it is told why not, and let go."""
        peer = peers.of(request)
        known = peer is not None and self._door.known(peer)
        with self._mutex:
            why = self._full(peer, known)
            if why is None:
                self._open[request] = peer
                self._reading[request] = clock.monotonic()
                if not known:
                    self._strangers.add(request)
                return True
        _turn_away(request, why)
        if peer is not None:
            self._door.turned_away(peer)
        return False

    def _full(self, peer: Peer | None, known: bool) -> str | None:
        """Why one more can't be answered now; None where it can."""
        uid = None if peer is None else peer.uid
        users = [None if one is None else one.uid for one in self._open.values()]
        if users.count(uid) >= EACH:
            return (
                f"too many requests of yours are open ({EACH} at most): close some, and "
                "try again"
            )
        if not known and len(self._strangers) >= STRANGERS:
            return (
                f"all {STRANGERS} connections for users without a role are taken, by you "
                "or by others: try again later, or ask an administrator for a role"
            )
        if len(users) >= ALL:
            return (
                f"the service has {ALL} requests of other users at hand: try again in a "
                "moment; an administrator sees with `ss -xp` whose they are"
            )
        return None

    def read(self, request: socket.socket) -> Peer | None:
        """The whole request is here; who it is from."""
        with self._mutex:
            self._reading.pop(request, None)
            return self._open.get(request)

    def shutdown_request(self, request: Any) -> None:
        """The connection has ended."""
        with self._mutex:
            self._open.pop(request, None)
            self._strangers.discard(request)
            self._reading.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End what has not said all it has to say: each byte a second is too slow."""
        late = clock.monotonic() - READ_SECONDS * SECOND
        with self._mutex:
            slow = [one for one, since in self._reading.items() if since < late]
        for one in slow:
            with suppress(OSError):  # it ended by itself just now
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who goes away in the middle is no trouble of ours."""

    def busy(self) -> int:
        """How many connections are open."""
        with self._mutex:
            return len(self._open)


def _turn_away(request: socket.socket, text: str) -> None:
    payload = encoded(problem("busy", text))
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    ).encode()
    with suppress(OSError):
        request.setblocking(False)
        request.send(head + payload)


class Server:
    """The listening socket and its thread."""

    def __init__(
        self,
        path: Path,
        respond: Callable[[Request], Answer],
        *,
        look_seconds: float = _LOOK_SECONDS,
        door: Door | None = None,
    ) -> None:
        self._listener = _Listener(_listen(path), respond, door or Door())
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            args=(look_seconds,),
            name="api",
            daemon=True,
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Take no more; wait for what is being answered.  False: some still is."""
        if self._thread.ident is not None:
            self._listener.shutdown()
        self._listener.server_close()
        until = clock.monotonic() + int(seconds * SECOND)
        while self._listener.busy() and clock.monotonic() < until:
            time.sleep(0.02)
        return not self._listener.busy()


def _listen(path: Path) -> socket.socket:
    """Make the socket, in place of one that a process before this left.

    0666: anyone may ask, since roles decide and a denial is put on record; the
    directory says nothing about who may (design, section 11).
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise RetentionError(_cannot(path, error)) from error
    if found is not None and not stat.S_ISSOCK(found.st_mode):
        raise RetentionError(
            f"{path} is there and is not a socket: see what it is and move it away, or "
            "name another place with `socket` in the configuration"
        )
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if found is not None:
            path.unlink()
        with reachable(path) as name:
            listening.bind(name)
        path.chmod(0o666)
        listening.listen(_Listener.request_queue_size)
    except OSError as error:
        listening.close()
        raise RetentionError(_cannot(path, error)) from error
    return listening


def _cannot(path: Path, error: OSError) -> str:
    why = error.strerror or str(error)
    hint = "make its directory" if error.errno == errno.ENOENT else "put that right"
    return (
        f"the socket {path} can't be made ({why}): {hint}, or name another place with "
        "`socket` in the configuration"
    )
