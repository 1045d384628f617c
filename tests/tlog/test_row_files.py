"""Row files: small, read back exactly, and each row provable without its neighbours."""

import hmac
import json
import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model.values import DAY, HOUR, MINUTE, SECOND, Rows
from retention.tlog import merkle, rows
from retention.tlog.canonical import LARGEST, path_text
from tests.support import logs

SEED = b"0123456789abcdef"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-LARGEST, LARGEST)
INSTANTS = st.integers(0, 2**51)
COLUMN = st.sampled_from(
    [INTEGERS, INSTANTS, st.none() | INTEGERS, TEXT, st.none() | TEXT, st.none()]
)


@st.composite
def tables(draw):
    names = draw(st.lists(TEXT, min_size=1, max_size=6, unique=True))
    columns = [draw(COLUMN) for _ in names]
    return Rows(tuple(names), draw(st.lists(st.tuples(*columns), max_size=8)))


@st.composite
def footage(draw):
    one = st.tuples(*[INSTANTS] * 7, st.none() | st.binary(max_size=9), st.none())
    return Rows(logs.COLUMNS, draw(st.lists(one, max_size=8)))


@given(tables())
def test_rows_read_back(table):
    assert rows.decode(rows.encode(table, SEED)) == (table, SEED)


@given(footage())
def test_footage_reads_back_with_paths_as_text(table):
    expected = [
        (*row[:7], None if row[7] is None else path_text(row[7]), row[8])
        for row in table.values
    ]
    found, _ = rows.decode(rows.encode(table, SEED))
    assert found == Rows(table.columns, expected)
    assert rows.root(found, SEED) == rows.root(table, SEED)


@given(footage(), st.sets(INSTANTS), st.data())
def test_of_some_cameras_the_rows_are_those_that_all_of_it_has(table, others, data):
    at = table.columns.index("camera")
    there = [row[at] for row in table.values]
    cameras = others | set(data.draw(st.lists(st.sampled_from(there or [0]))))
    file = rows.encode(table, SEED)
    whole, some = rows.read(file), rows.read(file, cameras=cameras)
    assert (some.names, some.count) == (whole.names, whole.count)
    assert list(some.places) == [n for n, one in enumerate(there) if one in cameras]
    for name, column in whole.columns.items():
        assert list(some.columns[name]) == [column[place] for place in some.places]


@given(tables().filter(lambda table: "camera" not in table.columns))
def test_a_file_without_cameras_is_read_whole_whichever_are_asked_for(table):
    file = rows.encode(table, SEED)
    assert rows.read(file, cameras={1}) == rows.read(file)


@given(tables(), st.binary(min_size=16, max_size=16))
def test_the_root_is_the_tree_over_salted_rows(table, seed):
    leaves = [
        hmac.digest(seed, number.to_bytes(8, "big"), "sha256")[:16]
        + json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
        for number, row in enumerate(table.values)
    ]
    assert rows.root(table, seed) == merkle.root(map(merkle.leaf, leaves))
    assert leaves == [rows.leaf(r, n, seed) for n, r in enumerate(table.values)]


def test_a_sibling_hash_does_not_tell_a_row_that_can_be_guessed():
    """Who knows camera and minute can write the row, but not its salt."""
    table = logs.batch_rows(4)
    first, second = rows.prepare(table), rows.prepare(table)
    assert first.root != second.root
    _, seed = rows.decode(first.data)
    guess = json.dumps(rows.decode(first.data)[0].values[1], separators=(",", ":"))
    hidden = merkle.leaf(rows.leaf(json.loads(guess), 1, seed))
    assert hidden != merkle.leaf(guess.encode())
    assert hidden != merkle.leaf(rows.leaf(json.loads(guess), 1, bytes(16)))


def test_one_row_is_proved_by_its_path_alone():
    """The shape that later proofs need: row, salt and sibling hashes give the root."""
    table = logs.batch_rows(4)
    hashes = [
        merkle.leaf(
            rows.leaf([*row[:7], row[7] and path_text(row[7]), row[8]], number, SEED)
        )
        for number, row in enumerate(table.values)
    ]
    right = merkle.node(hashes[2], hashes[3])
    assert merkle.node(merkle.node(hashes[0], hashes[1]), right) == rows.root(
        table, SEED
    )


def test_a_thousand_rows_take_less_than_20_bytes_each():
    assert len(rows.prepare(logs.batch_rows(1000, cameras=40)).data) < 20 * 1000


