"""What nobody is told of, and yet needs a person: alarms that follow from the catalogue."""

import pytest

from retention.catalogue import cameras, raised, roots
from retention.catalogue.db import PAUSE_FACT, Cycle, Priority, put_fact
from retention.control.approvals import deletion_approve
from retention.control.verbs import VERBS
from retention.deletion.cycle import IN_VAIN
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Camera, Custody
from tests.support.alarmed import watch
from tests.support.plant import T0, Plant
from tests.support.premises import SUPERVISOR
from tests.support.world import never


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    yield made
    made.close()


def alarms(plant, name=None):
    """What stands after the rounds, by name and scope."""
    watch(plant.asked(plant.settings()))
    with plant.catalogue.read() as tx:
        found = {(one.name, one.scope): one for one in raised.everyone(tx)}
    return {key: one for key, one in found.items() if name in (None, key[0])}


def films(plant, first, hours, folder="1001"):
    return [plant.film(first + n * HOUR, folder=folder) for n in range(hours)]


def test_due_footage_that_is_not_deleted_is_told_with_the_reason(plant):
    old = plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    with plant.catalogue.write(Priority.HOLD) as tx:
        put_fact(tx, PAUSE_FACT, {"until": T0 + 3 * HOUR, "since": T0})
    plant.round(T0 + 2 * HOUR + 3 * MINUTE)
    assert old.exists()
    (alarm,) = alarms(plant, "overdue").values()
    assert alarm.scope == "nvr1"
    assert alarm.detail.startswith("1 recording, 10 B: deletion is paused until")
    plant.round(T0 + 3 * HOUR + MINUTE)
    assert not old.exists()
    assert alarms(plant, "overdue") == {}
    (ended,) = plant.entries("alarm.ended")
    assert ended["alarm"] == "overdue"


def test_what_can_not_be_deleted_is_overdue_with_the_error(plant):
    old = plant.film(T0 - 28 * DAY)
    plant.round(T0)
    old.chmod(0o644)
    old.with_name("link").hardlink_to(old)
    plant.round(T0 + 2 * HOUR)
    assert old.exists()
    (alarm,) = alarms(plant, "overdue").values()
    assert "1 recording could not be deleted (" in alarm.detail
    assert "tried again at" in alarm.detail


def test_what_waits_for_its_plan_is_overdue_until_the_cycle_after_the_approval(plant):
    old = plant.film(T0 - 40 * DAY)
    plant.round(T0)
    plant.round(T0 + HOUR)
    (alarm,) = alarms(plant, "overdue").values()
    assert "plan 1 waits: `retention deletion approve 1`" in alarm.detail
    deletion_approve(plant.asked(plant.settings(), SUPERVISOR), plan=1)
    (alarm,) = alarms(plant, "overdue").values()
    assert alarm.detail.endswith(": plan 1 was approved, and goes with the next cycle")
    plant.round(T0 + HOUR + MINUTE)
    assert not old.exists()
    assert alarms(plant, "overdue") == {}


def test_once_a_cycle_has_been_nobody_is_told_that_the_plan_goes_with_the_next(plant):
    old, linked = (plant.film(T0 - (40 + day) * DAY) for day in range(2))
    plant.round(T0)
    linked.with_name("link").hardlink_to(linked)
    plant.round(T0 + HOUR)
    deletion_approve(plant.asked(plant.settings(), SUPERVISOR), plan=1)
    plant.round(T0 + HOUR + MINUTE)
    assert (old.exists(), linked.exists()) == (False, True)
    plant.now += SECOND
    (alarm,) = alarms(plant, "overdue").values()
    assert alarm.detail.startswith(
        "1 recording, 10 B: 1 recording could not be deleted"
    )
    assert "the next cycle" not in alarm.detail


def test_what_a_ruling_makes_due_goes_with_the_next_cycle_and_is_told_so(plant):
    """Their names are far before the day on which they were last written."""
    old = [plant.film(T0 - 25 * DAY, shown=T0 - (30 + day) * DAY) for day in range(3)]
    plant.round(T0)
    plant.round(T0 + 4 * DAY)
    assert alarms(plant, "overdue") == {}
    VERBS["recording.resolve"].resolve()(
        plant.asked(plant.settings(), SUPERVISOR),
        camera="1001", ruling="times_right", reason="they were copied",
    )  # fmt: skip
    plant.now += SECOND
    for _ in range(2):
        (alarm,) = alarms(plant, "overdue").values()
        assert alarm.detail.startswith("3 recordings, ")
        assert alarm.detail.endswith(": goes with the next cycle")
    plant.round(plant.now + MINUTE)
    assert not any(file.exists() for file in old)
    assert alarms(plant, "overdue") == {}


def test_what_a_pause_was_in_the_way_of_goes_with_the_next_cycle(plant):
    """The alarm stood all the time, with another reason."""
    plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    with plant.catalogue.write(Priority.HOLD) as tx:
        put_fact(tx, PAUSE_FACT, {"until": T0 + 3 * HOUR, "since": T0})
    plant.round(T0 + 3 * HOUR - SECOND)
    (alarm,) = alarms(plant, "overdue").values()
    assert "paused" in alarm.detail
    plant.now += 2 * SECOND
    (alarm,) = alarms(plant, "overdue").values()
    assert alarm.detail.endswith(": goes with the next cycle")


