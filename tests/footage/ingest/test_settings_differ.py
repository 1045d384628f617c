"""What was catalogued under other settings is told, until people have seen to it."""

import pytest

from retention.catalogue import raised
from retention.control.acknowledge import alarm_acknowledge
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR
from tests.footage.ingest.test_rulings import NAME, T0
from tests.support.alarmed import watch
from tests.support.control_room import BEN
from tests.support.json_schema import verb

WRONG, RIGHT = {"market-place": "1002"}, {"market-place": "1001"}
OTHER = "{camera}/%Y%m%d_%H%M%S.mp4"


@pytest.fixture
def recorded(world):
    """An hour of market-place, which the settings give to camera 1002."""
    world.write(f"market-place/{NAME}", T0 + HOUR)
    world.scanner(cameras=WRONG).scan(world.NOW, lambda: False)
    return world


def told(world, **settings):
    """What stands after a round of the service with these settings."""
    watch(world.asked(world.settings(**settings)))
    with world.catalogue.read() as tx:
        return [one for one in raised.everyone(tx) if one.name == "settings"]


def test_settings_that_are_as_they_were_are_no_alarm(recorded):
    assert told(recorded, cameras=WRONG) == []


def test_a_name_given_to_another_camera_is_told_until_its_footage_is_too(recorded):
    (alarm,) = told(recorded, cameras=RIGHT)
    assert (alarm.scope, alarm.cameras) == ("nvr1/market-place", (1, 2))
    assert "name camera 1001 for it, and recordings of it are those of camera 1002" in (
        alarm.detail
    )
    verb("camera.assign")(
        recorded.asked(recorded.settings(), BEN),
        name="nvr1/market-place", camera="1001", reason="a slip",
    )  # fmt: skip
    assert told(recorded, cameras=RIGHT) == []


@pytest.mark.parametrize("camera", ["1001", "1002"])
def test_an_officer_who_asks_for_either_camera_is_told(recorded, camera):
    """What was filmed by the one lies under the other: "nothing of it" is not all."""
    told(recorded, cameras=RIGHT)
    placed = verb("hold.place")(
        recorded.context(), cameras=[camera], since=format_utc(T0),
        until=format_utc(T0 + HOUR), kind="court", reference="r", reason="r",
    )  # fmt: skip
    assert [alarm["alarm"] for alarm in placed["alarms"]] == ["settings"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"layout": OTHER}, f"files are named {OTHER}"),
        ({"timezone": "Europe/London"}, "time zone Europe/London"),
    ],
)
def test_a_changed_layout_or_zone_is_told(recorded, change, text):
    (alarm,) = told(recorded, cameras=WRONG, **change)
    assert text in alarm.detail


def test_what_is_meant_is_acknowledged_and_not_told_again_until_it_is_another(recorded):
    (alarm,) = told(recorded, cameras=RIGHT)
    context = recorded.asked(recorded.settings(), BEN)
    alarm_acknowledge(context, alarm=alarm.number, reason="swapped on purpose")
    assert told(recorded, cameras=RIGHT) == []
    (other,) = told(recorded, cameras=RIGHT, timezone="Europe/London")
    assert other.number != alarm.number
    assert told(recorded, cameras=WRONG) == []
    assert told(recorded, cameras=RIGHT) != []


def test_what_has_no_recordings_any_more_is_told_no_more(recorded):
    assert told(recorded, cameras=RIGHT) != []
    (recorded.directory / "nvr1" / "market-place" / NAME).unlink()
    recorded.now += DAY
    recorded.scanner(cameras=RIGHT).reconcile(recorded.now, lambda: False)
    assert told(recorded, cameras=RIGHT) == []
