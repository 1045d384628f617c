"""Signs the log's heads and publishes what they cover, in the order that a kill can't
break.

1. Entries are committed, by whoever appended them.
2. The tree over the new size is computed from that of the last signed head and must be
   the one of the log's own head.              [a log that was altered is not signed]
3. Signed; the head committed to the catalogue.            [signed, nobody has seen it]
4. `last-checkpoint` beside the key.                       [remembered outside]
5. Row files, bundles, hash tiles; their root must be the signed one.
                                               [more than `checkpoint` speaks of]
6. `checkpoint`.                                           [published]
7. The journal.

Each step repeated changes nothing, so the next call goes on from whatever is there.  An
intent is published so before its first unlink: under one that no head covers nothing was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retention.catalogue import heads, log
from retention.catalogue.db import Priority
from retention.model.errors import (
    AlteredError,
    PublicationError,
    RetentionError,
    VerificationError,
    put_back,
)
from retention.model.localtime import format_utc
from retention.model.values import DAY, Micros
from retention.publication import files
from retention.publication.files import PublishedFiles
from retention.tlog import format, note, tiles
from retention.tlog.canonical import decode
from retention.tlog.directory import CHECKPOINT, KEPT, KEY
from retention.tlog.merkle import EMPTY, Frontier
from retention.tlog.merkle import leaf as _leaf
from retention.tlog.note import Checkpoint
from retention.tlog.rows import digest
from retention.tlog.tiles import WIDTH, Tile

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from retention.catalogue.db import Catalogue

PATIENCE_SECONDS = 10.0
"""What one caller waits while another publishes: that takes milliseconds."""

BESIDE_KEY = "last-checkpoint"
"""The newest signed head, kept where the key is (design, section 9)."""


class Publisher:
    """Publishes one log into one directory; any thread may ask, one at a time.

    `beside` is the directory of `last-checkpoint`; `told` hears of each head that was
    published, `alive` is called now and then while there is much.  `refused` says why nothing may be signed or published at all,
    `altered` what is not as it was signed, though what is new is published.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        name: str,
        key: Ed25519PrivateKey,
        directory: Path,
        beside: Path,
        told: Callable[[heads.SignedHead], None] = lambda _: None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.refused: str | None = None
        self.altered: str | None = None
        self.published = 0
        self._catalogue = catalogue
        self._name = name
        self._key = key
        self._directory = PublishedFiles(directory)
        self._beside = PublishedFiles(beside)
        self._told = told
        self._alive = alive
        self._mutex = threading.Lock()
        self._signed: heads.SignedHead | None = None
        self._bundled = 0
        self._day: Micros | None = None
        self._mending = False
        self._begun = False

    @property
    def vkey(self) -> str:
        """The verifier key of the heads."""
        public = self._key.public_key().public_bytes_raw()
        return note.vkey(self._name, public)

    def publish(self, now: Micros) -> None:
        """Publish what is committed, under a new head.

        Costs in proportion to what is new; does nothing where nothing is.  Raises
        PublicationError, or CatalogueError: what was written stays, ask again.
        """
        with self._alone():
            self._publish(now)

    def covers(self, size: int) -> bool:
        """Whether the first `size` entries are published under a head."""
        return self._begun and size <= self.published

    def mend(self, now: Micros) -> None:
        """Compare every published file with the log, and write those that are missing."""
        with self._alone():
            self._begin()
            self.altered = None
            self.published = self._bundled = 0
            self._day, self._mending = None, True
            try:
                self._publish(now)
            finally:
                self._mending = False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, and none where it must not be; after an error what is there is
        looked at again."""
        if not self._mutex.acquire(timeout=PATIENCE_SECONDS):
            raise PublicationError(
                f"{self._directory.path} takes long to be written: see to its file "
                "system; it goes on by itself where much is published at once"
            )
        try:
            if self.refused is not None:
                raise PublicationError(self.refused)
            yield
        except BaseException:
            self._begun = False
            raise
        finally:
            self._mutex.release()

    def _publish(self, now: Micros) -> None:
        if not self._begun:
            self._begin()
        with self._catalogue.read() as tx:
            size, data = log.head(tx)
        if self._signed is not None and self._signed.size > self.published:
            self._put_out(self._signed)  # what a kill left unpublished
        signed_size = self._signed.size if self._signed else 0
        if size > signed_size:
            self._signed = self._sign(Frontier.from_bytes(size, data), now)
            self._put_out(self._signed)

    def _begin(self) -> None:
        """Where a process before this one left off."""
        with self._catalogue.read() as tx:
            self._signed = heads.newest(tx)
        self._directory.put(KEY, f"{self.vkey}\n".encode())
        described = format.text().encode()
        if self._directory.read(format.NAME) != described:
            self._directory.replace(format.NAME, described)
        data = self._directory.read(CHECKPOINT)
        found = Checkpoint(self._name, 0, EMPTY)
        if data is not None:
            try:
                found = note.open_checkpoint(data, note.parse_vkey(self.vkey))
            except VerificationError as error:
                path = self._directory.path
                raise PublicationError(
                    f"{path / CHECKPOINT}: {error}; nothing is published over it"
                ) from error
        if found.size > (self._signed.size if self._signed else 0):
            raise PublicationError(
                f"{self._directory.path} is published up to entry {found.size - 1}, "
                "further than this catalogue ever signed: start the service again, "
                "which compares the two"
            )
        self.published = self._bundled = found.size
        self._drop_partials()
        self._begun = True

    # -- signing ------------------------------------------------------------------

    def _sign(self, head: Frontier, now: Micros) -> heads.SignedHead:
        """Steps 2 and 3."""
        tree = self._signed.frontier if self._signed else Frontier()
        for number, data, _ in heads.entries(self._catalogue, tree.size, head.size):
            if number != tree.size:
                break
            tree = tree.append(_leaf(data))
        if tree != head:
            raise PublicationError(
                f"the audit log's entries up to {head.size - 1} do not lead from the "
                "last signed head to the one that the catalogue says: it was altered. "
                f"Nothing is signed. To mend it: {put_back()}"
            )
        text = Checkpoint(self._name, head.size, head.root()).text
        signed = heads.SignedHead(head, note.sign(text, self._name, self._key), now)
        with self._catalogue.write(Priority.HOLD) as tx:
            heads.keep(tx, signed)
        return signed

    # -- publishing ---------------------------------------------------------------

    def _put_out(self, signed: heads.SignedHead) -> None:
        """Steps 4 to 7."""
        data = signed.note.encode()
        self._beside.replace(BESIDE_KEY, data)
        self._beside.settle()
        self._bundle(signed.size)
        for tile in tiles.new_files(self.published, signed.size):
            if tile.level != "entries":
                self._directory.put(tile.path, tiles.make(tile, self._read))
        self._directory.settle()
        self._check_root(signed)
        self._directory.replace(CHECKPOINT, data)
        self._directory.settle()
        self._keep_days(signed)  # after it: none that is kept is ever ahead of it
        before, self.published = self.published, signed.size
        self._told(signed)
        for tile in tiles.new_files(before, signed.size, full_only=True):
            files.drop(self._directory, tile.path)
        self._directory.settle()

    def _bundle(self, size: int) -> None:
        """Row files and bundles up to `size`; row files first, for a bundle with an
        entry says that all of the entry is there."""
        first = self._bundled
        if size <= first:
            return
        self._put_rows(first, size)
        for number in range(first // WIDTH, -(-size // WIDTH)):
            tile = tiles.of_size(size, "entries", number)
            if tile is not None:
                found = heads.leaves(self._catalogue, tile.first, tile.last)
                entries = self._as_signed(tile, [data for _, data in found])
                self._put(tile.path, tiles.bundle(entries))
                self._alive()
        self._bundled = size

    def _put(self, path: str, data: bytes) -> None:
        try:
            self._directory.put(path, data)
        except AlteredError as error:
            where = f"{self._directory.path}/{path}"
            raise AlteredError(self.whose(where)) from error

    def _as_signed(self, tile: Tile, entries: list[bytes]) -> list[bytes]:
        """What of a bundle was published before goes into the wider one as it was: else
        an altered entry would be carried out of the catalogue, and if none were written,
        what is new would be lost with it.  AlteredError where nothing has it any more.
        """
        width = min(self.published, tile.last) - tile.first
        if width <= 0:
            return entries
        said = self._directory.read(Tile(0, tile.number, width).path)
        if said in (None, b"".join(tiles.leaf_hashes(entries[:width]))):
            return entries
        path = Tile("entries", tile.number, width).path
        self.altered = self.altered or self.whose(f"{self._directory.path}/{path}")
        try:
            there = tiles.unbundled(self._directory.read(path) or b"", width)
        except ValueError:
            there = []
        if b"".join(tiles.leaf_hashes(there)) != said:
            raise AlteredError(self.altered)
        return [*there, *entries[width:]]

    def whose(self, path: str) -> str:
        """Catalogue and published log differ in a file: which of the two was altered, by
        the last head that was signed, and what to do."""
        signed = self._signed
        size = 0 if signed is None else signed.size
        mine = heads.frontiers(self._catalogue, [size], whole=True).get(size)
        if signed is not None and (mine is None or mine != signed.frontier):
            return catalogue_altered(f"an entry up to {size - 1}")
        return (
            f"{path} is not what was signed, and the catalogue's audit log is: the "
            f"published copy was altered. Keep {self._directory.path} for the auditor: "
            "move it away, and the next start publishes the whole log anew"
        )

    def _put_rows(self, first: int, last: int) -> None:
        for number, data, rows in heads.entries(self._catalogue, first, last):
            if rows is not None:
                if decode(data).get("rows_sha256") != digest(rows):
                    raise AlteredError(catalogue_altered(f"the rows of entry {number}"))
                self._put(tiles.row_path(number), rows)
                if number - first >= WIDTH:
                    self._alive()
        self._directory.settle()

    def _read(self, tile: Tile) -> bytes:
        data = self._directory.read(tile.path)
        if data is None:
            raise PublicationError(
                f"{self._directory.path / tile.path} is missing from the published "
                "audit log: `retention audit publish` writes it again"
            )
        return data

    def _check_root(self, signed: heads.SignedHead) -> None:
        """What is published leads to the signed root."""
        found = tiles.HashReader(signed.size, self._read).root()
        if found != signed.frontier.root():
            raise PublicationError(
                f"the tiles in {self._directory.path} do not lead to the root that was "
                "signed: they were altered. Move that directory away and keep it for "
                "the auditor; the next start publishes the whole log anew"
            )

    def _keep_days(self, signed: heads.SignedHead) -> None:
        """The last head of each day before is kept; today's is `checkpoint` itself.

        One that is there stays, whatever a clock that was wrong says by now.  The oldest
        come first: where one is there, all before it are.
        """
        day = signed.at // DAY
        if day == self._day:
            return
        missing: list[tuple[str, heads.SignedHead]] = []
        with self._catalogue.read() as tx:
            before = heads.newest_before(tx, day * DAY, signed.size)
            while before is not None:
                name = f"{KEPT}/{format_utc(before.at)[:10]}"
                if self._directory.read(name) is None:
                    missing.append((name, before))
                elif not self._mending:
                    break
                start = before.at // DAY * DAY
                before = heads.newest_before(tx, start, before.size)
        for name, head in reversed(missing):
            self._directory.put(name, head.note.encode())
            self._directory.settle()
        self._day = day

    def _drop_partials(self) -> None:
        """Those that a kill left after the full file and its head were published."""
        for level in tiles.ALL_LEVELS:
            tile = tiles.of_size(self.published, level, 0)
            if tile is None or tile.width < WIDTH:
                continue
            last = self.published // (Tile(tile.level, 0).span * WIDTH) - 1
            path = Tile(tile.level, last).path
            parent = path.rpartition("/")[0]
            there = set(self._directory.names(parent))
            for name in there:
                full = name.removesuffix(".p")
                if full != name and full in there and full.isdecimal():
                    files.drop(self._directory, f"{parent}/{full}")
        self._directory.settle()


def catalogue_altered(what: str) -> str:
    """What is said where the catalogue's log is not what was signed."""
    return (
        f"{what} of the catalogue's audit log is not what was signed: the catalogue was "
        "altered, or is damaged; nothing speaks against what is published. To mend it: "
        + put_back()
    )


def problem(error: RetentionError) -> str:
    """What a caller is told whose change stands and could not be published."""
    return (
        "it stands and is in the audit log, but not yet published, so nothing is "
        f"deleted meanwhile: {error}"
    )
