"""How long it takes to append a batch, to publish it, to compare and to restore.

Run by hand: `python -m tests.bench.publication [DIRECTORY]`, a directory on the disk that
counts.  The bound: append of a 1,000-recording batch within 10 ms, all in.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from retention.tlog.rows import prepare
from tests.support.dated import Dated
from tests.support.press import NOW, Press, intent, rows

ROUNDS = 50
LOG = 100_000
TAIL = 10_000


def timed(times: dict[str, list[float]], name: str, act) -> None:
    began = time.perf_counter()
    act()
    times.setdefault(name, []).append((time.perf_counter() - began) * 1000)


def batches(press: Press) -> None:
    """What one deletion batch and one change of a hold cost."""
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        table = rows(1000)
        fields = intent(table).fields

        def append(table=table, fields=fields):
            ready = prepare(table)
            press.append(
                Dated("deletion.intended", NOW, intent(table).actor, fields, ready)
            )

        timed(times, "append of 1,000 recordings, prepared and committed", append)
        timed(times, "publish the intent", press.publish)
        timed(times, "sign and publish its head", press.publish)
        press.append(count=1)
        timed(times, "sign and publish one entry", press.publish)
        timed(times, "publish where nothing is new", press.publish)
    for name, found in times.items():
        print(
            f"{name:52} {statistics.median(found):7.2f} ms   best {min(found):7.2f}"
            f"   worst {max(found):7.2f}"
        )


def start(press: Press) -> None:
    """The comparison at start, a lost directory, a database from a backup."""
    times: dict[str, list[float]] = {}
    press.append_at_once(LOG)
    timed(times, f"publish {LOG:,} entries", press.publish)
    press.again()
    timed(times, "compare at start", press.start)
    backup = press.backup()
    press.append_at_once(TAIL)
    press.publish()
    press.restore(backup)
    timed(times, f"compare and bring back {TAIL:,} entries", press.start)
    for name, found in times.items():
        print(f"{name:52} {found[0]:7.0f} ms")
    press.publish()
    press.check()


def main() -> None:
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=parent) as directory:
        press = Press(Path(directory) / "state")
        press.append_at_once(700)
        press.publish()
        batches(press)
        start(press)
        press.close()


if __name__ == "__main__":
    main()
