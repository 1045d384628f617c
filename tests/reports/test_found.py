"""What became of a recording, asked of the catalogue's log."""

import pytest

from retention.catalogue.db import Priority
from retention.holds import entries as hold_entries
from retention.model.errors import UsageError
from tests.support.bookkeeping import ACTOR, DAY, HOUR, MINUTE, NOW, SECOND, Bookkeeper
from tests.support.dated import Dated
from tests.support.dated import append as append_dated

OLD = NOW // DAY * DAY - 40 * DAY + 6 * HOUR
FRESH = NOW // DAY * DAY - DAY + 6 * HOUR


def whats(recording) -> list[str]:
    return [event["what"] for event in recording["history"]]


def filled(keeper: Bookkeeper) -> None:
    for camera in "ab":
        for minute in range(3):
            keeper.write(camera, OLD + minute * MINUTE)
            keeper.write(camera, FRESH + minute * MINUTE)
    keeper.scan()
    keeper.roll_up()


def test_what_is_there_is_present_and_in_its_roll_up(keeper: Bookkeeper) -> None:
    filled(keeper)
    one = keeper.fate("a", FRESH)
    assert one["fate"] == one["present"]["state"] == "present"
    (entry,) = keeper.entries("recordings.recorded")
    assert [at["entry"] for at in one["recorded"]] == [entry["index"]]
    assert one["path"].startswith("a/")


def test_of_many_recordings_all_are_counted_and_the_first_are_listed(
    keeper: Bookkeeper, monkeypatch
) -> None:
    filled(keeper)
    monkeypatch.setattr("retention.reports.answers.LIMIT", 1)
    answer = keeper.find(camera="a", since=FRESH, until=FRESH + HOUR)
    assert (len(answer["recordings"]), answer["more"]) == (1, 2)
    assert answer["summary"] == "3 recordings: 3 present"


def test_what_was_deleted_says_when_why_and_by_which_entries(
    keeper: Bookkeeper,
) -> None:
    filled(keeper)
    policy = {"version": 1, "days": 28, "cameras": {}}
    with keeper.site.catalogue.write(Priority.HOLD) as tx:
        number = append_dated(
            keeper.site.log, tx, Dated("policy.changed", NOW, ACTOR, policy)
        )
    keeper.cycle()
    one = keeper.fate("b", OLD + MINUTE)
    (intent,) = keeper.entries("deletion.intended")
    (done,) = keeper.entries("recordings.deleted")
    intended, deleted = one["history"]
    assert one["fate"] == "deleted"
    assert (intended["entry"], deleted["entry"]) == (intent["index"], done["index"])
    assert deleted["intent"] == intent["index"]
    assert keeper.rows(intent["index"])[deleted["row"]]["start"] == OLD + MINUTE
    assert (intended["policy"], intended["policy_entry"]) == (1, number)
    assert intended["why"].startswith("its period of 28 days was over at 2026-")
    assert one["present"] is None


def test_a_file_that_was_gone_before_its_batch_is_lost(keeper: Bookkeeper) -> None:
    filled(keeper)
    keeper.remove(keeper.path("a", OLD))
    keeper.cycle()
    one = keeper.fate("a", OLD)
    assert (one["fate"], one["history"][-1]["outcome"]) == ("lost", "absent")


def test_a_file_that_vanished_is_lost(keeper: Bookkeeper) -> None:
    filled(keeper)
    keeper.remove(keeper.path("a", FRESH))
    keeper.scan()
    one = keeper.fate("a", FRESH)
    assert (one["fate"], whats(one)) == ("lost", ["lost"])


def test_one_that_came_again_is_there_and_tells_its_whole_life(
    keeper: Bookkeeper,
) -> None:
    filled(keeper)
    keeper.cycle()
    keeper.write("a", OLD)
    keeper.scan()
    one = keeper.fate("a", OLD)
    assert one["fate"] == "quarantined"
    events = ["deletion intended", "deleted", "quarantined", "reappeared"]
    assert whats(one) == events


def test_quarantine_and_a_ruling_that_moves_it(keeper: Bookkeeper) -> None:
    keeper.write("a", FRESH, off=-2 * HOUR)
    keeper.scan()
    assert keeper.fate("a", FRESH)["fate"] == "quarantined"
    keeper.rule("a", "shift", "-2h")
    before = keeper.find(camera="a", at=FRESH + 30 * SECOND)["recordings"]
    fates = {one["start"]: one["fate"] for one in before}
    assert sorted(fates.values()) == ["moved", "present"]
    after = keeper.find(camera="a", at=FRESH - 2 * HOUR)["recordings"]
    assert [one["fate"] for one in after] == ["present"]


