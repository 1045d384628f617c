"""Deletion against `find -delete`, the idle cycle, the catalogue's and log's size.

    python -m tests.bench.deletion DIRECTORY [--scale 1.0]

DIRECTORY must be on ext4 with a journal; some 10 GB at scale 1.  Figures of files are
ratios to `find ROOT -type f -mtime +28 -delete` on an identical tree in the same run.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
import time
from pathlib import Path
from statistics import median

from retention.model.values import DAY, MINUTE, SECOND
from tests.bench.trees import (
    NEW,
    NOW,
    OLD,
    Site,
    minutes,
    sync,
    write_files,
    write_rows,
)


def timed(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def find(root: Path) -> float:
    command = ["find", str(root), "-type", "f", "-mtime", "+28", "-delete"]
    return timed(lambda: subprocess.run(command, check=True))


def against_find(place: Path, name: str, cameras: int, due: int, live: int) -> None:
    """Delete `due` of `due + live` recordings a camera, both ways."""
    site = Site(place / name, deletion_floor=10**6)
    starts = minutes(OLD, due) + minutes(NEW, live)
    write_files(site.footage, cameras, starts)
    write_files(place / f"{name}-find", cameras, starts)
    write_rows(site, cameras, starts)
    sync()
    other = find(place / f"{name}-find")
    sync()
    ours = timed(lambda: deleted(site, cameras * due))
    print(
        f"{name}: {cameras * due} due of {len(starts) * cameras}: "
        f"{ours:.3f} s, find {other:.3f} s, ratio {ours / other:.2f}",
        flush=True,
    )
    log_bytes(site, cameras * due)
    site.close()
    shutil.rmtree(place / name)
    shutil.rmtree(place / f"{name}-find")


def deleted(site: Site, expected: int) -> None:
    found = site.cycle(NOW).deleted
    assert found == expected, (found, expected)


def log_bytes(site: Site, count: int) -> None:
    with site.catalogue.read() as tx:
        entries, rows = (
            tx.exec_driver_sql(
                f"SELECT coalesce(sum(length(bytes)),0) FROM {t}"
            ).scalar()
            for t in ("entry", "entry_rows")
        )
    print(
        f"  log: {(entries + rows) / count:.1f} bytes a deleted recording", flush=True
    )


def idle(place: Path, cameras: int, each: int, held: int) -> None:
    """A cycle with nothing due, `held` recordings of it past their period and held."""
    site = Site(place / "idle")
    write_rows(site, cameras, minutes(NEW, each - held // cameras))
    if held:
        write_rows(site, cameras, minutes(OLD, held // cameras))
        for camera in range(cameras):
            site.hold(f"c{camera:03}", OLD - DAY, OLD + 30 * DAY)
    first = timed(lambda: site.cycle(NOW))
    runs = [timed(lambda n=n: site.cycle(NOW + n)) for n in range(1, 40)]
    print(
        f"idle cycle at {cameras * each} recordings, {held} held: median "
        f"{median(runs) * 1000:.2f} ms, worst {max(runs) * 1000:.2f}, first after a "
        f"start {first * 1000:.1f} ms",
        flush=True,
    )
    size(site, cameras * each)
    site.close()
    shutil.rmtree(place / "idle")


def size(site: Site, count: int) -> None:
    with site.catalogue.write(0) as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar()
        page = tx.exec_driver_sql("PRAGMA page_size").scalar()
    print(f"  catalogue: {pages * page / count:.1f} bytes a recording", flush=True)


def batches(place: Path) -> None:
    """Log bytes a deleted recording by batch size, of footage as irregular as real:
    a minute or so each, a few megabytes, no two alike."""
    for batch in (1, 200, 1000):
        site = Site(place / "batch", batch=batch, deletion_floor=10**6)
        irregular(site, cameras=10, each=100)
        deleted(site, 1000)
        print(f"batches of {batch}:", flush=True)
        log_bytes(site, 1000)
        site.close()
        shutil.rmtree(place / "batch")


def irregular(site: Site, cameras: int, each: int) -> None:
    """Sparse files of random sizes and lengths, with their rows."""
    chance = random.Random(4)
    for camera in range(cameras):
        key, start = site.stream(f"c{camera:03}").key, OLD
        rows = []
        for _ in range(each):
            length = MINUTE + chance.randrange(-5_000_000, 5_000_000)
            size = chance.randrange(2_000_000, 6_000_000)
            path = site.path(f"c{camera:03}", start)
            path.parent.mkdir(exist_ok=True)
            path.touch()
            os.truncate(path, size)
            os.utime(path, ns=((start + length) * 1000,) * 2)
            rows.append((key, start, length, size))
            start = (start + length) // SECOND * SECOND + SECOND
        with site.catalogue.write(0) as tx:
            tx.exec_driver_sql("INSERT INTO recording VALUES (?, ?, 0, ?, ?, 0)", rows)
    site.deleter.reset()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    place, scale = given.directory, given.scale
    batches(place)
    idle(place, 50, int(20_000 * scale), 0)
    idle(place, 50, int(20_000 * scale), int(100_000 * scale))
    against_find(place, "all", 200, int(500 * scale), 0)
    against_find(place, "steady", 50, int(20 * scale) or 1, int(19_980 * scale))
    against_find(place, "backlog", 50, int(2_000 * scale), int(20_000 * scale))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
