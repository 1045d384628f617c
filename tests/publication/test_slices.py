"""The log and its copy are compared again bit by bit: what differs, and whose fault."""

import sqlite3

import pytest

from retention.catalogue.db import Priority
from retention.model.errors import AlteredError
from retention.publication.slices import Slices
from tests.support.dated import Dated
from tests.support.press import ACTOR, NOW, intent, rows

HOLD = {
    "hold": 1, "kind": "court", "cameras": [1], "since": 0, "until": NOW,
    "review": NOW, "margin": 0, "reference": "r",
}  # fmt: skip


@pytest.fixture
def press(press):
    press.append_at_once(300)
    press.append(intent(rows(3)), Dated("hold.placed", NOW, ACTOR, HOLD))
    press.append_at_once(300)
    press.publish()
    press.by_hand = True
    return press


def one_day(press):
    slices = Slices(press.catalogue, press.published, press.publisher.whose)
    for _ in range(3):  # bundles of 256
        slices.step(press.publisher.published)


def alter(press, statement):
    """As somebody does who can write into the catalogue's file."""
    with sqlite3.connect(press.catalogue.path) as other:
        for trigger in (
            "entry_update", "entry_rows_update", "entry_rows_delete",
            "entry_camera_delete", "disclosure_update",
        ):  # fmt: skip
            other.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        assert other.execute(statement).rowcount > 0
    other.close()


def test_what_is_as_it_was_written_is_right(press):
    one_day(press)


CATALOGUE = {
    "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"holds\":0',"
    " '\"holds\":1') AS BLOB) WHERE number = 7": "was changed",
    "UPDATE entry SET at = at + 1 WHERE number = 7": "is listed with at",
    "UPDATE entry SET kind = 'x' WHERE number = 7": "is listed with kind",
    "UPDATE entry_rows SET bytes = x'00'": "row file that was changed",
    "DELETE FROM entry_rows": "lacks its row file",
    "DELETE FROM entry_camera": "the index by which entry 301 is found",
    "UPDATE disclosure SET text = 'x'": "entry 302",
}


@pytest.mark.parametrize("statement", CATALOGUE)
def test_what_was_altered_in_the_catalogue_is_the_catalogue_s(press, statement):
    alter(press, statement)
    with pytest.raises(AlteredError, match="the catalogue was altered") as found:
        one_day(press)
    assert CATALOGUE[statement] in str(found.value)
    assert "move it away" not in str(found.value)


@pytest.mark.parametrize("level", ["entries", "0"])
def test_a_file_of_an_earlier_head_that_was_altered_is_noticed_at_a_start(press, level):
    """The wider one beside it, which a start writes anew, is right."""
    (older,) = (press.published / f"tile/{level}/002.p").iterdir()
    press.append_at_once(1)
    press.publish()
    older.write_bytes(b"x" + older.read_bytes()[1:])
    slices = Slices(press.catalogue, press.published, press.publisher.whose)
    with pytest.raises(AlteredError, match="the published copy was altered") as found:
        slices.step(press.publisher.published)
    assert str(older) in str(found.value)


def test_all_of_the_newest_day_is_compared_at_a_start(press):
    alter(press, "UPDATE entry SET at = at + 1 WHERE number = 7")
    slices = Slices(press.catalogue, press.published, press.publisher.whose)
    with pytest.raises(AlteredError):
        slices.step(press.publisher.published)


@pytest.mark.parametrize("file", ["tile/entries/000", "tile/entries/001", "rows/301"])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_what_was_altered_in_the_copy_is_the_copy_s(press, file, how):
    place = press.published / file
    if how == "gone":
        place.unlink()
    else:
        place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(AlteredError, match="the published copy was altered"):
        one_day(press)


def test_all_is_compared_again_the_next_day(press):
    slices = Slices(press.catalogue, press.published, press.publisher.whose)
    slices.step(press.publisher.published)
    with press.catalogue.write(Priority.HOLD):
        pass
    alter(press, "UPDATE entry SET at = at + 1 WHERE number = 7")
    slices.step(press.publisher.published)
    slices.step(press.publisher.published)
    with pytest.raises(AlteredError):
        slices.step(press.publisher.published)
