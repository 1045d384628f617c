"""`retention demo`: the whole loop in under a minute, by the commands that people type.

Real processes do it all.  At the end disk and log are compared with what the archive's
own arithmetic says must have become of every file.
"""

from __future__ import annotations

import grp
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from retention import clock
from retention.demo_archive import (
    CAMERAS,
    ZONE,
    Asked,
    File,
    archive,
    asked,
    locations,
    seed,
    settings_text,
    witness,
    write,
)
from retention.demo_stage import Say, Stage
from retention.errors import RetentionError
from retention.footage.identity import IDENTITY
from retention.localtime import format_local, format_size, format_utc
from retention.model import SECOND

NOT_PERMITTED, NOT_ALL = 4, 7
"""Exit statuses that are as they should be at times: see `retention --help`."""


def demo(*, keep: bool = False, say: Say) -> None:
    """Run the demonstration in a temporary directory; with `keep` it stays.

    Raises RetentionError where anything is not as it must be.
    """
    with _directory(keep=keep, say=say) as directory, _ends_when_told():
        Demo(directory, say).run()
        say(
            "\nAll of this is as it must be."
            if keep
            else "\nAs it must be; all removed."
        )


@contextmanager
def _directory(*, keep: bool, say: Say) -> Iterator[Path]:
    """A directory of the demo's own; resolved, since a root may not lie behind links."""
    if not keep:
        with tempfile.TemporaryDirectory(prefix="retention-demo-") as name:
            yield Path(name).resolve()
        return
    directory = Path(tempfile.mkdtemp(prefix="retention-demo-")).resolve()
    try:
        yield directory
    finally:
        say(f"\n{_next(directory)}")


def _next(directory: Path) -> str:
    """What to type in a directory that stays."""
    config = shlex.quote(str(directory / "retention.toml"))
    program = "retention"
    if shutil.which(program) is None:  # installed beside a Python that is not on PATH
        program = shlex.quote(str(Path(sys.executable).with_name(program)))
    log = shlex.quote(str(directory / "service.log"))
    commands = (
        f"run 2>> {log} &    # the service; `kill %1` ends it",
        "status",
        "plan --ahead 2d",
        "hold list",
        'hold extend 1 --camera 1002 --reason "the other side too"',
        "recording list --camera 1003",
        "audit list --limit 20",
    )
    lines = [f"    {program} {command}" for command in commands]
    return "\n".join(
        [
            f"The directory stays: {directory}",
            "Try what you would type in a control room:",
            "",
            f"    export RETENTION_CONFIG={config}",
            *lines,
        ]
    )


