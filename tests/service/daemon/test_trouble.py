"""Full disks, threads that hang or crash: the service says so and deletes nothing."""

import functools
import os
import subprocess
import threading
import uuid

import pytest

from retention.catalogue import db, holds, raised
from retention.catalogue.db import PAUSE_FACT, Priority, put_fact
from retention.control import alarms, in_force
from retention.deletion import batch as procedure
from retention.holds import effect
from retention.model.values import HOUR, MINUTE
from retention.service import spool
from retention.service.daemon import HOUSEKEEPING_PATIENCE, ROOT_PATIENCE, Service
from retention.service.notify import Notifier
from retention.service.root_work import RootWork
from retention.service.watch import Watch
from retention.service.worker import Wakeup
from retention.site import clock, reserve
from tests.support import honesty, needs
from tests.support.installation import DAY, SECOND, Installation, never


@pytest.fixture
def service(installed):
    made = installed.service()
    yield made
    for work in made._works:
        work.close()
    made._core.catalogue.close()


def tripped(service):
    with service._core.catalogue.read() as tx:
        return {(one.name, one.scope) for one in alarms.tripped(tx)}


# -- the reserve ---------------------------------------------------------------------


def test_the_reserve_takes_real_room(tmp_path):
    made = reserve.Reserve(tmp_path, 1 << 20)
    assert made.make()
    assert made.path.stat().st_blocks * 512 >= 1 << 20


def test_a_released_reserve_is_empty_and_can_be_made_again(tmp_path):
    made = reserve.Reserve(tmp_path, 1 << 20)
    made.make()
    assert made.release()
    assert made.path.stat().st_blocks == 0
    assert not made.whole()
    assert not made.release()
    assert made.make()


@needs.root
def test_without_room_there_is_no_reserve_and_it_says_how_much_is_missing(
    tmp_path, mount
):
    (tmp_path / "small").mkdir()
    mount(tmp_path / "small", "-t", "tmpfs", "-o", "size=8m", "none")
    made = reserve.Reserve(tmp_path / "small", 64 << 20)
    assert made.size == 2 << 20  # a fourth of its disk, not 64 MiB
    (tmp_path / "small" / "fill").write_bytes(bytes(7 << 20))
    assert not made.make()
    assert not made.path.exists()
    assert made.missing() == 3 << 20
    assert "3 MiB must be freed there" in made.too_little()
    (tmp_path / "small" / "fill").write_bytes(b"")
    assert made.missing() == 0
    assert made.make()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB for the state directory."""
    (tmp_path / "state").mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", tmp_path / "state"],
        check=True,
    )
    yield tmp_path / "state"
    subprocess.run(["umount", "-l", tmp_path / "state"], check=True)


@needs.root
@pytest.mark.parametrize("size", [1 << 20, 64 << 20])
def test_a_full_disk_stops_deletion_and_leaves_room_for_what_must_be_stored(
    small_disk, tmp_path, monkeypatch, fake_clock, size
):
    """Also where the disk is smaller than a whole reserve, of which it has a fourth."""
    monkeypatch.setattr(reserve, "SIZE", size)
    site = Installation(tmp_path)
    site.init()
    now = fake_clock().wall
    site.record(now, HOUR)
    service = site.service()
    (work,) = service._works
    service.tick(never)
    work.scan(never)
    work.cycle(never)
    assert work.blocked is None
    fill(small_disk / "fill")
    # A day passes: it is due, but its intent can't be stored.
    fake_clock.elapsed += DAY
    work.cycle(never)
    assert len(site.files()) == 1
    assert tripped(service) == {("log", "")}
    assert (small_disk / reserve.NAME).stat().st_size == 0
    work.cycle(never)
    assert work.blocked.startswith("guard log")
    assert len(site.files()) == 1
    # The room that was released is enough to store a hold, and not for scans.
    (before,) = site.entries()[-1:]
    service.heartbeat(never)
    assert site.entries()[-1] != before
    # Somebody makes too little room, and is told so.
    os.truncate(small_disk / "fill", (small_disk / "fill").stat().st_size - (1 << 19))
    service.tick(never)
    assert tripped(service) == {("log", "")}
    assert "1 MiB must be freed there" in str(service._core.alarms.detail("log"))
    # Somebody makes room: it goes on by itself.
    (small_disk / "fill").write_bytes(b"")
    service.tick(never)
    assert (small_disk / reserve.NAME).stat().st_size == 1 << 20
    work.scan(never)
    work.cycle(never)
    assert site.files() == []
    assert tripped(service) == set()
    assert site.verify().ok
    work.close()
    service._core.catalogue.close()


def fill(path):
    """Take all that is free, to the last page."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


