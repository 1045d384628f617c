"""Kill -9 at every system call of a deletion cycle that writes, removes or syncs.

strace kills the process instead of the N-th call of a kind, for every N that an
undisturbed cycle reaches, or every tenth as `campaign` says.  After each kill an outsider
compares files and log, somebody places a hold, and the next start has to bring all to
the end.  The same calls then fail with an error instead: the cycle says so in one
sentence and the next one heals it.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import campaign, needs
from tests.support import crash_archive as archive
from tests.support.crash_archive import LATE, Archive, Fate
from tests.support.crash_cycle import LATER
from tests.support.site_ import never
from tests.support.victims import Victims, instead, traced

EXPECTED = {"pwrite64", "unlink", "unlinkat", "fsync", "fdatasync"}
"""Calls without which a cycle can't be what it is: else the campaign is blind."""

FAILING = [
    (call, error)
    for call in ("fsync", "fdatasync", "pwrite64", "unlinkat", "unlink")
    for error in ("EIO", "ENOSPC")
    if (call, error) not in {("unlinkat", "ENOSPC"), ("unlink", "ENOSPC")}
]


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    made = Victims()
    yield made
    made.close()


@pytest.fixture(scope="module")
def dozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive before the cycle; to be copied."""
    directory = tmp_path_factory.mktemp("dozen") / "site"
    archive.make(directory)
    return directory


@needs.strace
def test_killed_anywhere_nothing_is_lost_and_the_next_start_finishes(
    victims, dozen, tmp_path
):
    calls = traced(victims, dozen, tmp_path)
    assert calls.keys() >= EXPECTED
    for call, made in sorted(calls.items()):
        times = len(made)
        for number in campaign.some(range(1, times + 1), call):
            copied = archive.copy(dozen, tmp_path / "site")
            where = f"killed at {call} {number} of {times}"
            status, said = victims.run(copied, *instead(call, number, "signal=KILL"))
            assert status == -signal.SIGKILL, (where, said)
            restarted(copied, where, hold=number % 2 == 0)
        copied = archive.copy(dozen, tmp_path / "site")
        status, said = victims.run(copied, *instead(call, times + 1, "signal=KILL"))
        assert status == 0, (f"{call} is called more than {times} times", said)


def restarted(directory: Path, where: str, *, hold: bool, emptied: bool = True) -> None:
    """The first look after a kill, then a start in this process and its cycle."""
    site = Archive.of(directory)
    try:
        archive.check_after_crash(site)
        kept = archive.numbers(site) & {LATE} if hold else set()
        if hold:
            archive.place_late_hold(site)
        assert site.deleter.recover(site.root, LATER, never).blocked is None
        assert site.cycle(LATER).blocked is None
        archive.check_after_restart(site, kept, emptied=emptied)
    except Exception as error:
        error.add_note(where)
        raise
    finally:
        site.close()


@needs.strace
@pytest.mark.parametrize(("call", "error"), FAILING)
def test_a_call_that_fails_is_said_and_the_next_cycle_heals_it(
    victims, dozen, tmp_path, call, error
):
    """One process as the daemon is one: after the error everything is opened anew."""
    made = traced(victims, dozen, tmp_path)[call]
    times, failed, of_files = len(made), 0, 0
    for number in campaign.some(range(1, times + 1), (call, error)):
        of_files += call == "unlinkat" and "AT_REMOVEDIR" not in made[number - 1]
        copied = archive.copy(dozen, tmp_path / "site")
        where = f"{error} at {call} {number} of {times}"
        tracing = instead(call, number, f"error={error}")
        status, said = victims.run(copied, *tracing, how="twice")
        assert (status, "Traceback" in said) == (0, False), f"{where}\n{said}"
        assert said or call != "fsync", f"{where} and nobody heard of it"
        for line in said.splitlines():
            assert str(copied) in line, f"says not where: {line}"
        site = Archive.of(copied)
        try:
            # A directory that could not be removed stays: empty, and nobody's.
            archive.check_after_restart(site, set(), emptied=call != "unlinkat")
            failed += sum("failed" in all_ for all_ in Fate(site).outcomes.values())
        except AssertionError as fault:
            fault.add_note(f"{where}; it said {said!r}")
            raise
        finally:
            site.close()
    # Each file that failed did so once, on record; what else fails is no file.
    assert failed == of_files
    assert failed == 9 or call != "unlinkat" or not campaign.WHOLE
