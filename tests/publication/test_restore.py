"""Restore drills on a whole installation: what comes back, and what stays off."""

import json
import os
import shutil
import sqlite3

import pytest

from retention.catalogue import db, log, schema
from retention.catalogue.log_check import verify_catalogue
from retention.cli.audit.verify import _verified
from retention.cli.local import offline
from retention.control.verbs import VERBS, Verb
from retention.model import codec
from retention.model.answers.policy import PolicyRejected
from retention.model.answers.proof import LogChecked
from retention.model.errors import CatalogueError, PublicationError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import HOUR, SECOND, Entry, Rows
from retention.site import clock
from retention.tlog import seal, tiles
from retention.tlog.directory import Published
from retention.tlog.verify.published import verify_directory
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.installation import DAY, MINUTE, never
from tests.support.logs import SERVICE
from tests.support.station import ANNA, BEN, CARA, Station

STATE = (
    "hold", "hold_camera", "release_request", "camera", "camera_id", "stream", "root",
    "policy", "batch", "recording", "recording_path", "entry", "entry_rows",
)  # fmt: skip


@pytest.fixture
def station(installed):
    made = Station(installed)
    yield made
    made.killed()


def now():
    return clock.read().wall


def footage(station, due=3, fresh=4):
    """Adopted and scanned: `due` recordings that may go, `fresh` that may not."""
    installed = station.installed
    for number in range(due):
        installed.record(now(), 2 * DAY + number * MINUTE)
    for number in range(fresh):
        installed.record(now(), HOUR + number * MINUTE)
    station.round()
    station.approve()


def place(station, who=ANNA, **given):
    """A hold on what is fresh."""
    return station.ask(
        "hold.place", who,
        **{
            "cameras": ["1001"], "since": format_utc(now() - 2 * HOUR),
            "until": format_utc(now()), "kind": "court", "reference": "r",
            "reason": "r", **given,
        },
    )  # fmt: skip


def whole(station):
    """Catalogue, index and published log, to an outsider."""
    service = station.service
    own = verify_catalogue(service._core.catalogue, deep=True)
    assert own.ok, own
    service._publish(service._publishing.catch_up, now())
    vkey = service._publishing._publisher.vkey
    report = verify_directory(station.settings.published_log, vkey, depth="deep")
    assert report.ok, report.faults
    with service._core.catalogue.read() as tx:
        assert report.size == log.size(tx)


MOMENTS = ("placed", "released", "cooled", "at", "valid_from", "valid_to")


def alike(some, others):
    """The same rows, but that an entry is written a moment after what it tells."""
    return len(some) == len(others) and all(
        abs(one - other) < SECOND
        if name in MOMENTS and None not in (one, other)
        else one == other
        for rows in zip(some, others, strict=True)
        for (name, one), (_, other) in zip(*rows, strict=True)
    )


def index(station):
    return station.tables("entry_camera")["entry_camera"]


def test_a_hold_is_published_with_its_head_before_it_is_answered(station):
    footage(station)
    answer = place(station)
    assert answer["published"] is True
    with station.service._core.catalogue.read() as tx:
        size = log.size(tx)
    assert station.service._publishing._publisher.published == size
    assert "published" not in place(station, dry_run=True)


@pytest.fixture
def deciding(monkeypatch):
    """Every verb is done, whatever it is asked with: an entry, and that is all."""

    def decide(context, **_):
        entry = Dated("deletion.resumed", context.now, context.actor, {"reason": "r"})
        with context.catalogue.write(db.Priority.HOLD) as tx:
            number = append_dated(context.log, tx, entry)
        return PolicyRejected(1, "periods", [], number)

    monkeypatch.setattr(Verb, "resolve", lambda _: decide)


CHANGING = [name for name, verb in VERBS.items() if verb.changes]


@pytest.mark.usefixtures("deciding")
def test_whatever_people_change_is_under_a_published_head_before_it_is_answered(
    station,
):
    for verb in CHANGING:
        answer = station.ask(verb)
        head = (station.settings.published_log / "checkpoint").read_text()
        assert (verb, int(head.splitlines()[1])) == (verb, answer["entry"] + 1)
        assert answer["published"] is True


