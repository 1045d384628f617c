"""Every way in which the catalogue's rows can be altered behind the program's back: what
is noticed, that nothing held is deleted meanwhile, and what a repair puts back."""

import dataclasses
import sqlite3
from contextlib import suppress

import pytest

from retention.catalogue import cameras, log, raised, roots, ruling_requests
from retention.catalogue.db import Priority
from retention.control import in_force, rules
from retention.control.approvals import deletion_pause
from retention.control.repair import schema_repair
from retention.control.verbs import VERBS
from retention.footage.ingest.ruling_approvals import recording_approve
from retention.footage.ingest.rulings import recording_resolve
from retention.model.errors import (
    CatalogueError,
    MismatchError,
    RetentionError,
)
from retention.model.values import DAY, HOUR, Actor, Custody
from retention.site.settings import RetentionSettings
from tests.support.alarmed import watch
from tests.support.plant import PERIOD, T0, Plant
from tests.support.world import ACTOR, never

HELD = T0 - DAY
ANNA = Actor(uid=1001, login=1001, pid=1, role="administrator", name="anna")
CARL = Actor(uid=1003, login=1003, pid=1, role="supervisor", name="carl")
BEN = Actor(uid=1002, login=1002, pid=1, role="supervisor", name="ben")

LESS = {
    # a row deleted
    "delete from hold": "hold 1 is gone",
    "delete from hold_camera": "hold 1 covers cameras less",
    "delete from policy": "the retention periods are gone",
    "delete from fact where name = 'rules'": "the rule cooling_off is weaker",
    "delete from fact where name = 'pause'": "deletion is paused until",
    "delete from camera where key = 1": "camera 1 (key) is gone",
    "delete from stream where name = '1001'": "is gone: the log has it",
    "delete from root": "is ?/1001 of camera 1 (key), the log says nvr1/1001",
    "delete from quarantine": "is in quarantine by the log alone",
    # a row changed
    "update hold_camera set camera = 2": "hold 1 covers cameras less",
    f"update hold set since = {HELD - 1}, until = {HELD}": "hold 1 covers ",
    f"update hold set since = {HELD + HOUR}, until = {HELD + DAY}": "hold 1 covers ",
    f"update hold set until = {HELD + 1}": "hold 1 covers ",
    "update hold set released = 1, free_at = 2": "hold 1 ends before its release",
    "update hold set released = 1, free_at = 2, cooled = 3": "hold 1 ends before",
    "update hold set key = 9": "hold 1 is gone",
    "update stream set max_length = 1": "a recording of stream 1 is",
    "update stream set camera = 2 where name = '1001'": "of camera 2 (key), the log",
    "update stream set layout = 'x' where name = '1001'": "the log says",
    "update stream set name = 'x' where name = '1001'": "the log says",
    "update root set name = 'x'": "is x/1001 of camera 1 (key), the log says nvr1/1001",
    "update stream set quarantined = null": "are in doubt by the log alone",
    "update policy set days = 1": "is kept 1 days, the log says 28",
    """update policy set cameras = '{"1": 1}'""": "is kept 1 days, the log says 28",
    "update camera set custody = 'council' where key = 2": "in council custody",
    "update camera set custody = 'police' where key = 1": "in police custody",
    "update recording set state = 0 where state = 2": "is in quarantine by the log",
    "update quarantine set reason = 'ruled: right'": "is in quarantine by the log",
    """update fact set value = json_set(value, '$.cooling_off', 0)
       where name = 'rules'""": "the rule cooling_off is weaker",
    """update fact set value = json_set(value, '$.release_requires_two_people',
       json('false')) where name = 'rules'""": "requires_two_people is weaker",
    """update fact set value = json_set(value, '$.until', 1)
       where name = 'pause'""": "deletion is paused until",
    # a row added
    f"insert into release_request values (1, {T0}, 1, 7, 'x', '', 3)": "a release of",
    "insert into plan values (9, 1, 0, 0, 0, 0, 'x', 'approved')": "plan 9 is approved",
    f"""insert into policy values (9, {T0}, 1, '{{}}')""": "is kept 1 days",
    # since when it is in doubt
    "update quarantine set seen = seen - 600000000": "is in quarantine since",
    "update quarantine set seen = 1": "is in quarantine since",
    "update stream set quarantined = quarantined - 600000000": "are in doubt since",
    "update stream set quarantined = 1 where name = '1002'": "are in doubt since",
    # a ruling that waits for a second person
    "update ruling_request set uid = 9": "is asked for by another than the log says",
    "update ruling_request set login = 9": "is asked for by another than the log says",
    "update ruling_request set said = 'shifted by -1h'": "shifted by -1h, the log says",
    "update ruling_request set lifts = '[1, 2]'": "ends the doubt about streams that",
    "update ruling_request set approved = 1": "is approved by its row alone",
    "update ruling_row set new_start = new_start + 1": "is about recordings that nobody",
    "update ruling_row set start = start + 1": "is about recordings that nobody",
    "update ruling_row set path = x'78'": "is about recordings that nobody",
    f"""insert into ruling_row select request, stream, {HELD}, 0, duration, {HELD - DAY},
        new_duration, path, holds from ruling_row""": "is about recordings that nobody",
    f"""insert into ruling_request values (9, {T0}, 9, 9, 'x', 'times are right', '',
        '[]', null)""": "ruling 9 waits by its row alone",
}  # fmt: skip

