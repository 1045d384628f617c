"""A site without a daemon: what every one of them has, whatever it is about."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from retention.catalogue import db, holds, log, roots
from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.catalogue.log import Log
from retention.control.context import Context
from retention.control.gate import Gate
from retention.footage.identity import create_identity
from retention.footage.ingest.scan import Scanner
from retention.footage.roots import OpenRoot, open_root
from retention.holds.entries import about
from retention.model.layouts.presets import preset_or_template
from retention.model.values import DAY, FOREVER, HOUR, SECOND, Actor, Micros
from retention.site.settings import RootSettings, Settings
from tests.support.logs import a_catalogue

LAYOUT = "{camera}/%Y-%m-%d_%H-%M-%S.mp4"
CATALOGUE_UUID = "22222222-2222-4222-8222-222222222222"
ACTOR = Actor(uid=0, login=1000, pid=1, role="service")
OPERATOR = Actor(61001, 61001, 10, "operator", "anna")
SUPERVISOR = Actor(61002, 61002, 11, "supervisor", "ben")
ADMINISTRATOR = Actor(61004, 61004, 13, "administrator", "dora")


class Crash(BaseException):
    """The process dies here."""


def never() -> bool:
    return False


class Premises:
    """A directory with a catalogue and its log, at a time that tests move."""

    SITE, HOST, PROGRAM = "test", "here", "0"
    LAYOUT = LAYOUT
    START: Micros
    by_hand = False
    """A test writes its log, which need not be lawful."""
    invented = True
    """Its people do what they do in no role; else the law *role* is asked, too."""

    standing: ClassVar[list["Premises"]] = []
    """Those that a test has open."""

    def __init__(
        self,
        directory: Path,
        actor: Actor = ACTOR,
        gate: Gate | None = None,
        **log: Any,
    ) -> None:
        """With its log opened, as `a_catalogue` does it."""
        directory.mkdir(parents=True, exist_ok=True)
        given = {"log_id": "t", "public_key": b"k" * 32} | log
        self.found(directory, actor, gate)
        self.catalogue = a_catalogue(
            directory, facts={"uuid": CATALOGUE_UUID, "site": self.SITE}, log=self.log,
            at=self.now, actor=actor, **given,
        )  # fmt: skip

    def found(self, directory: Path, actor: Actor, gate: Gate | None) -> None:
        """All but the catalogue."""
        self.standing.append(self)
        self.directory, self.actor, self.gate = directory, actor, gate
        self.watched: dict[str, RootSettings] = {}
        self._roots: list[OpenRoot] = []
        self.now = self.START
        self.log = Log(site=self.SITE, host=self.HOST, program=self.PROGRAM)

    def reopen(self) -> None:
        """The catalogue as another process opens it."""
        if self not in self.standing:
            self.standing.append(self)
        self.catalogue = db.open_(self.directory / db.NAME)

    # -- footage roots and settings -------------------------------------------------

    def make_root(self, name: str, path: Path, uuid: str) -> int:
        """The directory of a root with its identity, and its row; its key."""
        path.mkdir(parents=True)
        create_identity(path, uuid, CATALOGUE_UUID)
        with self.catalogue.write(Priority.HOLD) as tx:
            return roots.add(tx, name=name, path=str(path), uuid=uuid).key

    def open_root(self, key: int, name: str, path: Path, uuid: str) -> OpenRoot:
        opened = open_root(
            key=key, name=name, path=path, uuid=uuid, catalogue_uuid=CATALOGUE_UUID,
            device=None, boot=None, boot_now="b",
        )  # fmt: skip
        self._roots.append(opened)
        return opened

    def read_by(self, name: str, path: Path) -> RootSettings:
        """Those of a root by which it was scanned last."""
        return self.watched.get(name) or self.configured(name, path).root[0]

    def let_go(self) -> None:
        """Of every root, as a process that ends."""
        while self._roots:
            self._roots.pop().close()

    def configured(self, name: str, path: Path, **changes: Any) -> Settings:
        """Settings of the site with this root alone."""
        values = {
            "name": name, "path": path, "layout": self.LAYOUT, "timezone": "UTC",
            "stable_after": 30 * SECOND, "max_length": HOUR, "recorder_keeps": None,
            "cameras": MappingProxyType({}),
        } | changes  # fmt: skip
        root = RootSettings.model_construct(**values)
        return Settings.model_construct(
            site=self.SITE, timezone="Europe/London", root=(root,)
        )

    def scanning(self, root: OpenRoot, settings: Settings) -> Scanner:
        """A scanner without memory, as after a start."""
        own = settings.root[0]
        self.watched[own.name] = own
        return Scanner(
            self.catalogue, self.log, root, preset_or_template(own.layout), own,
            settings, ACTOR,
        )  # fmt: skip

    def asked(self, settings: Any, by: Actor | None = None, **given: Any) -> Context:
        """A request now, by somebody; `given` are a context's own."""
        parts = {"now": self.now, "gate": self.gate} | given
        return Context(
            settings, self.catalogue, self.log, actor=by or self.actor, **parts
        )

    # -- the catalogue and the log ----------------------------------------------------

    def hold_camera(
        self, camera: int, since: Micros, until: Micros = FOREVER, **changes: Any
    ) -> int:
        """A hold in the catalogue, without an entry of its own."""
        values = {
            "kind": "police", "reference": "r", "reason": "r", "requester": "",
            "since": since, "until": until, "typed": "", "margin": 0,
            "placed": self.START, "placed_by": 0, "review": self.START + DAY,
        } | changes  # fmt: skip
        with self.catalogue.write(Priority.HOLD) as tx:
            return holds.insert(tx, [camera], **values)

    def release(self, hold: int, now: Micros, free_at: Micros) -> None:
        """By its row; also by the log, where that is how it was placed."""
        author = self.log.by(SUPERVISOR, now)
        with self.catalogue.write(Priority.HOLD, author) as tx:
            holds.release(tx, hold, now, free_at)
            row, keys = holds.find(tx, hold), holds.cameras_of(tx, hold)
            placed = listing(tx, kind="hold.placed", subject=f"hold:{hold}")
            if placed and placed[0]["fields"]["since"] == row.since:
                tx.append(*about("hold.released", row, keys, {"free_at": free_at}))

    @property
    def size(self) -> int:
        """How many entries there are."""
        with self.catalogue.read() as tx:
            return log.size(tx)

    def listed(self, *kinds: str) -> list[dict[str, Any]]:
        """Entries of these kinds, oldest first; what is committed to stays closed."""
        with self.catalogue.read() as tx:
            found = [one for k in kinds for one in listing(tx, kind=k, limit=100_000)]
        return sorted(found, key=lambda one: one["index"])

    def opened(self, kind: str) -> list[dict[str, Any]]:
        """The same of one kind, what is committed to opened."""
        found = self.listed(kind)
        with self.catalogue.read() as tx:
            return [log.opened(tx, one["index"]) for one in found]

    def table(self, number: int) -> list[dict[str, Any]]:
        """The rows of an entry, by column."""
        with self.catalogue.read() as tx:
            rows = log.read_rows(tx, number)
        values: Iterator[Any] = iter(rows.values if rows is not None else ())
        return [dict(zip(rows.columns, row, strict=True)) for row in values]

    def tamper(self, *statements: str) -> None:
        """As somebody with the database does."""
        with sqlite3.connect(self.directory / db.NAME) as raw:
            for statement in statements:
                raw.execute(statement)
        raw.close()

    def close(self) -> None:
        if self in self.standing:
            self.standing.remove(self)
        self.catalogue.close()