@pytest.mark.usefixtures("deciding")
def test_whatever_people_change_stands_where_it_can_not_be_published(station):
    directory = station.settings.published_log
    directory.rename(directory.with_name("away"))
    directory.write_text("in the way")
    for verb in CHANGING:
        answer = station.ask(verb)
        assert (verb, answer["published"]) == (verb, False)
        assert "stands and is in the audit log, but not" in answer["not_published"]
        with station.service._core.catalogue.read() as tx:
            assert log.read(tx, answer["entry"])["kind"] == "deletion.resumed"
    assert station.guards().keys() == {"log"}
    assert station.round().startswith("guard log")


@pytest.mark.usefixtures("deciding")
def test_what_is_only_looked_at_is_no_change_to_publish(station):
    trials = [name for name in CHANGING if VERBS[name].trial]
    assert trials == ["camera.import", "camera.assign", "hold.place"]
    given = {"camera.assign": {"name": "nvr1/1001", "camera": "1002", "reason": "r"}}
    for verb in trials:
        asked = given.get(verb, {}) | {VERBS[verb].trial: True}
        assert "published" not in station.ask(verb, **asked)


def test_a_hold_that_can_not_be_published_stands_and_deletion_stops(station):
    footage(station)
    directory = station.settings.published_log
    directory.rename(directory.with_name("away"))
    directory.write_text("in the way")
    answer = place(station)
    assert answer["published"] is False
    assert "not yet published" in answer["not_published"]
    assert answer["hold"] == 1
    assert station.round().startswith("guard log")
    assert len(station.installed.files()) == 7
    directory.unlink()
    directory.with_name("away").rename(directory)
    station.service.tick(None)
    assert station.guards() == {}
    assert station.round() is None
    assert len(station.installed.files()) == 4
    whole(station)


def test_what_was_altered_stays_an_alarm_until_it_is_put_right(station):
    """Though what is new is published beside it, each minute."""
    footage(station, due=0)
    place(station)
    bundle = max(station.settings.published_log.glob("tile/entries/000.p/*"))
    right = bundle.read_bytes()
    bundle.write_bytes(right[:-1] + b"x")
    assert station.service._published(mend=True) is not None
    place(station, reference="r2")
    for _ in range(3):
        station.service._publishing._headed = None
        station.service.tick(None)
    assert "the published copy was altered" in station.guards()["log"]
    bundle.write_bytes(right)
    assert station.service._published(mend=True) is None
    station.service.tick(None)
    assert station.guards() == {}


def test_scans_go_on_while_the_log_can_not_be_published(station):
    footage(station, due=0)
    directory = station.settings.published_log
    shutil.rmtree(directory)
    directory.write_text("in the way")
    place(station)
    station.installed.record(now(), 2 * HOUR)
    station.round()
    assert len(station.tables("recording")["recording"]) == 5


def test_nothing_is_unlinked_before_its_intent_is_published(station, monkeypatch):
    footage(station)
    seen = []

    def fails(size, at):
        seen.append(size)
        raise PublicationError("the share is away")

    batches = station.work.deleter._batches
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_publish", fails)
        station.round()
    assert len(station.installed.files()) == 7
    assert seen
    assert station.guards().keys() == {"log"}
    assert station.tables("batch")["batch"] != []
    station.service.tick(None)
    station.round()
    assert len(station.installed.files()) == 4
    assert station.tables("batch")["batch"] == []
    whole(station)


def test_a_stop_and_a_round_sign_what_changed(station):
    service = station.service
    station.change("camera.add", CARA, id="2001", location="Bridge")
    service._publishing._headed -= MINUTE
    service.tick(None)
    with service._core.catalogue.read() as tx:
        assert service._publishing._publisher.published == log.size(tx)
    service.tick(None)  # nothing changed
    station.change("camera.add", CARA, id="2002", location="Bridge")
    service.tick(None)  # its minute is not over
    with service._core.catalogue.read() as tx:
        size = log.size(tx)
    assert service._publishing._publisher.published < size
    station.stop()
    station.start()
    assert service._publishing._publisher.published > size


