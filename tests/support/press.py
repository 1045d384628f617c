"""A catalogue with a log and its publication: real files, no daemon around them."""

import shutil
from pathlib import Path

from retention.catalogue import db, heads, roots
from retention.catalogue.db import Priority
from retention.catalogue.log_check import verify_catalogue
from retention.model.values import MINUTE, SECOND, Actor, Rows
from retention.publication import compare, log_key, restoring
from retention.publication.publisher import BESIDE_KEY, Publisher
from retention.tlog import canonical, note, tiles
from retention.tlog.directory import Published
from retention.tlog.entry import previous
from retention.tlog.verify.published import verify_directory
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.premises import Premises

NOW = 1_795_000_000 * SECOND
ACTOR = Actor(uid=990, login=4294967295, pid=1, role="service")
LOG_ID = "0c6b6f0e" * 4
NAME = f"leicester/{LOG_ID}"
COLUMNS = ("camera", "stream", "start", "n", "duration", "bytes", "due", "path", "seen")


def heartbeat(at=NOW) -> Dated:
    """The entry that says least."""
    counts = dict.fromkeys(("recordings", "overdue", "held_cameras", "holds"), 0)
    return Dated("heartbeat", at, ACTOR, {**counts, "wall": at, "boottime": 1})


def rows(count: int) -> Rows:
    """The rows of a batch of deletions, one a minute, of 200 cameras."""
    return Rows(
        COLUMNS,
        [
            (n % 200, n % 200, NOW + n // 200 * MINUTE, 0, 60_000_000 + n * 37 % 9973,
             9_000_000 + n * 7919 % 1_000_003, NOW, None, None)
            for n in range(count)
        ],
    )  # fmt: skip


def intent(table: Rows, root="nvr1") -> Dated:
    """A batch of deletions that is about to begin."""
    sizes = [row[5] for row in table.values]
    fields = {
        "root": root, "count": len(sizes), "bytes": sum(sizes), "oldest": NOW,
        "newest": NOW + MINUTE,
    }  # fmt: skip
    return Dated("deletion.intended", NOW, ACTOR, fields, table)


class Press(Premises):
    """One log below `directory`, and where it is published."""

    SITE, START = "leicester", NOW
    by_hand = True

    def __init__(self, directory: Path) -> None:
        if log_key.exists(directory):
            self.found(directory, ACTOR, None)
        else:
            directory.mkdir(parents=True, exist_ok=True)
            key = log_key.public(log_key.make(directory))
            super().__init__(
                directory, ACTOR, log_id=LOG_ID, public_key=key, timezone="UTC"
            )
            with self.catalogue.write(Priority.HOLD) as tx:
                roots.add(tx, name="nvr1", path="/srv/nvr1", uuid="1")
            self.catalogue.close()
        self.open()

    def open(self) -> "Press":
        """As a process opens it."""
        self.reopen()
        self.told: list[heads.SignedHead] = []
        self.publisher = Publisher(
            self.catalogue, NAME, log_key.load(self.directory), self.published,
            self.directory, self.told.append,
        )  # fmt: skip
        return self

    def again(self) -> "Press":
        """A new process on the same disk."""
        self.catalogue.close()
        return self.open()

    @property
    def published(self) -> Path:
        return self.directory / "log"

    @property
    def vkey(self) -> str:
        return self.publisher.vkey

    def append(self, *entries: Dated, count=0, at=NOW) -> int:
        """These entries, or so many small ones, each in a transaction; the size then."""
        for entry in entries or [heartbeat(at)] * count:
            with self.catalogue.write(Priority.HOLD) as tx:
                append_dated(self.log, tx, entry)
        return self.size

    def append_at_once(self, count: int) -> int:
        with self.catalogue.write(Priority.HOLD) as tx:
            for _ in range(count):
                append_dated(self.log, tx, heartbeat())
        return self.size

    def publish(self, *, sign=True, now=NOW) -> int:
        """The size of the published head by then."""
        if sign:
            self.publisher.publish(now)
        else:
            self._publish_half()
        return self.publisher.published

    def _publish_half(self) -> None:
        """As a kill leaves it: bundles and row files are there, their head is not."""
        with self.publisher._alone():
            if not self.publisher._begun:
                self.publisher._begin()
            self.publisher._bundle(self.size)
            self.publisher._directory.settle()

    def forge(self, **changes: object) -> None:
        """An entry behind the last published one, put there without the key; None
        takes a key away."""
        size = self.head().size
        last = Published(self.published).entry(size - 1).data
        entry = canonical.decode(last) | {"index": size, "prev": previous(last)}
        entry = {k: v for k, v in (entry | changes).items() if v is not None}
        there = [one.data for one in Published(self.published).entries(size)]
        place = self.published / f"tile/entries/000.p/{size + 1}"
        place.write_bytes(tiles.bundle([*there, canonical.encode(entry)]))

    def head(self) -> note.Checkpoint:
        """What is published, its signature checked."""
        data = Published(self.published).checkpoint_bytes()
        return note.open_checkpoint(data, note.parse_vkey(self.vkey))

    def heads(self) -> dict[int, str]:
        """Every head that was signed: size to note."""
        found, upto = {}, None
        while True:
            with self.catalogue.read() as tx:
                one = heads.newest(tx, upto)
            if one is None:
                return found
            found[one.size], upto = one.note, one.size - 1

    def files(self) -> dict[str, bytes]:
        """Every published file and its bytes."""
        return {
            str(path.relative_to(self.published)): path.read_bytes()
            for path in sorted(self.published.rglob("*"))
            if path.is_file()
        }

    def compared(self, copy=None, extra=()) -> compare.Compared:
        beside = self.directory / BESIDE_KEY
        kept = [(str(beside), beside.read_bytes())] if beside.exists() else []
        return compare.compare(self.catalogue, self.published, copy, [*kept, *extra])

    def start(self, copy=None) -> compare.Case:
        """What the daemon does before it appends: compare, bring back, adopt."""
        found = self.compared(copy)
        if found.case.refused:
            self.publisher.refused = found.detail
        if found.tail is not None:
            restoring.bring_back(self.catalogue, found)
        if found.adopt is not None:
            restoring.adopt(self.catalogue, found.adopt)
        return found.case

    def backup(self, name="backup") -> Path:
        """A copy of the database as it is now, made while nobody writes."""
        self.catalogue.close()
        to = self.directory.parent / f"{name}.sqlite"
        for suffix in ("", "-wal", "-shm"):
            there = self.directory / f"{db.NAME}{suffix}"
            if there.exists():
                shutil.copy(there, f"{to}{suffix}")
        self.open()
        return to

    def restore(self, backup: Path) -> "Press":
        """That database in place of the one there."""
        self.catalogue.close()
        for suffix in ("-wal", "-shm", ""):
            there = self.directory / f"{db.NAME}{suffix}"
            there.unlink(missing_ok=True)
            kept = Path(f"{backup}{suffix}")
            if kept.exists():
                shutil.copy(kept, there)
        return self.open()

    def check(self) -> None:
        """Catalogue and published log are whole, to an outsider."""
        self.check_own()
        report = verify_directory(self.published, self.vkey, depth="deep")
        assert report.ok, report.faults

    def check_own(self) -> None:
        """The catalogue's log is whole."""
        own = verify_catalogue(self.catalogue, deep=True)
        assert own.ok, own
