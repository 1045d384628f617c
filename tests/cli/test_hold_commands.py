"""`retention hold` as typed, against the real verbs behind the site's socket."""

import sqlite3

import pytest

from retention import cli
from retention.catalogue import db
from retention.model.values import HOUR, MINUTE, SECOND, State
from retention.service.api import peer as peers
from retention.service.api.peer import Peer

POLICE = (
    *("--kind", "police", "--officer", "PC 4321 Singh"),
    *("--force", "Leicestershire Police", "--reason", "assault in Market Place"),
)
PLACE = (*POLICE, "--reference", "26*123456")
HALF_AN_HOUR = ("--from", "2026-10-24 21:00", "--to", "2026-10-24 21:30")
READ = 4_000_000_000 * SECOND  # read up to whatever is asked for
START = 1_792_872_000 * SECOND  # 2026-10-24T20:00:00Z


@pytest.fixture
def cameras(site):
    """Two cameras; of the first there are two hours of Saturday evening."""
    site.ok("camera", "add", "1101", "--location", "Market Place", "--view", "north")
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


@pytest.fixture
def people(monkeypatch):
    """Whom the kernel names at the other end: (uid, login); two who logged in."""
    who = {"uid": 2001, "login": 2001}
    monkeypatch.setattr(peers, "of", lambda _: Peer(1, who["uid"], 0, who["login"]))
    every = ["operator", "supervisor"]
    monkeypatch.setattr(peers, "roles", lambda *_, **__: every)
    monkeypatch.setattr(peers, "listed", lambda *_: True)

    def become(uid, login=None):
        who.update(uid=uid, login=uid if login is None else login)

    return become


def _two_people(site):
    site.config.write_text(
        site.config.read_text().replace("two_people = false", "two_people = true")
    )


def _place(*more):
    return ("hold", "place", "1101", *HALF_AN_HOUR, *PLACE, *more)


def test_a_placed_hold_says_at_once_what_is_kept_and_how_times_were_read(cameras):
    done = cameras.run(*_place())
    assert done.out.startswith("Hold 1 is in force since ")
    assert ": 4 recordings, 30 min, 4.0 MB protected from deletion" in done.out
    assert (
        "asked from  Sat 24 Oct 2026 21:00:00 +01:00 (2026-10-24T20:00:00Z)" in done.out
    )
    assert "margin      5 min before and after" in done.out
    assert "does not stop the recorder's own clean-up" in done.out


def test_json_of_a_placed_hold_keeps_its_shape(cameras):
    answer = cameras.json_anyway(*_place("--margin", "0"))
    assert {
        "hold", "in_force_since", "asked", "since", "until", "margin_seconds", "review",
        "kind", "reference", "incomplete", "same_reference", "cameras", "total",
        "outcome_follows", "times_in_doubt", "all_preserved", "dry_run", "repeated",
    } <= set(answer)  # fmt: skip
    assert answer["since"] == "2026-10-24T20:00:00Z"
    assert set(answer["cameras"][0]) == {
        "camera", "location", "view", "protected", "recorder_deletes", "deleted",
        "lost", "no_recording_seen", "not_known", "pending", "files_beside",
        "surplus_seconds",
    }  # fmt: skip


def test_a_hold_of_which_nothing_is_there_is_placed_with_status_7(cameras):
    done = cameras.run("hold", "place", "1102", *HALF_AN_HOUR, *PLACE)
    assert done.status == 7
    assert "NOTHING of it is protected yet" in done.out
    assert len(cameras.json("hold", "list")["holds"]) == 1


def test_a_hold_on_the_future_is_no_failure(cameras):
    done = cameras.run(
        "hold", "place", "1102", "--from", "+1h", "--to", "+2h", "--margin", "0", *PLACE
    )
    assert done.status == 0
    assert "Nothing of it is recorded yet" in done.out


def test_a_camera_that_an_id_meant_then_is_held_too_and_asked_about(cameras):
    cameras.run("camera", "renumber", "1101", "1150")
    cameras.ok("camera", "add", "1101", "--location", "New Walk")
    done = cameras.run(*_place())
    assert "Camera 1150 (Market Place, north) is held too" in done.out


