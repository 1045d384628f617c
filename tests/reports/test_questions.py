"""Twenty questions that auditors, courts and the public ask, each answered by one command
with the right value: of a year whose truth is known, as it was lived below.

Each is typed as it stands here, to the live log and with `--dir` to a published copy, and
both answers are the same to the byte, as JSON and each table as CSV.
"""

import json
import shlex
from datetime import UTC, date, datetime, timedelta
from statistics import mean
from typing import Any

import pytest

from retention import cli
from retention.cli.base import Session
from retention.control.verbs import VERBS
from retention.model.codec import to_json
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.service.api import arguments
from tests.support.publishing import VERIFIER
from tests.support.reported import AUDITOR, Council, Reported
from tests.support.story import ANNA, BEN, CARA, Row

FIRST, AFTER = date(2025, 11, 1), date(2026, 11, 1)
YEAR = f"--from {FIRST} --to {AFTER}"


def utc(day: str, hour: int = 0, minute: int = 0) -> int:
    """Microseconds, by the calendar of the standard library alone."""
    when = datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=UTC)
    return int(when.timestamp()) * SECOND


def said(instant: int) -> str:
    """That instant as answers write it."""
    return datetime.fromtimestamp(instant // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Year:
    """What happened: cameras 1001 (key 1) and 1002 (key 2), and eight of the police."""

    def __init__(self) -> None:
        self.site = site = Council()
        self.deleted: list[tuple[int, int, Row]] = []
        """When it was complete, by which intent, of every recording that was deleted."""
        self.recorded: dict[tuple[int, str], int] = {}
        site.add(
            "site.described", controller="leicester", monitored_hours="24/7",
            published_list="https://data.example/cctv", published_list_day="2026-06-01",
        )  # fmt: skip
        for key in range(3, 11):
            site.add(
                "camera.added", camera=key, id=f"A{key}", kind="anpr", custody="police",
                source="test", location="Ring Road",
            )  # fmt: skip
        site.at(utc("2025-10-31", 6))
        site.add("root.adopted", root="nvr1", recordings=0, bytes=0, unknown=0)
        day = FIRST
        while day < AFTER:
            self.noon(day)
            getattr(self, f"on_{day:%Y_%m_%d}", lambda: None)()
            day += timedelta(days=1)
        site.at(utc("2026-11-01", 0, 5))
        site.beat(0)

    def noon(self, day: date) -> None:
        """Every day the service says that it is well, what was recorded the day before,
        and deletes what is due."""
        site = self.site
        site.at(utc(f"{day}", 12))
        self.beat()
        before = day - timedelta(days=1)
        for camera in (1, 2):
            hours = {"2026-02-10": 12, "2026-02-11": 0}.get(f"{before}", 24)
            hours = hours if camera == 2 else 24
            self.recorded[camera, f"{before}"] = hours
            if hours:
                length = hours * HOUR
                start = utc(f"{before}")
                site.recorded(site.row(camera, start=start, length=length))
        rows = [
            site.row(1 + n % 2, age=28 * DAY + (1 + n) * MINUTE, bytes=100 + n)
            for n in range(3 + day.toordinal() % 4)
        ]
        self.delete(*rows)

    def delete(self, *rows: Row) -> int:
        intent = self.site.delete(*rows)
        self.deleted += [(self.site.now, intent, row) for row in rows]
        return intent

    def beat(self, overdue: int = 0) -> None:
        site = self.site
        site.add(
            "heartbeat", recordings=3, overdue=overdue, held_cameras=0, holds=0,
            oldest_unheld=site.now - 28 * DAY, wall=site.now, boottime=1,
            synchronised=True,
        )  # fmt: skip

    # -- days on which something happened --------------------------------------------------

    def on_2026_01_15(self) -> None:
        site = self.site
        site.add("policy.changed", by=CARA, version=2, days=28, cameras={"2": 28})
        site.policy, self.policy_changed = 2, site.now

    def on_2026_03_10(self) -> None:
        """The clock was not believed for five hours, so one was deleted late."""
        site = self.site
        site.at(utc("2026-03-10", 13))
        self.tripped = site.add("guard.tripped", guard="clock", scope="", detail="d")
        for hour in range(13, 18):
            site.at(utc("2026-03-10", hour))
            self.beat()
        site.at(utc("2026-03-10", 18))
        site.add("guard.cleared", guard="clock", scope="", reason="r")
        self.beat()
        self.late = self.delete(site.row(1, age=28 * DAY + 5 * HOUR))
        self.beat()

    def on_2026_04_02(self) -> None:
        for hour, overdue in ((13, 7), (14, 9), (15, 0)):
            self.site.at(utc("2026-04-02", hour))
            self.beat(overdue)

    def on_2026_05_05(self) -> None:
        site = self.site
        for held in (0, 1):
            row = site.row(1, age=(2 + held) * DAY, bytes=7)
            site.said("recordings.lost", (*row[:6], held, None), held=held)

    def on_2026_05_20(self) -> None:
        site = self.site
        site.at(utc("2026-05-20", 12, 30))
        raised = site.add("alarm.raised", alarm="silent", scope="nvr1/c2", detail="d")
        site.at(utc("2026-05-20", 18, 30))
        site.add(
            "alarm.ended", by=BEN, alarm="silent", scope="nvr1/c2", raised=raised,
            acknowledged=True, reason="r",
        )  # fmt: skip

    def on_2026_06_01(self) -> None:
        """A hold for footage that was gone in part; two people end it."""
        site = self.site
        self.window = utc("2026-04-27"), utc("2026-05-10")
        site.place(*self.window, hold=1, camera=2)
        self.placed = site.now
        site.release(site.ask(1, by=ANNA), 1, by=CARA)

    def on_2026_06_15(self) -> None:
        """Nobody ever reviewed this one, and it came too late for nothing."""
        site = self.site
        site.place(site.now - DAY, site.now, hold=2, camera=1)

    def on_2026_07_01(self) -> None:
        site = self.site
        self.received = utc("2026-06-29", 9)
        site.add(
            "hold.placed", by=ANNA, hold=3, kind="sar", cameras=[1], margin=0,
            since=utc("2026-06-28", 20), until=utc("2026-06-28", 22),
            received=self.received, review=utc("2026-12-01"), reason="r",
        )  # fmt: skip

    def on_2026_07_20(self) -> None:
        site = self.site
        site.add("access.denied", by=ANNA, verb="hold.approve", count=3)
        site.add("access.changed", role="supervisor", added={}, removed={"1002": "ben"})
        site.add("details.opened", by=AUDITOR, report="holds", holds=[1, 2], count=2)

    def on_2026_08_08(self) -> None:
        self.early = self.delete(self.site.row(1, age=27 * DAY))

    def on_2026_10_01(self) -> None:
        """The footage of 3 September, 14:00 to 15:00 in London, was over at 14:00 UTC."""
        site = self.site
        site.at(utc("2026-10-01", 14, 1))
        start = utc("2026-09-03", 13)
        hour = site.row(2, start=start, length=HOUR, due=start + HOUR + 28 * DAY)
        self.asked_for = self.delete(hour)

    def on_2026_10_05(self) -> None:
        """One person alone ended this one."""
        site = self.site
        site.place(site.now - DAY, site.now, hold=4, camera=2)
        site.release(None, 4, by=CARA)

    # -- what is true of it ----------------------------------------------------------------

    def on_day(self, day: str, camera: int) -> list[Row]:
        """All that was deleted then, by UTC, in which no deletion is near midnight."""
        since = utc(day)
        return [
            row
            for at, _, row in self.deleted
            if since <= at < since + DAY and row[0] == camera
        ]


@pytest.fixture(scope="module")
def year():
    return Year()


@pytest.fixture(scope="module")
def log(year, tmp_path_factory):
    made = Reported(tmp_path_factory.mktemp("year") / "log", year.site.entries)
    yield made
    made.close()


class Answer:
    """What a command printed as JSON, and how it ended."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self._report = status, json.loads(text)

    @property
    def verdict(self) -> dict[str, bool | None]:
        return {one["text"]: one.get("good") for one in self._report["verdict"]}

    def rows(self, name: str) -> list[dict[str, Any]]:
        table = self._table(name)
        names = [one["name"] for one in table["columns"]]
        return [dict(zip(names, row["cells"], strict=True)) for row in table["rows"]]

    def row(self, name: str, **wanted: Any) -> dict[str, Any]:
        """The one row that has these cells."""
        (found,) = (row for row in self.rows(name) if wanted.items() <= row.items())
        return found

    def total(self, name: str) -> list[Any]:
        return self._table(name)["total"]["cells"]

    def tables(self) -> list[str]:
        return [one["name"] for one in self._report["tables"]]

    def _table(self, name: str) -> dict[str, Any]:
        (found,) = (one for one in self._report["tables"] if one["name"] == name)
        return found


class Service:
    """Answers as the daemon does, of the live log."""

    timezone, notices = "Europe/London", ()

    def __init__(self, log: Reported) -> None:
        self.log = log

    def call(self, verb: str, **given: Any) -> Any:
        checked = arguments.checked(verb, json.dumps(given).encode())
        found = VERBS[verb].resolve()(self.log.context(), **checked)
        return json.loads(json.dumps(to_json(found)))


@pytest.fixture
def ask(log, tmp_path, capsys, monkeypatch):
    """Types `retention report ...`, to the service and from a copy."""
    monkeypatch.setattr(Session, "client", Service(log))
    monkeypatch.setenv("XDG_CACHE_HOME", str(log.cache))
    copy = ["--dir", str(log.copy), "--key", VERIFIER.vkey]

    def typed(*words: str) -> tuple[int, str]:
        status = cli.run(["report", *words])
        out, err = capsys.readouterr()
        assert out, err
        return status, out

    def both(words: str, *form: str) -> tuple[int, str]:
        live = typed(*shlex.split(words), *form)
        assert live == typed(*shlex.split(words), *form, *copy)
        return live

    def run(words: str) -> Answer:
        found = Answer(*both(words, "--json"))
        for name in found.tables():
            both(words, "--csv", "--table", name)
        return found

    return run


# -- deletions ------------------------------------------------------------------------------


def test_1_what_was_deleted_on_day_d_from_camera_c_and_why(year, ask):
    for day in ("2025-11-01", "2026-02-28", "2026-10-24", "2026-10-25"):
        answer = ask(f"deletions --on {day} --camera 1001")
        true = year.on_day(day, 1)
        found = answer.row("by_day", day=day)
        assert found["recordings"] == len(true)
        assert found["bytes"] == sum(row[5] for row in true)
        why = [(row["reason"], row["policy"]) for row in answer.rows("by_reason")]
        policy = 1 if day < "2026-01-15" else 2
        assert why == [("period of 28 days over", policy)]


def test_2_which_entry_and_row_prove_one_deletion(year, ask, log):
    at, intent, gone = year.deleted[700]
    camera = f"100{gone[0]}"
    answer = ask(f"deletions --on {said(at)[:10]} --camera {camera} --files")
    found = answer.row("files", start=said(gone[2]), bytes=gone[5])
    assert found["entry"] == intent
    of_batch = [row for _, one, row in year.deleted if one == intent]
    assert of_batch[found["row"]] == gone


def test_3_was_anything_deleted_early(year, ask):
    (found,) = ask(f"deletions {YEAR}").rows("early")
    assert (found["entry"], found["row"]) == (year.early, 0)


def test_4_was_anything_deleted_late_and_why(year, ask):
    found = ask(f"deletions {YEAR}").row("late", entry=year.late)
    assert found["why"].startswith(f"guard clock (entries {year.tripped} and ")
    assert 5 * 3600 <= found["lateness"] <= 5 * 3600 + 10


def test_5_how_much_was_deleted_between_two_days_and_in_the_year(year, ask):
    for since, until in (("2026-06-03", "2026-06-19"), (f"{FIRST}", f"{AFTER}")):
        true = [
            row for at, _, row in year.deleted if utc(since) <= at < utc(until)
        ]  # fmt: skip
        total = ask(f"deletions --from {since} --to {until}").total("by_day")
        assert total[1:4] == [
            len(true), sum(row[4] for row in true) / SECOND, sum(row[5] for row in true),
        ]  # fmt: skip


# -- holds ----------------------------------------------------------------------------------


def test_6_which_holds_were_there_and_who_released_them(ask):
    answer = ask(f"holds {YEAR}")
    assert [row["hold"] for row in answer.rows("holds")] == [1, 2, 3, 4]
    found = answer.row("holds", hold=1)
    anna, cara = f"{ANNA.uid} ({ANNA.role})", f"{CARA.uid} ({CARA.role})"
    assert (found["placed_by"], found["release_asked_by"]) == (anna, anna)
    assert found["released_by"] == cara
    assert answer.row("holds", hold=2)["state"] == "in force"


def test_7_was_any_hold_ended_by_one_person_alone(ask):
    assert "1 released by one person: 4" in ask("holds").verdict


def test_8_which_reviews_are_overdue(ask):
    rows = ask("holds").rows("holds")
    assert [row["hold"] for row in rows if row["review_overdue"] == "yes"] == [2]


def test_9_what_did_a_hold_come_too_late_for(year, ask):
    since, until = year.window
    true = [
        row
        for at, _, row in year.deleted
        if at < year.placed
        and row[0] == 2
        and row[2] < until
        and since < row[2] + row[4]
    ]
    found = ask("holds --camera 1002").row("footage", hold=1)
    assert (found["too_late"], found["too_late_bytes"]) == (
        len(true), sum(row[5] for row in true),
    )  # fmt: skip
    assert len(true) > 1


def test_10_who_asked_for_footage_to_be_kept_when_and_how_is_it_kept(year, ask):
    answer = ask(f"seizures {YEAR}")
    assert [
        (row["kind"], row["holds"], row["standing"], row["released"])
        for row in answer.rows("by_kind")
    ] == [("court", 3, 1, 2), ("sar", 1, 1, 0)]
    found = answer.row("seizures", hold=3)
    assert found["received"] == said(year.received)
    assert found["kept"] == "not deleted by this program"


# -- was the promise kept ---------------------------------------------------------------------


def test_11_what_share_was_deleted_on_time_and_how_old_did_footage_grow(year, ask):
    late = sum(at - row[6] > HOUR for at, _, row in year.deleted)
    assert late == 1
    answer = ask(f"compliance {YEAR}")
    days = answer.rows("days")
    counted = [(row["on_time"], row["recordings"]) for row in days if row["recordings"]]
    on_time = sum(share * number for share, number in counted)
    assert round(on_time) == len(year.deleted) - late
    assert f"of {len(year.deleted):,} recordings, 1 LATE" in " ".join(answer.verdict)
    assert {row["age"] // 86_400 for row in days if row["age"]} == {28}


def test_12_was_anything_overdue_and_for_how_long(ask):
    (found,) = ask(f"compliance {YEAR}").rows("overdue")
    assert found["since"][:16] == "2026-04-02T13:00"
    assert (found["duration"], found["most"]) == (2 * 3600, 9)


def test_13_what_stopped_deletion_and_for_how_long(ask):
    (found,) = ask(f"compliance {YEAR}").rows("guards")
    assert (found["what"], found["duration"]) == ("guard clock", 5 * 3600)


def test_14_which_period_was_in_force_since_when_and_who_decided(year, ask):
    first, second = ask(f"compliance {YEAR}").rows("policies")
    assert (first["days"], first["cameras"]) == (28, 0)
    assert (second["version"], second["at"]) == (2, said(year.policy_changed))
    assert second["by"] == f"{CARA.uid} ({CARA.role})"


def test_15_do_all_cameras_record_around_the_clock_as_is_claimed(year, ask):
    answer = ask("coverage --from 2026-02-01 --to 2026-03-01")
    true = {
        camera: mean(year.recorded[camera, f"2026-02-{day:02}"] for day in range(1, 29))
        for camera in (1, 2)
    }
    for camera, hours in true.items():
        found = answer.row("by_camera", camera=f"100{camera}")
        assert found["complete"] == pytest.approx(hours / 24)
    assert answer.row("by_camera", camera="1002")["empty"] == 1
    assert len(answer.rows("by_camera")) == 2  # those of the police record nowhere here


def test_16_what_vanished_that_nobody_deleted_and_was_any_of_it_held(ask):
    answer = ask(f"exceptions {YEAR}")
    found = {row["what"]: row["recordings"] for row in answer.rows("by_kind")}
    assert found == {"lost": 1, "lost while held": 1}
    assert answer.verdict["lost while held: 1 recording, 7 B"] is False


def test_17_which_alarms_stood_how_long_and_did_a_camera_fall_silent(ask):
    found = ask(f"exceptions {YEAR}").row("alarms", what="silent")
    assert (found["where"], found["duration"]) == ("nvr1/c2", 6 * 3600)


# -- one camera and one hour ------------------------------------------------------------------


def test_18_was_that_hour_deleted_on_time_and_was_that_fixed_before_it_was_asked_for(
    year, ask
):
    answer = ask(
        'certificate --camera 1002 --from "2026-09-03 14:00" --to "2026-09-03 15:00" '
        "--requested-on 2026-10-02"
    )
    assert answer.status == 0
    (stretch,) = answer.rows("stretches")
    assert (stretch["became"], stretch["duration"]) == ("deleted", 3600)
    (found,) = answer.rows("recordings")
    assert (found["entry"], found["row"]) == (year.asked_for, 0)
    assert found["due"] == "2026-10-01T14:00:00Z"
    assert found["lateness"] < 120
    assert [found[name] for name in ("fixed", "due_then", "deleted_then")] == [
        "before the request"
    ] * 3


def test_19_is_footage_of_that_evening_still_kept_and_for_whom(ask):
    answer = ask(
        "certificate --camera 1001 --from 2026-06-28T20:00Z --to 2026-06-28T22:00Z"
    )
    assert answer.status == 8
    (stretch,) = answer.rows("stretches")
    assert stretch["became"] == "held"
    assert stretch["why"].startswith("hold 3")


# -- people -----------------------------------------------------------------------------------


def test_20_who_was_refused_what_and_who_looked_at_names(ask):
    answer = ask(f"access {YEAR}")
    found = answer.row("denied", verb="hold.approve")
    assert (found["who"], found["times"]) == (f"{ANNA.uid} ({ANNA.role})", 3)
    found = answer.row("deeds", what="details.opened")
    assert (found["who"], found["times"]) == (f"{AUDITOR.uid} ({AUDITOR.role})", 1)
    assert [row["role"] for row in answer.rows("roles")] == ["supervisor"]