MORE = {
    "update hold set until = until + 1": "hold 1 covers more",
    "insert into hold_camera values (3, 1)": "hold 1 covers more",
    f"""insert into hold (key, kind, reference, reason, requester, since, until, typed,
        margin, placed, placed_by, review) values
        (7, 'court', '', '', '', {HELD}, {HELD + DAY}, '', 0, 0, 0, 0)""": "hold 7 is in",
}


class Altered(Plant):
    """Footage that is held, in quarantine and of a stream in doubt, and a pause."""

    def __init__(self, directory) -> None:
        super().__init__(directory)
        self.by_hand = True
        self.watch()
        self.held = [self.film(HELD)]
        self.film(HELD, folder="1002")
        # Named four hours later than it was written: its times are in doubt.
        self.held.append(self.film(HELD + 4 * HOUR, shown=HELD + 8 * HOUR))
        self.held.append(self.film(HELD + 5 * HOUR, shown=HELD + 11 * HOUR))
        self.round(T0)
        self.hold = self.place("1001", HELD, HELD + HOUR)["hold"]
        # By its own times it is not of the hold: one person alone does not say so.
        last = self.rows()[-1]
        recording_resolve(
            self.by(CARL), ruling="times_right", reason="so",
            path="/".join(map(str, last.key)),
        )  # fmt: skip
        self.say()
        self.deleter.reset()

    def say(self) -> None:
        """What a site has said in its log, by the ways in which it says it."""
        with self.catalogue.write(Priority.HOLD, self.log.by(ACTOR, T0)) as tx:
            tx.exec_driver_sql("UPDATE policy SET days = 28")
            tx.append("policy.changed", version=1, days=28, cameras={})
            tx.append("rules.changed", rules.adopt(tx, RetentionSettings()))
            for camera in cameras.everyone(tx):
                custody = str(camera.custody if camera.key == 1 else Custody.POLICE)
                tx.append(
                    "camera.added", camera=camera.key, id=camera.id, kind=camera.kind,
                    custody=custody, source="cli", location=camera.location,
                )  # fmt: skip
            for root in roots.everyone(tx):
                tx.append(
                    "root.created", root=root.name, uuid=root.uuid, path=root.path
                )
            tx.exec_driver_sql("UPDATE camera SET custody = 'police' WHERE key = 2")
            tx.exec_driver_sql("UPDATE stream SET quarantined = ?", (T0,))
            for (stream,) in tx.exec_driver_sql("SELECT key FROM stream").all():
                tx.append("stream.quarantined", stream=stream, offset=0, since=T0)
        self.now = T0
        deletion_pause(self.context(), length="24h", reason="disks are repaired")

    def transaction(self):
        return self.catalogue.write(Priority.HOLD, self.log.by(ACTOR, self.now))

    def alter(self, statement) -> None:
        """As somebody does who can write into the state directory."""
        with sqlite3.connect(self.catalogue.path) as other:
            assert other.execute(statement).rowcount != 0, statement
        other.close()

    def told(self) -> dict[str, str]:
        """The alarms that stand after a round of the daemon."""
        with suppress(CatalogueError):  # the guard is there before it is told
            watch(self.context())
        with self.catalogue.read() as tx:
            return {one.name: one.detail for one in raised.everyone(tx)}

    def rounds(self) -> None:
        """Whatever is due goes: the pause is over, a period later, a week on, a year on."""
        for now in (
            T0 + 2 * DAY,
            HELD + PERIOD + DAY,
            HELD + PERIOD + 9 * DAY,
            T0 + 400 * DAY,
        ):
            try:
                self.round(now)
            except RetentionError:
                continue

    def verified(self):
        """What the verb finds; the law is another matter."""
        return VERBS["audit.verify"].resolve()(self.context())

    def rulings(self):
        with self.catalogue.read() as tx:
            return ruling_requests.everyone(tx)

    def is_kept(self) -> bool:
        return all(file.exists() for file in self.held)

    def another_start(self) -> None:
        self.catalogue.close()
        self.reopen()

    def by(self, actor):
        return dataclasses.replace(
            self.asked(self.settings(), by=actor),
            settings=self.settings().model_copy(
                update={"retention": RetentionSettings()}
            ),
        )


