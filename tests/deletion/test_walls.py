"""Walls of the deletion rooms, one by one: each test fails where its wall is taken out.

Most of them stand behind another wall, so the ordinary tests would not miss them.
"""

import hashlib
import os
import random
import threading
import time
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.catalogue import (
    batches,
    cameras,
    due,
    holds,
    plans,
    policies,
    recordings,
    roots,
    streams,
)
from retention.catalogue.db import Priority
from retention.catalogue.due import Span, scopes
from retention.control import alarms, guards
from retention.deletion import batch as procedure
from retention.deletion.batch import Batches
from retention.deletion.items import Paths
from retention.deletion.redecide import versions
from retention.footage.roots import create_identity, open_root
from retention.model.choice import Due, Scope
from retention.model.errors import CatalogueError, StaleError
from retention.model.layouts.layout import compile_layout
from retention.model.policy import (
    BEGINNING,
    Holds,
    InDoubt,
    Looks,
    Policy,
    Reason,
    decide,
    merge,
    overlaps,
)
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Camera,
    Outcome,
    Recording,
    State,
    Window,
)
from tests.support import campaign
from tests.support.premises import Crash
from tests.support.site_ import ACTOR, CATALOGUE_UUID, NOW, Site, never

OLD = NOW - 29 * DAY
DATED = "%Y-%m-%d/%H/{camera}/%M.%S.mp4"


def crash(site, monkeypatch):
    """Die after the intent, before the first unlink."""

    def dying(*_):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(procedure, "delete", dying)
        with pytest.raises(Crash):
            site.cycle()


def row_of(site, camera="a", start=OLD):
    with site.catalogue.read() as tx:
        return recordings.get(tx, (site.stream(camera).key, start, 0))


def failure_of(site, camera="a", start=OLD):
    with site.catalogue.read() as tx:
        return due.failure_of(tx, (site.stream(camera).key, start, 0))


def policy(site, version, days, **own):
    """Another policy; by camera, its own days."""
    by_key = {site.stream(camera).camera: n for camera, n in own.items()}
    with site.catalogue.write(Priority.HOLD) as tx:
        policies.insert(tx, NOW, Policy(version, days, by_key))


def rescue(site, camera="a"):
    """What a hold on everything does at the gate; how many files it counts as saved."""
    with site.gate.shut():
        found = site.gate.rescue({site.stream(camera).camera: (Window(0, NOW),)})
    return len(found.rescued)


def stop_after(count):
    """A stop that comes after so many looks."""
    asked = iter([False] * count)
    return lambda: next(asked, True)


def second_root(site):
    """Another root of the same site, with nothing in it."""
    directory, uuid = site.directory / "other", "33333333-3333-4333-8333-333333333333"
    directory.mkdir()
    with site.catalogue.write(Priority.SCAN) as tx:
        key = roots.add(tx, name="nvr2", path=str(directory), uuid=uuid).key
        roots.set_adopted(tx, key, NOW - 400 * DAY)
        roots.set_caught_up(tx, key, NOW - 399 * DAY)
    create_identity(directory, uuid, CATALOGUE_UUID)
    return open_root(
        key=key, name="nvr2", path=directory, uuid=uuid,
        catalogue_uuid=CATALOGUE_UUID, device=None, boot=None, boot_now="b",
    )  # fmt: skip


@pytest.fixture
def other(site):
    opened = second_root(site)
    yield opened
    opened.close()


# -- between decision and unlink ------------------------------------------------------


def test_a_decision_rests_on_the_holds_and_on_the_policy(site):
    def now_is():
        with site.catalogue.read() as tx:
            return versions(tx, NOW)

    before = now_is()
    policy(site, 2, 60)
    after_policy = now_is()
    site.hold("a", OLD)
    assert len({before, after_policy, now_is()}) == 3


def test_a_batch_that_waits_for_its_root_is_within_the_reach_of_holds(site):
    path = site.record("a", OLD)
    stop = stop_after(2)
    with site.root.mutex:
        thread = threading.Thread(target=site.cycle, args=(NOW, stop))
        thread.start()
        until = time.monotonic() + 60
        while not site.gate._flights and time.monotonic() < until:
            time.sleep(0.001)
        rescue(site)
    thread.join()
    assert path.exists()


