"""Law *role*: who did a thing had a role that allows it and, where what opens the log is
at hand, was a member of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention.tlog import commitments
from retention.tlog.kinds import KINDS, SERVICE
from retention.tlog.lawful.laws import ROLE, Verdict

ROLES = frozenset(f"{SERVICE} operator supervisor auditor administrator".split())
MEMBERS = "access.changed"


class People:
    """Keeps the members of each role by name, where they are disclosed."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._members: dict[str, set[str] | None] = {}
        """By role; None where some were withheld."""

    def hear(
        self, number: int, entry: Mapping[str, Any], texts: Mapping[str, str]
    ) -> None:
        """The next entry; `texts` are what opens it, as far as it is at hand."""
        kind, fields = KINDS[entry["kind"]], entry["fields"]
        role = entry["actor"]["role"]
        if entry["kind"] == MEMBERS:
            self._change(entry, texts)
        agreed = (
            kind.correlation is not None and fields.get(kind.correlation) is not None
        )
        allowed = kind.agreed if agreed and kind.agreed else kind.by
        if role not in (allowed or ROLES):
            wanted = " or ".join(sorted(allowed or ROLES))
            self._verdict.broke(
                ROLE, number,
                f"was done by {role or 'no role'}: {entry['kind']} is for {wanted}",
            )  # fmt: skip
        elif agreed and allowed == {role} and role in ROLES:
            self._member(number, entry, texts, role)

    def _change(self, entry: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        fields, role = entry["fields"], entry["fields"]["role"]
        added, removed = (self._opened(entry, texts, n) for n in ("added", "removed"))
        before = self._members.setdefault(role, set())
        if added is None or removed is None or before is None:
            self._members[fields["role"]] = None
            return
        before.difference_update(removed["names"])
        before.update(added["names"])

    def _member(
        self, number: int, entry: Mapping[str, Any], texts: Mapping[str, str], role: str
    ) -> None:
        """Before each approval the service reads the members anew, on record."""
        name, known = self._opened(entry, texts, commitments.ACTOR_NAME), self._members
        members = known.get(role)
        if name is None or members is None:
            self._verdict.unchecked[ROLE] += 1
        elif name not in members:
            self._verdict.broke(
                ROLE, number, f"was done by {name}, who was no {role} then"
            )

    @staticmethod
    def _opened(entry: Mapping[str, Any], texts: Mapping[str, str], name: str) -> Any:
        digest = entry.get("sd", {}).get(name)
        if digest is None or name not in texts:
            return None
        return commitments.opened(texts[name], name, digest)