def test_a_dry_run_answers_the_same_and_places_nothing(cameras):
    done = cameras.run(*_place("--dry-run"))
    assert done.out.startswith("Dry run: NO hold is placed.")
    assert "4 recordings" in done.out
    assert cameras.json("hold", "list")["holds"] == []


def test_cameras_are_found_by_their_location_and_by_patterns(cameras):
    by_place = ("hold", "place", "--location", "MARKET", *HALF_AN_HOUR, *PLACE)
    found = cameras.json_anyway(*by_place, "--dry-run")["cameras"]
    assert [one["camera"] for one in found] == ["1101"]
    pattern = ("hold", "place", "11*", *HALF_AN_HOUR, *PLACE, "--dry-run")
    assert len(cameras.json_anyway(*pattern)["cameras"]) == 2


def test_a_camera_that_is_not_ours_says_who_has_the_data_and_places_nothing(cameras):
    cameras.ok("camera", "add", "9001", "--location", "Ring Road", "--kind", "anpr")
    done = cameras.run("hold", "place", "1101", "9001", *HALF_AN_HOUR, *PLACE)
    assert done.status == 4
    assert "police custody" in done.err
    assert "No hold was placed" in done.err
    assert cameras.json("hold", "list")["holds"] == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (
            (),
            "CAMERA or --location, --from, --to or --until-released, --kind, --reason.",
        ),
        (("1101", *HALF_AN_HOUR, "--kind", "police"), "--officer, --force, --reason."),
        (
            ("1101", *HALF_AN_HOUR, "--kind", "sar"),
            "--received, --reference, --reason.",
        ),
        (("1101", *HALF_AN_HOUR, "--kind", "court"), "--reference, --reason."),
        (("1101", "--from", "now", *PLACE), "--to or --until-released."),
    ],
)
def test_all_that_is_missing_is_said_at_once(cameras, given, missing):
    done = cameras.run("hold", "place", *given)
    assert (done.status, done.out) == (2, "")
    assert f"Missing: {missing}" in done.err


def test_two_ends_are_one_too_many(cameras):
    done = cameras.run(*_place("--until-released"))
    assert done.status == 2
    assert "not both" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "yesterday"), "no time of day"),
        (("--from", "25/10/2026 01:30"), "twice in Europe/London"),
        (("--from", "2027-03-28 01:30"), "does not exist in Europe/London"),
        (("--from", "now", "--to", "yesterday 21:00"), "before it begins"),
        (("--from", "now", "--to", "+1h", "--review", "2030-01-01 00:00"), "a year"),
    ],
)
def test_times_that_can_not_be_meant_are_wrong_usage(cameras, arguments, words):
    end = () if "--to" in arguments else ("--until-released",)
    done = cameras.run("hold", "place", "1101", *arguments, *end, *PLACE)
    assert (done.status, done.out) == (2, "")
    assert words in done.err
    assert cameras.json("hold", "list")["holds"] == []


def test_an_incomplete_hold_is_listed_as_such_until_it_is_amended(cameras):
    done = cameras.run("hold", "place", "1101", *HALF_AN_HOUR, *POLICE)
    assert "`retention hold amend 1 --reference ...`" in done.out
    listed = cameras.ok("hold", "list", "--state", "incomplete")
    assert "hold 1  active, INCOMPLETE  police without a reference" in listed
    text = cameras.ok("hold", "amend", "1", "--reference", "26*123456")
    assert text == "Hold 1 is amended; what it keeps is as it was.\n"
    assert cameras.ok("hold", "list", "--state", "incomplete") == "No hold.\n"


def test_a_hold_with_the_same_reference_is_named(cameras):
    cameras.run(*_place())
    assert "In force with the same reference: hold 1." in cameras.run(*_place()).out


