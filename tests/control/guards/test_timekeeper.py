"""What is remembered of the clock, over crashes and restarts of the program."""

import pytest

from retention.catalogue import db
from retention.catalogue import log as audit
from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.control.acknowledge import guard_acknowledge
from retention.control.context import Context
from retention.model.errors import CatalogueError
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Actor
from retention.service.timekeeper import Timekeeper
from retention.site.clock import Reading
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.logs import a_catalogue

NOON = 1_795_521_600 * SECOND
ACTOR = Actor(uid=990, login=2**32 - 1, pid=1, role="service")
LOG = audit.Log(site="test", host="h", program="p")


@pytest.fixture
def catalogue(tmp_path):
    made = a_catalogue(
        tmp_path, bytes(32), facts={"uuid": "c"}, log=LOG, at=NOON, actor=ACTOR,
        log_id="id", timezone="UTC",
    )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def keeper(catalogue):
    return Timekeeper(catalogue, LOG, ACTOR)


def at(elapsed, jump=0, *, boot="a", synchronised=False):
    return Reading(NOON + elapsed + jump, elapsed, elapsed, boot, synchronised)


def started(catalogue, first=0):
    """A keeper that has seen a good clock once and wrote that down."""
    keeper = Timekeeper(catalogue, LOG, ACTOR)
    keeper.judge(at(first))
    with catalogue.write(Priority.SCAN) as tx:
        keeper.remember(tx)
    return keeper


def write(catalogue, when):
    with catalogue.write(Priority.SCAN) as tx:
        append_dated(
            LOG, tx, Dated("deletion.resumed", when, ACTOR, {"reason": "test"})
        )


def kinds(catalogue):
    with catalogue.read() as tx:
        return [entry["kind"] for entry in listing(tx)][::-1]


def acknowledge(catalogue, now):
    admin = Actor(uid=0, login=1000, pid=2, role="administrator")
    context = Context(None, catalogue, LOG, now, admin)
    guard_acknowledge(context, guard="clock", reason="new year")


def settle(keeper, start, jump=0):
    for minute in range(11):
        judged = keeper.judge(at(start + minute * MINUTE, jump, synchronised=True))
    return judged


def test_now_is_the_wall_clock_of_the_reading(keeper):
    judged = keeper.judge(at(MINUTE))
    assert judged == (NOON + MINUTE, True, None, False, False)


def test_a_jump_is_on_record_with_the_time_that_the_wall_clock_says(catalogue):
    keeper = started(catalogue)
    judged = keeper.judge(at(MINUTE, 35 * DAY))
    assert (judged.believed, judged.changed) == (False, True)
    with catalogue.read() as tx:
        entry = audit.read(tx, 1)
    assert (entry["kind"], entry["at"]) == ("guard.tripped", NOON + MINUTE + 35 * DAY)


def test_a_jump_is_one_entry_however_often_it_is_seen(catalogue):
    keeper = started(catalogue)
    for minute in range(1, 9):
        keeper.judge(at(minute * MINUTE, HOUR))
    assert kinds(catalogue) == ["log.opened", "guard.tripped"]


def test_a_jump_while_the_program_was_down_is_seen_at_the_next_start(catalogue):
    started(catalogue)
    judged = Timekeeper(catalogue, LOG, ACTOR).judge(at(2 * HOUR, HOUR))
    assert not judged.believed


def test_doubt_outlives_the_program(catalogue):
    started(catalogue).judge(at(MINUTE, HOUR))
    again = Timekeeper(catalogue, LOG, ACTOR)
    assert not again.judge(at(2 * MINUTE, HOUR, synchronised=True)).believed
    assert settle(again, 3 * MINUTE, HOUR).believed


def test_a_long_jump_is_not_forgiven_by_a_restart(catalogue):
    keeper = started(catalogue)
    keeper.judge(at(MINUTE, HOUR))
    keeper.judge(at(2 * MINUTE, 35 * DAY))
    again = Timekeeper(catalogue, LOG, ACTOR)
    assert not settle(again, 3 * MINUTE).believed


