"""Holds against unlinks: for each file exactly one of the two wins, and says so."""

import threading
import time
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.catalogue.db import Priority, WriterLock
from retention.catalogue.log_check import verify_catalogue
from retention.control.gate import Flight, Gate, GateFile
from retention.holds.place import hold_place
from retention.model.localtime import format_utc
from retention.model.values import DAY, MINUTE, Window
from tests.support import campaign
from tests.support.site_ import NOW, Site, never

OLD = NOW - 40 * DAY


def flight(count=3):
    files = [
        GateFile(1, n * 10, n * 10 + 10, size=1, doubtful=False) for n in range(count)
    ]
    return Flight(files, intended=True)


def rescue(gate, *windows, camera=1):
    with gate.shut():
        return gate.rescue({camera: tuple(Window(*window) for window in windows)})


def test_a_waiting_file_that_a_hold_overlaps_can_not_be_claimed_any_more():
    gate, batch = Gate(), flight()
    gate.enter(batch)
    assert [file.start for file in rescue(gate, (10, 11)).rescued] == [10]
    assert [gate.claim(batch, n) for n in range(3)] == [True, False, True]


def test_a_claimed_file_is_reported_and_not_rescued():
    gate, batch = Gate(), flight()
    gate.enter(batch)
    gate.claim(batch, 1)
    found = rescue(gate, (0, 99))
    assert [file.start for file in found.rescued] == [0, 20]
    assert found.unlinking == [(batch, 1)]


def test_a_hold_on_another_camera_rescues_nothing():
    gate, batch = Gate(), flight()
    gate.enter(batch)
    assert rescue(gate, (0, 99), camera=2).rescued == []


def test_a_hold_on_any_camera_that_a_file_may_be_of_rescues_it():
    gate = Gate()
    file = GateFile(1, 0, 10, size=1, doubtful=False, others=((2, 4), (3, 20)))
    gate.enter(Flight([file], intended=True))
    assert rescue(gate, (0, 4), camera=2).rescued == []
    assert rescue(gate, (11, 20), camera=3).rescued == []
    assert len(rescue(gate, (20, 21), camera=3).rescued) == 1
    assert not gate.claim(gate._flights[0], 0)


def test_a_batch_whose_intent_is_not_committed_is_saved_but_not_counted():
    gate, batch = Gate(), flight()
    batch.intended = False
    gate.enter(batch)
    assert rescue(gate, (0, 99)).rescued == []
    assert not gate.claim(batch, 0)


def test_any_hold_on_its_camera_rescues_a_file_of_doubtful_times():
    gate = Gate()
    gate.enter(Flight([GateFile(1, 0, 10, size=1, doubtful=True)], intended=True))
    assert len(rescue(gate, (500, 501)).rescued) == 1


def test_waiting_for_a_file_being_unlinked_ends_when_it_is_settled():
    gate, batch = Gate(), flight()
    gate.enter(batch)
    gate.claim(batch, 0)
    threading.Timer(0.05, gate.settle, (batch, 0)).start()
    assert gate.wait_settled([(batch, 0)], timeout=60)


def test_waiting_gives_up_when_time_is_over():
    gate, batch = Gate(), flight()
    gate.enter(batch)
    gate.claim(batch, 0)
    assert not gate.wait_settled([(batch, 0)], timeout=0.01)


def test_no_file_is_claimed_while_a_hold_commits():
    gate, batch = Gate(), flight()
    gate.enter(batch)
    claimed = []
    with gate.shut():
        thread = threading.Thread(target=lambda: claimed.append(gate.claim(batch, 0)))
        thread.start()
        time.sleep(0.05)
        assert claimed == []
    thread.join()
    assert claimed == [True]


def test_the_writer_lock_prefers_a_hold_to_a_deletion_to_a_scan():
    lock, order = WriterLock(), []

    def write(priority):
        with lock.hold(priority):
            order.append(priority)

    with lock.hold(Priority.SCAN):
        threads = [
            threading.Thread(target=write, args=(priority,))
            for priority in (Priority.SCAN, Priority.DELETION, Priority.HOLD)
        ]
        for thread in threads:
            thread.start()
        while sum(lock._waiting) < 3:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [Priority.HOLD, Priority.DELETION, Priority.SCAN]


holds = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.integers(0, 39), st.integers(1, 10), st.integers(0, 9)
    ),
    min_size=1,
    max_size=6,
)


@given(holds, st.integers(1, 30))
@settings(max_examples=campaign.share(60), suppress_health_check=list(HealthCheck))
def test_with_threads_no_held_file_is_lost_and_no_answer_is_false(
    tmp_path_factory, placements, batch
):
    """Holds against a running backlog: what an answer counts as kept stays, and what
    lay in the window and is gone was gone when the answer came."""
    site = Site(tmp_path_factory.mktemp("race"), batch=batch)
    files = {
        (camera, n): site.record(camera, OLD + n * MINUTE)
        for camera in "ab"
        for n in range(40)
    }
    answers = []

    def place():
        for camera, first, length, wait in placements:
            time.sleep(wait / 2000)
            context = site.asked(
                SimpleNamespace(
                    timezone="Europe/London", retention=site.settings, root=()
                )
            )
            answer = hold_place(
                context, cameras=[camera], since=format_utc(OLD + first * MINUTE),
                until=format_utc(OLD + (first + length) * MINUTE), kind="court",
                reference="r", reason="r", margin="0",
            )  # fmt: skip
            window = [(camera, n) for n in range(first, min(first + length, 40))]
            there = [key for key in window if files[key].exists()]
            answers.append((answer, there))

    thread = threading.Thread(target=place)
    thread.start()
    while thread.is_alive():
        site.deleter.cycle(site.root, NOW, never)
    thread.join()
    site.cycle()
    assert len(answers) == len(placements)
    for answer, there in answers:
        if answer.outcome_follows:
            continue  # a slow machine: it said that it does not know yet
        assert all(files[key].exists() for key in there)
        assert answer.total.recordings == len(there)
    if not any(answer.outcome_follows for answer, _ in answers):
        held = {key for _, there in answers for key in there}
        assert {key for key, path in files.items() if path.exists()} == held
    assert verify_catalogue(site.catalogue).ok
    site.close()