def test_the_file_is_columns_that_any_language_reads():
    table = Rows(("camera", "start", "duration", "due"), [(7, 10, 5, 115)] * 2)
    found = json.loads(zlib.decompress(rows.encode(table, SEED)))
    assert found == {
        "v": 1,
        "count": 2,
        "seed": "MDEyMzQ1Njc4OWFiY2RlZg",
        "columns": [
            {"name": "camera", "base": 7, "values": [0, 0]},
            {"name": "start", "base": 10, "values": [0, 0]},
            {"name": "duration", "base": 5, "values": [0, 0]},
            {
                "name": "due",
                "add": ["start", "duration"],
                "base": 100,
                "values": [0, 0],
            },
        ],
    }


@pytest.mark.parametrize(
    "table",
    [
        Rows(("a", "b"), [(1,)]),
        Rows(("a",), [(1,), (1, 2)]),
        Rows(("a", "a"), [(1, 2)]),
        Rows(("a",), [(1.5,)]),
        Rows(("a",), [(2**53,)]),
        Rows(("a",), [([],)]),
    ],
)
def test_rows_that_are_no_table_are_refused(table):
    with pytest.raises(ValueError, match=r"."):
        rows.prepare(table)


def test_truth_is_written_as_a_number():
    assert rows.decode(rows.encode(Rows(("held",), [(True,)]), SEED))[0].values == [
        (1,)
    ]


def test_a_zip_bomb_is_not_inflated():
    bomb = zlib.compress(b"[" + b"0," * 2**25 + b"0]", 9)
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="inflates beyond"):
        rows.decode(bomb)


def test_what_could_not_be_read_is_not_written(monkeypatch):
    monkeypatch.setattr(rows, "INFLATED_LIMIT", 1000)
    with pytest.raises(ValueError, match="make several"):
        rows.prepare(logs.batch_rows(100))


def changed(**values):
    """A row file of one column `a` with two rows, but for `values`."""
    column = {"name": "a", "base": 0, "values": [1, 2]}
    file = {"v": 1, "count": 2, "seed": "MDEyMzQ1Njc4OWFiY2RlZg", "columns": [column]}
    column |= {
        k: v for k, v in values.items() if k in ("base", "values", "add", "name")
    }
    file |= {k: v for k, v in values.items() if k not in column}
    return zlib.compress(json.dumps(file).encode())


def test_the_unchanged_file_is_read():
    assert rows.decode(changed()) == (Rows(("a",), [(1,), (2,)]), SEED)


@pytest.mark.parametrize(
    "data",
    [
        changed(v=2),
        changed(count=3),
        changed(count=None),
        changed(seed="AAAA"),
        changed(seed=5),
        changed(columns=5),
        changed(columns=[{"name": "a", "values": [1, 2]}] * 2),
        changed(columns=[5]),
        changed(base="x"),
        changed(base=LARGEST),
        changed(values=[True, 1]),
        changed(values=[1.5, 1]),
        changed(values=[[1], 1]),
        changed(values=["x", None]),
        changed(add=["b"]),
        changed(add=["a"]),
        changed(add=5),
        changed()[:-1],
        changed() + b"x",
        b"",
        b"not zlib",
        zlib.compress(b"[]"),
        zlib.compress(b"\xff"),
    ],
)
def test_a_file_that_was_never_written_is_refused(data):
    with pytest.raises(ValueError, match=r"."):
        rows.decode(data)


def test_prepared_rows_know_their_digest_sum_and_hours():
    table = logs.batch_rows(4)
    ready = rows.prepare(table)
    assert ready.sha256 == sha256(ready.data).digest()
    assert (ready.count, ready.total) == (4, sum(row[5] for row in table.values))
    assert ready.hours == {(row[0], row[2] // HOUR) for row in table.values}


def test_rows_without_bytes_of_each_have_no_sum():
    assert rows.prepare(Rows(("bytes",), [(1,), (None,)])).total is None
    assert rows.prepare(Rows(("row",), [(1,)])).total is None


def test_every_hour_that_a_span_touches_is_found():
    assert rows.hours([1], [HOUR - 1], [HOUR]) == {(1, 0)}
    assert rows.hours([1], [HOUR - 1], [HOUR + 1]) == {(1, 0), (1, 1)}
    assert rows.hours([1], [0], [3 * HOUR]) == {(1, 0), (1, 1), (1, 2)}
    assert rows.hours([1, 1], [0, MINUTE], [SECOND, HOUR]) == {(1, 0)}


def test_a_long_span_is_found_under_one_mark():
    """A hold may reach to the year 2255: two million hours for each camera."""
    assert rows.hours([5], [0], [28 * DAY]) == {(5, rows.LONG)}
