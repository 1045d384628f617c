"""When a root was looked at: the first look after an end, from a short list of gaps."""

from hypothesis import given
from hypothesis import strategies as st

from retention.model.policy import LOOKS_APART, InDoubt, Looks, add_look
from retention.model.values import DAY, MINUTE, Window

minutes = st.integers(0, 5_000).map(lambda n: n * MINUTE)


@st.composite
def looked(draw):
    """The instants of whole scans, a few apart, now and then with a long gap."""
    apart = st.sampled_from([1, 1, 5, 10, 11, 60, 3_000]).map(lambda n: n * MINUTE)
    times = [draw(minutes)]
    for step in draw(st.lists(apart, max_size=30)):
        times.append(times[-1] + step)
    return times


def looks_of(times, oldest=0):
    found = None
    for at in times:
        found = add_look(found, at, oldest)
    return found


@given(looked(), minutes)
def test_the_first_look_after_an_end_is_told_from_the_gaps(times, end):
    later = [at for at in times if at > end]
    found = looks_of(times).after(end)
    if not later:
        assert found is None
    elif end < times[0]:
        assert found == times[0]
    else:
        before = max(at for at in times if at <= end)
        close = later[0] - before <= LOOKS_APART
        assert found == (end if close else later[0])


stream_doubts = st.builds(
    lambda at, times: InDoubt(at, times and looks_of(times)),
    minutes,
    st.none() | looked(),
)


@given(stream_doubts, minutes, minutes)
def test_what_counts_from_an_instant_or_sooner_is_all_that_ended_by_another(
    doubt, end, cutoff
):
    assert (doubt.since(end) <= cutoff) == (end <= doubt.latest(cutoff))


@given(stream_doubts, minutes)
def test_a_doubt_counts_from_the_end_or_later_and_never_from_after_the_doubt(
    doubt, end
):
    assert end <= doubt.since(end) <= max(end, doubt.at)


def test_gaps_are_forgotten_after_the_period():
    times = [0, DAY, DAY + MINUTE, 40 * DAY]
    assert looks_of(times, oldest=2 * DAY).gaps == (Window(DAY + MINUTE, 40 * DAY),)


def test_a_thousand_gaps_are_a_short_list_that_never_counts_from_sooner():
    times = [n * 20 * MINUTE for n in range(1_000)]
    found = looks_of(times)
    assert len(found.gaps) == 100
    for end in range(0, times[-1], 7 * MINUTE):
        assert found.after(end) >= min(at for at in times if at > end)


def test_before_the_first_look_it_is_the_first():
    assert Looks(DAY, 2 * DAY).after(5) == DAY