def test_what_is_there_though_a_cycle_has_been_has_no_reason_that_is_known(plant):
    """What a program says that does not see a file as due which is: a cycle that finds
    nothing to do stands for that."""
    plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    plant.now = T0 + 5 * HOUR
    plant.catalogue.cycles[1] = Cycle(plant.now - MINUTE, over=True)
    (alarm,) = alarms(plant, "overdue").values()
    assert alarm.detail.endswith(": goes with the next cycle")
    plant.catalogue.cycles[1] = Cycle(plant.now + SECOND, over=False)
    (alarm,) = alarms(plant, "overdue").values()
    assert ": goes with the cycle that began at " in alarm.detail
    plant.catalogue.cycles[1] = Cycle(plant.now + SECOND, over=True)
    (alarm,) = alarms(plant, "overdue").values()
    assert alarm.detail.endswith(": no reason is known")
    plant.catalogue.cycles[1] = Cycle(plant.now + SECOND, over=True, why=IN_VAIN)
    (alarm,) = alarms(plant, "overdue").values()
    assert f" ended: {IN_VAIN}" in alarm.detail


def test_where_no_cycle_begins_nobody_is_told_of_the_next(plant):
    plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    plant.now = T0 + 5 * HOUR
    (alarm,) = alarms(plant, "overdue").values()
    assert "no other cycle has begun since 2026-07-20T10:00:00Z" in alarm.detail


def test_what_became_due_while_the_service_was_down_is_told_so(plant):
    plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    plant.now = T0 + 3 * HOUR
    with plant.catalogue.write(
        Priority.HOLD, plant.log.by(plant.actor, plant.now)
    ) as tx:
        started = {"pid": 1, "version": "0", "settings_digest": "0" * 64}
        tx.append("service.started", started)
    (alarm,) = alarms(plant, "overdue").values()
    assert "the service was not running until" in alarm.detail


def test_what_is_due_since_the_last_cycle_is_not_overdue(plant):
    plant.round(T0)
    plant.film(T0 - 28 * DAY - HOUR + 30 * SECOND)
    plant.scanners["nvr1"].scan(T0, never)
    plant.now = T0 + MINUTE
    assert alarms(plant, "overdue") == {}


def test_a_camera_that_recorded_without_a_gap_and_stops_is_told(plant):
    films(plant, T0 - 24 * HOUR, 24)
    films(plant, T0 - 24 * HOUR, 24, folder="1002")
    plant.round(T0)
    assert alarms(plant, "silent") == {}
    films(plant, T0, 3, folder="1002")
    plant.round(T0 + 3 * HOUR)
    (alarm,) = alarms(plant, "silent").values()
    assert alarm.detail == (
        "1 of 2 streams record no more: 1001 since 2026-07-20T10:00:00Z"
    )
    films(plant, T0 + 3 * HOUR, 1)
    plant.round(T0 + 4 * HOUR + MINUTE)
    assert alarms(plant, "silent") == {}


def test_a_recorder_that_delivers_with_its_clock_behind_is_not_called_silent(plant):
    """What its names say is old; that they come is not."""
    films(plant, T0 - 24 * HOUR, 24)
    plant.round(T0)
    for at in (T0 + n * HOUR for n in range(5)):
        file = plant.film(at, shown=at - 29 * DAY)
        plant.touch(file, at + HOUR - 29 * DAY)
        plant.round(at + HOUR + MINUTE)
        assert alarms(plant, "silent") == {}
    plant.round(T0 + 8 * HOUR)
    (alarm,) = alarms(plant, "silent").values()
    assert alarm.detail == (
        "1 of 1 streams record no more: 1001 since 2026-07-20T15:01:00Z"
    )


def test_a_silent_camera_stays_told_when_its_last_recording_is_deleted(plant):
    films(plant, T0 - 24 * HOUR, 24)
    plant.round(T0)
    plant.round(T0 + 3 * HOUR)
    assert len(alarms(plant, "silent")) == 1
    plant.round(T0 + 29 * DAY)
    assert plant.rows() == []
    assert len(alarms(plant, "silent")) == 1
    films(plant, T0 + 29 * DAY - HOUR, 1)
    plant.round(T0 + 29 * DAY + MINUTE)
    assert alarms(plant, "silent") == {}


def test_a_camera_that_records_on_movement_is_not_told(plant):
    for n in range(24):
        plant.film(T0 - 2 * DAY + n * 2 * HOUR, MINUTE)
    plant.round(T0)
    plant.round(T0 + DAY)
    assert alarms(plant, "silent") == {}


def test_a_camera_of_the_register_that_was_never_seen_is_told_after_a_day(plant):
    films(plant, T0 - HOUR, 1)
    with plant.catalogue.write(Priority.SCAN) as tx:
        cameras.insert(tx, Camera(0, "8001", "Ring", custody=Custody.POLICE), T0)
    plant.round(T0 + MINUTE)
    assert alarms(plant, "unseen") == {}
    plant.now = T0 + DAY + MINUTE
    (alarm,) = alarms(plant, "unseen").values()
    assert alarm.detail == "no recording of 1002 was ever seen"


def test_twenty_thousand_old_files_of_nobody_are_one_line(plant):
    plant.round(T0)
    for n in range(30):
        plant.write(f"snapshots/{n}/a.jpg", T0 - 40 * DAY)
        plant.write(f"snapshots/{n}/b.jpg", T0 - 40 * DAY)
    plant.round(T0)
    (alarm,) = alarms(plant, "unknown").values()
    assert alarm.detail.startswith("60 files, 600 B, in 30 directories: not named")
    with plant.catalogue.read() as tx:
        assert [root.name for root in roots.everyone(tx)] == ["nvr1"]


def test_a_second_round_writes_nothing(plant):
    plant.round(T0)
    plant.film(T0 - 29 * DAY)
    plant.round(T0)
    alarms(plant)
    before = plant.size
    alarms(plant)
    assert plant.size == before
