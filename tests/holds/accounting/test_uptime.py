"""What the log tells of the service and of roots that were away."""

from retention.catalogue import uptime
from retention.model.values import DAY, HOUR, MINUTE, Window
from tests.support.site_ import NOW
from tests.support.watched_site import Watched

DAY_AGO = NOW - DAY


def away(desk, window):
    with desk.site.catalogue.read() as tx:
        return uptime.away(tx, window)


def signs(desk, window):
    with desk.site.catalogue.read() as tx:
        return uptime.signs(tx, window)


def new(tmp_path):
    return Watched(tmp_path / "site", since=NOW)


def test_the_signs_of_a_window_begin_with_the_last_one_before_it(tmp_path):
    desk = new(tmp_path)
    desk.watch(DAY_AGO - 10 * DAY, DAY_AGO - 9 * DAY)
    desk.note(desk.entry("service.stopped", DAY_AGO - 9 * DAY))
    desk.watch(DAY_AGO, NOW)
    found = signs(desk, Window(DAY_AGO - DAY, DAY_AGO + HOUR))
    assert found[0] == (DAY_AGO - 9 * DAY, "service.stopped")
    assert (DAY_AGO, "service.started") in found
    assert found[-1][0] < DAY_AGO + 4 * HOUR


def test_a_window_in_which_nothing_was_written_has_the_sign_before_it(tmp_path):
    desk = new(tmp_path)
    desk.watch(DAY_AGO - 10 * DAY, DAY_AGO - 9 * DAY)
    desk.note(desk.entry("service.stopped", DAY_AGO - 9 * DAY))
    found = signs(desk, Window(DAY_AGO - 5 * DAY, DAY_AGO - 4 * DAY))
    assert found == [(DAY_AGO - 9 * DAY, "service.stopped")]


def test_a_root_is_away_from_its_guard_to_its_clearing(tmp_path):
    desk = new(tmp_path)
    desk.note(
        desk.guard(True, DAY_AGO, "nvr1"),
        desk.guard(True, DAY_AGO + HOUR, "nvr2"),
        desk.guard(False, DAY_AGO + 2 * HOUR, "nvr1"),
    )
    assert away(desk, Window(DAY_AGO - HOUR, DAY_AGO + 3 * HOUR)) == {
        "nvr1": [Window(DAY_AGO, DAY_AGO + 2 * HOUR)],
        "nvr2": [Window(DAY_AGO + HOUR, DAY_AGO + 3 * HOUR)],
    }


def test_a_root_that_went_before_a_window_is_away_in_it(tmp_path):
    desk = new(tmp_path)
    desk.note(desk.guard(True, DAY_AGO - 10 * DAY))
    desk.watch(DAY_AGO - 9 * DAY, NOW)
    found = away(desk, Window(DAY_AGO, DAY_AGO + HOUR))
    assert found["nvr1"][-1].end == DAY_AGO + HOUR
    assert found["nvr1"][0].start <= DAY_AGO


def test_guards_of_other_things_take_no_root_away(tmp_path):
    desk = new(tmp_path)
    desk.note(
        desk.entry(
            "guard.tripped", DAY_AGO, guard="volume", scope="nvr1", detail="many"
        )
    )
    assert away(desk, Window(DAY_AGO - HOUR, NOW)) == {}


def test_a_clock_that_was_a_day_ahead_hides_no_entry_of_the_next_day(tmp_path):
    """Entries dated tomorrow, written today, and tomorrow's own."""
    desk = new(tmp_path)
    tomorrow = DAY_AGO + DAY - 2 * HOUR
    desk.note(desk.entry("service.stopped", tomorrow + 30 * MINUTE))
    desk.watch(DAY_AGO - HOUR, DAY_AGO)
    desk.note(desk.guard(True, tomorrow), desk.guard(False, tomorrow + 10 * MINUTE))
    found = away(desk, Window(tomorrow, tomorrow + 31 * MINUTE))
    assert found == {"nvr1": [Window(tomorrow, tomorrow + 10 * MINUTE)]}