def everything_that_happens(station):
    """All that a restored catalogue must know again, by every kind of entry."""
    installed = station.installed
    ask, change = station.ask, station.change
    change("camera.add", CARA, id="2001", location="Bridge", lon="-1.13", lat="52.6")
    change("camera.moved", CARA, id="2001", lon="-1.131", lat="52.61", location="Quay")
    change("camera.replace", CARA, id="1002", location="Station, new")
    change("camera.renumber", CARA, old="2001", new="2002")
    first = place(station)["hold"]
    ask("hold.extend", hold=first, since=format_utc(now() - 5 * HOUR), reason="r",
        cameras=["2002"])  # fmt: skip
    ask("hold.amend", hold=first, officer="PC 4417", reason="r")
    ask("hold.review", hold=first, reason="r")
    second = place(station, reference="s", since=format_utc(now() - 30 * HOUR))["hold"]
    ask("hold.release", ANNA, hold=second, reason="r")
    ask("hold.reject", BEN, hold=second, reason="no")
    ask("hold.release", ANNA, hold=second, reason="r")
    ask("hold.approve", BEN, hold=second)
    ask("hold.reinstate", BEN, hold=second, reason="r")
    third = place(station, reference="t", replaces=second)["hold"]
    ask("hold.approve", BEN, hold=second)
    ask("hold.release", ANNA, hold=third, reason="r")
    (installed.directory / "nvr1" / "1002").mkdir(exist_ok=True)
    installed.record(now(), 3 * HOUR, camera="1002")
    installed.record(now(), 2 * DAY, camera="1002")
    change("deletion.pause", length="1h", reason="r")
    change("deletion.resume", reason="r")
    assert station.round() is None or station.plans()
    station.approve()
    station.round()
    fresh = sorted((installed.directory / "nvr1" / "1001").iterdir())[-1]
    fresh.unlink()
    station.round()
    change("camera.retire", CARA, id="2002")
    change("deletion.pause", length="2h", reason="r")


@pytest.fixture
def two_people(installed):
    made = Station(installed, release_requires_two_people=True)
    yield made
    made.killed()


def test_database_only_everything_comes_back_but_peoples_data(two_people):
    station = two_people
    footage(station)
    backup = station.backup()
    station.round()
    assert len(station.installed.files()) == 4
    everything_that_happens(station)
    station.stop()
    catalogue = station.service._core.catalogue
    assert station.installed.verify().ok
    before = station.tables(*STATE)
    before_index = index(station)
    facts = dict(_facts(station))
    station.restore(backup)
    station.start()
    whole(station)
    after = station.tables(*STATE)
    assert catalogue is not station.service._core.catalogue
    assert len(after["hold"]) == 3
    for name in STATE:
        if name in ("recording", "recording_path"):
            assert set(after[name]) <= set(before[name])
        elif name in ("entry", "entry_rows"):
            assert set(before[name]) <= set(after[name])
        else:
            assert alike(after[name], before[name]), _differ(after[name], before[name])
    assert set(before_index) <= set(index(station))
    assert dict(_facts(station)) == facts
    station.work.scan(lambda: False)
    assert station.tables("recording") == {"recording": before["recording"]}
    assert station.installed.entries("recordings.lost")[1:] == []
    whole(station)


def _differ(some, others):
    """The rows that are only in one of them."""
    return [row for row in some if row not in others], [
        row for row in others if row not in some
    ]


def _facts(station):
    rows = station.tables("fact")["fact"]
    found = {dict(row)["name"]: json.loads(dict(row)["value"]) for row in rows}
    found["pause"].pop("since")  # the entry says it a moment later
    names = ("pause", "rules", "policy.proposals")
    return [(name, found[name]) for name in names if name in found]


