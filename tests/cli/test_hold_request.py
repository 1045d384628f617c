"""The request of `hold place`: as one command line, and its times by one clock."""

import shlex

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.cli.hold.commands import hold
from retention.cli.hold.request import OPTIONS, TypedTimes, as_command, asked_for
from retention.model.errors import UsageError
from retention.model.localtime import parse_instant

NOW = parse_instant("2026-10-26T09:30Z", "UTC", 0)
TIMES = TypedTimes("Europe/London", NOW)

TEXT = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "Z"]), min_size=1
)
NOTHING = dict.fromkeys(("cameras", *OPTIONS))
COURT = NOTHING | {
    "cameras": ["1001"],
    "since": "yesterday 21:00",
    "until": "+2h",
    "kind": "court",
    "reference": "K 4",
    "reason": "trial",
}


@given(
    st.fixed_dictionaries(
        {"cameras": st.lists(st.from_regex(r"[0-9A-Z*]{1,6}", fullmatch=True))},
        optional=dict.fromkeys(
            ("since", "until", "officer", "force", "reference", "reason"), TEXT
        )
        | {
            "until_released": st.just(True),
            "kind": st.sampled_from(["police", "sar"]),
            "replaces": st.integers(1, 999),
        },
    )
)
def test_a_request_as_a_command_line_is_the_same_request(request_):
    """What a person answered and then refused can be changed and run."""
    words = shlex.split(as_command(NOTHING | request_))
    assert words[:3] == ["retention", "hold", "place"]
    place = hold.commands["place"]
    parsed = place.make_context("place", words[3:]).params
    parsed = {name: value for name, value in parsed.items() if value not in (None, ())}
    wanted = {name: value for name, value in request_.items() if value != []}
    assert parsed | {"cameras": list(parsed.get("cameras", ()))} == {
        "cameras": [],
        **wanted,
    }


def test_all_times_of_a_request_go_by_one_now():
    asked = asked_for(COURT, TIMES)
    assert (asked["since"], asked["until"]) == (
        "2026-10-25T21:00:00Z",
        "2026-10-26T11:30:00Z",
    )
    assert asked["typed"] == "yesterday 21:00 to +2h"


def test_every_request_has_its_own_number():
    assert asked_for(COURT, TIMES)["request"] != asked_for(COURT, TIMES)["request"]


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("police", "--officer, --force"),
        ("sar", "--received"),
        ("court", None),
    ],
)
def test_each_kind_needs_its_own(kind, missing):
    asked = COURT | {"kind": kind}
    if missing is None:
        assert asked_for(asked, TIMES)
        return
    with pytest.raises(click.UsageError, match=f"Missing: {missing}\\."):
        asked_for(asked, TIMES)


@pytest.mark.parametrize("text", ["2026-10-24 21:00Z", "now", "+2h", "-30m"])
def test_where_the_zone_is_not_known_a_time_that_needs_none_is_taken(text):
    assert TypedTimes(None, NOW).instant(text) == parse_instant(text, "UTC", NOW)


@pytest.mark.parametrize("text", ["2026-10-24 21:00", "yesterday 21:00"])
def test_where_the_zone_is_not_known_a_local_time_is_refused(text):
    with pytest.raises(UsageError, match="write it in UTC"):
        TypedTimes(None, NOW).instant(text)


def test_yesterday_is_refused_before_anything_is_asked_while_the_clock_is_in_doubt():
    times = TypedTimes(
        "Europe/London", NOW, lambda: "the clock jumped ahead by 40 days"
    )
    with pytest.raises(UsageError, match='"yesterday 21:00" counts from it'):
        asked_for(COURT, times)
    dates = {"since": "2026-10-25 21:00", "until": "26/10/2026 11:30"}
    assert asked_for(COURT | dates, times)["since"] == "2026-10-25T21:00:00Z"
