"""Every tampering with a published log of 5,000 entries is noticed and rightly named.

10,000 random mutations with `--campaign`, else a tenth; RETENTION_MUTATIONS=100000 makes
it more.  They are checked as `memory` says, a sample of them again on disk without any
shortcut.  Not among them, since the log is whole without: the file `key`, whose text the
auditor has, and old checkpoints and partial tiles that nothing refers to, removed.
"""

import os
import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

import pytest

from retention.tlog import merkle, note, tiles
from retention.tlog.canonical import decode, encode
from retention.tlog.entry import Stored, previous
from retention.tlog.tiles import WIDTH
from retention.tlog.verify.published import verify_directory
from tests.support import campaign, memory, publishing
from tests.support.logs import a_catalogue
from tests.support.publishing import KEY, NAME, OTHER_KEY, VERIFIER, fill, public, write

SIZE = 5000
COUNT = int(os.environ.get("RETENTION_MUTATIONS", "10000"))
SIZES = [100, 256, 1000, 4900, 4990, SIZE]
"""Published one after the other: partial tiles of 4900 and 4990 stay lying about."""

KEPT = [1000, 4900]

CHANGED = r"was changed|can't be read|is not here|is missing|is followed|bytes"


class Mutation(NamedTuple):
    """Files with other bytes (None: removed), what must be said, of entries [first, last)
    (None: of no entry), and the size of a checkpoint that the auditor kept."""

    changes: dict
    said: str
    first: int | None
    last: int = 0
    since: int | None = None


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return BothLogs(tmp_path_factory.mktemp("mutations"))


class BothLogs:
    """The log, in memory and on disk."""

    def __init__(self, where):
        catalogue = a_catalogue(where, public(KEY))
        self.entries = fill(catalogue, SIZE)
        catalogue.close()
        self.where, self.directory = where, where / "log"
        self.files = self.published(self.entries)
        for path, data in self.files.items():
            write(self.directory, path, data)
        self.memory = memory.Memory(self.files)
        self.quick = memory.Quick(self.memory)
        self.random = campaign.chance("mutations")
        self.rows = [p for p in self.files if p.startswith("rows/")]
        self.tiles = [t for p in self.files if (t := tiles.parse(p)) is not None]
        self.bundles = [t for t in self.tiles if t.level == "entries"]
        self.full = [t for t in self.bundles if t in set(tiles.new_files(0, SIZE))]
        self.needed = {tile.path for tile in tiles.new_files(0, SIZE)}
        self.hashes = tiles.leaf_hashes(one.data for one in self.entries)

    @staticmethod
    def published(entries, key=KEY, sizes=SIZES):
        files, old = {}, 0
        for size in sizes:
            files.update(publishing.files_of(entries, old, size))
            old = size
        for day, size in enumerate(KEPT, 1):
            if size <= len(entries):
                kept = publishing.head(entries, size, key)
                files[f"checkpoints/2026-11-0{day}"] = kept
        files["checkpoint"] = publishing.head(entries, key=key)
        files["key"] = f"{VERIFIER.vkey}\n".encode()
        return files

    def head(self, size):
        root = merkle.root(self.hashes[:size])
        return note.sign(note.Checkpoint(NAME, size, root).text, NAME, KEY).encode()

    def since(self, size):
        return [] if size is None else [(f"hers of {size}", self.head(size))]

    def replaced(self, files):
        """The changes that make the directory these files."""
        changes = {p: d for p, d in files.items() if self.files.get(p) != d}
        return changes | dict.fromkeys(self.files.keys() - files.keys())


def entry_at(data, tile, at):
    """The entry that a byte of a bundle belongs to."""
    ends = list(accumulate(2 + len(entry) for entry in tiles.begun(data)))
    return tile.first + bisect_right(ends, at)


def what_is_in(world, path, at):
    """What must be said where a byte of a file is changed, and of which entries."""
    tile, row = tiles.parse(path), tiles.parse_row_path(path)
    if row is not None:
        return r"row file that was changed", row, row + 1
    if tile is None:
        return re.escape(path) if path != "checkpoint" else "the checkpoint", None, 0
    if tile.level == "entries":
        entry = entry_at(world.files[path], tile, at)
        return CHANGED, entry, entry + 1
    first = tile.first + at // 32 * tile.span
    return f"hash.* in {re.escape(path)} was changed", first, first + 1


