"""Pairs of old and new ids: suggested carefully, read back strictly."""

import csv
import io

import pytest

from retention.model.errors import RetentionError
from retention.register.grid import Degrees
from retention.register.pairs import Place, distance, propose, read_pairs, write_pairs

METRE = 1 / 111_195  # degrees of latitude


def at(id, north=0.0, location="", lon=-1.13):
    return Place(id, location, Degrees(lon, 52.63 + north * METRE))


def found(gone, appeared):
    return [(pair.old.id, pair.new.id, pair.sure) for pair in propose(gone, appeared)]


def test_distance_is_along_the_earth():
    """Two places in Leicester, 255.7 m apart northwards and 67.5 m eastwards."""
    tower, square = (
        Place("", "", Degrees(-1.1332, 52.6362)),
        Place("", "", Degrees(-1.1342, 52.6339)),
    )
    assert distance(tower, square) == pytest.approx(264.5, abs=1)


def test_distance_over_the_date_line_is_short():
    metres = distance(
        Place("", "", Degrees(179.9999, 0.0)), Place("", "", Degrees(-179.9999, 0.0))
    )
    assert metres == pytest.approx(22.2, abs=0.1)


def test_distance_is_unknown_without_a_position():
    assert distance(at("1"), Place("2", "", None)) is None


def test_a_shift_shared_by_three_neighbours_makes_pairs_sure():
    gone = [at(str(n), 1000 * n) for n in (1, 2, 3)]
    appeared = [at(str(n + 1000), 1000 * n + 20) for n in (1, 2, 3)]
    assert found(gone, appeared) == [
        ("1", "1001", True), ("2", "1002", True), ("3", "1003", True),
    ]  # fmt: skip


def test_a_far_pair_of_that_shift_is_shown_but_not_sure():
    gone = [at(str(n), 1000 * n) for n in (1, 2, 3, 4)]
    appeared = [at(str(n + 1000), 1000 * n) for n in (1, 2, 3)] + [at("1004", 9000)]
    (far,) = [pair for pair in propose(gone, appeared) if pair.old.id == "4"]
    assert (far.sure, far.near) == (False, False)
    assert "+1000 as others, but 5,000 m away" in far.why


def test_being_near_alone_is_not_sure():
    assert found([at("1", 0, "Market")], [at("9", 20, "Square")]) == [("1", "9", False)]


def test_the_same_position_and_text_is_sure():
    here = at("1", 0, "Market Place (East)"), at("9", 0, "market place, east")
    assert found([here[0]], [here[1]]) == [("1", "9", True)]


def test_at_one_junction_the_shift_says_which_is_which():
    """Eight cameras on one pole: distance alone could cross them."""
    gone = [at(str(n), 0) for n in range(1, 9)]
    appeared = [at(str(n + 1000), 0) for n in range(8, 0, -1)]
    assert [(int(b) - int(a)) for a, b, _ in found(gone, appeared)] == [1000] * 8


def test_nobody_is_paired_twice():
    gone = [at("1"), at("2", 10)]
    assert len(found(gone, [at("9", 5)])) == 1


def test_without_positions_the_location_text_pairs_but_is_never_sure():
    old = Place("1", "Market Place", None)
    assert found([old], [at("9", 0, "market place")]) == [("1", "9", False)]


def test_more_than_fifty_metres_away_is_no_pair_without_a_shift():
    assert found([at("1")], [at("9", 51)]) == []
    assert found([at("1")], [at("9", 49)]) == [("1", "9", False)]


def test_what_is_written_is_read_back_where_apply_is_yes():
    gone = [at(str(n), 1000 * n, "a, b") for n in (1, 2, 3)] + [at("4", 9000)]
    new = [at(str(n + 1000), 1000 * n, "é") for n in (1, 2, 3)] + [at("77", 9020)]
    pairs = propose(gone, new)
    assert len(pairs) == 4
    read = read_pairs(write_pairs(pairs), "pairs.csv")
    assert [(one.line, one.old, one.new) for one in read] == [
        (2, "1", "1001"), (3, "2", "1002"), (4, "3", "1003"),
    ]  # fmt: skip


def test_no_cell_of_what_is_written_is_run_by_a_spreadsheet():
    gone = [at(f"=1+{n}", 1000 * n, "@home") for n in (1, 2, 3)]
    new = [at(f"'+{n}", 1000 * n, "@home") for n in (1, 2, 3)]
    written = write_pairs(propose(gone, new))
    cells = [
        cell
        for row in csv.reader(io.StringIO(written.decode("utf-8-sig")))
        for cell in row
    ]
    assert [cell for cell in cells if cell[:1] in "=+-@\t" and cell] == []
    assert [one[1:] for one in read_pairs(written, "pairs.csv")] == [
        ("=1+1", "'+1"), ("=1+2", "'+2"), ("=1+3", "'+3"),
    ]  # fmt: skip


def test_what_is_written_begins_as_spreadsheets_want_it():
    """Without a byte order mark they take it for Windows-1252."""
    assert write_pairs([]).startswith(b"\xef\xbb\xbfapply,old,new")


def test_a_file_without_apply_applies_all():
    read = read_pairs(b"old;new\r\n1;1001\r\n", "pairs.csv")
    assert [(one.old, one.new) for one in read] == [("1", "1001")]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"old,new,apply\n1,1001,maybe\n", "line 2: apply is 'maybe'"),
        (b"old,new,apply\n1,1001,\n", "line 2: apply is ''"),
        (b"old,new,apply\n1,1001,no\n", "no pair is to be applied"),
        (b"from,to\n1,1001\n", "line 1: the columns old and new"),
        (b"old,new\n1\n", "line 2: 1 fields"),
    ],
)
def test_a_pairs_file_that_is_not_clear_is_refused(data, says):
    with pytest.raises(RetentionError) as caught:
        read_pairs(data, "pairs.csv")
    assert says in str(caught.value)
