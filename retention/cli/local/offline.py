"""What is done without the service, by whoever may open its catalogue.

`init`, `check` and `schema upgrade`: before there is a service, or while it is stopped.
"""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.catalogue import db, schema
from retention.catalogue.log import Log
from retention.control import in_force
from retention.footage import kept_head
from retention.model.errors import CatalogueError, NotPermittedError, put_back
from retention.publication import compare
from retention.site.caller import SERVICE_USER, caller, name_of
from retention.site.clock import read
from retention.site.instance import exclusive
from retention.site.settings import Settings, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NOT_SETTINGS = ("RETENTION_CONFIG", "RETENTION_DEBUG", "RETENTION_SOCKET")
"""What is meant for the command itself."""


def settings(config: Path | None) -> Settings:
    """The configuration, checked; SettingsError where it can't be used."""
    told = {
        name: text for name, text in os.environ.items() if name not in _NOT_SETTINGS
    }
    return load(config, told)


class _DryRunError(Exception):
    """All was tried, and nothing is to change."""


class _Look:
    """Compares a catalogue's rows, as they would be, with what its log has in force."""

    def __init__(self, *, anyway: bool, dry_run: bool) -> None:
        self._anyway, self._dry_run = anyway, dry_run
        self.less: list[str] = []
        self.holds: list[int] = []

    def compare(self, catalogue: db.Catalogue, tx: Connection) -> None:
        """What protects less, and which holds are in force by the log."""
        now = read().wall
        self.less = in_force.compare(catalogue, tx, now).less
        said = catalogue.said.holds.items()
        self.holds = sorted(key for key, one in said if one.in_force(now))

    def __call__(self, catalogue: db.Catalogue, tx: Connection) -> None:
        self.compare(catalogue, tx)
        if self.less and not self._anyway:
            raise CatalogueError(
                f"nothing was upgraded: the catalogue's rows protect less than its log "
                f"says ({self.less[0]}). Go on with --anyway, then nothing is deleted "
                f"before `retention schema repair`; or {put_back()}"
            )
        if self._dry_run:
            raise _DryRunError


def upgrade(
    config: Path | None, *, anyway: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """Bring the catalogue up to this program's schema; {"from", "to", "mismatches",
    "holds", "dry_run"}.

    First its rows, as they would be, are compared with what its log has in force, the
    `holds` among it: where they protect less it stays as it is (CatalogueError), unless
    `anyway`; with `dry_run` it stays so in any case.  A crash between the migration and
    its entry leaves the new schema without one, and an old backup gets none, which would
    fork its log; `service.started` then names the program that uses it.
    """
    own = settings(config)
    path = own.state_directory / db.NAME
    _may_open(path)
    look = _Look(anyway=anyway, dry_run=dry_run)
    with exclusive(own.state_directory, "schema upgrade"):
        try:
            found, made = db.upgrade(path, look)
        except _DryRunError:
            found, made = db.version(path), schema.VERSION
        else:
            with closing(db.open_(path)) as catalogue:
                if found == made:
                    in_force.learn(catalogue)
                    with catalogue.read() as tx:
                        look.compare(catalogue, tx)
                else:
                    _record(catalogue, own, {"from": found, "to": made})
    return {
        "from": found, "to": made, "mismatches": look.less, "holds": look.holds,
        "dry_run": dry_run,
    }  # fmt: skip


def _record(catalogue: db.Catalogue, own: Settings, fields: dict[str, Any]) -> None:
    heads = partial(kept_head.in_roots, own.root)
    if compare.obstacle(catalogue, own, heads) is None:
        author = Log(site=own.site).by(caller(), read().wall)
        with catalogue.write(db.Priority.HOLD, author) as tx:
            tx.append("schema.upgraded", fields)


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