def test_a_hold_that_comes_right_after_the_intent_saves_its_files(site, monkeypatch):
    path = site.record("a", OLD)
    real, saved = Batches._intend, []

    def intend(self, *args):
        intent = real(self, *args)
        saved.append(rescue(site))
        return intent

    monkeypatch.setattr(Batches, "_intend", intend)
    site.cycle(stop=stop_after(2))
    assert saved == [1]
    assert path.exists()


@pytest.mark.parametrize("moved", ["in doubt", "size=11", "duration=duration+1"])
def test_a_row_that_is_not_as_it_was_read_is_not_marked(site, moved):
    for n in range(2):
        site.record("a", OLD + n * MINUTE)
    read = [row_of(site, start=OLD + n * MINUTE) for n in range(2)]
    if moved == "in doubt":
        site.doubt("a", OLD, seen=NOW, mtime=NOW)
    else:
        site.tamper(f"UPDATE recording SET {moved} WHERE start={OLD}")
    with pytest.raises(StaleError), site.catalogue.write(Priority.DELETION) as tx:
        batches.mark_deleting(tx, read)
    assert row_of(site, start=OLD + MINUTE).state == State.PRESENT


def test_only_a_row_that_is_being_deleted_is_taken_out(site):
    site.record("a", OLD)
    with pytest.raises(StaleError), site.catalogue.write(Priority.DELETION) as tx:
        batches.remove(tx, [row_of(site).key])
    assert site.rows() == 1


def test_an_intent_is_completed_once(site):
    with site.catalogue.write(Priority.DELETION) as tx:
        batches.open_batch(tx, 7, site.root_key)
        batches.close_batch(tx, 7)
        with pytest.raises(StaleError):
            batches.close_batch(tx, 7)


def test_a_batch_whose_row_somebody_took_out_is_not_completed(site, monkeypatch):
    site.record("a", OLD)
    real = procedure.delete

    def delete(*args):
        with site.catalogue.write(Priority.SCAN) as tx:
            tx.exec_driver_sql("DELETE FROM recording")
        return real(*args)

    monkeypatch.setattr(procedure, "delete", delete)
    with pytest.raises(CatalogueError, match="audit verify"):
        site.cycle()


# -- what a stop puts back ------------------------------------------------------------


def test_a_quarantined_recording_that_a_stop_left_is_in_quarantine_again(site):
    site.record("a", OLD)
    site.doubt("a", OLD, seen=OLD, mtime=OLD + MINUTE)
    (result,) = site.cycle(stop=stop_after(1)).results
    assert result.outcomes[Outcome.STOPPED] == 1
    assert row_of(site).state == State.QUARANTINED


def test_a_failed_recording_that_a_stop_left_is_failed_again(site):
    os.link(site.record("a", OLD), site.directory / "link")
    site.cycle()
    (result,) = site.cycle(NOW + HOUR, stop_after(1)).results
    assert result.outcomes[Outcome.STOPPED] == 1
    assert row_of(site).state == State.FAILED


# -- doubt ----------------------------------------------------------------------------


@pytest.mark.parametrize("doubtful", ["recording", "stream"])
def test_an_item_is_in_doubt_where_its_recording_or_its_stream_is(site, doubtful):
    stream = site.stream("a")
    if doubtful == "stream":
        stream = replace(stream, quarantined=NOW)
    found = Due(stream.key, OLD, 0, MINUTE, 1, None, OLD, None, State.PRESENT)
    assert not Paths([site.stream("a")]).item(found).doubtful
    found = found._replace(seen=NOW if doubtful == "recording" else None)
    assert Paths([stream]).item(found).doubtful


def scope_of(site, now=NOW):
    with site.catalogue.read() as tx:
        (scope,) = scopes(tx, site.root_key, policies.current(tx), now)
    return scope


def nexts_of(tx, scope):
    return due.nexts(tx, [scope])[scope.stream]


