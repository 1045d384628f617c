"""At start: every way in which catalogue, published log and kept heads can differ."""

import os
import shutil

import pytest

from retention.catalogue import holds, log
from retention.catalogue.db import Priority
from retention.control import alarms
from retention.model.errors import PublicationError, VerificationError
from retention.model.values import DAY
from retention.publication import memories, restoring
from retention.publication.compare import Case
from retention.publication.copy import Copy
from retention.publication.publisher import BESIDE_KEY
from retention.tlog.directory import Published
from retention.tlog.unsigned import Stretch
from tests.support.dated import Dated
from tests.support.press import ACTOR, NOW, Press, heartbeat, intent, rows


def fork(press: Press, tmp_path) -> tuple[Press, Press]:
    """Two copies of one installation, which go on apart from each other."""
    press.append(count=5)
    press.publish()
    press.close()
    shutil.copytree(press.directory, tmp_path / "other")
    return press.open(), Press(tmp_path / "other")


def refused(press: Press, case: Case) -> None:
    """The case is named, and nothing is signed or published; both sides are kept."""
    before, heads = press.files(), press.heads()
    assert press.start() == case
    assert press.publisher.refused
    press.append(count=1)
    with pytest.raises(PublicationError):
        press.publish()
    assert press.files() == before
    assert press.heads() == heads


def test_nothing_was_published_yet(press):
    assert press.start() == Case.NEW
    assert press.publish() == 1
    press.check()


def test_equal(press):
    press.append(count=300)
    press.publish()
    assert press.again().start() == Case.EQUAL


def test_published_behind_is_caught_up(press):
    press.append(count=3)
    press.publish()
    press.append(count=300)
    assert press.again().start() == Case.BEHIND
    assert press.publish() == press.size
    press.check()


def test_an_intent_beyond_the_head_is_no_difference(press):
    press.publish()
    press.append(intent(rows(3)))
    press.publish(sign=False)
    assert press.again().start() == Case.BEHIND
    press.publish()
    press.check()


@pytest.mark.parametrize("left", [0, 1, 255, 256, 300])
def test_published_ahead_gives_the_catalogue_its_entries_back(press, left):
    press.append_at_once(left) if left else None
    press.publish()
    backup = press.backup()
    press.append(intent(rows(7)))
    press.append_at_once(400)
    size = press.publish()
    heads = press.heads()
    bytes_before = press.files()
    assert press.restore(backup).start() == Case.RESTORED
    assert press.size == size
    assert press.heads()[size] == heads[size]
    assert press.publish() == size
    assert press.files() == bytes_before
    press.append(count=1)
    press.publish()
    press.check()


def test_entries_beyond_the_published_head_come_back_too(press):
    press.publish()
    backup = press.backup()
    press.append(count=3)
    press.publish()
    press.append(intent(rows(7)))
    press.publish(sign=False)
    size = press.size
    assert press.restore(backup).start() == Case.RESTORED
    assert press.size == size
    press.publish()
    press.check()


def test_an_intent_alone_beyond_the_catalogue_comes_back(press):
    press.publish()
    backup = press.backup()
    press.append(intent(rows(7)))
    press.publish(sign=False)
    assert press.restore(backup).start() == Case.RESTORED
    assert press.size == 2
    press.check_own()


