"""Whatever lies on one disk, the service goes on: on the others, and in its answers."""

import json
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from retention.holds.place import hold_place
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, SECOND
from retention.reports.plan import plan
from retention.reports.status import status
from retention.service.daemon import Service
from retention.site import clock
from tests.support import campaign, honesty
from tests.support.installation import (
    SUPERVISOR,
    Clock,
    Installation,
    never,
    program,
)

SIZES = st.sampled_from(
    [0, 1, 7, 2**31, 1 << 36, 1 << 40, (1 << 40) + 1, 15 << 40, 7 << 60, 2**63 - 1]
)
SECONDS = st.one_of(
    st.sampled_from([0, -1, -(2**31), -(2**31) - 1, 2**31, 2**32, 7_289_654_399]),
    st.sampled_from([7_289_654_400, 253_402_300_800, 2**53, 2**63 - 1, -(2**63)]),
    st.integers(-(2**63), 2**63 - 1),
)
"""Since 1970; of 2200 and 2201, of the years 10000 and 12000, and any other."""
AGES = st.integers(-3 * 86_400, 40 * 86_400)
NAMES = st.one_of(
    st.sampled_from([b"1970-01-01_00-00-00.mp4", b"2200-12-31_23-59-59.mp4"]),
    st.sampled_from([b"2201-01-01_00-00-00.mp4", b"9999-12-31_23-59-59.mp4"]),
    st.sampled_from([b"\xff" * 255, b"%41\n.mp4", b".hidden", b"a" * 250 + b".mp4"]),
    st.binary(min_size=1, max_size=255).filter(
        lambda name: not set(name) & set(b"/\0") and name not in (b".", b"..")
    ),
)
PLACES = st.sampled_from(
    [b"1001"] * 8
    + [b"1002"] * 4
    + [b"", b"7777", b"1001/d", b"\xff", b"/".join([b"\xff" * 200] * 5)]
)
KINDS = st.sampled_from(
    ["file"] * 12
    + ["directory", "deep", "long", "loop", "above", "dangling", "link", "linked"]
    + ["fifo", "socket", "device", "closed"]
)


class Thing(NamedTuple):
    """What somebody puts on the disk: named by its age in seconds, where it has one."""

    kind: str
    place: bytes
    name: bytes | int
    size: int
    seconds: int | None


THINGS = st.lists(
    st.builds(
        Thing,
        KINDS,
        PLACES,
        st.one_of(AGES, AGES, AGES, NAMES),
        SIZES,
        st.one_of(st.none(), st.none(), SECONDS),
    ),
    min_size=5,
    max_size=12,
)


def put(root: Path, thing: Thing, now: int) -> None:
    """It is there, in place of what was, as far as the file system lets it."""
    directory = os.path.join(os.fsencode(root), thing.place)
    name = thing.name
    if isinstance(name, int):
        stamp = format_utc((now // SECOND - name) * SECOND)
        name = stamp[:19].replace("T", "_").replace(":", "-").encode() + b".mp4"
    path = os.path.join(directory, name)
    with suppress(OSError):
        os.makedirs(directory, exist_ok=True)
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)
        make(thing, path, directory)
        seconds = now // SECOND - 3_600 if thing.seconds is None else thing.seconds
        os.utime(path, (seconds, seconds), follow_symlinks=False)


def make(thing: Thing, path: bytes, directory: bytes) -> None:
    match thing.kind:
        case "file":
            with open(path, "wb") as file:
                file.truncate(thing.size)
        case "directory" | "closed":
            os.mkdir(path, 0o700 if thing.kind == "directory" else 0)
        case "deep" | "long":
            os.mkdir(path)
            name, levels = (b"d", 1_200) if thing.kind == "deep" else (b"l" * 255, 20)
            deepen(path, name, levels)
        case "loop":
            os.symlink(os.path.basename(path), path)
        case "above":
            os.symlink(b"..", path)
        case "dangling":
            os.symlink(b"nowhere", path)
        case "link":
            os.symlink(b"/etc/hostname", path)
        case "linked":
            others = sorted(os.listdir(directory))
            os.link(os.path.join(directory, (others or [b"nothing"])[0]), path)
        case "fifo":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
        case "device":
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))  # /dev/null


