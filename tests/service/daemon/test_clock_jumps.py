"""A wrong clock deletes nothing: the whole daemon's parts, with a clock that jumps."""

import os
from dataclasses import replace

import pytest

from retention.control.acknowledge import guard_acknowledge
from retention.model.values import HOUR
from retention.service.root_work import RootWork
from retention.service.timekeeper import Judged
from tests.support.installation import DAY, MINUTE, SECOND, Installation, never


@pytest.fixture
def site(tmp_path, fake_clock):
    """Adopted, with recordings due in an hour, in a day and just ended."""
    made = Installation(tmp_path)
    made.init()
    for age in (23 * HOUR, HOUR, MINUTE):
        made.record(fake_clock().wall, age)
    made.service_ = made.service()
    run(made)
    return made


def run(site):
    """One round: tick, scan, cycle."""
    (work,) = site.service_._works
    site.service_.tick(never)
    work.scan(never)
    work.cycle(never)
    return work.blocked


def test_without_a_jump_what_is_due_goes(site, fake_clock):
    fake_clock.elapsed += HOUR + MINUTE
    assert run(site) is None
    assert len(site.files()) == 2


@pytest.mark.parametrize("jump", [HOUR + MINUTE, 20 * HOUR, 35 * DAY, 3650 * DAY])
def test_ahead_nothing_goes_and_back_again_neither(site, fake_clock, jump):
    before = site.files()
    for fake_clock.jump in (jump, jump, 0, 0):
        fake_clock.elapsed += SECOND
        assert run(site).startswith("guard clock: the clock jumped ahead")
    assert site.files() == before


def test_ahead_over_a_restart_of_the_service_nothing_goes(site, fake_clock):
    before = site.files()
    site.service_.stop()
    fake_clock.elapsed += 10 * SECOND
    fake_clock.jump = 2 * HOUR
    site.service_ = site.service()
    assert run(site).startswith("guard clock")
    assert site.files() == before


def test_ahead_over_a_crash_of_the_service_nothing_goes(site, fake_clock):
    """Nothing was written at the end: what init wrote is enough."""
    before = site.files()
    for work in site.service_._works:
        work.close()
    fake_clock.jump = 2 * HOUR
    site.service_ = site.service()
    assert run(site).startswith("guard clock")
    assert site.files() == before


def test_ahead_over_a_start_of_the_machine_nothing_goes(site, fake_clock):
    before = site.files()
    site.service_.stop()
    fake_clock.jump, fake_clock.boot = 35 * DAY, "another"
    site.service_ = site.service()
    assert run(site).startswith("guard clock")
    assert site.files() == before


def test_what_the_clock_said_at_the_end_is_the_measure_of_the_next_start(
    site, fake_clock
):
    """Three days of work, then half a day without power: nothing is wrong."""
    fake_clock.elapsed += 3 * DAY
    site.service_.stop()
    fake_clock.boot = "another"
    fake_clock.elapsed += DAY // 2
    site.service_ = site.service()
    assert run(site) is None


def test_back_and_ahead_again_is_no_way_round(site, fake_clock):
    before = site.files()
    for jump in (-2 * HOUR, 2 * HOUR):
        fake_clock.jump = jump
        fake_clock.elapsed += SECOND
        assert run(site).startswith("guard clock")
    assert site.files() == before


def test_in_the_past_nothing_new_is_dated(site, fake_clock):
    """A file first seen in 2021 would count its period from 2021, and go at once when
    the clock is right again."""
    fake_clock.jump = -2000 * DAY
    run(site)
    new = site.record(fake_clock().wall + 2000 * DAY, 10 * SECOND)
    for _ in range(5):
        fake_clock.elapsed += 5 * SECOND
        os.utime(new.parent)
        run(site)
    assert known(site) == 3
    fake_clock.jump = 0
    for _ in range(2):
        fake_clock.elapsed += 5 * SECOND
        run(site)
    assert known(site) == 4


def known(site):
    with site.service_._core.catalogue.read() as tx:
        return tx.exec_driver_sql("SELECT count(*) FROM recording").scalar_one()


def test_an_hour_ahead_goes_on_by_itself_when_it_stays_synchronised(site, fake_clock):
    """A paused machine: boot time stood still, NTP then put the wall clock right."""
    fake_clock.jump, fake_clock.synchronised = HOUR + MINUTE, True
    for _ in range(10):
        assert run(site) is not None
        fake_clock.elapsed += MINUTE
    assert run(site) is None
    assert len(site.files()) == 2
    assert [e["kind"] for e in site.entries("guard.cleared")] == ["guard.cleared"]


def test_after_a_long_jump_an_administrators_word_is_enough(site, fake_clock):
    fake_clock.jump = 2 * DAY
    run(site)
    context = acknowledging(site, fake_clock)
    guard_acknowledge(context, guard="clock", reason="the machine was off")
    fake_clock.elapsed += SECOND
    assert run(site) is None
    assert site.files() == []
    assert site.verify().ok


def acknowledging(site, fake_clock):
    core = site.service_._core
    return core.context(fake_clock().wall, replace(core.actor, role="administrator"))


def test_entries_of_a_wrong_clock_carry_what_it_says(site, fake_clock):
    fake_clock.jump = 35 * DAY
    run(site)
    (entry,) = site.entries("guard.tripped")
    assert entry["at"] == fake_clock().wall


@pytest.fixture
def in_doubt(site, fake_clock):
    """The root's work by a clock in doubt, of which no row of the catalogue tells."""

    def judge():
        why = "the clock jumped ahead by 1 h 1 min"
        return Judged(fake_clock().wall, False, why, past=False, changed=False)

    core = replace(site.service_._core, judge=judge)
    for one in site.service_._works:
        one.close()
    work = RootWork(core, site.settings.root[0], lambda *_: None)
    work.open(never)
    fake_clock.elapsed += HOUR + MINUTE
    yield work
    work.close()


def test_nothing_goes_by_a_clock_in_doubt_though_its_guard_is_gone(site, in_doubt):
    before = site.files()
    for act in (in_doubt.scan, in_doubt.recover, in_doubt.cycle):
        act(never)
    assert site.files() == before
    assert in_doubt.blocked == "guard clock: the clock jumped ahead by 1 h 1 min"


def test_nothing_is_lost_by_a_clock_in_doubt_though_its_guard_is_gone(site, in_doubt):
    """It would be dated so, and compared by that with what is seen later."""
    (site.directory / "nvr1/1001" / site.files()[-1]).unlink()
    for act in (in_doubt.reconcile, in_doubt.compare_held):
        act(never)
    assert site.entries("recordings.lost") == []
