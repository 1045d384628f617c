"""A thread of the service: in order, coalescing, ending, and showing that it lives."""

import threading
import time

import pytest

from retention.model.values import SECOND
from retention.service.worker import Worker
from retention.site import clock


@pytest.fixture
def crashes():
    return []


@pytest.fixture
def worker(crashes):
    made = Worker("w", lambda name, error: crashes.append((name, error)))
    made.start()
    yield made
    made.stop()
    assert made.join(60)


def test_tasks_are_done_in_order(worker):
    done = []
    for number in range(5):
        worker.trigger(str(number), lambda stop, number=number: done.append(number))
    assert worker.wait_idle(60)
    assert done == [0, 1, 2, 3, 4]


def test_a_task_that_is_pending_is_not_added_again(worker):
    go, done = threading.Event(), []
    worker.trigger("busy", lambda stop: go.wait(60))
    for _ in range(3):
        worker.trigger("scan", lambda stop: done.append(1))
    go.set()
    assert worker.wait_idle(60)
    assert done == [1]


def test_a_task_triggered_while_it_runs_runs_once_more(worker):
    go, done = threading.Event(), []

    def task(stop):
        done.append(1)
        go.wait(60)

    worker.trigger("scan", task)
    while not done:
        time.sleep(0.01)
    worker.trigger("scan", task)
    worker.trigger("scan", task)
    go.set()
    assert worker.wait_idle(60)
    assert done == [1, 1]


def test_a_running_task_is_asked_to_end(worker):
    def task(stop):
        while not stop():
            time.sleep(0.01)

    worker.trigger("cycle", task)
    worker.trigger("never", lambda stop: pytest.fail("was dropped"))
    worker.stop()
    assert worker.join(60)


def test_asking_whether_to_stop_is_a_sign_of_life(worker):
    go = threading.Event()

    def task(stop):
        while not go.wait(0.01):
            stop()

    worker.trigger("scan", task)
    while worker.running() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    while worker.silent_for(clock.monotonic()) > SECOND // 10:
        time.sleep(0.01)  # else the time limit says so
    assert worker.running() == "scan"
    go.set()


def test_a_task_that_asks_nothing_is_silent(worker):
    go = threading.Event()
    worker.trigger("scan", lambda stop: go.wait(60))
    while worker.running() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    assert worker.silent_for(clock.monotonic()) > SECOND // 10
    assert worker.running() == "scan"
    go.set()
    assert worker.wait_idle(60)
    assert worker.silent_for(clock.monotonic()) == 0


def test_an_unexpected_exception_is_told_and_ends_the_thread(worker, crashes):
    worker.trigger("bad", lambda stop: 1 / 0)
    assert worker.join(60)
    ((name, error),) = crashes
    assert (name, type(error)) == ("w", ZeroDivisionError)


def test_rest_ends_at_once_when_the_service_ends(worker):
    worker.trigger("reconcile", lambda stop: worker.rest(60))
    time.sleep(0.05)
    worker.stop()
    assert worker.join(60)


def test_a_thread_that_waits_for_us_does_not_hang_in_the_kernel(worker):
    assert not worker.in_kernel()
