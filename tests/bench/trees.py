"""Trees of recordings for the benches, with their catalogue: real files, real rows."""

import os
import time
from pathlib import Path

from retention.catalogue.db import Priority
from retention.model.layouts.layout import compile_layout
from retention.model.values import DAY, MINUTE, SECOND
from tests.support.site_ import LAYOUT, Site

SIZE = 4096
NOW = int(time.time()) * SECOND  # find reads the real clock
OLD = NOW - 40 * DAY
NEW = NOW - 20 * DAY


def write_files(root: Path, cameras: int, starts: list[int]) -> None:
    """One file of 4 KiB per camera and start, `<camera>/<time>.mp4`, mtime = end."""
    layout, data = compile_layout(LAYOUT, "UTC"), b"\0" * SIZE
    for camera in range(cameras):
        directory = root / f"c{camera:03}"
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY)
        for start in starts:
            path = layout.render(directory.name, start, ".mp4").rpartition(b"/")[2]
            file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=handle)
            os.write(file, data)
            at = (start + MINUTE) * 1000
            os.utime(file, ns=(at, at))
            os.close(file)
        os.close(handle)


def write_rows(site: Site, cameras: int, starts: list[int]) -> None:
    """The same in the catalogue, 5,000 rows a transaction."""
    for camera in range(cameras):
        stream = site.stream(f"c{camera:03}")
        for first in range(0, len(starts), 5000):
            with site.catalogue.write(Priority.SCAN) as tx:
                tx.exec_driver_sql(
                    "INSERT INTO recording VALUES (?, ?, 0, ?, ?, 0)",
                    [
                        (stream.key, start, MINUTE, SIZE)
                        for start in starts[first : first + 5000]
                    ],
                )
    site.deleter.reset()


def minutes(first: int, count: int) -> list[int]:
    """`count` starts, a minute apart."""
    return [first + n * MINUTE for n in range(count)]


def sync() -> None:
    """Let what was written before not count."""
    os.sync()