def deepen(directory: bytes, name: bytes, levels: int) -> None:
    at = os.open(directory, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


@contextmanager
def a_site(
    kind: type[Installation] = Installation,
) -> Iterator[tuple[Installation, Clock]]:
    """In memory, where a file may have any size and time."""
    made = tempfile.mkdtemp(dir="/dev/shm", prefix="retention-")
    try:
        with pytest.MonkeyPatch.context() as patch:
            time = Clock(synchronised=True)
            patch.setattr(clock, "read", time)
            yield kind(Path(made), ("odd", "sound")), time
    finally:
        honesty.forget()
        subprocess.run(["rm", "-rf", made], check=True)


@contextmanager
def meddling(root: Path, things: list[Thing], now: int) -> Iterator[None]:
    """Meanwhile somebody puts these there, again and again."""
    over = threading.Event()

    def meddle() -> None:
        while not over.is_set():
            for thing in things:
                put(root, thing, now)

    thread = threading.Thread(target=meddle)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def end(service: Service) -> None:
    for work in service._works:
        work.close()
    service._core.catalogue.close()


def turn(site: Installation, service: Service, *, whole: bool = False) -> None:
    """What the threads do in a round; `whole`: and in an hour."""
    service.tick(never)
    for work in service._works:
        work.scan(never)
        if whole:
            work.compare_held(never)
            work._scanner.reconcile(clock.read().wall, never)
            work.scan(never)
        work.cycle(never)
    if whole:
        service.heartbeat(never)
        service.tick(never)
    context = service._core.context(clock.read().wall, service._core.actor)
    status(context)
    plan(context)


@settings(max_examples=campaign.share(300, 20), phases=(Phase.generate,))
@given(before=THINGS, after=THINGS, held=st.booleans())
def test_whatever_lies_on_one_disk_the_other_goes_on(before, after, held):
    with a_site() as (site, time):
        odd = site.directory / "odd"
        for thing in before:
            put(odd, thing, time().wall)
        site.record(time().wall, HOUR, "sound")
        site.init()
        service = site.service()
        turn(site, service)
        if held:
            context = service._core.context(time().wall, SUPERVISOR)
            hold_place(
                context, cameras=["1001"], since="1970-01-02T00:00Z", kind="court",
                reference="r", reason="r", until="2200-01-01T00:00Z",
            )  # fmt: skip
        with meddling(odd, after, time().wall):
            turn(site, service, whole=True)
        for thing in after:
            put(odd, thing, time().wall)
        turn(site, service, whole=True)
        time.elapsed += 2 * DAY
        turn(site, service, whole=True)
        turn(site, service, whole=True)
        assert held or site.files("sound") == []
        assert site.verify().ok
        honesty.be_honest()
        end(service)


class ManyCameras(Installation):
    CAMERAS = "id,location\n" + "".join(f"{n},Place {n}\n" for n in range(1001, 1301))


def test_an_alarm_with_more_to_say_than_an_entry_holds_is_raised_all_the_same():
    """A recorder that writes a space after each camera's name: 300 folders of nobody."""
    with a_site(ManyCameras) as (site, time):
        for n in range(1001, 1301):
            folder, name = f"{n} ".encode(), b"\xff" * 200 + b".mp4"
            put(
                site.directory / "odd",
                Thing("file", folder, 3_600, 7, None),
                time().wall,
            )
            put(site.directory / "odd", Thing("file", folder, name, 7, 1), time().wall)
        site.record(time().wall, HOUR, "sound")
        site.init()
        service = site.service()
        turn(site, service)
        turn(site, service, whole=True)
        (said,) = (
            one
            for one in site.entries("alarm.raised")
            if one["fields"]["alarm"] == "unknown"
        )
        assert "no camera of this name" in said["fields"]["detail"]
        assert said["fields"]["detail"].endswith(" ... and more")
        before = len(site.entries())
        service.tick(never)
        assert len(site.entries()) == before
        time.elapsed += DAY
        turn(site, service)
        assert site.files("sound") == []
        honesty.be_honest()
        end(service)


def test_what_the_disks_say_at_their_worst_leaves_a_real_daemon_answering():
    with a_site() as (site, _):
        odd, now = site.directory / "odd", clock.read().wall
        site.record(now, 23 * HOUR, "sound")
        for age, size, seconds in (
            (3_600, 7 << 60, None), (3_700, 7 << 60, None), (3_800, 1, 316_516_000_000),
            (3_900, 1, 2**63 - 1), (4_000, 1, -(2**63)), (4_100, 15 << 40, None),
        ):  # fmt: skip
            put(odd, Thing("file", b"1001", age, size, seconds), now)
        put(odd, Thing("deep", b"1002", b"d", 0, None), now)
        put(odd, Thing("loop", b"1002", b"loop", 0, None), now)
        site.init()
        for _ in range(2):  # and again from what it remembers
            with site.running() as daemon:
                daemon.round()
                answer = json.loads(run(site, "status", "--json"))
                said = {one["alarm"] for one in answer["alarms"]}
                assert {"unknown", "unreached"} <= said
                assert "root" not in said
                for words in (
                    "status",
                    "check",
                    "plan",
                    "alarm list",
                    "recording list",
                ):
                    assert run(site, *words.split())
        with site.running() as daemon:
            site.pass_time(2 * HOUR)
            daemon.until(lambda: site.files("sound") == [])


def run(site: Installation, *words: str) -> str:
    command = program(site.config, *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "a fault in this program" not in done.stderr, done.stderr
    return done.stdout + done.stderr
