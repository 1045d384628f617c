"""Extending, amending and reviewing a hold: more, or said better, never less."""

import pytest

from retention.catalogue.log_check import verify_catalogue
from retention.model.errors import NotPermittedError, RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, FOREVER, HOUR, MINUTE, Camera
from tests.support.control_room import BEN, EVENING
from tests.support.site_ import NOW


@pytest.fixture(autouse=True)
def placed(room):
    room.place(margin="5m")


def extend(room, **changes):
    return room.ask("extend", BEN, hold=1, reason="PC Singh: later too", **changes)


def window(room):
    with room.site.catalogue.read() as tx:
        row = tx.exec_driver_sql("SELECT since, until FROM hold").one()
    return tuple(row)


def test_a_hold_is_widened_on_both_sides_and_keeps_its_margin(room):
    room.site.record("a", EVENING + HOUR + 10 * MINUTE)
    answer = extend(
        room,
        since=format_utc(EVENING - HOUR),
        until=format_utc(EVENING + 2 * HOUR),
    )
    assert answer["extended"]
    assert answer["asked"] == {
        "since": format_utc(EVENING - HOUR), "until": format_utc(EVENING + 2 * HOUR),
    }  # fmt: skip
    assert answer["total"]["recordings"] == 1
    assert window(room) == (
        EVENING - HOUR - 5 * MINUTE,
        EVENING + 2 * HOUR + 5 * MINUTE,
    )


def test_the_entry_has_the_old_window_and_the_new_one(room):
    extend(room, until=format_utc(EVENING + 2 * HOUR))
    (entry,) = room.entries("hold.extended")
    said = entry["fields"]
    assert said["old_until"] == EVENING + HOUR + 5 * MINUTE
    assert said["until"] == EVENING + 2 * HOUR + 5 * MINUTE
    assert said["old_since"] == said["since"] == EVENING - 5 * MINUTE
    assert said["cameras"] == []
    assert said["reason"] == "PC Singh: later too"
    assert verify_catalogue(room.site.catalogue).ok


def test_a_hold_is_kept_open(room):
    assert extend(room, until_released=True)["until"] is None
    assert window(room)[1] == FOREVER


def test_cameras_are_added_and_the_entry_names_the_new_ones(room):
    room.add(Camera(0, "b2", "yard"))
    extend(room, cameras=["a", "b*"])
    assert [one["camera"] for one in room.show()["cameras"]] == ["a", "b", "b2"]
    (entry,) = room.entries("hold.extended")
    assert entry["fields"]["cameras"] == [room.keys["b"], room.keys["b2"]]


def test_a_later_review_is_taken_and_an_earlier_one_refused(room):
    later = format_utc(NOW + 100 * DAY)
    assert extend(room, review=later)["review"] == later
    with pytest.raises(UsageError, match="`retention hold review 1` sets any date"):
        extend(room, review=format_utc(NOW + 99 * DAY))


@pytest.mark.parametrize(
    "narrower",
    [
        {"since": format_utc(EVENING + 1_000_000)},
        {"until": format_utc(EVENING + HOUR - 1_000_000)},
        {"since": format_utc(EVENING - HOUR), "until": format_utc(EVENING + MINUTE)},
    ],
)
def test_nothing_makes_a_hold_narrower(room, narrower):
    before = window(room), room.size()
    with pytest.raises(UsageError, match=r"--replaces 1`.*The hold is as it was"):
        extend(room, **narrower)
    assert (window(room), room.size()) == before


def test_an_open_hold_gets_no_end(room):
    extend(room, until_released=True)
    with pytest.raises(UsageError, match="ends with its release"):
        extend(room, until=format_utc(NOW + DAY))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "--from, --to"),
        ({"until": "+1h", "until_released": True}, "not both"),
        ({"cameras": ["zz"]}, "The hold is as it was"),
        ({"since": "soon"}, "soon"),
    ],
)
def test_what_can_not_be_meant_changes_nothing(room, changes, words):
    before = room.size()
    with pytest.raises(UsageError, match=words):
        extend(room, **changes)
    assert room.size() == before


def test_cameras_of_others_are_not_added(room):
    with pytest.raises(NotPermittedError, match="police custody"):
        extend(room, cameras=["b", "p"])
    assert [one["camera"] for one in room.show()["cameras"]] == ["a"]