def test_the_list_shows_what_is_kept_for_whom(cameras):
    cameras.run(*_place("--margin", "0"))
    assert cameras.ok("hold", "list").splitlines()[:7] == [
        "1 hold.",
        "",
        "hold 1  active  police 26*123456",
        "  cameras    1101 Market Place, north",
        "  from       Sat 24 Oct 2026 21:00:00 +01:00 to Sat 24 Oct 2026 21:30:00 +01:00",
        "  why        assault in Market Place",
        "  asked by   PC 4321 Singh, Leicestershire Police",
    ]


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [
        ("--camera", "1101", 1), ("--camera", "1102", 0), ("--reference", "26*12", 1),
        ("--reference", "27*", 0), ("--kind", "police", 1), ("--kind", "sar", 0),
        ("--state", "active", 1), ("--state", "released", 0), ("--state", "all", 1),
        ("--state", "pending", 0), ("--state", "review", 0),
    ],
)  # fmt: skip
def test_the_list_can_be_narrowed(cameras, option, value, found):
    cameras.run(*_place())
    assert len(cameras.json("hold", "list", option, value)["holds"]) == found


def test_no_hold_is_said(cameras):
    assert cameras.ok("hold", "list") == "No hold.\n"


def test_a_shown_hold_has_its_cameras_and_its_history(cameras):
    cameras.run(*_place())
    text = cameras.ok("hold", "show", "1")
    assert "as typed    2026-10-24 21:00 to 2026-10-24 21:30" in text
    assert "  1101  Market Place, north\n" in text
    assert "hold.placed" in text
    missing = cameras.run("hold", "show", "9")
    assert missing.status == 1
    assert "`retention hold list`" in missing.err


def test_extending_answers_like_placing_for_the_wider_hold(cameras):
    cameras.run(*_place("--margin", "0"))
    done = cameras.run(
        *("hold", "extend", "1", "--to", "2026-10-24 22:00", "--camera", "1102"),
        *("--reason", "PC Singh: he came back"),
    )
    assert done.out.startswith("Hold 1 is extended, in force from now on.\n")
    assert "6 recordings" in done.out
    assert done.status == 7  # of 1102 nothing is there


def test_a_hold_is_never_narrowed(cameras):
    cameras.run(*_place())
    done = cameras.run(
        *("hold", "extend", "1", "--to", "2026-10-24 21:10", "--reason", "shorter"),
    )
    assert done.status == 2
    assert "`retention hold place --replaces 1`" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (("extend", "1", "--reason", "x"), "Nothing to extend"),
        (("amend", "1"), "Nothing to amend"),
        (("extend", "1", "--to", "now"), "--reason"),
        (("review", "1"), "--reason"),
        (("release", "1"), "--reason"),
        (("reject", "1"), "--reason"),
        (("reinstate", "1"), "--reason"),
        (("approve", "first"), "HOLD"),
    ],
)
def test_what_an_act_needs_is_said(cameras, words, needed):
    done = cameras.run("hold", *words)
    assert done.status == 2
    assert needed in done.err


def test_a_reviewed_hold_says_when_to_look_again(cameras):
    cameras.run(*_place())
    text = cameras.ok("hold", "review", "1", "--reason", "trial", "--review", "+30d")
    assert text.startswith("Hold 1 is kept; look at it again by ")


def test_one_person_releases_where_the_settings_say_so_and_every_screen_says_it(
    cameras, people
):
    cameras.run(*_place())
    done = cameras.run("hold", "release", "1", "--reason", "copy handed over")
    assert done.out.startswith("Hold 1 is released. Its footage stays until ")
    assert "two-person release is off" in done.err
    assert "cooling off" in cameras.ok("hold", "list")


def test_two_people_release_a_hold_and_it_can_be_put_back_in_force(cameras, people):
    _two_people(cameras)
    cameras.run(*_place())
    asked = cameras.ok("hold", "release", "1", "--reason", "copy handed over")
    assert "STAYS IN FORCE until a second person approves" in asked
    assert "Release asked for by uid 2001" in cameras.ok("hold", "list")
    again = cameras.run("hold", "approve", "1")
    assert again.status == 4
    assert "another person" in again.err
    people(2002)
    approved = cameras.ok("hold", "approve", "1")
    assert "(cooling off)" in approved
    back = cameras.run("hold", "reinstate", "1", "--reason", "wrong one")
    assert back.out.startswith("Hold 1 is in force again: its release is undone.\n")
    assert "hold 1  active" in cameras.ok("hold", "list")


