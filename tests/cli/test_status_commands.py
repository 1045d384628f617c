"""`retention status`, `plan` and `root`, as typed."""

import sqlite3

import pytest

from retention import cli
from retention.catalogue import db
from retention.cli.status import _proposal
from retention.model.answers.policy import PeriodProposed, ProposalShown
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State

READ = 4_000_000_000_000_000  # read up to whatever is asked for
FIRST = 1_780_000_000 * SECOND  # long past its period


@pytest.fixture
def rooted(site):
    site.ok("camera", "add", "1101", "--location", "Market Place")
    with sqlite3.connect(site.state / db.NAME) as raw:
        key = raw.execute("SELECT key FROM root WHERE name = 'nvr1'").fetchone()[0]
        raw.execute(
            "INSERT INTO stream (key, root, camera, layout, zone, name, extension, "
            "max_length) VALUES (1, ?, 1, 'l', 'UTC', '1101', '.mp4', ?)",
            (key, HOUR),
        )
        raw.execute("UPDATE root SET adopted=1, caught_up=2, scanned=?", (READ,))
        raw.executemany(
            "INSERT INTO recording VALUES (1, ?, 0, ?, 1000000, ?)",
            [(FIRST + n * DAY, 10 * MINUTE, State.PRESENT) for n in range(3)],
        )
    raw.close()
    return site


def test_a_stopped_daemon_is_said_with_whom_to_call_and_status_3(rooted, capsys):
    status = cli.run(["--config", str(rooted.config), "status"])
    said = capsys.readouterr().err
    assert status == 3
    assert "nothing is being deleted" in said
    assert "IT on call 0116 000 0000" in said


def test_what_is_overdue_is_the_second_line_and_gives_status_6(rooted):
    done = rooted.run("status")
    lines = done.out.splitlines()
    assert done.status == 6
    assert lines[0] == "Deleting what is due."
    assert lines[1] == "3 recordings overdue, 3.0 MB."


def test_a_guard_that_holds_is_shown_first_and_gives_status_6(rooted):
    with sqlite3.connect(rooted.state / db.NAME) as raw:
        raw.execute(
            "INSERT INTO alarm VALUES (7, 'clock', '', 1, 'jumped ahead by 3 h', '[]', NULL)"
        )
    raw.close()
    done = rooted.run("status")
    assert done.status == 6
    assert done.out.startswith("NOT DELETING: guard clock: jumped ahead by 3 h.")
    assert "The clock is in doubt: jumped ahead by 3 h. What is said here" in done.out


def test_a_guard_with_much_to_say_leaves_room_on_the_screen(rooted):
    """The steps to take are in `alarm show`, and in `--all`."""
    why = "it is older than a head kept elsewhere. " + "then take this step; " * 60
    with sqlite3.connect(rooted.state / db.NAME) as raw:
        raw.execute(
            "INSERT INTO alarm VALUES (7, 'catalogue', '', 1, ?, '[]', NULL)", (why,)
        )
    raw.close()
    short, whole = rooted.run("status").out, rooted.run("status", "--all").out
    lines = [line for line in short.splitlines() if "older than" in line]
    assert [len(line) < 500 for line in lines] == [True, True]
    assert lines[0].endswith("then take this step ...")
    assert lines[1].endswith("...; `retention alarm show 7`")
    assert whole.count("then take this step") == 2 * 60


def test_a_pause_is_shown_in_local_time(rooted):
    rooted.ok("deletion", "pause", "--for", "4h", "--reason", "array repair")
    done = rooted.run("status")
    assert "NOT DELETING: paused until Tue" in done.out or "+00:00." in done.out
    assert "Z" not in done.out.splitlines()[0].removeprefix("NOT DELETING")


def test_json_of_the_status_keeps_its_shape(rooted):
    answer = rooted.json_anyway("status")
    assert {
        "at", "site", "contact", "deleting", "why_not", "overdue",
        "oldest_unheld", "holds", "roots", "plans_waiting", "alarms", "policy",
        "times_in_doubt", "unknown", "open_batches", "log_entries", "log_signed", "outside_memory",
        "two_person_release", "require_login_uid", "releases_waiting", "supervisors",
        "cameras_under_hold", "root_replacements_waiting",
    } <= set(answer)  # fmt: skip
    assert {
        "root", "path", "adopted", "scanned", "reconciled", "recordings", "overdue",
        "oldest_unheld", "next_due", "quarantined", "failed",
        "recorder_deletes_after_days", "held_compared",
    } <= set(answer["roots"][0])  # fmt: skip