def test_extending_by_what_is_covered_already_stores_nothing(room):
    before = room.size()
    answer = extend(room, until=format_utc(EVENING + HOUR), cameras=["a"])
    assert not answer["extended"]
    assert room.size() == before


def test_extending_undoes_a_release_that_nobody_approved_yet(room):
    room.ask("release", hold=1, reason="done")
    assert extend(room, cameras=["b"])["request_dropped"]
    assert room.state() == "active"
    assert len(room.entries("hold.release_rejected")) == 1
    with pytest.raises(RetentionError, match="nobody has asked"):
        room.ask("approve", BEN, hold=1)


# -- amend ----------------------------------------------------------------------------


def test_what_a_hold_says_is_corrected_with_old_and_new_on_record(room):
    answer = room.ask("amend", BEN, hold=1, reference="A/2", officer=" PC 1 Fox ")
    assert answer["changed"] == {
        "reference": {"old": "A/1", "new": "A/2"},
        "officer": {"old": "", "new": "PC 1 Fox"},
    }
    shown = room.show()
    assert (shown["reference"], shown["officer"]) == ("A/2", "PC 1 Fox")
    (entry,) = room.entries("hold.amended")
    assert entry["fields"]["changed"] == ["reference", "officer"]
    assert entry["fields"]["changes"]["reference"] == ["A/1", "A/2"]


def test_old_and_new_are_in_the_log_as_commitments_only(room):
    room.ask("amend", BEN, hold=1, officer="PC 1 Fox")
    with room.site.catalogue.read() as tx:
        raw = tx.exec_driver_sql(
            "SELECT bytes FROM entry ORDER BY number DESC"
        ).scalar()
    assert b"Fox" not in raw


def test_an_amended_reference_completes_a_police_hold(room):
    room.place(kind="police", reference=None, officer="PC 1", force="Kent")
    assert room.ask("amend", hold=2, reference="26*1")["incomplete"] == []
    assert room.numbers(state="incomplete") == []


def test_an_amendment_changes_neither_window_nor_cameras(room):
    before = window(room), room.show()["cameras"]
    room.ask("amend", hold=1, reason="other", requester="court office", force="Kent")
    assert (window(room), room.show()["cameras"]) == before


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({}, "--reference, --officer"),
        ({"reference": " "}, "with --reference"),
        ({"reason": "a\tb"}, "U\\+0009"),
        ({"officer": "x" * 501}, "501 characters"),
    ],
)
def test_an_amendment_says_something(room, texts, words):
    with pytest.raises(UsageError, match=words):
        room.ask("amend", hold=1, **texts)


def test_an_amendment_that_changes_nothing_is_not_on_record(room):
    before = room.size()
    assert room.ask("amend", hold=1, reference="A/1")["changed"] == {}
    assert room.size() == before


def test_a_released_hold_can_still_be_corrected(room):
    room.ask("release", hold=1, reason="done")
    room.ask("approve", BEN, hold=1)
    room.ask("amend", hold=1, reference="late")
    assert room.show()["reference"] == "late"


# -- review ---------------------------------------------------------------------------


def test_a_hold_that_is_still_needed_gets_the_next_date(room):
    room.now += 91 * DAY
    assert room.show()["review_due"]
    answer = room.ask("review", hold=1, reason="trial in March")
    assert answer["review"] == format_utc(room.now + 90 * DAY)
    assert not room.show()["review_due"]
    (entry,) = room.entries("hold.reviewed")
    assert entry["fields"] == {
        "hold": 1, "review": room.now + 90 * DAY, "old_review": NOW + 90 * DAY,
        "reason": "trial in March",
    }  # fmt: skip


def test_a_review_date_is_at_most_a_year_ahead(room):
    with pytest.raises(UsageError, match="within a year"):
        room.ask("review", hold=1, reason="r", review="+367d")
    with pytest.raises(UsageError, match="is past"):
        room.ask("review", hold=1, reason="r", review="-1d")


def test_a_review_needs_a_reason(room):
    with pytest.raises(UsageError, match="--reason"):
        room.ask("review", hold=1, reason="")


def test_a_review_that_is_missed_releases_nothing(room):
    room.now += 1000 * DAY
    assert room.state() == "active"
    assert room.numbers(state="review") == [1]
