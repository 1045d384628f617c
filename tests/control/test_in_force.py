"""What is written into the catalogue's rows behind the program's back frees nothing."""

import sqlite3
from itertools import islice

import pytest

from retention.catalogue import db, doubtful_times, log, raised, streams
from retention.catalogue.db import Priority
from retention.catalogue.doubtful_times import ZONE, WrongTimes
from retention.control import guards, in_force
from retention.control.approvals import deletion_pause
from retention.footage.ingest.rulings import recording_resolve
from retention.holds.release import hold_approve
from retention.model.errors import MismatchError, TooLongError
from retention.model.values import DAY, HOUR, MINUTE, Actor
from retention.register.assigning import camera_assign
from retention.tlog.in_force import InForce
from tests.support.alarmed import watch
from tests.support.plant import PERIOD, T0, Plant
from tests.support.world import ACTOR

OTHER = Actor(uid=4243, login=8, pid=3, role="supervisor")
HELD = T0 - DAY
"""When the footage under the hold begins."""


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    made.held = made.film(HELD)
    made.film(HELD, folder="1002")
    made.round(T0)
    with made.catalogue.write(Priority.HOLD, made.log.by(ACTOR, T0)) as tx:
        tx.exec_driver_sql("UPDATE policy SET days = 28")
        tx.append("policy.changed", version=1, days=28, cameras={})
    made.hold = made.place("1001", HELD, HELD + HOUR)["hold"]
    yield made
    made.close()


def alter(plant, *statements):
    """As somebody does who can write into the state directory."""
    with sqlite3.connect(plant.catalogue.path) as other:
        for statement in statements:
            assert other.execute(statement).rowcount != 0, statement
    other.close()


def all_rounds(plant):
    """Whatever is due goes: a period later, and a week on."""
    for now in (HELD + PERIOD + 2 * HOUR, HELD + PERIOD + 7 * DAY):
        try:
            plant.round(now)
        except MismatchError as error:
            yield str(error)


def standing(plant):
    watch(plant.context())
    with plant.catalogue.read() as tx:
        return {one.name: one.detail for one in raised.everyone(tx)}


LESS = {
    "delete from hold": "hold 1 is gone",
    "delete from hold_camera": "hold 1 covers cameras less",
    "update hold_camera set camera = 2": "hold 1 covers cameras less",
    f"update hold set since = {HELD - 1}, until = {HELD}": "hold 1 covers ",
    f"update hold set since = {HELD + HOUR}, until = {HELD + DAY}": "hold 1 covers ",
    f"update hold set until = {HELD + 1}": "hold 1 covers ",  # as if bits had flipped
    "update hold set released = 1, free_at = 2": "hold 1 ends before its release",
    "update hold set released = 1, free_at = 2, cooled = 3": "hold 1 ends before its rel",
    "update stream set camera = 2 where name = '1001'": "is nvr1/1001 of camera 2 (key)",
    "update policy set days = 1": "is kept 1 days, the log says 28",
    """update policy set cameras = '{"1": 1}'""": "is kept 1 days, the log says 28",
}


@pytest.mark.parametrize("statement", LESS)
def test_rows_that_protect_less_than_the_log_free_nothing(plant, statement):
    """The transaction of a batch's intent notices, however long nobody else does."""
    alter(plant, statement)
    refused = list(all_rounds(plant))
    assert plant.held.exists()
    assert all(LESS[statement] in one for one in refused)


@pytest.mark.parametrize(
    "statement",
    [*LESS, "insert into plan values (9, 1, 0, 0, 0, 0, 'x', 'approved')"],
)
def test_within_the_hour_they_are_a_guard_that_stops_all_deletion(plant, statement):
    alter(plant, statement)
    plant.now += HOUR
    assert (
        LESS.get(statement, "plan 9 is approved by its row")
        in standing(plant)["mismatch"]
    )
    assert list(all_rounds(plant)) == []
    assert len(plant.there()) == 2


def test_it_ends_when_the_rows_are_again_as_the_log_says(plant):
    alter(plant, "update hold set released = 1, free_at = 2")
    assert "mismatch" in standing(plant)
    alter(plant, "update hold set released = null, free_at = null")
    assert "mismatch" not in standing(plant)
    list(all_rounds(plant))
    assert plant.there() == [
        "nvr1/" + str(plant.held.relative_to(plant.directory / "nvr1"))
    ]


MORE = {
    "update hold set until = until + 1": "hold 1 covers more",
    "insert into hold_camera values (2, 1)": "hold 1 covers more",
}


@pytest.mark.parametrize("statement", MORE)
def test_rows_that_protect_more_are_an_alarm_and_protect(plant, statement):
    alter(plant, statement)
    told = standing(plant)
    assert MORE[statement] in told["unlogged"]
    assert "mismatch" not in told


def test_a_request_that_nobody_made_can_not_be_approved(plant):
    alter(plant, f"insert into release_request values (1, {T0}, 4242, 7, 'x', '', 3)")
    assert "a release of hold 1 waits" in standing(plant)["mismatch"]
    plant.now += DAY
    with pytest.raises(MismatchError, match="nobody asked for by the log"):
        hold_approve(plant.asked(plant.settings(), by=OTHER), hold=1)