# -- threads -------------------------------------------------------------------------


def test_the_watchdog_is_not_told_while_the_office_is_stuck(service, monkeypatch):
    go, office = threading.Event(), service._housekeeping
    office.start()
    office.trigger("tick", lambda stop: go.wait(100))
    while office.running() is None:
        pass
    real = clock.read()
    assert service.watch()
    later = real._replace(
        monotonic=real.monotonic + HOUSEKEEPING_PATIENCE + 10 * SECOND
    )
    monkeypatch.setattr(clock, "read", lambda: later)
    assert not service.watch()
    go.set()
    office.stop()
    assert office.join(60)
    assert service.watch()


def test_a_root_that_hangs_in_our_own_code_is_restarted_by_the_watchdog(
    service, monkeypatch
):
    go, (work,) = threading.Event(), service._works
    work.deleting.start()
    work.deleting.trigger("cycle", lambda stop: go.wait(100))
    while work.deleting.running() is None:
        pass
    later = clock.monotonic() + ROOT_PATIENCE + MINUTE
    monkeypatch.setattr(
        clock, "read", lambda: service._reading._replace(monotonic=later)
    )
    assert not service.watch()
    # The same in a system call that nothing interrupts: a restart would not help.
    monkeypatch.setattr(work.deleting, "in_kernel", lambda: True)
    assert service.watch()
    go.set()
    work.deleting.stop()
    assert work.deleting.join(60)


def test_a_disk_that_does_not_answer_is_said(service, monkeypatch):
    (work,) = service._works
    monkeypatch.setattr(work.scanning, "silent_for", lambda now: ROOT_PATIENCE + 1)
    service.tick(never)
    assert tripped(service) == {("root", "nvr1")}
    assert "does not answer" in service._core.alarms.blocking("nvr1")


def test_no_request_that_waited_waits_for_a_disk_that_nobody_reads_yet(
    service, monkeypatch
):
    """Twelve of them, and a start would take a minute, with the socket closed."""
    monkeypatch.setattr(effect, "SCAN_SECONDS", 600.0)
    monkeypatch.setattr(effect, "INSPECTION_SECONDS", 600.0)
    directory = service._core.settings.spool
    directory.mkdir(exist_ok=True)
    for number in range(12):
        asked = {
            "cameras": ["1001"], "since": "2026-01-01T00:00Z", "kind": "court",
            "reason": "r", "reference": f"A/{number}", "request": str(uuid.uuid4()),
            "until": "2026-01-02T00:00Z",
        }  # fmt: skip
        spool.leave(directory, "hold.place", asked)
    service._take_in(service._reading.wall)
    assert list(directory.iterdir()) == []
    with service._core.catalogue.read() as tx:
        assert len(list(holds.listing(tx, service._reading.wall))) == 12
    assert tripped(service) == set()


def test_asked_to_stop_while_it_starts_it_begins_nothing_more(installed):
    service = Service(installed.settings, Notifier({}), bell := Wakeup())
    bell.stop()
    service.start()
    assert not service._schedule._scheduler.running
    assert service.stop()
    assert [e["kind"] for e in installed.entries()][-1] == "service.stopped"
    bell.close()


def test_what_the_log_says_is_known_before_a_root_is_opened(installed, monkeypatch):
    """Read by pages: a scan would read all of it at once, and a long log ends that for
    its length, again and again."""
    service = Service(installed.settings, Notifier({}), bell := Wakeup())
    known, opened = [], RootWork.open

    @functools.wraps(opened)
    def watched(work, stop):
        known.append(service._core.catalogue.said.size)
        opened(work, stop)

    monkeypatch.setattr(RootWork, "open", watched)
    size = len(installed.entries())
    bell.stop()
    service.start()
    service.stop()
    bell.close()
    assert min(known) >= size