@contextmanager
def _ends_when_told() -> Iterator[None]:
    """SIGTERM ends the demo like Ctrl-C, which leaves no service and no directory."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _own_group() -> str:
    """The group of whoever runs the demo; roles go by the names of groups."""
    gid = os.getgid()
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        raise RetentionError(
            f"your group {gid} has no name on this machine, and roles go by names: run "
            "the demo as a user with a group that `getent group` lists"
        ) from None


class Record(NamedTuple):
    """What the service knew before it was stopped: the log's deletions, each as
    `_footage` names it, status, alarms about footage of the police."""

    deleted: set[str]
    status: dict[str, Any]
    alarms: list[dict[str, Any]]


class Demo:
    """One demonstration in one directory."""

    def __init__(self, directory: Path, say: Say) -> None:
        self._directory = directory
        self._footage = directory / "footage"
        self._stage = Stage(directory, say)
        self._now = clock.read().wall
        self._files: list[File] = []
        self._holds: list[Asked] = []

    def run(self) -> None:
        """Every step in order."""
        stage = self._stage
        self._make_archive()
        stage.step("Catalogue, signing key, identity of the two disks, cameras")
        stage.type("init", show=6)
        stage.step("Start the service: it reads both disks and deletes nothing yet")
        with stage.service():
            self._look()
            self._place_holds()
            self._release()
            self._approve()
            stage.wait("the deletion of what is due", self._all_gone)
            self._see_one_go()
            stage.type("status")
            self._show_log()
            record = self._record()
        self._compare(record)

    # -- the steps ----------------------------------------------------------------

    def _make_archive(self) -> None:
        self._files = archive(self._now)
        size = write(self._footage, self._files)
        self._stage.config.write_text(settings_text(self._directory, _own_group()))
        (self._directory / "cameras.csv").write_text(CAMERAS)
        due = sum(file.goes(self._now, ()) for file in self._files)
        self._stage.step("An archive, as two recorders leave it in 31 days")
        self._stage.tell(
            f"{len(self._files):,} MP4 files ({format_size(size)}) of four cameras in "
            f"{self._footage}: MediaMTX in nvr1, Frigate in nvr2. All play, all are "
            f"copies of one clip. {due} are older than 28 days. Two are not ours: a "
            "number plate camera's, whose data is the police's, and one copied there by "
            "hand."
        )
        self._stage.say(f"   $ export RETENTION_CONFIG={self._stage.config}")

    def _look(self) -> None:
        self._stage.wait("a plan for each disk", lambda: len(self._plans()) == 2)
        self._stage.type("plan")
        self._stage.tell(
            "So much at once is a surprise in any archive: it waits for a person. From "
            "here on every command asks the service, over its socket. There is only "
            "you: your group has every role, and one person can release evidence."
        )

    def _place_holds(self) -> None:
        stage = self._stage
        stage.step("3 a.m., the police ring: keep the Market Place")
        evening = asked(self._now, "1001", (30, 21, 0), (30, 23, 30))
        self._hold(
            evening, "--kind", "police", "--officer", "PC 4321 Singh", "--force",
            "Leicestershire Police", "--reference", "26*123456", "--reason", "assault",
        )  # fmt: skip
        stage.step("Somebody asks for footage of herself: another hold, just in time")
        day = asked(self._now, "1003", (30, 12, 0), (29, 12, 0))
        self._hold(
            day, "--kind", "sar", "--received", "yesterday 10:00",
            "--reference", "SAR 118", "--reason", "asks for footage of herself",
            status=NOT_ALL,
        )  # fmt: skip
        stage.tell(
            "Status 7: not every minute of it is there. This recorder keeps only what "
            "moves, and nobody watched it then."
        )

    def _release(self) -> None:
        """A released hold keeps its footage while it cools off: `_compare` sees to it."""
        stage = self._stage
        stage.step(
            "She withdraws her request: released, and kept for a week all the same"
        )
        end = (0,) if os.getuid() else (0, NOT_PERMITTED)
        if stage.type("hold", "release", "2", "--reason", "withdrawn", end=end):
            stage.tell("Evidence is released by people: root may not, even here.")

    def _approve(self) -> None:
        self._stage.step("A supervisor approves the plans; holds win over them")
        for plan in self._plans():
            self._stage.type("deletion", "approve", str(plan["plan"]))

    def _hold(self, hold: Asked, *options: str, status: int = 0) -> None:
        self._stage.type(
            "hold", "place", hold.camera, "--from", hold.since, "--to", hold.until,
            *options, end=(status,),
        )  # fmt: skip
        self._holds.append(hold)

    def _plans(self) -> list[dict[str, Any]]:
        plans: list[dict[str, Any]] = self._stage.ask("status")["plans_waiting"]
        return plans

    def _see_one_go(self) -> None:
        last = witness(self._now)
        when = format_local(last.due, ZONE)
        if clock.read().wall < last.due:
            self._stage.tell(
                f"Ten seconds more of camera 1004 fall due at {when}: wait ..."
            )
        self._stage.wait(
            "the deletion of what has just fallen due",
            lambda: not (self._footage / last.path).exists(),
        )
        gone = clock.read().wall // SECOND * SECOND
        self._stage.tell(
            f"{last.path}, due at {when}, was seen gone at {format_local(gone, ZONE)}."
        )

    def _all_gone(self) -> bool:
        return not any(
            (self._footage / file.path).exists()
            for file in self._files
            if file.goes(self._now, self._holds)
        )

    def _show_log(self) -> None:
        stage, hold = self._stage, self._holds[0]
        stage.step("What the log says of it")
        stage.type("audit", "list", "--kind", "recordings.deleted")
        stage.type(
            "audit", "list", "--camera", hold.camera, "--kind", "deletion.intended",
            "--from", hold.before, "--to", hold.since,
        )  # fmt: skip
        stage.type("audit", "list", "--kind", "custody.alarm")
        stage.type("audit", "verify", "--deep")

    # -- what must be there -------------------------------------------------------

    def _record(self) -> Record:
        """What the service says of the files, asked while it still can be."""
        return Record(
            self._logged(),
            self._stage.ask("status"),
            self._stage.ask("audit", "list", "--kind", "custody.alarm")["entries"],
        )

    def _compare(self, record: Record) -> None:
        """Every file against what must have become of it; then the log against that."""
        self._stage.step("Disk and log against what must have become of every file")
        # Nothing has fallen due since the service was asked: see `archive`.
        now = clock.read().wall
        gone = [file for file in self._files if file.goes(now, self._holds)]
        wrong = [*self._wrong_files(now), *self._wrong_log(gone, record)]
        if wrong:
            raise RetentionError(
                f"the demo went wrong in {len(wrong)} points: {'; '.join(wrong[:5])}; "
                "run `retention demo --keep` and look"
            )
        self._stage.say("   camera                         before  deleted  held  left")
        for camera, location in locations().items():
            own = [file for file in self._files if file.camera == camera]
            deleted = sum(file.goes(now, self._holds) for file in own)
            held = sum(file.goes(now, ()) for file in own) - deleted
            self._stage.say(
                f"   {camera}  {location:<24} {len(own):6}  {deleted:7}  {held:4}  "
                f"{len(own) - deleted:4}"
            )
        self._stage.tell(
            f"{len(gone)} deleted on the disk and, one by one, in the log. (held: past "
            "28 days, kept by a hold.) The police's file and the one copied by hand were "
            "reported and not touched."
        )

    def _wrong_files(self, now: int) -> Iterator[str]:
        """Files that are there or not, or not as the recorder left them, wrongly."""
        clip = seed()
        there = {
            str(path.relative_to(self._footage))
            for path in self._footage.rglob("*")
            if path.is_file() and path.name != IDENTITY
        }
        for file in self._files:
            if file.goes(now, self._holds):
                if file.path in there:
                    yield f"{file.path} is still there"
            elif file.path not in there:
                yield f"{file.path} is gone"
            elif not self._untouched(file, clip):
                yield f"{file.path} was changed"
        for path in sorted(there - {file.path for file in self._files}):
            yield f"{path} was not there before"

    def _untouched(self, file: File, clip: bytes) -> bool:
        path = self._footage / file.path
        return path.read_bytes() == clip and path.stat().st_mtime_ns == file.end * 1000

    def _wrong_log(self, gone: list[File], record: Record) -> Iterator[str]:
        """What the log calls deleted, what is catalogued and what was reported."""
        expected = {
            _footage(f.camera, format_utc(f.start), format_utc(f.end)) for f in gone
        }
        logged = record.deleted
        for what in sorted(expected - logged):
            yield f"the log does not know the deletion of {what}"
        for what in sorted(logged - expected):
            yield f"the log tells of a deletion that was not due, {what}"
        status = record.status
        ours = sum(file.why == "recording" for file in self._files)
        catalogued = sum(root["recordings"] for root in status["roots"])
        if catalogued != ours - len(gone):
            yield f"{catalogued} recordings are catalogued, not {ours - len(gone)}"
        reported = {
            f"{one['root']}/{one['directory']}/{one['example']}".replace("//", "/")
            for one in status["unknown"]
        }
        alarmed = {
            f"{a['fields']['root']}/{a['fields']['path']}" for a in record.alarms
        }
        for file in self._files:
            if file.why != "recording" and file.path not in reported:
                yield f"nobody was told of {file.path}"
            if file.why == "police" and file.path not in alarmed:
                yield f"there was no alarm about {file.path}"

    def _logged(self) -> set[str]:
        ids = {
            one["key"]: one["id"]
            for one in self._stage.ask("camera", "list")["cameras"]
        }
        intents = self._stage.ask("audit", "list", "--kind", "deletion.intended")
        return {
            _footage(ids[row["camera"]], row["start"], row["end"])
            for entry in intents["entries"]
            for row in self._stage.ask("audit", "show", str(entry["number"]))["rows"]
            if row["outcome"] == "deleted"
        }


def _footage(camera: str, start: str, end: str) -> str:
    return f"camera {camera} from {start} to {end}"
