"""What a hold covers leaves it by two people's word alone, whoever rules on times."""

from dataclasses import replace

import pytest

from retention.catalogue import recordings
from retention.catalogue.db import Priority
from retention.model.errors import NotPermittedError, RetentionError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, State
from retention.site.caller import UNSET_LOGIN
from tests.footage.ingest.test_rulings import T0, hourly
from tests.support.control_room import BEN, CARA
from tests.support.json_schema import verb

ODD = "1001/2026-07-10_10-00-00.mp4"
START = T0 - 10 * DAY


def ask(world, name, by=BEN, **given):
    return verb(f"recording.{name}")(world.asked(world.settings(), by), **given)


def shift(world, by=BEN, path=ODD, **given):
    """Five days back, which is out of every hold here."""
    said = {"path": path, "ruling": "shift", "shift": "-5d", "reason": "clock"}
    return ask(world, "resolve", by, **(said | given))


def is_held(world, path=ODD):
    (shown,) = ask(world, "show", path=path)["recordings"]
    return shown["held"]


def of_1001(world):
    (stream,) = [one.key for one in world.streams() if one.name == "1001"]
    return [row for row in world.rows() if row.stream == stream]


@pytest.fixture
def held(world, scan):
    """A file whose mtime is before its name, kept by a hold on that time, and a good one
    long before it; the same of another camera, without a hold."""
    world.write("1001/2026-07-01_10-00-00.mp4", T0 - 19 * DAY + HOUR)
    world.write(ODD, START - DAY)
    world.write("1002/2026-07-01_10-00-00.mp4", T0 - 19 * DAY + HOUR)
    world.write("1002/2026-07-11_10-00-00.mp4", START)
    scan()
    world.hold_camera(1, START, START + HOUR)
    return world


def test_one_supervisor_alone_does_not_shift_held_footage_out_of_its_hold(held):
    before = held.rows()
    answer = shift(held)
    assert (answer["recordings"], held.rows()) == (0, before)
    assert is_held(held)
    asked = answer["waiting"]
    assert (asked["ruling"], asked["reason"]) == ("shifted by -5 days", "clock")
    assert (asked["recordings"], asked["holds"]) == (1, [1])
    (shown,) = asked["uncovers"]
    assert (shown["path"], shown["holds"]) == (ODD, [1])
    assert shown["new_start"] == format_utc(START - 5 * DAY)
    (entry,) = held.entries("ruling.proposed")
    assert (entry["request"], entry["holds"]) == (asked["request"], [1])
    (alarm,) = held.entries("alarm.raised")
    assert (alarm["alarm"], alarm["scope"]) == ("ruling", str(asked["request"]))
    assert alarm["cameras"] == [1]
    assert held.verified()


def test_a_second_supervisor_carries_it_out_as_it_was_shown(held):
    number = shift(held)["waiting"]["request"]
    answer = ask(held, "approve", CARA, request=number)
    assert (answer["recordings"], answer["changed_meanwhile"]) == (1, 0)
    row = max(held.rows(), key=lambda row: row.duration)
    assert (row.start, row.state) == (START - 5 * DAY, State.PRESENT)
    (entry,) = held.entries("recordings.resolved")
    assert entry["request"] == number
    assert [one["request"] for one in held.entries("ruling.approved")] == [number]
    assert ask(held, "requests")["requests"] == []
    assert [one["alarm"] for one in held.entries("alarm.ended")] == ["ruling"]
    assert held.verified()


@pytest.mark.parametrize("ruling", ["shift", "times-right"])
def test_a_file_that_grows_while_its_ruling_waits_is_not_cut_to_what_was_shown(
    world, scan, ruling
):
    """Its end is not the one that two people agreed on: it stays in doubt, so that any
    hold on its camera keeps it."""
    world.write("1001/2026-07-01_10-00-00.mp4", T0 - 19 * DAY + HOUR)
    world.write(ODD, START + 3 * HOUR, 10)
    scan()
    world.hold_camera(1, START - 5 * DAY, START - 4 * DAY)
    by = "-5m" if ruling == "shift" else None
    number = shift(world, ruling=ruling, shift=by)["waiting"]["request"]
    world.write(ODD, START + 5 * HOUR, 99)
    scan()
    answer = ask(world, "approve", CARA, request=number)
    assert (answer["recordings"], answer["changed_meanwhile"]) == (0, 1)
    odd = max(world.rows(), key=lambda row: row.size)
    assert (odd.size, odd.state) == (99, State.QUARANTINED)
    assert is_held(world)
    assert world.verified()


