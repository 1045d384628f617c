"""What a person sees: tables, times, sizes, and nothing that moves the cursor."""

import io
import json
import threading
from contextlib import redirect_stderr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.cli import display
from retention.cli.audit.balance import found_text
from retention.cli.audit.texts import entries_text, entry_text
from retention.model.answers.audit import EntryList, EntryShown
from retention.model.answers.books import (
    BookFindings,
    CameraMeant,
    Effort,
    HoldOver,
    RecordingFound,
    UnnamedTime,
)
from retention.model.localtime import WRITTEN
from retention.tlog.kinds import KINDS

ZONE = "Europe/London"


def test_columns_are_aligned_and_numbers_stand_to_the_right():
    rows = [("1001", "Market Place", "2,000"), ("1002", "Clock Tower", "7")]
    assert display.table(("id", "location", "files"), rows).splitlines() == [
        "  id  location      files",
        "1001  Market Place  2,000",
        "1002  Clock Tower       7",
    ]


def test_a_table_of_nothing_is_its_headings():
    assert display.table(("id", "location"), []) == "id  location"


def test_a_time_is_local_with_weekday_and_offset():
    assert (
        display.local("2026-10-24T20:00:00Z", ZONE) == "Sat 24 Oct 2026 21:00:00 +01:00"
    )


def test_a_missing_time_is_a_dash_or_what_it_means():
    assert display.local(None, ZONE) == "-"
    assert display.local(None, ZONE, "until released") == "until released"


@given(st.integers(0, 2**53 - 1))
def test_an_answers_time_is_read_to_the_microsecond(moment):
    from retention.model.localtime import format_utc

    assert display.instant(format_utc(moment)) == moment


def test_a_hostile_file_name_does_not_reach_the_terminal():
    row = [("nvr1\x1b[2J\nrm -rf", "é")]
    shown = display.table(("path", "name"), row)
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2
    assert "é" in shown


def test_counts_agree_with_their_noun():
    assert display.counted(1, "recording") == "1 recording"
    assert display.counted(2000, "recording") == "2,000 recordings"


def test_json_is_the_answer_itself(capsys):
    answer = {"holds": [{"reference": "16*1", "until": None}], "count": 1}
    display.put_json(answer)
    assert json.loads(capsys.readouterr().out) == answer


def test_colour_yields_to_no_color_and_to_dumb_terminals(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert display.colour_wanted() is None
    monkeypatch.setenv("TERM", "dumb")
    assert display.colour_wanted() is False
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert display.colour_wanted() is False


def test_progress_is_silent_in_a_pipe(capsys):
    with display.working("reading the audit log"):
        pass
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    """Standard error as a terminal has it."""

    def isatty(self) -> bool:
        return True


def test_what_is_soon_done_shows_no_progress(monkeypatch):
    monkeypatch.setattr(display, "LONG", 3_600)
    with redirect_stderr(Terminal()) as screen, display.telling() as tell:
        tell("half of it")
    assert screen.getvalue() == ""


def test_what_takes_longer_shows_how_far_it_is_and_takes_it_back(monkeypatch):
    monkeypatch.setattr(display, "LONG", 0)
    with redirect_stderr(Terminal()) as screen, display.working("reading"):
        waits = (threading.Event().wait(0.01) for _ in range(6_000))
        assert any("reading ..." in screen.getvalue() for _ in waits)
    assert screen.getvalue().endswith(display.ERASE)


def test_a_fitted_table_is_whole_in_a_pipe(capsys):
    long = "x" * 500
    assert long in display.fitted_table(("what",), [(long,)])


SHOWN = st.text() | st.from_regex(WRITTEN, fullmatch=True) | st.just("\ud800\x1b[2J")
VALUES = SHOWN | st.lists(SHOWN) | st.dictionaries(SHOWN, SHOWN) | st.lists(st.none())
NAMES = [*{field.name for kind in KINDS.values() for field in kind.fields}]


@given(SHOWN)
def test_any_text_is_shown_where_a_time_or_a_sentence_is(text):
    for shown in (display.local(text, ZONE), display.sentence(text, ZONE)):
        assert "\x1b" not in shown


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), SHOWN, SHOWN)
def test_an_entry_is_listed_and_shown_whatever_its_fields_say(fields, at, name):
    """A reason that reads 2026-99-99T99:99:99Z broke `audit list` for everybody."""
    actor = {"uid": 1, "login": 2, "role": name, "name": name, "login_name": name}
    entry = EntryShown(
        number=1, actor=actor, at=at, fields=fields, host=name, kind=name, policy=0,
        program=name, site=name, withheld=[name], row_count=1, rows=[fields, fields],
        subject=name, correlation=at,
    )  # fmt: skip
    for shown in (
        entries_text(EntryList([entry], None), ZONE),
        entry_text(entry, ZONE),
    ):
        shown.encode()
        assert "\x1b" not in shown


@pytest.mark.parametrize(
    "words",
    ["until 2026-99-99T99:99:99Z", "in 0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
)
def test_what_only_looks_like_an_instant_stays_as_somebody_wrote_it(words):
    assert display.sentence(words, "Pacific/Kiritimati").startswith(words[:8])


# -- what became of footage -----------------------------------------------------------------

FIRST, LAST = "2026-10-19T00:00:00Z", "2026-10-19T03:00:00Z"


def a_finding(cameras, gaps, recordings=()):
    return BookFindings(
        cameras=[CameraMeant(id, key) for key, id in enumerate(cameras)],
        since=FIRST, until=LAST, path=None, recordings=list(recordings), more=0, days=[],
        holds=[], gaps=gaps, faults=[], summary="it is known", came_back=[],
        read=Effort(True, 1, 1, 0.0),
    )  # fmt: skip


def deleted_under(hold: HoldOver) -> str:
    gone = RecordingFound(
        key="1/1/0", camera="1003", start=FIRST, end=LAST, seconds=10_800, bytes=1,
        path=None, fate="deleted", present=None, recorded=[], history=[], holds=[hold],
    )  # fmt: skip
    return found_text(a_finding(["1003"], [], [gone]), ZONE)


def a_hold(**more) -> HoldOver:
    said = {
        "hold": 1, "kind": "police", "since": FIRST, "until": LAST,
        "placed": "2026-10-20T06:00:00Z", "released": None, "free_at": None,
        "entries": [29, 129], "in_force": False, "in_force_then": False,
    }  # fmt: skip
    return HoldOver(**(said | more))


def test_what_went_before_a_hold_reached_it_is_not_told_as_gone_under_the_hold():
    """It was placed for another camera days before, and extended to this one after."""
    before = deleted_under(a_hold())
    assert ": not in force any more, nor over this when it went (" in before
    late = deleted_under(a_hold(in_force=True))
    assert ": in force, but not over this when it went (" in late
    assert "IN FORCE WHEN IT WENT" in deleted_under(a_hold(in_force_then=True))
    assert "when it went" not in deleted_under(a_hold(in_force_then=None)).lower()


def test_a_time_without_footage_says_of_which_of_several_cameras_it_is():
    gap = UnnamedTime("1006", FIRST, LAST, "not_known", "before adoption")
    assert "1006" in found_text(a_finding(["1003", "1006"], [gap]), ZONE)
    assert "1006" not in found_text(a_finding(["1006"], [gap]), ZONE)


def test_a_public_copy_that_has_no_such_entry_does_not_say_that_there_is_none():
    assert entries_text(EntryList([], None, withheld=664), ZONE) == (
        "No entry that is public is about that: 664 are withheld from this copy."
    )
