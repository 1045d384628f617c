"""From a dead state disk to deleting again: a successor log, by two people."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from retention.catalogue import db, log
from retention.catalogue.log_check import verify_catalogue
from retention.footage import kept_head
from retention.footage.handles import open_directory
from retention.model.errors import (
    NotPermittedError,
    RetentionError,
    UsageError,
)
from retention.model.localtime import format_utc
from retention.model.values import HOUR, Actor
from retention.publication import log_key, succeeding
from retention.site import clock
from retention.tlog import note, succession
from retention.tlog.verify.published import verify_directory
from tests.support.installation import DAY, MINUTE, Installation, never
from tests.support.publishing import OTHER_KEY
from tests.support.station import ANNA, BEN, CARA, Station

ROOT = Actor(uid=0, login=0, pid=1, role="administrator", name="root")


def now():
    return clock.read().wall


@pytest.fixture
def station(fake_clock, tmp_path):
    installed = Installation(tmp_path)
    installed.init()
    made = Station(installed, release_requires_two_people=True)
    made.clock = fake_clock
    yield made
    made.killed()


def pass_time(station, span):
    """With the service running: its rounds see it pass."""
    while span > 0:
        station.clock.elapsed += min(span, 12 * HOUR)
        span -= 12 * HOUR
        station.service.tick(never)


def footage(station):
    for number in range(3):
        station.installed.record(now(), 2 * DAY + number * MINUTE)
    for number in range(4):
        station.installed.record(now(), HOUR + number * MINUTE)
    station.round()
    station.approve()


def hold(station, who=ANNA, **given):
    """On what is due."""
    asked = {
        "cameras": ["1001"], "since": format_utc(now() - 3 * DAY),
        "until": format_utc(now()), "kind": "court", "reference": "r", "reason": "r",
    }  # fmt: skip
    return station.ask("hold.place", who, **(asked | given))["hold"]


def dead_disk(station):
    """The state disk died: last night's backup, and the signing key from the safe."""
    footage(station)
    kept_hold = hold(station, cameras=["1002"])
    backup = station.keep_state()
    lost_hold = hold(station)
    station.remember()
    station.killed()
    station.restore_state(backup)
    station.start()
    return kept_hold, lost_hold


def ask(station, who, **given):
    return station.ask("schema.successor", who, **({"reason": "disk died"} | given))


def agree(station, who, **given):
    return station.ask(
        "schema.successor_approve", who, **({"reason": "disk died"} | given)
    )


def agreed(station):
    ask(station, CARA)
    agree(station, BEN)
    station.stop()
    station.start()


def whole(station):
    """Catalogue and published log, to an outsider."""
    service = station.service
    own = verify_catalogue(service._core.catalogue, deep=True)
    assert own.ok, own
    service._publish(service._publishing.catch_up, now())
    vkey = service._publishing.verifier.vkey
    report = verify_directory(station.settings.published_log, vkey, depth="deep")
    assert report.ok, report.faults
    with service._core.catalogue.read() as tx:
        assert report.size == log.size(tx)


def opening(station):
    return station.installed.entries("log.opened")[-1]


def blocked(station):
    files = station.installed.files()
    why = station.round()
    assert station.installed.files() == files
    return why


def test_from_a_dead_disk_to_deleting_again(station):
    kept_hold, _ = dead_disk(station)
    old = station.service._publishing.verifier.name
    assert "retention schema successor" in station.guards()["catalogue"]
    assert blocked(station).startswith("guard catalogue")

    asked = ask(station, CARA)
    assert asked["lost_last"] >= asked["lost_first"] > 0
    assert ".cctv-retention-head" in asked["known_from"]
    answer = agree(station, BEN)
    assert "systemctl restart" in answer["next"]
    assert blocked(station).startswith("guard catalogue")
    station.stop()
    station.start()

    new = station.service._publishing.verifier.name
    assert new != old
    fields = opening(station)["fields"]
    assert fields["succeeds"] == old
    assert fields["log_id"] in new
    lost = note.unverified(fields["lost_head"].encode())
    assert (lost.origin, lost.size - 1) == (old, fields["lost_last"])
    kept = note.unverified(fields["old_head"].encode())
    assert (kept.origin, kept.size) == (old, fields["old_size"])
    assert fields["lost_first"] == fields["old_size"] == asked["lost_first"]
    assert [one["key"] for one in rows(station, "hold")] == [kept_hold]
    whole(station)

    assert station.guards().keys() == {"catalogue"}
    assert "nothing is deleted until" in station.guards()["catalogue"].lower()
    assert "catalogue" in blocked(station)
    with pytest.raises(RetentionError, match="while its cause is there"):
        station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")

    again = hold(
        station, reference="from the book", until=format_utc(now() - DAY)
    )  # fmt: skip
    done = station.ask(
        "schema.successor_holds", BEN, holds=[again], reason="the book of that day"
    )
    assert done["holds"] == [again]
    pass_time(station, 6 * DAY + 23 * HOUR)
    assert "catalogue" in blocked(station)
    pass_time(station, 2 * HOUR)
    assert station.guards() == {}
    station.round()
    station.approve()
    assert station.round() is None
    # What the hold keeps is there; what was fresh a week ago is due, and gone.
    assert len(station.installed.files()) == 3
    whole(station)