def test_a_rejected_release_leaves_the_hold_in_force(cameras, people):
    _two_people(cameras)
    cameras.run(*_place())
    cameras.ok("hold", "release", "1", "--reason", "copy handed over")
    people(2002)
    text = cameras.ok("hold", "reject", "1", "--reason", "no receipt")
    assert text == "Hold 1 stays in force: its release is rejected.\n"
    assert cameras.json("hold", "list", "--state", "pending")["holds"] == []


def test_the_right_hold_replaces_the_mistyped_one_in_one_act(cameras, people):
    _two_people(cameras)
    cameras.run(*_place())
    done = cameras.run(*_place("--replaces", "1"))
    assert "The release of hold 1 is asked for; it stays in force" in done.out
    assert len(cameras.json("hold", "list", "--state", "pending")["holds"]) == 1


def test_root_is_told_to_go_without_sudo(cameras, people):
    cameras.run(*_place())
    people(0)
    done = cameras.run("hold", "release", "1", "--reason", "copy handed over")
    assert done.status == 4
    assert "without sudo" in done.err


def test_the_words_typed_go_on_record_beside_the_times(cameras):
    cameras.run(
        *("hold", "place", "1101", "--from", "yesterday  21:00", "--to", "now", *PLACE)
    )
    (one,) = cameras.json("hold", "list")["holds"]
    assert one["typed"] == "yesterday  21:00 to now"


def test_the_same_words_twice_are_two_holds(cameras):
    """Only a retry of the very same request is answered with the first one's hold."""
    first, second = cameras.run(*_place()), cameras.run(*_place())
    assert "Hold 1 is in force" in first.out
    assert "Hold 2 is in force" in second.out


def test_while_the_service_is_down_the_operator_is_told_what_that_means(cameras):
    cameras.capsys.readouterr()
    status = cli.run(["--config", str(cameras.config), *_place()])
    done = cameras.capsys.readouterr()
    assert status == 3
    assert done.out == ""
    assert "WAITING, NOT CONFIRMED" in done.err
    assert "IT on call 0116 000 0000" in done.err
    assert len(list((cameras.directory / "spool").glob("*.json"))) == 1


def test_deletion_is_paused_and_resumed(cameras):
    text = cameras.ok("deletion", "pause", "--for", "4h", "--reason", "array repair")
    assert text.startswith("Nothing is deleted before ")
    resumed = cameras.ok("deletion", "resume", "--reason", "repaired")
    assert resumed == "Deletion goes on with the next cycle.\n"
    again = cameras.run("deletion", "resume", "--reason", "repaired")
    assert again.status == 1
    assert "not paused" in again.err


def test_a_pause_by_a_clock_in_doubt_names_no_date_that_it_can_not_keep(cameras):
    why = "the clock jumped ahead by 40 days"
    with sqlite3.connect(cameras.state / db.NAME) as raw:
        row = (1, "clock", "", 0, why, "[]")
        raw.execute("INSERT INTO alarm VALUES (?, ?, ?, ?, ?, ?, NULL)", row)
    raw.close()
    text = cameras.ok("deletion", "pause", "--for", "4h", "--reason", "array repair")
    assert text == (
        f"The clock is in doubt ({why}), and nothing is deleted until it is put right. "
        "The pause is counted from then on.\n"
    )


def test_a_pause_is_a_day_at_most(cameras):
    done = cameras.run("deletion", "pause", "--for", "2d", "--reason", "array repair")
    assert done.status == 2


def test_a_plan_that_does_not_wait_is_not_approved(cameras):
    assert cameras.run("deletion", "approve", "3").status == 1
    assert cameras.run("deletion", "approve", "all").status == 2
