"""The acts by which entries come back: what each changes in an older catalogue."""

import pytest

from retention.catalogue import policies, raised
from retention.catalogue.db import Priority
from retention.model.policy import Policy
from retention.model.values import Entry, Rows, State
from retention.publication.replay import ACTS, Back, Replay
from retention.publication.unproven import Unproven
from retention.tlog.kinds import KINDS
from retention.tlog.unsigned import Stretch
from tests.support import logs

AT = 1_000_000
ALL_SIGNED = 1_000
HOLD = {
    "hold": 1,
    "kind": "court",
    "cameras": [1],
    "since": 0,
    "until": 500,
    "review": 600,
    "margin": 0,
}


def test_a_camera_comes_back_with_what_is_published_of_it_and_whose_it_is(tx):
    replay(tx, "camera.added", camera=3, id="3", kind="ptz", custody="council", **SAID)
    changes = {name: [None, new] for name, new in SAID.items()}
    replay(tx, "camera.changed", camera=1, changes=changes)
    for key in (1, 3):
        found = tx.exec_driver_sql(WHOSE.format(key)).one()
        assert found == ("no", "Oadby", 1.5, 2)


def test_a_camera_of_an_older_log_comes_back_as_its_kind_and_the_site_say(tx):
    fields = {
        "camera": 3, "id": "3", "kind": "anpr", "custody": "police", "source": "add",
        "location": "Quay", "view": None, "lon": None, "lat": None,
    }  # fmt: skip
    ACTS["add_camera"](tx, Back(0, {"at": AT, "fields": fields}, None))
    assert tx.exec_driver_sql(WHOSE.format(3)).one() == (None,) * 4


def test_every_act_that_is_declared_has_a_function_and_every_function_is_declared():
    declared = {kind.act for kind in KINDS.values()} - {None}
    assert declared == set(ACTS)


def replay(tx, of, /, rows=None, number=0, signed=ALL_SIGNED, **fields):
    """Bring an entry back; fields that are not given are null.  What it counted."""
    every = {field.name: None for field in KINDS[of].fields} | fields
    actor = {"uid": 0, "login": 0, "pid": 1, "role": "administrator"}
    entry = {"kind": of, "at": AT, "actor": actor, "fields": every}
    replayed = Replay(Unproven([Stretch(signed, number + 1, AT)]))
    replayed.one(tx, Back(number, entry, rows), signed)
    return replayed


FOOTAGE = ("camera", "stream", "start", "n", "duration", "bytes")


def footage(start, duration=60, **more):
    """The rows of an entry about the one recording that starts then."""
    return Rows((*FOOTAGE, *more), [(1, 1, start, 0, duration, 9, *more.values())])


@pytest.fixture
def tx(catalogue):
    """Two cameras, a root with a stream and two recordings, and a hold."""
    with catalogue.write(Priority.HOLD) as open_:
        for camera, id_ in (1, "1001"), (2, "1002"):
            replay(
                open_, "camera.added", camera=camera, id=id_, kind="fixed",
                custody="council", source="cli", location="Quay", lon="-1.13",
            )  # fmt: skip
        replay(open_, "root.created", root="nvr1", uuid="u1", path="/srv/nvr1")
        replay(
            open_, "stream.opened", stream=1, root="nvr1", camera=1, layout="{camera}/%Y-%m-%d_%H-%M-%S.mp4",
            zone="UTC", name="1001", extension="mp4", max_length=60,
        )  # fmt: skip
        for start in (100, 200):
            open_.exec_driver_sql(
                "INSERT INTO recording VALUES (1, ?, 0, 60, 9, 0)", (start,)
            )
        replay(open_, "hold.placed", **HOLD)
        yield open_