def test_clearing_by_itself_is_on_record(catalogue):
    keeper = started(catalogue)
    keeper.judge(at(MINUTE, HOUR))
    assert settle(keeper, 2 * MINUTE, HOUR).changed
    assert kinds(catalogue)[-1] == "guard.cleared"


def test_entries_dated_by_a_wrong_clock_are_no_measure_once_it_is_right(catalogue):
    """An hour ahead, and back: the entries of that hour must not trip it again."""
    keeper = started(catalogue)
    keeper.judge(at(MINUTE, HOUR))
    write(catalogue, NOON + 2 * MINUTE + HOUR)
    assert settle(keeper, 3 * MINUTE).believed
    assert keeper.judge(at(20 * MINUTE)).believed
    assert Timekeeper(catalogue, LOG, ACTOR).judge(at(21 * MINUTE)).believed


def test_an_entry_of_a_believed_clock_is_a_measure_at_once(catalogue):
    keeper = started(catalogue)
    write(catalogue, NOON + HOUR)
    assert not keeper.judge(at(2 * MINUTE)).believed


def test_an_entry_written_since_the_last_note_is_a_measure_after_a_crash(catalogue):
    started(catalogue)
    write(catalogue, NOON + HOUR)
    assert not Timekeeper(catalogue, LOG, ACTOR).judge(at(2 * MINUTE)).believed


def test_a_clock_before_the_last_entry_is_in_the_past(catalogue):
    keeper = started(catalogue)
    write(catalogue, NOON)
    judged = keeper.judge(at(MINUTE, -HOUR))
    assert judged.past
    assert not keeper.judge(at(MINUTE, 2 * HOUR)).past


def test_an_idle_cycle_writes_nothing(catalogue):
    keeper = started(catalogue)
    before = (catalogue.path.parent / f"{db.NAME}-wal").stat()
    for minute in range(30):
        keeper.judge(at(minute * MINUTE))
    after = (catalogue.path.parent / f"{db.NAME}-wal").stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def test_after_an_acknowledgement_the_clock_is_believed_as_it_is(catalogue):
    keeper = started(catalogue)
    keeper.judge(at(MINUTE, 35 * DAY))
    acknowledge(catalogue, NOON + 2 * MINUTE + 35 * DAY)
    assert keeper.judge(at(3 * MINUTE, 35 * DAY)).believed
    assert Timekeeper(catalogue, LOG, ACTOR).judge(at(HOUR, 35 * DAY)).believed


def test_after_an_acknowledgement_a_further_jump_trips_again(catalogue):
    keeper = started(catalogue)
    keeper.judge(at(MINUTE, 2 * DAY))
    acknowledge(catalogue, NOON + 2 * MINUTE + 2 * DAY)
    assert not keeper.judge(at(3 * MINUTE, 35 * DAY)).believed


def test_doubt_that_can_not_be_written_is_doubt_all_the_same(catalogue):
    keeper = started(catalogue)
    read_only = db.open_(catalogue.path, read_only=True)
    keeper._catalogue, good = read_only, keeper._catalogue
    for _ in range(2):
        with pytest.raises(CatalogueError):
            keeper.judge(at(MINUTE, HOUR))
    assert not keeper._state.believed
    read_only.close()
    keeper._catalogue = good
    keeper.judge(at(2 * MINUTE, HOUR))
    assert kinds(catalogue) == ["log.opened", "guard.tripped"]


def test_where_the_kernels_word_is_ignored_it_neither_excuses_nor_clears(catalogue):
    started(catalogue)
    keeper = Timekeeper(catalogue, LOG, ACTOR, synchronised="ignored")
    keeper.judge(at(MINUTE, HOUR))
    assert not settle(keeper, 2 * MINUTE, HOUR).believed