def flip(world):
    """One bit of any byte of any file, small files as often as large ones."""
    path = world.random.choice(list(world.files))
    data = bytearray(world.files[path])
    at = world.random.randrange(len(data))
    data[at] ^= 1 << world.random.randrange(8)
    return Mutation({path: bytes(data)}, *what_is_in(world, path, at))


def flip_in_tile(world):
    """The same among tiles and bundles, by their size."""
    paths = [tile.path for tile in world.tiles]
    (path,) = world.random.choices(paths, [len(world.files[p]) for p in paths])
    data = bytearray(world.files[path])
    at = world.random.randrange(len(data))
    data[at] ^= 1 << world.random.randrange(8)
    return Mutation({path: bytes(data)}, *what_is_in(world, path, at))


def truncate(world):
    """Any file, at any point."""
    path = world.random.choice(list(world.files))
    data = world.files[path]
    at = world.random.randrange(len(data))
    said, first, last = what_is_in(world, path, at)
    tile = tiles.parse(path)
    if tile and tile.level != "entries" and path in world.needed:
        said, first, last = rf"{path} has {at} bytes", tile.first, tile.first + 1
    return Mutation({path: data[:at]}, said, first, last)


def prolong(world):
    """Bytes behind the end of any file."""
    path = world.random.choice(list(world.files))
    data = world.files[path]
    more = world.random.randbytes(world.random.choice([1, 2, 32, 300]))
    said, first, last = what_is_in(world, path, len(data) - 1)
    tile = tiles.parse(path)
    if tile and path in world.needed:
        if tile.level == "entries":
            said, first, last = "is followed", tile.last - 1, tile.last
        else:
            said, first, last = f"{path} has", tile.first, tile.first + 1
    return Mutation({path: data + more}, said, first, last)


def remove_file(world):
    path = world.random.choice([*world.rows, *world.needed, "checkpoint"])
    tile, row = tiles.parse(path), tiles.parse_row_path(path)
    if row is not None:
        return Mutation({path: None}, "lacks its row file", row, row + 1)
    if tile is None:
        return Mutation({path: None}, "checkpoint is missing", None)
    # What a narrower bundle has of it is there.
    last = tile.last if tile.level == "entries" else tile.first + 1
    return Mutation({path: None}, "(is|are) missing", tile.first, last)


def in_a_bundle(world):
    """A bundle and the entries in it, to be changed."""
    tile = world.random.choice(world.full)
    return tile, tiles.begun(world.files[tile.path])


def rebuilt(tile, entries, said, at):
    entry = tile.first + at
    return Mutation({tile.path: tiles.bundle(entries)}, said, entry, entry + 1)


def remove_entry(world):
    tile, entries = in_a_bundle(world)
    at = world.random.randrange(len(entries))
    del entries[at]
    return rebuilt(tile, entries, r"is missing: (entry|tile)", at)


def remove_run(world):
    tile, entries = in_a_bundle(world)
    at = world.random.randrange(len(entries))
    del entries[at : at + world.random.randrange(1, 100)]
    return rebuilt(tile, entries, r"is missing: (entry|tile)", at)


def duplicate_entry(world):
    """Put in once more behind itself, or somewhere else."""
    tile, entries = in_a_bundle(world)
    of, to = sorted(world.random.sample(range(len(entries)), 2))
    entries.insert(to, entries[of])
    return rebuilt(tile, entries, "is in its place, a second time", to)


def overwrite_entry(world):
    """Another entry in the place of one."""
    tile, entries = in_a_bundle(world)
    other = world.random.choice(world.entries)
    at = world.random.randrange(len(entries))
    if other.number == tile.first + at:
        return overwrite_entry(world)
    entries[at] = other.data
    said = rf"entry {other.number} (is in its place|follows)"
    return rebuilt(tile, entries, said, at)


def swap_entries(world):
    tile, entries = in_a_bundle(world)
    a, b = sorted(world.random.sample(range(len(entries)), 2))
    entries[a], entries[b] = entries[b], entries[a]
    return rebuilt(tile, entries, "the order was changed", a)


def shuffle_entries(world):
    tile, entries = in_a_bundle(world)
    was = list(entries)
    at = world.random.randrange(len(entries) - 2)
    run = entries[at : at + world.random.randrange(3, 60)]
    world.random.shuffle(run)
    entries[at : at + len(run)] = run
    if entries == was:
        return shuffle_entries(world)
    first = next(n for n, one in enumerate(was) if entries[n] != one)
    return rebuilt(tile, entries, "the order was changed", first)