BEFORE = {
    "camera.listed": ("camera.unlisted", {"camera": 1}),
    "hold.release_rejected": ("hold.release_requested", {"hold": 1}),
    "hold.reinstated": ("hold.released", {"hold": 1, "free_at": 2 * AT}),
    "hold.cooled": ("hold.released", {"hold": 1, "free_at": AT}),
    "deletion.resumed": ("deletion.paused", {"until": 2 * AT}),
    "log.successor_holds": (
        "log.opened",
        {
            "log_id": "new",
            "succeeds": "test/old",
            "until": 2 * AT,
            "lost_first": None,
            "lost_last": 4,
        },
    ),
    "guard.cleared": (
        "guard.tripped",
        {"guard": "root", "scope": "nvr1", "detail": "-"},
    ),
    "alarm.ended": (
        "alarm.raised",
        {"alarm": "late", "scope": "nvr1", "detail": "-", "cameras": [1]},
    ),
}
"""By kind: what happened before such an entry."""

SAID = {"published": "no", "controller": "Oadby", "easting": "1.5", "northing": "2"}
WHOSE = "SELECT published, controller, easting, northing FROM camera WHERE key={}"
MOVED = {"location": ["Quay", "Bridge"], "lon": ["-1.13", "-1.14"]}
PLACE = "SELECT location, lon, listed, retired FROM camera WHERE key=1"
REQUESTS = "SELECT count(*) FROM release_request"
PROPOSALS = "SELECT value->>'last' FROM fact WHERE name='policy.proposals'"
SUCCESSOR = (
    "SELECT value->>'until', value->'holds' FROM fact WHERE name='log.successor'"
)
PAUSE = "SELECT value FROM fact WHERE name='pause'"
COUNT = "SELECT count(*) FROM recording"

