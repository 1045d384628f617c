"""The rounds ask for an alarm only where something changed: it is told no later for it."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import suppress

import pytest

from retention.catalogue import cameras, policies, raised, roots, schema
from retention.catalogue.db import (
    PAUSE_FACT,
    Priority,
    put_fact,
    tables_read,
    written_by,
)
from retention.control import alarms
from retention.model.errors import NotPermittedError
from retention.model.policy import Policy
from retention.model.values import DAY, HOUR, MINUTE, Custody
from retention.service import watch as watching
from retention.service.watch import Watch
from tests.support import campaign
from tests.support.alarmed import round_as_all_say
from tests.support.plant import T0, Plant
from tests.support.statements import Statements

STEPS = 60


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    yield made
    made.close()


class Office:
    """Somebody at work in a site whose rounds go on."""

    def __init__(self, plant: Plant, chance: random.Random) -> None:
        self.plant, self.chance = plant, chance
        self.watch, self.holds = Watch(plant.catalogue), list[int]()
        self.files = 0

    def round(self) -> None:
        round_as_all_say(self.watch, self.plant.context())

    def film(self) -> None:
        ago = self.chance.choice((HOUR, HOUR, HOUR, 2 * HOUR, 3 * DAY, 28 * DAY))
        start = self.plant.now - ago
        self.plant.film(start, folder=self.chance.choice(("1001", "1002", "1003")))

    def run_on(self) -> None:
        """A recorder that records without a gap."""
        for n in range(24):
            self.plant.film(self.plant.now - (25 - n) * HOUR)

    def leave_something(self) -> None:
        self.files += 1
        age = self.chance.choice((HOUR, 27 * DAY + 23 * HOUR, 40 * DAY))
        self.plant.write(f"1001/note{self.files}.txt", self.plant.now - age)

    def link(self) -> None:
        """A file that can't be deleted."""
        for one in self.plant.there()[:1]:
            file = self.plant.directory / one
            if file.stat().st_nlink == 1:
                file.with_name(f"link-{file.stem}").hardlink_to(file)

    def cycle(self) -> None:
        self.plant.round(self.plant.now)

    def scan(self) -> None:
        self.plant.scanners["nvr1"].scan(self.plant.now, lambda: False)

    def film_and_scan(self) -> None:
        """A recorder that goes on, or does again."""
        self.plant.film(self.plant.now - HOUR)
        self.scan()

    def hold(self) -> None:
        since = self.plant.now - self.chance.choice((HOUR, 30 * DAY))
        with suppress(NotPermittedError):  # its data are the police's
            answer = self.plant.place("1001", since, self.plant.now + DAY)
            self.holds.append(answer["hold"])

    def release(self) -> None:
        """It cools off some hours from now, with nothing written then."""
        for hold in self.holds[:1]:
            free = self.plant.now + self.chance.choice((0, 5 * HOUR))
            self.plant.release(hold, self.plant.now, free)
            self.holds.remove(hold)

    def write(self, act: Callable[..., object], *given: object) -> None:
        with self.plant.catalogue.write(Priority.HOLD) as tx:
            act(tx, *given)

    def pause(self) -> None:
        now = self.plant.now
        self.write(put_fact, PAUSE_FACT, {"until": now + 3 * HOUR, "since": now})

    def shorten(self) -> None:
        with self.plant.catalogue.read() as tx:
            policy = policies.policy_of(tx)
        days = self.chance.choice((7, 28))
        self.write(policies.insert, self.plant.now, Policy(policy.version + 1, days))

    def register(self) -> None:
        custody = self.chance.choice((Custody.POLICE, Custody.COUNCIL))
        self.files += 1
        self.plant.camera(f"9{self.files:03}", custody)

    def retire(self) -> None:
        self.write(
            lambda tx: tx.execute(
                schema.camera.update().values(retired=self.chance.randrange(2))
            )
        )

    def take_over(self) -> None:
        """A camera's data are another's now."""
        self.write(cameras.put_custody, 1, self.chance.choice(("police", "council")))

    def trip(self) -> None:
        self.write(
            lambda tx: raised.put(
                tx, raised.Raised(-7, "root", "nvr1", self.plant.now, "away")
            )
        )

    def clear(self) -> None:
        self.write(raised.take, "root", "nvr1")

    def acknowledge(self) -> None:
        by = self.plant.log.by(self.plant.actor, self.plant.now)
        with self.plant.catalogue.write(Priority.HOLD, by) as tx:
            for one in raised.named(tx, "settings"):
                alarms.clear_in(tx, one.name, one.scope, "seen", acknowledged=True)

    def ask_for_a_successor(self) -> None:
        asked = [self.plant.now, 1, 1, "ann", "note", 3, None]
        lost = {"where": "x", "note": "note", "size": 9, "first": 5}
        self.write(put_fact, "log.lost", lost)
        self.write(put_fact, "log.successor.asked", asked)

    def forget_a_memory(self) -> None:
        fault = self.chance.choice(("no room", None))
        self.write(put_fact, "log.journal", {"size": 3, "fault": fault})

    def meddle(self) -> None:
        """Somebody with the file open, who tells nobody."""
        file = sqlite3.connect(self.plant.catalogue.path)
        with file:
            file.execute("UPDATE recording SET start = start - ?", (20 * DAY,))
            file.execute("UPDATE camera SET listed = 1 - listed")
        file.close()

    ACTS = (
        film, film, run_on, film_and_scan, film_and_scan, leave_something, link, cycle, cycle, scan, hold, release,
        pause, shorten, register, retire, take_over, trip, clear, acknowledge,
        ask_for_a_successor, forget_a_memory, meddle,
    )  # fmt: skip


