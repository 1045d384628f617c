"""The scan against `find`: first, unchanged and changed trees; memory, catalogue size.

    python tests/bench/ingest.py DIRECTORY [--scale 1.0]

DIRECTORY must be on ext4 with a journal; at scale 1 it gets two million empty files,
none of them due: a nested tree as Frigate makes it (33,000 directories of 30 files)
and a flat one as MediaMTX does (50 of 20,000).  Times are ratios to
`find ROOT -type f -mtime +28 -delete` on the same tree in the same run, all warm.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from installation import Installation, never

from retention import clock
from retention.catalogue import db, roots
from retention.footage.roots import IDENTITY
from retention.settings import load

CAMERAS = [f"c{number:02}" for number in range(50)]
HOUR, MINUTE = 3600, 60
AROUND = 5  # times that a short measurement is repeated

ROOTS = """
[[root]]
name = "nested"
path = "{place}/nested"
layout = "frigate"

[[root]]
name = "flat"
path = "{place}/flat"
layout = "mediamtx"
timezone = "UTC"
stable_after = "1s"
"""


def hours(count: int) -> Iterator[tuple[int, str]]:
    """The last `count` whole hours, oldest first, with Frigate's directories."""
    last = int(time.time()) // HOUR * HOUR - 2 * HOUR
    for start in range(last - count * HOUR, last, HOUR):
        yield start, time.strftime("%Y-%m-%d/%H", time.gmtime(start))


def write(directory: int, name: str, end: int) -> None:
    """An empty file that was finished at `end`."""
    file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=directory)
    os.utime(file, (end, end))
    os.close(file)


def write_nested(root: Path, count: int) -> None:
    """Thirty files a camera and hour, ten seconds each."""
    for start, name in hours(count):
        for camera in CAMERAS:
            directory = root / name / camera
            directory.mkdir(parents=True)
            handle = os.open(directory, os.O_RDONLY)
            for minute in range(0, 60, 2):
                write(handle, f"{minute:02}.00.mp4", start + minute * MINUTE + 10)
            os.close(handle)


def flat_name(start: int) -> str:
    return time.strftime("%Y-%m-%d_%H-%M-%S-000000.mp4", time.gmtime(start))


def write_flat(root: Path, count: int) -> int:
    """`count` files a camera, two minutes apart; the start of the next one."""
    last = int(time.time()) // HOUR * HOUR - 2 * HOUR
    for camera in CAMERAS:
        (root / camera).mkdir(parents=True)
        handle = os.open(root / camera, os.O_RDONLY)
        for start in range(last - count * 2 * MINUTE, last, 2 * MINUTE):
            write(handle, flat_name(start), start + MINUTE)
        os.close(handle)
    return last


def add_to_flat(root: Path, start: int) -> None:
    """One more file in each directory."""
    for camera in CAMERAS:
        handle = os.open(root / camera, os.O_RDONLY)
        write(handle, flat_name(start), start + MINUTE)
        os.close(handle)


def site(place: Path, name: str) -> Installation:
    """An installation of both roots, with a catalogue of its own."""
    for root in ("nested", "flat"):  # another catalogue's now, if any
        (place / root / IDENTITY).unlink(missing_ok=True)
    directory = place / name
    directory.mkdir()
    made = Installation(directory, roots=(), extra=ROOTS.format(place=place))
    text = made.config.read_text().replace("days = 1", "days = 28")
    made.config.write_text(text)
    lines = "\n".join(f"{camera},Street {camera}" for camera in CAMERAS)
    (directory / "cameras.csv").write_text(f"id,location\n{lines}\n")
    made.settings = load(made.config, {})
    made.init()
    return made


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def find(root: Path) -> float:
    command = ["find", str(root), "-type", "f", "-mtime", "+28", "-delete"]
    return timed(lambda: subprocess.run(command, check=True))


