"""Times as people type and read them, around both changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retention.model.errors import UsageError
from retention.model.localtime import (
    Moment,
    format_date,
    format_duration,
    format_local,
    format_size,
    format_utc,
    parse_duration,
    parse_instant,
)
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Micros

LONDON = "Europe/London"
ZONES = (
    LONDON,
    "UTC",
    "America/St_Johns",  # half hours, and changes at one minute past midnight
    "Australia/Lord_Howe",  # moves by half an hour
    "Pacific/Apia",  # left out a whole day in 2011
    "Africa/Casablanca",  # changes around Ramadan
    "Antarctica/Troll",  # moves by two hours
    "Asia/Kathmandu",
)


def utc(text: str) -> Micros:
    when = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOW = utc("2026-10-26T09:30")  # Monday, the clocks went back yesterday
INSTANTS = st.integers(utc("2000-01-01"), utc("2100-01-01"))


def read(text: str, zone: str = LONDON, now: Micros = NOW) -> Micros:
    return parse_instant(text, zone, now)


def refusal(text: str, zone: str = LONDON) -> str:
    with pytest.raises(UsageError) as error:
        read(text, zone)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-24 21:00", "2026-10-24T20:00"),
        ("2026-10-24T20:00Z", "2026-10-24T20:00"),
        ("2026-10-24t20:00z", "2026-10-24T20:00"),
        ("2026-10-24 20:00 Z", "2026-10-24T20:00"),
        ("2026-10-24 21:00+01:00", "2026-10-24T20:00"),
        ("2026-10-24 21:00 +0100", "2026-10-24T20:00"),
        ("2026-10-24T15:30-04:30", "2026-10-24T20:00"),
        ("2026-10-24T21:00+01", "2026-10-24T20:00"),
        ("24/10/2026 21:00", "2026-10-24T20:00"),
        ("24/10/2026 21:00:07", "2026-10-24T20:00:07"),
        ("5/1/2026 9:05", "2026-01-05T09:05"),
        ("2026-10-24 21:00:07.25", "2026-10-24T20:00:07.250000"),
        ("Sat 24 Oct 2026 21:00:00 +01:00", "2026-10-24T20:00"),
        ("24 Oct 2026 21:00", "2026-10-24T20:00"),
        ("  2026-10-24   21:00 ", "2026-10-24T20:00"),
        ("today 09:00", "2026-10-26T09:00"),
        ("yesterday 21:00", "2026-10-25T21:00"),
        ("Yesterday 21:00", "2026-10-25T21:00"),
        ("sat 24 oct 2026 21:00", "2026-10-24T20:00"),
        ("NOW", "2026-10-26T09:30"),
        ("tomorrow 06:30:15", "2026-10-27T06:30:15"),
        ("now", "2026-10-26T09:30"),
        ("+2h", "2026-10-26T11:30"),
        ("-30m", "2026-10-26T09:00"),
        ("-1d", "2026-10-25T09:30"),
    ],
)
def test_reads_every_form_that_people_type(text: str, expected: str) -> None:
    assert read(text) == utc(expected)


@pytest.mark.parametrize(
    ("start", "end", "start_utc", "end_utc"),
    [
        # Typed on Monday in winter time, meant in Saturday's summer time.
        (
            "2026-10-24 21:00",
            "2026-10-24 23:30",
            "2026-10-24T20:00",
            "2026-10-24T22:30",
        ),
        # The night the clocks go back is five hours from 23:00 to 03:00.
        (
            "2026-10-24 23:00",
            "2026-10-25 03:00",
            "2026-10-24T22:00",
            "2026-10-25T03:00",
        ),
        # The night they go forward is three.
        (
            "2027-03-27 23:00",
            "2027-03-28 03:00",
            "2027-03-27T23:00",
            "2027-03-28T02:00",
        ),
    ],
)
def test_windows_across_a_change_of_clocks(
    start: str, end: str, start_utc: str, end_utc: str
) -> None:
    assert (read(start), read(end)) == (utc(start_utc), utc(end_utc))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-10-24 23:00", "2026-10-25 03:00", 5),
        ("2027-03-27 23:00", "2027-03-28 03:00", 3),
        ("2026-10-31 23:00", "2026-11-01 03:00", 4),
    ],
)
def test_a_night_is_as_long_as_it_was(start: str, end: str, hours: int) -> None:
    assert read(end) - read(start) == hours * HOUR


@pytest.mark.parametrize(
    ("now", "meant", "told"),
    [
        # A week after the clocks went back, the day after, and that very night, when
        # yesterday was still summer.
        (
            "2026-11-01T03:00",
            "2026-10-31T21:00",
            "Sat 31 Oct 2026 21:00:00 +00:00",
        ),
        (
            "2026-10-26T09:30",
            "2026-10-25T21:00",
            "Sun 25 Oct 2026 21:00:00 +00:00",
        ),
        (
            "2026-10-25T03:00",
            "2026-10-24T20:00",
            "Sat 24 Oct 2026 21:00:00 +01:00",
        ),
        # The night they went forward: yesterday was still winter.
        (
            "2027-03-28T02:00",
            "2027-03-27T21:00",
            "Sat 27 Mar 2027 21:00:00 +00:00",
        ),
        # Half past midnight in London, half past eleven in UTC.
        (
            "2026-07-01T23:30",
            "2026-07-01T20:00",
            "Wed 1 Jul 2026 21:00:00 +01:00",
        ),
    ],
)
def test_yesterday_is_the_day_before_by_the_sites_clocks(
    now: str, meant: str, told: str
) -> None:
    assert read("yesterday 21:00", now=utc(now)) == utc(meant)
    assert format_local(utc(meant), LONDON) == told


def test_yesterday_can_lack_an_hour_too() -> None:
    with pytest.raises(UsageError, match="does not exist in Europe/London"):
        read("yesterday 01:30", now=utc("2027-03-29T09:00"))


def test_hours_from_now_are_elapsed_hours() -> None:
    night = utc("2026-10-24T23:30")  # half past midnight, before the clocks go back
    assert read("+2h", now=night) == utc("2026-10-25T01:30")


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+01:00", "-05:30"])
def test_an_offset_is_taken_even_where_the_local_time_is_not(offset: str) -> None:
    for wall in ("2026-10-25 01:30", "2027-03-28 01:30"):
        away = datetime.fromisoformat(f"{wall}{offset.replace('Z', '+00:00')}")
        expected = away.astimezone(UTC).replace(tzinfo=None).isoformat()
        assert read(f"{wall}{offset}") == utc(expected)


def test_a_time_that_happens_twice_is_refused_with_both_readings() -> None:
    text = refusal("2026-10-25 01:30")
    for part in (
        "happens twice in Europe/London",
        '"2026-10-25 01:30+01:00" for the first (2026-10-25T00:30:00Z)',
        '"2026-10-25 01:30+00:00" for the second (2026-10-25T01:30:00Z)',
    ):
        assert part in text


def test_a_time_that_does_not_exist_is_refused_with_both_readings() -> None:
    text = refusal("2027-03-28 01:30")
    for part in (
        "does not exist in Europe/London",
        '"2027-03-28 01:30+00:00" for Sun 28 Mar 2027 02:30:00 +01:00',
        '"2027-03-28 01:30+01:00" for Sun 28 Mar 2027 00:30:00 +00:00',
    ):
        assert part in text


@pytest.mark.parametrize(
    "text", ["2026-10-25 01:30", "2027-03-28 01:30", "25/10/2026 01:00:01.5"]
)
def test_both_readings_that_a_refusal_offers_are_accepted(text: str) -> None:
    offered = refusal(text).split('"')[3::2]
    first, second = (read(reading) for reading in offered)
    assert abs(second - first) == HOUR


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-10-25 00:59:59", "2026-10-24T23:59:59"),
        ("2026-10-25 02:00", "2026-10-25T02:00"),
        ("2027-03-28 00:59:59", "2027-03-28T00:59:59"),
        ("2027-03-28 02:00", "2027-03-28T01:00"),
    ],
)
def test_the_edges_of_a_change_are_not_refused(text: str, meant: str) -> None:
    assert read(text) == utc(meant)


def test_a_relative_day_can_be_ambiguous_too() -> None:
    assert "happens twice" in refusal("yesterday 01:30")


def test_today_is_the_day_of_the_site_not_of_utc() -> None:
    late = utc("2026-07-01T23:30")  # already 2 July in London
    assert read("today 00:10", now=late) == utc("2026-07-01T23:10")


def test_a_day_that_a_zone_left_out_does_not_exist() -> None:
    assert "does not exist" in refusal("2011-12-30 12:00", "Pacific/Apia")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("21:00", 'write "today 21:00"'),
        ("2026-10-24", 'write "2026-10-24 00:00"'),
        ("yesterday", 'write "yesterday 00:00"'),
        ("2026-10-24 24:00", "write 00:00 of the next day"),
        ("10/24/2026 21:00", "write day/month/year"),
        ("2026-02-30 10:00", "correct it"),
        ("Fri 24 Oct 2026 21:00", "is a Sat, not a Fri"),
        ("yesterday 21:00Z", 'such as "2026-10-25 21:00Z"'),
        ("2026-10-24 21:00+25:00", "impossible offset"),
        ("2026-10-24 21:00+01:75", "impossible offset"),
        ("0206-10-24 21:00", "check the year"),
        ("-9000w", "check the year"),
        ("+2", "has no unit"),
        ("24/10/26 21:00", "write it like"),
        ("2026-10-24 2100", "write it like"),
        ("٢٠٢٦-10-24 21:00", "write it like"),
        ("last week", "write it like"),
        ("", "write it like"),
    ],
)
def test_what_is_not_an_instant_is_refused_with_a_remedy(text: str, part: str) -> None:
    assert part in refusal(text)


@given(st.text("0123456789-+/: TZzSatOc.wdhm", max_size=30))
@example("0001-01-01 00:00")
@example("9999-12-31 23:59-18:00")
@example("0000-01-01 00:00")
@example("+999999999999999999w")
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        assert read(text) >= 0
    except UsageError as error:
        assert str(error).endswith(".")  # noqa: PT017 both ends are right


@given(INSTANTS, st.sampled_from(ZONES))
@example(utc("2026-10-25T00:30"), LONDON)
@example(utc("2026-10-25T01:30"), LONDON)
@example(utc("2027-03-28T01:00"), LONDON)
@example(utc("2099-10-25T00:59:59.999999"), LONDON)
def test_what_is_printed_can_be_typed(instant: Micros, zone: str) -> None:
    assert read(format_local(instant, zone), zone) == instant
    assert read(format_utc(instant), zone) == instant


@given(INSTANTS, st.sampled_from(ZONES))
def test_a_local_time_is_read_as_typed_or_refused(instant: Micros, zone: str) -> None:
    """The zone's rules are recomputed here from the other side: UTC to local."""
    local = datetime.fromtimestamp(instant // SECOND, ZoneInfo(zone))
    whole = instant // SECOND * SECOND
    try:
        assert read(f"{local:%Y-%m-%d %H:%M:%S}", zone) == whole
    except UsageError:
        others = [whole + step * 30 * MINUTE for step in (-4, -2, -1, 1, 2, 4)]
        shown = [
            datetime.fromtimestamp(other // SECOND, ZoneInfo(zone)) for other in others
        ]
        assert local.replace(tzinfo=None) in [s.replace(tzinfo=None) for s in shown]


def test_formats_for_people_carry_weekday_and_offset() -> None:
    assert (
        format_local(utc("2026-10-24T20:00"), LONDON)
        == "Sat 24 Oct 2026 21:00:00 +01:00"
    )
    assert format_local(utc("2026-11-01T20:00:00.5"), LONDON) == (
        "Sun 1 Nov 2026 20:00:00.500000 +00:00"
    )
    assert format_local(utc("2026-11-01T20:00"), "America/St_Johns").endswith("-03:30")
    assert format_date(utc("2026-06-30T23:30"), LONDON) == "Wed 1 Jul 2026"


def test_utc_shows_microseconds_only_where_there_are_any() -> None:
    assert format_utc(utc("2026-10-24T20:00")) == "2026-10-24T20:00:00Z"
    assert format_utc(utc("2026-10-24T20:00") + 1) == "2026-10-24T20:00:00.000001Z"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("28d", 28 * DAY),
        ("60s", MINUTE),
        ("1h30m", 90 * MINUTE),
        ("1 h 30 min", 90 * MINUTE),
        ("2w", 14 * DAY),
        ("1 day 4 hours", 28 * HOUR),
        ("1.5h", 90 * MINUTE),
        ("0.25s", SECOND // 4),
        ("0s", 0),
    ],
)
def test_reads_durations(text: str, length: Micros) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("60", 'write "60s"'),
        ("1.5", 'write "1.5s"'),
        ("-5m", "is negative"),
        ("30m1h", "from large to small"),
        ("5m5m", "from large to small"),
        ("5M", "from large to small"),
        ("1 month", "from large to small"),
        ("1h30", "from large to small"),
        ("", "is not a duration"),
        ("d", "is not a duration"),
        ("9999999w", "too long"),
    ],
)
def test_refuses_what_is_not_a_duration(text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        parse_duration(text)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
        (SECOND // 4, "0.25 s"),
        (59 * SECOND, "59 s"),
        (MINUTE, "1 min"),
        (90 * MINUTE, "1 h 30 min"),
        (HOUR + 59 * SECOND, "1 h"),
        (DAY, "1 day"),
        (28 * DAY, "28 days"),
        (28 * DAY + 4 * HOUR + 59 * MINUTE, "28 days 4 h"),
        (-90 * MINUTE, "-1 h 30 min"),
    ],
)
def test_prints_durations_in_their_two_largest_units(length: Micros, text: str) -> None:
    assert format_duration(length) == text


