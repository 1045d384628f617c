"""`retention hold place` on a terminal without options: a phone call, question by
question, against a service of a few lines."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from retention import cli
from retention.cli import display
from retention.model.errors import NotPermittedError, UnreachableError
from retention.model.localtime import parse_instant
from retention.site import clock
from tests.support.hold_examples import placed

NOW = parse_instant("2026-10-26T09:30Z", "UTC", 0)  # Monday; clocks went back yesterday

CAMERAS = [
    ("1001", "Market Place", "north", "council"),
    ("1002", "Market Place", "south", "council"),
    ("1003", "High Street", "", "council"),
    ("9001", "Ring Road", "", "police"),
]

CALL = [
    "1001", "",                     # which cameras; no more
    "yesterday 21:00", "yesterday 23:30",
    "", "PC 4321 Singh", "Leicestershire Police",  # police, by default
    "26*123456", "",                # reference; no power
    "assault",
    "y",
]  # fmt: skip

REST = {
    "kind": "public_space", "published": "full", "controller": "", "lon": None,
    "lat": None, "easting": None, "northing": None, "listed": True, "retired": False,
    "current": True,
}  # fmt: skip


class Service:
    """Answers as the real one would, and keeps what it was asked."""

    timezone = "Europe/London"
    place = SimpleNamespace(zone="Europe/London")
    notices = ()

    def __init__(self):
        self.asked = []
        self.errors = {}
        self.preserved = True

    def call(self, verb, **arguments):
        dry = arguments.get("dry_run", False)
        self.asked.append((verb, arguments))
        if error := self.errors.get(verb, self.errors.get((verb, dry))):
            raise error
        if verb == "camera.list":
            names = ("id", "location", "view", "custody")
            found = [dict(zip(names, one, strict=True)) for one in CAMERAS]
            return {"cameras": [REST | {"key": n} | one for n, one in enumerate(found)]}
        hold = {"dry_run": dry} | ({"hold": None} if dry else {})
        return placed(**hold, all_preserved=self.preserved)

    @property
    def stored(self):
        """The one request that was more than a look."""
        (request,) = [
            arguments
            for verb, arguments in self.asked
            if verb == "hold.place" and not arguments.get("dry_run")
        ]
        return request


class Call:
    """One run: its status, its answer, and what was said while asking."""

    def __init__(self, answers, arguments):
        text = "".join(f"{answer}\n" for answer in answers)

        done = CliRunner().invoke(
            cli.retention,
            ["hold", "place", *arguments],
            input=text,
            standalone_mode=False,
        )
        self.error = done.exception
        self.status = done.return_value
        self.out, self.said = done.stdout, done.stderr


@pytest.fixture
def service(monkeypatch):
    made = Service()
    monkeypatch.setattr("retention.service.client.Client", lambda *_: made)
    monkeypatch.setattr(display, "on_terminal", lambda: True)
    reading = clock.read()._replace(wall=NOW)
    monkeypatch.setattr(clock, "read", lambda: reading)
    return made


def call(*answers, arguments=()):
    return Call(answers or CALL, arguments)


def test_the_questions_come_in_the_order_of_a_phone_call(service):
    said = call().said
    places = [
        said.index(words)
        for words in (
            "Which cameras", "From when", "To when", "Who asks", "Officer",
            "Police force", "reference", "Why", "Dry run", "Place this hold?",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert "No names or descriptions of people filmed" in said.partition("Which")[0]


def test_a_yes_places_what_was_said_with_its_times_resolved(service):
    done = call()
    assert done.status == 0
    assert done.out.startswith("Hold 17 is in force since")
    request = dict(service.stored)
    assert request.pop("request").count("-") == 4
    assert request == {
        "cameras": ["1001"],
        "since": "2026-10-25T21:00:00Z",
        "until": "2026-10-25T23:30:00Z",
        "typed": "yesterday 21:00 to yesterday 23:30",
        "kind": "police",
        "officer": "PC 4321 Singh",
        "force": "Leicestershire Police",
        "reference": "26*123456",
        "reason": "assault",
    }


def test_each_time_is_told_in_full_before_the_next_question(service):
    said = call().said
    told = "= Sun 25 Oct 2026 21:00:00 +00:00 (2026-10-25T21:00:00Z)"
    assert said.index("From when") < said.index(told) < said.index("To when")
    assert "that is 2 h 30 min in all" in said


def test_what_the_hold_would_keep_is_shown_before_the_yes_is_asked_for(service):
    said = call().said
    assert said.index("16 recordings") < said.index("Place this hold?")
    looks = [arguments for verb, arguments in service.asked if verb == "hold.place"]
    assert [bool(one.get("dry_run")) for one in looks] == [True, False]


def test_a_no_stores_nothing_and_gives_the_command_to_change(service):
    done = call(*CALL[:-1], "n")
    assert done.status == 1
    assert done.out == ""
    asked = [one for verb, one in service.asked if verb == "hold.place"]
    assert asked
    assert all(one.get("dry_run") for one in asked)
    assert (
        "retention hold place 1001 --from 'yesterday 21:00' --to 'yesterday 23:30' "
        "--kind police --officer 'PC 4321 Singh' --force 'Leicestershire Police' "
        "--reference '26*123456' --reason assault"
    ) in done.said


def test_an_empty_answer_is_no_yes(service):
    assert call(*CALL[:-1], "", "n").status == 1


def test_to_stop_in_the_middle_stores_nothing(service):
    done = call(*CALL[:5])
    assert done.status is None
    assert "No hold was placed." in done.said
    assert {verb for verb, _ in service.asked} <= {"camera.list", "alarm.list"}


def test_not_all_preserved_is_status_7_here_too(service):
    service.preserved = False
    assert call().status == 7


def test_words_of_a_place_are_looked_up_and_asked_back(service):
    said = call("market", "1002", *CALL[1:]).said
    assert "1001  Market Place, north" in said
    assert "1002  Market Place, south" in said
    assert service.stored["cameras"] == ["1002"]


def test_all_that_a_search_found_can_be_taken_and_more_added(service):
    call("MARKET place", "all", "1003", *CALL[1:])
    assert service.stored["cameras"] == ["1001", "1002", "1003"]


def test_of_a_search_only_what_can_be_held_can_be_taken(service):
    done = call("r", "9001", "1003", *CALL[1:])
    assert "9001: none of these that can be held" in done.said
    assert service.stored["cameras"] == ["1003"]


def test_a_pattern_and_several_ids_are_taken_as_they_are(service):
    call("100[12], 1003", *CALL[1:])
    assert service.stored["cameras"] == ["1001", "1002", "1003"]


def test_a_camera_of_the_police_is_refused_at_once(service):
    done = call("9001", *CALL)
    assert "9001  Ring Road: NOT OURS, its data is in police custody" in done.said
    assert service.stored["cameras"] == ["1001"]


def test_what_is_no_camera_is_asked_again(service):
    assert 'no camera is called or stands at "1999"' in call("1999", *CALL).said


def test_cameras_given_on_the_command_line_are_not_asked_for(service):
    call(*CALL[2:], arguments=("1003",))
    assert service.stored["cameras"] == ["1003"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("21:00", 'write "today 21:00"'),
        ("2026-10-25 01:30", "happens twice in Europe/London"),
        ("2027-03-28 01:30", "does not exist in Europe/London"),
    ],
)
def test_a_time_that_can_not_be_meant_is_asked_again(service, answer, words):
    done = call(*CALL[:2], answer, *CALL[2:])
    assert words in done.said
    assert done.status == 0


def test_an_end_before_the_beginning_is_asked_again(service):
    done = call(*CALL[:3], "yesterday 20:00", *CALL[3:])
    assert "not after the beginning" in done.said
    assert done.status == 0


def test_a_hold_can_be_left_open(service):
    call(*CALL[:3], "released", *CALL[4:])
    assert service.stored["until_released"] is True
    assert "until" not in service.stored
    assert service.stored["typed"] == "yesterday 21:00 to its release"


def test_a_police_reference_may_follow_later(service):
    call(*CALL[:7], "", *CALL[8:])
    assert "reference" not in service.stored


def test_a_subject_access_request_asks_when_it_came(service):
    done = call(
        *CALL[:4], "sar", "+1d", "yesterday 10:00", "SAR 118", "own footage", "y"
    )
    assert "still to come" in done.said
    assert service.stored["received"] == "2026-10-25T10:00:00Z"
    assert "not the person's name" in done.said
    assert "officer" not in service.stored


@pytest.mark.parametrize("kind", ["court", "insurance", "internal", "preservation"])
def test_the_other_kinds_ask_for_requester_and_reference(service, kind):
    call(*CALL[:4], kind, "Loss adjuster Hall", "INS 4", "collision", "y")
    assert service.stored["requester"] == "Loss adjuster Hall"
    assert service.stored["reference"] == "INS 4"


def test_an_unknown_kind_is_asked_again(service):
    assert "answer one of police, sar" in call(*CALL[:4], "polic", *CALL[4:]).said


def test_what_does_not_print_or_is_too_long_is_asked_again(service):
    done = call(*CALL[:9], "a\x1b[2Jb", "x" * 501, *CALL[9:])
    assert done.said.count("write plain text of 500 characters") == 2
    assert service.stored["reason"] == "assault"


def test_while_the_service_is_down_the_request_is_taken_all_the_same(service):
    """It is left to wait; the answer of the last request says so."""
    service.errors["camera.list"] = UnreachableError("the service is not running")
    service.errors["hold.place", True] = UnreachableError("the service is not running")
    service.errors["hold.place", False] = UnreachableError("WAITING, NOT CONFIRMED")
    done = call("1001 1002", *CALL[1:])
    assert "give the ids of the cameras" in done.said
    assert service.stored["cameras"] == ["1001", "1002"]
    assert str(done.error) == "WAITING, NOT CONFIRMED"
    assert done.out == ""


def test_where_nobody_knows_the_zone_only_times_that_need_none_are_taken(service):
    service.place = SimpleNamespace(zone=None)
    service.errors["hold.list"] = UnreachableError("the service is not running")
    done = call(*CALL[:2], "yesterday 21:00", "2026-10-25 21:00Z", "+1h", *CALL[4:])
    assert "not known which zone" in done.said
    assert service.stored["since"] == "2026-10-25T21:00:00Z"
    assert service.stored["until"] == "2026-10-26T10:30:00Z"


def test_where_only_the_service_knows_the_zone_it_is_asked_first(service):
    service.place = SimpleNamespace(zone=None)
    assert call().status == 0
    assert service.asked[0][0] == "hold.list"


def test_a_refusal_gives_back_what_was_answered_as_a_command(service):
    service.errors["hold.place", True] = NotPermittedError("anna has no role here")
    done = call(*CALL[:-1])
    assert isinstance(done.error, NotPermittedError)
    assert "retention hold place 1001 --from 'yesterday 21:00'" in done.said


def test_with_options_on_a_terminal_nothing_is_asked_and_times_are_told_first(service):
    done = call(
        "unread",
        arguments=(
            *("1001", "--from", "yesterday 21:00", "--to", "yesterday 23:30"),
            *("--kind", "internal", "--reference", "INC 7", "--reason", "crowd"),
        ),
    )
    assert done.status == 0
    assert done.said.splitlines()[:2] == [
        "from yesterday 21:00 = Sun 25 Oct 2026 21:00:00 +00:00 (2026-10-25T21:00:00Z)",
        "to yesterday 23:30 = Sun 25 Oct 2026 23:30:00 +00:00 (2026-10-25T23:30:00Z)",
    ]
    assert service.stored["since"] == "2026-10-25T21:00:00Z"


def test_in_a_pipe_nothing_is_asked_and_what_is_missing_is_said(service, monkeypatch):
    monkeypatch.setattr(display, "on_terminal", lambda: False)
    done = call()
    assert str(done.error).startswith(
        "Missing: CAMERA or --location, --from, --to or --until-released, --kind, --reason."
    )
    assert service.asked == []


def test_json_asks_nothing_even_on_a_terminal(service):
    done = call(arguments=("--json",))
    assert "Missing" in str(done.error)


def test_json_on_a_terminal_keeps_the_answer_apart_from_the_told_times(service):
    done = call(
        arguments=(
            *("1001", "--from", "now", "--until-released", "--kind", "police"),
            *("--officer", "PC 1", "--force", "Leics", "--reason", "x", "--json"),
        )
    )
    assert json.loads(done.out)["hold"] == 17
    assert "from now = Mon 26 Oct 2026 09:30:00 +00:00" in done.said