def test_deletion_is_off_until_an_administrator_acknowledges(station):
    footage(station)
    backup = station.backup()
    station.round()
    place(station)
    station.stop()
    station.restore(backup)
    station.start()
    entries = station.installed.entries("catalogue.restored")
    assert len(entries) == 1
    assert entries[0]["fields"]["holds"] == 1
    assert entries[0]["fields"]["recordings"] == 3
    station.installed.record(now(), 3 * DAY)
    assert station.round().startswith("guard catalogue")
    assert len(station.installed.files()) == 5
    station.killed()
    station.start()  # still, after another start
    assert station.round().startswith("guard catalogue")
    assert len(station.installed.entries("catalogue.restored")) == 1
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="holds checked")
    station.round()
    station.approve()
    station.round()
    assert station.guards() == {}
    assert len(station.installed.files()) == 5  # the held ones, and one that came late
    with pytest.raises(UsageError):
        station.ask("guard.acknowledge", CARA, guard="catalogue", reason="again")
    whole(station)


def test_a_held_recording_is_kept_after_a_restoration(station):
    """P1: the backup is older than the hold on what is due."""
    footage(station)
    backup = station.backup()
    place(station, since=format_utc(now() - 3 * DAY))
    station.killed()
    station.restore(backup)
    station.start()
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.round()
    station.approve()
    station.round()
    assert len(station.installed.files()) == 7


def test_an_open_intent_that_comes_back_is_finished(station, monkeypatch):
    """Killed between intent and unlink, and then the database is an older one."""
    footage(station)
    backup = station.backup()
    batches = station.work.deleter._batches
    real = batches._publish

    def killed(size, at):
        real(size, at)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_publish", killed)
        with pytest.raises(KeyboardInterrupt):
            station.round()
    station.killed()
    station.restore(backup)
    station.start()
    assert len(station.tables("batch")["batch"]) == 1
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.round()
    assert station.tables("batch")["batch"] == []
    assert len(station.installed.files()) == 4
    whole(station)


def test_directory_only_is_caught_up_and_nothing_stops(station):
    footage(station)
    station.service._publish(station.service._publishing.catch_up, now())
    kept = station.keep_directory()
    place(station)
    station.stop()
    station.restore_directory(kept)
    station.start()
    assert station.guards() == {}
    assert station.round() is None
    whole(station)
    assert station.ask("audit.verify", CARA, deep=True)["stands"] == {}


def test_both_older_than_the_key_side_never_deletes(station):
    footage(station)
    station.service._publish(station.service._publishing.catch_up, now())
    kept, backup = station.keep_directory(), station.backup()
    place(station)
    station.stop()
    station.restore_directory(kept)
    station.restore(backup)
    station.start()
    assert "older than a head kept elsewhere" in station.guards()["catalogue"]
    files = kept_files(station)
    for _ in range(2):
        assert station.round().startswith("guard catalogue")
        station.service.tick(None)
    answer = place(station)  # a hold is stored all the same
    assert answer["published"] is False
    assert kept_files(station) == files
    assert len(station.installed.files()) == 7
    not_proven(station, "catalogue")
    station.stop()
    station.start()
    assert station.round().startswith("guard catalogue")
    assert kept_files(station) == files


def not_proven(station, guard):
    """Who asks whether the log is what was written hears what the guard says."""
    found = station.ask("audit.verify", CARA, deep=True)
    assert (found["ok"], set(found["stands"])) == (False, {guard})
    assert found["summary"].endswith(f"; but guard {guard} of the log stands")
    told = _verified(codec.from_json(LogChecked, found), "UTC")
    assert f"Guard {guard}: {station.guards()[guard]}" in told


