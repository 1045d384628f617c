"""Offsets of a zone as changes: every one is found, to the second."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from retention.model.values import DAY, HOUR, SECOND
from retention.model.zones import differ, offsets

YEAR_2026 = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND


def test_london_has_two_changes_a_year():
    found = offsets("Europe/London", YEAR_2026, YEAR_2026 + 365 * DAY)
    said = [datetime.fromtimestamp(at // SECOND, UTC).isoformat() for at, _ in found]
    assert said == [
        "2026-01-01T00:00:00+00:00",
        "2026-03-29T01:00:00+00:00",
        "2026-10-25T01:00:00+00:00",
    ]
    assert [offset for _, offset in found] == [0, HOUR, 0]


@given(
    st.sampled_from(
        ["Europe/London", "Australia/Lord_Howe", "America/New_York", "UTC"]
    ),
    st.integers(0, 50 * 365 * 86_400),
    st.integers(0, 800 * 86_400),
    st.integers(0, 800 * 86_400),
)
def test_at_any_instant_the_offset_is_the_zone_s(zone, since, length, later):
    at = min(later, length) + since
    found = offsets(zone, since * SECOND, (since + length) * SECOND)
    offset = [one for start, one in found if start <= at * SECOND][-1]
    moment = datetime.fromtimestamp(at, ZoneInfo(zone))
    assert offset == moment.utcoffset().total_seconds() * SECOND


def test_the_first_difference_is_told():
    stretch = (YEAR_2026, YEAR_2026 + 365 * DAY)
    london, lisbon, paris = (
        offsets(zone, *stretch)
        for zone in ("Europe/London", "Europe/Lisbon", "Europe/Paris")
    )
    assert differ(london, lisbon) is None
    assert differ(london, paris) == YEAR_2026
