"""A recorder's name that the settings gave to the wrong camera is given to its right one."""

from pathlib import Path

import pytest

from retention.catalogue import doubtful_times, holds, recordings, streams
from retention.catalogue.db import Priority
from retention.catalogue.doubtful_times import DELAY, WrongTimes
from retention.catalogue.recordings import Doubt
from retention.footage.ingest import intake
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, Custody
from tests.support.control_room import ANNA
from tests.support.json_schema import verb
from tests.support.world import ACTOR, NOW, World, never

FIRST = NOW - NOW % HOUR - 10 * HOUR
WRONG, RIGHT = {"market-place": "1002"}, {"market-place": "1001"}


@pytest.fixture
def world(tmp_path: Path):
    """Five hours of market-place, under camera 1002; they are of camera 1001."""
    made = World(tmp_path)
    for hour in range(5):
        write(made, hour)
    made.scanner(cameras=WRONG).scan(made.NOW, never)
    yield made
    made.close()


def write(world, hour):
    start = FIRST + hour * HOUR
    name = format_utc(start)[:19].replace("T", "_").replace(":", "-")
    return world.write(f"market-place/{name}.mp4", start + HOUR)


def assign(world, camera="1001", **given):
    said = {"name": "nvr1/market-place", "camera": camera, "reason": "a slip"}
    return verb("camera.assign")(world.asked(world.settings(), ANNA), **(said | given))


def by_camera(world):
    """How many recordings each camera has, by its key."""
    camera = {one.key: one.camera for one in world.streams()}
    found: dict[int, int] = {}
    for row in world.rows():
        found[camera[row.stream]] = found.get(camera[row.stream], 0) + 1
    return found


def covering(world, hour):
    """The holds that cover the recording of that hour."""
    with world.catalogue.read() as tx:
        known = {one.key: one for one in streams.everyone(tx)}
        (row,) = [one for one in world.rows() if one.start == FIRST + hour * HOUR]
        kept = recordings.footing(known[row.stream], row, recordings.doubt(tx, row.key))
        (found,) = recordings.cover.covering(tx, [kept], world.now)
    return found


def test_what_was_recorded_under_the_wrong_camera_goes_to_the_right_one(world):
    paths = sorted((row.start, row.size) for row in world.rows())
    answer = assign(world)
    assert (answer["recordings"], answer["taken_from"][0]["camera"]) == (5, "1002")
    assert by_camera(world) == {1: 5}
    assert sorted((row.start, row.size) for row in world.rows()) == paths
    (entry,) = world.entries("recordings.assigned")
    assert (entry["camera"], entry["old_camera"], entry["count"]) == (1, 2, 5)
    assert {row["new_camera"] for row in entry["rows"]} == {1}
    assert world.verified()


def test_the_files_are_known_to_the_next_scan_and_new_ones_go_to_the_right_camera(
    world,
):
    assign(world)
    write(world, 5)
    result = world.scanner(cameras=RIGHT).scan(world.NOW, never)
    assert (result.added, result.lost) == (1, 0)
    assert by_camera(world) == {1: 6}


def test_a_scan_that_was_under_way_takes_no_file_in_twice(world, monkeypatch):
    """A full one, so that it meets every name again."""
    scanner = world.scanner(cameras=WRONG)
    names, calls = intake.Intake._read_names, []

    def assigned_first(self, block):
        found = names(self, block)
        if not calls:
            calls.append(assign(world))
        return found

    monkeypatch.setattr(intake.Intake, "_read_names", assigned_first)
    assert scanner.scan(world.NOW, never).added == 0
    assert scanner.scan(world.NOW, never).added == 0
    assert by_camera(world) == {1: 5}


def test_a_hold_of_the_right_camera_covers_it_at_once(world):
    hold = world.hold_camera(1, FIRST, FIRST + HOUR)
    assert covering(world, 0) == set()
    assert assign(world)["holds"] == [hold]
    assert covering(world, 0) == {hold}


def test_a_hold_of_the_wrong_camera_keeps_it_until_it_is_ruled_on(world):
    hold = world.hold_camera(2, FIRST, FIRST + HOUR)
    answer = assign(world)
    assert answer["holds_covering_both"] == [hold]
    assert (covering(world, 0), covering(world, 3)) == ({hold}, set())
    with world.catalogue.read() as tx:
        assert sorted(holds.cameras_of(tx, hold)) == [1, 2]
    (entry,) = world.entries("camera.under_hold")
    assert (entry["camera"], entry["change"], entry["holds"]) == (2, "assigned", [hold])
    assert [one["hold"] for one in world.entries("hold.extended")] == [hold]


