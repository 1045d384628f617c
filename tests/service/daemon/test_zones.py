"""The system's time-zone data change: what was named by the former is not lost."""

import shutil
import zoneinfo
from contextlib import contextmanager
from pathlib import Path

import pytest

from retention.catalogue.raised import everyone
from retention.control.acknowledge import alarm_acknowledge
from retention.model.values import DAY, HOUR, Actor
from retention.site import clock
from tests.support.installation import Installation, never

ADA = Actor(uid=1003, login=1003, pid=1, role="administrator", name="ada")


class Local(Installation):
    ROOT = {"timezone": "Europe/London"}  # noqa: RUF012


@pytest.fixture
def other_data(tmp_path):
    """From here on London's time is that of Kolkata, until the test is over."""

    def change(to: str = "Asia/Kolkata") -> None:
        place = tmp_path / "zones" / "Europe"
        place.mkdir(parents=True, exist_ok=True)
        source = next(Path(one, to) for one in before if Path(one, to).exists())
        shutil.copy(source, place / "London")
        zoneinfo.reset_tzpath([str(tmp_path / "zones")])
        zoneinfo.ZoneInfo.clear_cache()

    before = zoneinfo.TZPATH
    yield change
    zoneinfo.reset_tzpath(before)
    zoneinfo.ZoneInfo.clear_cache()


@pytest.fixture
def site(tmp_path):
    """Two starts saw three recordings."""
    made = Local(tmp_path)
    made.init()
    for age in (HOUR, 2 * HOUR, DAY - HOUR):
        made.record(clock.read().wall, age)
    for _ in range(2):
        with started(made):
            pass
    return made


@contextmanager
def started(site):
    """The daemon's parts as a start makes them, after one round."""
    service = site.service()
    service._watch_zones(service.judge())
    (work,) = service._works
    work.scan(never)
    work.recover(never)
    work.cycle(never)
    yield service
    work.close()
    service._core.catalogue.close()


def alarms(service):
    with service._core.catalogue.read() as tx:
        return [one for one in everyone(tx) if one.name == "zone"]


def test_time_zone_data_that_change_stop_a_root_and_lose_nothing(site, other_data):
    size, files = len(site.entries()), site.files()
    other_data()
    with started(site) as service:
        (alarm,) = alarms(service)
    assert alarm.scope == "nvr1"
    assert "data for Europe/London say other times than when" in alarm.detail
    kinds = [entry["kind"] for entry in site.entries()[size:]]
    assert kinds == ["guard.tripped"]
    assert site.files() == files


def test_the_former_data_put_back_end_it(site, other_data):
    other_data()
    with started(site):
        pass
    other_data("Europe/London")
    with started(site) as service:
        assert alarms(service) == []
        assert service._works[0].blocked is None
    assert site.entries("recordings.lost") == []


def test_an_administrator_says_that_the_new_data_are_right(site, other_data):
    other_data()
    with started(site) as service:
        (alarm,) = alarms(service)
        context = service._core.context(service.judge().now, ADA)
        alarm_acknowledge(context, alarm=alarm.number, reason="a correction")
    with started(site) as service:
        assert alarms(service) == []


def test_data_that_say_the_same_stop_nothing(site, other_data):
    other_data("Europe/Belfast")  # London's, under another name
    with started(site) as service:
        assert alarms(service) == []
