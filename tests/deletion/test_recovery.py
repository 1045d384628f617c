"""What a crash leaves of a batch, and how the next start finishes it."""

import os

import pytest

from retention.catalogue import batches
from retention.catalogue.db import Priority, put_fact
from retention.catalogue.entries import listing
from retention.deletion import batch as procedure
from retention.deletion.completion import abandon
from retention.footage import delete as deleter
from retention.model.errors import CatalogueError, RootUnavailableError
from retention.model.values import DAY, HOUR, MINUTE, Outcome, Window
from tests.support.premises import Crash
from tests.support.site_ import ACTOR, NOW, never

OLD = NOW - 29 * DAY


def crash_at(monkeypatch, module, name, *, call=1):
    """Die instead of the `call`-th call of a function."""
    real, calls = getattr(module, name), iter(range(1, 999))

    def dying(*args, **kwargs):
        if next(calls) == call:
            raise Crash
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, dying)


def crash(site, monkeypatch, module, name, **kwargs):
    with monkeypatch.context() as patch:
        crash_at(patch, module, name, **kwargs)
        with pytest.raises(Crash):
            site.cycle()
    site.restart()


def open_intents(site):
    with site.catalogue.read() as tx:
        return batches.open_batches(tx)


def kinds(site):
    with site.catalogue.read() as tx:
        entries = listing(tx, limit=100)
    return sorted(
        e["kind"] for e in entries if e["kind"].startswith(("deletion.", "recordings."))
    )


def outcomes(site):
    return site.cycle().results[0].outcomes


def test_killed_before_the_first_unlink_all_are_deleted_after_the_start(
    site, monkeypatch
):
    paths = [site.record("a", OLD + n * MINUTE) for n in range(3)]
    crash(site, monkeypatch, procedure, "delete")
    assert all(path.exists() for path in paths)
    assert outcomes(site)[Outcome.DELETED] == 3
    assert kinds(site) == ["deletion.intended", "recordings.deleted"]


def test_killed_between_unlinks_what_is_gone_is_gone_by_our_intent(site, monkeypatch):
    for n in range(3):
        site.record("a", OLD + n * MINUTE)
    crash(site, monkeypatch, procedure, "delete", call=3)
    found = outcomes(site)
    assert found[Outcome.ABSENT_AFTER_CRASH] == 2
    assert found[Outcome.DELETED] == 1
    assert open_intents(site) == []


@pytest.mark.parametrize("step", ["sync", "remove_empty", "recheck"])
def test_killed_after_the_unlinks_the_completion_is_written_once(
    site, monkeypatch, step
):
    site.record("a", OLD)
    crash(site, monkeypatch, procedure, step)
    assert outcomes(site)[Outcome.ABSENT_AFTER_CRASH] == 1
    assert kinds(site) == ["deletion.intended", "recordings.deleted"]
    assert site.rows() == 0


def test_killed_inside_the_intent_nothing_happened(site, monkeypatch):
    path = site.record("a", OLD)
    crash(site, monkeypatch, procedure.batches, "open_batch")
    assert path.exists()
    assert open_intents(site) == []
    assert kinds(site) == []
    assert outcomes(site)[Outcome.DELETED] == 1


def test_killed_inside_the_completion_the_intent_stays_open(site, monkeypatch):
    site.record("a", OLD)
    crash(site, monkeypatch, procedure.batches, "close_batch")
    assert len(open_intents(site)) == 1
    assert outcomes(site)[Outcome.ABSENT_AFTER_CRASH] == 1


def test_a_hold_placed_between_crash_and_start_rescues_what_is_left(site, monkeypatch):
    paths = [site.record("a", OLD + n * MINUTE) for n in range(3)]
    crash(site, monkeypatch, procedure, "delete", call=2)
    site.hold("a", OLD, OLD + HOUR)
    found = outcomes(site)
    assert [path.exists() for path in paths] == [False, True, True]
    assert found[Outcome.RESCUED] == 2
    site.cycle(NOW + 99 * DAY)
    assert paths[1].exists()


