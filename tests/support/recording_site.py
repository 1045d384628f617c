"""A site whose footage a real recorder writes while the real daemon runs."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from retention.catalogue import db, recordings, streams
from retention.model.layouts.layout import path_of
from retention.model.values import SECOND, Recording
from tests.support.installation import Daemon, Installation

TEST_PICTURE = ("-re", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10")
QUICK_H264 = (
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
    *("-pix_fmt", "yuv420p", "-g", "10"),
)
FRAGMENTS = "movflags=+frag_keyframe+empty_moov+default_base_moof"


class RecordingSite(Installation):
    """An installation for 28 days with cameras 1001 and 1002, and its daemon."""

    FOLDER = ""

    def __init__(self, directory: Path, layout, zone, stable_after, max_length) -> None:
        self.ROOT = {
            "layout": layout, "timezone": zone, "stable_after": stable_after,
            "max_length": max_length,
        }  # fmt: skip
        super().__init__(directory, days=28)
        self.footage = directory / "nvr1"
        self.init()
        self._daemon: Daemon | None = None
        self._catalogue = db.open_(self.state / db.NAME, read_only=True)

    def start(self, **environment) -> Daemon:
        """Start the daemon; it runs when this returns."""
        self._daemon = super().start(**environment).running()
        return self._daemon

    def stop(self) -> None:
        """Stop the daemon in order, so that commands that change things may run."""
        assert self._daemon is not None
        assert self._daemon.end() == 0, self._daemon.log()
        self._daemon.out.close()
        self._daemon = None

    def close(self) -> None:
        self._catalogue.close()
        if self._daemon is not None:
            self._daemon.kill()

    def until(self, condition, seconds=120) -> None:
        """Wait while the daemon runs."""
        assert self._daemon is not None
        self._daemon.until(condition, seconds)

    def command(self, *arguments: str) -> str:
        """The output of a command typed as people do, which must succeed."""
        config = str(self.config)
        done = subprocess.run(
            [sys.executable, "-m", "retention", "--config", config, *arguments],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done
        return done.stdout

    def catalogued(self) -> dict[Path, Recording]:
        """Every recording of the catalogue, by the file that it stands for."""
        with self._catalogue.read() as tx:
            return {
                self.footage / os.fsdecode(path_of(stream, row)): row
                for stream in streams.of_root(tx, 1)
                for row in recordings.page(tx, stream.key, None, 1000)
            }


class Recorder:
    """A recorder as a process of its own."""

    def __init__(self, command, log: Path, environment) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **environment},
            )

    def open_files(self) -> set[Path]:
        """What the recorder has open just now, asked of the kernel."""
        found = set()
        for link in Path(f"/proc/{self.process.pid}/fd").glob("*"):
            try:
                found.add(Path(os.readlink(link)))
            except OSError:  # closed meanwhile
                continue
        return found

    def ended(self) -> bool:
        return self.process.poll() is not None

    def end(self) -> None:
        """Ask it to stop, as its service would."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)

    def kill(self) -> None:
        if not self.ended():
            self.process.kill()
            self.process.wait()


class Witness:
    """Watches recorders and catalogue at once; says what went wrong between them.

    `open_when_catalogued` should stay empty.  `written` are the files that a recorder
    was seen to write, with the inodes they had.
    """

    def __init__(self, site: RecordingSite, *recorders: Recorder) -> None:
        self._site, self._recorders = site, recorders
        self.open_when_catalogued: set[Path] = set()
        self.written: dict[Path, int] = {}
        self.looks = 0

    def look(self) -> None:
        """What is in the catalogue now and open afterwards was open all the time."""
        before = self._site.catalogued()
        self.looks += 1
        for recorder in self._recorders:
            for path in recorder.open_files():
                if path.is_relative_to(self._site.footage) and path.suffix != ".csv":
                    self.written.setdefault(path, path.stat().st_ino)
                    if path in before:
                        self.open_when_catalogued.add(path)

    def watch(self, seconds: float, until=lambda: False) -> None:
        """Look ten times a second for so long, or until something comes true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self.look()
            time.sleep(0.1)

    def replaced(self) -> list[Path]:
        """Files that are gone or not the ones that the recorder wrote."""
        return [
            path
            for path, inode in self.written.items()
            if not path.exists() or path.stat().st_ino != inode
        ]


class Truth(NamedTuple):
    """When a file was recorded, in microseconds, from witnesses of its own.

    Its last frame is that of `end`; a recorder on a busy machine writes it later, but
    not after `written`.
    """

    start: int
    end: int
    written: int


def truth(path: Path, start: int, seconds: float) -> Truth:
    """Of a file that began then and has so many seconds of film."""
    end = born(path) + round(seconds * SECOND)
    return Truth(start, end, max(end, path.stat().st_mtime_ns // 1000))


JITTER = SECOND // 2
"""Between naming a file and making it, on a busy machine, and between a clock and the
kernel's copy."""


def listed(path: Path) -> dict[str, float]:
    """The segments in a list of ffmpeg's segment muxer: name to seconds."""
    with path.open(newline="") as lines:
        return {
            name: float(end) - float(begin) for name, begin, end in csv.reader(lines)
        }


def born(path: Path) -> int:
    """When a file was made, by its file system."""
    done = subprocess.run(
        ["stat", "--format=%.6W", path], capture_output=True, text=True, check=True
    )
    seconds = float(done.stdout)
    assert seconds > 0, f"the file system of {path} notes no births: try another"
    return round(seconds * SECOND)


def probed(path: Path) -> float:
    """How many seconds of film are in a file."""
    command = "ffprobe -v error -show_entries format=duration -of csv=p=0"
    done = subprocess.run(
        [*command.split(), path], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def errors(row: Recording, truth: Truth) -> list[str]:
    """In words, by how much more than a second a recording is not when it was."""
    end = min(max(row.end, truth.end), truth.written)
    pairs = {"start": row.start - truth.start, "end": row.end - end}
    return [
        f"{what} {off / SECOND:+.3f} s"
        for what, off in pairs.items()
        if abs(off) > SECOND + JITTER
    ]
