"""What the service does each minute though nothing happens, and a batch of deletions.

    python -m tests.bench.rounds DIRECTORY [--cameras 50] [--many 2083]

Milliseconds of processor, each the median of some runs: times of this kind are compared
with those of another commit only in turns, one process of each.
"""

import argparse
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import structlog

from retention.catalogue import recordings, streams
from retention.catalogue.db import Priority
from retention.model.values import DAY, HOUR, MINUTE, Recording
from retention.service.watch import Watch
from retention.site import clock
from retention.site.settings import RetentionSettings, Settings
from tests.bench.status import NOW as ESTATE_NOW
from tests.bench.status import estate
from tests.bench.trees import NOW, OLD, Site, minutes, sync, write_files, write_rows
from tests.support.installation import Installation, never

AROUND = 20


def spent(act: Callable[[], object]) -> float:
    began = time.thread_time()
    act()
    return (time.thread_time() - began) * 1000


def idle(place: Path, cameras: int) -> None:
    """The parts of a round, once all that is there was catalogued."""
    place.mkdir(parents=True)
    made = Installation(place)
    names = [f"c{number:04}" for number in range(cameras)]
    lines = "\n".join(f"{name},Street {name}" for name in names)
    (place / "cameras.csv").write_text(f"id,location\n{lines}\n")
    made.init()
    now = clock.read().wall
    for name in names:
        (place / "nvr1" / name).mkdir(exist_ok=True)
        for n in range(20):
            made.record(now, (n + 2) * MINUTE, camera=name)
    time.sleep(3)  # directories that changed just now are read again
    service = made.service()
    work = service._works[0]
    service._publish(service._publishing.begin, now)
    service._begin_record(now)
    parts = {
        "round": service.tick, "scan": work.scan, "cycle": work.cycle,
        "written over": work.compare_written_over,
    }  # fmt: skip
    for _ in range(3):
        for act in parts.values():
            act(never)
    for name, act in parts.items():
        times = [spent(lambda act=act: act(never)) for _ in range(AROUND)]
        print(f"{name}: {median(times):.2f} ms, {cameras} cameras", flush=True)
    work.close()
    service._core.catalogue.close()


def batches(place: Path) -> None:
    """A cycle of ten batches of 1,000, of 50 cameras."""
    times, walls = [], []
    for _ in range(5):
        site = Site(place, batch=1000, deletion_floor=10**6)
        starts = minutes(OLD, 200)
        write_files(site.footage, 50, starts)
        write_rows(site, 50, starts)
        sync()
        began = time.perf_counter()
        times.append(spent(lambda site=site: site.cycle(NOW)) / 10)
        walls.append((time.perf_counter() - began) * 100)
        assert site.rows() == 0
        site.close()
        shutil.rmtree(place)
    print(f"batch of 1,000: {median(times):.1f} ms, {median(walls):.1f} of wall time")


def list_of_alarms(place: Path, cameras: int) -> None:
    """What the list costs on a large site, of 31 roots, on which nothing is due."""
    site = estate(place, cameras, 31, 48, 2 * DAY)
    settings = Settings.model_construct(
        site="estate", timezone="UTC", retention=RetentionSettings(), root=()
    )
    lists = Watch(site.catalogue)

    def asked() -> None:
        lists.round(site.asked(settings))

    print(f"list at a start: {spent(asked):.1f} ms, {cameras} cameras", flush=True)
    asked()
    print(f"list, nothing new: {median(spent(asked) for _ in range(AROUND)):.2f} ms")
    times = []
    for hour in range(5):
        with site.catalogue.write(Priority.SCAN) as tx:
            start = ESTATE_NOW + hour * HOUR
            for one in streams.everyone(tx):
                recordings.insert(tx, [Recording(one.key, start, 0, HOUR, 10**8)])
        times.append(spent(asked))
    print(f"list, a recording of each camera is new: {median(times):.1f} ms")
    site.catalogue.close()


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[])
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("directory", type=Path)
    asked.add_argument("--cameras", type=int, default=50)
    asked.add_argument("--many", type=int, default=2083)
    given = asked.parse_args()
    idle(given.directory / "rounds", given.cameras)
    batches(given.directory / "batches")
    list_of_alarms(given.directory / "estate", given.many)


if __name__ == "__main__":
    main()