def rows(station, table):
    return [dict(row) for row in station.tables(table)[table]]


def test_deletion_stays_off_until_a_supervisor_has_named_the_holds(station):
    dead_disk(station)
    agreed(station)
    pass_time(station, 9 * DAY)
    assert "catalogue" in blocked(station)
    station.stop()
    station.start()
    assert "catalogue" in blocked(station)
    station.ask("schema.successor_holds", BEN, holds=[], reason="none in the book")
    station.service.tick(never)
    assert station.guards() == {}
    (entry,) = station.installed.entries("log.successor_holds")
    assert entry["fields"]["holds"] == []


@pytest.mark.parametrize("jump", [40 * DAY, -40 * DAY], ids=["ahead", "behind"])
def test_opened_by_a_wrong_clock_the_seven_days_begin_once_it_is_right(station, jump):
    """By one that is ahead deletion would be off for weeks."""
    dead_disk(station)
    ask(station, CARA)
    agree(station, BEN)
    station.stop()
    station.clock.jump = jump
    station.start()
    station.ask("schema.successor_holds", BEN, holds=[], reason="none in the book")
    station.clock.jump = 0
    pass_time(station, 2 * DAY)
    station.ask("guard.acknowledge", CARA, guard="clock", reason="it is right now")
    until = format_utc(now() + 7 * DAY)
    assert f"nothing is deleted until {until}" in station.guards()["catalogue"]
    pass_time(station, 6 * DAY + 23 * HOUR)
    assert "catalogue" in blocked(station)
    pass_time(station, 2 * HOUR)
    assert station.guards() == {}
    station.round()
    station.approve()
    assert station.round() is None
    whole(station)


def test_a_hold_that_is_named_is_one_that_is_in_force(station):
    dead_disk(station)
    agreed(station)
    with pytest.raises(UsageError, match="hold 77 is not in force"):
        station.ask("schema.successor_holds", BEN, holds=[77], reason="r")


def test_it_takes_an_administrator_and_a_supervisor_who_is_another(station):
    dead_disk(station)
    with pytest.raises(RetentionError, match="an administrator does so first"):
        agree(station, BEN)
    with pytest.raises(NotPermittedError, match="not as root"):
        ask(station, ROOT)
    ask(station, CARA)
    same = Actor(uid=CARA.uid, login=9, pid=1, role="supervisor", name="cara")
    with pytest.raises(NotPermittedError, match="same account"):
        agree(station, same)
    second = Actor(uid=9, login=CARA.login, pid=1, role="supervisor", name="c2")
    with pytest.raises(NotPermittedError, match="same person"):
        agree(station, second)
    station.stop()
    station.start()
    assert len(station.installed.entries("log.opened")) == 1
    agree(station, BEN)
    for again in (ask, agree):
        with pytest.raises(RetentionError, match="start the service again"):
            again(station, CARA)


def test_a_supervisor_may_say_no(station):
    dead_disk(station)
    with pytest.raises(RetentionError, match="nobody asks"):
        station.ask("schema.successor_reject", BEN, reason="r")
    ask(station, CARA)
    agree(station, BEN)
    station.ask("schema.successor_reject", ANNA, reason="a copy was found")
    station.stop()
    station.start()
    assert len(station.installed.entries("log.opened")) == 1
    with pytest.raises(RetentionError, match="an administrator does so first"):
        agree(station, BEN)


