"""audit list, show and verify: what a person gets to read."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from retention.catalogue import cameras, log
from retention.catalogue.db import Priority
from retention.control.context import Context
from retention.model.codec import to_json
from retention.model.errors import UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, FOREVER, HOUR, MINUTE, SECOND, Camera
from retention.reports.entries import ListRequest
from retention.reports.published_copy import PublishedCopy
from retention.tlog.entry import Stored
from tests.support import logs, publishing
from tests.support.dated import Dated
from tests.support.json_schema import verb
from tests.support.logs import (
    ANNA,
    NOW,
    append,
    batch_rows,
    completed,
    cooled,
    intended,
    released,
)

audit_list = verb("audit.list")
audit_show = verb("audit.show")
audit_verify = verb("audit.verify")


SETTINGS = SimpleNamespace(
    timezone="Europe/London",
    published_log=Path("/nonexistent/log"),
    state_directory=Path("/nonexistent"),
)
"""As much of the settings as a listing asks for."""


def added(key, controller=None):
    fields = {
        "camera": key, "id": f"100{key}", "kind": "", "custody": "council",
        "source": "", "controller": controller,
    }  # fmt: skip
    return Dated("camera.added", NOW, ANNA, fields, spans=((key, NOW, NOW + 1),))


CAMERAS = [added(1), added(2)]
"""As a copy is told of them."""

COUNCILS = [
    Dated("site.described", NOW, ANNA, {"controller": "Leicester"}),
    added(1),
    added(2, "Oadby"),
    added(3, "Oadby"),
]
"""One room serves two."""


@pytest.fixture
def context(catalogue):
    with catalogue.write(Priority.SCAN) as tx:
        for number in (1, 2, 3):
            camera = Camera(key=0, id=f"100{number}", location=f"Street {number}")
            assert cameras.insert(tx, camera, 0) == number
    return Context(SETTINGS, catalogue, logs.a_log(), NOW, ANNA)


@pytest.fixture(params=["catalogue", "copy"])
def either(request, context, tmp_path):
    """Asks the service, or a copy of its log; both read with the same code."""

    def of_catalogue(what, **asked):
        return {"list": audit_list, "show": audit_show}[what](context, **asked)

    def of_copy(what, **asked):
        with context.catalogue.read() as tx:
            stored = log.stored(tx, 0, log.size(tx))
        entries = [Stored(one.number, one.data, one.rows) for one in stored]
        copy = PublishedCopy(publishing.publish(tmp_path / "copy", entries))
        if what == "show":
            return to_json(copy.show(**asked))
        return to_json(copy.listing(ListRequest(**asked), NOW))

    return of_catalogue if request.param == "catalogue" else of_copy


def numbers(answer):
    return [one["number"] for one in answer["entries"]]


def test_entries_are_listed_newest_first_with_values_opened(context):
    append(context.catalogue, cooled(), released())
    answer = audit_list(context)
    json.dumps(answer)
    assert numbers(answer) == [2, 1, 0]
    newest = answer["entries"][0]
    assert newest["at"] == format_utc(NOW)
    assert newest["actor"]["name"] == "Anna Öztürk"
    assert newest["fields"]["reason"] == "wrong camera: François said so"
    assert newest["fields"]["free_at"] == format_utc(NOW + 7 * DAY)


def test_a_long_list_comes_in_pages(context, either):
    append(context.catalogue, *(cooled(n) for n in range(4)))
    first = either("list", limit=3)
    assert (numbers(first), first["before"]) == ([4, 3, 2], 2)
    last = either("list", limit=3, before=first["before"])
    assert (numbers(last), last["before"]) == ([1, 0], None)


def test_entries_are_listed_by_the_time_they_were_written(context, either):
    append(context.catalogue, Dated("service.stopped", NOW + HOUR, ANNA))
    soon = format_utc(NOW + MINUTE)
    assert numbers(either("list", since=soon)) == [1]
    assert numbers(either("list", until=soon)) == [0]


def test_entries_are_listed_by_what_they_are_about(context, either):
    append(context.catalogue, cooled(1), cooled(17), released(), cooled(1))
    assert numbers(either("list", subject="hold:1")) == [4, 3, 1]
    assert numbers(either("list", subject="hold:1", kind="hold.released")) == [3]
    assert numbers(either("list", subject="hold:7")) == []


def test_what_people_wrote_is_not_taken_for_what_an_entry_is_about(context, either):
    """The bytes of the entry hold it too, but quoted."""
    named = Dated(
        "root.created",
        NOW,
        ANNA,
        {"root": 'x","subject":"root:y', "uuid": "u", "path": "/p"},
    )
    append(context.catalogue, named)
    assert numbers(either("list", subject="root:y")) == []


@pytest.mark.parametrize("subject", ["hold", "hold:", ":17", "17", "officer:12"])
def test_a_subject_that_no_entry_can_have_is_one_sentence(context, either, subject):
    with pytest.raises(UsageError, match=r"name alarm, camera, .* such as hold:17"):
        either("list", subject=subject)


def test_a_published_id_is_not_taken_for_a_cameras_key(context, either):
    """Entries name a camera by its key: of its id they would all say nothing."""
    append(context.catalogue, *CAMERAS)
    assert numbers(either("list", subject="camera:2")) == [2]
    assert numbers(either("list", subject="camera:2", before=2)) == []
    with pytest.raises(UsageError, match=r"key of a camera .*--camera 1002"):
        either("list", subject="camera:1002")


def test_a_time_that_ends_before_it_begins_is_refused(context, either):
    with pytest.raises(UsageError, match="the end comes first"):
        either("list", since="now", until="now")


def test_an_unknown_camera_is_refused(context):
    with pytest.raises(UsageError, match="no camera has the id 999"):
        audit_list(context, camera="999")


def test_down_to_single_recordings_of_one_camera_and_time(context):
    """What became of camera 1002 in these two minutes: two rows, and their outcomes."""
    table = batch_rows(40)
    append(context.catalogue, intended(table), completed(1, table, {5: "rescued"}))
    start = table.values[5][2]
    since, until = format_utc(start), format_utc(start + MINUTE + 5)
    answer = audit_list(context, camera="1002", since=since, until=until)
    assert numbers(answer) == [2, 1]
    done, intent = answer["entries"]
    rows = intent["rows"]
    assert done["rows"] == rows
    assert [(row["row"], row["camera"], row["outcome"]) for row in rows] == [
        (5, 2, "rescued"),
        (7, 2, "deleted"),
    ]
    assert rows[0]["start"] == since
    assert rows[0]["duration"] == 59.998
    assert {row["completion"] for row in rows} == {2}


def test_what_was_deleted_of_a_camera_is_listed_though_no_completion_names_it(
    context, either
):
    """A completion carries no camera: its intent does, and its rows."""
    first, second = batch_rows(4), batch_rows(2, cameras=1)
    append(
        context.catalogue, *CAMERAS, intended(first), intended(second),
        completed(4, second), completed(3, first, {3: "rescued"}), intended(first),
    )  # fmt: skip
    asked = {"kind": "recordings.deleted", "camera": "1002"}
    answer = either("list", **asked)
    assert numbers(answer) == [6]
    assert [
        (row["camera"], row["outcome"]) for row in answer["entries"][0]["rows"]
    ] == [
        (2, "deleted"),
        (2, "rescued"),
    ]
    assert numbers(either("list", kind="recordings.deleted", camera="1001")) == [6, 5]
    assert numbers(either("list", **asked, since="now")) == []
    assert numbers(either("list", **asked, before=6)) == []


def placed_over(hold, *cameras):
    """A hold on a day in August, without footage before it."""
    time = {"since": NOW + 20 * DAY, "until": NOW + 21 * DAY}
    fields = {
        "hold": hold, "kind": "police", "cameras": list(cameras), **time,
        "review": NOW + 90 * DAY, "margin": 0, "reference": "NF/1",
    }  # fmt: skip
    spans = tuple((one, *time.values()) for one in cameras)
    return Dated("hold.placed", NOW, ANNA, fields, spans=spans)


def test_an_auditor_of_one_council_lists_what_is_about_its_cameras_alone(
    context, either
):
    mine, theirs = batch_rows(4), batch_rows(2, cameras=1)
    released = Dated("hold.cooled", NOW, ANNA, {"hold": 2}, spans=((1, 0, 1),))
    append(
        context.catalogue, *COUNCILS, intended(mine), intended(theirs),
        completed(6, theirs), completed(5, mine), placed_over(1, 1, 2),
        placed_over(2, 1), released,
    )  # fmt: skip
    found = either("list", controller="oadby")
    assert numbers(found) == [9, 8, 5, 4, 3]
    assert not any("rows" in one for one in found["entries"])
    assert numbers(either("list", controller="Leicester")) == [
        11, 10, 9, 8, 7, 6, 5, 2,
    ]  # fmt: skip
    assert numbers(either("list", controller="Oadby", kind="hold.*")) == [9]
    later = {
        "since": format_utc(NOW + 20 * DAY),
        "until": format_utc(NOW + 20 * DAY + HOUR),
    }
    assert numbers(either("list", controller="Oadby", **later)) == [9]
    day = {"since": format_utc(NOW), "until": format_utc(NOW + HOUR)}
    assert numbers(either("list", controller="Oadby", **day)) == [4, 3]
    assert numbers(either("list", controller="Oadby", limit=2, before=8)) == [5, 4]
    assert numbers(either("list", controller="Oadby", camera="1003")) == [4]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"controller": "Wigston"}, "'Wigston': the controllers are Leicester, Oadby"),
        ({"controller": "Oadby", "camera": "1001"}, "1001 is not one of Oadby's"),
    ],
)
def test_a_controller_without_such_a_camera_is_refused(context, either, asked, words):
    append(context.catalogue, *COUNCILS)
    with pytest.raises(UsageError, match=words):
        either("list", **asked)


def test_completions_are_listed_in_the_order_of_the_log(context, either):
    """The batch of one root may be open while others come and go."""
    table = batch_rows(2, cameras=1)
    append(
        context.catalogue, *CAMERAS, *(intended(table) for _ in range(4)),
        completed(5, table), completed(6, table), completed(4, table),
        completed(3, table),
    )  # fmt: skip
    pages, before = [], None
    while True:
        answer = either(
            "list", camera="1001", kind="recordings.*", limit=1, before=before
        )
        pages += numbers(answer)
        if (before := answer["before"]) is None:
            break
    assert pages == [10, 9, 8, 7]


def test_kinds_are_asked_for_by_a_pattern(context, either):
    append(context.catalogue, cooled(), released(), intended(batch_rows(2)))
    assert numbers(either("list", kind="hold.*")) == [2, 1]
    assert numbers(either("list", kind="*.*ed")) == [3, 2, 1, 0]
    assert numbers(either("list", kind="hold.*", subject="hold:1", limit=1)) == [2]
    assert numbers(either("list", kind="alarm.*")) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("hold.place", r"no kind .* 'hold.place'; the nearest are hold.placed"),
        ("holds.*", r"no kind .* 'holds.\*'"),
        ("*.*.*.*", "at most 3"),
        ("hold[.]*", "no pattern of kinds"),
        ("h" * 80 + "*", "no pattern of kinds"),
    ],
)
def test_a_kind_that_is_none_is_refused_with_the_nearest(context, either, kind, words):
    with pytest.raises(UsageError, match=words):
        either("list", kind=kind)


def test_a_day_is_one_of_the_site_and_not_of_utc(context, either):
    """London, in summer: 24 July begins at 23:00Z of the 23rd."""
    midnight = 1_784_847_600 * SECOND
    for at in (midnight - 1, midnight, midnight + DAY - 1, midnight + DAY):
        append(context.catalogue, Dated("service.stopped", at, ANNA))
    for day in ("2026-07-24", "24/07/2026", "Fri 24 Jul 2026"):
        assert numbers(either("list", on=day)) == [3, 2]
    assert numbers(either("list", on="23 Jul 2026", kind="service.*")) == [1]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"on": "24/13/2026"}, "not a time"),
        ({"on": "now"}, "is no day"),
        ({"on": "2026-07-24 12:00"}, "is no day"),
        ({"on": "today", "since": "now"}, "not for both"),
    ],
)
def test_what_is_no_day_is_refused(either, asked, words):
    with pytest.raises(UsageError, match=words):
        either("list", **asked)


def test_a_recording_that_only_touches_the_time_is_not_in_it(context):
    table = batch_rows(2)
    append(context.catalogue, intended(table))
    start, end = table.values[0][2], table.values[0][2] + table.values[0][4]
    before = audit_list(
        context,
        camera="1001",
        since=format_utc(start - SECOND),
        until=format_utc(start),
    )
    after = audit_list(context, camera="1001", since=format_utc(end))
    assert before["entries"] == after["entries"] == []


def test_rows_of_an_open_intent_have_no_outcome_yet(context):
    append(context.catalogue, intended(batch_rows()))
    rows = audit_list(context, camera="1001")["entries"][0]["rows"]
    assert {row["outcome"] for row in rows} == {None}


def test_a_hold_is_found_by_its_camera_where_its_window_meets_the_time(context):
    hold = {
        "hold": 1,
        "kind": "police",
        "cameras": [1],
        "since": NOW,
        "until": FOREVER,
        "review": NOW + 90 * DAY,
        "margin": 300 * SECOND,
        "reference": "NF/1",
    }
    append(
        context.catalogue,
        Dated("hold.placed", NOW, ANNA, hold, spans=((1, NOW, FOREVER),)),
    )
    found = audit_list(context, camera="1001", since="+900d", until="+901d")
    assert numbers(found) == [1]
    assert found["entries"][0]["fields"]["until"] is None
    assert found["entries"][0]["fields"]["margin"] == 300
    assert numbers(audit_list(context, camera="1001", until="now")) == []
    assert numbers(audit_list(context, camera="1002")) == []


def test_one_entry_is_shown_with_all_of_its_rows(context, either):
    table = batch_rows(6)
    append(context.catalogue, intended(table), completed(1, table, {0: "absent"}))
    shown = either("show", number=1)
    json.dumps(shown)
    assert (shown["row_count"], len(shown["rows"])) == (6, 6)
    assert [row["outcome"] for row in shown["rows"]] == ["absent"] + ["deleted"] * 5
    assert shown["rows"][1]["path"] == f"markt-straße-2/{table.values[1][2]}.mp4"
    (exception,) = either("show", number=2)["rows"]
    assert exception["outcome"] == "absent"


def test_a_changed_disclosure_shows_as_a_fault_in_the_list(context):
    append(context.catalogue, released())
    logs.tamper(
        context.catalogue, "UPDATE disclosure SET text='x' WHERE field='reason'"
    )
    assert "reason" in audit_list(context)["entries"][0]["fault"]


def test_an_intact_log_is_reported_up_to_its_last_entry(context):
    append(context.catalogue, intended(batch_rows()))
    report = audit_verify(context, deep=True)
    json.dumps(report)
    assert report["ok"]
    assert report["lawful"]
    assert report["rows"] == 10
    assert report["open_intents"] == [1]
    assert report["summary"] == (
        "the audit log is intact to entry 1 and lawful; nothing of it was published yet"
    )


def test_the_first_fault_is_reported_with_its_place(context):
    append(context.catalogue, cooled(), cooled(), cooled())
    logs.tamper(context.catalogue, "DELETE FROM entry WHERE number=2")
    report = audit_verify(context)
    assert not report["ok"]
    assert report["fault"] == {"entry": 2, "what": "is missing: 3 follows"}
    assert report["summary"] == (
        "the audit log is NOT what was written: entry 2 is missing: 3 follows; "
        "entries 0 to 1 are intact"
    )