@pytest.mark.parametrize("held", [False, True])
def test_any_hold_keeps_quarantined_recordings_from_being_due(site, held):
    site.record("a", OLD)
    site.doubt("a", OLD, seen=OLD, mtime=OLD + MINUTE)
    if held:
        site.hold("a", NOW - DAY, NOW)
    scope, all_ = scope_of(site), Span(BEGINNING, NOW)
    with site.catalogue.read() as tx:
        assert len(due.doubtful(tx, scope, all_)) == (not held)
        assert (nexts_of(tx, scope).doubtful is None) == held
        assert (scope.stream in due.totals(tx, [scope], all_)) == (not held)


def test_a_quarantined_recording_in_a_batch_is_not_due_a_second_time(site, monkeypatch):
    site.record("a", OLD)
    site.doubt("a", OLD, seen=OLD, mtime=OLD + MINUTE)
    crash(site, monkeypatch)
    with site.catalogue.read() as tx:
        assert due.doubtful(tx, scope_of(site), Span(BEGINNING, NOW)) == []
        assert nexts_of(tx, scope_of(site)).doubtful is None


# -- memory of what falls due next ----------------------------------------------------


def test_a_long_recording_from_before_the_first_known_start_is_not_overlooked(site):
    first = NOW - 20 * DAY
    site.record("a", first)
    site.cycle()
    path = site.record("a", first - HOUR, length=2 * HOUR)
    site.cycle(first + HOUR + 28 * DAY)
    assert not path.exists()


def test_an_end_to_come_does_not_hide_a_doubt_that_ends_sooner(site):
    """The camera's clock is a little ahead, so its newest recording ends after now."""
    site.record("a", NOW)
    site.cycle()
    start = NOW + 300 * DAY
    path = site.path("a", start)
    path.write_bytes(b"x")
    os.utime(path, ns=(NOW * 1000, NOW * 1000))
    key = (site.stream("a").key, start, 0)
    with site.catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [Recording(*key, MINUTE, 1)])
    site.doubt("a", start, seen=NOW, mtime=NOW, reason="dated in the future")
    site.cycle(NOW + 28 * DAY)
    assert not path.exists()


def test_a_camera_of_a_shorter_period_is_looked_at_in_time(site):
    site.stream("a")
    policy(site, 2, 28, a=5)
    site.record("a", NOW - DAY)
    site.cycle()
    path = site.record("a", NOW - 3 * DAY)
    site.cycle(NOW + 2 * DAY + MINUTE)
    assert not path.exists()


# -- guards and plans, root by root ---------------------------------------------------


def trip(site, name, scope):
    with site.catalogue.write(Priority.DELETION, site.log.by(ACTOR, NOW)) as tx:
        alarms.trip(tx, NOW, name, scope, "in doubt")


def test_a_guard_of_everything_stops_every_root(site, other):
    path = site.record("a", OLD)
    trip(site, guards.CLOCK, "")
    found = [site.deleter.cycle(root, NOW, never) for root in (site.root, other)]
    assert [one.blocked for one in found] == ["guard clock: in doubt"] * 2
    assert path.exists()


def test_a_guard_of_one_root_stops_that_one_alone(site, other):
    site.record("a", OLD)
    trip(site, guards.ROOT, "nvr1")
    assert site.cycle().blocked == "guard root: in doubt"
    assert site.deleter.cycle(other, NOW, never).blocked is None


def proposed(site, root):
    with site.catalogue.write(Priority.DELETION) as tx:
        key = plans.begin(tx, root, NOW, NOW)
        plans.propose(tx, key, 0, 0, "")
    return key


def state_of(site, key):
    with site.catalogue.read() as tx:
        return plans.find(tx, key).state


def test_a_plan_of_one_root_is_no_plan_of_another(site, other):
    first = proposed(site, site.root_key)
    with site.catalogue.read() as tx:
        assert plans.of_root(tx, other.key) is None
    proposed(site, other.key)
    assert state_of(site, first) == "proposed"
    with site.catalogue.read() as tx:
        assert plans.of_root(tx, site.root_key).key == first


@pytest.mark.parametrize(
    ("step", "state"),
    [
        (plans.approve, "superseded"),
        (plans.approve, "building"),
        (plans.approve, "done"),
        (plans.finish, "proposed"),
        (lambda tx, key: plans.propose(tx, key, 1, 1, ""), "approved"),
    ],
)
def test_a_plan_goes_one_step_at_a_time(site, step, state):
    key = proposed(site, site.root_key)
    with site.catalogue.write(Priority.DELETION) as tx:
        tx.exec_driver_sql("UPDATE plan SET state=?", (state,))
    with pytest.raises(StaleError), site.catalogue.write(Priority.DELETION) as tx:
        step(tx, key)
    assert state_of(site, key) == state