def kept_files(station):
    directory = station.settings.published_log
    return {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_two_histories_never_delete(station):
    footage(station)
    station.service._publish(station.service._publishing.catch_up, now())
    backup = station.backup()
    kept = station.keep_directory()
    place(station)
    station.stop()
    other = station.keep_directory("other")
    station.restore(backup)
    station.restore_directory(kept)
    (station.state / "last-checkpoint").unlink()
    station.start()
    place(station, reference="another history")
    station.stop()
    station.restore_directory(other)
    station.start()
    assert "two different logs" in station.guards()["log"]
    not_proven(station, "log")
    assert station.round().startswith("guard log")
    assert len(station.installed.files()) == 7
    assert kept_files(station).keys() == {
        station.settings.published_log / p.relative_to(other)
        for p in other.rglob("*")
        if p.is_file()
    }


def test_the_same_twice_a_restored_catalogue_is_restored_again(station):
    footage(station)
    backup = station.backup()
    place(station)
    station.stop()
    for _ in range(2):
        station.restore(backup)
        station.start()
        assert len(station.tables("hold")["hold"]) == 1
        station.stop()
    assert len(station.installed.entries("catalogue.restored")) == 2
    station.start()
    whole(station)


def test_heads_in_the_journal_are_read(station, monkeypatch, tmp_path):
    """journalctl as systemd's: the newest first, among lines of others."""
    footage(station)
    station.service._publish(station.service._publishing.catch_up, now())
    kept, backup = station.keep_directory(), station.backup()
    place(station)
    station.stop()
    note = (station.state / "last-checkpoint").read_text()
    (station.state / "last-checkpoint").unlink()
    station.restore_directory(kept)
    station.restore(backup)
    journal(monkeypatch, tmp_path, note)
    station.start()
    assert "the journal was signed" in station.guards()["catalogue"]


def journal(monkeypatch, tmp_path, note):
    lines = [
        "no JSON",
        json.dumps({"event": "checkpoint.signed", "note": "rubbish"}),
        json.dumps({"event": "checkpoint.signed", "note": note}),
    ]
    command = tmp_path / "bin" / "journalctl"
    command.parent.mkdir()
    (tmp_path / "lines").write_text("\n".join(lines))
    command.write_text(f"#!/bin/sh\ncat {tmp_path}/lines\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")


def test_a_key_that_is_missing_stops_deletion_and_nothing_else(station):
    footage(station)
    station.stop()
    (station.state / "log.key").rename(station.state / "log.key.away")
    station.start()
    assert "log.key can't be read" in station.guards()["log"]
    assert place(station)["published"] is False
    assert station.round().startswith("guard log")


def test_the_key_may_be_a_systemd_credential(station, monkeypatch, tmp_path):
    station.stop()
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (station.state / "log.key").rename(credentials / "log.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    station.start()
    assert station.guards() == {}
    assert place(station)["published"] is True
    assert (station.state / "last-checkpoint").exists()


def test_init_adds_nothing_to_an_old_backup(station):
    footage(station)
    backup = station.backup()
    place(station)
    station.stop()
    station.restore(backup)
    with pytest.raises(CatalogueError, match="start the service"):
        station.installed.init()
    station.start()
    whole(station)
    station.stop()
    station.installed.init()  # as ever
    station.start()


def test_an_upgrade_of_an_old_backup_is_not_on_record_and_forks_nothing(
    station, monkeypatch
):
    footage(station)
    backup = station.backup()
    place(station)
    station.stop()
    station.restore(backup)
    monkeypatch.setattr(db, "upgrade", lambda path, look: (1, 2))
    offline.upgrade(station.installed.config)
    assert station.installed.entries("schema.upgraded") == []
    station.start()
    whole(station)
    station.stop()
    offline.upgrade(station.installed.config)
    assert len(station.installed.entries("schema.upgraded")) == 1
    station.start()


def test_an_upgrade_compares_the_rows_with_the_log_before_it_changes_anything(
    station, monkeypatch
):
    footage(station)
    place(station)
    station.stop()
    with sqlite3.connect(station.state / db.NAME) as other:
        other.execute("DELETE FROM hold_camera")
    other.close()
    more = (*schema.MIGRATIONS, ("CREATE TABLE later (a INTEGER) STRICT",))
    monkeypatch.setattr(schema, "MIGRATIONS", more)
    monkeypatch.setattr(schema, "VERSION", len(more))
    with pytest.raises(CatalogueError, match=r"nothing was upgraded: .*hold 1 covers"):
        offline.upgrade(station.installed.config)
    with pytest.raises(CatalogueError, match="run `retention schema upgrade`"):
        db.open_(station.state / db.NAME)
    done = offline.upgrade(station.installed.config, anyway=True)
    assert done["to"] == len(more)
    assert "hold 1 covers cameras less" in done["mismatches"][0]
    assert len(station.installed.entries("schema.upgraded")) == 1
    station.start()


def test_a_ruling_that_waited_in_the_backup_is_asked_for_again(installed):
    """Whether it was rejected since or not: by the log it waits no more."""
    station = Station(installed, release_requires_two_people=True)
    footage(station)
    place(station, since=format_utc(now() - 70 * MINUTE), margin="0")
    odd = installed.record(now(), 3 * HOUR)
    os.utime(odd, ((now() - 3 * HOUR - 10 * MINUTE) // SECOND,) * 2)
    station.round()
    waiting = station.ask(
        "recording.resolve", BEN, path=f"nvr1/1001/{odd.name}", ruling="times_right",
        reason="its clock is right",
    )["waiting"]  # fmt: skip
    backup = station.backup()
    station.ask(
        "recording.reject", ANNA, request=waiting["request"], reason="it is not"
    )
    station.killed()
    station.restore(backup)
    station.start()
    assert station.ask("recording.requests")["requests"] == []
    station.service.tick(never)
    assert "mismatch" not in station.guards()
    assert "ruling" not in {row[0] for row in standing(station)}
    station.killed()


def standing(station):
    with station.service._core.catalogue.read() as tx:
        return tx.exec_driver_sql("SELECT name, scope FROM alarm").all()


def forge_intent(station, files):
    """Put there by somebody without the key: these files, as if they had been due."""
    service = station.service
    with service._core.catalogue.read() as tx:
        size = log.size(tx)
        (stream,) = tx.exec_driver_sql("SELECT key, camera FROM stream").all()
    published = station.settings.published_log
    root = station.installed.directory / "nvr1"
    last = Published(published).entry(size - 1).data
    rows = [
        (stream.camera, stream.key, 1000 + n, 0, 60, os.stat(root / file).st_size, 0, file,
         None)
        for n, file in enumerate(files)
    ]  # fmt: skip
    names = (
        "camera",
        "stream",
        "start",
        "n",
        "duration",
        "bytes",
        "due",
        "path",
        "seen",
    )
    said = {
        "root": "nvr1", "count": len(rows), "bytes": sum(row[5] for row in rows),
        "oldest": 1000, "newest": 1060 + len(rows),
    }  # fmt: skip
    sealed = seal.seal(
        Entry("deletion.intended", said, Rows(names, rows)),
        seal.Writer(SERVICE, now(), {"site": "test", "host": "h", "program": "p"}),
        seal.Follows(size, 1, last),
    )
    place_ = published / tiles.row_path(size)
    place_.parent.mkdir(parents=True, exist_ok=True)
    place_.write_bytes(sealed.rows.data)
    there = [one.data for one in Published(published).entries(size)]
    bundle = tiles.of_size(size + 1, "entries", 0)
    where = published / bundle.path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_bytes(tiles.bundle([*there, sealed.data]))
    return size


def test_an_intent_that_somebody_put_into_the_published_log_deletes_nothing(station):
    """It names held files by path, with other times; the administrator acknowledges."""
    footage(station)
    place(station)
    station.round()
    station.service._publish(station.service._publishing.catch_up, now())
    held = [f"1001/{name}" for name in station.installed.files()]
    number = forge_intent(station, held)
    station.killed()
    station.start()
    assert "catalogue" in station.guards()
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.round()
    assert [f"1001/{name}" for name in station.installed.files()] == held
    with station.service._core.catalogue.read() as tx:
        done = log.read(tx, log.completion(tx, number))["fields"]
    assert (done["deleted"], done["stopped"]) == (0, len(held))
    whole(station)