def test_an_unexpected_exception_ends_the_service_loudly(tmp_path):
    """Outside the roots: exit status 1, so that systemd starts it again."""
    site = Installation(tmp_path)
    site.init()
    code = (
        "import sys; from retention import cli; from retention.service import daemon\n"
        "def broken(self, stop): raise ValueError('nobody expected this')\n"
        "daemon.Service.tick = broken\n"
        f"sys.exit(cli.run(['--config', '{site.config}', 'run']))"
    )
    command = [os.sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nobody expected this" in done.stderr
    assert "service.crashed" in done.stderr
    assert site.entries("service.stopped") == []


def test_an_unexpected_exception_in_one_root_is_its_guard_and_the_others_go_on(
    tmp_path, fake_clock, monkeypatch, capsys
):
    site = Installation(tmp_path, ("nvr1", "nvr2"))
    site.init()
    for root in ("nvr1", "nvr2"):
        site.record(fake_clock().wall, HOUR, root)
    service = site.service()
    odd, _ = service._works

    def turn():
        service.tick(never)
        for work in service._works:
            work.scan(never)
            work.cycle(never)

    turn()
    fake_clock.elapsed += DAY
    with monkeypatch.context() as patch:
        patch.setattr(odd._scanner, "scan", unexpected)
        turn()
    assert (site.files("nvr1"), site.files("nvr2")) == ([site.files("nvr1")[0]], [])
    assert tripped(service) == {("root", "nvr1")}
    assert "a fault in this program, ValueError" in odd.blocked
    said = capsys.readouterr()
    assert "Traceback" in said.out + said.err
    assert "nobody expected this" in said.out + said.err
    turn()  # not at once again: it would only fail again, and may read a whole disk
    assert tripped(service) == {("root", "nvr1")}
    later = clock.monotonic() + 2 * MINUTE
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    turn()
    assert (site.files("nvr1"), tripped(service)) == ([], set())
    assert service.failure is None
    assert site.verify().ok
    honesty.FAULTS.clear()


def test_an_unexpected_exception_in_a_deletion_is_the_root_s_guard(
    tmp_path, fake_clock, monkeypatch
):
    """What its batch had begun is finished before anything else goes."""
    site = Installation(tmp_path)
    site.init()
    for age in (1, 2, 3):
        site.record(fake_clock().wall, HOUR + age * MINUTE)
    service = site.service()
    (work,) = service._works
    service.tick(never)
    work.scan(never)
    work.cycle(never)
    fake_clock.elapsed += DAY
    with monkeypatch.context() as patch:
        patch.setattr(procedure, "delete", unexpected)
        work.cycle(never)
    assert tripped(service) == {("root", "nvr1")}
    assert len(site.files()) == 3
    later = clock.monotonic() + 2 * MINUTE
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    work.scan(never)
    work.cycle(never)
    assert (site.files(), tripped(service)) == ([], set())
    assert site.verify().ok
    honesty.FAULTS.clear()


def unexpected(*_, **__):
    raise ValueError("nobody expected this")


def test_an_error_of_one_root_is_known_and_trips_its_guard(service, monkeypatch):
    (work,) = service._works

    def failing(now, stop, **_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(work._scanner, "scan", failing)
    work.scan(never)
    assert tripped(service) == {("root", "nvr1")}
    work.cycle(never)
    assert "Input/output error" in work.blocked
    work.scan(never)  # opened anew, with a scanner of its own
    assert tripped(service) == set()


def test_a_root_is_not_opened_anew_under_a_batch(service):
    (work,) = service._works
    before = work.root
    work._broken = True
    with work._deleting:
        work.scan(never)
    assert work.root is before
    work.scan(never)
    assert work.root is not before


def test_another_sites_catalogue_is_refused(installed, tmp_path):
    text = installed.config.read_text().replace('site = "test"', 'site = "derby"')
    installed.config.write_text(text)
    code = ["-m", "retention", "--config", str(installed.config), "run"]
    done = subprocess.run([os.sys.executable, *code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "site test" in done.stderr


def test_what_was_overdue_and_went_is_not_told_until_the_next_round(
    fake_clock, installed, service
):
    """A supervisor ruled on it, or a pause was over, a moment ago."""
    installed.record(clock.read().wall, 23 * HOUR)
    (work,) = service._works
    work.scan(never)
    with service._core.catalogue.write(Priority.HOLD) as tx:
        until = clock.read().wall + 4 * HOUR
        put_fact(tx, PAUSE_FACT, {"until": until, "since": until - 4 * HOUR})
    fake_clock.elapsed += 4 * HOUR - SECOND
    service.tick(never)
    assert service._housekeeping.pending("tick") is False
    service.cycle(work, never)
    assert "paused" in overdue(service)[0].detail
    fake_clock.elapsed += 2 * SECOND
    service._housekeeping.start()
    service.cycle(work, never)
    assert service._housekeeping.wait_idle(60)
    service._housekeeping.stop()
    assert overdue(service) == []


def overdue(service):
    with service._core.catalogue.read() as tx:
        return raised.named(tx, "overdue")


def test_the_heartbeat_says_what_there_is(installed, service):
    now = clock.read().wall
    installed.record(now, HOUR)
    installed.record(now, 2 * DAY)
    (work,) = service._works
    work.scan(never)
    service.heartbeat(never)
    (entry,) = installed.entries("heartbeat")
    fields = entry["fields"]
    assert (fields["recordings"], fields["overdue"], fields["holds"]) == (2, 1, 0)
    assert abs(fields["wall"] - now) < MINUTE
    assert fields["oldest_unheld"] < now - 2 * DAY


def test_what_was_recorded_goes_into_the_log_with_the_heartbeat(installed, service):
    installed.record(clock.read().wall, HOUR)
    (work,) = service._works
    work.scan(never)
    for _ in range(2):
        service.heartbeat(never)
    kinds = [entry["kind"] for entry in installed.entries()]
    last = kinds.index("recordings.recorded")
    assert kinds[last + 1 :].count("recordings.recorded") == 0
    assert kinds[last + 1] == "heartbeat"
    (entry,) = installed.entries("recordings.recorded")
    assert entry["fields"]["origin"] == "catalogued"
    assert entry["fields"]["recordings"] == 1


def test_what_is_caught_up_is_remembered_with_the_heartbeat(installed, service):
    (work,) = service._works
    work.scan(never)
    work.cycle(never)
    with service._core.catalogue.read() as tx:
        before = tx.exec_driver_sql("SELECT caught_up FROM root").scalar_one()
    work.cycle(never)
    service.heartbeat(never)
    with service._core.catalogue.read() as tx:
        after = tx.exec_driver_sql("SELECT caught_up FROM root").scalar_one()
    assert after > before


def test_an_idle_round_writes_nothing(installed, service):
    (work,) = service._works
    for _ in range(2):
        service.tick(never)
        work.scan(never)
        work.cycle(never)
    wal = installed.state / f"{db.NAME}-wal"
    before = wal.stat()
    for _ in range(5):
        service.tick(never)
        work.cycle(never)
    after = wal.stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def short(monkeypatch, module, name):
    """What is read there takes longer than a reading may."""
    real = getattr(module, name)

    def read(*given):
        with monkeypatch.context() as patch:
            patch.setattr(db, "LONGEST_READ", -1)
            (catalogue,) = [one for one in given if isinstance(one, db.Catalogue)]
            with catalogue.read() as tx:
                db.get_meta(tx)
        return real(*given)

    monkeypatch.setattr(module, name, read)


def detail(service, name):
    with service._core.catalogue.read() as tx:
        (found,) = [one for one in alarms.tripped(tx) if one.name == name]
    return found.detail


def test_a_reading_that_takes_too_long_stops_deletion_under_its_own_name(
    installed, service, monkeypatch
):
    """Until a round in which all was read in time; the log has no part in it."""
    (work,) = service._works
    work.scan(never)
    service.tick(never)
    with monkeypatch.context() as patch:
        short(patch, in_force, "compared")
        service._core.catalogue.compared = None
        service._alarmed = Watch(service._core.catalogue)  # all is asked for
        service.tick(never)
    assert tripped(service) == {("reading", "")}
    assert "reading of the catalogue, in_force." in detail(service, "reading")
    work.cycle(never)
    assert work.blocked.startswith("guard reading: a reading of the catalogue, ")
    service.tick(never)
    assert tripped(service) == set()
    work.cycle(never)
    assert work.blocked is None
