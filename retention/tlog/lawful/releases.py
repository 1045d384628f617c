"""Laws *release* and *approval*: what frees footage, a hold or a rule at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from retention.model.errors import UsageError
from retention.model.localtime import format_duration, parse_duration
from retention.model.policy import Policy
from retention.model.values import MINUTE, SECOND, Micros
from retention.tlog.in_force import HoldSaid, InForce, ReleaseSaid
from retention.tlog.kinds import KINDS
from retention.tlog.lawful.laws import APPROVAL, RELEASE, Verdict
from retention.tlog.source import Record

UNSET_LOGIN = 4_294_967_295
"""The login uid of whoever logged in nowhere."""
SLACK: Micros = 5 * MINUTE
"""A request waits for those before it, and cools off from when it was made."""

TWO, LOGIN, COOLING = (
    "release_requires_two_people", "require_login_uid", "cooling_off",
)  # fmt: skip
"""Rules by their names in the settings."""


class Releases:
    """Judges by what `said` puts in force before each entry, each by what a restore does
    with it, which its kind declares.  Keeps proposals by number."""

    def __init__(self, said: InForce, verdict: Verdict) -> None:
        self._said, self._verdict = said, verdict
        self._proposed: set[int] = set()
        self._acts: dict[str, Callable[[Record, dict[str, Any]], Iterator[str]]] = {
            "place_hold": self._place,
            "extend_hold": self._extend,
            "request_release": self._request,
            "reject_release": self._reject,
            "reinstate_hold": self._reinstate,
            "release_hold": self._release,
        }

    def hear(self, record: Record) -> None:
        """The next entry."""
        act, fields = KINDS[record.kind].act, record.entry["fields"]
        if act == "note_proposal":
            self._proposed.add(fields["proposal"])
        elif act in self._acts:
            for what in self._acts[act](record, fields):
                self._verdict.broke(RELEASE, record.number, what)
        elif act in ("change_policy", "change_rules"):
            for what in self._weaker(record, fields):
                self._verdict.broke(APPROVAL, record.number, what)

    # -- holds ----------------------------------------------------------------------------

    def _hold(self, fields: dict[str, Any]) -> HoldSaid | None:
        return self._said.holds.get(fields["hold"])

    def _place(self, _: Record, fields: dict[str, Any]) -> Iterator[str]:
        if self._hold(fields) is not None:
            yield f"places hold {fields['hold']}, which there is: it would be another"

    def _extend(self, _: Record, fields: dict[str, Any]) -> Iterator[str]:
        hold = self._hold(fields)
        if hold is None:
            return  # in the catalogue's rows alone, and from now on in the log
        if fields["since"] > hold.window.start or fields["until"] < hold.window.end:
            yield f"extends hold {fields['hold']} to less than it covered"

    def _request(self, record: Record, fields: dict[str, Any]) -> Iterator[str]:
        hold = self._hold(fields)
        yield from self._unknown(fields, hold)
        if hold is None:
            return
        if hold.free_at is not None:
            yield f"asks for the release of hold {fields['hold']}, which was released"
        elif hold.request is not None:
            yield (
                f"asks for the release of hold {fields['hold']}, for which entry "
                f"{hold.request.entry} asked before"
            )

    def _reject(self, _: Record, fields: dict[str, Any]) -> Iterator[str]:
        asked = self._said.request(fields["hold"])
        if asked is None or asked.entry != fields["request"]:
            yield f"rejects entry {fields['request']}, which is no request that waits"

    def _reinstate(self, record: Record, fields: dict[str, Any]) -> Iterator[str]:
        hold = self._hold(fields)
        if hold is not None and hold.free_at is None:
            yield f"reinstates hold {fields['hold']}, which is in force"

    def _unknown(self, fields: dict[str, Any], hold: HoldSaid | None) -> Iterator[str]:
        """One that only the catalogue's rows had is released like any other, and the
        entry says so."""
        said = bool(fields.get("unlogged"))
        if hold is None and not said:
            yield f"is about hold {fields['hold']}, which was never placed"
        elif hold is not None and said:
            yield f"calls hold {fields['hold']} not in the log, which has it"

    def _release(self, record: Record, fields: dict[str, Any]) -> Iterator[str]:
        number, hold, entry = fields["hold"], self._hold(fields), record.entry
        if unknown := list(self._unknown(fields, hold)):
            yield from unknown
            return
        if hold is not None and hold.free_at is not None:
            yield f"releases hold {number}, which was released before"
        asked = self._said.request(number)
        yield from self._two(record, asked, fields.get("request"))
        length = self._length()
        if length is None:
            self._verdict.unchecked[RELEASE] += 1
        elif (short := length - (fields["free_at"] - entry["at"])) > SLACK:
            by = format_duration(short // SECOND * SECOND)
            yield f"lets hold {number} cool off {by} less than the rules want"

    def _two(
        self, record: Record, asked: ReleaseSaid | None, request: int | None
    ) -> Iterator[str]:
        two = self._said.rules.get(TWO)
        if two is None:
            self._verdict.unchecked[RELEASE] += 1
        if request is None:
            if two == "true":
                yield "is a release that nobody asked for before, and two people were the rule"
            return
        if asked is None or asked.entry != request:
            yield f"follows entry {request}, which is no request that waits"
            return
        if two != "true":
            return
        actor = record.entry["actor"]
        if actor["uid"] == asked.uid:
            yield f"is a release by the same account that asked for it in entry {request}"
        elif UNSET_LOGIN in (actor["login"], asked.login):
            if self._said.rules.get(LOGIN) == "true":
                yield "is a release of which it is not known that two people made it"
        elif actor["login"] == asked.login:
            yield f"is a release by the same person who asked for it in entry {request}"

    def _length(self) -> Micros | None:
        return _cooling(self._said.rules)

    # -- periods and rules --------------------------------------------------------------------

    def _weaker(self, record: Record, fields: dict[str, Any]) -> Iterator[str]:
        policy = KINDS[record.kind].act == "change_policy"
        found = self._shorter(record) if policy else self._weaker_rules(fields)
        if not found:
            return
        proposal = fields.get("proposal")
        if proposal is None:
            yield f"{found}, and nobody approved that"
        elif proposal not in self._proposed:
            yield f"{found} by proposal {proposal}, which was never made"

    def _shorter(self, record: Record) -> str | None:
        old, fields = self._said.policy, record.entry["fields"]
        new = Policy(fields["version"], fields["days"], record.periods())
        if old is None:
            return None
        if new.days < old.days:
            return f"keeps footage {new.days} days, which was kept {old.days}"
        for camera in sorted({*old.cameras, *new.cameras}):
            if new.days_of(camera) < old.days_of(camera):
                return (
                    f"keeps camera {camera} {new.days_of(camera)} days, it was kept "
                    f"{old.days_of(camera)}"
                )
        return None

    def _weaker_rules(self, fields: dict[str, Any]) -> str | None:
        old, new = self._said.rules, fields["new"]
        for rule in (TWO, LOGIN):
            if old.get(rule) == "true" and new.get(rule) == "false":
                return f"ends the rule {rule}"
        before, after = _cooling(old), _cooling(new)
        if before is not None and after is not None and after < before:
            return f"lets holds cool off {new[COOLING]} instead of {old[COOLING]}"
        return None


def _cooling(rules: dict[str, str]) -> Micros | None:
    try:
        return parse_duration(rules[COOLING]) if COOLING in rules else None
    except UsageError:
        return None
