"""The arithmetic behind every answer: what is said of a window leaves nothing out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retention.model.coverage import (
    NO_GAP,
    SILENCE,
    STARTED,
    STOPPED,
    Fate,
    Layer,
    Piece,
    WatchedRoot,
    Written,
    account,
    bridged,
    clipped,
    close_gaps,
    down,
    explained,
    joined,
    layers_of,
    length,
    split,
)
from retention.model.policy import merge
from retention.model.values import HOUR, MINUTE, SECOND, Window

instants = st.integers(0, 60)
windows = st.builds(lambda a, b: Window(min(a, b), max(a, b) + 1), instants, instants)
merged = st.lists(windows, max_size=6).map(lambda found: list(merge(found)))
layers = st.lists(
    st.builds(
        Layer,
        st.sampled_from(sorted(set(Fate) - {Fate.SILENT})),
        st.sampled_from(["", "a", "b"]),
        merged,
    ),
    max_size=6,
)


def at(instant, windows_):
    return any(start <= instant < end for start, end in windows_)


def said(pieces, instant):
    """What the pieces say of one instant; there is exactly one that has it."""
    (piece,) = [one for one in pieces if one.start <= instant < one.end]
    return piece[2:]


@given(merged, merged)
def test_a_split_is_what_is_inside_and_what_is_outside(whole, by):
    inside, outside = split(whole, by)
    for instant in range(-1, 63):
        assert at(instant, inside) == (at(instant, whole) and at(instant, by))
        assert at(instant, outside) == (at(instant, whole) and not at(instant, by))
    assert length(inside) + length(outside) == length(whole)
    assert inside == sorted(inside)
    assert outside == sorted(outside)


@given(windows, layers)
def test_an_account_has_every_instant_of_the_window_once_as_its_first_layer_says(
    window, found
):
    pieces = account(window, found, Fate.SILENT)
    assert pieces[0].start == window.start
    assert pieces[-1].end == window.end
    for one, following in pairwise(pieces):
        assert one.end == following.start
        assert one[2:] != following[2:]
    for instant in range(*window):
        first = next((one for one in found if at(instant, one.windows)), None)
        expected = (Fate.SILENT, "") if first is None else (first.fate, first.why)
        assert said(pieces, instant) == expected


@given(windows)
def test_an_account_of_nothing_is_the_whole_window(window):
    assert account(window, [], Fate.SILENT) == [Piece(*window, Fate.SILENT)]


def test_an_empty_window_has_no_pieces():
    assert account(Window(5, 5), [], Fate.SILENT) == []


@given(windows, layers, layers)
def test_explaining_moves_no_edge_and_speaks_only_of_silence(window, first, reasons):
    pieces = account(window, first, Fate.SILENT)
    after = explained(pieces, reasons)
    assert sum(one.end - one.start for one in after) == window.end - window.start
    for instant in range(*window):
        before, now = said(pieces, instant), said(after, instant)
        reason = next((one for one in reasons if at(instant, one.windows)), None)
        if before == (Fate.SILENT, "") and reason is not None:
            assert now == (reason.fate, reason.why)
        else:
            assert now == before


@given(windows, layers, windows)
def test_clipping_keeps_what_is_said_and_nothing_outside(window, found, part):
    pieces = account(window, found, Fate.SILENT)
    kept = clipped(pieces, part)
    for instant in range(-1, 63):
        inside = at(instant, [window]) and at(instant, [part])
        assert at(instant, [piece[:2] for piece in kept]) == inside
        if inside:
            assert said(kept, instant) == said(pieces, instant)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), max_size=8))
def test_bridging_joins_what_less_than_two_seconds_divide(found):
    half = SECOND // 2
    real = [Window(start * half, (start + long) * half) for start, long in found]
    joined_ = bridged(real)
    for one, following in pairwise(joined_):
        assert following.start - one.end >= NO_GAP
    for window in real:
        assert split([window], joined_)[1] == []
    for gap in split(joined_, merge(real))[1]:
        assert gap.end - gap.start < NO_GAP


def test_a_gap_of_less_than_two_seconds_between_recordings_is_none():
    kept, gone = Fate.PROTECTED, Fate.DELETED
    pieces = [
        Piece(0, 60 * SECOND, kept),
        Piece(60 * SECOND, 62 * SECOND - 1, Fate.SILENT),
        Piece(62 * SECOND - 1, 100 * SECOND, gone),
    ]
    assert close_gaps(pieces) == [
        Piece(0, 62 * SECOND - 1, kept),
        Piece(62 * SECOND - 1, 100 * SECOND, gone),
    ]


def test_a_gap_of_two_seconds_is_one_and_so_is_a_short_one_at_an_edge():
    pieces = [
        Piece(0, SECOND, Fate.SILENT),
        Piece(SECOND, 60 * SECOND, Fate.PROTECTED),
        Piece(60 * SECOND, 62 * SECOND, Fate.SILENT),
        Piece(62 * SECOND, 90 * SECOND, Fate.PROTECTED),
        Piece(90 * SECOND, 91 * SECOND, Fate.SILENT),
    ]
    assert close_gaps(pieces) == pieces


@given(windows, layers)
def test_closing_gaps_moves_no_edge_of_the_whole(window, found):
    window = Window(window.start * SECOND, window.end * SECOND)
    wide = [
        Layer(fate, why, [Window(a * SECOND, b * SECOND) for a, b in parts])
        for fate, why, parts in found
    ]
    pieces = account(window, wide, Fate.SILENT)
    closed = close_gaps(pieces)
    assert (closed[0].start, closed[-1].end) == window
    for one, following in pairwise(closed):
        assert one.end == following.start


def test_joining_keeps_pieces_that_do_not_touch_apart():
    pieces = [Piece(0, 1, Fate.LOST), Piece(2, 3, Fate.LOST), Piece(3, 4, Fate.LOST)]
    assert joined(pieces) == [Piece(0, 1, Fate.LOST), Piece(2, 4, Fate.LOST)]


DAY_ = Window(0, 24 * HOUR)


def test_a_service_with_hourly_signs_was_never_down():
    signs = [(-HOUR, STARTED), *((hour * HOUR, "heartbeat") for hour in range(24))]
    assert down(DAY_, signs, 24 * HOUR) == []


def test_between_a_stop_and_the_next_start_the_service_was_down():
    signs = [(0, STARTED), (10 * MINUTE, STOPPED), (50 * MINUTE, STARTED)]
    assert down(Window(0, HOUR), signs, HOUR) == [Window(10 * MINUTE, 50 * MINUTE)]


def test_after_a_crash_it_counts_as_down_from_its_last_sign():
    signs = [(0, STARTED), (HOUR, "heartbeat"), (HOUR + 5 * MINUTE, STARTED)]
    until = HOUR + 30 * MINUTE
    assert down(Window(0, until), signs, until) == [Window(HOUR, HOUR + 5 * MINUTE)]


def test_a_sleeping_machine_did_not_watch():
    signs = [(0, STARTED), (HOUR, "heartbeat"), (6 * HOUR, "heartbeat")]
    until = 7 * HOUR
    assert down(Window(0, until), signs, until) == [Window(HOUR, 6 * HOUR)]


def test_before_its_first_sign_and_after_a_last_stop_nothing_watched():
    signs = [(2 * HOUR, STARTED), (3 * HOUR, STOPPED)]
    assert down(DAY_, signs, 24 * HOUR) == [
        Window(0, 2 * HOUR),
        Window(3 * HOUR, 24 * HOUR),
    ]
    assert down(DAY_, [], 24 * HOUR) == [DAY_]


kinds = st.sampled_from([STARTED, STOPPED, "heartbeat"])
log_signs = st.lists(st.tuples(st.integers(-10, 70), kinds), max_size=12)


@given(log_signs, windows)
def test_down_stays_in_the_window_whatever_a_clock_did(found, window):
    """Entries are in the order of writing, their times need not be."""
    scaled = Window(window.start * SILENCE, window.end * SILENCE)
    signs = [(instant * SILENCE, kind) for instant, kind in found]
    parts = down(scaled, signs, 70 * SILENCE)
    assert parts == list(merge(parts))
    for part in parts:
        assert scaled.start <= part.start < part.end <= scaled.end


NOW = 100 * HOUR
ASKED = Window(90 * HOUR, 100 * HOUR)
WATCH = WatchedRoot(
    name="nvr1", adopted=0, scanned=NOW, available=True, looked=True, quiet=0,
    max_length=HOUR,
)  # fmt: skip


def why(watches, down_=()):
    """The whole of `ASKED`, nothing of it recorded, explained."""
    layers_ = layers_of(watches, down_, ASKED)
    return explained([Piece(*ASKED, Fate.SILENT)], layers_)


def test_where_all_was_watched_no_recording_was_seen():
    later = WATCH._replace(scanned=NOW + 2 * HOUR)
    assert why([later]) == [Piece(*ASKED, Fate.SILENT)]


def test_after_the_last_scan_it_is_not_known_yet():
    stale = WATCH._replace(scanned=95 * HOUR)
    assert why([stale])[-1] == Piece(95 * HOUR, NOW, Fate.PENDING, "not scanned yet")
    gone = stale._replace(available=False)
    assert why([gone])[-1] == Piece(
        95 * HOUR, NOW, Fate.PENDING, "root nvr1 unavailable"
    )


def test_a_root_that_nobody_read_yet_may_have_all_of_it():
    new = WATCH._replace(scanned=None, adopted=None)
    assert why([new]) == [Piece(*ASKED, Fate.PENDING, "not scanned yet")]


def test_what_a_stream_that_goes_on_records_now_is_being_written():
    minutes_ = Written(99 * HOUR + 59 * MINUTE, MINUTE, HOUR)
    assert why([WATCH._replace(written=[minutes_])]) == [
        Piece(90 * HOUR, minutes_.last_end, Fate.SILENT),
        Piece(minutes_.last_end, NOW, Fate.PENDING, "being written"),
    ]


def test_of_a_silent_stream_only_its_longest_file_is_waited_for():
    silent = Written(95 * HOUR, MINUTE, 30 * MINUTE)
    watch = WATCH._replace(written=[silent], max_length=30 * MINUTE)
    assert why([watch]) == [
        Piece(90 * HOUR, NOW - 30 * MINUTE, Fate.SILENT),
        Piece(NOW - 30 * MINUTE, NOW, Fate.UNKNOWN, "nothing finished yet"),
    ]


def test_a_stream_that_missed_more_than_one_file_has_fallen_silent():
    for minutes_, expected in ((2, "being written"), (3, "nothing finished yet")):
        written = Written(NOW - minutes_ * MINUTE, MINUTE, HOUR)
        assert why([WATCH._replace(written=[written])])[-1].why == expected


def test_before_the_end_of_its_last_file_a_silent_stream_waits_for_nothing():
    silent = Written(NOW - 20 * MINUTE, MINUTE, HOUR)
    assert why([WATCH._replace(written=[silent])]) == [
        Piece(90 * HOUR, NOW - 20 * MINUTE, Fate.SILENT),
        Piece(NOW - 20 * MINUTE, NOW, Fate.UNKNOWN, "nothing finished yet"),
    ]


def test_an_hour_long_file_being_written_is_not_hidden_by_short_ones():
    watch = WATCH._replace(
        written=[
            Written(NOW - 5 * MINUTE, MINUTE, MINUTE),
            Written(NOW - 50 * MINUTE, HOUR, HOUR),
        ]
    )
    pieces = why([watch])
    assert pieces[-1] == Piece(NOW - 50 * MINUTE, NOW, Fate.PENDING, "being written")


def test_a_look_that_did_not_end_leaves_the_newest_files_unread():
    minutes_ = Written(NOW - MINUTE, MINUTE, HOUR)
    watch = WATCH._replace(written=[minutes_], looked=False)
    assert why([watch])[-1] == Piece(NOW - MINUTE, NOW, Fate.PENDING, "not scanned yet")


def test_before_adoption_without_the_disk_and_without_the_service_is_not_known():
    watch = WATCH._replace(
        scanned=NOW + 2 * HOUR,
        adopted=91 * HOUR,
        out=[Window(92 * HOUR, 93 * HOUR)],
    )
    assert why([watch], [Window(93 * HOUR, 94 * HOUR)]) == [
        Piece(90 * HOUR, 91 * HOUR, Fate.UNKNOWN, "before adoption"),
        Piece(91 * HOUR, 92 * HOUR, Fate.SILENT),
        Piece(92 * HOUR, 93 * HOUR, Fate.UNKNOWN, "root nvr1 unavailable"),
        Piece(93 * HOUR, 94 * HOUR, Fate.UNKNOWN, "service down"),
        Piece(94 * HOUR, 100 * HOUR, Fate.SILENT),
    ]


def test_one_root_that_may_have_it_is_enough_for_not_saying_that_there_was_nothing():
    sure = WATCH._replace(scanned=NOW + 2 * HOUR)
    away = WATCH._replace(name="nvr2", scanned=95 * HOUR, available=False)
    assert why([sure, away])[-1] == Piece(
        95 * HOUR, NOW, Fate.PENDING, "root nvr2 unavailable"
    )


def test_a_service_that_was_just_stopped_is_down_at_once():
    until = HOUR + 10 * MINUTE
    signs = [(0, STARTED), (HOUR, STOPPED)]
    assert down(Window(0, until), signs, until) == [Window(HOUR, until)]
