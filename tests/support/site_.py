"""A small real site for tests: a catalogue, a log, a footage root, files with rows."""

import os
from pathlib import Path
from typing import Any

from retention.catalogue import cameras, policies, recordings, roots, streams
from retention.catalogue.db import Priority
from retention.catalogue.recordings import Doubt
from retention.control.gate import Gate
from retention.deletion.cycle import Deleter
from retention.footage.ingest.recorded import quarantined
from retention.model.layouts.layout import compile_layout
from retention.model.policy import Policy
from retention.model.values import (
    DAY,
    FOREVER,
    HOUR,
    MINUTE,
    SECOND,
    Camera,
    Recording,
    Stream,
)
from retention.site.settings import RetentionSettings, RootSettings, Settings
from tests.support.premises import ACTOR as ACTOR
from tests.support.premises import CATALOGUE_UUID as CATALOGUE_UUID
from tests.support.premises import LAYOUT as LAYOUT
from tests.support.premises import Premises
from tests.support.premises import never as never

NOW = 1_790_000_000 * SECOND  # 21 September 2026, 14:13:20 UTC
ROOT_UUID = "11111111-1111-4111-8111-111111111111"


class Site(Premises):
    """Everything that deletion works with, on real files below `directory`."""

    START = NOW

    def __init__(
        self, directory: Path, *, days: int = 28, batch: int = 5000, **settings
    ) -> None:
        super().__init__(directory, gate=Gate())
        self.footage = directory / "footage"
        self.root_key = self.make_root("nvr1", self.footage, ROOT_UUID)
        with self.catalogue.write(Priority.HOLD) as tx:
            policies.insert(tx, NOW, Policy(1, days))
            roots.set_adopted(tx, self.root_key, NOW - 400 * DAY)
            roots.set_caught_up(tx, self.root_key, NOW - 399 * DAY)
        self.streams: dict[str, Stream] = {}
        self.settings = RetentionSettings(days=days, **settings)
        self.batch = batch
        self.open()

    def open(self) -> None:
        """Open root and deleter, as a start of the daemon does."""
        self.root = self.open_root(self.root_key, "nvr1", self.footage, ROOT_UUID)
        self.deleter = Deleter(
            self.catalogue, self.log, self.gate, ACTOR, self.settings, batch=self.batch
        )

    def whole(self, **changes: Any) -> Settings:
        """Settings as they are read: with this root and what deletion goes by."""
        root = RootSettings(
            name="nvr1", path=str(self.footage), layout=self.LAYOUT, timezone="UTC"
        )
        return Settings(
            site="test", state_directory=str(self.directory / "state"),
            retention=self.settings, root=(root,), **changes,
        )  # fmt: skip

    def restart(self) -> None:
        """A new process on the same disk."""
        self.close()
        self.reopen()
        self.gate = Gate()
        self.open()

    def close(self) -> None:
        self.root.close()
        super().close()

    def stream(self, camera: str) -> Stream:
        """The stream of a camera, made at first use."""
        if camera not in self.streams:
            with self.catalogue.write(Priority.SCAN) as tx:
                key = cameras.insert(tx, Camera(0, camera, f"at {camera}"), NOW)
                self.streams[camera] = streams.add(
                    tx, root=self.root_key, camera=key, layout=self.LAYOUT, zone="UTC",
                    name=camera, extension=".mp4", max_length=HOUR,
                )  # fmt: skip
        return self.streams[camera]

    def path(self, camera: str, start: int) -> Path:
        """Where the recording of a camera that starts then lies."""
        layout = compile_layout(self.LAYOUT, "UTC")
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
        return path

    def hold(self, camera: str, since: int, until: int = FOREVER) -> int:
        """A hold in the catalogue, without an entry of its own."""
        return self.hold_camera(self.stream(camera).camera, since, until)

    def cycle(self, now: int = NOW, stop=never):
        return self.deleter.cycle(self.root, now, stop)

    def doubt(self, camera, start, *, seen, mtime, reason="mtime is long after name"):
        """Put a recording into quarantine on record, as a scan does."""
        stream = self.stream(camera)
        author = self.log.by(ACTOR, seen)
        with self.catalogue.write(Priority.SCAN, author) as tx:
            row = recordings.get(tx, (stream.key, start, 0))
            doubt = Doubt(seen, mtime, reason)
            assert recordings.quarantine(tx, row, row.size, doubt)
            cameras = {stream.key: stream.camera}
            tx.append(*quarantined([row], {row.key: doubt}, cameras))
        self.deleter.reset()

    def rows(self) -> int:
        """How many recordings the catalogue knows."""
        with self.catalogue.read() as tx:
            return roots.count_recordings(tx, self.root_key)