def test_a_row_taken_out_by_hand_is_no_answer_but_a_gap_in_the_books(
    keeper: Bookkeeper,
) -> None:
    keeper.write("a", FRESH, off=5 * HOUR)
    keeper.scan()
    keeper.roll_up()
    keeper.tamper("DELETE FROM recording")
    assert keeper.fate("a", FRESH)["fate"] == "missing"
    assert not keeper.balance()["balanced"]


def test_holds_are_those_in_force_then_and_now(keeper: Bookkeeper) -> None:
    filled(keeper)
    placed, released = NOW - 60 * DAY, NOW - 50 * DAY
    hold(keeper, 1, placed, OLD - HOUR, OLD + HOUR)
    note(keeper, "hold.released", released, hold=1, free_at=released + 7 * DAY)
    hold(keeper, 2, NOW + HOUR, OLD - HOUR, OLD + HOUR)
    hold(keeper, 3, placed, OLD + HOUR, OLD + 2 * HOUR)
    keeper.cycle()
    keeper.now = NOW + 2 * HOUR
    one = keeper.fate("a", OLD)
    assert one["fate"] == "deleted"
    found = {h["hold"]: (h["in_force_then"], h["in_force"]) for h in one["holds"]}
    assert found == {1: (False, False), 2: (False, True)}
    assert keeper.fate("a", FRESH)["holds"] == []


def test_a_hold_that_cools_off_or_came_back_is_in_force(keeper: Bookkeeper) -> None:
    filled(keeper)
    hold(keeper, 1, NOW - 9 * DAY, FRESH, FRESH + HOUR)
    note(keeper, "hold.released", NOW - DAY, hold=1, free_at=NOW + 6 * DAY)
    assert keeper.fate("a", FRESH)["holds"][0]["in_force"]
    keeper.now = NOW + 7 * DAY
    assert not keeper.fate("a", FRESH)["holds"][0]["in_force"]
    note(keeper, "hold.reinstated", NOW + DAY, hold=1, free_at=NOW + 6 * DAY)
    assert keeper.fate("a", FRESH)["holds"][0]["in_force"]


def test_a_hold_that_was_extended_to_the_footage_is_told(keeper: Bookkeeper) -> None:
    """It was placed for another time, where nobody asks."""
    filled(keeper)
    hold(keeper, 1, NOW - 9 * DAY, FRESH - 9 * HOUR, FRESH - 8 * HOUR)
    wider = {"since": FRESH - 9 * HOUR, "until": FRESH + HOUR, "old_review": 0}
    fields = {
        "hold": 1, "cameras": [], "review": 0, "old_since": FRESH - 9 * HOUR,
        "old_until": FRESH - 8 * HOUR, **wider,
    }  # fmt: skip
    spans = ((1, wider["since"], wider["until"]),)
    extended = Dated("hold.extended", NOW - DAY, ACTOR, fields, None, spans)
    with keeper.site.catalogue.write(Priority.HOLD) as tx:
        append_dated(keeper.site.log, tx, extended)
    assert [one["hold"] for one in keeper.fate("a", FRESH)["holds"]] == [1]


def test_a_hold_over_another_hour_of_a_recording_is_told(keeper: Bookkeeper) -> None:
    keeper.write("a", FRESH + 50 * MINUTE, length=55 * MINUTE)
    keeper.scan()
    hold(keeper, 1, NOW - DAY, FRESH + HOUR, FRESH + 2 * HOUR)
    assert [one["hold"] for one in keeper.fate("a", FRESH + 50 * MINUTE)["holds"]] == [
        1
    ]


def hold(keeper, number, at, since, until) -> None:
    fields = {
        "hold": number, "kind": "court", "cameras": [1], "since": since, "until": until,
        "review": at + DAY, "margin": 0,
    }  # fmt: skip
    entry = Dated("hold.placed", at, ACTOR, fields, spans=((1, since, until),))
    with keeper.site.catalogue.write(Priority.HOLD) as tx:
        append_dated(keeper.site.log, tx, entry)


def note(keeper, kind, at, **fields) -> None:
    keeper.site.by_hand = True
    entry = Dated(kind, at, ACTOR, fields, spans=((1, FRESH, FRESH + HOUR),
                                                  (1, OLD, OLD + HOUR)))  # fmt: skip
    with keeper.site.catalogue.write(Priority.HOLD) as tx:
        append_dated(keeper.site.log, tx, entry)


def test_every_entry_of_a_hold_is_found_by_its_footage() -> None:
    """What the answer rests on: the index of the entries that holds.entries makes."""
    row = type("Row", (), {"key": 1, "since": FRESH, "until": FRESH + HOUR})()
    entry = hold_entries.about("hold.released", row, [1], {})
    assert entry.spans == ((1, FRESH, FRESH + HOUR),)


