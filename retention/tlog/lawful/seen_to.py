"""Violations that were seen to: two people, one of them a supervisor, ended the alarm
that told of them, on record."""

from __future__ import annotations

from typing import Any

from retention.tlog.in_force import InForce
from retention.tlog.lawful.laws import Verdict
from retention.tlog.lawful.releases import TWO
from retention.tlog.source import Record

ALARM = "unlawful"
"""The alarm by which the service tells: its scope is the name of a law."""

SUPERVISOR = "supervisor"


class SeenTo:
    """Keeps who asked first, by law."""

    def __init__(self, said: InForce, verdict: Verdict) -> None:
        self._said, self._verdict = said, verdict
        self._asked: dict[str, dict[str, Any]] = {}

    def hear(self, record: Record) -> None:
        """The next entry."""
        fields, actor = record.entry["fields"], record.entry["actor"]
        if fields.get("alarm") != ALARM or "raised" not in fields:
            return
        law = fields["scope"]
        if "acknowledged" not in fields:
            self._asked[law] = actor
            return
        first = self._asked.pop(law, None)
        if fields["acknowledged"] and self._may(actor, first):
            self._verdict.acknowledge(law, fields["raised"])

    def _may(self, actor: dict[str, Any], first: dict[str, Any] | None) -> bool:
        if actor["role"] != SUPERVISOR:
            return False
        if self._said.rules.get(TWO) != "true":
            return True
        return first is not None and not any(
            actor[name] == first[name] for name in ("uid", "login")
        )
