"""The books of a site and of a copy of its log; what tampering does to them."""

import pytest

from retention.model.errors import UsageError
from retention.register.register import camera_amend
from tests.support.bookkeeping import DAY, HOUR, MINUTE, NOW, SECOND, Bookkeeper

OLD = NOW // DAY * DAY - 40 * DAY + 6 * HOUR
FRESH = NOW // DAY * DAY - DAY + 6 * HOUR


@pytest.fixture
def lived(keeper: Bookkeeper) -> Bookkeeper:
    """Three files deleted, one lost, one in doubt, two there."""
    for minute in range(3):
        keeper.write("a", OLD + minute * MINUTE, 10 + minute)
        keeper.write("a", FRESH + minute * MINUTE, 20 + minute)
    keeper.write("b", FRESH, 30, off=5 * HOUR)
    keeper.scan()
    keeper.roll_up()
    keeper.cycle()
    keeper.remove(keeper.path("a", FRESH))
    keeper.scan()
    return keeper


def numbers(line, *names):
    return [line[name]["recordings"] for name in names]


def test_every_day_says_what_became_of_what(lived: Bookkeeper) -> None:
    answer = lived.balance()
    assert answer["balanced"]
    names = ("recorded", "deleted", "lost", "present", "quarantined", "difference")
    assert [numbers(day, *names) for day in answer["days"]] == [
        [3, 3, 0, 0, 0, 0],
        [3, 0, 1, 2, 0, 0],
        [1, 0, 0, 0, 1, 0],
    ]
    assert numbers(answer["total"], *names) == [7, 3, 1, 2, 1, 0]
    assert answer["summary"] == (
        "it balances: 7 recordings of 2 cameras, 2026-08-12 to 2026-09-20: 2 present, 1 "
        "in doubt, 3 deleted, 1 lost"
    )


def test_a_camera_and_some_days_alone(lived: Bookkeeper) -> None:
    answer = lived.balance(camera="a", since="2026-09-01")
    assert answer["balanced"]
    assert len(answer["days"]) == 1
    assert lived.balance(until="2026-09-01")["total"]["deleted"]["recordings"] == 3
    assert lived.balance(limit=1)["more"] == 2


def test_books_and_fates_of_one_councils_cameras_alone(lived: Bookkeeper) -> None:
    """Camera b became Oadby's."""
    camera_amend(lived.context(), id="b", controller="Oadby")
    answer = lived.balance(controller="oadby")
    assert answer["balanced"]
    assert numbers(answer["total"], "recorded", "quarantined") == [1, 1]
    found = lived.find(controller="oadby", since=FRESH, until=FRESH + HOUR)
    assert [one["camera"] for one in found["recordings"]] == ["b"]
    with pytest.raises(UsageError, match="camera a is not one of Oadby's"):
        lived.balance(camera="a", controller="Oadby")
    with pytest.raises(UsageError, match="a path, or for a controller"):
        lived.find(path=str(lived.path("b", FRESH)), controller="Oadby")