def test_a_restoration_that_was_killed_goes_on(press, monkeypatch):
    monkeypatch.setattr(restoring, "PAGE", 10)
    press.publish()
    backup = press.backup()
    press.append_at_once(95)
    size = press.publish()
    press.restore(backup)
    pages = iter(range(3))

    def killed() -> None:
        if next(pages, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restoring.bring_back(press.catalogue, press.compared(), killed)
    assert 1 < press.size < size
    assert press.again().start() == Case.RESTORED
    assert press.size == size
    press.publish()
    press.check()


def test_a_database_cut_by_hand_gets_its_entries_back_or_is_refused(press):
    """Entries gone and the head set back: its own table of heads remembers more."""
    press.append(count=5)
    press.publish()
    backup = press.backup()
    press.append(count=5)
    size = press.publish()
    shutil.rmtree(press.published / "tile")
    refused(press.restore(backup), Case.ROLLED_BACK)
    assert press.size == 7 < size


def test_the_key_side_alone_is_older(press):
    """A restored key directory: its older head is a beginning of the log."""
    press.append(count=3)
    press.publish()
    older = (press.directory / BESIDE_KEY).read_bytes()
    press.append(count=3)
    press.publish()
    (press.directory / BESIDE_KEY).write_bytes(older)
    assert press.again().start() == Case.EQUAL
    press.append(count=1)
    press.publish()
    assert (press.directory / BESIDE_KEY).read_bytes() != older


def test_the_key_side_alone_is_lost(press):
    press.append(count=3)
    press.publish()
    (press.directory / BESIDE_KEY).unlink()
    assert press.again().start() == Case.EQUAL


def test_the_directory_alone_is_older(press):
    press.append(count=3)
    press.publish()
    shutil.copytree(press.published, press.directory / "older")
    press.append(count=300)
    press.publish()
    shutil.rmtree(press.published)
    (press.directory / "older").rename(press.published)
    assert press.again().start() == Case.BEHIND
    assert press.publish() == press.size
    press.check()


def test_the_directory_alone_is_lost_and_published_anew(press):
    press.append(intent(rows(7)))
    press.append(count=300)
    press.publish()
    before = press.files()
    shutil.rmtree(press.published)
    assert press.again().start() == Case.BEHIND
    press.publish()
    assert press.files() == before


def test_catalogue_and_directory_are_older_than_the_key_side(press):
    press.append(count=3)
    press.publish()
    shutil.copytree(press.published, press.directory / "older")
    backup = press.backup()
    press.append(count=3)
    press.publish()
    shutil.rmtree(press.published)
    (press.directory / "older").rename(press.published)
    refused(press.restore(backup), Case.ROLLED_BACK)


def test_both_are_older_and_the_second_directory_has_the_rest(press):
    worm = press.directory / "worm"
    worm.mkdir()
    copy = Copy(press.published, worm)
    press.append(count=3)
    press.publish()
    shutil.copytree(press.published, press.directory / "older")
    backup = press.backup()
    press.append(intent(rows(7)))
    press.append_at_once(300)
    press.publish()
    copy.follow()
    # What the copy has in full is up to 256; a head of that size was kept elsewhere.
    with pytest.raises(VerificationError):
        Published(worm).entry(300)
    shutil.rmtree(press.published)
    (press.directory / "older").rename(press.published)
    (press.directory / BESIDE_KEY).unlink()
    press.restore(backup)
    assert press.start(copy=worm) == Case.RESTORED
    assert press.size == 256
    press.publish()
    press.check()


def test_a_head_in_the_journal_is_ahead_of_all_here(press):
    press.publish()
    backup = press.backup()
    shutil.copytree(press.published, press.directory / "older")
    press.append(count=3)
    press.publish()
    journalled = press.told[-1].note.encode()
    shutil.rmtree(press.published)
    (press.directory / "older").rename(press.published)
    (press.directory / BESIDE_KEY).unlink()
    press.restore(backup)
    found = press.compared(extra=[("the journal", journalled)])
    assert found.case == Case.ROLLED_BACK
    assert "the journal was signed at 4 entries" in found.detail


def test_same_size_other_root(press, tmp_path):
    press, other = fork(press, tmp_path)
    press.append(heartbeat(NOW + 1))
    other.append(heartbeat(NOW + 2))
    press.publish()
    other.publish()
    other.close()
    shutil.rmtree(press.published)
    shutil.copytree(other.published, press.published)
    refused(press.again(), Case.FORKED)


@pytest.mark.parametrize(("here", "there"), [(1, 3), (3, 1), (1, 300), (300, 1)])
def test_neither_is_a_beginning_of_the_other(press, tmp_path, here, there):
    press, other = fork(press, tmp_path)
    for one, count, at in ((press, here, NOW + 1), (other, there, NOW + 2)):
        one.append(heartbeat(at))
        one.append_at_once(count)
        one.publish()
    other.close()
    shutil.rmtree(press.published)
    shutil.copytree(other.published, press.published)
    refused(press.again(), Case.FORKED)


def test_an_unsigned_entry_that_is_not_the_catalogues(press, tmp_path):
    press, other = fork(press, tmp_path)
    press.append(heartbeat(NOW + 1))
    other.append(heartbeat(NOW + 2))
    other.publish(sign=False)
    other.close()
    shutil.rmtree(press.published)
    shutil.copytree(other.published, press.published)
    refused(press.again(), Case.FORKED)


RELEASED = {"hold": 1, "free_at": NOW, "request": None}
SHORTER = {"version": 9, "days": 1, "cameras": {}, "proposal": None}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("hold.released", RELEASED),
        ("policy.changed", SHORTER),
        ("rules.changed", {"old": {}, "new": {}}),
        ("hold.release_requested", {"hold": 1}),
        ("camera.retired", {"camera": 1, "id": "1001"}),
        ("something.newer", {}),
    ],
)
def test_what_frees_footage_comes_back_into_the_log_alone_without_a_signature(
    press, kind, fields
):
    """Who can write into the directory could put it there, and has no key."""
    press.append(count=3)
    press.publish()
    press.forge(kind=kind, fields=fields)
    assert press.again().start() == Case.RESTORED
    restoring.on_record(press.catalogue, press.log.by(ACTOR, NOW))
    assert press.size == 7  # with what is said of the restoration, and the guard
    with press.catalogue.read() as tx:
        (guard,) = alarms.tripped(tx)
        assert log.unsigned(tx) == [Stretch(4, 5, NOW, entry=5)]
        assert [tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
                for table in ("hold", "policy", "camera")] == [0, 0, 0]  # fmt: skip
    assert f"came back into the log alone: 1 {kind}" in guard.detail
    press.publish()
    press.check()


