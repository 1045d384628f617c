"""Where a published log keeps what, as C2SP tlog-tiles says."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.tlog import merkle, tiles
from retention.tlog.tiles import WIDTH, HashReader, Tile


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "tile/0/000"),
        (999, "tile/0/999"),
        (1000, "tile/0/x001/000"),
        (1_234_067, "tile/0/x001/x234/067"),
    ],
)
def test_paths_of_the_specification(number, path):
    assert tiles.path(0, number) == path
    assert tiles.path(0, number, 7) == f"{path}.p/7"
    assert tiles.path("entries", number) == path.replace("/0/", "/entries/", 1)
    assert tiles.row_path(number) == path.replace("tile/0", "rows")


LEVELS = st.one_of(st.integers(0, 7), st.just("entries"))


@given(LEVELS, st.integers(0, 2**40), st.integers(1, WIDTH))
def test_a_path_is_read_as_the_tile_it_is_of(level, number, width):
    assert tiles.parse(tiles.path(level, number, width)) == Tile(level, number, width)
    assert tiles.parse_row_path(tiles.row_path(number)) == number


@pytest.mark.parametrize(
    "path",
    [
        *("tile/8/0/000", "tile/data/000", "tile/00/000", "tile/0/00", "tile/0/0000"),
        *("tile/0/001/000", "tile/0/x000/001", "tile/0/000.p/0", "tile/0/000.p/256"),
        *("tile/0/000.p/07", "tile/0/000.tmp", "tile/0/x001", "rows/000", "tile/0/٠٠٠"),
    ],
)
def test_paths_with_another_spelling_are_none(path):
    assert tiles.parse(path) is None


def count(size):
    found = Counter()
    for tile in tiles.new_files(0, size):
        found[tile.level, tile.width] += 1
    return dict(found)


def test_the_tiles_of_the_specification_s_example():
    """70,000 entries, and 256: a full tile, and one hash above it (trap 7)."""
    assert count(70_000) == {
        ("entries", 256): 273,
        ("entries", 112): 1,
        (0, 256): 273,
        (0, 112): 1,
        (1, 256): 1,
        (1, 17): 1,
        (2, 1): 1,
    }
    assert count(256) == {("entries", 256): 1, (0, 256): 1, (1, 1): 1}
    assert count(0) == {}


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=6))
def test_step_by_step_gives_all_that_the_last_size_needs(sizes):
    written, old = set(), 0
    for size in sorted(sizes):
        new = list(tiles.new_files(old, size))
        assert written.isdisjoint(new), "nothing is written twice"
        assert set(new) == set(tiles.new_files(0, size)) - written
        written |= set(new)
        old = size
    full = {tile for tile in written if tile.width == WIDTH}
    assert set(tiles.new_files(0, old, full_only=True)) == full


def test_a_log_does_not_shrink():
    with pytest.raises(ValueError, match="does not extend"):
        list(tiles.new_files(2, 1))


@given(st.lists(st.binary(max_size=40), max_size=300))
def test_a_bundle_gives_back_its_entries(entries):
    """Any bytes are an entry: empty ones, newlines, zeros (trap 3)."""
    assert tiles.unbundled(tiles.bundle(entries), len(entries)) == entries
    assert tiles.begun(tiles.bundle(entries)) == entries


def test_the_longest_entry_and_the_first_that_is_too_long():
    longest = bytes(tiles.ENTRY_LIMIT)
    assert tiles.unbundled(tiles.bundle([longest]), 1) == [longest]
    with pytest.raises(ValueError, match="fits in no bundle"):
        tiles.bundle([longest + b"x"])


@pytest.mark.parametrize("width", [0, 1, 3])
def test_a_bundle_of_another_width_is_refused(width):
    with pytest.raises(ValueError, match="holds 2 entries"):
        tiles.unbundled(tiles.bundle([b"a", b"b"]), width)


@pytest.mark.parametrize("end", range(1, 8))
def test_a_cut_bundle_is_refused(end):
    with pytest.raises(ValueError, match="holds"):
        tiles.unbundled(tiles.bundle([b"abc", b"de"])[:end], 2)


HASHES = [merkle.leaf(b"%d" % number) for number in range(70_000)]


def tree_of(size):
    """The tiles of a log, from its leaf hashes."""
    made = {}
    for tile in tiles.new_files(0, size):
        if tile.level == 0:
            made[tile] = b"".join(HASHES[tile.first : tile.last])
        elif tile.level != "entries":
            made[tile] = tiles.make(tile, made.__getitem__)
    return made


@pytest.mark.parametrize(
    "size", [1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000]
)
def test_proofs_from_tiles_are_those_of_the_leaves(size):
    reader = HashReader(size, tree_of(size).__getitem__)
    whole = merkle.subtrees_of(HASHES[:size])
    assert reader.root() == merkle.root(HASHES[:size])
    for other in {0, 1, size // 2, size - 1, min(size, 256)}:
        assert reader.root(other) == merkle.root(HASHES[:other])
        if other < size:
            path = merkle.prove_inclusion(other, size, reader)
            assert path == merkle.prove_inclusion(other, size, whole)


def test_a_reader_gives_nothing_beyond_its_size():
    reader = HashReader(300, tree_of(300).__getitem__)
    with pytest.raises(ValueError, match="no such subtree"):
        reader(0, 300)
    with pytest.raises(ValueError, match="holds"):
        HashReader(300, lambda tile: b"")(0, 0)


def test_the_lowest_hash_tile_is_made_of_the_bundle_beside_it():
    entries = [b"%d" % number for number in range(5)]
    tile = Tile(0, 0, 5)
    assert tiles.make(tile, lambda _: tiles.bundle(entries)) == b"".join(HASHES[:5])
