"""Asks the service for verbs, over its socket, on behalf of a command.

Light on purpose: a command is typed at 3 a.m. and answers at once, so nothing here
loads the settings' checks or the catalogue.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import stat
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from retention.control.verbs import QUICK, VERBS
from retention.model.errors import (
    BusyError,
    CatalogueError,
    RetentionError,
    UnreachableError,
    of_kind,
)
from retention.model.localtime import format_local, format_utc, parse_instant
from retention.model.values import SECOND
from retention.service import spool
from retention.site import address
from retention.site.address import Whereabouts, reachable

ALIVE_PATH = "/v1/alive"

PATIENCE_SECONDS = 5
"""So long a command tries again that was turned away."""
_PAUSE_SECONDS = 0.25

_HEADERS = {"Content-Type": "application/json"}


class Client:
    """Requests to one service; `config` and `socket_path` None mean the usual places.

    `timezone` and `notices` are what the service said with its last answer.
    """

    def __init__(
        self, config: Path | None = None, socket_path: Path | None = None
    ) -> None:
        self.config = config
        self._socket = socket_path
        self._zone: str | None = None
        self.notices: list[str] = []

    @cached_property
    def place(self) -> Whereabouts:
        """Where the service is; SettingsError where a named configuration can't be
        read."""
        return address.find(self.config, self._socket, os.environ)

    @property
    def timezone(self) -> str:
        """The zone in which people at this site type and read times."""
        return self._zone or self.place.zone or address.DEFAULT_ZONE

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The answer of `verb`, all of it JSON-able.

        Raises what the service refused with, as if it had been raised here, and
        UnreachableError where nobody answers; a request to place a hold is then left
        in the spool, as it is where the catalogue can't take it.
        """
        if verb not in VERBS:
            raise RetentionError(f"this program does not know the request {verb!r}")
        spooled = verb in spool.VERBS and not arguments.get("dry_run")
        if spooled:
            import uuid  # here: most commands need no number

            arguments.setdefault("request", str(uuid.uuid4()))
        try:
            return self._ask(verb, arguments)
        except (UnreachableError, CatalogueError) as error:
            if not spooled:
                raise
            raise self._leave(verb, arguments, error) from error

    def _ask(self, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        seconds = VERBS[verb].seconds
        if seconds > QUICK:
            self._again("GET", ALIVE_PATH, None, QUICK)
        body = json.dumps(arguments, ensure_ascii=True).encode()
        return self._again("POST", f"/v1/{verb}", body, seconds)

    def _again(
        self, method: str, path: str, body: bytes | None, seconds: float
    ) -> dict[str, Any]:
        """As `_exchange`; who is turned away tries again for some seconds."""
        from retention.site.clock import monotonic

        until = monotonic() + PATIENCE_SECONDS * SECOND
        while True:
            try:
                return self._exchange(method, path, body, seconds)
            except BusyError:
                if monotonic() >= until:
                    raise
            time.sleep(_PAUSE_SECONDS)

    def _exchange(
        self, method: str, path: str, body: bytes | None, seconds: float
    ) -> dict[str, Any]:
        connection = _Connection(self.place.socket, seconds)
        try:
            # Refused early, the rest is not read; why is there to be read all the same.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, _HEADERS)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except TimeoutError as error:
            raise self._silent() from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._gone(error) from error
        finally:
            connection.close()
        self._zone = response.getheader("Retention-Zone") or self._zone
        notice = response.getheader("Retention-Notice")
        if notice and notice not in self.notices:
            self.notices.append(notice)
        if response.status >= 400:
            told = answer.get("error", {})
            raise of_kind(str(told.get("kind")), str(told.get("message")))
        return answer

    # -- nobody there -------------------------------------------------------------

    def _silent(self) -> UnreachableError:
        return UnreachableError(
            "the service runs but does not answer, so it is not known whether it "
            "deletes, nor whether this was done: look again with `retention status`, "
            f"and call {self.place.contact}"
        )

    def _gone(self, error: Exception) -> UnreachableError:
        path = self.place.socket
        if _is_something_else(path):
            return UnreachableError(
                f"{path} is not a socket, so the service can't be asked: correct "
                "`socket` in the configuration, or --socket"
            )
        if isinstance(error, PermissionError):
            return UnreachableError(
                f"{path} is closed to you, so the service can't be asked: call "
                f"{self.place.contact}"
            )
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return UnreachableError(
                f"the service is not running (nothing listens at {path}), so nothing is "
                "being deleted by this program: start it with `systemctl start "
                "cctv-retention`, try again in a minute where it is just starting, or "
                f"call {self.place.contact}",
                running=False,
            )
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return UnreachableError(
            f"the service at {path} broke off ({why}), so it is not known whether this "
            f"was done: look with `retention status`, and call {self.place.contact}"
        )

    def _leave(
        self,
        verb: str,
        arguments: dict[str, Any],
        error: UnreachableError | CatalogueError,
    ) -> RetentionError:
        """Leave the request for the service's next start, or for when it can write again;
        what to tell the operator."""
        made: Callable[[str], RetentionError] = CatalogueError
        place, taken = self.place, "as soon as it can write again"
        if isinstance(error, UnreachableError):
            made = partial(UnreachableError, running=error.running)
            taken = "before it deletes anything"
        try:
            asked = _resolved(arguments, place.zone)
            path = spool.leave(place.spool, verb, asked)
        except (OSError, RetentionError) as failed:
            why = getattr(failed, "strerror", None) or str(failed)
            return made(
                f"{error}. NO HOLD IS PLACED, and the request could not be left in "
                f"{place.spool} either ({why}): call {place.contact} now, and ask for a "
                "copy of the footage"
            )
        since, until = (
            _shown(asked.get(name), place.zone) for name in ("since", "until")
        )
        return made(
            f"{error}.\nNO HOLD IS PLACED yet. The request is WAITING, NOT CONFIRMED: it "
            f"was left as {path} (from {since} to {until}), and the service takes it in "
            f"{taken}. The recorder itself may still delete meanwhile: ask for a copy "
            f"now if the footage is near its end. Tell {place.contact}; afterwards look "
            "with `retention hold list`"
        )


def _is_something_else(path: Path) -> bool:
    try:
        return not stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _resolved(arguments: dict[str, Any], zone: str | None) -> dict[str, Any]:
    """The request with its times as instants: "yesterday" is another day tomorrow."""
    from retention.site.clock import read

    now = read().wall
    asked = dict(arguments)
    words = f"{asked.get('since')} to {asked.get('until') or 'its release'}"
    asked.setdefault("typed", words)
    for name in ("since", "until", "received", "review"):
        if asked.get(name) is not None:
            asked[name] = _instant(str(asked[name]), zone, now)
    return asked


def _shown(instant: str | None, zone: str | None) -> str:
    if instant is None:
        return "its release"
    if zone is None:
        return instant
    return format_local(parse_instant(instant, zone, 0), zone)


def _instant(text: str, zone: str | None, now: int) -> str:
    if zone is None:
        zone = "UTC"
        if not text.rstrip().endswith(("Z", "z")) and text.strip() != "now":
            raise RetentionError(
                f"the configuration can't be read, so it is not known which zone "
                f'"{text}" is meant in: write it in UTC, with a Z at the end'
            )
    return format_utc(parse_instant(text, zone, now))


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._seconds = seconds
        self._path = path

    def connect(self) -> None:
        """Connect to the service's socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # One that blocks waits where the service's queue is full (connect(2)): so much
        # and no longer, as its time to send says (socket(7)).
        limit = struct.pack("ll", int(self._seconds), 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        try:
            with reachable(self._path) as name:
                self.sock.connect(name)
        except BlockingIOError as error:
            raise TimeoutError("the queue is full") from error
        self.sock.settimeout(self._seconds)