@pytest.fixture
def plant(tmp_path):
    made = Altered(tmp_path)
    assert made.told().keys().isdisjoint({"mismatch", "unlogged"})
    yield made
    made.close()


@pytest.mark.parametrize("when", ["at start", "within the hour", "verify"])
@pytest.mark.parametrize("statement", [*LESS, *MORE])
def test_an_alteration_is_noticed_and_nothing_held_goes(plant, statement, when):
    """Within the hour: with the next round, though nothing of ours moved."""
    plant.alter(statement)
    if when == "at start":
        plant.another_start()
    less = statement in LESS
    wanted = (LESS | MORE)[statement]
    if when == "verify":
        found = plant.verified()
        amiss = found.mismatches if less else found.unlogged
        assert any(wanted in one for one in amiss)
        assert (found.ok, bool(found.mismatches)) == (not less, less)
        assert (
            f"the catalogue's rows {'protect less' if less else 'keep'}"
            in found.summary
        )
        assert amiss[0] in found.summary
        assert ("`retention schema repair`" in found.summary) is less
        told = plant.told()["mismatch" if less else "unlogged"]
        assert told.split("; ")[: in_force.SHOWN] == amiss[: in_force.SHOWN]
    else:
        told = plant.told()
        assert wanted in told["mismatch" if less else "unlogged"]
    plant.rounds()
    assert plant.is_kept()


@pytest.mark.parametrize("statement", [*LESS, *MORE])
def test_nothing_held_goes_where_nobody_noticed_before_the_batch(plant, statement):
    plant.alter(statement)
    plant.rounds()
    assert plant.is_kept()


NOT_IN_THE_LOG = [
    "delete from fact where name like 'looks.%'",
    "update fact set value = '[0, 0, []]' where name like 'looks.%'",
    f"update fact set value = '[0, {T0 * 2}, []]' where name like 'looks.%'",
    f"update fact set value = '[{T0 * 2}, {T0 * 2}, []]' where name like 'looks.%'",
    "update stream set max_length = max_length * 20",
    "update stream set reach = 0",
    "update root set caught_up = 0",
    "update root set caught_up = null",
    f"update root set adopted = 1, caught_up = {T0 * 2}",
    "update recording set duration = 1",
    "update recording set state = 3",
    "delete from recording",
    "delete from version",
]
"""What no entry says: how it looks to the program, what was seen of the disk."""


@pytest.mark.parametrize("statement", NOT_IN_THE_LOG)
def test_what_the_log_does_not_say_frees_nothing_held_and_nothing_early(
    plant, statement
):
    """Of footage in doubt the period then counts from its own end at the soonest."""
    free = plant.film(HELD + 2 * HOUR, folder="1002")
    plant.round(T0)
    plant.alter(statement)
    for now in (T0 + 2 * DAY, HELD + 3 * HOUR + PERIOD - 1):
        with suppress(RetentionError):
            plant.round(now)
    assert free.exists()
    plant.rounds()
    assert plant.is_kept()


@pytest.mark.parametrize("statement", [one for one in LESS if "ruling" in one])
def test_a_ruling_that_nobody_asked_for_so_is_not_carried_out(plant, statement):
    """A request of CARL's waits; whatever became of it, BEN alone does not do it."""
    before = plant.rows()
    plant.alter(statement)
    number = max(one.number for one in plant.rulings())
    with pytest.raises(MismatchError, match=LESS[statement]):
        recording_approve(plant.by(BEN), request=number)
    assert plant.rows() == before


