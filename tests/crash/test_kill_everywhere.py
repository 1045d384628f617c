"""Kill -9 at every system call of a deletion cycle that writes, removes or syncs.

strace kills the process instead of the N-th call of a kind, for every N that an
undisturbed cycle reaches.  After each kill an outsider compares files and log, somebody
places a hold, and the next start has to bring all to the end.  The same calls then fail
with an error instead: the cycle says so in one sentence and the next one heals it.
"""

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import needs
import pytest
from crash import archive
from crash.archive import LATE, Archive, Fate
from crash.cycle import LATER
from site_ import never

CALLS = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "unlink", "unlinkat", "rmdir",
    "rename", "renameat", "renameat2", "fsync", "fdatasync", "ftruncate", "fallocate",
    "sync_file_range", "msync", "link", "linkat", "symlink", "symlinkat", "mkdir",
)  # fmt: skip
EXPECTED = {"pwrite64", "unlink", "unlinkat", "fsync", "fdatasync"}
"""Calls without which a cycle can't be what it is: else the campaign is blind."""

FAILING = [
    (call, error)
    for call in ("fsync", "fdatasync", "pwrite64", "unlinkat", "unlink")
    for error in ("EIO", "ENOSPC")
    if (call, error) not in {("unlinkat", "ENOSPC"), ("unlink", "ENOSPC")}
]


class Victims:
    """Starts cycles and has strace do something at one of their system calls."""

    def __init__(self, module: str = "crash.cycle") -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=Path(__file__).parents[1],  # where the tests' own modules are
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, directory: Path, *tracing: str, how: str = "") -> tuple[int, str]:
        """The exit status (-9: killed) of one cycle and what it printed."""
        ask, answer = self._server.stdin, self._server.stdout
        ask.write(f"{directory}\t{how}\n")
        ask.flush()
        pid = answer.readline().strip()
        with subprocess.Popen(["strace", "-f", "-qq", "-p", pid, *tracing]) as tracer:
            said = ""
            while not (line := answer.readline()).startswith("ended "):
                assert line, "the process that starts the cycles ended"
                said += line
            tracer.wait(10)
        return int(line.split()[1]), said.replace("\\n", "\n")

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(10)
        self._server.stdout.close()


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


def count(victims: Victims, dozen: Path, scratch: Path) -> Counter[str]:
    """How often an undisturbed cycle makes each of the calls."""
    copied = archive.copy(dozen, scratch / "site")
    trace = scratch / "trace"
    status, said = victims.run(
        copied, "-o", str(trace), "-e", "trace=" + ",".join(CALLS)
    )
    assert status == 0, said
    lines = trace.read_text().splitlines()
    return Counter(re.sub(r"^\d+ +(\w+)\(.*", r"\1", line) for line in lines)


def instead(call: str, number: int, what: str) -> tuple[str, ...]:
    """strace's words for doing something instead of the N-th call of a kind."""
    inject = f"inject={call}:{what}:when={number}"
    return ("-o", "/dev/null", "-e", f"trace={call}", "-e", inject)


@needs.strace
def test_killed_anywhere_nothing_is_lost_and_the_next_start_finishes(
    victims, dozen, tmp_path
):
    calls = count(victims, dozen, tmp_path)
    assert calls.keys() >= EXPECTED
    for call, times in sorted(calls.items()):
        for number in range(1, times + 1):
            copied = archive.copy(dozen, tmp_path / "site")
            where = f"killed at {call} {number} of {times}"
            status, said = victims.run(copied, *instead(call, number, "signal=KILL"))
            assert status == -signal.SIGKILL, (where, said)
            restarted(copied, where, hold=number % 2 == 0)
        copied = archive.copy(dozen, tmp_path / "site")
        status, said = victims.run(copied, *instead(call, times + 1, "signal=KILL"))
        assert status == 0, (f"{call} is called more than {times} times", said)


def restarted(directory: Path, where: str, *, hold: bool) -> None:
    """The first look after a kill, then a start in this process and its cycle."""
    site = Archive.of(directory)
    try:
        archive.check_after_crash(site)
        kept = archive.numbers(site) & {LATE} if hold else set()
        if hold:
            archive.place_late_hold(site)
        assert site.deleter.recover(site.root, LATER, never).blocked is None
        assert site.cycle(LATER).blocked is None
        archive.check_after_restart(site, kept)
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
    times, failed = count(victims, dozen, tmp_path)[call], 0
    for number in range(1, times + 1):
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
    # Each of the nine files failed once, on record; what else fails is no file.
    assert failed == (9 if call == "unlinkat" else 0)