@pytest.mark.parametrize(
    ("who", "text"),
    [
        (BEN, "this same account"),
        (replace(CARA, login=BEN.login), "the same person"),
        (replace(CARA, login=UNSET_LOGIN), "not known who logged in"),
        (replace(CARA, uid=0), "not as root"),
    ],
)
def test_who_asked_can_not_agree_to_it_under_any_name(held, who, text):
    number = shift(held)["waiting"]["request"]
    before = held.rows()
    with pytest.raises(NotPermittedError, match=text):
        ask(held, "approve", who, request=number)
    assert (held.rows(), is_held(held)) == (before, True)


@pytest.mark.parametrize(
    "who", [replace(BEN, uid=0), replace(BEN, login=UNSET_LOGIN)], ids=["root", "login"]
)
def test_who_can_not_be_told_from_others_can_not_ask(held, who):
    with pytest.raises(NotPermittedError):
        shift(held, who)
    assert held.entries("ruling.proposed") == []


def test_a_ruling_that_waits_outlives_a_restart_and_can_be_rejected(held):
    number = shift(held)["waiting"]["request"]
    held.catalogue.close()
    held.reopen()
    (waiting,) = ask(held, "requests")["requests"]
    assert (waiting["request"], waiting["requested_by"]) == (number, "ben")
    ask(held, "reject", CARA, request=number, reason="the clock was right")
    (entry,) = held.entries("ruling.rejected")
    assert entry["request"] == number
    assert is_held(held)
    with pytest.raises(RetentionError, match=f"no ruling {number} waits"):
        ask(held, "approve", CARA, request=number)


def test_the_same_ruling_does_not_wait_twice(held):
    shift(held)
    with pytest.raises(RetentionError, match="waits for a second person already"):
        shift(held, CARA)


def test_saying_that_times_are_right_ends_the_doubt_by_which_a_hold_kept_it(held):
    """The hold is on a time before the recording: only the doubt kept it."""
    held.hold_camera(1, START - DAY, START - DAY + HOUR)
    answer = ask(
        held, "resolve", path=ODD, ruling="times_right", reason="a restored file"
    )
    assert answer["recordings"] == 0
    assert answer["waiting"]["holds"] == [2]
    assert is_held(held)


def test_a_ruling_that_uncovers_nothing_takes_one_person(held):
    answer = ask(held, "resolve", path=ODD, ruling="times_right", reason="long")
    assert (answer["recordings"], answer["waiting"]) == (1, None)
    assert is_held(held)


def test_what_is_held_waits_and_the_rest_is_ruled_on(held):
    answer = shift(held, path="nvr1")
    assert (answer["recordings"], answer["waiting"]["recordings"]) == (1, 1)


def test_what_is_no_longer_as_it_was_shown_is_left_as_it_is(held):
    number = shift(held)["waiting"]["request"]
    with held.catalogue.write(Priority.SCAN) as tx:
        (row,) = [one for one in of_1001(held) if one.state is State.QUARANTINED]
        assert recordings.extend(tx, row, row.duration + HOUR)
    before = held.rows()
    answer = ask(held, "approve", CARA, request=number)
    assert (answer["recordings"], answer["changed_meanwhile"]) == (0, 1)
    assert held.rows() == before


def test_a_hold_that_cools_off_keeps_what_it_covers_as_well(held):
    held.release(1, held.NOW, held.NOW + DAY)
    assert shift(held)["waiting"]["holds"] == [1]
    held.now += DAY
    assert ask(held, "reject", request=ask(held, "requests")["requests"][0]["request"],
               reason="it is free")  # fmt: skip
    assert shift(held)["recordings"] == 1


