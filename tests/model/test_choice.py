"""What a deletion cycle does next, in situations of all kinds, without a database."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given as given_
from hypothesis import settings
from hypothesis import strategies as st

from retention.model.choice import (
    Batch,
    Blocked,
    Clear,
    Due,
    Finish,
    Forgive,
    Nothing,
    PlanDone,
    Scope,
    Situation,
    Standing,
    TooMany,
    Versions,
    Volume,
    choose,
)
from retention.model.localtime import counted
from retention.model.policy import Holds, InDoubt, merge
from retention.model.values import HOUR, State, Window
from tests.support import campaign


def given(*drawn):
    """Some situations a test: all tests together draw a thousand."""
    return lambda test: settings(max_examples=campaign.share(500))(given_(*drawn)(test))


NOW = 100
CLEAR = Standing(adopted=0, caught_up=50)

# Four streams of three cameras; the catalogue may call due whatever it likes.
CAMERAS = {1: 1, 2: 2, 3: 3, 4: 3}

windows = st.lists(
    st.tuples(st.integers(0, 110), st.integers(1, 30)).map(
        lambda found: Window(found[0], sum(found))
    ),
    max_size=3,
)


def recording(state, stream, start, n, duration, due, mtime, seen):
    doubted = state == State.QUARANTINED or (state == State.FAILED and n > 5)
    first = seen if doubted else None
    return Due(stream, start, n, duration, 1, None, due, mtime, state, first)


def several(*states):
    """Rows as the catalogue may give them; what it calls due is as it may be."""
    one = st.builds(
        recording,
        st.sampled_from(states),
        st.sampled_from(sorted(CAMERAS)),
        st.integers(0, 100),
        st.integers(0, 9),
        st.integers(1, 20),
        st.integers(0, 200),
        st.integers(0, 130),
        st.integers(0, 100),
    )
    return st.lists(one, max_size=3, unique_by=lambda row: row.key).map(tuple)


FAILED = several(State.FAILED)
VOLUMES = st.builds(
    Volume, st.integers(0, 9), st.integers(0, 9), st.none() | st.just(7)
)


@st.composite
def situations(draw, standing=CLEAR, volume=VOLUMES, failed=FAILED):
    holds = {camera: draw(windows) for camera in set(CAMERAS.values())}
    period = draw(st.integers(0, 60))
    scopes = {
        stream: Scope(
            stream, camera, period + camera, 20,
            draw(st.sampled_from([None, None, InDoubt(0), InDoubt(30), InDoubt(99)])),
            NOW,
        )
        for stream, camera in CAMERAS.items()
    }  # fmt: skip
    rows = draw(several(State.PRESENT, State.QUARANTINED))
    keys = {row.key for row in rows}
    return Situation(
        standing=standing,
        caught_up=draw(st.integers(0, 150)),
        soonest=draw(st.none() | st.integers(0, 300)),
        volume=draw(volume),
        versions=Versions(3, 4),
        scopes=scopes,
        held={camera: Holds(merge(found)) for camera, found in holds.items()},
        rows=rows,
        planned=tuple(
            row
            for row in draw(several(State.PRESENT, State.QUARANTINED))
            if row.key not in keys
        ),
        failed=draw(failed),
        limit=draw(st.integers(1, 12)),
    )


calm = situations(volume=st.just(Volume()), failed=st.just(()))
planned = situations(volume=st.just(Volume(plan=7)), failed=st.just(()))


def since(row, scope):
    """From when the period of a recording counts, said once more."""
    if row.seen is not None:
        return row.seen
    return max(row.start + row.duration, scope.in_doubt.at if scope.in_doubt else 0)


def touched(situation, row):
    """Whether a hold covers it, minute by minute as it were."""
    scope = situation.scopes[row.stream]
    windows = situation.held[scope.camera].windows
    if row.seen is not None or scope.in_doubt is not None:
        return bool(windows)
    return any(
        window.start <= at < window.end
        for window in windows
        for at in range(row.start, row.start + row.duration)
    )


def may_go(situation, row, until=NOW):
    scope = situation.scopes[row.stream]
    return not touched(situation, row) and since(row, scope) + scope.period <= until


def chosen(situation):
    choice = choose(situation, NOW)
    return choice.rows if isinstance(choice, Batch) else ()


# -- what is never chosen -------------------------------------------------------------


@given(situations())
def test_no_recording_that_a_hold_covers_is_chosen(situation):
    for row in chosen(situation):
        assert not touched(situation, row)


@given(situations())
def test_no_recording_is_chosen_before_its_period_is_over(situation):
    for row in chosen(situation):
        scope = situation.scopes[row.stream]
        assert since(row, scope) + scope.period <= NOW


@given(planned)
def test_under_a_plan_nothing_goes_that_it_does_not_list(situation):
    assert set(chosen(situation)) <= set(situation.planned)


@given(planned)
def test_under_a_plan_nothing_goes_that_is_not_due(situation):
    for row in chosen(situation):
        assert may_go(situation, row)


@given(situations())
def test_without_a_plan_nothing_goes_that_only_a_plan_would_permit(situation):
    if situation.volume.plan is None:
        keys = {row.key for row in situation.planned}
        assert keys.isdisjoint(row.key for row in chosen(situation))


@given(
    situations(
        volume=st.builds(Volume, st.integers(1, 9), st.just(0), st.none(), st.just(0))
    )
)
def test_more_surprises_than_may_go_wait_for_a_person(situation):
    choice = choose(situation, NOW)
    assert isinstance(choice, TooMany)
    assert counted(situation.volume.surprises, "recording") in choice.why


@given(
    situations(volume=st.builds(Volume, st.just(0), st.just(9), st.none(), st.just(1)))
)
def test_what_was_due_when_it_was_found_waits_whatever_is_allowed(situation):
    choice = choose(situation, NOW)
    assert isinstance(choice, TooMany)
    assert "due when first catalogued" in choice.why


@given(situations(), st.sampled_from(sorted(CAMERAS)), windows)
def test_another_hold_never_adds_a_recording(situation, stream, more):
    situation = replace(situation, limit=99)
    camera = CAMERAS[stream]
    both = Holds(merge([*situation.held[camera].windows, *more]))
    held = {**situation.held, camera: both}
    assert set(chosen(replace(situation, held=held))) <= set(chosen(situation))


@given(situations())
def test_no_batch_is_larger_than_one_may_be(situation):
    assert len(chosen(situation)) <= situation.limit


# -- what is always chosen ------------------------------------------------------------


@given(calm)
def test_what_is_due_is_chosen_where_nothing_is_in_the_way(situation):
    due = [row for row in situation.rows if may_go(situation, row)]
    assert list(chosen(situation)) == due[: situation.limit]


@given(planned)
def test_what_a_plan_lists_and_is_due_is_chosen(situation):
    due = [row for row in situation.planned if may_go(situation, row)]
    assert list(chosen(situation)) == due[: situation.limit]


@given(situations(volume=st.just(Volume())))
def test_a_failed_file_is_tried_again_or_forgiven(situation):
    """Those of which nothing is due any more first, then the others in their turn."""
    choice = choose(situation, NOW)
    over = [row.key for row in situation.failed if not may_go(situation, row)]
    if over:
        assert isinstance(choice, Forgive)
        assert [row.key for row in choice.rows] == over
        return
    situation = replace(situation, limit=99)
    due = {row.key: row.due for row in chosen(situation)}
    for row in situation.failed:
        scope = situation.scopes[row.stream]
        assert due[row.key] == since(row, scope) + scope.period


# -- what stands in the way -----------------------------------------------------------

blocking = st.sampled_from(
    [
        (replace(CLEAR, paused_until=NOW + HOUR), "paused until 1970-01-01T01:00"),
        (replace(CLEAR, guards=("clock: in doubt",)), "guard clock: in doubt"),
        (replace(CLEAR, adopted=None), "not scanned completely yet"),
    ]
)


@given(blocking, st.data())
def test_whatever_is_due_a_pause_a_guard_or_a_new_root_comes_first(blocked, data):
    standing, why = blocked
    standing = replace(standing, unfinished=data.draw(st.sampled_from([(), (3,)])))
    found = choose(data.draw(situations(standing=standing)), NOW)
    assert isinstance(found, Blocked)
    assert found.why.startswith(why)


def test_a_pause_is_over_at_the_instant_that_it_says():
    standing = replace(CLEAR, paused_until=NOW)
    assert standing.blocked(NOW - 1) is not None
    assert standing.blocked(NOW) is None


@given(situations(standing=replace(CLEAR, unfinished=(3, 8))))
def test_what_was_left_open_is_finished_first(situation):
    assert choose(situation, NOW) == Finish((3, 8))


@pytest.mark.parametrize(
    ("plan", "reason"),
    [(None, "no more is due than there should be"), (7, "plan 7 was approved")],
)
def test_the_volume_guard_is_cleared_before_anything_goes(plan, reason):
    standing = replace(CLEAR, volume_tripped=True)
    found = choose(Situation(standing, volume=Volume(plan=plan)), NOW)
    assert found == Clear(reason)


# -- the end --------------------------------------------------------------------------


def test_where_nothing_is_due_it_says_until_when():
    assert choose(Situation(CLEAR, soonest=NOW + 1), NOW) == Nothing(NOW + 1)
    assert choose(Situation(CLEAR), NOW) == Nothing(None)


def test_a_plan_of_which_nothing_is_left_is_done():
    assert choose(Situation(CLEAR, volume=Volume(plan=7)), NOW) == PlanDone(7)


@given(situations(volume=st.just(Volume()), failed=st.just(())))
def test_a_catalogue_that_calls_only_held_recordings_due_is_told_so(situation):
    if situation.rows and not any(may_go(situation, row) for row in situation.rows):
        assert isinstance(choose(situation, NOW), Blocked)


# -- what a batch is decided with -----------------------------------------------------


@given(situations())
def test_a_batch_tells_what_it_was_decided_with_and_how_many_surprises_it_takes(
    situation,
):
    choice = choose(situation, NOW)
    if isinstance(choice, Batch):
        decided = choice.decided
        assert decided.versions == situation.versions
        assert decided.caught_up == situation.caught_up
        for row in choice.rows:
            camera = situation.scopes[row.stream].camera
            assert decided.holds[camera] == situation.held[camera]
        known = [row for row in choice.rows if row.state != State.FAILED]
        early = [row for row in known if row.due <= situation.caught_up]
        permitted = situation.volume.plan is not None
        of = Counter(situation.scopes[row.stream].camera for row in early)
        assert decided.surprises == ({} if permitted else of)
