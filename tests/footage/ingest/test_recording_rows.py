"""The tables that ingest writes: recordings, streams, unknown files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from retention.catalogue import db, recordings, streams, unknown
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.recordings import Doubt
from retention.model.values import HOUR, MINUTE, Recording, State, Window

T = 1_790_000_000_000_000


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    catalogue = db.create(tmp_path / db.NAME, {"uuid": "u"})
    with catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql(
            "INSERT INTO root (key, name, path, uuid) VALUES (1, 'nvr1', '/x', 'r')"
        )
        tx.exec_driver_sql(
            "INSERT INTO camera VALUES (1,'a','','k','council',0,0,1,0,NULL,NULL,NULL,NULL)"
        )
        add_stream(tx)
    yield catalogue
    catalogue.close()


def add_stream(tx: sa.Connection, name: str = "one") -> int:
    return streams.add(
        tx, root=1, camera=1, layout="l", zone="UTC", name=name, extension=".mp4",
        max_length=HOUR,
    ).key  # fmt: skip


def row(start: int, duration: int = HOUR, n: int = 0, **more: object) -> Recording:
    return Recording(1, start, n, duration, 10)._replace(**more)


def test_a_row_comes_back_as_it_went_in(catalogue: Catalogue) -> None:
    rows = [row(T), row(T, n=1, path=b"a/\xff.mp4"), row(T + HOUR)]
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, rows)
    with catalogue.read() as tx:
        assert recordings.page(tx, 1, None, 9) == rows
        assert recordings.starting_at(tx, 1, [T]) == rows[:2]
        assert recordings.by_paths(tx, 1, [b"a/\xff.mp4"]) == {b"a/\xff.mp4": rows[1]}
        assert recordings.page(tx, 1, (T, 0), 9) == rows[1:]
        assert recordings.next_n(tx, 1, T) == 2


def test_a_longer_recording_raises_the_max_length_with_itself(
    catalogue: Catalogue,
) -> None:
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [row(T, 24 * HOUR)])
        stream = streams.by_key(tx, 1)
    assert stream is not None
    assert stream.max_length == 24 * HOUR


def test_the_same_path_twice_is_refused(catalogue: Catalogue) -> None:
    """One path, one row."""
    with (
        pytest.raises(sa.exc.IntegrityError),
        catalogue.write(Priority.SCAN) as tx,
    ):
        recordings.insert(tx, [row(T, path=b"p"), row(T + 1, path=b"p")])


@pytest.mark.parametrize(
    ("window", "met"),
    [
        (Window(T + HOUR, T + 2 * HOUR), False),
        (Window(T + HOUR - 1, T + 2 * HOUR), True),
        (Window(T - HOUR, T), False),
        (Window(T - HOUR, T + 1), True),
    ],
)
def test_overlap_is_half_open(catalogue: Catalogue, window: Window, met: bool) -> None:
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [row(T)])
        found = recordings.overlapping(tx, 1, window, HOUR)
    assert bool(found) is met


def test_an_end_never_moves_earlier(catalogue: Catalogue) -> None:
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [row(T)])
        with pytest.raises(ValueError, match="later"):
            recordings.extend(tx, row(T), HOUR - 1)


def test_a_row_that_a_batch_took_is_not_extended(catalogue: Catalogue) -> None:
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [row(T, state=State.DELETING)])
        assert not recordings.extend(tx, row(T), 2 * HOUR)
        assert not recordings.extend(tx, row(T, state=State.DELETING), 2 * HOUR)
        assert recordings.get(tx, (1, T, 0)) == row(T, state=State.DELETING)


def test_a_row_that_a_batch_took_is_not_called_lost(catalogue: Catalogue) -> None:
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [row(T, state=State.DELETING), row(T + HOUR)])
        gone = recordings.remove(tx, [(1, T, 0), (1, T + HOUR, 0), (1, T + 1, 0)])
    assert gone == [row(T + HOUR)]


def test_what_lies_beside_a_row_goes_with_it(catalogue: Catalogue) -> None:
    doubt = Doubt(T, T, "why")
    quarantined = row(T, state=State.QUARANTINED, path=b"p")
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [quarantined], {quarantined.key: doubt})
        assert recordings.doubt(tx, quarantined.key) == doubt
        recordings.remove(tx, [quarantined.key])
        assert recordings.doubt(tx, quarantined.key) is None
        assert not recordings.has_paths(tx, 1)


def test_quarantine_starts_the_period_again(catalogue: Catalogue) -> None:
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [row(T)])
        assert recordings.quarantine(tx, row(T), 5, Doubt(T + 9, T, "shrank"))
        found = recordings.get(tx, (1, T, 0)), recordings.doubt(tx, (1, T, 0))
        again = recordings.quarantine(tx, row(T), 5, Doubt(T + 9, T, "shrank"))
    expected = row(T, size=5, state=State.QUARANTINED)
    assert found == (expected, Doubt(T + 9, T, "shrank"))
    assert not again  # the row had moved


def test_neighbours_are_found_across_the_stream(catalogue: Catalogue) -> None:
    rows = [row(T + number * HOUR) for number in range(4)]
    with catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, rows)
        assert recordings.before(tx, 1, T + 2 * HOUR, 2) == [rows[1], rows[0]]
        assert recordings.after(tx, 1, T + HOUR) == rows[2]
        assert recordings.newest(tx, 1) == [rows[3]]
        near = recordings.around(tx, 1, rows[2].start, T + 2 * HOUR, before=1, limit=9)
        assert near == rows[1:]
        assert recordings.totals(tx, 1) == (4, 40, T, T + 4 * HOUR)


def test_the_quarantine_of_a_stream_is_set_once_and_lifted_once(
    catalogue: Catalogue,
) -> None:
    with catalogue.write(Priority.SCAN) as tx:
        assert streams.quarantine(tx, 1, T)
        assert not streams.quarantine(tx, 1, T + MINUTE)
        assert [stream.quarantined for stream in streams.everyone(tx)] == [T]
        assert streams.lift_quarantine(tx, 1)
        assert not streams.lift_quarantine(tx, 1)


def test_unknown_files_of_a_directory_are_replaced_as_a_whole(
    catalogue: Catalogue,
) -> None:
    one = unknown.Unknown(1, b"d", "a", b"x", 3, 30, T, T)
    with catalogue.write(Priority.SCAN) as tx:
        unknown.replace(tx, 1, b"d", [one, one._replace(reason="b")])
        unknown.replace(tx, 1, b"d", [one._replace(files=4)])
        assert unknown.listing(tx, 1) == [one._replace(files=4)]
        assert unknown.count(tx, 1) == (4, 30)
        unknown.replace(tx, 1, b"d", ())
        assert unknown.listing(tx) == []