def test_a_span_says_what_lies_between_and_why(keeper: Bookkeeper) -> None:
    filled(keeper)
    answer = keeper.find(camera="a", since=FRESH - HOUR, until=FRESH + HOUR)
    assert [one["fate"] for one in answer["recordings"]] == ["present"] * 3
    assert {(gap["what"], gap["why"]) for gap in answer["gaps"]} == {
        ("not_known", "service down")
    }
    (day,) = answer["days"]
    assert (day["recorded"]["recordings"], len(day["entries"])) == (3, 1)


def test_a_path_is_found_however_it_is_written(keeper: Bookkeeper) -> None:
    filled(keeper)
    keeper.cycle()
    path = keeper.path("a", OLD)
    below = str(path.relative_to(keeper.site.footage))
    for text in (str(path), below, f"nvr1/{below}"):
        (one,) = keeper.find(path=text)["recordings"]
        assert (one["fate"], one["path"]) == ("deleted", below)
    answer = keeper.find(path=f"nvr1/{below}".replace("mp4", "txt"))
    assert answer["recordings"] == []
    assert answer["gaps"][0]["what"] == "not_known"
    answer = keeper.find(path=str(keeper.path("a", OLD + DAY)))
    assert answer["gaps"][0]["what"] == "no_recording_seen"


def test_a_recording_over_midnight_is_in_the_roll_ups_of_the_day_it_began(
    keeper: Bookkeeper,
) -> None:
    midnight = NOW // DAY * DAY
    keeper.write("a", midnight - MINUTE, length=3 * MINUTE)
    keeper.scan()
    keeper.roll_up()
    (one,) = keeper.find(camera="a", at=midnight + MINUTE)["recordings"]
    assert len(one["recorded"]) == 1


def test_an_instant_is_asked_of_all_cameras(keeper: Bookkeeper) -> None:
    filled(keeper)
    keeper.remove(keeper.path("b", FRESH))
    keeper.scan()
    answer = keeper.find(at=FRESH)
    assert [one["camera"] for one in answer["cameras"]] == ["a", "b"]
    found = {one["camera"]: one["fate"] for one in answer["recordings"]}
    assert found == {"a": "present", "b": "lost"}
    both = keeper.find(since=FRESH, until=FRESH + HOUR)
    assert len(both["recordings"]) == 6


def test_why_nothing_is_there_is_looked_up_of_so_many_cameras(
    keeper: Bookkeeper, monkeypatch
) -> None:
    filled(keeper)
    monkeypatch.setattr("retention.reports.catalogue_site.EXPLAINED", 1)
    gaps = keeper.find(at=FRESH - HOUR)["gaps"]
    assert [(gap["camera"], gap["what"]) for gap in gaps] == [
        ("a", "not_known"),
        ("b", "not_known"),
    ]
    assert "ask for this one alone" in gaps[1]["why"]
    assert "ask for this one alone" not in gaps[0]["why"]


def test_too_much_of_all_cameras_is_refused_in_a_sentence(
    keeper: Bookkeeper, monkeypatch
) -> None:
    filled(keeper)
    with pytest.raises(
        UsageError, match=r"at most 1 day .* not 2 days.* name a camera"
    ):
        keeper.find(since=FRESH - DAY, until=FRESH + DAY)
    monkeypatch.setattr("retention.reports.find.MOST", 3)
    with pytest.raises(UsageError, match=r"more than 3 recordings .* or name a camera"):
        keeper.find(since=FRESH, until=FRESH + HOUR)


def test_altered_rows_are_a_fault_and_no_answer(keeper: Bookkeeper) -> None:
    filled(keeper)
    keeper.cycle()
    (intent,) = keeper.entries("deletion.intended")
    keeper.tamper(
        "DROP TRIGGER entry_rows_update",
        f"UPDATE entry_rows SET bytes = x'00' WHERE entry = {intent['index']}",
    )
    answer = keeper.find(camera="a", at=OLD)
    assert answer["recordings"] == []
    assert [fault["entry"] for fault in answer["faults"]] == [intent["index"]]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"camera": "a"},
        {"at": FRESH, "since": FRESH},
        {"since": FRESH - 2 * DAY, "until": FRESH},
        {"camera": "a", "at": FRESH, "until": FRESH},
        {"camera": "a", "since": FRESH, "until": FRESH},
        {"camera": "a", "at": FRESH, "path": "x"},
        {"camera": "z", "at": FRESH},
        {"path": "/elsewhere/a.mp4"},
    ],
)
def test_what_is_no_question_is_refused(keeper: Bookkeeper, asked) -> None:
    with pytest.raises(UsageError):
        keeper.find(**asked)
