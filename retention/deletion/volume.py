"""The volume guard: far more due at once than there should be waits for a person.

A surprise is a recording that was due before the last cycle which left nothing behind,
and yet is there: re-dated, released, adopted, restored.  Ordinary days, long files and
catching up after a stop are none (design, section 10).
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from retention import guards, rules
from retention.audit.log import Log
from retention.catalogue import due, plans, policies, roots
from retention.catalogue.db import Catalogue, Priority, get_fact, put_fact
from retention.catalogue.due import Due, Scope, Span
from retention.deletion.horizon import scopes as all_scopes
from retention.errors import CatalogueError
from retention.footage.roots import OpenRoot
from retention.model import DAY, Actor, Entry, Micros
from retention.policy import BEGINNING, Policy
from retention.settings import RetentionSettings

PAGE = 5000

_TAKEN = "surprises."


class Choice(NamedTuple):
    """What a batch may take: due instants in `span`, of one plan where given."""

    span: Span
    plan: int | None = None


class Blocked(NamedTuple):
    """Why a root's deletion stops."""

    why: str


class VolumeGuard:
    """Decides between deleting what is due and asking a person first."""

    def __init__(
        self,
        catalogue: Catalogue,
        log: Log,
        actor: Actor,
        settings: RetentionSettings,
    ) -> None:
        self._catalogue = catalogue
        self._log = log
        self._actor = actor
        self._settings = settings

    def choose(
        self,
        tx: Connection,
        root: int,
        scopes: list[Scope],
        soonest: Micros | None,
        caught_up: Micros,
        now: Micros,
    ) -> Choice | Blocked:
        """What may be deleted; `soonest`: when the first recording here fell due."""
        if soonest is None or soonest > caught_up:
            return Choice(Span(BEGINNING, now))
        early = Span(BEGINNING, caught_up)
        plan = plans.of_root(tx, root)
        if plan is not None and plan.state == "approved":
            return Choice(early, plan.key)
        surprise = sum(due.total(tx, scope, early).number for scope in scopes)
        allowed = self._allowed(tx, root, now)
        if surprise <= allowed:
            return Choice(Span(BEGINNING, now))
        return Blocked(
            f"more is due than there should be: {surprise} recordings that were not "
            f"due or not there before (allowed without approval: {allowed})"
        )

    def _allowed(self, tx: Connection, root: int, now: Micros) -> int:
        """How many surprises may still go today without a person."""
        row = roots.get(tx, root)
        if row is None or row.caught_up == row.adopted:
            return 0  # the first cycle over an adopted archive is always approved
        in_force = rules.of(tx, self._settings)
        share = int(in_force.deletion_limit * roots.count_recordings(tx, root))
        return max(0, max(in_force.deletion_floor, share) - _taken(tx, root, now))

    def trip(
        self, root: OpenRoot, blocked: Blocked, caught_up: Micros, now: Micros
    ) -> Blocked:
        """Propose a plan, unless one that covers all of it waits already."""
        early = Span(BEGINNING, caught_up)
        with self._catalogue.read() as tx:
            plan = plans.of_root(tx, root.key)
            scopes = all_scopes(tx, root.key, policy_of(tx), now)
            number = plan.key if plan else 0
            outside = sum(
                due.total(tx, scope, early, outside_plan=number).number
                for scope in scopes
            )
        if plan is None or outside:
            number = self._propose(root, scopes, early, now)
        detail = (
            f"{blocked.why}; plan {number} waits for a supervisor: "
            f"`retention deletion approve {number}`"
        )
        guards.trip(
            self._catalogue, self._log, now, self._actor, guards.VOLUME, root.name,
            detail,
        )  # fmt: skip
        return Blocked(detail)

    def _propose(
        self, root: OpenRoot, scopes: list[Scope], early: Span, now: Micros
    ) -> int:
        """Write a plan, in bounded transactions; it counts only once it is whole."""
        with self._catalogue.write(Priority.DELETION) as tx:
            key = plans.begin(tx, root.key, now, early.until)
        count = size = 0
        sha = hashlib.sha256()
        for rows in pages(self._catalogue, scopes, early):
            with self._catalogue.write(Priority.DELETION) as tx:
                plans.add(tx, key, rows)
            sha.update(due.digest(rows))
            count += len(rows)
            size += sum(row.size for row in rows)
        fields = {
            "plan": key, "root": root.name, "cutoff": early.until, "count": count,
            "bytes": size, "digest": sha.hexdigest(),
        }  # fmt: skip
        with self._catalogue.write(Priority.DELETION) as tx:
            plans.propose(tx, key, count, size, sha.hexdigest())
            self._log.append(tx, Entry("plan.proposed", now, self._actor, fields))
        return key

    def clear(self, root: OpenRoot, choice: Choice, now: Micros) -> None:
        """Nothing waits for a person any more in this root."""
        reason = (
            "no more is due than there should be"
            if choice.plan is None
            else f"plan {choice.plan} was approved"
        )
        guards.clear(
            self._catalogue, self._log, now, self._actor, guards.VOLUME, root.name,
            reason,
        )  # fmt: skip

    def finish(self, plan: int) -> None:
        """Nothing of an approved plan is left that may be deleted."""
        with self._catalogue.write(Priority.DELETION) as tx:
            plans.finish(tx, plan)
        while True:
            with self._catalogue.write(Priority.DELETION) as tx:
                if plans.drop_rows(tx) == 0:
                    return


def remember(tx: Connection, root: int, number: int, now: Micros) -> None:
    """Count surprises that go without a plan, so that few at a time are not many."""
    if number:
        taken = get_fact(tx, f"{_TAKEN}{root}") or []
        recent = [one for one in taken if now - DAY < one[0] <= now]
        put_fact(tx, f"{_TAKEN}{root}", [*recent, [now, number]])


def _taken(tx: Connection, root: int, now: Micros) -> int:
    taken = get_fact(tx, f"{_TAKEN}{root}") or []
    return sum(number for at, number in taken if at > now - DAY)


def policy_of(tx: Connection) -> Policy:
    """The policy in force; CatalogueError where there is none."""
    policy = policies.current(tx)
    if policy is None:
        raise CatalogueError(
            "the catalogue has no retention policy: run `retention init` again"
        )
    return policy


def pages(
    catalogue: Catalogue, scopes: list[Scope], span: Span, limit: int = PAGE
) -> Iterator[list[Due]]:
    """Everything due in a span, a bounded number at a time, each row once."""
    for scope in scopes:
        first = BEGINNING
        while True:
            with catalogue.read() as tx:
                rows = due.present(tx, scope, span, first=first, limit=limit)
            if len(rows) < limit:
                if rows:
                    yield rows
                break
            # The last start may go on in the next page: it is read again there.
            first = rows[-1].start
            whole = [row for row in rows if row.start < first]
            yield whole or rows
            if not whole:
                first += 1
        with catalogue.read() as tx:
            rows = due.doubtful(tx, scope, span, limit=1_000_000)
        for at in range(0, len(rows), limit):
            yield rows[at : at + limit]