def test_how_old_the_look_at_held_footage_is_is_said_once_there_is_a_hold(rooted):
    assert "held footage looked at" not in rooted.run("status").out
    rooted.run(
        *("hold", "place", "1101", "--from", "2026-05-28 00:00", "--margin", "0"),
        *("--to", "2026-05-29 00:00", "--kind", "internal", "--reference", "16*1"),
        *("--reason", "assault"),
    )
    assert "held footage looked at" in rooted.run("status").out


def test_the_plan_names_what_is_due_and_what_a_hold_keeps(rooted):
    rooted.run(
        *("hold", "place", "1101", "--from", "2026-05-28 00:00"),
        *("--to", "2026-05-29 00:00", "--margin", "0"),
        *("--kind", "internal", "--reference", "16*1", "--reason", "assault"),
    )
    text = rooted.ok("plan")
    assert text.startswith("Due now: 2 recordings, 2.0 MB")
    assert "kept under holds: 1 recording, 1.0 MB." in text


def test_json_of_the_plan_keeps_its_shape(rooted):
    answer = rooted.json("plan", "--ahead", "7d", "--retention", "21")
    assert {
        "at", "clock_in_doubt", "until", "days", "due", "ahead", "blocked", "plans_waiting", "preview",
    } <= set(answer)  # fmt: skip
    assert {"days", "recordings", "seconds", "bytes", "cameras"} <= set(
        answer["preview"]
    )
    assert {"root", "camera", "location", "day", "recordings", "bytes"} <= set(
        answer["due"][0]
    )


def test_an_empty_plan_says_nothing_is_due(site):
    assert site.ok("plan").startswith("Due now: nothing")


def test_the_roots_are_listed_with_their_state(rooted):
    text = rooted.ok("root", "list")
    assert "nvr1" in text
    assert str(rooted.footage) in text
    (one,) = rooted.json("root", "list")["roots"]
    assert {
        "name", "path", "configured", "available", "state", "uuid", "adopted",
        "scanned", "reconciled",
    } <= set(one)  # fmt: skip


def test_a_root_that_is_gone_is_the_first_line(rooted):
    rooted.footage.rename(rooted.directory / "elsewhere")
    assert rooted.ok("root", "list").startswith("NOT AVAILABLE: nvr1: ")


def test_a_root_is_taken_in_once(rooted):
    done = rooted.run("root", "adopt", "nvr1")
    assert done.status == 1
    assert "taken in already" in done.err


def test_another_disk_is_put_on_record(rooted):
    (rooted.footage).rename(rooted.directory / "elsewhere")
    rooted.footage.mkdir()
    text = rooted.ok("root", "replace", "nvr1", "--reason", "disk failed")
    assert text.startswith(f"Root nvr1 at {rooted.footage} is another disk (entry ")


def test_a_camera_changed_under_a_hold_is_an_alarm_until_the_hold_is_reviewed(rooted):
    rooted.run(
        *("hold", "place", "1101", "--from", "2026-05-28 00:00"),
        *("--to", "2026-05-29 00:00", "--kind", "internal"),
        *("--reference", "16*1", "--reason", "assault"),
    )
    told = rooted.ok("camera", "replace", "1101", "--location", "High Street")
    assert "From now on hold 1 covers the new camera too." in told
    assert "retention hold review 1" in told
    text = rooted.run("status").out
    assert "Under hold: camera 1101 was replaced while hold 1 covers it" in text
    rooted.ok("hold", "review", "1", "--reason", "looked at both cameras")
    assert "Under hold" not in rooted.run("status").out


def test_renumbering_under_a_hold_says_which_hold(rooted):
    rooted.run(
        *("hold", "place", "1101", "--from", "2026-05-28 00:00"),
        *("--to", "2026-05-29 00:00", "--kind", "internal"),
        *("--reference", "16*1", "--reason", "assault"),
    )
    told = rooted.ok("camera", "renumber", "1101", "2101")
    assert "retention hold show 1" in told
    assert "camera 2101 was renumbered while hold 1" in rooted.run("status").out


def test_a_guard_that_is_not_acknowledged_by_its_name_says_what_ends_it(rooted):
    done = rooted.run("guard", "acknowledge", "mismatch", "--reason", "seen")
    assert done.status == 2
    assert "retention schema repair" in done.err


def test_a_proposal_for_very_many_cameras_is_one_line_of_a_screen():
    periods = [PeriodProposed(str(n), "Market Place", 28, 21) for n in range(1_900)]
    line = _proposal(ProposalShown(1, "waiting", None, "periods", periods), "sue")
    assert "and 1,895 more" in line
    assert len(line) < 500