def test_a_plans_digest_is_that_of_the_rows_it_lists(tmp_path):
    """More than one stream, so that the digest is taken in parts."""
    site = Site(tmp_path, deletion_floor=1, deletion_limit="0.01%")
    site.cycle()
    for n in range(3):
        site.record("a", NOW - (60 * DAY) + n * MINUTE, size=10 + n)
        site.record("b", NOW - (60 * DAY) + n * HOUR, length=SECOND * (n + 1))
    site.cycle(NOW + MINUTE)
    with site.catalogue.read() as tx:
        plan = plans.find(tx, 1)
        rows = tx.exec_driver_sql(
            "SELECT stream, start, n FROM plan_row WHERE plan=1 "
            "ORDER BY stream, start, n"
        ).all()
    text = "".join(f"{','.join(map(str, row))}\n" for row in rows)
    assert len(rows) == 6
    assert plan.digest == hashlib.sha256(text.encode()).hexdigest()
    site.close()


def test_an_open_intent_is_not_carried_out_in_another_root(site, other, monkeypatch):
    path = site.record("a", OLD)
    crash(site, monkeypatch)
    assert site.deleter.cycle(other, NOW, never).results == []
    assert site.rows() == 1
    assert site.cycle().results[0].outcomes[Outcome.DELETED] == 1
    assert not path.exists()


def test_failed_files_of_one_root_are_not_tried_in_another(site, other):
    os.link(site.record("a", OLD), site.directory / "link")
    site.cycle()
    with site.catalogue.read() as tx:
        assert due.failed(tx, other.key, NOW + HOUR) == []
        assert due.total_failed(tx, other.key).number == 0
        assert due.total_failed(tx, site.root_key).number == 1


# -- failed files, and files that changed ---------------------------------------------


def test_a_failed_file_that_is_not_due_any_more_is_not_tried(site):
    path = site.record("a", OLD)
    os.link(path, site.directory / "link")
    site.cycle()
    (site.directory / "link").unlink()
    policy(site, 2, 60)
    site.cycle(NOW + HOUR)
    assert path.exists()
    assert row_of(site).state == State.PRESENT


def write(path, size, mtime):
    """The file as a recorder writes it on."""
    path.write_bytes(b"x" * size)
    os.utime(path, ns=(mtime * 1000, mtime * 1000))


def test_a_file_that_grew_and_has_two_links_is_not_believed(site):
    path = site.record("a", OLD)
    os.link(path, site.directory / "link")
    write(path, 99, OLD + 2 * MINUTE)
    site.cycle()
    assert row_of(site)[3:5] == (MINUTE, 10)
    assert failure_of(site).error == "several links"


def test_a_file_that_shrank_and_is_newer_is_not_believed(site):
    write(site.record("a", OLD), 5, OLD + 2 * MINUTE)
    site.cycle()
    assert row_of(site)[3:5] == (MINUTE, 10)
    assert failure_of(site).error == "another size"


def test_a_directory_in_a_files_place_is_not_taken_for_a_file_that_grew(site):
    path = site.record("a", OLD)
    path.unlink()
    path.mkdir()
    os.utime(path, ns=((OLD + 2 * MINUTE) * 1000,) * 2)
    site.cycle()
    assert row_of(site)[3:5] == (MINUTE, 10)
    assert failure_of(site).error == "not a regular file"


def test_a_file_that_grew_in_quarantine_counts_from_now(site):
    path = site.record("a", OLD)
    site.doubt("a", OLD, seen=OLD, mtime=OLD + MINUTE)
    write(path, 99, OLD + 2 * MINUTE)
    site.cycle()
    assert row_of(site).state == State.QUARANTINED
    site.cycle(NOW + 28 * DAY - 1)
    assert path.exists()
    site.cycle(NOW + 28 * DAY)
    assert not path.exists()


