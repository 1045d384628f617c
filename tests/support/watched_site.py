"""A site whose log tells that it was watched, and the answers about it."""

from pathlib import Path
from typing import Any

from retention.catalogue import cameras, recordings, roots
from retention.catalogue.db import Priority
from retention.control.context import Context
from retention.control.gate import Rescue
from retention.holds.accounting import Account, accounts
from retention.holds.answer import answer_of
from retention.holds.terms import AskedTimes
from retention.model import codec
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Camera,
    Micros,
    Outcome,
    Recording,
    Rows,
    State,
    Window,
)
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.site_ import ACTOR, NOW, Site

WATCHED: Micros = NOW - 60 * DAY
FOOTAGE = ("camera", "stream", "start", "n", "duration", "bytes")


class Watched:
    """Where a call comes in: a site watched since `WATCHED`, scanned to the end."""

    def __init__(self, directory: Path, *, since: Micros = WATCHED) -> None:
        self.site = Site(directory)
        self.site.by_hand = True
        self.keeps: Micros | None = None
        with self.site.catalogue.write(Priority.HOLD) as tx:
            roots.set_scanned(tx, self.site.root_key, NOW)
        if since < NOW:
            self.watch(since, NOW)

    def note(self, *entries: Dated) -> list[int]:
        """Append entries, with their numbers."""
        with self.site.catalogue.write(Priority.SCAN) as tx:
            return [append_dated(self.site.log, tx, entry) for entry in entries]

    def entry(self, kind: str, at: Micros, rows: Rows | None = None, **fields: Any):
        return Dated(kind, at, ACTOR, fields, rows)

    def watch(self, since: Micros, until: Micros) -> None:
        """The service starts, and lives until then."""
        self.note(*self.signs(since, until))

    def signs(self, since: Micros, until: Micros) -> list[Dated]:
        """What it writes in that time."""
        started = {"pid": 1, "version": "0", "settings_digest": ""}
        beat = dict.fromkeys(
            ("recordings", "overdue", "held_cameras", "holds", "wall", "boottime"), 0
        )
        return [
            self.entry("service.started", since, **started),
            *(
                self.entry("heartbeat", at, **beat)
                for at in range(since + HOUR, until, HOUR)
            ),
        ]

    def scanned(self, at: Micros) -> None:
        with self.site.catalogue.write(Priority.HOLD) as tx:
            roots.set_scanned(tx, self.site.root_key, at)

    def adopted(self, at: Micros) -> None:
        with self.site.catalogue.write(Priority.HOLD) as tx:
            roots.set_adopted(tx, self.site.root_key, at)

    def row(
        self, camera: str, start: Micros, length: Micros = MINUTE, size: int = 10,
        state: State = State.PRESENT,
    ) -> None:  # fmt: skip
        """A recording without a file."""
        key = self.site.stream(camera).key
        doubts = {}
        if state is State.QUARANTINED:
            doubts[(key, start, 0)] = recordings.Doubt(NOW, NOW, "odd")
        with self.site.catalogue.write(Priority.SCAN) as tx:
            row = Recording(key, start, 0, length, size, state)
            recordings.insert(tx, [row], doubts)

    def rows(self, camera: str, since: Micros, until: Micros) -> None:
        """Recordings of a minute each, without files, from then to then."""
        for start in range(since, until, MINUTE):
            self.row(camera, start)

    def footage(self, camera: str, *starts: Micros, length: Micros = MINUTE):
        stream = self.site.stream(camera)
        return [(stream.camera, stream.key, at, 0, length, 10) for at in starts]

    def deleted(
        self, camera: str, *starts: Micros, at: Micros = NOW, length: Micros = MINUTE,
        **outcomes: Outcome,
    ) -> int:  # fmt: skip
        """A batch in the log; `_0=...` names what became of its row 0 instead.

        Returns the number of its completion.
        """
        found = self.footage(camera, *starts, length=length)
        (intent,) = self.note(
            self.entry(
                "deletion.intended", at,
                Rows((*FOOTAGE, "due", "path", "seen"), [(*row, at, None, None) for row in found]),
                root="nvr1", count=len(found), bytes=10 * len(found),
                oldest=min(starts), newest=max(starts) + length,
            )
        )  # fmt: skip
        odd = [(int(name[1:]), str(what)) for name, what in outcomes.items()]
        counts = dict.fromkeys(map(str, Outcome), 0) | {"deleted": len(found)}
        (number,) = self.note(
            self.entry(
                "recordings.deleted", at + SECOND,
                Rows(("row", "outcome"), odd) if odd else None,
                intent=intent, bytes=0, lateness=0, method="unlink", **counts,
            )
        )  # fmt: skip
        return number

    def lost(
        self, camera: str, *starts: Micros, at: Micros = NOW, length: Micros = MINUTE
    ) -> int:  # fmt: skip
        found = self.footage(camera, *starts, length=length)
        rows = Rows((*FOOTAGE, "held", "path"), [(*row, 0, None) for row in found])
        (number,) = self.note(
            self.entry(
                "recordings.lost", at, rows, count=len(found), bytes=10 * len(found),
                held=0,
            )
        )  # fmt: skip
        return number

    def guard(self, tripped: bool, at: Micros, root: str = "nvr1") -> Dated:
        """The guard of a root trips, or clears."""
        kind = "guard.tripped" if tripped else "guard.cleared"
        more = {"detail": "gone"} if tripped else {"reason": "back"}
        return self.entry(kind, at, guard="root", scope=root, **more)

    def context(self, now: Micros = NOW) -> Context:
        settings = self.site.configured(
            "nvr1", self.site.footage, recorder_keeps=self.keeps
        )
        return self.site.asked(settings, now=now)

    def cameras(self, *ids: str) -> list[Camera]:
        for id in ids:
            self.site.stream(id)
        with self.site.catalogue.read() as tx:
            return [one for one in cameras.everyone(tx) if one.id in ids]

    def answer(
        self, ids: str, since: Micros, until: Micros, margin: Micros = 0,
        now: Micros = NOW, rescue: Rescue | None = None, settled: bool = True,
        unfinished: set[str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """What a hold on the cameras `ids` (one letter each) is answered."""
        found = answer_of(
            self.context(now), asked(since, until, margin), self.cameras(*ids),
            rescue or Rescue([], []), settled, unfinished or set(),
        )  # fmt: skip
        return codec.to_json(found._asdict())

    def line(self, camera: str, *window: Micros, **given: Any) -> dict[str, Any]:
        """The same of one camera."""
        (line,) = self.answer(camera, *window, **given)["cameras"]
        return line

    def account(self, camera: str, since: Micros, until: Micros, now: Micros = NOW):
        """Every piece of the window, uncapped."""
        with self.site.catalogue.read() as tx:
            (found,) = accounts(
                tx, self.context(now), asked(since, until), self.cameras(camera), [],
                set(),
            )  # fmt: skip
        assert isinstance(found, Account)
        return found

    def close(self) -> None:
        self.site.close()


def asked(since: Micros, until: Micros, margin: Micros = 0) -> Any:
    window = Window(since, until)
    return AskedTimes(1, window, Window(since - margin, until + margin), NOW)


def empty(line: dict[str, Any], *but: str) -> bool:
    """Nothing in any list of a camera's line, except in those named."""
    lists = {"deleted", "lost", "no_recording_seen", "not_known", "pending"}
    return not any(line[name] for name in lists - set(but))
