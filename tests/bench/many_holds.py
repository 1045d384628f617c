"""What people and the service ask of many holds: 50,000 on 2,083 cameras.

    python -m tests.bench.many_holds DIRECTORY [--holds 50000] [--cameras 2083]

Rows and log entries only, no files.  Promised: a page of `hold list`, `plan`, `status` and
the heartbeat take 1 s each, and no read transaction stays open over 5 s.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, event

from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.control import in_force
from retention.holds.views import hold_list
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports.plan import plan
from retention.reports.status import status
from retention.service import housekeeping
from retention.site import clock
from retention.site.settings import RetentionSettings, Settings
from tests.bench.status import NOW, Estate, estate
from tests.support.alarmed import watch
from tests.support.dated import Dated
from tests.support.dated import append as append_dated

READING = clock.read()._replace(wall=NOW)


def held(site: Estate, many: int, cameras: int) -> None:
    """So many holds of three cameras each, on the record."""
    window = {"since": NOW - 40 * DAY, "until": NOW - 39 * DAY, "margin": 0}
    with site.catalogue.write(Priority.HOLD) as tx:
        for number in range(many):
            keys = [1 + (number * 7 + at) % cameras for at in range(3)]
            since = NOW - (40 + number % 300) * DAY
            window = {"since": since, "until": since + 6 * HOUR, "margin": 0}
            key = holds.insert(
                tx, keys, kind="police", reference=f"26*{number}", reason="a reason",
                requester="", officer="PC 1", force="Police", power="", typed="",
                placed=NOW, placed_by=1001, review=NOW + DAY, **window,
            )  # fmt: skip
            fields = {
                "hold": key, "kind": "police", "cameras": sorted(keys),
                "review": NOW + DAY, **window,
            }  # fmt: skip
            spans = tuple((one, since, since + 6 * HOUR) for one in keys)
            entry = Dated("hold.placed", NOW, site.actor, fields, None, spans)
            append_dated(site.log, tx, entry)


class Reads:
    """How long read transactions stayed open, from their first statement on."""

    def __init__(self) -> None:
        self.longest = 0.0

    def __enter__(self) -> "Reads":
        event.listen(Engine, "begin", self._begun)
        event.listen(Engine, "rollback", self._over)  # a reading ends with one
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "begin", self._begun)
        event.remove(Engine, "rollback", self._over)

    def _begun(self, connection: Connection) -> None:
        connection.info["begun"] = time.perf_counter()

    def _over(self, connection: Connection) -> None:
        took = time.perf_counter() - connection.info["begun"]
        self.longest = max(self.longest, took)


def measured(what: str, ask: Callable[[], object]) -> None:
    took = []
    with Reads() as reads:
        for _ in range(3):
            begun = time.process_time()
            ask()
            took.append(time.process_time() - begun)
    print(
        f"{what:<28} first {took[0]:6.2f}, then {min(took[1:]):6.2f} s of processor; "
        f"longest read {reads.longest:5.2f} s",
        flush=True,
    )


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--holds", type=int, default=50_000)
    parser.add_argument("--cameras", type=int, default=2_083)
    given = parser.parse_args()
    site = estate(given.directory / "site", given.cameras, 31, 48)
    held(site, given.holds, given.cameras)
    settings = Settings.model_construct(
        site="estate", timezone="UTC", retention=RetentionSettings(), root=()
    )
    context = site.asked(settings)
    print(f"{given.holds} holds on {given.cameras} cameras", flush=True)

    def compared() -> None:
        in_force.compared(site.catalogue, NOW)

    measured("watch", lambda: watch(context))  # its alarms stand
    measured("rows against the log", compared)
    measured("hold list, a page", lambda: hold_list(context))
    measured("hold list of a camera", lambda: hold_list(context, camera="1000"))
    measured("plan", lambda: plan(context))
    measured("status", lambda: status(context))
    measured("heartbeat", lambda: housekeeping.balance(site.catalogue, READING, MINUTE))
    site.catalogue.close()


if __name__ == "__main__":
    main()