def change_entry(world):
    """A value, in the best of form."""
    tile, entries = in_a_bundle(world)
    at = world.random.randrange(len(entries))
    entry = decode(entries[at])
    entries[at] = encode(entry | {"at": entry["at"] + 1})
    return rebuilt(tile, entries, "was changed", at)


def change_entry_and_hash(world):
    """The same, and the hash tile beside it made to fit; the one above is not."""
    mutation = change_entry(world)
    ((path, data),) = mutation.changes.items()
    tile = tiles.parse(path)
    beside = tile._replace(level=0)
    hashes = b"".join(tiles.leaf_hashes(tiles.begun(data)))
    return Mutation(
        {path: data, beside.path: hashes},
        "was changed|not what was signed",
        *((tile.first, tile.first + 1) if tile.width == WIDTH else (0, SIZE)),
    )


def put_in_place_of(world):
    """A file is the copy of another one of its kind."""
    kind = world.random.choice(["entries", "hashes", "rows"])
    if kind == "rows":
        a, b = world.random.sample(world.rows, 2)
        row = tiles.parse_row_path(a)
        if world.files[a] == world.files[b]:
            return put_in_place_of(world)
        return Mutation({a: world.files[b]}, "row file that was changed", row, row + 1)
    paths = [
        tile.path
        for tile in world.tiles
        if tile.path in world.needed
        and (tile.level == "entries") == (kind == "entries")
    ]
    a, b = world.random.sample(paths, 2)
    tile = tiles.parse(a)
    said = "is in its place|follows" if kind == "entries" else f"in {a} was|{a} has"
    return Mutation({a: world.files[b]}, said, tile.first, tile.first + 1)


def swap_files(world):
    """Two bundles, two row files or two hash tiles, each in the other's place."""
    mutation = put_in_place_of(world)
    ((a, data),) = mutation.changes.items()
    b = next(path for path, other in world.files.items() if other == data)
    first = min(tiles.parse(p).first if tiles.parse(p) else 0 for p in (a, b))
    if a.startswith("rows/"):
        first = min(map(tiles.parse_row_path, (a, b)))
    said = mutation.said.replace(a, ".*")
    return Mutation({a: data, b: world.files[a]}, said, first, first + 1)


def rows_without_an_entry(world):
    """A row file for an entry that speaks of none."""
    number = world.random.choice([e.number for e in world.entries if e.rows is None])
    data = world.files[world.random.choice(world.rows)]
    said = "has a row file that it does not speak of"
    return Mutation({tiles.row_path(number): data}, said, number, number + 1)


def beyond_the_end(world):
    """A tile for entries that there are not."""
    level = world.random.choice(["entries", 0, 1, 2])
    number = world.random.randrange(20, 1000) if level in ("entries", 0) else 1
    width = world.random.choice([WIDTH, 7])
    data = world.files[world.random.choice(world.tiles).path]
    path = tiles.path(level, number, width)
    return Mutation({path: data}, f"is not there, and {path}", SIZE, 10**9)


def cut(world):
    """All entries from one on are gone, tiles made to fit, the head is the old one."""
    size = world.random.randrange(1, SIZE)
    files = dict(publishing.files_of(world.entries[:size]))
    files |= {
        p: d for p, d in world.files.items() if not p.startswith(("tile", "rows"))
    }
    first = size // WIDTH * WIDTH
    return Mutation(world.replaced(files), "(is|are) missing", first, size + 1)


def roll_back(world):
    """The published log as it was once, head and all; she was there later."""
    size = world.random.randrange(1, SIZE - 1)
    files = world.published(world.entries[:size], sizes=[size])
    since = world.random.randrange(size + 1, SIZE + 1)
    said = "not under the checkpoint any more.*cut or rolled back"
    return Mutation(world.replaced(files), said, size, size + 1, since)


def older_head(world):
    """Only the head is that of an earlier day."""
    size = world.random.randrange(0, SIZE - 1)
    since = world.random.randrange(size + 1, SIZE + 1)
    changes = {"checkpoint": world.head(size)}
    return Mutation(changes, "not under the checkpoint any more", size, size + 1, since)