EFFECTS = {
    "camera.added": (
        {"camera": 3, "id": "1003", "kind": "ptz", "custody": "council"},
        "SELECT kind, listed, retired FROM camera WHERE key=3", ("ptz", 1, 0),
    ),
    "camera.changed": ({"camera": 1, "changes": MOVED}, PLACE, ("Bridge", -1.14, 1, 0)),
    "camera.moved": ({"camera": 1, "changes": MOVED}, PLACE, ("Bridge", -1.14, 1, 0)),
    "camera.renumbered": (
        {"camera": 2, "old": "1002", "new": "1009"},
        "SELECT camera FROM camera_id WHERE id='1009'", (2,),
    ),
    "camera.replaced": ({"id": "1001", "old": 1, "new": 2}, PLACE, ("Quay", -1.13, 0, 1)),
    "camera.retired": ({"camera": 1}, PLACE, ("Quay", -1.13, 1, 1)),
    "camera.unlisted": ({"camera": 1}, PLACE, ("Quay", -1.13, 0, 0)),
    "camera.listed": ({"camera": 1}, PLACE, ("Quay", -1.13, 1, 0)),
    "root.created": (
        {"root": "nvr2", "uuid": "u2", "path": "/srv/nvr2"},
        "SELECT uuid, path FROM root WHERE name='nvr2'", ("u2", "/srv/nvr2"),
    ),
    "root.adopted": ({"root": "nvr1"}, "SELECT adopted FROM root", (AT,)),
    "root.replaced": ({"root": "nvr1", "new": "u9"}, "SELECT uuid FROM root", ("u9",)),
    "stream.opened": (
        {"stream": 2, "root": "nvr1", "camera": 2, "layout": "{camera}/%Y-%m-%d_%H-%M-%S.mp4", "zone": "UTC", "name": "1002",
             "extension": "mp4", "max_length": 60},
        "SELECT camera, name FROM stream WHERE key=2", (2, "1002"),
    ),
    "hold.placed": (
        HOLD | {"hold": 2, "cameras": [1, 2]},
        "SELECT count(*) FROM hold_camera WHERE hold=2", (2,),
    ),
    "hold.extended": (
        {"hold": 1, "cameras": [2], "since": 0, "until": 900, "review": 600},
        "SELECT count(*), max(until) FROM hold_camera JOIN hold ON key=hold", (2, 900),
    ),
    "hold.reviewed": ({"hold": 1, "review": 700}, "SELECT review FROM hold", (700,)),
    "hold.redated": ({"hold": 1, "review": 700}, "SELECT review FROM hold", (700,)),
    "hold.release_requested": ({"hold": 1}, REQUESTS, (1,)),
    "hold.release_rejected": ({"hold": 1}, REQUESTS, (0,)),
    "hold.released": (
        {"hold": 1, "free_at": 2 * AT}, "SELECT released, free_at FROM hold", (AT, 2 * AT),
    ),
    "hold.reinstated": (
        {"hold": 1, "free_at": 2 * AT}, "SELECT released, free_at FROM hold", (None, None),
    ),
    "hold.cooled": ({"hold": 1}, "SELECT cooled FROM hold", (AT,)),
    "recording.changed": (
        {"rows": footage(100, 90, old_duration=60, old_bytes=5)},
        "SELECT duration, size, max_length FROM recording, stream", (90, 9, 90),
    ),
    "recordings.lost": ({"rows": footage(100, held=0, path="a")}, COUNT, (1,)),
    "recording.moved": ({"rows": footage(100), "origin": "there"}, COUNT, (1,)),
    "deletion.intended": (
        {"root": "nvr1", "rows": footage(100, path="a%FF")},
        "SELECT intent, state, path FROM batch, recording JOIN recording_path",
        (5, 1, b"a\xff"),
    ),
    "policy.changed": (
        {"version": 9, "days": 28, "cameras": {"1": 14}, "proposal": None},
        "SELECT days, cameras FROM policy WHERE version=9", (28, '{"1": 14}'),
    ),
    "policy.proposed": ({"proposal": 4}, PROPOSALS, (4,)),
    "rules.changed": (
        {"new": {"deletion_floor": "7"}, "proposal": 3},
        f"SELECT ({PROPOSALS}), value->>'deletion_floor' FROM fact WHERE name='rules'",
        (3, 7),
    ),
    "rules.proposed": ({"proposal": 4}, PROPOSALS, (4,)),
    "deletion.paused": (
        {"until": 2 * AT}, PAUSE, (f'{{"until": {2 * AT}, "since": {AT}}}',),
    ),
    "deletion.resumed": ({}, PAUSE, None),
    "log.opened": (
        {
            "log_id": "new", "succeeds": "test/old", "until": 9, "lost_first": 3,
            "lost_last": 4,
        },
        SUCCESSOR, (9, "null"),
    ),
    "log.successor_holds": ({"holds": [1, 2]}, SUCCESSOR, (2 * AT, "[1,2]")),
    "guard.tripped": (
        {"guard": "root", "scope": "nvr1", "detail": "not there"},
        "SELECT since, detail FROM alarm", (AT, "not there"),
    ),
    "guard.cleared": (
        {"guard": "root", "scope": "nvr1"}, "SELECT count(*) FROM alarm", (0,),
    ),
    "alarm.raised": (
        {"alarm": "late", "scope": "nvr1", "detail": "2 files", "cameras": [1]},
        "SELECT since, detail, cameras FROM alarm", (AT, "2 files", "[1]"),
    ),
    "alarm.ended": (
        {"alarm": "late", "scope": "nvr1", "raised": 0, "acknowledged": True},
        "SELECT count(*) FROM alarm", (0,),
    ),
}  # fmt: skip
"""By kind: the fields of an entry, and what the catalogue says once it came back."""


@pytest.mark.parametrize(
    "kind",
    sorted(
        kind.name for kind in KINDS.values() if kind.act not in (None, "complete_batch")
    ),
)
def test_an_entry_has_the_effect_that_it_tells(tx, kind):
    if kind in BEFORE:
        earlier, said = BEFORE[kind]
        replay(tx, earlier, **said)
    fields, query, after = EFFECTS[kind]
    assert tx.exec_driver_sql(query).first() != after
    replay(tx, kind, number=5, **fields)
    assert tx.exec_driver_sql(query).first() == after


