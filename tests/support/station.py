"""The daemon's parts in one process, on an installation whose pieces can be put back.

No thread runs: a test starts it, has it scan and delete, ends it, and exchanges the
database or the published directory in between.
"""

import shutil
import sqlite3
from pathlib import Path

from retention.catalogue import db
from retention.catalogue.schema import metadata
from retention.control import alarms
from retention.control.verbs import VERBS
from retention.model import codec
from retention.model.values import Actor
from retention.site import clock
from tests.support.installation import Installation, never

ANNA = Actor(uid=1001, login=1001, pid=1, role="supervisor", name="anna")
BEN = Actor(uid=1002, login=1002, pid=1, role="supervisor", name="ben")
CARA = Actor(uid=1003, login=1003, pid=1, role="administrator", name="cara")

PEOPLE = {
    "hold": ("reference", "reason", "requester", "officer", "force", "power", "typed"),
    "release_request": ("name", "reason"),
    "root": ("device", "boot", "caught_up", "scanned", "reconciled"),
    "stream": ("reach",),
}
"""What the published log does not have: people's data, and how far each scan was."""


class Station:
    """One installation; `settings` may be other than its file says."""

    def __init__(self, installed: Installation, **retention) -> None:
        self.installed = installed
        self.settings = installed.settings
        if retention:
            own = self.settings.retention.model_copy(update=retention)
            self.settings = self.settings.model_copy(update={"retention": own})
        installed.settings = self.settings
        self.state = installed.state
        self.start()

    def start(self) -> "Station":
        """As the daemon does, without its threads."""
        self.service = self.installed.service()
        self.work = self.service._works[0]
        # Nobody scans: no answer need wait for it.
        object.__setattr__(self.service._requests._dispatch, "rescan", None)
        now = self.service.judge().now
        self.service._publish(self.service._publishing.begin, now)
        self.service._begin_record(now)
        self.service._publish(self.service._publishing.catch_up, now)
        return self

    def stop(self) -> None:
        """In order."""
        assert self.service.stop()

    def killed(self) -> None:
        """Without a last word."""
        for work in self.service._works:
            work.close()
        self.service._core.catalogue.close()

    def ask(self, verb, who=ANNA, **given):
        """A request, as the desk answers it."""
        return self.service._requests._dispatch.perform(verb, given, who)

    def change(self, verb, who=ANNA, **given):
        """A request as its function does it, so that nothing is published yet."""
        context = self.service._core.context(clock.read().wall, who)
        return codec.to_json(VERBS[verb].resolve()(context, **given))

    def round(self) -> str | None:
        """Scan and delete; what deletion was blocked by."""
        self.work.scan(never)
        self.work.cycle(never)
        return self.work.blocked

    def approve(self) -> None:
        """The plan that waits."""
        for plan in self.plans():
            self.change("deletion.approve", plan=plan)

    def plans(self):
        with self.service._core.catalogue.read() as tx:
            rows = tx.execute(metadata.tables["plan"].select()).all()
        return [row.key for row in rows if row.state == "proposed"]

    def tables(self, *names):
        """What the catalogue says in these tables, but for people's data."""
        found = {}
        with self.service._core.catalogue.read() as tx:
            for name in names:
                hidden = PEOPLE.get(name, ())
                found[name] = sorted(
                    tuple((k, v) for k, v in row._mapping.items() if k not in hidden)
                    for row in tx.execute(metadata.tables[name].select())
                )
        return found

    def guards(self):
        """Those that are tripped, but for the plan that waits."""
        with self.service._core.catalogue.read() as tx:
            rows = alarms.tripped(tx)
        return {row.name: row.detail for row in rows if row.name != "volume"}

    def remember(self) -> None:
        """What the threads of the memories would do by now."""
        for one in self.service._core.memories.values():
            one._write(never)
        copying = self.service._publishing._copying
        if copying is not None:  # it has its thread, which alone may write there
            copying.trigger(head=True)
            assert copying._worker.wait_idle(120)

    # -- pieces that are put back ---------------------------------------------------

    def backup(self, name="backup") -> Path:
        """A backup of the database while the service runs."""
        to = self.installed.directory / f"{name}.sqlite"
        with (
            sqlite3.connect(self.state / db.NAME) as source,
            sqlite3.connect(to) as made,
        ):
            source.backup(made)
        made.close()
        source.close()
        return to

    def keep_state(self, name="yesterday") -> Path:
        """The whole state directory, as of tonight; the service is stopped for it."""
        self.stop()
        to = self.installed.directory / name
        shutil.copytree(self.state, to)
        self.start()
        return to

    def restore_state(self, kept: Path) -> None:
        """All of it is as it was then: catalogue, published log, `last-checkpoint`."""
        shutil.rmtree(self.state)
        shutil.copytree(kept, self.state)

    def restore(self, backup: Path) -> None:
        """That database in place of the one there; nothing runs."""
        for suffix in ("-wal", "-shm"):
            (self.state / f"{db.NAME}{suffix}").unlink(missing_ok=True)
        shutil.copy(backup, self.state / db.NAME)

    def keep_directory(self, name="older") -> Path:
        to = self.installed.directory / name
        shutil.copytree(self.settings.published_log, to)
        return to

    def restore_directory(self, kept: Path) -> None:
        shutil.rmtree(self.settings.published_log)
        shutil.copytree(kept, self.settings.published_log)