def test_a_ruling_as_it_was_asked_for_is_carried_out(plant):
    (asked,) = plant.rulings()
    done = recording_approve(plant.by(BEN), request=asked.number)
    assert (done.recordings, plant.rulings()) == (1, [])
    assert "mismatch" not in plant.told()


@pytest.mark.parametrize(
    ("statement", "meanwhile"),
    [(one, "at once") for one in LESS]
    # The plan of a year ago is over by itself.
    + [
        (one, "a year later") for one in LESS if not one.startswith("insert into plan ")
    ],
)
def test_two_people_put_back_what_the_log_has(plant, statement, meanwhile):
    if meanwhile != "at once":
        before = {one.key: one for one in plant.rows()}
        plant.alter(statement)
        plant.rounds()
        assert plant.is_kept()
        plant.now = T0
        assert {one.key for one in plant.rows()} <= before.keys()
    else:
        plant.alter(statement)
    asked = schema_repair(plant.by(ANNA), reason="bits flipped")
    assert (asked.repaired, any(LESS[statement] in one for one in asked.restored)) == (
        False, True,
    )  # fmt: skip
    assert plant.verified().mismatches
    done = schema_repair(plant.by(BEN), reason="seen")
    assert done.repaired
    assert plant.verified().mismatches == []
    with plant.catalogue.read() as tx:
        entry = log.read(tx, done.entry)
    assert (entry["kind"], entry["fields"]["request"]) == (
        "schema.repaired",
        asked.entry,
    )
    plant.rounds()
    assert plant.is_kept()


def test_what_is_put_back_of_a_camera_is_what_its_entries_say(plant):
    with plant.catalogue.write(Priority.HOLD, plant.log.by(ACTOR, T0)) as tx:
        tx.append(
            "camera.changed", camera=1, id="1001",
            changes={"location": ["at 1001", "Market Place"]},
        )  # fmt: skip
        tx.exec_driver_sql("UPDATE camera SET location = 'Market Place' WHERE key = 1")
        tx.append("camera.retired", camera=1, id="1001")
        tx.exec_driver_sql("UPDATE camera SET retired = 1 WHERE key = 1")
        before = tx.exec_driver_sql("SELECT * FROM camera WHERE key = 1").one()
        labels = tx.exec_driver_sql("SELECT * FROM camera_id").all()
    plant.alter("delete from camera where key = 1")
    schema_repair(plant.by(ANNA), reason="bits flipped")
    schema_repair(plant.by(BEN), reason="seen")
    with plant.catalogue.read() as tx:
        after = tx.exec_driver_sql("SELECT * FROM camera WHERE key = 1").one()
        assert after == before
        assert tx.exec_driver_sql("SELECT * FROM camera_id").all() == labels


def test_a_stream_that_is_put_back_reaches_as_far_as_its_recordings(plant):
    with plant.catalogue.read() as tx:
        before = tx.exec_driver_sql("SELECT * FROM stream WHERE name = '1001'").one()
    plant.alter("delete from stream where name = '1001'")
    schema_repair(plant.by(ANNA), reason="bits flipped")
    schema_repair(plant.by(BEN), reason="seen")
    with plant.catalogue.read() as tx:
        after = tx.exec_driver_sql("SELECT * FROM stream WHERE name = '1001'").one()
    assert after[:-1] == before[:-1]
    assert after.reach >= max(one.duration for one in plant.rows())


def test_files_of_a_stream_whose_row_is_gone_wait_for_it(plant):
    """A second stream would be of the same files."""
    plant.alter("delete from stream where name = '1001'")
    plant.watch()  # as after a start
    new = plant.film(T0 - 2 * HOUR)
    result = plant.scanners["nvr1"].scan(T0, never)
    assert not [one for one in plant.rows() if one.start == T0 - 2 * HOUR]
    assert any("`retention schema repair`" in why for _, why in result.errors)
    schema_repair(plant.by(ANNA), reason="bits flipped")
    schema_repair(plant.by(BEN), reason="seen")
    plant.watch()
    plant.round(T0 + HOUR)
    assert [one for one in plant.rows() if one.start == T0 - 2 * HOUR]
    assert new.exists()