def memory(pid: int | str = "self") -> str:
    """Resident memory of a process in MB: now, and the most it ever was."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines if line.startswith("Vm"))
    now, peak = (int(found[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    return f"{now:.0f} MB resident, peak {peak:.0f}"


def say(text: str) -> None:
    print(text, flush=True)


def catalogue_size(made: Installation, what: str) -> None:
    catalogue = db.open_(made.state / db.NAME, read_only=True)
    with catalogue.read() as tx:
        pages, page, rows = (
            tx.exec_driver_sql(sql).scalar_one()
            for sql in (
                "PRAGMA page_count",
                "PRAGMA page_size",
                "SELECT count(*) FROM recording",
            )
        )
    catalogue.close()
    say(f"catalogue {what}: {pages * page / rows:.1f} bytes a recording of {rows}")


def in_time_order(place: Path, count: int) -> None:
    """The nested tree as it would have come in: hour by hour, all cameras."""
    made = site(place, "ordered")
    service = made.service()
    scanner = service._works[0]._scanner
    now, added = clock.read().wall, 0

    def scan() -> None:
        nonlocal added
        for _, name in hours(count):
            directories = [f"{name}/{camera}".encode() for camera in CAMERAS]
            added += scanner.scan(now, never, directories).added

    seconds = timed(scan)
    close(service)
    say(f"in time order, an hour at a time: {added / seconds:,.0f} files/s")
    catalogue_size(made, "after a scan in time order")
    shutil.rmtree(place / "ordered")


def close(service) -> None:
    for work in service._works:
        work.close()
    service._catalogue.close()


def against_find(
    what: str, root: Path, scanner, before: Callable[[], None] = lambda: None
) -> None:
    """A scan of a root that is known already, and `find`, in turns."""
    ours, theirs, read, added = [], [], 0, 0
    for _ in range(AROUND):
        before()
        now = clock.read().wall
        result = None

        def scan(now=now) -> None:
            nonlocal result
            result = scanner.scan(now, never)

        ours.append(timed(scan))
        theirs.append(find(root))
        read, added = result.directories_read, result.added
    say(
        f"{what}: {median(ours):.3f} s, find {median(theirs):.3f} s, ratio "
        f"{median(ours) / median(theirs):.3f} (best {min(ours) / min(theirs):.3f}); "
        f"{read} directories read, {added} files added"
    )


def first(what: str, root: Path, scanner) -> None:
    result = None

    def scan() -> None:
        nonlocal result
        result = scanner.scan(clock.read().wall, never)

    find(root)
    seconds, other = timed(scan), find(root)
    say(
        f"{what}, first scan: {result.added} files in {seconds:.1f} s, "
        f"{result.added / seconds:,.0f} files/s, {seconds / other:.1f} x find; "
        f"{result.quarantined} in quarantine, {len(result.errors)} errors"
    )


def reconciled(what: str, scanner) -> None:
    result = None

    def reconcile() -> None:
        nonlocal result
        result = scanner.reconcile(clock.read().wall, never)

    seconds = timed(reconcile)
    say(
        f"{what}, reconciliation: {result.checked} rows, "
        f"{result.checked / seconds:,.0f} rows/s; {result.changed} changed, "
        f"{result.lost} lost"
    )


def scans(made: Installation, place: Path, following: int) -> None:
    """Everything of one process that holds both trees."""
    say(f"before the first scan: {memory()}")
    service = made.service()
    nested, flat = (work._scanner for work in service._works)
    first("nested", place / "nested", nested)
    say(f"  with it: {memory()}")
    against_find("nested, unchanged", place / "nested", nested)
    first("flat", place / "flat", flat)
    say(f"  with both: {memory()}")
    against_find("flat, unchanged", place / "flat", flat)
    starts = iter(range(following, following + HOUR, 2 * MINUTE))
    against_find(
        "flat, one file added to each directory",
        place / "flat",
        flat,
        lambda: add_to_flat(place / "flat", next(starts)),
    )
    reconciled("nested", nested)
    reconciled("flat", flat)
    say(f"  after all that: {memory()}")
    close(service)


def last_scan(made: Installation) -> int:
    """When each root was scanned completely, the earlier of them."""
    catalogue = db.open_(made.state / db.NAME, read_only=True)
    with catalogue.read() as tx:
        found = min(root.scanned or 0 for root in roots.everyone(tx))
    catalogue.close()
    return found


def daemon(made: Installation, seconds: int) -> None:
    """The daemon itself on what is catalogued already, scanning without a pause."""
    at, began = clock.read().wall, time.monotonic()
    running = made.start().running()
    pid = running.process.pid
    running.until(lambda: last_scan(made) >= at, 900)
    say(f"daemon, first scans after a start: {time.monotonic() - began:.1f} s")
    say(f"  with both: {memory(pid)}")
    for _ in range(3):
        time.sleep(seconds / 3)
        say(f"  {time.monotonic() - began:.0f} s after its start: {memory(pid)}")
    running.process.terminate()
    running.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    place, scale = given.directory, given.scale
    count = max(1, int(660 * scale))
    seconds = timed(lambda: write_nested(place / "nested", count))
    following = write_flat(place / "flat", int(20_000 * scale))
    say(f"{count * len(CAMERAS) * 30} nested files written in {seconds:.0f} s")
    os.sync()
    time.sleep(3)  # directories that changed just now are read again
    in_time_order(place, count)
    made = site(place, "site")
    scans(made, place, following)
    catalogue_size(made, "after first scans, newest first")
    daemon(made, 30)
    for name in ("site", "nested", "flat"):
        shutil.rmtree(place / name)


if __name__ == "__main__":
    main()