def test_a_request_waits_for_a_day(station):
    dead_disk(station)
    ask(station, CARA)
    pass_time(station, 25 * HOUR)
    with pytest.raises(RetentionError, match="an administrator does so first"):
        agree(station, BEN)


def test_where_nothing_is_lost_there_is_nothing_to_open(station):
    footage(station)
    with pytest.raises(RetentionError, match="no signed head is known"):
        ask(station, CARA)


def test_entries_that_are_found_after_all_come_back_and_nothing_is_opened(
    station, tmp_path
):
    """Somebody found a newer copy of the published log."""
    footage(station)
    backup = station.keep_state()
    hold(station)
    station.remember()
    station.stop()
    newer = station.keep_directory()
    station.restore_state(backup)
    station.start()
    ask(station, CARA)
    agree(station, BEN)
    station.killed()
    station.restore_state(backup)
    station.restore_directory(newer)
    station.start()
    assert len(rows(station, "hold")) == 1
    assert len(station.installed.entries("log.opened")) == 1
    assert "restored from a backup" in station.guards()["catalogue"]


def test_a_larger_head_that_turns_up_is_asked_for_anew(station):
    dead_disk(station)
    agreed_for = ask(station, CARA)
    agree(station, BEN)
    publisher = station.service._publishing
    lost = note.Checkpoint(
        publisher.verifier.name, agreed_for["lost_last"] + 50, b"r" * 32
    )
    station.stop()
    key = log_key.load(station.state)
    text = note.sign(lost.text, lost.origin, key)
    path = station.installed.directory / "nvr1" / kept_head.NAME
    path.write_bytes(text.encode().ljust(2 * kept_head.SLOT, b"\0"))
    station.start()
    assert len(station.installed.entries("log.opened")) == 1
    assert ask(station, CARA)["lost_last"] == lost.size - 1


def test_the_largest_of_the_heads_that_were_met_is_what_is_lost(station):
    """The catalogue is as long as one of them by the time that people agree."""
    footage(station)
    backup = station.keep_state()
    hold(station)
    station.remember()
    met = station.service._core.memories["nvr1"].told()["size"]
    for _ in range(30):
        hold(station)
    newest = (station.state / "last-checkpoint").read_bytes()
    station.killed()
    station.restore_state(backup)
    (station.state / "last-checkpoint").write_bytes(newest)
    station.start()
    lost = note.unverified(newest).size
    assert ask(station, CARA)["lost_last"] == lost - 1
    agree(station, BEN)
    station.stop()
    assert met < len(station.installed.entries()) < lost
    station.start()
    assert opening(station)["fields"]["lost_last"] == lost - 1


def test_a_kill_between_the_new_log_and_the_old_directory_goes_on(station, monkeypatch):
    dead_disk(station)
    ask(station, CARA)
    agree(station, BEN)
    station.stop()
    before = {
        p.relative_to(station.settings.published_log): p.read_bytes()
        for p in station.settings.published_log.rglob("*")
        if p.is_file()
    }

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(succeeding, "_rename", killed)
        with pytest.raises(KeyboardInterrupt):
            station.start()
    station.start()
    assert station.guards().keys() == {"catalogue"}
    whole(station)
    assert len(station.installed.entries("log.opened")) == 2
    (aside,) = station.state.glob("log-*")
    assert before == {
        p.relative_to(aside): p.read_bytes() for p in aside.rglob("*") if p.is_file()
    }
    (head,) = station.state.glob("last-checkpoint-*")
    assert head.read_bytes() == before[Path("checkpoint")]