def other_key(world):
    """All of it, signed by a key of the forger's."""
    files = world.published(world.entries, OTHER_KEY)
    changes = world.replaced(files) | {"key": world.files["key"]}
    if world.random.random() < 0.5:
        changes = {"checkpoint": files["checkpoint"]}
    return Mutation(changes, "not signed by leicester", None)


def rewritten(world, at, size=SIZE):
    """The log as it would be, had entry `at` and all after it been written otherwise."""
    found = world.entries[:at]
    for one in world.entries[at:size]:
        entry = decode(one.data)
        entry["at"] += 1
        if found:
            entry["prev"] = previous(found[-1].data)
        found.append(Stored(one.number, encode(entry), one.rows))
    return found


def fork(world):
    """Written anew after entry k and signed with the real key; she was there later."""
    at = world.random.randrange(0, SIZE)
    files = world.published(rewritten(world, at))
    since = world.random.randrange(at + 1, SIZE + 1)
    for path in [p for p in files if p.startswith("checkpoints/")]:
        if world.random.random() < 0.5:
            files[path] = world.files[path]
    return Mutation(world.replaced(files), "is a fork", 0, at + 1, since)


def roll_back_and_go_on(world):
    """A catalogue of yesterday was restored and the log went on from there."""
    at = world.random.randrange(1, SIZE - 1)
    size = world.random.randrange(at + 1, SIZE)
    files = world.published(rewritten(world, at, size), sizes=[size])
    since = world.random.randrange(at + 1, SIZE + 1)
    said = "is a fork" if since <= size else "cut or rolled back"
    last = at + 1 if since <= size else size + 1
    return Mutation(world.replaced(files), said, 0, last, since)


def rewrite_without_key(world):
    """Written anew from entry k on, everything made to fit; the head is the old one."""
    at = world.random.randrange(0, SIZE)
    files = world.published(rewritten(world, at))
    kept = {p: d for p, d in world.files.items() if p.startswith("checkpoint")}
    return Mutation(world.replaced(files | kept), "not what was signed", 0, at + 1)


SHARES = {
    flip: 2000,
    flip_in_tile: 1500,
    truncate: 1000,
    prolong: 600,
    remove_file: 600,
    remove_entry: 600,
    remove_run: 300,
    duplicate_entry: 500,
    overwrite_entry: 400,
    swap_entries: 600,
    shuffle_entries: 300,
    change_entry: 300,
    change_entry_and_hash: 200,
    put_in_place_of: 300,
    swap_files: 300,
    rows_without_an_entry: 200,
    beyond_the_end: 200,
    older_head: 50,
    cut: 25,
    roll_back: 25,
    other_key: 25,
    fork: 25,
    roll_back_and_go_on: 25,
    rewrite_without_key: 25,
}
"""How many of 10,100; the last ones make a whole log anew."""


def complaint(mutation, report):
    """Why the report is not the right one, or None."""
    fault = report.fault
    if fault is None:
        return "was not noticed"
    if not re.search(mutation.said, fault.sentence):
        return f"was called: {fault.sentence}"
    if (mutation.first is None) != (fault.entry is None):
        return f"was found at entry {fault.entry}"
    if fault.entry is not None and not mutation.first <= fault.entry < mutation.last:
        return f"was found at entry {fault.entry}, not in {mutation.first}.."
    return None


@pytest.mark.parametrize("kind", SHARES, ids=lambda kind: kind.__name__)
def test_every_mutation_is_noticed_and_rightly_named(world, kind, tmp_path):
    count = max(1, -(-campaign.share(SHARES[kind]) * COUNT // 10_000))
    with world.quick as quick:
        for number in range(count):
            mutation = kind(world)
            report = quick.check(mutation.changes, world.since(mutation.since))
            wrong = complaint(mutation, report)
            assert wrong is None, (
                f"{kind.__name__} of {sorted(mutation.changes)[:3]} {wrong}"
            )
            if number < 1:
                sampled = mutation, report
    mutation, report = sampled
    copy = tmp_path / "copy"
    world.memory.changed(mutation.changes).write(copy, world.directory)
    again = verify_directory(copy, VERIFIER, since=world.since(mutation.since))
    assert again.faults == report.faults


def test_the_log_itself_is_intact_at_every_depth(world):
    for depth in ("tree", "sums", "deep"):
        report = verify_directory(world.directory, VERIFIER, depth=depth)
        assert report.ok, report.faults
        assert (report.intact, report.origin) == (SIZE, NAME)
