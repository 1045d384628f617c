"""One log twice: in a catalogue under a signed head, and as a published copy of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retention.catalogue import db, heads
from retention.catalogue.db import Priority
from retention.catalogue.figures import NAME
from retention.catalogue.heads import SignedHead
from retention.control.context import Context
from retention.model.answers.report import Report
from retention.model.codec import to_json
from retention.model.values import SECOND, Actor, Micros
from retention.reports import live, report
from retention.reports.by_name import CopiedReports
from retention.reports.evidence import ReportRequest
from retention.site.settings import Settings
from retention.tlog import merkle
from retention.tlog.canonical import decode
from retention.tlog.entry import Stored
from retention.tlog.merkle import Frontier
from tests.support.json_schema import answered
from tests.support.logs import a_log
from tests.support.publishing import VERIFIER, head, publish
from tests.support.story import Story

AUDITOR = Actor(1009, 1009, 30, "auditor", "art")


BST_NIGHT = 1_792_882_800 * SECOND
"""25 October 2026, 00:00 in London; the day has 25 hours."""


class Council(Story):
    """Two cameras with published ids."""

    def __init__(self) -> None:
        super().__init__()
        self.add("site.described", controller="leicester")
        for key, id, place in ((1, "1001", "Market Place"), (2, "1002", "High Street")):
            self.add(
                "camera.added", camera=key, id=id, kind="public_space",
                custody="council", source="test", location=place,
                controller="oadby" if key == 2 else None,
            )  # fmt: skip

    def at(self, instant: int) -> "Council":
        self.now = instant - SECOND
        return self


class Reported:
    """The same entries live and copied, in `directory`; more may be signed later."""

    def __init__(
        self,
        directory: Path,
        entries: Sequence[Stored],
        texts: Mapping[int, Mapping[str, str]] | None = None,
    ) -> None:
        self.directory = directory
        self.texts = texts or {}
        self.cache = directory / "cache"
        directory.mkdir(parents=True, exist_ok=True)
        self.catalogue = db.create(directory / db.NAME, {})
        self.entries: list[Stored] = []
        self.tree = Frontier()
        self.sign(entries)

    @property
    def figures(self) -> Path:
        return self.directory / NAME

    def sign(self, entries: Sequence[Stored]) -> None:
        """All of `entries` are in the log, under a signed head, and published."""
        new = list(entries[len(self.entries) :])
        self.entries += new
        for one in new:
            self.tree = self.tree.append(merkle.leaf(one.data))
        self.now: Micros = decode(self.entries[-1].data)["at"]
        with self.catalogue.write(Priority.HOLD) as tx:
            for one in new:
                said = decode(one.data)
                tx.exec_driver_sql(
                    "INSERT INTO entry VALUES (?, ?, ?, ?)",
                    (one.number, said["at"], said["kind"], one.data),
                )
                if one.rows is not None:
                    tx.exec_driver_sql(
                        "INSERT INTO entry_rows VALUES (?, ?)", (one.number, one.rows)
                    )
                for field, text in self.texts.get(one.number, {}).items():
                    tx.exec_driver_sql(
                        "INSERT INTO disclosure VALUES (?, ?, ?)",
                        (one.number, field, text),
                    )
            tx.exec_driver_sql(
                "UPDATE log_head SET size = ?, frontier = ?",
                (self.tree.size, self.tree.to_bytes()),
            )
            note = head(self.entries).decode()
            heads.keep(tx, SignedHead(self.tree, note, self.now))
        self.copy = publish(self.directory / "copy", self.entries)

    def context(self) -> Context:
        settings = Settings.model_construct(
            site="leicester", timezone="Europe/London", state_directory=self.directory
        )
        return Context(settings, self.catalogue, a_log(), self.now, AUDITOR)

    def live(self, name: str, **asked: Any) -> Report:
        """As the verb answers."""
        found = getattr(report, f"report_{name}")(self.context(), **asked)
        answered(f"report.{name}", to_json(found))
        return found

    def copied(self, name: str, directory: Path | None = None, **asked: Any) -> Report:
        """As `--dir` answers."""
        names = ReportRequest._fields
        request = {one: asked.pop(one) for one in names if one in asked}
        reports = CopiedReports(
            directory or self.copy, VERIFIER.vkey, self.cache, self.now, lambda _: None
        )
        return reports.report(name, ReportRequest(**request), **asked)

    def both(self, name: str, **asked: Any) -> Report:
        """The report, which is the same from both."""
        live, copied = self.live(name, **asked), self.copied(name, **asked)
        assert live == copied
        return live

    def advanced(self) -> None:
        """As the service does in quiet times."""
        live.advance(self.catalogue, lambda: False)

    def close(self) -> None:
        self.catalogue.close()


def table(report: Report, name: str) -> list[dict[str, Any]]:
    """The rows of a table, each by its columns' names."""
    (found,) = (one for one in report.tables if one.name == name)
    names = [column.name for column in found.columns]
    return [dict(zip(names, row.cells, strict=True)) for row in found.rows]