def test_a_file_that_grew_never_ends_earlier_than_before(site):
    path = site.record("a", OLD, length=HOUR)
    write(path, 99, OLD + MINUTE)
    site.cycle(stop=stop_after(2))
    assert row_of(site)[3:5] == (HOUR, 99)


# -- dated directories ----------------------------------------------------------------


def dated(site, start):
    """A recording of a recorder that makes a directory for each day and hour."""
    with site.catalogue.write(Priority.SCAN) as tx:
        key = cameras.insert(tx, Camera(0, "d", "at d"), NOW)
        stream = streams.add(
            tx, root=site.root_key, camera=key, layout=DATED, zone="UTC", name="d",
            extension=".mp4", max_length=HOUR,
        )  # fmt: skip
        recordings.insert(tx, [Recording(stream.key, start, 0, MINUTE, 10)])
    rendered = compile_layout(DATED, "UTC").render("d", start, ".mp4")
    path = site.footage / os.fsdecode(rendered)
    path.parent.mkdir(parents=True)
    write(path, 10, start + MINUTE)
    site.deleter.reset()
    return path


def test_the_empty_directories_of_last_month_go(site):
    path = dated(site, OLD)
    assert site.cycle().deleted == 1
    assert not path.parents[2].exists()
    assert site.footage.is_dir()


def test_the_empty_directory_of_yesterday_stays(tmp_path):
    """A recorder may be about to write into it, by a zone of its own."""
    site = Site(tmp_path, days=1)
    path = dated(site, NOW - 25 * HOUR)
    assert site.cycle().deleted == 1
    assert path.parents[2].is_dir()
    site.close()


# -- the catalogue's questions against the decision -----------------------------------

PERIOD = 10