def test_an_old_directory_that_can_not_be_renamed_stops_deletion(station, monkeypatch):
    dead_disk(station)
    ask(station, CARA)
    agree(station, BEN)
    station.stop()

    def busy(*_):
        raise OSError(16, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr(succeeding.os, "rename", busy)
        station.start()
        assert "move it away by hand" in station.guards()["log"]
        assert blocked(station)
        station.stop()
    station.start()
    station.service.tick(never)
    assert station.guards().keys() == {"catalogue"}
    whole(station)


def test_the_roots_remember_the_new_log(station):
    dead_disk(station)
    agreed(station)
    station.remember()
    root = station.installed.directory / "nvr1"
    data = (root / kept_head.NAME).read_bytes()
    assert station.service._publishing.verifier.name.encode() in data
    backup = station.keep_state("tonight")
    hold(station, reference="book")
    station.remember()
    station.stop()
    station.restore_state(backup)
    station.start()
    assert ".cctv-retention-head was signed at" in station.guards()["catalogue"]


def test_a_catalogue_from_before_the_successor_gets_it_back(station):
    """Only the database is put back: its published log has gone on as the successor's."""
    dead_disk(station)
    older = station.backup("older")
    agreed(station)
    again = hold(station, reference="book")
    station.ask("schema.successor_holds", BEN, holds=[again], reason="r")
    station.stop()
    station.restore(older)
    station.start()
    assert again in [one["key"] for one in rows(station, "hold")]
    assert station.service._publishing.trouble is None
    assert "catalogue" in station.guards()
    whole(station)
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    assert "nothing is deleted until" in station.guards()["catalogue"]
    pass_time(station, 8 * DAY)
    assert station.guards() == {}


def test_one_person_can_do_it_where_a_release_takes_one(fake_clock, tmp_path):
    installed = Installation(tmp_path)
    installed.init()
    station = Station(installed)
    station.clock = fake_clock
    dead_disk(station)
    assert "systemctl restart" in ask(station, CARA)["next"]
    station.stop()
    station.start()
    assert len(installed.entries("log.opened")) == 2
    station.killed()


def test_the_log_says_who_decided_it_and_that_entries_are_lost(station):
    dead_disk(station)
    agreed(station)
    fields = opening(station)["fields"]
    asked = station.ask("audit.show", CARA, number=fields["request"])
    assert asked["kind"] == "log.successor_requested"
    assert asked["actor"]["uid"] == CARA.uid
    approved = station.ask("audit.show", CARA, number=fields["approval"])
    assert approved["actor"]["uid"] == BEN.uid
    assert json.dumps(approved["fields"]).count("disk died") == 1


def test_init_and_check_know_the_new_log(station):
    dead_disk(station)
    agreed(station)
    station.stop()
    answer = station.installed.init()
    assert answer["log_id"] == opening(station)["fields"]["log_id"]
    station.start()


# -- the whole state directory is from before it was opened ---------------------------------


def before_and_after(station, tmp_path=None):
    """A successor was opened and in charge for a day; what was kept before that."""
    dead_disk(station)
    kept = station.keep_state("before-successor")
    agreed(station)
    again = hold(station, reference="book")
    station.ask("schema.successor_holds", BEN, holds=[again], reason="the book")
    station.remember()
    newest = journalled(station)
    station.stop()
    return kept, newest


def journalled(station):
    """What the service would have written into the journal of its newest head."""
    publishing = station.service._publishing
    head = (station.state / "last-checkpoint").read_text()
    line = {"event": "checkpoint.signed", "note": head}
    return json.dumps(line | {"succession": publishing.succession})


def said(station, where):
    detail = station.guards()["catalogue"]
    assert where in detail
    assert "the log that goes on for this one" in detail
    assert "put back the newest copy of the state directory" in detail
    return detail


def nothing_is_deleted_or_signed(station):
    log_ = station.settings.published_log
    head = (log_ / "checkpoint").read_bytes()
    for _ in range(3):
        assert "catalogue" in blocked(station)
        pass_time(station, 4 * DAY)
    assert (log_ / "checkpoint").read_bytes() == head


def test_a_root_knows_that_the_state_is_from_before_the_successor(station):
    kept, _ = before_and_after(station)
    remembered = (station.installed.directory / "nvr1" / kept_head.NAME).read_bytes()
    station.restore_state(kept)
    station.start()
    said(station, ".cctv-retention-head has a head of")
    nothing_is_deleted_or_signed(station)
    root = station.installed.directory / "nvr1" / kept_head.NAME
    assert root.read_bytes() == remembered
    station.stop()
    station.start()
    said(station, ".cctv-retention-head has a head of")


def test_a_root_that_is_mounted_later_knows_it_then(station):
    before_and_after(station)
    station.restore_state(station.installed.directory / "yesterday")
    root = station.installed.directory / "nvr1"
    head = (root / kept_head.NAME).read_bytes()
    root.rename(station.installed.directory / "unplugged")
    station.start()
    (station.installed.directory / "unplugged").rename(root)
    station.work.scan(never)
    said(station, ".cctv-retention-head has a head of")
    nothing_is_deleted_or_signed(station)
    station.remember()
    assert (root / kept_head.NAME).read_bytes() == head


def forget(station):
    root = station.installed.directory / "nvr1" / kept_head.NAME
    root.write_bytes(bytes(2 * kept_head.SLOT))


def test_the_journal_alone_knows_it(station, monkeypatch, tmp_path):
    kept, newest = before_and_after(station)
    station.restore_state(kept)
    forget(station)
    lines = tmp_path / "lines"
    lines.write_text(f"{newest}\n")
    command = tmp_path / "bin" / "journalctl"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\ncat {lines}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    station.start()
    said(station, "the journal has a head of")
    nothing_is_deleted_or_signed(station)


def test_the_second_directory_alone_knows_it(fake_clock, tmp_path):
    (tmp_path / "worm").mkdir()
    installed = Installation(tmp_path, log_copy="{directory}/worm")
    installed.init()
    station = Station(installed, release_requires_two_people=True)
    station.clock = fake_clock
    footage(station)
    kept = station.keep_state("before-successor")
    hold(station)
    station.remember()
    station.killed()
    station.restore_state(kept)
    shutil.rmtree(tmp_path / "worm")
    (tmp_path / "worm").mkdir()
    station.start()
    agreed(station)
    station.remember()
    pass_time(station, 2 * DAY)
    station.remember()
    station.stop()
    assert list((tmp_path / "worm" / "checkpoints").iterdir())
    station.restore_state(kept)
    forget(station)
    station.start()
    said(station, "worm/checkpoints")
    nothing_is_deleted_or_signed(station)
    station.killed()


def test_two_people_may_go_on_from_there_where_the_newer_state_is_lost(station):
    kept, _ = before_and_after(station)
    first = note.unverified(
        (station.settings.published_log / "checkpoint").read_bytes()
    ).origin
    station.restore_state(kept)
    station.start()
    agreed(station)
    station.remember()
    fields = opening(station)["fields"]
    assert note.unverified(fields["lost_head"].encode()).origin == first
    assert station.guards().keys() == {"catalogue"}
    whole(station)
    station.stop()
    station.start()
    assert "nothing is deleted until" in station.guards()["catalogue"].lower()
    # The one that was given up knows the newest for its successor as well.
    verifier = note.parse_vkey(
        note.vkey(first, station.service._publishing.verifier.public)
    )
    root = station.installed.directory / "nvr1"
    found = kept_head.newest(open_directory(root), verifier, root)
    assert found.succession


def test_a_head_of_another_log_that_does_not_say_so_says_nothing(station):
    """Of our own key, as after `init` with a key from the safe; or signed by another."""
    footage(station)
    station.remember()
    verifier = station.service._publishing.verifier
    key = log_key.load(station.state)
    other = note.sign(
        note.Checkpoint("test/other", 9_999, b"r" * 32).text, "test/other", key
    )
    forged = note.sign(
        note.Checkpoint("test/other", 9_999, b"r" * 32).text, "test/other", OTHER_KEY
    )
    mine = succession.sign("test/other", [verifier.name], OTHER_KEY)
    apart = succession.sign("test/other", ["test/third"], key)
    station.stop()
    root = station.installed.directory / "nvr1" / kept_head.NAME
    for head, said_ in ((other, ""), (other, mine), (forged, mine), (other, apart)):
        root.write_bytes(
            succession.beside(head, said_).ljust(2 * kept_head.SLOT, b"\0")
        )
        station.start()
        assert station.guards() == {}
        station.stop()


# -- what waits is told -----------------------------------------------------------------------


def alarm(station):
    station.service.tick(never)
    found = station.ask("alarm.list", CARA)["alarms"]
    return next((one for one in found if one["alarm"] == "succession"), None)


def test_a_request_that_waits_is_told_by_status_and_the_list_of_alarms(station):
    dead_disk(station)
    assert alarm(station) is None
    ask(station, CARA)
    told = alarm(station)
    assert "cara asked for a successor log" in told["detail"]
    assert "a supervisor" in told["detail"]
    assert "retention schema successor --approve" in told["remedy"]
    status = station.ask("status", ANNA)
    assert "succession" in [one["alarm"] for one in status["alarms"]]
    agree(station, BEN)
    told = alarm(station)
    assert "systemctl restart cctv-retention" in told["detail"]
    station.stop()
    station.start()
    assert alarm(station) is None


def test_a_request_that_nobody_answered_is_told_no_more(station):
    dead_disk(station)
    ask(station, CARA)
    assert alarm(station) is not None
    pass_time(station, 25 * HOUR)
    assert alarm(station) is None


# -- holds that cool off meanwhile --------------------------------------------------------------


@pytest.fixture
def cooling(station):
    """Footage that is due, under a hold that was released and cools off for six days more
    when the successor is opened; what the lost entries said of it nobody knows."""
    footage(station)
    held = hold(station)
    station.ask("hold.release", ANNA, hold=held, reason="r")
    station.ask("hold.approve", BEN, hold=held)
    pass_time(station, DAY)
    backup = station.keep_state()
    station.ask("hold.reinstate", BEN, hold=held, reason="the officer called")
    station.remember()
    station.killed()
    station.restore_state(backup)
    station.start()
    agreed(station)
    station.held = held
    station.kept = station.installed.files()
    assert len(station.kept) == 7
    return station


def passed(station, *spans):
    """Time passes, and each time whatever may be deleted is."""
    for span in spans:
        pass_time(station, span)
        station.round()
        station.approve()
        station.round()


def test_what_a_hold_kept_that_cools_off_meanwhile_stays_until_the_record_is_made(
    cooling,
):
    passed(cooling, 5 * DAY, 2 * DAY, DAY, 9 * DAY)
    cooling.stop()
    cooling.start()
    passed(cooling, DAY)
    assert cooling.installed.files() == cooling.kept
    assert "before a supervisor has said which holds" in cooling.guards()["catalogue"]
    cooling.ask("schema.successor_holds", BEN, holds=[], reason="none in the book")
    passed(cooling, MINUTE, MINUTE)
    assert cooling.installed.files() == []


def test_one_that_was_put_back_in_force_in_what_is_lost_can_be_again(cooling):
    """As long as it cools off; later another hold keeps the same, for nothing is gone."""
    passed(cooling, 2 * DAY)
    cooling.ask("hold.reinstate", BEN, hold=cooling.held, reason="the book says so")
    done = cooling.ask(
        "schema.successor_holds", BEN, holds=[cooling.held], reason="the book"
    )
    assert done["holds"] == [cooling.held]
    passed(cooling, 5 * DAY, DAY, DAY)
    assert cooling.installed.files() == cooling.kept


def test_one_whose_cooling_off_is_over_by_then_is_placed_anew(cooling):
    passed(cooling, 8 * DAY)
    with pytest.raises(
        RetentionError, match="keep what is left with `retention hold pl"
    ):
        cooling.ask("hold.reinstate", BEN, hold=cooling.held, reason="the book")
    window = {
        "since": format_utc(now() - 30 * DAY),
        "until": format_utc(now() - 10 * DAY),
    }
    again = hold(cooling, **window)
    cooling.ask("schema.successor_holds", BEN, holds=[again], reason="the book")
    passed(cooling, MINUTE, DAY)
    assert len(cooling.installed.files()) == 3


def test_a_record_that_was_made_early_frees_nothing_within_the_seven_days(cooling):
    cooling.ask("schema.successor_holds", BEN, holds=[], reason="none in the book")
    passed(cooling, 6 * DAY, 23 * HOUR)
    assert cooling.installed.files() == cooling.kept
    passed(cooling, 2 * HOUR, MINUTE)
    assert cooling.installed.files() == []


def test_a_guard_whose_row_is_gone_frees_nothing_before_its_time(cooling):
    """By somebody who can write into the state directory."""
    with sqlite3.connect(cooling.state / db.NAME) as other:
        assert other.execute("delete from alarm where name = 'catalogue'").rowcount
    other.close()
    passed(cooling, 6 * DAY, 12 * HOUR)
    assert cooling.installed.files() == cooling.kept
    assert "alarm catalogue stands by the log alone" in cooling.work.blocked
