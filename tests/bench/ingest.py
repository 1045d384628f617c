"""The scan against `find`: first, unchanged and changed trees; memory, catalogue size.

    python -m tests.bench.ingest DIRECTORY [--scale 1.0] [--tree nested|flat]

DIRECTORY must be on ext4 with a journal and 1.1 million free inodes at scale 1.  One
after the other it gets a million files, all holes and none due, in a nested tree as
Frigate makes it (33,000 directories of 30) and in a flat one as MediaMTX does (50 of
20,000).  Times are ratios to `find ROOT -type f -mtime +28 -delete` on the same tree
in the same run, all warm; each tree has a process of its own.
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

from retention.catalogue import db, roots
from retention.footage.roots import IDENTITY
from retention.model.values import SECOND
from retention.site import clock
from tests.support.installation import Installation, never

CAMERAS = [f"c{number:02}" for number in range(50)]
HOUR, MINUTE = 3600, 60
SIZE = 3_000_000  # so that a row's size is as long as a real one
AROUND = 5  # times that a short measurement is repeated

ROOT = """
[[root]]
name = "{tree}"
path = "{place}/{tree}"
layout = "{layout}"
timezone = "UTC"
stable_after = "1s"
"""
LAYOUTS = {"nested": "frigate", "flat": "mediamtx"}


def hours(count: int) -> Iterator[tuple[int, str]]:
    """The last `count` whole hours, oldest first, with Frigate's directories."""
    last = int(time.time()) // HOUR * HOUR - 2 * HOUR
    for start in range(last - count * HOUR, last, HOUR):
        yield start, time.strftime("%Y-%m-%d/%H", time.gmtime(start))


def write(directory: int, name: str, end: int) -> None:
    """A file of a size that recordings have, all hole, that was finished at `end`."""
    file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=directory)
    os.truncate(file, SIZE)
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


def write_flat(root: Path, count: int) -> None:
    """`count` files a camera, two minutes apart."""
    last = int(time.time()) // HOUR * HOUR - 2 * HOUR
    for camera in CAMERAS:
        (root / camera).mkdir(parents=True)
        handle = os.open(root / camera, os.O_RDONLY)
        for start in range(last - count * 2 * MINUTE, last, 2 * MINUTE):
            write(handle, flat_name(start), start + MINUTE)
        os.close(handle)


def add_to_flat(root: Path) -> None:
    """One more file in each directory, just finished: what is older is late."""
    start = int(time.time()) - 2 * MINUTE
    for camera in CAMERAS:
        handle = os.open(root / camera, os.O_RDONLY)
        write(handle, flat_name(start), start + MINUTE)
        os.close(handle)


def site(place: Path, tree: str, name: str) -> Installation:
    """An installation for one tree, with a catalogue of its own."""
    (place / tree / IDENTITY).unlink(missing_ok=True)  # another catalogue's
    directory = place / name
    directory.mkdir()
    root = ROOT.format(place=place, tree=tree, layout=LAYOUTS[tree])
    made = Installation(directory, roots=(), extra=root, days=28)
    lines = "\n".join(f"{camera},Street {camera}" for camera in CAMERAS)
    (directory / "cameras.csv").write_text(f"id,location\n{lines}\n")
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
    made = site(place, "nested", "ordered")
    root, aside = place / "nested", place / "aside"
    aside.mkdir()
    names = [(start, name, str(n)) for n, (start, name) in enumerate(hours(count))]
    for _, name, number in names:
        (root / name).rename(aside / number)
    service = made.service()
    scanner = service._works[0]._scanner
    added = 0

    def scan() -> None:
        nonlocal added
        for start, name, number in names:
            (aside / number).rename(root / name)
            now = (start + HOUR) * SECOND  # what is seen later is late
            added += scanner.scan(now, never).added

    seconds = timed(scan)
    close(service)
    say(f"in time order, an hour at a time: {added / seconds:,.0f} files/s")
    catalogue_size(made, "after a scan in time order")
    aside.rmdir()
    shutil.rmtree(place / "ordered")


def close(service) -> None:
    for work in service._works:
        work.close()
    service._core.catalogue.close()


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


def scans(place: Path, tree: str) -> None:
    """Everything of one process that holds a tree, then the daemon that does."""
    root, made = place / tree, site(place, tree, "site")
    service = made.service()
    say(f"before the first scan: {memory()}")
    scanner = service._works[0]._scanner
    first(tree, root, scanner)
    say(f"  with it: {memory()}")
    against_find(f"{tree}, unchanged", root, scanner)
    if tree == "flat":
        what = "flat, one file added to each directory"
        against_find(what, root, scanner, lambda: add_to_flat(root))
    reconciled(tree, scanner)
    say(f"  after all that: {memory()}")
    close(service)
    catalogue_size(made, "after a first scan, newest first")
    daemon(made, 30)
    shutil.rmtree(place / "site")


def last_scan(made: Installation) -> int:
    """When the root was scanned completely."""
    catalogue = db.open_(made.state / db.NAME, read_only=True)
    with catalogue.read() as tx:
        (root,) = roots.everyone(tx)
    catalogue.close()
    return root.scanned or 0


def daemon(made: Installation, seconds: int) -> None:
    """The daemon itself on what is catalogued already, scanning without a pause."""
    at, began = clock.read().wall, time.monotonic()
    running = made.start().running()
    pid = running.process.pid
    running.until(lambda: last_scan(made) >= at, 900)
    say(f"daemon, first scan after a start: {time.monotonic() - began:.1f} s")
    say(f"  with it: {memory(pid)}")
    for _ in range(3):
        time.sleep(seconds / 3)
        say(f"  {time.monotonic() - began:.0f} s after its start: {memory(pid)}")
    running.process.terminate()
    running.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--tree", choices=list(LAYOUTS))
    given = parser.parse_args()
    if given.tree is None:
        for tree in LAYOUTS:
            command = [sys.executable, *sys.argv, "--tree", tree]
            subprocess.run(command, check=True)
    else:
        measure(given.directory, given.tree, given.scale)


def measure(place: Path, tree: str, scale: float) -> None:
    count = max(1, int(660 * scale))
    if tree == "nested":
        write_nested(place / tree, count)
    else:
        write_flat(place / tree, int(20_000 * scale))
    os.sync()
    time.sleep(3)  # directories that changed just now are read again
    if tree == "nested":
        in_time_order(place, count)
    scans(place, tree)
    shutil.rmtree(place / tree)


if __name__ == "__main__":
    main()