def test_a_hold_that_cools_off_keeps_it_as_well(world):
    placed = verb("hold.place")(
        world.asked(world.settings(), ANNA), cameras=["1002"], since=format_utc(FIRST),
        until=format_utc(FIRST + HOUR), kind="court", reference="r", reason="r",
        margin="0",
    )  # fmt: skip
    hold = placed["hold"]
    world.release(hold, world.now, world.now + DAY)
    assign(world)
    assert covering(world, 0) == {hold}


def test_a_hold_that_covers_nothing_of_it_is_not_extended(world):
    world.hold_camera(2, FIRST - DAY, FIRST)
    assert assign(world)["holds_covering_both"] == []


def test_what_is_in_doubt_is_kept_by_any_hold_of_either_camera(world):
    (row,) = [one for one in world.rows() if one.start == FIRST]
    with world.catalogue.write(Priority.SCAN) as tx:
        recordings.quarantine(tx, row, row.size, Doubt(world.now, row.end, "odd"))
    hold = world.hold_camera(2, FIRST - DAY, FIRST - DAY + HOUR)
    assign(world)
    assert covering(world, 0) == {hold}
    assert [one.state.name for one in world.rows()].count("QUARANTINED") == 1


def test_a_stream_in_doubt_stays_so_under_the_right_camera(world):
    (stream,) = world.streams()
    author = world.log.by(ACTOR, world.now)
    with world.catalogue.write(Priority.SCAN, author) as tx:
        doubtful_times.doubt(
            tx, stream.key, [WrongTimes(DELAY, 20 * MINUTE)], world.now
        )
    hold = world.hold_camera(2, FIRST - DAY, FIRST - DAY + HOUR)
    assign(world)
    assert covering(world, 3) == {hold}
    new = world.streams()[1]
    assert (new.camera, new.quarantined) == (1, world.now)
    *_, entry = world.entries("stream.doubted")
    assert (entry["stream"], entry["delay"]) == (new.key, 20 * MINUTE)


def test_from_an_instant_only_what_begins_then_or_later_goes(world):
    answer = assign(world, since=format_utc(FIRST + 2 * HOUR + MINUTE))
    assert (answer["recordings"], by_camera(world)) == (2, {2: 3, 1: 2})


def test_a_dry_run_says_the_same_and_changes_nothing(world):
    world.hold_camera(2, FIRST, FIRST + HOUR)
    before, entries = world.rows(), world.size
    tried = assign(world, dry_run=True)
    assert (world.rows(), world.size) == (before, entries)
    assert tried | {"dry_run": False} == assign(world)


def test_it_goes_page_by_page_and_can_be_given_again(world, monkeypatch):
    from retention.register import assigning

    monkeypatch.setattr(assigning, "PAGE", 2)
    assign(world)
    assert by_camera(world) == {1: 5}
    assert [one["count"] for one in world.entries("recordings.assigned")] == [2, 2, 1]
    with pytest.raises(RetentionError, match="nothing to give"):
        assign(world)


def test_the_books_balance_and_each_recording_is_found_under_its_right_camera(world):
    assign(world)
    context = world.asked(world.settings())
    day = verb("audit.balance")(context)
    assert "NOT balance" not in str(day)
    at = format_utc(FIRST + MINUTE)
    (found,) = verb("audit.find")(context, camera="1001", at=at)["recordings"]
    assert (found["camera"], found["fate"]) == ("1001", "present")
    (old, new) = sorted(
        verb("audit.find")(context, camera="1002", at=at)["recordings"],
        key=lambda one: one["fate"],
    )
    assert (old["fate"], new["fate"], new["camera"]) == ("moved", "present", "1001")
    assert old["history"][-1]["camera"] == "1001"


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        ({"name": "nvr1"}, UsageError, "ROOT/NAME"),
        ({"name": "nvr9/market-place"}, UsageError, "ROOT/NAME"),
        ({"name": "nvr1/market"}, UsageError, "nothing was recorded as"),
        ({"camera": "1009"}, RetentionError, "no camera has the id"),
        ({"camera": "p"}, RetentionError, "not the council's"),
        ({"camera": "1002"}, RetentionError, "nothing to give"),
        ({"reason": " "}, UsageError, "say why"),
    ],
)
def test_what_can_not_be_meant_is_refused(world, given, kind, text):
    world.camera("p", Custody.POLICE)
    with pytest.raises(kind, match=text):
        assign(world, **given)
    assert by_camera(world) == {2: 5}
