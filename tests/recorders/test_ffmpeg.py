"""ffmpeg records in real time while the daemon runs: what is open is left alone, what
is finished is known by its true times, and what is due goes meanwhile."""

import os
import shutil
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from retention.model.values import SECOND, State
from tests.support import needs
from tests.support.recording_site import (
    FRAGMENTS,
    JITTER,
    QUICK_H264,
    TEST_PICTURE,
    Truth,
    Witness,
    born,
    errors,
    listed,
    probed,
    truth,
)

FFMPEG = ("ffmpeg", "-nostdin", "-loglevel", "warning")
AGE = timedelta(days=29)
ZONES = {"1001": "Europe/London", "1002": "Asia/Kolkata"}
"""By camera: the second one's host is in another zone than its root's names."""


def segments(footage: Path, camera: str, extension: str) -> list[str]:
    """ffmpeg's segment muxer, cutting every two seconds of the clock."""
    options = ("-segment_format_options", FRAGMENTS) if extension == "mp4" else ()
    return [
        *(*FFMPEG, *TEST_PICTURE, "-t", "900", *QUICK_H264),
        *("-f", "segment", "-segment_time", "2", "-segment_atclocktime", "1"),
        *("-reset_timestamps", "1"),
        *("-strftime", "1", "-segment_list", str(footage / f"{camera}.csv"), *options),
        str(footage / f"{camera}_%Y%m%dT%H%M%S%z.{extension}"),
    ]


def older_copies(footage: Path) -> list[Path]:
    """What is finished so far, once more under names and mtimes 29 days older."""
    made = []
    for camera, zone in ZONES.items():
        for name in listed(footage / f"{camera}.csv"):
            path = footage / name
            stamp = path.stem.partition("_")[2]
            start = datetime.strptime(stamp, "%Y%m%dT%H%M%S%z").astimezone(UTC)
            then = (start - AGE).astimezone(ZoneInfo(zone))
            copy = path.with_stem(f"{camera}_{then:%Y%m%dT%H%M%S%z}")
            shutil.copyfile(path, copy)
            mtime = path.stat().st_mtime - AGE.total_seconds()
            os.utime(copy, (mtime, mtime))
            made.append(copy)
    return made


def shown(row, path: Path, site) -> list[str]:
    """What is wrong with the times of a finished segment."""
    seconds = listed(site.footage / f"{path.name.split('_')[0]}.csv")[path.name]
    assert abs(seconds - probed(path)) < 0.3
    return errors(row, truth(path, born(path), seconds))


@needs.ffmpeg
def test_what_ffmpeg_writes_is_left_alone_and_what_is_due_goes_meanwhile(
    site, recorder
):
    """The archive is some seconds old when the daemon first meets it."""
    made = site("ffmpeg", "Europe/London")
    footage = made.footage
    writers = [
        recorder(segments(footage, "1001", "mp4"), TZ=ZONES["1001"]),
        recorder(segments(footage, "1002", "mkv"), TZ=ZONES["1002"]),
    ]
    witness = Witness(made, *writers)
    witness.watch(120, until=lambda: len(list(footage.glob("1002*.mkv"))) >= 4)
    old = older_copies(footage)
    assert len(old) >= 4
    made.start()
    witness.watch(120, until=lambda: made.entries("plan.proposed"))
    witness.watch(2)
    assert [path for path in old if not path.exists()] == []
    approved = made.command("deletion", "approve", "1")
    assert str(len(old)) in approved
    witness.watch(120, until=lambda: not any(path.exists() for path in old))
    assert [path for path in old if path.exists()] == []
    witness.watch(2)
    witness.watch(120, until=lambda: witness.looks > 20 and len(witness.written) >= 12)

    assert not any(writer.ended() for writer in writers)
    for writer in writers:
        witness.look()
        writer.end()
    finished = {footage / name for c in ZONES for name in listed(footage / f"{c}.csv")}
    made.until(lambda: made.catalogued().keys() >= finished)
    assert made.catalogued().keys() == finished == set(footage.glob("*.m[pk][4v]"))
    assert finished >= witness.written.keys()
    assert len(witness.written) >= 12
    assert witness.looks > 20
    assert witness.open_when_catalogued == set()
    assert witness.replaced() == []
    wrong = {
        path.name: found
        for path, row in made.catalogued().items()
        if (found := shown(row, path, made))
    }
    assert wrong == {}
    made.stop()
    check_the_record(made, old)


def check_the_record(made, old) -> None:
    """All the log says: those copies were deleted, and nothing else happened."""
    rows = made.catalogued()
    assert {row.state for row in rows.values()} == {State.PRESENT}
    # Only names whose offset is not the root's own can't be rendered from its zone.
    for path, row in rows.items():
        assert (row.path is None) == path.name.startswith("1001"), path
    done = made.entries("recordings.deleted")
    assert sum(entry["fields"]["deleted"] for entry in done) == len(old)
    for kind in ("lost", "quarantined", "reappeared"):
        assert made.entries(f"recordings.{kind}") == []
    tripped = made.entries("guard.tripped")
    assert [entry["fields"]["guard"] for entry in tripped] == ["volume"]
    report = made.verify()
    assert report.ok
    assert report.open_intents == []


