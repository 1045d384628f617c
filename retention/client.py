"""Asks for verbs on behalf of a command: the one seam between people and the rest.

Nothing before this knows where a verb is done.  Now it is done here, in the command's
own process; once there is a local API the same request goes to the daemon.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention import __version__
from retention.caller import SERVICE_USER, caller, name_of
from retention.errors import CatalogueError, NotPermittedError, RetentionError
from retention.verbs import VERBS, perform

if TYPE_CHECKING:
    from retention.context import Context
    from retention.settings import Settings

OWN_NAMES = ("RETENTION_CONFIG", "RETENTION_DEBUG")

KEEPS = ("hold.place", "deletion.pause")
"""What is stored even on a full disk, in the room that the reserve keeps for it."""


class Client:
    """Requests under one configuration; `config` None means the default place."""

    def __init__(self, config: Path | None = None) -> None:
        self._config = config

    @cached_property
    def settings(self) -> Settings:
        """The configuration, read once; SettingsError where it can't be used."""
        from retention.settings import load

        return load(self._config, _environment())

    @property
    def timezone(self) -> str:
        """The zone in which people at this site type and read times."""
        return self.settings.timezone

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The answer of `verb`, all of it JSON-able; arguments as a person typed them.

        Reading leaves the catalogue as it is.  Changing takes the single-instance
        lock; CatalogueError names who has it.  NotPermittedError where the caller
        may not open the catalogue.
        """
        if verb not in VERBS:
            raise RetentionError(f"this program does not know the request {verb!r}")
        try:
            return self._do(verb, arguments)
        except (CatalogueError, OSError):
            # Nothing was stored; were it otherwise, a second hold keeps no less.
            if verb not in KEEPS or not self._make_room():
                raise
        return self._do(verb, arguments)

    def _do(self, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        with self._context(verb, changes=VERBS[verb].changes) as context:
            return perform(context, verb, arguments)

    def _make_room(self) -> bool:
        """Release the reserve if it is room that is missing; whether there was any."""
        from retention.catalogue import db
        from retention.reserve import Reserve

        directory = self.settings.state_directory
        return db.out_of_room(directory / db.NAME) and Reserve(directory).release()

    def upgrade(self) -> dict[str, Any]:
        """Bring the catalogue up to this program's schema; {"from", "to"}.

        No verb: it comes before a catalogue can be opened.  A crash between the
        migration and its entry leaves the new schema without one; `service.started`
        then names the program that uses it.
        """
        from retention.catalogue import db
        from retention.instance import exclusive
        from retention.model import Entry

        directory = self.settings.state_directory
        _may_open(directory / db.NAME)
        with exclusive(directory, "schema upgrade"):
            found, made = db.upgrade(directory / db.NAME)
            if found != made:
                with self._open(changes=True) as context:
                    fields = {"from": found, "to": made}
                    entry = Entry("schema.upgraded", context.now, context.actor, fields)
                    with context.catalogue.write(db.Priority.HOLD) as tx:
                        context.log.append(tx, entry)
        return {"from": found, "to": made}

    @contextmanager
    def _context(self, verb: str, *, changes: bool) -> Iterator[Context]:
        from retention.catalogue import db
        from retention.instance import exclusive

        directory = self.settings.state_directory
        _may_open(directory / db.NAME)
        with ExitStack() as stack:
            if changes:
                stack.enter_context(exclusive(directory, verb))
            yield stack.enter_context(self._open(changes=changes))

    @contextmanager
    def _open(self, *, changes: bool) -> Iterator[Context]:
        from retention.audit.log import Log
        from retention.catalogue import db
        from retention.clock import read
        from retention.context import Context

        settings = self.settings
        path = settings.state_directory / db.NAME
        log = Log(
            site=settings.site,
            host=socket.gethostname(),
            program=f"retention {__version__}",
        )
        with closing(db.open_(path, read_only=not changes)) as catalogue:
            yield Context(settings, catalogue, log, read().wall, caller())


def _environment() -> dict[str, str]:
    """The process's environment without what is meant for the command itself."""
    return {name: text for name, text in os.environ.items() if name not in OWN_NAMES}


def _may_open(catalogue: Path) -> None:
    """Refuse in words before SQLite does in its own.

    Even reading needs to write: beside the catalogue lie its write-ahead log's files.
    A missing directory is left to the one who opens the catalogue.
    """
    directory = catalogue.parent
    try:
        owner = directory.stat().st_uid
    except FileNotFoundError:
        return
    except PermissionError:
        owner = None
    uid = os.getuid()
    if uid in (0, owner) or os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        return
    raise NotPermittedError(
        f"{directory} is closed to {name_of(uid) or uid}: run this as the service's "
        f"user, `sudo -u {SERVICE_USER} retention ...`"
    )
