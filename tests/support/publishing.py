"""A published log to test with, made of entries by the tiles code alone."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.catalogue import log
from retention.catalogue.db import Catalogue, Priority
from retention.model.values import HOUR, Entry
from retention.publication.log_key import public
from retention.tlog import merkle, note, seal, tiles
from retention.tlog.directory import Published
from retention.tlog.entry import Stored
from retention.tlog.tiles import WIDTH, Tile
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.logs import (
    NOW,
    SERVICE,
    a_log,
    batch_rows,
    completed,
    cooled,
    intended,
    released,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
NAME = "leicester/0c6b6f0e"
VERIFIER = note.parse_vkey(note.vkey(NAME, public(KEY)))

HEARTBEAT = Dated(
    "heartbeat",
    NOW,
    SERVICE,
    {
        **dict.fromkeys(("recordings", "overdue", "held_cameras", "holds"), 0),
        "wall": NOW,
        "boottime": HOUR,
    },
)


def day_of_work(size: int, rows: int = 20):
    """Entries as a quiet log has them, `size` in all with the first one already there:
    batches with and without exceptions, holds, heartbeats; the last batch is open."""
    table, number = batch_rows(rows), 1
    while number < size:
        for entry in (
            intended(table),
            completed(number, table, {3: "rescued"} if number % 3 else {}),
            *(cooled(number), released(), HEARTBEAT),
        ):
            if number < size:
                yield entry
                number += 1


def fill(catalogue: Catalogue, size: int) -> list[Stored]:
    """Append up to `size` entries; all of them, as a published log has them."""
    with catalogue.write(Priority.HOLD) as tx:
        for entry in day_of_work(size):
            append_dated(a_log(), tx, entry)
    with catalogue.read() as tx:
        found = log.stored(tx, 0, size)
    return [Stored(one.number, one.data, one.rows) for one in found]


def head(entries, size=None, key=KEY, name=NAME) -> bytes:
    """The signed checkpoint of the first `size` entries."""
    hashes = tiles.leaf_hashes(one.data for one in entries[:size])
    root = merkle.root(hashes)
    return note.sign(note.Checkpoint(name, len(hashes), root).text, name, key).encode()


def write(directory: Path, path: str, data: bytes) -> None:
    target = directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def files_of(entries, old=0, new=None):
    """Path and bytes of what is new under rows/ and tile/ from `old` entries to `new`."""
    new = len(entries) if new is None else new
    made: dict[Tile, bytes] = {}

    def below(tile: Tile) -> bytes:
        if tile not in made:
            made[tile] = content(tile)
        return made[tile]

    def content(tile: Tile) -> bytes:
        if tile.level == "entries":
            return tiles.bundle(one.data for one in entries[tile.first : tile.last])
        return tiles.make(tile, below)

    for one in entries[old:new]:
        if one.rows is not None:
            yield tiles.row_path(one.number), one.rows
    for tile in tiles.new_files(old, new):
        yield tile.path, below(tile)


def publish(directory: Path, entries, sizes=None, *, key=KEY, kept=()) -> Path:
    """Publish the log at each of `sizes` in turn; partial tiles stay lying about.

    `kept` are sizes whose checkpoint is kept for its day.
    """
    old = 0
    for size in sizes or [len(entries)]:
        for path, data in files_of(entries, old, size):
            write(directory, path, data)
        old = size
    for day, size in enumerate(kept, 1):
        write(directory, f"checkpoints/2026-11-{day:02}", head(entries, size, key))
    write(directory, "key", f"{note.vkey(NAME, public(key))}\n".encode())
    write(directory, "checkpoint", head(entries, old, key))
    return directory


def forge(directory: Path, *entries: Dated) -> int:
    """Put these behind the signed head, as who has everything but the key can; the
    number of the first.  They chain, and each has its rows."""
    published = Published(directory)
    first = note.unverified(published.checkpoint_bytes()).size
    there = [one.data for one in published.entries(first, first // WIDTH * WIDTH)]
    last = published.entry(first - 1).data
    origin = {"site": "leicester", "host": "cctv-01", "program": "0.1.0"}
    for number, one in enumerate(entries, first):
        sealed = seal.seal(
            Entry(one.kind, one.fields, one.rows),
            seal.Writer(one.actor, one.at, origin),
            seal.Follows(number, 1, last),
        )
        last = sealed.data
        there.append(last)
        if sealed.rows is not None:
            write(directory, tiles.row_path(number), sealed.rows.data)
    bundle = Tile("entries", first // WIDTH, len(there))
    write(directory, bundle.path, tiles.bundle(there))
    return first