def test_a_hold_placed_after_the_intent_rescues_what_waits(site, monkeypatch):
    """The hold comes while the first file is being unlinked."""
    paths = [site.record("a", OLD + n * MINUTE) for n in range(3)]
    real = procedure.delete

    def delete(root, path, *rest):
        if os.fsdecode(path) == str(paths[0].relative_to(site.footage)):
            stream = site.stream("a")
            with site.gate.shut():
                rescue = site.gate.rescue({stream.camera: (Window(OLD, OLD + HOUR),)})
            assert (len(rescue.rescued), len(rescue.unlinking)) == (2, 1)
        return real(root, path, *rest)

    monkeypatch.setattr(procedure, "delete", delete)
    site.cycle(stop=lambda: not paths[0].exists())
    assert [path.exists() for path in paths] == [False, True, True]


def test_an_open_intent_waits_while_its_root_is_unavailable(site, monkeypatch):
    site.record("a", OLD)
    crash(site, monkeypatch, procedure, "delete")
    (site.footage / ".cctv-retention-root").rename(site.directory / "away")
    with pytest.raises(RootUnavailableError):
        site.cycle()
    assert len(open_intents(site)) == 1
    (site.directory / "away").rename(site.footage / ".cctv-retention-root")
    assert outcomes(site)[Outcome.DELETED] == 1


def test_an_open_intent_waits_while_deletion_is_paused(site, monkeypatch):
    path = site.record("a", OLD)
    crash(site, monkeypatch, procedure, "delete")
    with site.catalogue.write(0) as tx:
        put_fact(tx, "pause", {"until": NOW + 1})
    assert site.cycle().blocked is not None
    assert path.exists()


def test_a_directory_that_does_not_sync_leaves_the_intent_open(site, monkeypatch):
    site.record("a", OLD)

    def failing(root, directories):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(procedure, "sync", failing)
        with pytest.raises(RootUnavailableError, match="Input/output error"):
            site.cycle()
    assert len(open_intents(site)) == 1
    assert outcomes(site)[Outcome.ABSENT_AFTER_CRASH] == 1


def test_a_commit_that_fails_after_it_happened_is_recovered(site, monkeypatch):
    """An error from COMMIT means that nobody knows: the database is asked again."""
    site.record("a", OLD)
    real = procedure.Batches._intend

    def lying(self, *args):
        real(self, *args)
        raise CatalogueError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(procedure.Batches, "_intend", lying)
        with pytest.raises(CatalogueError):
            site.cycle()
    assert outcomes(site)[Outcome.DELETED] == 1
    assert kinds(site) == ["deletion.intended", "recordings.deleted"]


def test_recovery_of_nothing_does_nothing(site):
    assert site.deleter.recover(site.root, NOW, lambda: False).results == []


def test_the_deleter_is_the_one_of_the_footage_room():
    assert procedure.delete is deleter.delete


def test_a_batch_whose_disk_was_replaced_is_completed_and_calls_nothing_deleted(
    site, monkeypatch
):
    """What became of the old disk's files is not known: the rows stay until the new
    disk says that the files are lost."""
    for n in range(3):
        site.record("a", OLD + n * MINUTE)
    crash(site, monkeypatch, procedure, "delete", call=2)
    with site.catalogue.write(0, site.log.by(ACTOR, NOW)) as tx:
        assert abandon(tx, site.root_key) == 1
    with site.catalogue.read() as tx:
        (done,) = listing(tx, kind="recordings.deleted")
    assert (done["fields"]["failed"], done["fields"]["deleted"]) == (3, 0)
    assert open_intents(site) == []
    assert site.rows() == 3


ALTERED = (
    "DELETE FROM recording",
    "UPDATE recording SET state = 0",
    "UPDATE recording SET size = 11",
    "UPDATE recording SET duration = duration + 1",
    "INSERT INTO recording_path SELECT stream, start, n, x'61' FROM recording",
)


@pytest.mark.parametrize("statement", ALTERED)
def test_an_open_intent_goes_by_the_catalogues_own_row(site, monkeypatch, statement):
    """What its row file says otherwise deletes nothing."""
    path = site.record("a", OLD)
    crash(site, monkeypatch, procedure, "delete")
    with site.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql(statement)
    (done,) = site.deleter.recover(site.root, NOW, never).results
    assert done.outcomes[Outcome.RESCUED] == 1
    assert path.exists()
    assert open_intents(site) == []
    assert kinds(site) == ["deletion.intended", "recordings.deleted"]
