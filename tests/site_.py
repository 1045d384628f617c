"""A small real site for tests: a catalogue, a log, a footage root, files with rows."""

import os
from pathlib import Path

from retention.audit.log import Log, open_log
from retention.catalogue import cameras, db, holds, policies, recordings, roots, streams
from retention.catalogue.db import Priority
from retention.deletion.cycle import Deleter
from retention.deletion.gate import Gate
from retention.footage.roots import create_identity, open_root
from retention.layouts.layout import compile_layout
from retention.model import (
    DAY,
    FOREVER,
    HOUR,
    MINUTE,
    SECOND,
    Actor,
    Camera,
    Recording,
    Stream,
)
from retention.policy import Policy
from retention.settings import RetentionSettings

LAYOUT = "{camera}/%Y-%m-%d_%H-%M-%S.mp4"
NOW = 1_790_000_000 * SECOND  # 21 September 2026, 14:13:20 UTC
ROOT_UUID = "11111111-1111-4111-8111-111111111111"
CATALOGUE_UUID = "22222222-2222-4222-8222-222222222222"
ACTOR = Actor(uid=0, login=1000, pid=1, role="service")


def never() -> bool:
    return False


class Site:
    """Everything that deletion works with, on real files below `directory`."""

    def __init__(
        self, directory: Path, *, days: int = 28, batch: int = 5000, **settings
    ) -> None:
        self.directory = directory
        self.footage = directory / "footage"
        self.footage.mkdir(parents=True)
        self.catalogue = db.create(
            directory / db.NAME, {"uuid": CATALOGUE_UUID, "site": "test"}
        )
        self.gate = Gate()
        self.log = Log(site="test", host="here", program="0")
        with self.catalogue.write(Priority.HOLD) as tx:
            policies.insert(tx, NOW, Policy(1, days))
            self.root_key = roots.add(
                tx, name="nvr1", path=str(self.footage), uuid=ROOT_UUID
            ).key
            roots.set_adopted(tx, self.root_key, NOW - 400 * DAY)
            roots.set_caught_up(tx, self.root_key, NOW - 399 * DAY)
            open_log(
                tx, site="test", at=NOW, actor=ACTOR, host="here", program="0",
                log_id="t", public_key=b"k" * 32, timezone="Europe/London",
            )  # fmt: skip
        create_identity(self.footage, ROOT_UUID, CATALOGUE_UUID)
        self.streams: dict[str, Stream] = {}
        self.settings = RetentionSettings(days=days, **settings)
        self.batch = batch
        self.open()

    def open(self) -> None:
        """Open root and deleter, as a start of the daemon does."""
        self.root = open_root(
            key=self.root_key, name="nvr1", path=self.footage, uuid=ROOT_UUID,
            catalogue_uuid=CATALOGUE_UUID, device=None, boot=None, boot_now="b",
        )  # fmt: skip
        self.deleter = Deleter(
            self.catalogue, self.log, self.gate, ACTOR, self.settings, batch=self.batch
        )

    def restart(self) -> None:
        """A new process on the same disk."""
        self.root.close()
        self.catalogue.close()
        self.catalogue = db.open_(self.directory / db.NAME)
        self.gate = Gate()
        self.open()

    def close(self) -> None:
        self.root.close()
        self.catalogue.close()

    def stream(self, camera: str) -> Stream:
        """The stream of a camera, made at first use."""
        if camera not in self.streams:
            with self.catalogue.write(Priority.SCAN) as tx:
                key = cameras.insert(tx, Camera(0, camera, f"at {camera}"), NOW)
                self.streams[camera] = streams.add(
                    tx, root=self.root_key, camera=key, layout=LAYOUT, zone="UTC",
                    name=camera, extension=".mp4", max_length=HOUR,
                )  # fmt: skip
        return self.streams[camera]

    def path(self, camera: str, start: int) -> Path:
        """Where the recording of a camera that starts then lies."""
        layout = compile_layout(LAYOUT, "UTC")
        rendered = layout.render(camera, start, ".mp4")
        return self.footage / os.fsdecode(rendered)

    def record(
        self, camera: str, start: int, length: int = MINUTE, size: int = 10
    ) -> Path:
        """A finished file and its row; starts are whole seconds."""
        stream, path = self.stream(camera), self.path(camera, start)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
        end = (start + length) * 1000
        os.utime(path, ns=(end, end))
        with self.catalogue.write(Priority.SCAN) as tx:
            recordings.insert(tx, [Recording(stream.key, start, 0, length, size)])
        self.deleter.note({stream.key: start + length}, NOW)
        return path

    def hold(self, camera: str, since: int, until: int = FOREVER) -> int:
        """A hold in the catalogue, without an entry of its own."""
        stream = self.stream(camera)
        with self.catalogue.write(Priority.HOLD) as tx:
            return holds.insert(
                tx, [stream.camera], kind="police", reference="r", reason="r",
                requester="", since=since, until=until, typed="", margin=0, placed=NOW,
                placed_by=0, review=NOW + DAY,
            )  # fmt: skip

    def release(self, hold: int, now: int, free_at: int) -> None:
        with self.catalogue.write(Priority.HOLD) as tx:
            holds.release(tx, hold, now, free_at)

    def cycle(self, now: int = NOW, stop=never):
        return self.deleter.cycle(self.root, now, stop)

    def rows(self) -> int:
        """How many recordings the catalogue knows."""
        with self.catalogue.read() as tx:
            return roots.count_recordings(tx, self.root_key)
