"""A catalogue with a log and its publication: real files, no daemon around them."""

import shutil
from pathlib import Path

from retention import log_key
from retention.audit import canonical, heads, log, note, tiles
from retention.audit.directory import Published
from retention.audit.log import Log, open_log
from retention.audit.published import verify_directory
from retention.audit.stored import previous
from retention.audit.verify import verify_catalogue
from retention.catalogue import db, roots
from retention.catalogue.db import Priority
from retention.model import MINUTE, SECOND, Actor, Entry, Rows
from retention.publication import compare, restoring
from retention.publication.publisher import BESIDE_KEY, Publisher

NOW = 1_795_000_000 * SECOND
ACTOR = Actor(uid=990, login=4294967295, pid=1, role="service")
LOG_ID = "0c6b6f0e" * 4
NAME = f"leicester/{LOG_ID}"
COLUMNS = ("camera", "stream", "start", "n", "duration", "bytes", "due", "path")


def heartbeat(at=NOW) -> Entry:
    """The entry that says least."""
    counts = dict.fromkeys(("recordings", "overdue", "held_cameras", "holds"), 0)
    return Entry("heartbeat", at, ACTOR, {**counts, "wall": at, "boottime": 1})


def rows(count: int) -> Rows:
    """The rows of a batch of deletions, one a minute, of 200 cameras."""
    return Rows(
        COLUMNS,
        [
            (n % 200, n % 200, NOW + n // 200 * MINUTE, 0, 60_000_000 + n * 37 % 9973,
             9_000_000 + n * 7919 % 1_000_003, NOW, None)
            for n in range(count)
        ],
    )  # fmt: skip


def intent(table: Rows, root="nvr1") -> Entry:
    """A batch of deletions that is about to begin."""
    sizes = [row[5] for row in table.values]
    fields = {
        "root": root, "count": len(sizes), "bytes": sum(sizes), "oldest": NOW,
        "newest": NOW + MINUTE,
    }  # fmt: skip
    return Entry("deletion.intended", NOW, ACTOR, fields, table)


class Press:
    """One log below `directory`, and where it is published."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        if not log_key.exists(directory):
            key = log_key.make(directory)
            catalogue = db.create(directory / db.NAME, {})
            with catalogue.write(Priority.HOLD) as tx:
                roots.add(tx, name="nvr1", path="/srv/nvr1", uuid="1")
                open_log(
                    tx, site="leicester", at=NOW, actor=ACTOR, host="here",
                    program="0", log_id=LOG_ID, public_key=log_key.public(key),
                    timezone="UTC",
                )  # fmt: skip
            catalogue.close()
        self.open()

    def open(self) -> "Press":
        """As a process opens it."""
        self.catalogue = db.open_(self.directory / db.NAME)
        self.log = Log(site="leicester", host="here", program="0")
        self.told: list[heads.Signed] = []
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
    def size(self) -> int:
        with self.catalogue.read() as tx:
            return log.size(tx)

    @property
    def vkey(self) -> str:
        return self.publisher.vkey

    def append(self, *entries: Entry, count=0, at=NOW) -> int:
        """These entries, or so many small ones, each in a transaction; the size then."""
        for entry in entries or [heartbeat(at)] * count:
            with self.catalogue.write(Priority.HOLD) as tx:
                self.log.append(tx, entry)
        return self.size

    def append_at_once(self, count: int) -> int:
        with self.catalogue.write(Priority.HOLD) as tx:
            for _ in range(count):
                self.log.append(tx, heartbeat())
        return self.size

    def publish(self, *, sign=True, now=NOW) -> int:
        """The size of the published head by then."""
        self.publisher.publish(now, sign=sign)
        return self.publisher.published

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
        if compare.is_refused(found):
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

    def close(self) -> None:
        self.catalogue.close()