def test_where_it_is_required_nothing_goes_without_it(catalogue):
    keeper = Timekeeper(catalogue, LOG, ACTOR, synchronised="required")
    assert not keeper.judge(at(0)).believed
    assert settle(keeper, MINUTE).believed


def test_thirty_five_days_ahead_and_back_again_is_never_believed(catalogue):
    keeper = started(catalogue)
    ahead = [keeper.judge(at(n * MINUTE, 35 * DAY, synchronised=True)) for n in (1, 30)]
    back = [keeper.judge(at(n * MINUTE, synchronised=True)) for n in (31, 60, 90)]
    assert not any(judged.believed for judged in ahead + back)


def seen_and_written(catalogue, seen, mtime):
    with catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql(
            "INSERT INTO quarantine VALUES (1, 0, ?, ?, ?, 'dated in the future')",
            (mtime, seen, mtime),
        )


def first_seen(catalogue):
    with catalogue.read() as tx:
        rows = tx.exec_driver_sql("SELECT seen FROM quarantine ORDER BY n")
        return [seen - NOON for (seen,) in rows]


def test_what_a_clock_that_was_behind_saw_first_was_seen_later(catalogue):
    """The clock was half an hour behind when these came, then it was put right: one file
    is of that time, one of a recorder that is days ahead, one was there before."""
    keeper = started(catalogue)
    for mtime in (NOON + 20 * MINUTE, NOON + 9 * DAY, NOON - DAY):
        seen_and_written(catalogue, NOON, mtime)
    settle(keeper, MINUTE, 30 * MINUTE)
    assert keeper.judge(at(12 * MINUTE, 30 * MINUTE, synchronised=True)).believed
    assert first_seen(catalogue) == [0, 20 * MINUTE, 30 * MINUTE]


def test_who_vouches_for_a_clock_corrects_what_it_saw_too_early(catalogue):
    """A machine without a battery: 40 days behind, and believed, until it was told."""
    keeper = started(catalogue)
    seen_and_written(catalogue, NOON, NOON + 39 * DAY)
    seen_and_written(catalogue, NOON, NOON + 90 * DAY)
    assert not keeper.judge(at(MINUTE, 40 * DAY)).believed
    now = NOON + 40 * DAY + 2 * MINUTE
    acknowledge(catalogue, now)
    assert first_seen(catalogue) == [39 * DAY, 40 * DAY]


def test_nothing_was_first_seen_after_now(catalogue):
    """The clock was ahead for a while; what came then is not kept longer for it."""
    keeper = started(catalogue)
    keeper.judge(at(MINUTE, 2 * HOUR))
    seen_and_written(catalogue, NOON + 2 * HOUR + MINUTE, NOON + MINUTE)
    settle(keeper, 2 * MINUTE)
    assert first_seen(catalogue) == [12 * MINUTE]


def test_a_day_in_all_may_pass_on_the_word_of_the_clock_not_at_each_start(catalogue):
    """Ahead by 23 hours more at each start of the machine, and never synchronised."""
    started(catalogue)
    believed = []
    for number in range(1, 6):
        keeper = Timekeeper(catalogue, LOG, ACTOR)
        judged = keeper.judge(at(MINUTE, number * 23 * HOUR, boot=f"start {number}"))
        with catalogue.write(Priority.SCAN) as tx:
            keeper.remember(tx)
        believed.append(judged.believed)
    assert believed == [True, False, False, False, False]


def test_the_kernels_word_begins_the_day_anew(catalogue):
    started(catalogue)
    for number, synchronised in enumerate((False, True, False), 1):
        keeper = Timekeeper(catalogue, LOG, ACTOR)
        jump, boot = number * 23 * HOUR, f"start {number}"
        reading = at(MINUTE, jump, boot=boot, synchronised=synchronised)
        assert keeper.judge(reading).believed
        with catalogue.write(Priority.SCAN) as tx:
            keeper.remember(tx)