def test_a_ruling_on_one_file_leaves_its_stream_in_doubt(plant):
    odd = plant.film(HELD + 4 * HOUR, shown=HELD + 8 * HOUR, folder="1002")
    plant.film(HELD + 5 * HOUR, folder="1002")
    plant.round(T0)
    with plant.catalogue.write(Priority.SCAN, plant.log.by(ACTOR, T0)) as tx:
        for stream in streams.everyone(tx):
            doubtful_times.doubt(tx, stream.key, [WrongTimes(ZONE, HOUR)], T0)
    where = f"nvr1/{odd.relative_to(plant.directory / 'nvr1')}"
    recording_resolve(plant.context(), ruling="times_right", reason="so", path=where)
    alter(plant, "update stream set quarantined = null where name = '1002'")
    assert "are in doubt by the log alone" in standing(plant)["mismatch"]


def test_a_ruling_on_a_stream_ends_the_doubt_about_that_one_alone(plant):
    with plant.catalogue.write(Priority.SCAN, plant.log.by(ACTOR, T0)) as tx:
        for stream in streams.everyone(tx):
            doubtful_times.doubt(tx, stream.key, [WrongTimes(ZONE, HOUR)], T0)
    recording_resolve(plant.context(), ruling="times_right", reason="so", camera="1002")
    assert "mismatch" not in standing(plant)
    alter(plant, "update stream set quarantined = null where name = '1001'")
    assert "are in doubt by the log alone" in standing(plant)["mismatch"]


def test_a_doubt_goes_along_to_another_camera(plant):
    odd = plant.film(HELD + 4 * HOUR, shown=HELD + 8 * HOUR, folder="1002")
    plant.round(T0)
    camera_assign(plant.context(), name="nvr1/1002", camera="1001", reason="its folder")
    assert "mismatch" not in standing(plant)
    alter(plant, "update quarantine set seen = 1")
    assert "is in quarantine since" in standing(plant)["mismatch"]
    assert odd.exists()


def test_a_pause_that_the_row_forgot_holds_by_the_log(plant):
    plant.now = HELD + PERIOD
    deletion_pause(plant.context(), length="24h", reason="disks are repaired")
    with plant.catalogue.write(Priority.HOLD) as tx:
        db.put_fact(tx, db.PAUSE_FACT, None)
    with pytest.raises(MismatchError, match="deletion is paused until"):
        plant.round(HELD + PERIOD + 2 * HOUR)
    assert "deletion is paused until" in standing(plant)["mismatch"]
    assert len(plant.there()) == 2


def test_what_people_did_is_as_the_log_says(plant):
    assert not {guards.MISMATCH, guards.UNLOGGED} & standing(plant).keys()
    plant.release(plant.hold, T0, T0 + 7 * DAY)
    assert not {guards.MISMATCH, guards.UNLOGGED} & standing(plant).keys()


def test_a_reader_whose_view_is_older_than_the_memory_says_nothing(plant):
    with plant.catalogue.read() as tx:
        tx.exec_driver_sql("SELECT count(*) FROM entry")
        plant.place("1002", HELD, HELD + MINUTE)
        with plant.catalogue.read() as newer:
            in_force.compare(plant.catalogue, newer, plant.now)
        assert in_force.compare(plant.catalogue, tx, plant.now) == ([], [])


def known(plant, catalogue):
    """All that is known of the log by a process that has just begun."""
    with plant.catalogue.read() as tx:
        in_force.compare(catalogue, tx, T0)
    said = vars(catalogue.said)
    return {name: value for name, value in said.items() if name != "_acts"}


def begun_anew(plant):
    plant.catalogue.said = InForce()
    return plant.catalogue


def test_a_log_that_is_read_entry_by_entry_says_what_it_says_at_once(
    plant, monkeypatch
):
    whole = known(plant, begun_anew(plant))
    monkeypatch.setattr(in_force, "PAGE", 1)
    alive: list[None] = []
    in_force.learn(begun_anew(plant), lambda: alive.append(None))
    with plant.catalogue.read() as tx:
        assert plant.catalogue.said.size == log.size(tx) == len(alive) > 3
    assert known(plant, plant.catalogue) == whole


def test_a_reading_of_the_log_that_is_ended_leaves_nothing_half_known(
    plant, monkeypatch
):
    whole = known(plant, begun_anew(plant))
    take = InForce.take

    def ended(said, records, size):
        take(said, islice(records, 2), size)
        raise TooLongError("ended")

    with monkeypatch.context() as patch:
        patch.setattr(InForce, "take", ended)
        with pytest.raises(TooLongError):
            in_force.learn(begun_anew(plant))
    assert known(plant, plant.catalogue) == whole


@pytest.mark.parametrize("many", [1, 2, 3, 100])
def test_holds_compared_some_at_a_time_differ_as_all_at_once(plant, monkeypatch, many):
    for at in range(1, 6):
        plant.place("1002", HELD + at * HOUR, HELD + (at + 1) * HOUR)
    alter(
        plant,
        "delete from hold_camera where hold = 2",
        "delete from hold where key in (2, 6)",
        "update hold set until = until - 1 where key = 4",
        "update hold set until = until + 1 where key = 5",
        "update policy set days = 1",
    )
    monkeypatch.setattr(in_force, "HOLDS", many)
    with plant.catalogue.read() as tx:
        at_once = in_force.compare(plant.catalogue, tx, T0)
    parts = in_force.compared(plant.catalogue, T0)
    assert len(at_once.less) == 5
    assert len(at_once.more) == 1
    assert sorted(parts.less) == sorted(at_once.less)
    assert sorted(parts.more) == sorted(at_once.more)
