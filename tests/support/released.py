"""Small finished installations, one of each released version, as they were left behind.

`python -m tests.support.released` makes that of this version: the same each time, for its
clock, its random numbers and its key are given.  Never made again once it is released.
"""

import io
import os
import random
import secrets
import shutil
import socket
import sqlite3
import tarfile
import uuid
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention import __version__
from retention.catalogue import db, schema
from retention.control import members
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Micros
from retention.site import clock, reserve
from retention.site.clock import Reading
from tests.support.installation import Clock, Installation
from tests.support.station import ANNA, BEN, Station

DIRECTORY = Path(__file__).parents[1] / "data" / "released"
THEN: Micros = 1_796_000_000 * SECOND  # 30 Nov 2026, in the morning
NAME = f"{__version__}-schema-{schema.VERSION}"
"""Of the installation of this version."""

_LEFT_OUT = (reserve.NAME, f"{db.NAME}-wal", f"{db.NAME}-shm", "FORMAT.md")
"""What is of no use to anybody later: reserved room, and what a program writes anew."""


class At(Clock):
    """A clock that stands where it is put."""

    def __init__(self, wall: Micros) -> None:
        super().__init__()
        self.wall = wall

    def __call__(self) -> Reading:
        return Reading(
            self.wall + self.elapsed, 5 * DAY + self.elapsed, self.elapsed,
            str(self.wall), False,
        )  # fmt: skip


def installation(directory: Path) -> Installation:
    """The settings of all of them."""
    return Installation(directory, release_requires_two_people=True)


def use(station: Station, at: At) -> None:
    """What is kept of a site: deleted footage, a hold that somebody wants released, footage
    in doubt, a ruling on it that waits for a second person."""
    installed, wall = station.installed, at().wall
    for number in range(3):
        installed.record(wall, 2 * DAY + number * MINUTE)
        installed.record(wall, HOUR + number * MINUTE)
    installed.record(wall, 10 * MINUTE)
    station.round()
    station.approve()
    station.ask(
        "hold.place", ANNA, cameras=["1001"], since=format_utc(wall - HOUR - 5 * MINUTE),
        until=format_utc(wall - 50 * MINUTE), kind="court", reference="R 1", reason="r",
        margin="0",
    )  # fmt: skip
    station.ask("hold.release", ANNA, hold=1, reason="the trial is over")
    odd = installed.record(wall, 3 * HOUR)
    os.utime(odd, ((wall - 3 * HOUR - 10 * MINUTE) // SECOND,) * 2)
    station.round()
    station.ask(
        "recording.resolve", BEN, path=f"nvr1/1001/{odd.name}", ruling="times_right",
        reason="its clock is right",
    )  # fmt: skip
    at.elapsed += MINUTE
    station.round()
    station.stop()


def make(directory: Path) -> bytes:
    """The installation of this version, made below an empty directory, packed."""
    drawn, at = random.Random(11), At(THEN)
    with (
        patch.object(clock, "read", at),
        patch.object(secrets, "_sysrand", drawn),
        patch.object(uuid, "uuid4", lambda: uuid.UUID(int=drawn.getrandbits(128))),
        patch.object(Ed25519PrivateKey, "generate", _key),
        patch.object(os, "getpid", lambda: 1),
        patch.object(socket, "gethostname", lambda: "host"),
        patch.object(reserve, "SIZE", 4096),
        patch.object(members, "of", lambda settings, role: ["anna", "ben"]),
    ):
        installed = installation(directory)
        installed.init()
        station = Station(installed)
        use(station, at)
    with sqlite3.connect(installed.state / db.NAME) as raw:
        raw.execute("VACUUM")
    raw.close()
    return pack(directory)


def make_here(place: Path = Path("/tmp/cctv-retention-released")) -> bytes:
    """The same below a directory that is there only meanwhile; its log names it."""
    place.mkdir()
    try:
        return make(place)
    finally:
        shutil.rmtree(place)


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(32))


def pack(directory: Path) -> bytes:
    """State and footage, with their times."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for part in ("state", "nvr1"):
            archive.add(directory / part, part, filter=_plain)
    return data.getvalue()


def _plain(found: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(found.name).name in _LEFT_OUT:
        return None
    found.uid = found.gid = 0
    found.uname = found.gname = ""
    recorded = found.name.endswith(".mp4")
    found.mtime = int(found.mtime) if recorded else THEN // SECOND
    return found


def unpack(archive: Path, directory: Path) -> Installation:
    """An installation as a version left it, below an empty directory or a new one."""
    directory.mkdir(exist_ok=True)
    with tarfile.open(archive) as packed:
        safely = (
            {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
        )  # from 3.11.4 on
        packed.extractall(directory, **safely)  # noqa: S202  # our own
    return installation(directory)


def everyone() -> list[Path]:
    """The installations of all versions, oldest first."""
    return sorted(DIRECTORY.glob("*.tar.xz"))


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    (DIRECTORY / f"{NAME}.tar.xz").write_bytes(make_here())
