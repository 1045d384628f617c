"""Holds against a running deletion, with real threads and real files.

For each file either the hold or the unlink is first, and the answer says which.
"""

import os
import threading
import time
from uuid import uuid4

import pytest

from retention.catalogue import recordings
from retention.catalogue.db import Priority
from retention.catalogue.log_check import verify_catalogue
from retention.control.gate import Flight, Gate, GateFile
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, Recording
from tests.support import campaign
from tests.support.control_room import ANNA, BEN, ControlRoom
from tests.support.site_ import NOW, never

OLD = NOW - 40 * DAY
FILES = 250
PLACERS = 2
EACH = 100
ROUNDS = 10


class Slow(Gate):
    """A disk that takes its time: batches stay in flight long enough to be met."""

    def claim(self, flight, number):
        time.sleep(0.0005)
        return super().claim(flight, number)


def fill(room):
    """A backlog: minute after minute of both cameras, all long due."""
    site, files = room.site, {}
    for camera in "ab":
        stream = site.stream(camera)
        for n in range(FILES):
            start = OLD + n * MINUTE
            path = site.path(camera, start)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"x" * 10)
            end = (start + MINUTE) * 1000
            os.utime(path, ns=(end, end))
            files[camera, n] = path
        with site.catalogue.write(Priority.SCAN) as tx:
            rows = [
                Recording(stream.key, OLD + n * MINUTE, 0, MINUTE, 10)
                for n in range(FILES)
            ]
            recordings.insert(tx, rows)
    return files


def place_many(room, files, seed, heard):
    """Place and widen holds at random moments; keep what each answer said."""
    chance, mine = campaign.chance(seed), []
    for _ in range(EACH):
        time.sleep(chance.random() / 500)
        first, length = chance.randrange(FILES), chance.randrange(1, 6)
        if mine and chance.random() < 0.3:
            number, camera, start, last = mine.pop()
            last += length
            answer = room.ask(
                "extend", hold=number, reason="more",
                until=format_utc(OLD + last * MINUTE),
            )  # fmt: skip
        else:
            camera, start, last = chance.choice("ab"), first, first + length
            answer = room.place(
                camera, since=format_utc(OLD + start * MINUTE),
                until=format_utc(OLD + last * MINUTE),
            )  # fmt: skip
        mine.append((answer["hold"], camera, start, last))
        window = [(camera, n) for n in range(start, min(last, FILES))]
        heard.append((answer, [key for key in window if files[key].exists()]))


@pytest.mark.parametrize("round_", campaign.some(range(ROUNDS)))
def test_of_thousands_of_holds_against_a_backlog_none_loses_a_file_or_tells_a_lie(
    tmp_path, round_
):
    room = ControlRoom(tmp_path, deletion_floor=10**6)
    room.site.batch = 40
    room.site.gate = room.gate = Slow()
    room.site.root.close()
    room.site.open()
    files, heard = fill(room), []
    threads = [
        threading.Thread(target=place_many, args=(room, files, seed, heard))
        for seed in range(round_ * PLACERS, (round_ + 1) * PLACERS)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        room.site.deleter.cycle(room.site.root, NOW, never)
    for thread in threads:
        thread.join()
    room.site.cycle()
    assert len(heard) == PLACERS * EACH
    kept = set()
    for answer, there in heard:
        assert all(files[key].exists() for key in there)
        kept |= set(there)
        if not answer["outcome_follows"]:  # else it said that it does not know yet
            assert answer["total"]["recordings"] == len(there)
    if not any(answer["outcome_follows"] for answer, _ in heard):
        assert {key for key, path in files.items() if path.exists()} == kept
    assert verify_catalogue(room.site.catalogue).ok
    room.site.close()


def waiting(room, start):
    """A file of camera a in flight, not yet claimed by its unlink."""
    key = room.site.stream("a").camera
    flight = Flight(
        [GateFile(key, start, start + MINUTE, size=1, doubtful=False)], intended=True
    )
    room.gate.enter(flight)
    return flight


def test_extending_a_hold_saves_what_waits_to_be_unlinked(room):
    room.place()
    flight = waiting(room, OLD)
    room.ask("extend", hold=1, reason="earlier", since=format_utc(OLD))
    assert not room.gate.claim(flight, 0)


def test_adding_a_camera_saves_what_waits_to_be_unlinked(room):
    room.place("b", since=format_utc(OLD), until=format_utc(OLD + HOUR))
    flight = waiting(room, OLD)
    room.ask("extend", hold=1, reason="his way home", cameras=["a"])
    assert not room.gate.claim(flight, 0)


def test_reinstating_a_hold_saves_what_waits_to_be_unlinked(room):
    room.place(since=format_utc(OLD), until=format_utc(OLD + HOUR))
    room.ask("release", hold=1, reason="done")
    room.ask("approve", BEN, hold=1)
    flight = waiting(room, OLD)
    room.ask("reinstate", BEN, hold=1, reason="appeal")
    assert not room.gate.claim(flight, 0)


def test_a_refused_hold_saves_nothing(room):
    flight = waiting(room, OLD)
    with pytest.raises(Exception, match="today"):
        room.place("a", "zz", since=format_utc(OLD))
    assert room.gate.claim(flight, 0)


def test_no_unlink_begins_between_the_rescue_and_the_commit(room, monkeypatch):
    """The gate is shut until the hold is durable."""
    claimed, threads = [], []
    commit = room.site.catalogue._writing.dialect.do_commit

    def slow(connection):
        flight = Flight([GateFile(99, 0, 1, size=1, doubtful=False)], intended=True)
        room.gate._flights.append(flight)
        thread = threading.Thread(
            target=lambda: claimed.append(room.gate.claim(flight, 0))
        )
        thread.start()
        threads.append(thread)
        time.sleep(0.05)
        assert claimed == []
        commit(connection)

    monkeypatch.setattr(room.site.catalogue._writing.dialect, "do_commit", slow)
    room.place()
    for thread in threads:
        thread.join()
    assert claimed


def test_many_threads_with_the_same_request_place_one_hold(room):
    request, answers = str(uuid4()), []
    threads = [
        threading.Thread(
            target=lambda: answers.append(room.place(request=request, by=ANNA))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one["hold"] for one in answers] == [1] * 8
    assert sorted(one["repeated"] for one in answers) == [False] + [True] * 7
    assert len(room.entries("hold.placed")) == 1


def test_of_two_supervisors_at_once_one_releases(room):
    room.place()
    room.ask("release", hold=1, reason="done")
    outcomes = []

    def approve():
        try:
            outcomes.append(room.ask("approve", BEN, hold=1)["state"])
        except Exception as error:  # noqa: BLE001 the test tells which
            outcomes.append(str(error))

    threads = [threading.Thread(target=approve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("cooling off") == 1
    assert sum("not active" in one for one in outcomes) == 3
