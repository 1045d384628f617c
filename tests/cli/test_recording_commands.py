"""`retention recording` and `check`, as typed."""

import sqlite3

import click
import pytest

from retention.catalogue import db
from retention.cli.recording import ruling_waiting
from retention.model import codec
from retention.model.answers.recording import RulingWaiting
from retention.model.values import HOUR, MINUTE, SECOND, State

START = 1_792_872_000 * SECOND  # 2026-10-24T20:00:00Z
LAYOUT = "{camera}/%Y-%m-%d_%H-%M-%S.{ext:mp4}"
NAME = "1101/2026-10-24_20-00-00.mp4"


@pytest.fixture
def recorded(site):
    """Two recordings of one camera, the second with times in doubt."""
    site.ok("camera", "add", "1101", "--location", "Market Place")
    with sqlite3.connect(site.state / db.NAME) as raw:
        raw.execute(
            "INSERT INTO stream (key, root, camera, layout, zone, name, extension, "
            "max_length) SELECT 1, key, 1, ?, 'UTC', '1101', '.mp4', ? FROM root",
            (LAYOUT, HOUR),
        )
        for n, state in enumerate((State.PRESENT, State.QUARANTINED)):
            raw.execute(
                "INSERT INTO recording VALUES (1, ?, 0, ?, 2000000, ?)",
                (START + n * 10 * MINUTE, 10 * MINUTE, state),
            )
        raw.execute(
            "INSERT INTO quarantine VALUES (1, ?, 0, ?, ?, 'name is later than mtime')",
            (START + 10 * MINUTE, START + HOUR, START - HOUR),
        )
    raw.close()
    return site


def test_recordings_of_a_time_are_listed_oldest_first(recorded):
    heading, names, first, _ = recorded.ok(
        *("recording", "list", "--camera", "1101"),
        *("--from", "24/10/2026 21:00", "--to", "24/10/2026 22:00"),
    ).splitlines()
    assert heading == "2 recordings, 4.0 MB."
    assert names.split()[:4] == ["camera", "start", "length", "size"]
    assert "Sat 24 Oct 2026 21:00:00 +01:00  10 min  2.0 MB" in first
    assert first.endswith(NAME)


def test_a_time_that_ends_before_it_begins_is_refused(recorded):
    done = recorded.run("recording", "list", "--from", "now", "--to", "now")
    assert done.status == 2
    assert "the end comes first" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("recording", "show", "1/99999999999999999999/0"),
        ("deletion", "approve", "99999999999999999999"),
    ],
)
def test_a_number_that_nothing_can_have_is_one_sentence(recorded, words):
    done = recorded.run(*words)
    assert done.status in (1, 2)
    assert len(done.err.splitlines()) == 1
    assert "fault in" not in done.err


def test_a_list_that_was_cut_says_so(recorded):
    assert "There are more" in recorded.ok("recording", "list", "--limit", "1")


def test_nothing_recorded_is_said(recorded):
    text = recorded.ok("recording", "list", "--from", "2026-11-01 00:00")
    assert text == "No recording is catalogued there.\n"


def test_json_of_recordings_keeps_its_shape(recorded):
    keys = {
        "key", "camera", "root", "path", "start", "end", "duration", "bytes", "state",
        "stream_quarantined", "quarantine", "failure",
    }  # fmt: skip
    answer = recorded.json("recording", "list", "--state", "quarantined")
    assert set(answer) == {"recordings", "more"}
    assert [set(one) >= keys for one in answer["recordings"]] == [True]
    assert set(answer["recordings"][0]["quarantine"]) == {"seen", "mtime", "reason"}
    (shown,) = recorded.json("recording", "show", NAME)["recordings"]
    assert set(shown) >= keys | {"held", "due"}


@pytest.mark.parametrize(
    "words", [(NAME,), ("--camera", "1101", "--at", "2026-10-24 21:05")]
)
def test_one_recording_is_found_by_path_or_by_camera_and_time(recorded, words):
    text = recorded.ok("recording", "show", *words)
    assert f"nvr1/{NAME}" in text
    assert "period ends      Sat 21 Nov 2026 20:10:00 +00:00" in text


def test_a_doubtful_recording_says_why(recorded):
    text = recorded.ok("recording", "show", "1101/2026-10-24_20-10-00.mp4")
    assert "name is later than mtime" in text


def test_a_ruling_takes_recordings_out_of_doubt(recorded):
    text = recorded.ok(
        *("recording", "resolve", "--camera", "1101", "--times-right"),
        *("--reason", "copied back from a backup"),
    )
    assert text == "Ruled (times right): 1 recording.\n"
    assert recorded.json("recording", "list", "--state", "quarantined") == {
        "recordings": [],
        "more": False,
    }


def test_a_shift_may_be_negative(recorded):
    recorded.ok(
        *("recording", "resolve", "--camera", "1101", "--shift", "-1h"),
        *("--reason", "recorder's clock was fast"),
    )
    (one,) = recorded.json("recording", "show", "1101/2026-10-24_20-10-00.mp4")[
        "recordings"
    ]
    assert one["start"] == "2026-10-24T19:10:00Z"


@pytest.mark.parametrize("moved", [True, False])
def test_of_a_ruling_that_waits_only_the_holds_stay_as_they_are(moved):
    """Files of a stream in doubt have their new times at once; the doubt, by which the
    hold keeps them, is what waits."""
    since, until = "2026-10-24T20:00:00Z", "2026-10-24T20:10:00Z"
    new = (since, until) if moved else ("2026-10-24T20:15:00Z", "2026-10-24T20:25:00Z")
    row = {
        "key": "1/2/0", "camera": "1101", "root": "nvr1", "path": NAME, "holds": [17],
        "start": since, "end": until, "new_start": new[0], "new_end": new[1],
    }  # fmt: skip
    request = {
        "request": 27, "ruling": "shifted by +15 min", "reason": "clock",
        "requested": until, "requested_by": "ben", "approved": None,
        "approvers": ["cara"], "recordings": 1, "streams": 1, "holds": [17],
        "uncovers": [row],
    }  # fmt: skip
    text = click.unstyle(
        ruling_waiting(codec.from_json(RulingWaiting, request), "Europe/London")
    )
    assert "out of the cover of hold 17: until then it keeps them." in text
    assert "stay as they are" not in text
    last = text.splitlines()[-1]
    assert ("the same  the same" in last) == moved
    assert ("21:15:00 +01:00" in last) != moved


@pytest.mark.parametrize("ruling", [(), ("--times-right", "--shift", "-1h")])
def test_a_ruling_says_one_thing(recorded, ruling):
    done = recorded.run("recording", "resolve", NAME, "--reason", "known", *ruling)
    assert done.status == 2
    assert "--times-right and --shift" in done.err


def test_an_unknown_state_is_wrong_usage(recorded):
    assert recorded.run("recording", "list", "--state", "lost").status == 2


def test_check_tells_errors_from_warnings_and_what_to_do(site):
    text = site.run("check").out
    first = text.splitlines()[0]
    assert " warning" in first
    answer = site.run("--json", "check")
    assert '"remedy"' in answer.out


def test_check_fails_where_footage_is_gone(site):
    site.footage.rename(site.directory / "elsewhere")
    done = site.run("check")
    assert done.status == 1
    assert "error:" in done.out