def test_what_frees_footage_comes_back_under_a_signature(press):
    press.append(count=3)
    press.publish()
    backup = press.backup()
    press.append(Dated("policy.withdrawn", NOW, ACTOR, {"proposal": 1}))
    press.publish()
    assert press.restore(backup).start() == Case.RESTORED
    assert press.size == 5


@pytest.mark.parametrize(
    "changes", [{"kind": None}, {"fields": None}, {"fields": []}, {"kind": 7}]
)
def test_an_unsigned_entry_that_is_none_is_refused(press, changes):
    press.append(count=3)
    press.publish()
    press.forge(**changes)
    refused(press.again(), Case.FORKED)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "hold.placed", "fields": {}},
        {"kind": "log.opened"},
        {"at": "noon"},
        {"at": -1},
        {"actor": None},
        {"kind": "heartbeat", "fields": {"holds": "many"}},
        {"padding": "x" * 20_000},
    ],
)
def test_an_unsigned_entry_that_no_program_writes_is_refused(press, changes):
    press.append(count=3)
    press.publish()
    press.forge(**changes)
    refused(press.again(), Case.DAMAGED)


def test_an_unsigned_hold_on_a_camera_that_is_not_there_keeps_what_there_is(press):
    """The service must start and say so, not end at each start."""
    press.append(count=3)
    press.publish()
    times = dict.fromkeys(("since", "until", "review", "margin"), NOW)
    none = dict.fromkeys(("received", "replaces", "request"))
    fields = {"hold": 1, "kind": "court", "cameras": [999], **times, **none}
    press.forge(kind="hold.placed", fields={**fields, "until": NOW + 1})
    assert press.again().start() == Case.RESTORED
    with press.catalogue.read() as tx:
        assert [row.key for row in holds.listing(tx, NOW)] == [1]
        assert holds.cameras_of(tx, 1) == []


