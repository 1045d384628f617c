"""From a path to camera and start, and back; what a person is told to type."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retention.model.errors import SettingsError
from retention.model.layouts.layout import compile_layout
from retention.model.layouts.template import read_template
from retention.model.values import DAY, HOUR, MINUTE, SECOND

MEDIAMTX = "{camera}/%Y-%m-%d_%H-%M-%S-%f.{ext:mp4|ts}"
FRIGATE = "%Y-%m-%d/%H/{camera}/%M.%S.mp4"
FFMPEG = "{camera}_%Y%m%dT%H%M%S%z.{ext:mp4|mkv|ts}"
MOTION = "{camera}/{any}-%Y%m%d%H%M%S.{ext:mkv|mp4}"
SIMPLE = "{camera}/%Y-%m-%d_%H-%M-%S.mp4"
LONDON = "Europe/London"


def at(text):
    """An instant from ISO text with its offset, in microseconds."""
    return round(datetime.fromisoformat(text).timestamp() * SECOND)


def starts(template, path, zone=LONDON):
    parsed = compile_layout(template, zone).parse(path)
    return None if parsed is None else parsed.starts


class TestParse:
    def test_mediamtx_names_are_read_in_the_named_zone(self):
        parsed = compile_layout(MEDIAMTX, LONDON).parse(
            b"market-place/2026-10-24_21-00-00-000250.ts"
        )
        assert parsed is not None
        assert (parsed.name, parsed.extension) == ("market-place", ".ts")
        assert parsed.starts == (at("2026-10-24T20:00:00+00:00") + 250,)

    def test_frigate_dates_stand_in_directories_and_name_in_utc(self):
        parsed = compile_layout(FRIGATE, "UTC").parse(
            b"2026-07-01/20/market-place/15.30.mp4"
        )
        assert parsed is not None
        assert (parsed.name, parsed.extension) == ("market-place", ".mp4")
        assert parsed.starts == (at("2026-07-01T20:15:30+00:00"),)

    @pytest.mark.parametrize("offset", ["+0100", "+01:00"])
    def test_a_written_offset_beats_the_zone(self, offset):
        path = f"cam1_20261123T231755{offset}.mp4".encode()
        assert starts(FFMPEG, path) == (at("2026-11-23T22:17:55+00:00"),)

    def test_z_and_negative_offsets_are_offsets(self):
        assert starts(FFMPEG, b"c_20261123T231755Z.mkv") == (
            at("2026-11-23T23:17:55+00:00"),
        )
        assert starts(FFMPEG, b"c_20261123T231755-0330.mkv") == (
            at("2026-11-24T02:47:55+00:00"),
        )

    def test_an_offset_no_zone_has_is_not_ours(self):
        assert starts(FFMPEG, b"c_20261123T231755+1500.mkv") is None

    def test_epoch_names_need_no_zone(self):
        assert starts("{camera}_%s.ts", b"cam1_1795476085.ts", "") == (
            1795476085 * SECOND,
        )

    def test_motion_event_numbers_are_free_text(self):
        path = b"market-place/0-01-20261123231936.mkv"
        assert starts(MOTION, path) == (at("2026-11-23T23:19:36+00:00"),)

    def test_a_camera_may_be_several_directories(self):
        parsed = compile_layout(MEDIAMTX, LONDON).parse(
            b"centre/market-place/2026-10-24_21-00-00-000000.mp4"
        )
        assert parsed is not None
        assert parsed.name == "centre/market-place"

    def test_a_fixed_camera_stands_for_the_token(self):
        layout = compile_layout("%Y%m%d%H%M%S.mkv", "UTC", "1001")
        parsed = layout.parse(b"20261123231936.mkv")
        assert parsed is not None
        assert parsed.name == "1001"
        assert layout.render("1001", parsed.starts[0], ".mkv") == b"20261123231936.mkv"
        assert layout.render("1002", parsed.starts[0], ".mkv") is None

    def test_minutes_are_enough_and_then_the_second_is_nought(self):
        layout = compile_layout("{camera}/%Y%m%d-%H%M.mp4", "UTC")
        parsed = layout.parse(b"c/20261123-2319.mp4")
        assert parsed is not None
        assert parsed.starts == (at("2026-11-23T23:19:00+00:00"),)
        assert layout.render("c", parsed.starts[0] + SECOND, ".mp4") is None

    @pytest.mark.parametrize(
        "path",
        [
            b"x/c/2026-10-24_21-00-00.mp4.tmp",
            b"c/2026-10-24_21-00-00.mp4/x",
            b"c/2026-10-24_21-00-00.mp4\n",
            b"c/2026-10-24_21-00-00xmp4",
            b"c/x2026-10-24_21-00-00.mp4",
            b"2026-10-24_21-00-00.mp4",
            b"/2026-10-24_21-00-00.mp4",
            b"c//2026-10-24_21-00-00.mp4",
            b"c/2026-10-24_21-00-00.MP4",
            b"c/2026-10-24_21-00-\xd9\xa0\xd9\xa0.mp4",
            b"c/2026-10-24_21-00-0\xff.mp4",
            b"",
            b"\xff\xfe",
        ],
    )
    def test_only_the_whole_path_matches(self, path):
        assert starts(SIMPLE, path) is None

    @pytest.mark.parametrize("name", [b".", b"..", b".trash/c", b"c/.snapshot", b"\0"])
    def test_hidden_and_impossible_directories_are_no_cameras(self, name):
        assert starts(SIMPLE, name + b"/2026-10-24_21-00-00.mp4") is None

    @pytest.mark.parametrize(
        "when",
        [
            "2026-02-31_10-00-00",
            "2027-02-29_10-00-00",
            "2026-04-31_10-00-00",
            "2026-00-10_10-00-00",
            "2026-13-10_10-00-00",
            "2026-10-00_10-00-00",
            "2026-10-24_24-00-00",
            "2026-10-24_24-61-00",
            "2026-10-24_10-60-00",
            "2016-12-31_23-59-60",
            "0000-10-24_10-00-00",
            "1969-12-31_10-00-00",
            "2201-01-01_10-00-00",
            "9999-99-99_99-99-99",
        ],
    )
    @pytest.mark.parametrize("zone", ["UTC", LONDON, "Asia/Tokyo"])
    def test_an_impossible_date_is_none_and_no_exception(self, when, zone):
        assert starts(SIMPLE, f"c/{when}.mp4".encode(), zone) is None
        with_offset = f"c_{when}+0000.mp4".encode()
        template = "{camera}_%Y-%m-%d_%H-%M-%S%z.mp4"
        assert starts(template, with_offset, zone) is None

    def test_an_instant_before_1970_is_none(self):
        assert starts(SIMPLE, b"c/1970-01-01_08-59-59.mp4", "Asia/Tokyo") is None
        assert starts(SIMPLE, b"c/1970-01-01_09-00-00.mp4", "Asia/Tokyo") == (0,)
        assert starts(FFMPEG, b"c_19700101T000000+0100.mp4") is None

    def test_an_epoch_beyond_2200_is_none(self):
        assert starts("{camera}/%s.mp4", b"c/9999999999.mp4") is None

    def test_a_leap_day_is_a_day(self):
        assert starts(SIMPLE, b"c/2028-02-29_00-00-00.mp4") == (
            at("2028-02-29T00:00:00+00:00"),
        )

    @pytest.mark.parametrize("year", [2024, 2026, 2027])
    def test_new_year_keeps_the_calendar_year(self, year):
        path = f"c/{year}-01-01_00-00-00.mp4".encode()
        assert starts(SIMPLE, path) == (at(f"{year}-01-01T00:00:00+00:00"),)

    def test_dates_that_come_twice_must_agree(self):
        template = "%Y-%m-%d/{camera}/%Y-%m-%d_%H-%M-%S.mp4"
        assert starts(template, b"2026-10-24/c/2026-10-24_00-00-01.mp4")
        assert starts(template, b"2026-10-23/c/2026-10-24_00-00-01.mp4") is None

    def test_cameras_that_come_twice_must_agree(self):
        template = "%Y/%m/%d/{camera}/%Y-%m-%d_%H-%M-%S_{camera}.mp4"
        assert starts(template, b"2026/10/24/a/b/2026-10-24_00-00-01_a/b.mp4")
        assert starts(template, b"2026/10/24/a/2026-10-24_00-00-01_b.mp4") is None

    def test_a_calendar_beside_an_epoch_must_agree_in_the_zone(self):
        template = "%Y-%m-%d/{camera}/%s.mp4"  # 23:30Z is 00:30 in London's summer
        assert starts(template, b"2026-07-02/c/1782948600.mp4") == (
            at("2026-07-01T23:30:00+00:00"),
        )
        assert starts(template, b"2026-07-01/c/1782948600.mp4") is None
        assert starts(template, b"2026-07-01/c/1782948600.mp4", "UTC")


class TestClockChanges:
    def test_the_repeated_hour_has_two_starts_ascending(self):
        assert starts(SIMPLE, b"c/2026-10-25_01-30-00.mp4") == (
            at("2026-10-25T00:30:00+00:00"),
            at("2026-10-25T01:30:00+00:00"),
        )

    @pytest.mark.parametrize(
        ("name", "instant"),
        [
            ("00-59-59", "2026-10-24T23:59:59+00:00"),
            ("02-00-00", "2026-10-25T02:00:00+00:00"),
        ],
    )
    def test_the_hours_beside_it_have_one(self, name, instant):
        assert starts(SIMPLE, f"c/2026-10-25_{name}.mp4".encode()) == (at(instant),)

    def test_the_hour_jumped_over_is_read_with_the_offset_before(self):
        assert starts(SIMPLE, b"c/2027-03-28_01-30-00.mp4") == (
            at("2027-03-28T01:30:00+00:00"),
        )
        assert starts(SIMPLE, b"c/2027-03-28_02-30-00.mp4") == (
            at("2027-03-28T01:30:00+00:00"),
        )

    def test_an_hour_that_never_was_is_not_rendered_from_its_reading(self):
        layout = compile_layout(SIMPLE, LONDON)
        path = b"c/2027-03-28_01-30-00.mp4"
        parsed = layout.parse(path)
        assert parsed is not None
        assert layout.render("c", parsed.starts[0], ".mp4") != path

    def test_both_readings_render_the_name(self):
        layout = compile_layout(SIMPLE, LONDON)
        path = b"c/2026-10-25_01-30-00.mp4"
        parsed = layout.parse(path)
        assert parsed is not None
        assert {layout.render("c", s, ".mp4") for s in parsed.starts} == {path}

    def test_a_change_by_half_an_hour_splits_an_hour(self):
        """Lord Howe goes back from 02:00 to 01:30 on 5 April 2026."""
        zone = "Australia/Lord_Howe"
        assert len(starts(SIMPLE, b"c/2026-04-05_01-29-59.mp4", zone)) == 1
        assert starts(SIMPLE, b"c/2026-04-05_01-30-00.mp4", zone) == (
            at("2026-04-05T01:30:00+11:00"),
            at("2026-04-05T01:30:00+10:30"),
        )
        assert len(starts(SIMPLE, b"c/2026-04-05_01-10-00.mp4", zone)) == 1
        assert len(starts(SIMPLE, b"c/2026-04-05_02-00-00.mp4", zone)) == 1

    def test_an_offset_that_changes_within_an_hour_is_not_remembered(self):
        """Lord Howe goes forward at half past an hour of UTC."""
        layout = compile_layout(SIMPLE, "Australia/Lord_Howe")
        for minute, path in (
            (10, b"c/2026-10-04_01-40-00.mp4"),
            (40, b"c/2026-10-04_02-40-00.mp4"),
            (11, b"c/2026-10-04_01-41-00.mp4"),
        ):
            start = at(f"2026-10-03T15:{minute}:00+00:00")
            assert layout.render("c", start, ".mp4") == path

    def test_an_offset_in_the_name_leaves_nothing_ambiguous(self):
        assert starts(FFMPEG, b"c_20261025T013000+0000.mp4") == (
            at("2026-10-25T01:30:00+00:00"),
        )


class TestRender:
    def test_frigate_and_ffmpeg_names_come_back(self):
        start = at("2026-07-01T20:15:30+00:00")
        frigate = compile_layout(FRIGATE, "UTC").render("m", start, ".mp4")
        ffmpeg = compile_layout(FFMPEG, LONDON).render("m", start, ".mkv")
        assert frigate == b"2026-07-01/20/m/15.30.mp4"
        assert ffmpeg == b"m_20260701T211530+0100.mkv"

    def test_free_text_cannot_be_rendered(self):
        layout = compile_layout(MOTION, LONDON)
        assert layout.render("c", at("2026-11-23T23:19:36+00:00"), ".mkv") is None

    def test_a_start_finer_than_the_template_cannot(self):
        layout = compile_layout(SIMPLE, LONDON)
        assert layout.render("c", 10 * DAY + 1, ".mp4") is None
        epoch = compile_layout("{camera}/%s.mp4", "")
        assert epoch.render("c", 10 * DAY + 1, ".mp4") is None

    @pytest.mark.parametrize("extension", ["mp4", ".ts", ".MP4", ""])
    def test_another_extension_cannot(self, extension):
        assert compile_layout(SIMPLE, LONDON).render("c", DAY, extension) is None

    @pytest.mark.parametrize(
        "name",
        ["", ".", "..", "a/../b", "/a", "a/", "a//b", "a\0b", "%zz", "%41", "é%"],
    )
    def test_a_name_that_no_path_gives_cannot(self, name):
        assert compile_layout(SIMPLE, LONDON).render(name, DAY, ".mp4") is None

    @pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
    def test_the_first_and_last_years_render_nothing_that_does_not_parse(self, zone):
        layout = compile_layout(SIMPLE, zone)
        for start in (-DAY, 0, HOUR, DAY, at("2200-12-31T23:00:00+00:00"), 2**60):
            path = layout.render("c", start, ".mp4")
            assert path is None or layout.parse(path).starts == (start,)

    def test_an_offset_with_odd_seconds_cannot_be_written(self):
        """Monrovia was 44 minutes and 30 seconds behind until 1972."""
        layout = compile_layout(FFMPEG, "Africa/Monrovia")
        assert layout.render("c", 300 * DAY, ".mp4") is None

    def test_a_per_cent_sign_in_the_template_is_itself(self):
        layout = compile_layout("100%%/{camera}-%Y%m%d%H%M%S.mp4", "UTC")
        path = layout.render("c", DAY, ".mp4")
        assert path == b"100%/c-19700102000000.mp4"
        assert layout.parse(path).starts == (DAY,)

    @pytest.mark.parametrize(
        ("raw", "name"),
        [
            (b"caf\xc3\xa9", "café"),
            (b"caf\xe9", "caf%E9"),
            (b"100%", "100%25"),
            (b"a\nb\x1b[2J", "a%0Ab%1B[2J"),
            ("\u202egnp".encode(), "%E2%80%AEgnp"),
        ],
    )
    def test_names_that_cannot_be_shown_are_encoded_and_come_back(self, raw, name):
        layout = compile_layout(SIMPLE, "UTC")
        path = raw + b"/1970-01-02_00-00-00.mp4"
        parsed = layout.parse(path)
        assert parsed is not None
        assert parsed.name == name
        assert layout.render(name, DAY, ".mp4") == path


INSTANTS = st.integers(min_value=2 * DAY, max_value=230 * 365 * DAY)
NAMES = st.binary(min_size=1, max_size=12).filter(
    lambda raw: (
        b"\0" not in raw and all(part and part[:1] != b"." for part in raw.split(b"/"))
    )
)
LITERALS = st.sampled_from(["", "_", "-", "x", "%%", "7", "é", "/", "_T", "/d/", "."])


@st.composite
def templates(draw):
    """Templates of every shape the language has; some are refused."""
    tokens = draw(
        st.permutations(["{camera}", "%Y", "%m", "%d", "%H", "%M", "%S", "%f"])
        | st.permutations(["{camera}", "%Y%m%dT%H%M%S%f", "%z"])
        | st.permutations(["{camera}", "%s%f", "%Y"])
        | st.permutations(["{camera}", "%Y-%m-%d", "%Y-%m-%d_%H.%M.%S.%f", "{camera}"])
    )
    text = "".join(draw(LITERALS) + token for token in tokens)
    text = text.strip("/").replace("//", "/") + ".{ext:mp4|ts|m4s}"
    try:
        compile_layout(text, "UTC")
    except SettingsError:
        return draw(st.sampled_from([MEDIAMTX, "%s/{camera}%f.{ext:mp4|ts|m4s}"]))
    return text


class TestProperties:
    @given(
        templates(),
        NAMES,
        INSTANTS,
        st.sampled_from(["UTC", "Asia/Tokyo", "Etc/GMT+5"]),
    )
    @example(MEDIAMTX, b"a/b", at("2026-10-25T00:30:00+00:00"), "UTC")
    def test_what_is_rendered_parses_to_the_same(self, template, raw, start, zone):
        layout = compile_layout(template, zone)
        name = (
            compile_layout(SIMPLE, "UTC").parse(raw + b"/2026-10-24_21-00-00.mp4").name
        )
        path = layout.render(name, start, ".mp4")
        parsed = layout.parse(path)
        # "x{camera}" can't hold what "{camera}/" does; else all three come back.
        assert parsed is not None
        assert (parsed.name, parsed.starts, parsed.extension) == (
            name,
            (start,),
            ".mp4",
        )

    @given(
        INSTANTS.map(lambda instant: instant // SECOND * SECOND),
        st.sampled_from([LONDON, "America/St_Johns", "Australia/Lord_Howe"]),
    )
    def test_named_zones_come_back_away_from_the_repeated_hour(self, start, zone):
        layout = compile_layout(SIMPLE, zone)
        path = layout.render("c", start, ".mp4")
        found = layout.parse(path).starts
        assert start in found
        assert len(found) == 1 or found[1] - found[0] in (30 * MINUTE, HOUR, 2 * HOUR)

    @given(INSTANTS)
    @example(at("2026-10-25T00:30:00+00:00"))
    @example(at("2026-10-25T01:30:00+00:00"))
    def test_the_same_answers_come_from_a_fresh_layout(self, start):
        """What is remembered by the hour never differs from what is worked out."""
        start -= start % SECOND
        path = compile_layout(SIMPLE, LONDON).render("c", start, ".mp4")
        compile_layout.cache_clear()
        assert compile_layout(SIMPLE, LONDON).render("c", start, ".mp4") == path

    @given(
        st.binary(max_size=60) | st.from_regex(rb"c/[0-9_-]{19}\.mp4", fullmatch=True)
    )
    def test_no_path_is_an_exception(self, path):
        for template in (SIMPLE, FRIGATE, FFMPEG, MOTION, "{camera}/%s.mp4"):
            layout = compile_layout(template, LONDON)
            layout.directory_span(path)
            parsed = layout.parse(path)
            if parsed and len(parsed.starts) == 1 and template != MOTION:
                again = layout.render(parsed.name, parsed.starts[0], parsed.extension)
                assert again is None or layout.parse(again) is not None


def ways(component, text):
    """How many ways there are to read `text` as the parts of one component."""
    if not component:
        return int(not text)
    kind, literal = component[0]
    rest = component[1:]
    if kind == "literal":
        fits = text.startswith(literal)
        return ways(rest, text[len(literal) :]) if fits else 0
    if kind in {"camera", "any", "word"}:
        sizes = [
            n for n in range(1, len(text) + 1) if kind != "word" or text[:n].isalnum()
        ]
    else:
        width = {"Y": 4}.get(kind, 2)
        sizes = [width] if text[:width].isdigit() and len(text) >= width else []
    return sum(ways(rest, text[n:]) for n in sizes)


@given(
    st.lists(st.sampled_from(["{any}", "{camera}", "-", "x", "%M"]), max_size=7),
    st.text("x1-", max_size=14),
)
@example(["{camera}", "-", "{any}", "-", "%M"], "x-1-x1-11")
@example(["{camera}", "{any}"], "x1")
def test_an_accepted_template_reads_a_name_in_one_way_only(tokens, text):
    """Counted by brute force, without a regular expression."""
    template = f"%Y/%m/%d/%H/%M/{''.join(tokens)}/x.mp4"
    try:
        component = read_template(template, fixed_camera=True)[5]
    except SettingsError:
        return
    assert ways(component, text) <= 1


class TestDirectorySpan:
    def span(self, template, directory, zone="UTC"):
        span = compile_layout(template, zone).directory_span(directory)
        return span and tuple(
            datetime.fromtimestamp(x / SECOND, UTC).isoformat()[:16] for x in span
        )

    def test_a_day_and_an_hour_of_frigate(self):
        day = ("2026-10-24T00:00", "2026-10-25T00:00")
        hour = ("2026-10-24T20:00", "2026-10-24T21:00")
        assert self.span(FRIGATE, b"2026-10-24") == day
        assert self.span(FRIGATE, b"2026-10-24/20") == hour
        assert self.span(FRIGATE, b"2026-10-24/20/market-place") == hour

    def test_a_local_day_is_a_day_there(self):
        assert self.span("{camera}/%Y-%m-%d/%H%M.mp4", b"a/b/2026-07-01", LONDON) == (
            "2026-06-30T23:00",
            "2026-07-01T23:00",
        )

    def test_years_and_months_end_where_the_next_begins(self):
        template = "%Y/%m/%d/{camera}_%H%M%S.mp4"
        assert self.span(template, b"2026") == ("2026-01-01T00:00", "2027-01-01T00:00")
        assert self.span(template, b"2026/12") == (
            "2026-12-01T00:00",
            "2027-01-01T00:00",
        )
        assert self.span(template, b"2028/02") == (
            "2028-02-01T00:00",
            "2028-03-01T00:00",
        )

    def test_a_directory_stands_for_the_shortest_time_that_it_can(self):
        """Not a year of a camera "c/10"."""
        template = "%Y/{camera}/%m/%d_%H%M%S.mp4"
        assert self.span(template, b"2026/c/10") == (
            "2026-10-01T00:00",
            "2026-11-01T00:00",
        )
        assert self.span(template, b"2026/c") == (
            "2026-01-01T00:00",
            "2027-01-01T00:00",
        )

    def test_minutes_seconds_and_epochs_are_dates_too(self):
        template = "{camera}/%Y%m%d%H/%M/%S/x.mp4"
        assert self.span(template, b"c/2026102420/05") == (
            "2026-10-24T20:05",
            "2026-10-24T20:06",
        )
        layout = compile_layout(template, "UTC")
        span = layout.directory_span(b"c/2026102420/05/07")
        assert span is not None
        assert span[1] - span[0] == SECOND
        epoch = compile_layout("{camera}/%s/x.mp4", "")
        assert epoch.directory_span(b"c/1795476085") == (
            1795476085 * SECOND,
            1795476086 * SECOND,
        )

    def test_the_repeated_hour_is_two_hours_long(self):
        template = "%Y-%m-%d/%H/{camera}/%M.%S.mp4"
        assert self.span(template, b"2026-10-25/01", LONDON) == (
            "2026-10-25T00:00",
            "2026-10-25T02:00",
        )

    @given(
        st.integers(at("2020-01-01T00:00+00:00"), at("2040-01-01T00:00+00:00")),
        st.sampled_from([LONDON, "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
        st.sampled_from(
            [
                FRIGATE,
                "%Y/%m/%d/%H/%M/%S/{camera}.mp4",
                "%Y-%m-%d/{camera}_%H%M%S%z.mp4",
            ]
        ),
    )
    @example(at("2027-03-28T00:59:59+00:00"), LONDON, FRIGATE)
    @example(at("2027-03-28T01:00:00+00:00"), LONDON, FRIGATE)
    def test_a_file_starts_within_every_directory_above_it(self, start, zone, template):
        layout = compile_layout(template, zone)
        start -= start % SECOND
        directory = layout.render("c", start, ".mp4")
        for found in layout.parse(directory).starts:
            above = directory
            while above := above.rpartition(b"/")[0]:
                span = layout.directory_span(above)
                assert span is not None
                assert span[0] <= found < span[1]

    def test_a_name_in_the_gap_starts_within_its_directory(self):
        layout = compile_layout(FRIGATE, LONDON)
        parsed = layout.parse(b"2027-03-28/01/c/30.00.mp4")
        span = layout.directory_span(b"2027-03-28/01")
        assert parsed is not None
        assert span is not None
        assert span[0] <= parsed.starts[0] < span[1]

    @pytest.mark.parametrize(
        "directory",
        [b"", b"c", b"a/b", b"c/2026-02-31", b"c/2026-10-24/x", b"c/2026-10-24/"],
    )
    def test_a_directory_without_a_date_has_no_span(self, directory):
        assert self.span("{camera}/%Y-%m-%d/%H%M.mp4", directory) is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("template", "remedy"),
        [
            ("", "write one such as"),
            ("/srv/{camera}/%s.mp4", "the part below the root's path"),
            ("./{camera}/%s.mp4", "the part below the root's path"),
            ("{camera}//%s.mp4", "one slash between"),
            ("{camera}/../%s.mp4", "one slash between"),
            ("{camera}/%s.mp4/", "end with the file's name"),
            ("{camera}/\n%s.mp4", "type it anew"),
            ("%path/%s.mp4", "write {camera}"),
            ("%$/%s.mp4", "write {camera}"),
            ("{camera}/%v-%Y%m%d%H%M%S.mkv", "write {any}"),
            ("{camera}/%G%m%d%H%M%S.mkv", "write %Y here"),
            ("{camera}/%Y-W%V.mkv", "write %m and %d"),
            ("{camera}/%Y-W%U.mkv", "%U is a week's number"),
            ("{camera}/%Y-W%W.mkv", "%W is a week's number"),
            ("{camera}/%y%m%d%H%M%S.mkv", "%y has no century"),
            ("{camera}/%Y%j%H%M%S.mkv", "write %m and %d"),
            ("{camera}/%Y%m%d%I%M%S.mkv", "write %H here"),
            ("{camera}/%F_%H%M%S.mkv", "write %Y-%m-%d"),
            ("{camera}/%T.mkv", "write %H:%M:%S"),
            ("{camera}/%Q.mkv", "%% for a per cent sign"),
            ("{camera}/100%", "% is not known"),
            ("{Camera}/%s.mp4", "{Camera} is not known: what may be written is"),
            ("{camera/%s.mp4", 'there is a lone "{"'),
            ("cam/%s.mp4", "put {camera} where"),
            ("{camera}/%Y-%m-%d.mp4", "add %H %M"),
            ("{camera}/a.mp4", "add %Y %m %d %H %M (or %s"),
            ("{camera}/%Y%m%d%H%M%f.mp4", "add %S"),
            ("{camera}/%Y-%m-%d_%H-%M-%S", "end it with .mp4"),
            ("{camera}/%s{ext:mp4}", "after a dot"),
            ("{camera}/%s.{ext:mp4}.x", "at the end"),
            ("{camera}/%s.{ext}", "{ext:mp4|ts}"),
            ("{camera}/%s.{ext:mp4|}", "{ext:mp4|ts}"),
            ("{camera}{any}/%s.mp4", "separator"),
            ("{camera}_{any}%s.mp4", "separator"),
            ("{camera}1{any}_%s.mp4", "separator"),
            ("{camera}_{camera}_%s.mp4", "write {any} for the other"),
        ],
    )
    def test_a_template_is_refused_with_what_to_type(self, template, remedy):
        with pytest.raises(SettingsError) as caught:
            compile_layout(template, LONDON)
        assert remedy in str(caught.value)
        assert f'"{template}"' in str(caught.value)

    def test_local_names_need_a_zone(self):
        with pytest.raises(SettingsError, match="set the root's timezone"):
            compile_layout(MEDIAMTX, "")

    @pytest.mark.parametrize(
        "zone", ["Europe/Leicester", "Europe", "../etc", "right/UTC", "BST"]
    )
    def test_an_unknown_zone_is_refused(self, zone):
        with pytest.raises(SettingsError, match="is not known"):
            compile_layout(MEDIAMTX, zone)

    def test_a_z_for_utc_is_not_read_in_another_zone(self):
        template = "{camera}/%Y%m%dT%H%M%SZ.mp4"
        with pytest.raises(SettingsError, match='timezone = "UTC"'):
            compile_layout(template, LONDON)
        assert starts(template, b"c/20260701T120000Z.mp4", "UTC") == (
            at("2026-07-01T12:00:00+00:00"),
        )

    def test_free_text_between_separators_is_told_from_the_camera(self):
        layout = compile_layout("{camera}-{any}-%Y%m%d%H%M%S.mkv", LONDON)
        parsed = layout.parse(b"market-place-01-20261123231936.mkv")
        assert parsed is not None
        assert parsed.name == "market-place"


@pytest.mark.parametrize(
    ("template", "path", "wanted"),
    [
        (SIMPLE, b"1001", True),
        (SIMPLE, b"1002", False),
        (SIMPLE, b"1001/archive/2026", True),
        (SIMPLE, b"", True),
        (FRIGATE, b"2026-10-24", True),
        (FRIGATE, b"2026-10-24/21/1001", True),
        (FRIGATE, b"2026-10-24/21/1002", False),
        (FRIGATE, b"1001", False),
        (FFMPEG, b"anything", True),
    ],
)
def test_whose_a_directory_may_be_is_told_by_its_path(template, path, wanted):
    assert compile_layout(template, LONDON).concerns("1001", path) is wanted


def test_a_camera_whose_name_has_a_slash_has_its_directory_within_another():
    layout = compile_layout(SIMPLE, LONDON)
    assert layout.concerns("north/1001", b"north")
    assert layout.concerns("north/1001", b"north/1001/x")
    assert not layout.concerns("north/1001", b"north/1002")
