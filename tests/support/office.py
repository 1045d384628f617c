"""An installation whose roles are the groups of real people."""

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from retention.catalogue import log, schema
from retention.catalogue.entries import listing
from tests.support.installation import Installation
from tests.support.people import Person, Reply, Session
from tests.support.served import served

HOLD: dict[str, Any] = {
    "cameras": ["1001"], "since": "2026-10-24T20:00Z", "until": "2026-10-24T22:00Z",
    "kind": "court", "reference": "A/1", "reason": "proceedings",
}  # fmt: skip


class Office(Installation):
    """Two people release, and their logins must be known."""

    def __init__(self, directory: Path, groups: dict[str, str]) -> None:
        super().__init__(
            directory, contact="IT on 0116", release_requires_two_people=None,
            **{f"{role}s": [group] for role, group in groups.items()},
        )  # fmt: skip
        self.socket = self.settings.socket
        self._stack = ExitStack()

    def open(self, stack: ExitStack) -> None:
        """Answer in this process until the stack ends; a fault fails the test."""
        self.desk = stack.enter_context(served(self.settings))
        self._stack = stack

    def session(
        self, person: Person, login: int | None = None, group: str | None = None
    ) -> Session:
        """A process of theirs that asks here, for as long as the office is open."""
        return self._stack.enter_context(person.session(self.socket, login, group))

    def hold(self, session: Session, **changes: Any) -> int:
        """A hold, placed by somebody."""
        reply = session.post("hold.place", **(HOLD | changes))
        assert reply.status == 200, reply
        return int(reply.body["hold"])

    def state_of(self, session: Session, hold: int) -> str:
        return str(session.post("hold.show", hold=hold).body["state"])

    def size(self) -> int:
        """How many entries there are."""
        with self.desk.core.catalogue.read() as tx:
            return log.size(tx)

    def kinds_since(self, size: int) -> set[str]:
        """The kinds of the entries that came after so many."""
        with self.desk.core.catalogue.read() as tx:
            count = log.size(tx) - size
            return {one["kind"] for one in listing(tx, limit=count)}

    def written(self, kind: str) -> list[dict[str, Any]]:
        """Entries of a kind, oldest first, each with its fields opened beside it."""
        with self.desk.core.catalogue.read() as tx:
            found = listing(tx, kind=kind)
            whole = [log.opened(tx, one["index"]) for one in reversed(found)]
        return [entry["fields"] | {"actor": entry["actor"]} for entry in whole]

    def tables(self) -> dict[str, list[Any]]:
        """All that the catalogue has, but for the log."""
        with self.desk.core.catalogue.read() as tx:
            return {
                table.name: tx.execute(sa.select(table)).all()
                for table in schema.metadata.sorted_tables
                if table.name not in LOG
            }


LOG = {"entry", "disclosure", "log_head"}


@contextmanager
def running(office: Office) -> Any:
    """The office's daemon as a process of its own."""
    daemon = office.start()
    try:
        yield daemon.running()
    finally:
        daemon.kill()


def denied(reply: Reply) -> bool:
    """Whether it was refused for who asked."""
    return (reply.status, reply.kind) == (403, "not_permitted")
