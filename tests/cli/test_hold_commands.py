"""`retention hold` and `retention deletion`, as typed."""

import sqlite3

import pytest

from retention.catalogue import db
from retention.model import HOUR, MINUTE, SECOND, State

PLACE = (
    *("--kind", "police", "--reference", "16*123456"),
    *("--reason", "assault in Market Place"),
)
READ = 4_000_000_000 * SECOND  # read up to whatever is asked for
START = 1_792_872_000 * SECOND  # 2026-10-24T20:00:00Z


@pytest.fixture
def cameras(site):
    site.ok("camera", "add", "1101", "--location", "Market Place")
    site.ok("camera", "add", "1102", "--location", "High Street")
    with sqlite3.connect(site.state / db.NAME) as raw:
        raw.execute(
            "INSERT INTO stream (key, root, camera, layout, zone, name, extension, "
            "max_length) VALUES (1, 1, 1, 'l', 'UTC', '1101', '.mp4', ?)",
            (HOUR,),
        )
        raw.executemany(
            "INSERT INTO recording VALUES (1, ?, 0, ?, 1000000, ?)",
            [(START + n * 10 * MINUTE, 10 * MINUTE, State.PRESENT) for n in range(12)],
        )
        raw.execute("UPDATE root SET scanned=?", (READ,))
    raw.close()
    return site


def _place(*more):
    return ("hold", "place", "1101", "--from", "2026-10-24 21:00", *PLACE, *more)


def test_a_placed_hold_says_at_once_what_is_kept_and_how_times_were_read(cameras):
    text = cameras.ok(*_place("--to", "2026-10-24 21:30"))
    assert text.startswith("Hold 1 is in force since ")
    assert ": 4 recordings, 4.0 MB.\n" in text
    assert "asked from                Sat 24 Oct 2026 21:00:00 +01:00" in text
    assert "kept from (margin 5 min)  Sat 24 Oct 2026 20:55:00 +01:00" in text
    assert "recorder's own clean-up is not stopped" in text


def test_json_of_a_placed_hold_keeps_its_shape(cameras):
    answer = cameras.json(*_place("--to", "2026-10-24T20:30Z", "--margin", "0"))
    assert {
        "hold", "in_force_since", "asked", "since", "until", "margin_seconds", "review",
        "cameras", "recordings", "bytes", "note",
    } <= set(answer)  # fmt: skip
    assert answer["since"] == "2026-10-24T20:00:00Z"
    assert set(answer["cameras"][0]) >= {"camera", "location", "recordings", "bytes"}


def test_a_hold_of_which_nothing_is_there_is_placed_with_status_7(cameras):
    done = cameras.run(
        *("hold", "place", "1102", "--from", "24/10/2026 21:00"),
        *("--to", "24/10/2026 22:00", *PLACE),
    )
    assert done.status == 7
    assert "Nothing of camera 1102 from that time is here to keep." in done.out
    assert len(cameras.json("hold", "list")["holds"]) == 1


def test_what_was_not_read_yet_is_said_and_gives_status_7(cameras):
    """The service was stopped at half past nine; the hold reaches to ten."""
    with sqlite3.connect(cameras.state / db.NAME) as raw:
        raw.execute("UPDATE root SET scanned=?", (START + 30 * MINUTE,))
    raw.close()
    done = cameras.run(*_place("--to", "2026-10-24 22:00"))
    assert done.status == 7
    since = "Not counted: what recorders wrote since Sat 24 Oct 2026 21:30:00 +01:00"
    assert since in done.out
    assert cameras.json(*_place("--to", "2026-10-24 21:20"))["unread"] is False


def test_what_is_held_since_its_times_are_in_doubt_is_counted_too(cameras):
    with sqlite3.connect(cameras.state / db.NAME) as raw:
        raw.execute("UPDATE recording SET state=2 WHERE start=?", (START,))
        raw.execute("INSERT INTO quarantine VALUES (1, ?, 0, 1, 1, 'x')", (START,))
    raw.close()
    exact = ("--margin", "0")
    answer = cameras.json(
        *("hold", "place", "1101", "--from", "2026-10-24 22:00"),
        *("--to", "2026-10-24 22:10", *exact, *PLACE),
    )
    assert (answer["recordings"], answer["in_doubt"]) == (2, 1)