@pytest.mark.parametrize("draw", range(campaign.share(20)))
def test_after_any_acts_the_list_is_as_all_conditions_say(plant, draw):
    """Most rounds ask for little; whoever asks for everything finds no more, no less."""
    chance = campaign.chance(f"watch {draw}")
    office = Office(plant, chance)
    office.cycle()
    for _ in range(STEPS):
        chance.choice(office.ACTS)(office)
        for wait in (0, chance.choice((MINUTE, HOUR, 5 * HOUR, DAY, 8 * DAY))):
            plant.now += wait
            office.round()


def test_why_footage_is_overdue_is_told_anew_though_nothing_was_written(plant):
    """A pause ends by itself, and what could not be deleted is there still."""
    film = plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    film.with_name("link").hardlink_to(film)
    plant.round(T0 + 2 * HOUR)
    lists, until = Watch(plant.catalogue), plant.now + HOUR
    with plant.catalogue.write(Priority.HOLD) as tx:
        put_fact(tx, PAUSE_FACT, {"until": until, "since": plant.now})
    for now in (until - 3 * MINUTE, until - 2 * MINUTE, until - MINUTE, until + MINUTE):
        plant.now = now
        round_as_all_say(lists, plant.context())
        with plant.catalogue.read() as tx:
            (alarm,) = raised.named(tx, "overdue")
        assert ("paused" in alarm.detail) == (now < until)


def test_what_a_hold_frees_by_the_passing_of_time_is_overdue_at_once(plant):
    plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    hold = plant.place("1001", T0 - 60 * DAY, T0)["hold"]
    plant.now, free = T0 + DAY, T0 + DAY + 5 * HOUR
    plant.release(hold, plant.now, free)
    lists, told = Watch(plant.catalogue), []
    for now in (free - 2 * MINUTE, free - MINUTE, free):
        plant.now = now
        round_as_all_say(lists, plant.context())
        with plant.catalogue.read() as tx:
            told += raised.named(tx, "overdue")
    assert [one.since for one in told] == [free]


def test_a_round_after_which_nothing_changed_asks_for_nothing(plant):
    for n in range(24):
        plant.film(T0 - (25 - n) * HOUR)
    plant.round(T0)
    lists = Watch(plant.catalogue)
    lists.round(plant.context())
    lists.round(plant.context())  # what was found is written by now
    plant.round(T0 + MINUTE)  # a scan that finds nothing, a cycle with nothing due
    with Statements() as asked:
        lists.round(plant.context())
    assert [one for one in asked if "FROM" in one] == []


def test_what_changes_while_it_is_read_is_asked_for_again(plant, monkeypatch):
    """A commit that comes between two readings of one round is not passed over."""
    plant.round(T0)
    lists, real = Watch(plant.catalogue), watching.resolve

    def late(at):
        def asked(context, tx):
            found = real(at)(context, tx)
            if at.endswith(":unkept"):
                with plant.catalogue.write(Priority.SCAN) as other:
                    put_fact(other, "log.journal", {"size": 3, "fault": "no room"})
            return found

        return asked

    monkeypatch.setattr(watching, "resolve", late)
    lists.round(plant.context())
    monkeypatch.setattr(watching, "resolve", real)
    round_as_all_say(lists, plant.context())


def test_how_far_scans_and_cycles_came_is_nothing_that_an_alarm_rests_on(plant):
    """So that it may be noted without any of them being asked for."""
    for name in ("1001/a.txt", "1002/b.txt"):
        plant.write(name, T0 - 40 * DAY)
    plant.film(T0 - 27 * DAY - 23 * HOUR)
    plant.round(T0)
    plant.now = T0 + 2 * DAY
    lists = Watch(plant.catalogue)
    lists.round(plant.context())
    with plant.catalogue.write(Priority.SCAN) as tx:
        for note in (roots.set_scanned, roots.set_caught_up):
            note(tx, plant.root().key, T0 + DAY)
    round_as_all_say(lists, plant.context())


def test_what_a_statement_changes_is_known_by_its_words(plant):
    with plant.catalogue.read() as tx:
        sql = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
        triggers = tx.exec_driver_sql(sql).all()
    for name, table, sql in triggers:
        body = sql.partition("BEGIN")[2]
        assert written_by(body) <= written_by(f"UPDATE {table} SET x = 1"), name
    for table in schema.metadata.tables.values():
        for change in (table.insert(), table.update(), table.delete()):
            assert table.name in written_by(str(change))
    assert written_by("INSERT OR REPLACE INTO fact SELECT 1 FROM entry") == {"fact"}
    assert written_by("WITH a AS (SELECT 1) DELETE\n FROM lost") == {"lost"}
    assert written_by("SELECT * FROM hold") == set()


def test_what_is_read_is_known_in_whichever_transaction_it_is(plant):
    with tables_read() as tables, plant.catalogue.read() as tx:
        roots.everyone(tx)
        with plant.catalogue.read() as other:
            policies.current(other)
    assert {"root", "policy"} <= tables
    with plant.catalogue.read() as tx:
        raised.everyone(tx)
    assert "alarm" not in tables
