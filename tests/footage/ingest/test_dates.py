"""Pure rules of ingest, and the memory of a scan, by property."""

from hypothesis import given
from hypothesis import strategies as st

from retention.footage.ingest.dates import (
    Around,
    DatingRules,
    RecordingSpan,
    WrittenOn,
    date,
    judge_change,
    zone_offset,
)
from retention.footage.ingest.seen import Names, Waiting
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Recording

NOW = 1_784_550_000 * SECOND
RULES = DatingRules(NOW, HOUR, 5 * MINUTE)

names = st.sets(
    st.binary(min_size=1, max_size=6).filter(lambda name: b"\0" not in name)
)
instants = st.integers(NOW - 30 * DAY, NOW)


@given(names, st.lists(st.tuples(st.booleans(), names), max_size=8))
def test_names_are_a_set(first, moves):
    kept, expected = Names(first), set(first)
    for add, some in moves:
        (kept.add if add else kept.drop)(some)
        expected = expected | some if add else expected - some
        assert kept.everything() == expected


@given(st.integers(1_001, 1_200))
def test_many_moves_are_packed_away(count):
    kept = Names(b"%d" % number for number in range(50))
    kept.add(b"x%d" % number for number in range(count))
    assert not kept._added
    assert len(kept.everything()) == 50 + count


@given(st.lists(st.tuples(instants, st.integers(-HOUR, 2 * HOUR)), max_size=20))
def test_every_recording_is_at_least_a_microsecond_and_covers_its_mtime(found):
    """Where nothing is in doubt, the end is never before the file was last written."""
    files = sorted(RecordingSpan(start, start + length) for start, length in found)
    for (start, mtime), dated in zip(files, date(files, [], RULES, None), strict=True):
        assert dated.end > dated.start == start
        if dated.reason is None:
            assert dated.end >= mtime


@given(st.lists(st.tuples(instants, st.integers(1, HOUR)), min_size=1, max_size=20))
def test_dating_files_one_by_one_or_together_gives_the_same(found):
    files = sorted(
        {start: RecordingSpan(start, start + n) for start, n in found}.values()
    )
    starts = [file.start for file in files]
    single = [date([file], starts, RULES, None)[0] for file in files]
    assert single == date(files, [], RULES, None)


@given(
    st.integers(1, HOUR), st.integers(0, 100), st.integers(0, 100),
    st.integers(-2 * HOUR, 3 * HOUR),
)  # fmt: skip
def test_a_second_look_never_shortens(duration, old, new, moved):
    row = Recording(1, NOW - DAY, 0, duration, old)
    found = judge_change(row, None, new, row.start + moved, Around(), RULES)
    if isinstance(found, WrittenOn):
        assert found.duration >= row.duration
        assert found.size >= row.size


@given(st.lists(st.integers(1, 60), min_size=4, max_size=60))
def test_a_continuous_stream_in_its_own_zone_is_never_doubted(minutes):
    spans, at = [], NOW - 30 * DAY
    for length in minutes:
        spans.append(RecordingSpan(at, at + length * MINUTE))
        at += length * MINUTE
    assert zone_offset(spans, RULES) is None


@given(
    st.lists(st.integers(1, 60), min_size=4, max_size=60),
    st.integers(-24, 24).filter(bool),
)
def test_a_continuous_stream_in_another_zone_is_always_doubted(minutes, halves):
    offset = halves * 30 * MINUTE
    spans, at = [], NOW - 30 * DAY
    for length in minutes:
        spans.append(RecordingSpan(at + offset, at + length * MINUTE))
        at += length * MINUTE
    assert zone_offset(spans, RULES) == offset


def test_a_file_on_a_network_is_not_quiet_at_the_first_look():
    """Its attributes may be a minute old."""
    waiting = Waiting(30 * SECOND, network=True)
    mtime = NOW - MINUTE
    assert not waiting.is_quiet("s", b"p", 0, 1, mtime, NOW)
    assert not waiting.is_quiet("s", b"p", 0, 1, mtime, NOW + 29 * SECOND)
    assert waiting.is_quiet("s", b"p", 0, 1, mtime, NOW + 30 * SECOND)
    assert Waiting(30 * SECOND, network=False).is_quiet("s", b"p", 0, 1, mtime, NOW)


def test_open_files_that_went_away_are_forgotten():
    waiting = Waiting(30 * SECOND, network=False)
    waiting.is_quiet("s", b"p", 7, 1, NOW, NOW)
    assert waiting.starts("s") == [7]
    waiting.forget_unseen(NOW + 1)
    assert waiting.starts("s") == []