def test_a_stream_in_doubt_is_held_whole_and_says_so(cameras):
    with sqlite3.connect(cameras.state / db.NAME) as raw:
        raw.execute("UPDATE stream SET quarantined=1")
    raw.close()
    text = cameras.ok(*_place("--to", "2026-10-24 21:10", "--margin", "0"))
    assert ": 12 recordings, 12.0 MB.\n" in text
    assert "11 recordings of these only since the times are in doubt." in text


def test_a_camera_that_is_not_ours_says_that_no_hold_was_placed(cameras):
    cameras.ok("camera", "add", "9001", "--location", "Ring Road", "--kind", "anpr")
    done = cameras.run(
        *("hold", "place", "1101", "9001", "--from", "2026-10-24 21:00", *PLACE)
    )
    assert done.status == 4
    assert "No hold was placed" in done.err
    assert cameras.json("hold", "list")["holds"] == []


def test_a_hold_on_the_future_is_no_failure(cameras):
    done = cameras.run(
        "hold", "place", "1102", "--from", "now", "--margin", "0", *PLACE
    )
    future = cameras.run(
        "hold", "place", "1102", "--from", "+1h", "--to", "+2h", "--margin", "0", *PLACE
    )
    assert done.status == 7
    assert future.status == 0


def test_the_list_shows_what_is_kept_for_whom(cameras):
    cameras.ok(*_place("--to", "2026-10-24 21:30", "--margin", "0"))
    assert cameras.ok("hold", "list").splitlines()[:5] == [
        "1 hold.",
        "",
        "hold 1  active  police 16*123456",
        "  cameras    1101",
        "  kept from  Sat 24 Oct 2026 21:00:00 +01:00 to Sat 24 Oct 2026 21:30:00 +01:00",
    ]


def test_json_of_the_list_keeps_its_shape(cameras):
    cameras.ok(*_place())
    (one,) = cameras.json("hold", "list")["holds"]
    assert set(one) == {
        "hold", "state", "kind", "cameras", "since", "until", "reference", "reason",
        "requester", "placed", "review", "review_due", "released", "free_at",
    }  # fmt: skip
    assert one["until"] is None


def test_no_hold_is_said(cameras):
    assert cameras.ok("hold", "list") == "No hold.\n"


def test_a_released_hold_says_until_when_it_is_still_kept(cameras):
    cameras.ok(*_place())
    text = cameras.ok("hold", "release", "1", "--reason", "copy handed over")
    assert text.startswith("Hold 1 is released; its footage stays until ")
    assert "cooling off" in cameras.ok("hold", "list")


def test_release_needs_two_people_where_the_settings_say_so(cameras):
    cameras.ok(*_place())
    cameras.config.write_text(
        cameras.config.read_text().replace("two_people = false", "two_people = true")
    )
    done = cameras.run("hold", "release", "1", "--reason", "copy handed over")
    assert done.status == 4
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "yesterday"), "no time of day"),
        (("--from", "25/10/2026 01:30"), "twice in Europe/London"),
        (("--from", "now", "--to", "yesterday 21:00"), "before it begins"),
        (("--from", "now", "--review", "2030-01-01 00:00"), "within a year"),
    ],
)
def test_times_that_can_not_be_meant_are_wrong_usage(cameras, arguments, words):
    done = cameras.run("hold", "place", "1101", *arguments, *PLACE)
    assert (done.status, done.out) == (2, "")
    assert words in done.err


def test_deletion_is_paused_and_resumed(cameras):
    text = cameras.ok("deletion", "pause", "--for", "4h", "--reason", "array repair")
    assert text.startswith("Nothing is deleted before ")
    resumed = cameras.ok("deletion", "resume", "--reason", "repaired")
    assert resumed == "Deletion goes on with the next cycle.\n"
    again = cameras.run("deletion", "resume", "--reason", "repaired")
    assert again.status == 1
    assert "not paused" in again.err


def test_a_pause_is_a_day_at_most(cameras):
    done = cameras.run("deletion", "pause", "--for", "2d", "--reason", "array repair")
    assert done.status == 2


def test_a_plan_that_does_not_wait_is_not_approved(cameras):
    assert cameras.run("deletion", "approve", "3").status == 1
    assert cameras.run("deletion", "approve", "all").status == 2


def test_while_the_daemon_runs_nothing_is_changed_and_reading_goes_on(cameras):
    from retention.instance import exclusive

    with exclusive(cameras.state):
        done = cameras.run(*_place())
        assert done.status == 1
        assert "systemctl stop cctv-retention" in done.err
        assert cameras.ok("hold", "list") == "No hold.\n"
    assert cameras.run(*_place()).status == 0
