"""Owns the database file: opening, transactions, the writer lock, migrations.

Nothing here creates a catalogue by accident: `create` refuses an existing file, `open_`
refuses a missing one and a schema that is not this program's.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from retention.catalogue import schema
from retention.model.errors import CatalogueError, TooLongError, put_back
from retention.model.values import SECOND, Entry, Micros, Prepared, Rows
from retention.site import clock
from retention.tlog.in_force import InForce

if TYPE_CHECKING:
    from retention.catalogue.log import Author
    from retention.catalogue.next_due import NextDue
    from retention.tlog.lawful.fold import Lawful

T = TypeVar("T")

NAME = "catalogue.sqlite"

LONGEST_READ: Micros = 5 * SECOND
"""No view stays open for longer."""

_STEPS = 50_000
"""Steps of SQLite's machine, some milliseconds, between two looks at the clock."""

_ROOM = 256 * 1024
"""Bytes that must be free to open the file at all: SQLite keeps an index beside it."""


class Priority(IntEnum):
    """Who writes first when several wait; lower goes first."""

    HOLD = 0
    DELETION = 1
    SCAN = 2


class WriterLock:
    """One writer at a time in this process, the most urgent of those waiting first."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._waiting = [0] * len(Priority)
        self._taken = False

    @contextmanager
    def hold(self, priority: Priority) -> Iterator[None]:
        """Wait for the turn, keep it for the block."""
        with self._ready:
            self._waiting[priority] += 1
            try:
                self._ready.wait_for(
                    lambda: not self._taken and not any(self._waiting[:priority])
                )
                self._taken = True
            finally:
                self._waiting[priority] -= 1
        try:
            yield
        finally:
            with self._ready:
                self._taken = False
                self._ready.notify_all()


class Feed:
    """Which streams' recordings changed since it was last taken: for each the earliest
    end among them.  Filled once a transaction is over, so that whoever takes it and then
    reads sees what it tells of."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._changed: dict[int, Micros] = {}

    def put(self, changed: Mapping[int, Micros]) -> None:
        """Add these; from any thread."""
        with self._mutex:
            for stream, end in changed.items():
                self._changed[stream] = min(end, self._changed.get(stream, end))

    def take(self) -> dict[int, Micros]:
        """What changed, by stream, and forget it."""
        with self._mutex:
            changed, self._changed = self._changed, {}
        return changed


_TABLES = frozenset(schema.metadata.tables)
_BY_TRIGGER = {"hold": "version", "hold_camera": "version"}
_CHANGE = re.compile(r'\b(?:INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+"?(\w+)')

PROGRESS = {"progress": True}
"""The option of a statement by which only how far a root's scans and cycles came is
noted: no alarm rests on that, and it moves with each of them."""

_read: ContextVar[set[str] | None] = ContextVar("_read", default=None)


@lru_cache(1_000)
def _named_in(statement: str) -> frozenset[str]:
    """The tables that a statement may read: all that have a name of its words."""
    return _TABLES.intersection(re.findall(r"\w+", statement))


@lru_cache(1_000)
def written_by(statement: str) -> frozenset[str]:
    """The tables that a statement may change."""
    found = _TABLES.intersection(_CHANGE.findall(statement))
    return found | {_BY_TRIGGER[table] for table in found & _BY_TRIGGER.keys()}


@contextmanager
def tables_read() -> Iterator[set[str]]:
    """The tables that this thread reads within the block, and perhaps some more."""
    found: set[str] = set()
    token = _read.set(found)
    try:
        yield found
    finally:
        _read.reset(token)


class Transaction(Connection):
    """A write transaction: a change, and the entries that say so, commit together.

    `changed`: what `touch` was told, `written` the tables of which it changed rows.
    """

    author: Author | None = None

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.changed: dict[int, Micros] = {}
        self.written: set[str] = set()

    def touch(self, stream: int, end: Micros) -> None:
        """A recording of the stream that ends then was added or changed."""
        self.changed[stream] = min(end, self.changed.get(stream, end))

    def append(
        self,
        kind: str,
        fields: Mapping[str, Any] | None = None,
        rows: Rows | Prepared | None = None,
        spans: tuple[tuple[int, Micros, Micros], ...] = (),
        /,
        **named: Any,
    ) -> int:
        """Append an entry of that kind, its fields given as a mapping, by name or both;
        returns its number.  What can be refused: see `tlog.seal`."""
        entry = Entry(kind, {**(fields or {}), **named}, rows, spans)
        if self.author is None:
            raise TypeError("nobody is named in whose name this is written")
        return self.author.append(self, entry)