@pytest.mark.parametrize(
    ("first", "known"),
    [("deleted", []), ("absent", [(100, b"100")]), ("absent_after_crash", [])],
)
def test_a_batch_that_is_over_lets_its_recordings_go_but_for_those_still_there(
    tx, first, known
):
    """What somebody else had removed before is known if it comes back."""
    rows = Rows((*FOOTAGE, "due", "path", "seen"), [
        (1, 1, start, 0, 60, 9, 0, str(start), None) for start in (100, 200)
    ])  # fmt: skip
    said = {"root": "nvr1", "count": 2, "bytes": 18, "oldest": 100, "newest": 260}
    author = logs.a_log().by(logs.SERVICE, AT)
    intent = author.append(tx, Entry("deletion.intended", said, rows))
    replay(tx, "deletion.intended", rows, intent, root="nvr1")
    became = Rows(("row", "outcome"), [(0, first), (1, "failed")])
    if first == "deleted":
        became = Rows(("row", "outcome"), [(1, "failed")])
    counts = dict.fromkeys(
        (field.name for field in KINDS["recordings.deleted"].fields), 0
    )
    done = counts | {"intent": intent, "method": "unlink"}
    number = author.append(tx, Entry("recordings.deleted", done, became))
    assert replay(tx, "recordings.deleted", became, number, **done).gone == 1
    assert [row[:2] for row in known_lost(tx)] == known
    left = tx.exec_driver_sql("SELECT start, state FROM recording").all()
    assert left == [(200, State.PRESENT)]
    assert tx.exec_driver_sql("SELECT count(*) FROM batch").scalar_one() == 0


def test_entries_of_holds_and_recordings_that_leave_are_counted(tx):
    assert replay(tx, "hold.amended", hold=1).holds == 1
    assert replay(tx, "hold.reviewed", hold=1, review=700).holds == 1
    assert replay(tx, "recordings.lost", footage(100, held=0, path="a")).gone == 1
    assert replay(tx, "recordings.lost", footage(100, held=0, path="a")).gone == 0


ALONE = sorted(kind for kind in EFFECTS if not KINDS[kind].keeps)


@pytest.mark.parametrize("kind", ALONE)
def test_under_no_head_it_comes_back_into_the_log_alone(tx, kind):
    """Anybody may have put it there; the service finds the rest out by itself."""
    if kind in BEFORE:
        earlier, said = BEFORE[kind]
        replay(tx, earlier, **said)
    fields, query, _ = EFFECTS[kind]
    before = tx.exec_driver_sql(query).first()
    alone = replay(tx, kind, number=5, signed=5, **fields).alone
    assert tx.exec_driver_sql(query).first() == before
    assert alone == {kind: 1}


def known_lost(tx):
    """What would be known if it came back."""
    return tx.exec_driver_sql("SELECT start, path, at, held FROM lost").all()


def test_what_was_lost_since_the_backup_is_known_again_if_it_comes_back(tx):
    lost = footage(100, held=1, path="a%FF")
    replay(tx, "recordings.lost", lost)
    assert known_lost(tx) == [(100, b"a\xff", AT, 1)]
    replay(tx, "recording.moved", footage(100, new_stream=1, new_n=0, new_path=None))
    assert known_lost(tx) == []


def test_one_path_has_one_row_whatever_the_backup_says(tx):
    """A ruling gave the recording another time since, and it was intended under that."""
    tx.exec_driver_sql("INSERT INTO recording_path VALUES (1, 100, 0, x'61')")
    tx.exec_driver_sql("INSERT INTO quarantine VALUES (1, 100, 0, 1, 1, 'r')")
    replay(tx, "deletion.intended", footage(150, path="a"), 5, root="nvr1")
    rows = tx.exec_driver_sql("SELECT start, state FROM recording ORDER BY start").all()
    assert rows == [(150, State.DELETING), (200, State.PRESENT)]
    paths = tx.exec_driver_sql("SELECT start, path FROM recording_path").all()
    assert paths == [(150, b"a")]
    assert tx.exec_driver_sql("SELECT count(*) FROM quarantine").scalar_one() == 0


def test_long_lists_come_back_from_the_rows_beside_their_entries(tx):
    rows = Rows(("camera", "days", "old_days"), [(1, 31, None), (2, None, 40)])
    replay(tx, "policy.changed", rows, version=7, days=28)
    assert policies.current(tx) == Policy(7, 28, {1: 31})
    replay(
        tx, "alarm.raised", Rows(("camera",), [(1,), (2,)]), number=9, alarm="settings",
        scope="nvr1", detail="many",
    )  # fmt: skip
    assert raised.find(tx, "settings", "nvr1").cameras == (1, 2)
