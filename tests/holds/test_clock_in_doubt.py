"""A hold is asked for while nobody believes the clock: what is refused, said, put right."""

import pytest

from retention.catalogue.db import Priority, put_fact
from retention.catalogue.raised import log_size
from retention.cli.hold import texts
from retention.control import alarms, guards
from retention.control.clock_guard import CLOCK_FACT, acknowledged
from retention.holds.reviews import cap_reviews
from retention.model import codec
from retention.model.answers.hold import HoldList, HoldShown
from retention.model.errors import UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR
from tests.support.control_room import ANNA, EVENING, ControlRoom
from tests.support.site_ import NOW

AHEAD = NOW + 40 * DAY
WHY = "the clock jumped ahead by 40 days"


@pytest.fixture
def doubted(room: ControlRoom) -> ControlRoom:
    """A room whose clock went 40 days ahead."""
    room.now = AHEAD
    with room.site.catalogue.write(Priority.SCAN, author(room)) as tx:
        alarms.trip(tx, room.now, guards.CLOCK, "", WHY)
    return room


def author(room: ControlRoom):
    return room.site.log.by(ANNA, room.now)


def right_again(room: ControlRoom) -> None:
    """An administrator looked at another clock."""
    room.now = NOW + HOUR
    with room.site.catalogue.write(Priority.SCAN, author(room)) as tx:
        put_fact(tx, CLOCK_FACT, acknowledged(room.now, log_size(tx)))
        alarms.clear_in(tx, guards.CLOCK, "", "looked at another clock")


def test_lists_of_holds_say_that_their_dates_go_by_a_clock_in_doubt(doubted):
    doubted.place()
    assert doubted.ask("list")["clock_in_doubt"] == WHY
    assert doubted.show()["clock_in_doubt"] == WHY
    for text in (
        texts.holds(codec.from_json(HoldList, doubted.ask("list")), "UTC"),
        texts.hold(codec.from_json(HoldShown, doubted.show()), "UTC"),
    ):
        assert (
            f"The clock is in doubt: {WHY}. What is said here of what is past" in text
        )
    right_again(doubted)
    assert "clock_in_doubt" not in doubted.ask("list")


@pytest.mark.parametrize(
    "words",
    [
        {"since": "yesterday 00:00"},
        {"until": "now"},
        {"until": "+2h"},
        {"since": "-2d"},
        {"review": "+30d"},
        {"received": "Today 09:00", "kind": "sar", "reference": "S 1"},
    ],
)
def test_yesterday_by_a_wrong_clock_is_refused_with_what_to_type_instead(
    doubted, words
):
    with pytest.raises(
        UsageError, match=f"in doubt \\({WHY}\\).*write the date itself"
    ):
        doubted.place(**words)
    assert doubted.numbers() == []


def test_the_time_of_day_that_was_typed_is_in_what_to_type(doubted):
    with pytest.raises(UsageError, match='such as "2026-10-24 21:30"'):
        doubted.place(since="yesterday 21:30")


def test_by_dates_a_hold_is_placed_and_says_that_the_clock_is_in_doubt(doubted):
    doubted.site.record("a", EVENING)
    answer = doubted.place()
    assert answer["total"]["recordings"] == 1
    assert answer["clock_in_doubt"] == WHY


def test_by_a_right_clock_nothing_is_said_of_it(room):
    assert room.place(until="now")["clock_in_doubt"] is None


def test_extending_to_now_is_refused_too_and_by_dates_is_not(doubted):
    doubted.place()
    with pytest.raises(UsageError, match="counts from it"):
        doubted.ask("extend", hold=1, until="now", reason="longer")
    end = format_utc(EVENING + 2 * HOUR)
    answer = doubted.ask("extend", hold=1, until=end, reason="longer")
    assert answer["clock_in_doubt"] == WHY


def test_dates_that_only_the_wrong_clock_calls_past_or_to_come_are_taken(doubted):
    doubted.now = NOW - 40 * DAY  # behind
    received = format_utc(NOW)
    answer = doubted.place(kind="sar", received=received, reference="S 1")
    assert answer["hold"] == 1
    doubted.now = AHEAD
    soon = format_utc(NOW + 30 * DAY)
    assert doubted.place(review=soon)["review"] == soon


def test_a_request_left_in_words_of_a_wrong_clock_is_not_carried_out(doubted):
    """It was left while the service was down, its times read by that clock."""
    with pytest.raises(UsageError, match='"yesterday 00:00" counts from it'):
        doubted.place(typed="yesterday 00:00 to 2026-10-24 21:00")
    assert doubted.numbers() == []


def test_a_review_by_the_wrong_clock_is_brought_near_once_the_clock_is_right(doubted):
    doubted.place()
    cap_reviews(doubted.site.catalogue, author(doubted))
    assert doubted.show()["review"] == format_utc(AHEAD + 90 * DAY)
    right_again(doubted)
    cap_reviews(doubted.site.catalogue, author(doubted))
    near = NOW + HOUR + 90 * DAY
    assert doubted.show()["review"] == format_utc(near)
    (entry,) = doubted.entries("hold.redated")
    assert entry["fields"]["old_review"] == AHEAD + 90 * DAY
    assert entry["fields"]["review"] == near
    cap_reviews(doubted.site.catalogue, author(doubted))
    assert len(doubted.entries("hold.redated")) == 1


def test_a_review_that_was_typed_as_a_date_stays_where_it_is(doubted):
    trial = format_utc(NOW + 200 * DAY)
    doubted.place(review=trial)
    right_again(doubted)
    cap_reviews(doubted.site.catalogue, author(doubted))
    assert doubted.show()["review"] == trial
    assert doubted.entries("hold.redated") == []


def test_a_review_date_given_by_the_right_clock_is_not_touched(doubted):
    doubted.place()
    right_again(doubted)
    later = format_utc(NOW + 300 * DAY)
    doubted.ask("review", hold=1, reason="trial", review=later)
    cap_reviews(doubted.site.catalogue, author(doubted))
    assert doubted.show()["review"] == later