def in_place(path: Path, seconds: int) -> list[str]:
    """Write one file as MediaMTX does: under its final name, a part each second."""
    command = [*FFMPEG, *TEST_PICTURE, "-t", str(seconds), *QUICK_H264]
    parts = ["-movflags", FRAGMENTS.partition("=")[2], "-flush_packets", "1"]
    return [*command, *parts, str(path)]


def named_for_now(directory: Path) -> tuple[Path, int]:
    """A path that MediaMTX would give to what begins now, and that instant."""
    start = time.time_ns() // 1000
    stamp = datetime.fromtimestamp(start / SECOND, UTC)
    return directory / f"{stamp:%Y-%m-%d_%H-%M-%S-%f}.mp4", start


@needs.ffmpeg
def test_a_long_segment_under_its_final_name_waits_until_it_is_closed(site, recorder):
    """As MediaMTX writes: in place, a part each second, the next one right after."""
    made = site("mediamtx", "UTC", stable_after="5s")
    directory = made.footage / "1001"
    directory.mkdir()
    made.start()
    begun, witnesses, truths = [], [], {}
    for seconds in (8, 3):
        path, start = named_for_now(directory)
        writer = recorder(in_place(path, seconds))
        begun.append((path, start, seconds, writer))
        witnesses.append(Witness(made, writer))
        witnesses[-1].watch(120, until=writer.ended)
    for path, start, seconds, writer in begun:
        assert writer.process.returncode == 0, writer.log.read_text()
        assert abs(probed(path) - seconds) < 0.3
        truths[path] = truth(path, start, probed(path))
    (before, *_), (_, after, *_) = begun
    truths[before] = truths[before]._replace(written=after)  # a short gap is bridged
    assert witnesses[0].looks > 8
    assert [each.open_when_catalogued for each in witnesses] == [set(), set()]
    made.until(lambda: len(made.catalogued()) == 2)
    rows = made.catalogued()
    assert rows.keys() == truths.keys()
    for path, row in rows.items():
        assert errors(row, truths[path]) == [], path
        # Never before the last frame was written.
        assert row.end >= path.stat().st_mtime_ns // 1000
        assert row.size == path.stat().st_size
    first, second = (rows[path] for path in sorted(rows))
    assert first.end >= second.start > first.end - JITTER
    made.stop()
    assert made.entries("recording.changed") == []
    assert made.entries("recordings.quarantined") == []
    assert made.verify().ok


@needs.ffmpeg
def test_a_segment_that_stalled_gets_its_later_end_when_it_goes_on(site, recorder):
    """Quiet for longer than `stable_after`, a file looks finished and is not: its row
    says so once it is written again."""
    made = site("mediamtx", "UTC", stable_after="2s")
    directory = made.footage / "1001"
    directory.mkdir()
    made.start()
    path, start = named_for_now(directory)
    writer = recorder(in_place(path, 5))
    made.until(lambda: path.exists() and path.stat().st_size > 20_000)
    writer.process.send_signal(signal.SIGSTOP)
    made.until(lambda: path in made.catalogued())
    early = made.catalogued()[path]
    assert early.end <= time.time_ns() // 1000 - 2 * SECOND
    writer.process.send_signal(signal.SIGCONT)
    made.until(writer.ended)
    made.until(lambda: made.entries("recording.changed"))
    late = made.catalogued()[path]
    assert errors(late, truth(path, start, probed(path))) == []
    assert late.end > early.end
    assert late.size == path.stat().st_size
    made.stop()
    assert made.verify().ok


@needs.ffmpeg
def test_segments_of_a_recorder_that_buffers_get_their_true_ends(site, recorder):
    """A plain MP4 of little movement: ffmpeg writes 48 bytes, and the rest as the next
    segment begins.  Meanwhile it looks finished."""
    made = site("{camera}/%Y-%m-%d_%H-%M-%S.mp4", "UTC", stable_after="2s")
    directory = made.footage / "1001"
    directory.mkdir()
    made.start()
    picture = ("-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=5")
    muxer = ("-f", "segment", "-segment_time", "6", "-g", "30", "-strftime", "1")
    name = str(directory / "%Y-%m-%d_%H-%M-%S.mp4")
    writer = recorder([*FFMPEG, *picture, *muxer, name], TZ="UTC")
    small = set()

    def three_are_closed() -> bool:
        small.update(p for p, row in made.catalogued().items() if row.size < 1000)
        return len(list(directory.iterdir())) >= 4

    made.until(three_are_closed, 120)
    writer.end()
    closed = sorted(directory.iterdir())[:3]
    assert small & set(closed), "this ffmpeg does not buffer: nothing was tried"

    def as_it_is(path: Path) -> bool:
        row = made.catalogued().get(path)
        return row is not None and row.size == path.stat().st_size

    made.until(lambda: all(map(as_it_is, closed)))
    rows = made.catalogued()
    for path in closed:
        # The name has whole seconds; the end is when the rest was written.
        written = path.stat().st_mtime_ns // 1000
        assert errors(rows[path], Truth(born(path), written, written)) == [], path
    made.stop()
    assert made.entries("recordings.quarantined") == []
    assert made.verify().ok
