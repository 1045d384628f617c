"""How long `status` takes on a large site with every alarm at once, and its lines.

python -m tests.bench.status DIRECTORY [--cameras 2083] [--roots 31]
"""

import argparse
import time
from pathlib import Path

import structlog

from retention.catalogue import cameras, policies, recordings, roots, streams
from retention.catalogue.db import Priority
from retention.cli.status import render
from retention.control import alarms, guards
from retention.model.policy import Policy
from retention.model.values import DAY, HOUR, Camera, Micros, Recording
from retention.reports.status import status
from retention.site.settings import RetentionSettings, Settings
from tests.support.alarmed import watch
from tests.support.premises import LAYOUT, Premises

NOW = 1_790_000_000 * 1_000_000


class Estate(Premises):
    START = NOW


def estate(
    directory: Path, number: int, many: int, hours: int, age: Micros = 30 * DAY
) -> Estate:
    """So many cameras on so many roots, each with some hours that are due, or younger."""
    site = Estate(directory)
    with site.catalogue.write(Priority.HOLD) as tx:
        policies.insert(tx, NOW, Policy(1, 28))
        keys = []
        for n in range(many):
            root = roots.add(tx, name=f"nvr{n}", path=f"/srv/{n}", uuid=f"uuid-{n}")
            roots.set_adopted(tx, root.key, NOW - 60 * DAY)
            roots.set_scanned(tx, root.key, NOW)
            keys.append(root.key)
        for n in range(number):
            camera = cameras.insert(tx, Camera(0, str(1000 + n), f"Street {n}"), NOW)
            stream = streams.add(
                tx, root=keys[n % many], camera=camera, layout=LAYOUT, zone="UTC",
                name=str(1000 + n), extension=".mp4", max_length=HOUR,
            )  # fmt: skip
            rows = [
                Recording(stream.key, NOW - age + h * HOUR, 0, HOUR, 10**8)
                for h in range(hours)
            ]
            recordings.insert(tx, rows)
    return site


def alarmed(site: Estate) -> Settings:
    """Every alarm stands, in each root where it is one of a root."""
    settings = Settings.model_construct(
        site="estate", timezone="UTC", retention=RetentionSettings(), root=()
    )
    watch(site.asked(settings))
    with site.catalogue.write(Priority.SCAN, site.log.by(site.actor, NOW)) as tx:
        names = [row.name for row in roots.everyone(tx)]
        for name in guards.ALARMS:
            for scope in names:
                alarms.trip(tx, NOW, name, scope, f"{name} as it is told in {scope}")
    return settings


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[])
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("directory", type=Path)
    asked.add_argument("--cameras", type=int, default=2083)
    asked.add_argument("--roots", type=int, default=31)
    asked.add_argument("--hours", type=int, default=48)
    given = asked.parse_args()
    site = estate(given.directory / "site", given.cameras, given.roots, given.hours)
    settings = alarmed(site)
    times = []
    for _ in range(5):
        begun = time.process_time()
        answer = status(site.asked(settings))
        times.append(time.process_time() - begun)
    watched = []
    for _ in range(3):
        begun = time.process_time()
        watch(site.asked(settings))
        watched.append(time.process_time() - begun)
    text = render(answer, "UTC", everything=False)
    print(f"status: {min(times):.3f} s of processor, {len(answer.alarms)} alarms")
    print(f"watch: {min(watched):.3f} s of processor")
    print(f"lines: {len(text.splitlines())}")
    print(text)
    site.catalogue.close()


if __name__ == "__main__":
    main()