class Cycle(NamedTuple):
    """A deletion cycle of a root: when it began, whether it is over, and why it ended
    before all was deleted that is due."""

    began: Micros
    over: bool
    why: str | None = None


class Catalogue:
    """An open catalogue.  All writes go through `write`, all reads through `read`.

    `said` is what its log puts in force, as far as that was read: `control.in_force`;
    `lawful` whether that was allowed: `control.lawful`.
    `planned`: the digests of the lists of plans, each with what it was taken at.
    `next_due`: what falls due next, as the alarm *overdue* knows it.
    `cycles`: by root the last deletion cycle of this process.
    `free_since`: by root since when nothing is in the way of what is overdue, as the
    alarm *overdue* knows it.
    `written`: by table how often transactions from here changed rows of it.
    `foreign`: how often somebody else was seen to have written into the file.
    """

    def __init__(self, path: Path, engine: Engine, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._engine = engine
        self._writing = _engine(path, read_only=False, one=True)
        self._writer = WriterLock()
        self._feeds: list[Feed] = []
        self.said, self.said_mutex = InForce(), threading.Lock()
        self.compared: Any = None
        self.planned: dict[int, tuple[Any, str]] = {}
        self.lawful: Lawful | None = None
        self.next_due: NextDue | None = None
        self.cycles: dict[int, Cycle] = {}
        self.free_since: dict[int, Micros] = {}
        self.written: Counter[str] = Counter()
        self.foreign = 0
        self._data_version: int | None = None
        self._file = _identity(path)

    @contextmanager
    def write(
        self, priority: Priority, author: Author | None = None
    ) -> Iterator[Transaction]:
        """One durable transaction: all of the block, or nothing of it.  What it appends
        to the log is in the name of `author`.

        BEGIN IMMEDIATE, since a transaction that reads first and writes later would
        fail at once instead of waiting.  Raises CatalogueError where the disk is full
        or the file is damaged; an error from COMMIT means that the outcome is unknown
        until the database is read again.
        """
        if self.read_only:
            raise CatalogueError("the catalogue is open for reading only")
        self._check_file()
        with self._writer.hold(priority), _translated(self.path):
            tx = Transaction(self._writing)
            tx.author = author
            try:
                with tx, tx.begin():
                    self._look_who_wrote(tx)
                    yield tx
            finally:  # also after an error from COMMIT: then the outcome is not known
                for feed in self._feeds:
                    feed.put(tx.changed)
                self.written.update(tx.written)  # last: who sees it can take the feed

    def _look_who_wrote(self, tx: Connection) -> None:
        """All our writes are on one connection, and SQLite gives that another number
        once anybody else has committed, in this process or not."""
        version = tx.exec_driver_sql("PRAGMA data_version").scalar_one()
        if self._data_version not in (None, version):
            self.foreign += 1
        self._data_version = version

    def foreign_commits(self) -> int:
        """How often somebody else wrote into the file, as of now.  Raises
        CatalogueError."""
        with self.write(Priority.DELETION):
            return self.foreign

    def feed(self) -> Feed:
        """What will be told of every transaction from now on."""
        feed = Feed()
        self._feeds.append(feed)
        return feed

    @contextmanager
    def read(self, *, whole: bool = False) -> Iterator[Connection]:
        """One consistent view, of LONGEST_READ at most from its first statement on: it
        holds back the write-ahead log, so it is ended then, with TooLongError.  `whole`:
        it may take longer, as only what can't be had in parts does."""
        with _translated(self.path), self._engine.connect() as connection:
            yield connection.execution_options(read_only=True, whole=whole)

    def _check_file(self) -> None:
        """SQLite would go on writing to a file that is not there any more, and so
        delete footage off the record."""
        if _identity(self.path) != self._file:
            raise CatalogueError(
                f"the catalogue {self.path} was moved, removed or replaced while it "
                "was open; nothing is deleted. Stop the service, put that one back with "
                f"its -wal and -shm, and start; where it is gone, {put_back()}"
            )

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
        self._writing.dispose()


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's own errors as one sentence each; ours pass."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except sa.exc.DBAPIError as error:
        if str(error.orig) == "interrupted":
            raise TooLongError(_TOO_LONG) from error
        raise CatalogueError(f"the catalogue {path}: {_why(path, error)}") from error


_TOO_LONG = (
    f"this takes longer than {LONGEST_READ // SECOND} s to read, in which others would "
    "have to wait, so it was ended: ask for less, a shorter time or fewer cameras"
)
_FULL = "the disk is full; nothing was written. Free space on its file system"


def _why(path: Path, error: sa.exc.DBAPIError) -> str:
    text = str(error.orig)
    if "disk is full" in text or ("disk I/O" in text and out_of_room(path)):
        return _FULL
    if "malformed" in text or "not a database" in text:
        return f"is damaged ({text}); nothing will be deleted. To mend it: {put_back()}"
    if "readonly" in text or "read-only" in text:
        return "can't be written (read-only); check its owner, mode and mount"
    if "locked" in text:
        return "is locked by another program; close whatever has it open"
    return text


def _engine(path: Path, *, read_only: bool, one: bool = False) -> Engine:
    """`one`: it has one connection, opened when it is first used."""
    mode = "ro" if read_only else "rw"
    uri = f"file:{_quote(path)}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False
        )
        for pragma in (
            "busy_timeout=5000",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "cell_size_check=ON",
            "cache_size=-2000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    size = {"pool_size": 1, "max_overflow": 0} if one else {}
    engine = sa.create_engine(
        "sqlite://", creator=connect, poolclass=sa.QueuePool, **size
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        reading = options.get("read_only", read_only)
        _limit(connection, reading and not options.get("whole"))
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, _: object, statement: str, *__: object) -> None:
        if connection.info["over"]():  # many short statements are as long as one
            raise TooLongError(_TOO_LONG)
        if (found := _read.get()) is not None:
            found |= _named_in(statement)

    if one:
        sa.event.listen(engine, "after_cursor_execute", _note_written)
    return engine


def _note_written(
    tx: Transaction,
    cursor: sqlite3.Cursor,
    statement: str,
    _: object,
    context: Any,
    *__: object,
) -> None:
    """One that returns rows does not say yet how many it changed."""
    changed = cursor.rowcount or "RETURNING" in statement
    if changed and not context.execution_options.get("progress"):
        tx.written |= written_by(statement)


def _limit(connection: Connection, limited: bool) -> None:
    """Have SQLite look at the clock while a statement runs, and end one in time."""
    until = clock.monotonic() + LONGEST_READ

    def over() -> bool:
        return limited and clock.monotonic() > until

    connection.info["over"] = over
    raw: Any = connection.connection.driver_connection
    raw.set_progress_handler(over if limited else None, _STEPS)


def _quote(path: Path) -> str:
    return (
        str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    )


def create(path: Path, facts: dict[str, str]) -> Catalogue:
    """Make a new catalogue at `path` with `facts` (uuid, site ...) in `meta`.

    Refuses an existing file.  A crash in the middle leaves a file without a schema
    version, which `open_` refuses and `create` replaces.
    """
    if path.exists() and version(path) != 0:
        raise CatalogueError(f"{path} exists already; init never overwrites")
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
    raw.close()
    catalogue = Catalogue(path, _engine(path, read_only=False), read_only=False)
    _migrate(catalogue, facts)
    return catalogue


def open_(path: Path, *, read_only: bool = False) -> Catalogue:
    """Open the catalogue; refuses a missing, damaged, older or newer one."""
    if not path.exists():
        raise CatalogueError(
            f"there is no catalogue at {path}, and nothing is deleted without it. Check "
            "state_directory in the configuration, and that its disk is mounted; where "
            f"it was lost, {put_back()}. `retention init` is for a new installation "
            "alone: it makes one that knows of no hold"
        )
    found = version(path)
    if found == 0:
        raise CatalogueError(
            f"{path} is empty or was cut short; nothing will be deleted. If this is a new "
            f"installation, run `retention init`, else {put_back()}"
        )
    if found > schema.VERSION:
        raise CatalogueError(
            f"{path} has schema {found}, this program knows {schema.VERSION}: "
            "install the newer program again. Nothing is deleted meanwhile"
        )
    if found < schema.VERSION:
        raise CatalogueError(
            f"{path} has schema {found}, this program wants {schema.VERSION}: "
            "stop the daemon, make a copy and run `retention schema upgrade`"
        )
    return Catalogue(path, _engine(path, read_only=read_only), read_only=read_only)


Look = Callable[["Catalogue", Connection], None]
"""Looks at a catalogue as it would be; what it raises leaves it as it was."""


def upgrade(path: Path, look: Look | None = None) -> tuple[int, int]:
    """Bring an older schema up to this program's; returns (from, to).  `look` is called
    with what it has become, before that is so."""
    found = version(path) if path.exists() else 0
    if found == 0 or found > schema.VERSION:
        open_(path)  # raises the right sentence
    if found < schema.VERSION:
        catalogue = Catalogue(path, _engine(path, read_only=False), read_only=False)
        try:
            _migrate(catalogue, {}, look)
        finally:
            catalogue.close()
    return found, schema.VERSION


def _migrate(
    catalogue: Catalogue, facts: dict[str, str], look: Look | None = None
) -> None:
    with catalogue.write(Priority.HOLD) as tx:
        found = int(tx.exec_driver_sql("PRAGMA user_version").scalar_one())
        for statements in schema.MIGRATIONS[found:]:
            for statement in statements:
                tx.exec_driver_sql(statement)
        for name, value in facts.items():
            tx.execute(schema.meta.insert().values(name=name, value=value))
        tx.exec_driver_sql(f"PRAGMA user_version={schema.VERSION}")
        if look is not None:
            look(catalogue, tx)


def version(path: Path) -> int:
    """The schema number of the file of a catalogue; 0 for an empty file."""
    try:
        raw = sqlite3.connect(f"file:{_quote(path)}?mode=ro", uri=True)
        try:
            return int(raw.execute("PRAGMA user_version").fetchone()[0])
        finally:
            raw.close()
    except sqlite3.DatabaseError as error:
        if "disk I/O" in str(error) and out_of_room(path):
            raise CatalogueError(f"the catalogue {path}: {_FULL}") from error
        raise CatalogueError(
            f"{path} can't be read as a catalogue ({error}); nothing will be deleted. "
            f"To mend it: {put_back()}"
        ) from error


def out_of_room(path: Path) -> bool:
    """Whether there is too little room to open the catalogue; SQLite then says no more
    than "disk I/O error"."""
    disk = os.statvfs(path.parent)
    return disk.f_bavail * disk.f_frsize < _ROOM


def quick_check(catalogue: Catalogue) -> str | None:
    """None where SQLite finds the file whole, else its first complaint."""
    with catalogue.read(whole=True) as connection:
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return None if found == "ok" else found


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values, as many at a time as a statement may well take."""
    for first in range(0, len(values), 400):
        yield values[first : first + 400]


def get_meta(tx: Connection) -> dict[str, str]:
    """What this catalogue is: uuid, site, log id."""
    return {row.name: row.value for row in tx.execute(sa.select(schema.meta))}


def set_meta(tx: Connection, name: str, value: str) -> None:
    """Another value of what is in `meta` already."""
    tx.execute(
        schema.meta.update().where(schema.meta.c.name == name).values(value=value)
    )


def get_fact(tx: Connection, name: str) -> Any:
    """A small JSON fact by name, or None."""
    text = tx.exec_driver_sql("SELECT value FROM fact WHERE name = ?", (name,)).scalar()
    return None if text is None else json.loads(text)


def get_facts(tx: Connection, prefix: str) -> dict[str, Any]:
    """The facts whose names begin so, by the rest of their names."""
    sql = "SELECT substr(name, ?), value FROM fact WHERE name GLOB ?"
    found = tx.exec_driver_sql(sql, (len(prefix) + 1, prefix + "*"))
    return {name: json.loads(text) for name, text in found}


def put_fact(tx: Connection, name: str, value: Any) -> None:
    """Keep a small JSON fact under `name`; None removes it."""
    if value is None:
        tx.exec_driver_sql("DELETE FROM fact WHERE name = ?", (name,))
    else:
        tx.exec_driver_sql(
            "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
            "excluded.value",
            (name, json.dumps(value)),
        )


PAUSE_FACT = "pause"
"""The fact that deletion is paused: until when, and since when."""

RESTORED_FACT = "catalogue.restored"
"""The fact that the catalogue was older than its published log, and what came back: until
somebody has acknowledged that.  `entry`: that it is on record."""
