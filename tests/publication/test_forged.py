"""Entries that somebody puts into the published log without the key: whatever they say,
nothing is deleted by them that would else be kept."""

import random
import shutil

import pytest

from retention.catalogue import (
    db,
    holds,
    log,
    policies,
    recordings,
    roots,
    streams,
    unread,
)
from retention.catalogue.db import Priority
from retention.catalogue.log_check import verify_catalogue
from retention.control import in_force
from retention.model.errors import UsageError
from retention.model.layouts.layout import path_of
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, Actor, Entry, Outcome
from retention.site import clock
from retention.tlog.kinds import KINDS
from retention.tlog.verify.published import verify_directory
from tests.support import campaign, forger
from tests.support.installation import Clock, Installation
from tests.support.station import ANNA, BEN, CARA, Station

FORGED = sorted(KINDS.keys() - {"log.opened"})
EACH = -(-1_500 // len(FORGED))
"""So many of each kind: 1,500 in all."""


class Target:
    """A site with footage that is held, cools off, is due and is not, and what it has on
    its disk; put back as it was before each forgery."""

    def __init__(self, directory) -> None:
        self.installed = Installation(directory)
        self.installed.init()
        self.station = station = Station(
            self.installed, release_requires_two_people=True
        )
        for number in range(12):
            self.installed.record(self.now, 20 * HOUR + number * 5 * HOUR)
        station.round()
        station.approve()
        self.hold(24, 28)
        second = self.hold(33, 38)
        third = self.hold(44, 48)
        station.ask("hold.release", ANNA, hold=second, reason="r")
        station.ask("hold.approve", BEN, hold=second)
        station.ask("hold.release", ANNA, hold=third, reason="r")
        station.service._publish(station.service._publishing.catch_up, self.now)
        with station.service._core.catalogue.read() as tx:
            (stream,) = streams.everyone(tx)
            self.files = [
                (1, *row[:5], path_of(stream, row).decode())
                for row in recordings.page(tx, stream.key, None, 99)
            ]
        station.killed()
        for name in ("state", "nvr1"):
            shutil.copytree(directory / name, directory / f"{name}.kept")

    @property
    def now(self):
        return clock.read().wall

    def hold(self, first, last):
        """On what ended so many hours ago."""
        return self.station.ask(
            "hold.place", ANNA, cameras=["1001"], kind="court", reference="r",
            since=format_utc(self.now - last * HOUR), reason="r", margin="0",
            until=format_utc(self.now - first * HOUR),
        )["hold"]  # fmt: skip

    def after(self, time, *entries):
        """What is on the disk once these were put there: after a start and what a person
        does then, two days later, and after 40."""
        directory = self.installed.directory
        for name in ("state", "nvr1"):
            shutil.rmtree(directory / name)
            shutil.copytree(directory / f"{name}.kept", directory / name)
        time.elapsed = 0
        if entries:
            forger.put(self.station.settings.published_log, entries)
        self.station.start()
        try:
            for later in (MINUTE, 2 * DAY, 40 * DAY):
                time.elapsed = later
                yield self.days_work()
        finally:
            self.station.killed()

    def days_work(self):
        """A person looks at what came back and approves the plan."""
        station = self.station
        for _ in range(3):
            station.service.tick(None)
            station.round()
            self.refused = station.service._publishing.trouble
            if "catalogue" in station.guards():
                station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
            station.approve()
            station.round()
        return set(self.installed.files())


@pytest.fixture(scope="module")
def time():
    with pytest.MonkeyPatch.context() as patch:
        made = Clock(synchronised=True)
        patch.setattr(clock, "read", made)
        yield made


@pytest.fixture(scope="module")
def target(time, tmp_path_factory):
    made = Target(tmp_path_factory.mktemp("target"))
    made.left = list(made.after(time))
    assert len(made.left[0]) > len(made.left[1]) > 0
    return made


def by(chance):
    role = chance.choice(("service", "supervisor", "administrator"))
    return Actor(chance.choice((0, 1001, 1002)), chance.choice((1001, 1002)), 1, role)


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_entry_changes_nothing_that_is_deleted(target, time, kind):
    for number in range(campaign.share(EACH, EACH)):
        time.elapsed = 0
        chance = random.Random(f"{campaign.SEED} {kind} {number}")
        draw = forger.Forger(chance, target.now, target.files)
        others = chance.sample(FORGED, chance.choice((0, 0, 1, 3)))
        moments = (target.now, target.now, target.now + DAY, target.now - 90 * DAY)
        entries = [
            (draw.entry(one), chance.choice(moments), by(chance))
            for one in (kind, *others)
        ]
        found = list(target.after(time, *entries))
        assert target.refused is None, (entries, target.refused)
        said = [entry for entry, _, _ in entries]
        if any(KINDS[entry.kind].keeps for entry in said):
            for now, before in zip(found, target.left, strict=True):
                assert now >= before, said
        else:
            assert found == target.left, said


class Once:
    """A site, and what came back into it from a forged log."""

    def __init__(self, station) -> None:
        self.station = station

    def now(self):
        return clock.read().wall

    def forge(self, *entries, by=None):
        """Put there behind the head, then the service starts."""
        station = self.station
        station.service._publish(station.service._publishing.catch_up, self.now())
        station.killed()
        actor = by or Actor(1001, 1001, 1, "supervisor")
        forger.put(
            station.settings.published_log,
            [(one, self.now(), actor) for one in entries],
        )
        station.start()

    def hold(self, key):
        with self.station.service._core.catalogue.read() as tx:
            row = holds.find(tx, key)
            return row and (
                row.since,
                row.until,
                row.free_at,
                holds.cameras_of(tx, key),
            )

    def pause(self):
        with self.station.service._core.catalogue.read() as tx:
            return db.get_fact(tx, db.PAUSE_FACT)

    def verified(self):
        """Catalogue and published log are whole, and the rows are as the log says."""
        station = self.station
        station.service._publish(station.service._publishing.catch_up, self.now())
        catalogue = station.service._core.catalogue
        own = verify_catalogue(catalogue, deep=True)
        assert own.ok, own.faults
        vkey = station.service._publishing._publisher.vkey
        report = verify_directory(station.settings.published_log, vkey, depth="deep")
        assert report.ok, report.faults
        with catalogue.read() as tx:
            assert in_force.compare(catalogue, tx, self.now()) == ([], [])


@pytest.fixture
def once(installed):
    station = Station(installed, release_requires_two_people=True)
    installed.record(clock.read().wall, 2 * DAY)
    installed.record(clock.read().wall, HOUR)
    station.round()
    made = Once(station)
    yield made
    station.killed()


def placed(once, key=1, cameras=(1,), **more):
    now = once.now()
    fields = {
        "hold": key, "kind": "court", "cameras": list(cameras), "since": now - 3 * DAY,
        "until": now, "review": now + DAY, "margin": 0, **more,
    }  # fmt: skip
    return Entry("hold.placed", fields)


def extended(once, **more):
    old = dict.fromkeys(("old_since", "old_until", "old_review"), 0)
    return Entry("hold.extended", {**placed(once, **more).fields, **old} | more)


def without(entry, *names):
    fields = {k: v for k, v in entry.fields.items() if k not in names}
    return entry._replace(fields=fields)


def test_a_hold_that_came_back_unsigned_is_in_force(once):
    entry = placed(once)
    once.forge(entry)
    since, until = entry.fields["since"], entry.fields["until"]
    assert once.hold(1) == (since, until, None, [1])
    once.verified()


def test_what_extends_a_hold_never_narrows_it(once):
    entry = placed(once)
    once.forge(entry)
    since, until = entry.fields["since"], entry.fields["until"]
    wider = {"cameras": [2], "since": since - 5, "until": since + 5}
    once.forge(without(extended(once, **wider), "kind", "margin"))
    assert once.hold(1) == (since - 5, until, None, [1, 2])
    once.verified()


@pytest.mark.parametrize("key", [1, 7, 2**53 - 1])
def test_a_hold_of_a_number_that_is_taken_or_not_next_changes_none(once, key):
    once.forge(placed(once))
    before = once.hold(1)
    once.forge(placed(once, key, since=0, until=1))
    assert once.hold(1) == before
    assert once.hold(key) == (before if key == 1 else None)
    once.verified()


def test_a_pause_that_came_back_unsigned_ends_within_a_day(once):
    once.forge(Entry("deletion.paused", {"until": once.now() + 99 * DAY}))
    assert once.now() + 23 * HOUR < once.pause()["until"] <= once.now() + DAY
    once.verified()


def test_what_was_signed_after_it_came_back_unsigned_frees_nothing_later(once):
    """A head covers the forged release by then, and an older backup is put back."""
    station = once.station
    station.ask("hold.place", ANNA, cameras=["1001"], kind="court", reference="r",
                since=format_utc(once.now() - 3 * DAY), reason="r", margin="0",
                until_released=True)  # fmt: skip
    backup = station.backup()
    once.forge(
        Entry("hold.released", {"hold": 1, "free_at": 1}),
        Entry("policy.changed", {"version": 9, "days": 1, "cameras": {}}),
        Entry("deletion.resumed", {}),
    )
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    once.verified()
    station.killed()
    station.restore(backup)
    station.start()
    assert once.hold(1)[2] is None
    with station.service._core.catalogue.read() as tx:
        assert policies.current(tx).version == 1
        assert len(log.unsigned(tx)) == 1
    once.verified()


def test_a_completion_that_came_back_unsigned_completes_nothing(once, monkeypatch):
    """The service finds out by itself what became of the batch, and says so."""
    station = once.station
    station.approve()
    batches = station.work.deleter._batches
    real = batches._publish

    def killed(size, at):
        real(size, at)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_publish", killed)
        with pytest.raises(KeyboardInterrupt):
            station.round()
    (intent,) = station.tables("batch")["batch"]
    number, fields = dict(intent)["intent"], dict.fromkeys(Outcome, 0)
    done = {"intent": number, **fields, "deleted": 1, "bytes": 7, "lateness": 0}
    once.forge(Entry("recordings.deleted", {**done, "method": "unlink"}))
    assert len(station.installed.files()) == 2
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.round()
    assert len(station.installed.files()) == 1
    assert station.tables("batch")["batch"] == []
    with station.service._core.catalogue.read() as tx:
        assert log.completion(tx, number) > number + 1
    once.verified()


def test_nothing_goes_after_a_restore_before_the_root_was_read_again(once):
    station = once.station
    station.approve()
    once.forge(Entry("service.stopped", {}))
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.work.cycle(lambda: False)
    assert "not read from end to end since" in station.work.blocked
    assert len(station.installed.files()) == 2
    station.round()
    assert len(station.installed.files()) == 1


def test_parts_that_can_not_be_read_are_shown_and_accepted(once, monkeypatch):
    station = once.station
    station.approve()
    once.forge(Entry("service.stopped", {}))
    with station.service._core.catalogue.write(Priority.SCAN) as tx:
        root = roots.everyone(tx)[0]
        roots.set_scanned(tx, root.key, once.now())
        unread.note(tx, root.key, {b"1002": "Permission denied"})
    said = {"guard": "catalogue", "reason": "r"}
    with pytest.raises(UsageError, match=r"nvr1: 1002 \(Permission denied\)"):
        station.ask("guard.acknowledge", CARA, **said)
    station.ask("guard.acknowledge", CARA, **said, unread=True)
    station.work.cycle(lambda: False)
    assert len(station.installed.files()) == 1