catalogued = st.lists(
    st.tuples(
        st.integers(0, 30),  # start
        st.integers(0, 2),  # n
        st.integers(1, 12),  # duration
        st.sampled_from([0, 0, 0, 1, 2, 2, 3]),  # state
        st.integers(0, 40),  # first seen
        st.integers(0, 60),  # mtime
    ),
    max_size=14,
    unique_by=lambda row: row[:2],
)
windows = st.lists(
    st.tuples(
        st.integers(0, 40),  # since
        st.integers(1, 9),  # length
        st.sampled_from([None, None, None, 20, 40]),  # when its cooling off is over
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("shared"))
    made.two = made.stream("a"), made.stream("b")
    yield made
    made.close()


stream_doubts = st.sampled_from(
    [
        None,
        None,
        InDoubt(3),
        InDoubt(20),
        InDoubt(20, Looks(2, 18, (Window(4, 9), Window(11, 15)))),
        InDoubt(5, Looks(0, 30, (Window(0, 20),))),
    ]
)


class Chance(NamedTuple):
    """A stream at random: its recordings, the holds on its camera, the doubt about it."""

    rows: list[tuple[int, ...]]
    held: list[tuple[int, int, int | None]]
    in_doubt: InDoubt | None


def put(site, stream, rows, held, now):
    """Exactly these rows and holds; whatever was in doubt once has a row of quarantine.
    By the key of each hold in force its window."""
    windows = {}
    with site.catalogue.write(Priority.SCAN) as tx:
        for start, n, duration, state, seen, mtime in rows:
            tx.exec_driver_sql(
                "INSERT INTO recording VALUES (?, ?, ?, ?, 1, ?)",
                (stream.key, start, n, duration, state),
            )
            if state != State.PRESENT:
                tx.exec_driver_sql(
                    "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, 'late')",
                    (stream.key, start, n, seen, mtime),
                )
    for at, length, free_at in held:
        key = site.hold_camera(stream.camera, at, at + length, free_at=free_at)
        if free_at is None or free_at > now:
            windows[key] = Window(at, at + length)
    return windows


def decided(rows, held, in_doubt, now):
    """By key, state and decision of each row that a cycle may choose."""
    found = {}
    for start, n, duration, state, seen, _ in sorted(rows):
        since = None
        if state == State.QUARANTINED:
            since = seen
        elif in_doubt is not None:
            since = in_doubt.since(start + duration)
        if state in (State.PRESENT, State.QUARANTINED):
            found[start, n] = state, decide(
                start, start + duration, holds=held, period=PERIOD, now=now,
                doubtful_since=since,
            )  # fmt: skip
    return found


chances = st.lists(
    st.builds(Chance, catalogued, windows, stream_doubts), min_size=2, max_size=2
)


@given(chances, st.integers(0, 60), st.integers(1, 5), st.integers(0, 60))
@settings(max_examples=campaign.share(1000), suppress_health_check=list(HealthCheck))
def test_what_the_catalogue_calls_due_is_what_the_decision_calls_due(
    shared, two, now, limit, caught_up
):
    with shared.catalogue.write(Priority.SCAN) as tx:
        for table in ("recording", "quarantine", "hold_camera", "hold"):
            tx.exec_driver_sql(f"DELETE FROM {table}")
    scopes, drawn = [], []
    for stream, one in zip(shared.two, two, strict=True):
        drawn.append((one, put(shared, stream, one.rows, one.held, now)))
        scopes.append(Scope(stream.key, stream.camera, PERIOD, 12, one.in_doubt, now))
    whole, late = Span(BEGINNING, now), Span(caught_up, now)
    with shared.catalogue.read() as tx:
        totals, later, nexts, kept = (
            due.totals(tx, scopes, whole), due.totals(tx, scopes, late),
            due.nexts(tx, scopes), due.kept(tx, scopes, now),
        )  # fmt: skip
        for scope, (one, held) in zip(scopes, drawn, strict=True):
            merged = Holds(merge(held.values()))
            all_ = decided(one.rows, merged, one.in_doubt, now)
            rows = due_of_one(tx, scope, all_, limit)
            assert number_of(totals, scope) == len(rows)
            assert number_of(later, scope) == sum(row.due > caught_up for row in rows)
            check_next(nexts[scope.stream], all_)
            check_kept(kept.get(scope.stream), one.rows, held, now)
            if (first := nexts[scope.stream].first) is not None:
                assert due.nexts(tx, [scope], {scope.stream: first}) == {
                    scope.stream: nexts[scope.stream]
                }


def number_of(totals, scope):
    return totals[scope.stream].number if scope.stream in totals else 0


def due_of_one(tx, scope, all_, limit):
    """The rows that are due, which are those that the decision calls so."""
    wanted = {
        state: [
            (key, one.due)
            for key, (was, one) in all_.items()
            if was == state and one.reason is Reason.DUE
        ]
        for state in (State.PRESENT, State.QUARANTINED)
    }

    def seen(found):
        return [((row.start, row.n), row.due) for row in found]

    span = Span(BEGINNING, scope.now)
    present, doubtful = due.present(tx, scope, span), due.doubtful(tx, scope, span)
    assert seen(present) == wanted[State.PRESENT]
    assert due.present(tx, scope, span, limit=limit) == present[:limit]
    assert sorted(seen(doubtful)) == wanted[State.QUARANTINED]
    return present + doubtful


def check_next(found, all_):
    loose = [(one, key, was) for key, (was, one) in all_.items() if not _held(one)]
    dues = [one.due for one, _, was in loose if was == State.PRESENT]
    starts = [key[0] for _, key, was in loose if was == State.PRESENT]
    ends = [one.due for one, _, was in loose if was == State.QUARANTINED]
    assert found == (
        min(starts, default=None), min(dues, default=None), min(ends, default=None)
    )  # fmt: skip


def check_kept(found, rows, held, now):
    """Those past their period by their own times, each once, and every hold on one."""
    past = [
        (start, start + duration)
        for start, _, duration, state, *_ in rows
        if state != State.DELETING and start + duration + PERIOD <= now
    ]
    merged = merge(held.values())
    number = sum(overlaps(merged, *one) for one in past)
    by = [k for k, window in held.items() if any(overlaps((window,), *p) for p in past)]
    assert found == ((number, number, sorted(by)) if number else None)


def _held(decision):
    return decision.reason is Reason.HELD


# -- a long time, everything at random ------------------------------------------------


class Years:
    """A site to which things happen, and what must be true of it afterwards."""

    def __init__(self, site, seed):
        self.site, self.random, self.now = site, random.Random(seed), NOW
        self.files, self.links, self.holds, self.version = {}, [], [], 1
        site.stream("a")

    def record(self):
        camera = self.random.choice("ab")
        start = self.now - self.random.randrange(1, 60 * 86_400) * SECOND
        length = self.random.randrange(1, 7200) * SECOND
        if (camera, start) not in self.files and start + length <= self.now:
            self.files[camera, start] = self.site.record(camera, start, length)

    def doubt(self):
        for camera, start in self.random.sample(sorted(self.files), k=1):
            row = row_of(self.site, camera, start)
            if row is not None and row.state == State.PRESENT:
                self.site.doubt(camera, start, seen=self.now, mtime=row.end)

    def hold(self):
        since = self.now - self.random.randrange(60) * DAY
        until = since + self.random.randrange(1, 90) * DAY
        self.holds.append(self.site.hold(self.random.choice("ab"), since, until))

    def release(self):
        hold = self.holds.pop(self.random.randrange(len(self.holds)))
        free_at = self.now + self.random.choice([0, DAY, 7 * DAY])
        self.site.release(hold, self.now, free_at)

    def policy(self):
        self.version += 1
        own = self.random.choice([5, 28, 60])
        policy(self.site, self.version, self.random.choice([28, 30, 40]), a=own)

    def link(self):
        path = self.random.choice(list(self.files.values()))
        if path.exists():
            self.links.append(self.site.directory / f"link{len(self.links)}")
            os.link(path, self.links[-1])

    def restart(self):
        self.site.restart()

    def later(self):
        self.now += self.random.choice([MINUTE, HOUR, DAY, 9 * DAY])

    def cycle(self, stop=never):
        """Nothing goes that the policy and the holds of this instant keep."""
        kept = self.kept()
        self.site.cycle(self.now, stop)
        assert all(self.files[key].exists() for key in kept)

    def stopped(self):
        self.cycle(stop_after(self.random.randrange(1, 6)))

    def step(self):
        names = ["record"] * 5 + ["later"] * 3 + ["cycle", "stopped", "restart"]
        names += ["policy", "hold", "hold"]
        names += ["release"] * bool(self.holds)
        names += ["link", "doubt"] * bool(self.files)
        getattr(self, self.random.choice(names))()

    def kept(self):
        """Files whose row says that they are not due, or held, asked one by one."""
        with self.site.catalogue.read() as tx:
            now_due = {
                (row.stream, row.start)
                for scope in self._scopes(tx)
                for row, since in self._rows(tx, scope)
                if self._decide(tx, scope, row, since).reason is Reason.DUE
            }
        return [
            (camera, start)
            for (camera, start), path in self.files.items()
            if path.exists() and (self.site.stream(camera).key, start) not in now_due
        ]

    def _scopes(self, tx):
        return scopes(tx, self.site.root_key, policies.current(tx), self.now)

    def _rows(self, tx, scope):
        """Each row with the instant from which its doubt counts."""
        rows = recordings.around(
            tx, scope.stream, BEGINNING, 2 * NOW, before=0, limit=10_000
        )
        for row in rows:
            found = recordings.doubt(tx, row.key)
            since = found and found.seen
            yield row, since

    def _decide(self, tx, scope, row, since):
        held = holds.of_cameras(tx, [scope.camera], self.now)[scope.camera]
        return decide(
            row.start, row.end, holds=held, period=scope.period, now=self.now,
            doubtful_since=since,
        )  # fmt: skip

    def settle(self):
        """With nothing in the way, all that is due goes, and no row is without file."""
        for link in self.links:
            link.unlink(missing_ok=True)
        self.cycle()
        self.now += 2 * DAY  # longer than any back-off
        self.cycle()
        assert self.site.cycle(self.now).blocked is None
        with self.site.catalogue.read() as tx:
            for scope in self._scopes(tx):
                assert due.rows(tx, scope, Span(BEGINNING, self.now)) == []
        assert self.site.rows() == sum(path.exists() for path in self.files.values())


@pytest.mark.parametrize("seed", range(8))
def test_years_of_everything_at_random_lose_nothing_and_leave_nothing(tmp_path, seed):
    batch = (2, 5, 5000)[seed % 3]
    years = Years(Site(tmp_path, deletion_floor=1_000_000, batch=batch), seed)
    for _ in range(4):
        for _ in range(25):
            years.step()
        years.settle()
    years.site.close()
