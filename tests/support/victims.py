"""Processes that strace kills, or whose calls it lets fail, at a call of choice."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.support import crash_archive as archive

CALLS = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "unlink", "unlinkat", "rmdir",
    "rename", "renameat", "renameat2", "fsync", "fdatasync", "ftruncate", "fallocate",
    "sync_file_range", "msync", "link", "linkat", "symlink", "symlinkat", "mkdir",
)  # fmt: skip


class Victims:
    """Starts cycles and has strace do something at one of their system calls."""

    def __init__(self, module: str = "tests.support.crash_cycle") -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=Path(__file__).parents[2],  # where the tests' own modules are
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
            tracer.wait(120)
        return int(line.split()[1]), said.replace("\\n", "\n")

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(120)
        self._server.stdout.close()


def traced(victims: Victims, dozen: Path, scratch: Path) -> dict[str, list[str]]:
    """Each call that an undisturbed cycle makes, by its name, in order."""
    copied = archive.copy(dozen, scratch / "site")
    trace = scratch / "trace"
    status, said = victims.run(
        copied, "-o", str(trace), "-e", "trace=" + ",".join(CALLS)
    )
    assert status == 0, said
    calls = defaultdict(list)
    for line in trace.read_text().splitlines():
        calls[re.sub(r"^\d+ +(\w+)\(.*", r"\1", line)].append(line)
    return calls


def instead(call: str, number: int, what: str) -> tuple[str, ...]:
    """strace's words for doing something instead of the N-th call of a kind."""
    inject = f"inject={call}:{what}:when={number}"
    return ("-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
