"""What a committed change tells whoever asks: nothing is forgotten between threads."""

import threading

import pytest

from retention.catalogue import recordings, streams
from retention.catalogue.db import Feed, Priority
from retention.catalogue.recordings import Doubt, Move
from retention.model.policy import BEGINNING
from retention.model.values import HOUR, MINUTE, Recording, State
from tests.support.site_ import Site


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


def test_what_comes_in_while_another_is_being_taken_is_taken_too():
    feed, number, taken = Feed(), 20_000, []

    def tell() -> None:
        for stream in range(number):
            feed.put({stream: stream})

    telling = threading.Thread(target=tell)
    telling.start()
    while telling.is_alive():
        taken += feed.take().items()
    telling.join()
    taken += feed.take().items()
    assert sorted(taken) == [(stream, stream) for stream in range(number)]


def test_every_change_of_a_recording_is_told_once_it_is_committed(site):
    feed, stream = site.catalogue.feed(), site.stream("a").key
    row = Recording(stream, 10 * MINUTE, 0, MINUTE, 1)
    doubt = Doubt(7 * MINUTE, 11 * MINUTE, "odd")
    ruled = Doubt(7 * MINUTE, 11 * MINUTE, "ruled: right")
    doubted = row._replace(duration=2 * MINUTE, state=State.QUARANTINED)
    ruling = Move(doubted, row._replace(duration=3 * MINUTE), ruled)
    for change, earliest in (
        (lambda tx: recordings.insert(tx, [row]), row.end),
        (lambda tx: recordings.extend(tx, row, 2 * MINUTE), row.end),
        (
            lambda tx: recordings.quarantine(
                tx, row._replace(duration=2 * MINUTE), 1, doubt
            ),
            doubt.seen,
        ),
        (
            lambda tx: recordings.change(tx, [ruling], HOUR),
            ruled.seen,
        ),
        (lambda tx: streams.quarantine(tx, stream, MINUTE), BEGINNING),
        (
            lambda tx: recordings.lift(tx, site.stream("a"), HOUR) or None,
            BEGINNING,
        ),
    ):
        with site.catalogue.write(Priority.SCAN) as tx:
            assert change(tx) in (True, None, doubt, ([ruling], []))
            assert feed.take() == {}
        assert feed.take() == {stream: earliest}


def test_a_change_whose_commit_failed_is_told_since_nobody_knows(site):
    feed, stream = site.catalogue.feed(), site.stream("a").key

    def fail() -> None:
        with site.catalogue.write(Priority.SCAN) as tx:
            recordings.insert(tx, [Recording(stream, 0, 0, MINUTE, 1)])
            raise RuntimeError("before the end")

    with pytest.raises(RuntimeError):
        fail()
    assert feed.take() == {stream: MINUTE}