def test_a_guard_is_not_cleared_by_an_unsigned_entry(press):
    press.append(count=3)
    press.publish()
    with press.catalogue.write(Priority.HOLD, press.log.by(ACTOR, NOW)) as tx:
        alarms.trip(tx, NOW, "root", "nvr1", "not there")
    press.publish()
    press.forge(
        kind="guard.cleared", subject=None, fields={"guard": "root", "scope": "nvr1"}
    )
    assert press.again().start() == Case.RESTORED
    with press.catalogue.read() as tx:
        assert [one.name for one in alarms.tripped(tx)] == ["root"]


@pytest.fixture
def worm(press):
    """A second directory with a signed head of 304 entries, which the log then lost."""
    made = press.directory / "worm"
    made.mkdir()
    press.append(count=3)
    press.publish()
    backup = press.backup()
    shutil.copytree(press.published, press.directory / "older")
    press.append_at_once(300)
    press.publish()
    press.append(heartbeat(NOW + DAY))
    press.publish(now=NOW + DAY)
    Copy(press.published, made).follow()
    assert len(list((made / "checkpoints").iterdir())) == 1
    shutil.rmtree(press.published)
    (press.directory / "older").rename(press.published)
    (press.directory / BESIDE_KEY).unlink()
    press.restore(backup)
    return made


def test_a_log_that_was_set_back_gets_what_the_second_directory_signed(press, worm):
    assert press.start(copy=worm) == Case.RESTORED
    assert press.size >= 304


@pytest.mark.parametrize("count", [5, 400])
def test_a_log_that_went_on_without_the_second_directory_is_a_fork(press, worm, count):
    """Its share was not mounted at the start after which the log went on."""
    press.append(heartbeat(NOW + 1))
    press.append_at_once(count)
    press.publish()
    with pytest.raises(PublicationError, match="does not extend"):
        Copy(press.published, worm).follow()
    (press.directory / BESIDE_KEY).unlink()
    assert press.start(copy=worm) == Case.FORKED


def test_a_head_of_another_key_in_the_second_directory_is_none(press, tmp_path, worm):
    """Nobody can take it away there."""
    place = worm / "checkpoints" / "9999-12-31"
    place.write_text("leicester/other\n999\nAAAA\n\n— x AAAA\n")
    assert press.start(copy=worm) == Case.RESTORED


def test_the_directory_of_another_log(press, tmp_path):
    press.publish()
    other = Press(tmp_path / "second")
    other.append(count=4)
    other.publish()
    other.close()
    shutil.rmtree(press.published)
    shutil.copytree(other.published, press.published)
    refused(press.again(), Case.OTHER_LOG)


def test_a_published_head_that_was_altered(press):
    press.append(count=3)
    press.publish()
    place = press.published / "checkpoint"
    place.write_text(place.read_text().replace("\n4\n", "\n5\n"))
    refused(press.again(), Case.DAMAGED)


def test_a_tail_that_was_altered_brings_nothing_back(press):
    press.publish()
    backup = press.backup()
    press.append(count=9)
    press.publish()
    place = press.published / "tile/entries/000.p/10"
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    refused(press.restore(backup), Case.FORKED)
    assert press.size == 2  # and the entry that `refused` appended


def test_a_row_file_that_is_missing_brings_nothing_back(press):
    press.publish()
    backup = press.backup()
    press.append(intent(rows(3)))
    press.publish()
    (press.published / "rows/001").unlink()
    assert press.restore(backup).start() in (Case.FORKED, Case.ROLLED_BACK)
    assert press.size == 1


def test_the_days_of_a_restored_log_are_kept(press):
    press.publish()
    backup = press.backup()
    press.append(count=1)
    press.publish(now=NOW + DAY)
    press.restore(backup).start()
    press.append(count=1)
    press.publish(now=NOW + 2 * DAY)
    press.check()


def test_a_pipe_in_place_of_the_head_beside_the_key_holds_nobody_up(press, tmp_path):
    press.publish()
    os.mkfifo(tmp_path / BESIDE_KEY)
    assert memories.kept(tmp_path) == []