@pytest.mark.parametrize(
    ("statement", "number", "size"),
    [
        ("DELETE FROM recording WHERE rowid_", 1, 21),
        ("UPDATE recording SET size = size - 1 WHERE rowid_", 0, 1),
        ("INSERT INTO recording VALUES ({stream}, {other}, 0, 60000000, 5, 0)", -1, -5),
        ("INSERT INTO tally VALUES (1, {day}, 1, 1, 1, x'00', 0, 1, 1)", 1, 1),
        ("UPDATE recording SET start = start + 86400000000 WHERE rowid_", 1, 21),
    ],
)
def test_changed_rows_of_the_catalogue_are_a_difference(
    lived: Bookkeeper, statement: str, number: int, size: int
) -> None:
    text = statement.replace(
        "rowid_", f"start = {FRESH + MINUTE} AND stream = {lived.stream('a')}"
    )
    lived.tamper(
        text.format(stream=lived.stream("a"), other=FRESH + HOUR, day=FRESH // DAY)
    )
    answer = lived.balance()
    assert not answer["balanced"]
    wrong = [day for day in answer["differences"] if day["day"] == "2026-09-20"]
    assert [(one["difference"]["recordings"], one["difference"]["bytes"])
            for one in wrong] == [(number, size)]  # fmt: skip
    assert "NOT balance" in answer["summary"]


def test_a_changed_row_file_is_a_fault(lived: Bookkeeper) -> None:
    (intent,) = lived.entries("deletion.intended")
    lived.tamper(
        "DROP TRIGGER entry_rows_update",
        f"UPDATE entry_rows SET bytes = x'00' WHERE entry = {intent['index']}",
    )
    answer = lived.balance()
    assert not answer["balanced"]
    assert [fault["entry"] for fault in answer["faults"]] == [intent["index"]]


def test_an_entry_taken_out_of_the_index_is_a_difference(lived: Bookkeeper) -> None:
    (intent,) = lived.entries("deletion.intended")
    lived.tamper(
        "DROP TRIGGER entry_camera_delete",
        f"DELETE FROM entry_camera WHERE entry = {intent['index']}",
    )
    assert not lived.balance(camera="a", since="2026-08-01")["balanced"]
    assert lived.balance()["balanced"]  # by the entries themselves


# -- a copy ---------------------------------------------------------------------------


def test_a_copy_says_what_should_remain(lived: Bookkeeper, tmp_path) -> None:
    copy = lived.publish(tmp_path / "copy")
    answer = lived.copied_balance(copy)
    assert answer["balanced"]
    assert not answer["complete"]
    assert [day["present"] for day in answer["days"]] == [None] * 3
    remaining = [day["remaining"]["recordings"] for day in answer["days"]]
    assert remaining == [0, 2, 1]
    assert answer["read"]["indexed"] is False
    assert (
        lived.copied_balance(copy, camera="b")["total"]["recorded"]["recordings"] == 1
    )
    early = lived.copied_balance(copy, until="2026-09-01")
    assert early["total"]["deleted"]["recordings"] == 3


def test_in_a_copy_more_gone_than_recorded_is_a_difference(
    lived: Bookkeeper, tmp_path
) -> None:
    lived.write("b", OLD)
    lived.scan()
    lived.cycle()  # and no roll-up yet
    answer = lived.copied_balance(lived.publish(tmp_path / "copy"))
    assert [day["camera"] for day in answer["differences"]] == ["b"]


def test_a_copy_tells_the_same_of_what_is_gone(lived: Bookkeeper, tmp_path) -> None:
    copy = lived.publish(tmp_path / "copy")
    for start in (OLD + MINUTE, FRESH):
        at = start + 30 * SECOND
        ours = lived.find(camera="a", at=at)["recordings"]
        theirs = lived.copied_find(copy, camera="a", at=at)["recordings"]
        assert theirs == ours
    path = str(lived.path("a", OLD))
    (one,) = lived.copied_find(copy, path=path)["recordings"]
    assert one["fate"] == "deleted"


def test_a_copy_says_why_it_does_not_know(lived: Bookkeeper, tmp_path) -> None:
    copy = lived.publish(tmp_path / "copy")
    answer = lived.copied_find(copy, camera="a", since=FRESH, until=FRESH + 2 * MINUTE)
    assert [one["fate"] for one in answer["recordings"]] == ["lost"]
    (gap,) = answer["gaps"]
    assert (gap["what"], gap["since"]) == ("not_known", "2026-09-20T06:01:00Z")
    assert gap["why"].startswith("the log names a recording when")
    later = lived.copied_find(copy, camera="a", at=lived.now + DAY)
    assert later["gaps"][0]["why"] == "after the last entry of this copy"
    doubt = lived.copied_find(copy, camera="b", at=FRESH)["recordings"]
    assert [one["fate"] for one in doubt] == ["quarantined"]


def test_a_copy_with_a_changed_row_file_says_so(lived: Bookkeeper, tmp_path) -> None:
    copy = lived.publish(tmp_path / "copy")
    (intent,) = lived.entries("deletion.intended")
    (copy / "rows" / f"{intent['index']:03}").write_bytes(b"no")
    answer = lived.copied_find(copy, camera="a", at=OLD)
    assert [fault["entry"] for fault in answer["faults"]] == [intent["index"]]
    assert not lived.copied_balance(copy)["balanced"]