def test_a_hold_keeps_what_another_hold_covers_too(held):
    """Else it would be free with the release of the other."""
    held.hold_camera(1, START - 6 * DAY, START)
    assert shift(held)["waiting"]["holds"] == [1]


def test_the_doubt_of_a_whole_stream_does_not_end_over_held_footage(world, scan):
    first = hourly(world)
    scan()
    world.hold_camera(1, first, first + 2 * HOUR)
    answer = ask(
        world, "resolve", camera="1001", ruling="shift", shift="-1h", reason="BST"
    )
    assert (answer["recordings"], answer["streams"]) == (24, [])
    waiting = answer["waiting"]
    assert (waiting["recordings"], waiting["streams"]) == (22, 1)
    assert world.streams()[0].quarantined is not None
    done = ask(world, "approve", CARA, request=waiting["request"])
    assert (done["recordings"], done["streams"]) == (0, [1])
    assert world.streams()[0].quarantined is None


def test_a_stream_stays_in_doubt_where_more_would_leave_a_hold_than_was_shown(
    world, scan
):
    first = hourly(world)
    scan()
    world.hold_camera(1, first, first + 2 * HOUR)
    number = ask(
        world, "resolve", camera="1001", ruling="shift", shift="-1h", reason="BST"
    )["waiting"]["request"]
    world.hold_camera(1, first + 4 * HOUR, first + 5 * HOUR)
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql(
            "DELETE FROM ruling_row WHERE start > ?", (first + 9 * HOUR,)
        )
    assert ask(world, "approve", CARA, request=number)["streams"] == []
    assert world.streams()[0].quarantined is not None


def test_a_ruling_broken_off_while_it_is_carried_out_moves_nothing_twice(
    held, monkeypatch
):
    """Each file is moved to where its neighbour was."""
    from retention.footage.ingest import ruling_approvals

    for number in range(1, 6):
        mtime = START + (number - 1) * DAY
        held.write(f"1001/2026-07-{10 + number}_10-00-00.mp4", mtime)
    held.scanner().scan(held.NOW, lambda: False)
    answer = ask(
        held, "resolve", camera="1001", ruling="shift", shift="-1d", reason="r"
    )
    waiting = answer["waiting"]
    monkeypatch.setattr(ruling_approvals, "PAGE", 2)
    move, calls = ruling_approvals.resolved, []

    def dies(*given):
        calls.append(given)
        if len(calls) == 2:
            raise RuntimeError("here it broke off")
        return move(*given)

    monkeypatch.setattr(ruling_approvals, "resolved", dies)
    with pytest.raises(RuntimeError):
        ask(held, "approve", CARA, request=waiting["request"])
    ask(held, "approve", CARA, request=waiting["request"])
    starts = sorted(row.start for row in of_1001(held))
    assert starts[1:] == [START + (day - 1) * DAY for day in range(len(starts) - 1)]
    assert len(held.entries("ruling.approved")) == 1


@pytest.mark.parametrize("mtime", [START - DAY, START - 3 * DAY, START + 30 * MINUTE])
@pytest.mark.parametrize("camera", ["1001", "1002"])
def test_a_held_file_that_was_away_is_held_again_whatever_it_says_then(
    held, mtime, camera
):
    """Also where the settings give its name to another camera meanwhile."""
    scanner = held.scanner(cameras={"1001": camera})
    file = held.directory / "nvr1" / ODD
    file.rename(held.directory / "aside")
    held.settle(file.parent)
    scanner.scan(held.NOW, lambda: False)
    scanner.reconcile(held.NOW, lambda: False)
    assert START not in {row.start for row in held.rows()}
    (held.directory / "aside").rename(file)
    held.touch(file, mtime)
    scanner.scan(held.NOW + MINUTE, lambda: False)
    assert is_held(held)
    assert scanner.scan(held.NOW + 2 * MINUTE, lambda: False).added == 0
    assert held.verified()