@given(st.integers(0, 4000 * DAY))
def test_a_printed_duration_can_be_typed_and_never_overstates(length: Micros) -> None:
    printed = parse_duration(format_duration(length))
    assert length - HOUR < printed <= length
    assert printed == length or length > MINUTE


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_400_000_000, "1.4 GB"),
        (2 * 10**15, "2.0 PB"),
    ],
)
def test_prints_sizes_in_decimal_units(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "start", "hours"),
    [
        ("2026-10-24", "2026-10-23T23:00:00Z", 24),
        ("25/10/2026", "2026-10-24T23:00:00Z", 25),
        ("Sun 28 Mar 2027", "2027-03-28T00:00:00Z", 23),
    ],
)
def test_a_day_is_as_long_as_it_was(text: str, start: str, hours: int) -> None:
    day = Moment(LONDON, 0).day(text)
    assert (format_utc(day.start), day.end - day.start) == (start, hours * HOUR)


@pytest.mark.parametrize("text", ["9999-12-31", "31/12/9999", "2256-01-01"])
def test_a_day_that_no_recording_can_be_of_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not between 1970 and 2255"):
        Moment(LONDON, 0).day(text)


def test_a_day_without_a_midnight_begins_with_its_first_instant() -> None:
    day = Moment("America/Sao_Paulo", 0).day("2018-11-04")
    assert format_utc(day.start) == "2018-11-04T03:00:00Z"
    assert day.end - day.start == 23 * HOUR
