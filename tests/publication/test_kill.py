"""Kill -9 at every system call of append and publication that writes or syncs.

After each kill an outsider looks at catalogue and published log, and the next start has
to bring all to the end: no entry lost, none twice, no head beside another.
"""

import re
import shutil
import signal
import tempfile
from pathlib import Path

import needs
import pytest
from crash import archive
from crash.test_kill_everywhere import Victims, count, instead
from killed import APPENDED, BEFORE, BESIDE, make
from press import NOW, Press

from retention.audit import note
from retention.audit.directory import Published
from retention.audit.published import verify_directory
from retention.model import DAY
from retention.publication.copy import Copy
from retention.publication.publisher import BESIDE_KEY

EXPECTED = {
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
    "rmdir",
    "mkdir",
}
"""Calls without which append and publication can't be what they are."""

FAILING = [
    ("fsync", "EIO"), ("fsync", "ENOSPC"), ("write", "ENOSPC"), ("rename", "EIO"),
    ("pwrite64", "ENOSPC"), ("fdatasync", "EIO"), ("mkdir", "ENOSPC"),
    ("unlink", "EIO"), ("rmdir", "EIO"),
]  # fmt: skip


@pytest.fixture(scope="module")
def victims():
    made = Victims("publication.killed")
    yield made
    made.close()


@pytest.fixture(scope="module")
def room():
    """In memory where there is such a place: a kill loses nothing that was written,
    durable or not, and hundreds of starts need not wait for a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def before(room):
    directory = room / "before" / "state"
    make(directory)
    return directory


@pytest.fixture
def scratch(room):
    directory = room / "scratch"
    directory.mkdir()
    yield directory
    shutil.rmtree(directory)


def seen_heads(said: str, directory: Path) -> list[tuple[int, str]]:
    """Every head that anybody can have seen: size and note."""
    told = re.findall(r"^signed (\d+) '(.*)'$", said, re.M)
    found = [(int(size), text.replace("\\n", "\n")) for size, text in told]
    published = Published(directory / "log")
    for data in (
        published.checkpoint_bytes(),
        (directory / BESIDE_KEY).read_bytes(),
        *(data for _, data in published.kept()),
    ):
        found.append((note.unverified(data).size, data.decode()))
    return found


def check(press: Press, said: str) -> None:
    """Whatever a kill left: whole, and consistent with what was seen before it."""
    press.check_own()
    report = verify_directory(press.published, press.vkey, depth="deep")
    assert report.ok, report.faults
    appended = [int(n) for n in re.findall(r"^appended (\d+)", said, re.M)]
    assert press.size in range(max([BEFORE, *appended]), BEFORE + APPENDED + 1)
    heads = press.heads()
    for size, text in seen_heads(said, press.directory):
        assert heads[size] == text, f"another head of size {size}"


def restarted(directory: Path, said: str) -> None:
    """An outsider's look, then the next start, and what it goes on with."""
    press = Press(directory)
    check(press, said)
    size = press.size
    press.start()
    assert press.publisher.refused is None
    assert press.size == size
    press.publish(now=NOW + DAY)
    check(press, said)
    press.append_at_once(300)
    press.publish(now=NOW + 2 * DAY)
    check_end(press, size + 300)
    older = [
        (f"{number}", text.encode())
        for number, (_, text) in enumerate(seen_heads(said, press.directory))
    ]
    report = verify_directory(press.published, press.vkey, since=older)
    assert report.ok, report.faults
    press.close()


def check_end(press: Press, size: int) -> None:
    """All is published, nothing is left over, and the copy has what is final."""
    assert press.head().size == size == press.size
    press.check()
    widths = [p for p in press.published.rglob("*.p") if (p.with_suffix("")).exists()]
    assert widths == []
    hidden = list(press.published.rglob(".*"))
    assert all(p.parent.suffix == ".p" for p in hidden), hidden
    worm = press.directory / BESIDE
    Copy(press.published, worm).follow()
    for number in range(size // 256):
        path = f"tile/entries/{number:03}"
        assert (worm / path).read_bytes() == (press.published / path).read_bytes()


@needs.strace
def test_killed_anywhere_the_log_is_whole_and_the_next_start_goes_on(
    victims, before, scratch
):
    calls = count(victims, before, scratch)
    assert calls.keys() >= EXPECTED, calls
    for call, times in sorted(calls.items()):
        for number in range(1, times + 1):
            copied = archive.copy(before, scratch / "state")
            status, said = victims.run(copied, *instead(call, number, "signal=KILL"))
            assert status == -signal.SIGKILL, (call, number, said)
            try:
                restarted(copied, said)
            except BaseException as error:
                error.add_note(f"killed at {call} {number} of {times}\n{said}")
                raise


@needs.strace
@pytest.mark.parametrize(("call", "error"), FAILING)
def test_a_call_that_fails_is_said_and_the_next_try_heals_it(
    victims, before, scratch, call, error
):
    times = count(victims, before, scratch)[call]
    for number in range(1, times + 1):
        copied = archive.copy(before, scratch / "state")
        tracing = instead(call, number, f"error={error}")
        status, said = victims.run(copied, *tracing, how="twice")
        try:
            # What fails in the start itself ends it with a sentence; start again.
            assert status == 0 or "RetentionError" in said or "Error: " in said
            restarted(copied, said)
        except BaseException as fault:
            fault.add_note(f"{error} at {call} {number} of {times}\n{said}")
            raise
