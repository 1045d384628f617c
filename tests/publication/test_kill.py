"""Kill -9 at every system call of append and publication that writes or syncs.

After each kill an outsider looks at catalogue and published log, and the next start has
to bring all to the end: no entry lost, none twice, no head beside another.
"""

import re
import signal
from pathlib import Path

import pytest

from retention.model.values import DAY
from retention.publication.copy import Copy
from retention.publication.publisher import BESIDE_KEY
from retention.tlog import note
from retention.tlog.directory import Published
from retention.tlog.verify.published import verify_directory
from tests.support import campaign, needs
from tests.support import crash_archive as archive
from tests.support.killed import APPENDED, BEFORE, BESIDE, make
from tests.support.press import NOW, Press
from tests.support.victims import Victims, instead, traced

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
    made = Victims("tests.support.killed")
    yield made
    made.close()


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    directory = tmp_path_factory.mktemp("before") / "state"
    make(directory)
    return directory


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
    victims, before, tmp_path
):
    calls = traced(victims, before, tmp_path)
    assert calls.keys() >= EXPECTED, calls
    for call, made in sorted(calls.items()):
        times = len(made)
        for number in campaign.some(range(1, times + 1), call):
            copied = archive.copy(before, tmp_path / "state")
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
    victims, before, tmp_path, call, error
):
    times = len(traced(victims, before, tmp_path)[call])
    for number in campaign.some(range(1, times + 1), (call, error)):
        copied = archive.copy(before, tmp_path / "state")
        tracing = instead(call, number, f"error={error}")
        status, said = victims.run(copied, *tracing, how="twice")
        try:
            # What fails in the start itself ends it with a sentence; start again.
            assert status == 0 or "RetentionError" in said or "Error: " in said
            restarted(copied, said)
        except BaseException as fault:
            fault.add_note(f"{error} at {call} {number} of {times}\n{said}")
            raise
