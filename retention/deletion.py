"""The deletion cycle: guards, what is due, one batch after another (design, section 7).

A cycle deletes nothing in a root while anything is in doubt there, and says why.  Its
cost follows what is due: an idle cycle reads a handful of rows.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from retention import guards
from retention.audit.log import Log
from retention.batch import Batches, Decided, Result, versions
from retention.catalogue import due, holds, plans, policies, roots, streams
from retention.catalogue.db import Catalogue, Priority, get_fact
from retention.catalogue.due import Due, Scope, Span
from retention.errors import CatalogueError, StaleError
from retention.footage.roots import OpenRoot
from retention.gate import Gate
from retention.horizon import Horizon
from retention.items import Paths
from retention.localtime import format_utc
from retention.model import Actor, Entry, Micros, Outcome, Stream
from retention.policy import BEGINNING, Policy, Reason, decide
from retention.settings import RetentionSettings

BATCH = 5000
"""Files of one batch: no write transaction is longer (design, section 6)."""

PATIENCE = 20
"""How often a batch is made again in one cycle because holds moved under it."""

PAUSE_FACT = "pause"

Stop = Callable[[], bool]


class CycleResult(NamedTuple):
    """One cycle of one root.  `blocked` says why nothing (more) was deleted."""

    results: list[Result]
    blocked: str | None = None
    next_due: Micros | None = None

    @property
    def deleted(self) -> int:
        """Files that this cycle removed."""
        return sum(result.outcomes[Outcome.DELETED] for result in self.results)


class _Blocked(NamedTuple):
    why: str


class _Choice(NamedTuple):
    """What a batch may take: due instants in `span`, of one plan where given."""

    span: Span
    plan: int | None = None


class _Batch(NamedTuple):
    rows: list[Due]
    decided: Decided
    paths: Paths


class Deleter:
    """Runs the cycles.  One per process; its memory is rebuilt from the catalogue."""

    def __init__(
        self,
        catalogue: Catalogue,
        log: Log,
        gate: Gate,
        actor: Actor,
        settings: RetentionSettings,
        *,
        batch: int = BATCH,
    ) -> None:
        self._catalogue = catalogue
        self._log = log
        self._actor = actor
        self._limit = settings.deletion_limit
        self._floor = settings.deletion_floor
        self._batch = batch
        self._batches = Batches(catalogue, log, gate, actor, settings.clock_tolerance)
        self._horizon = Horizon()
        self._caught_up: dict[int, Micros] = {}

    def note(self, found: Mapping[int, Micros], now: Micros) -> None:
        """A scan catalogued or changed recordings: stream to the earliest end."""
        with self._catalogue.read() as tx:
            self._horizon.note(found, now, _policy(tx))

    def reset(self) -> None:
        """Something outside the scans changed recordings: look at every stream."""
        self._horizon.reset()

    def caught_up(self) -> dict[int, Micros]:
        """By root, the `now` of the last cycle that left nothing due behind."""
        return dict(self._caught_up)

    def recover(self, root: OpenRoot, now: Micros, stop: Stop) -> CycleResult:
        """Finish the batches that a crash or a lost disk left open in a root."""
        with self._catalogue.read() as tx:
            blocked = self._standing(tx, root, now)
        if blocked is not None:
            return CycleResult([], blocked)
        root.check()
        results = self._batches.recover(root, now, stop)
        if results:
            self._horizon.reset()
        return CycleResult(results)

    def cycle(self, root: OpenRoot, now: Micros, stop: Stop) -> CycleResult:
        """Delete what is due in a root at `now`, which a believed clock gave.

        Raises RootUnavailableError and CatalogueError: what was begun stays on record
        as an open intent and is recovered.
        """
        recovered = self.recover(root, now, stop)
        if recovered.blocked is not None:
            return recovered
        results, stale = recovered.results, 0
        while not stop():
            batch = self._next(root, now)
            if isinstance(batch, _Blocked):
                return CycleResult(results, batch.why)
            if batch is None:
                return self._done(root, results, now)
            root.check()
            items = [batch.paths.item(row) for row in batch.rows]
            try:
                result = self._batches.delete(root, items, batch.decided, now, stop)
            except StaleError as error:
                self._horizon.reset()
                stale += 1
                if stale > PATIENCE:
                    return CycleResult(results, str(error))
                continue
            results.append(result)
            clean = result.outcomes[Outcome.DELETED] == len(items)
            for stream in {item.stream for item in items}:
                self._horizon.forget(stream, wholly=not clean)
        return CycleResult(results, "asked to stop")

    def _done(self, root: OpenRoot, results: list[Result], now: Micros) -> CycleResult:
        self._caught_up[root.key] = now
        with self._catalogue.read() as tx:
            found = streams.of_root(tx, root.key)
        return CycleResult(results, None, self._horizon.next(found))

    def _standing(self, tx: Connection, root: OpenRoot, now: Micros) -> str | None:
        """Why nothing may be deleted in a root, whatever is due."""
        pause = get_fact(tx, PAUSE_FACT)
        if pause is not None and now < pause["until"]:
            return f"paused until {format_utc(pause['until'])}"
        for guard in guards.tripped(tx):
            if guard.scope in ("", root.name) and guard.name != guards.VOLUME:
                return f"guard {guard.name}: {guard.detail}"
        row = roots.get(tx, root.key)
        if row is None or row.adopted is None:
            return "not scanned completely yet"
        return None

    def _next(self, root: OpenRoot, now: Micros) -> _Batch | _Blocked | None:
        """The next batch of a root; None where nothing is due."""
        with self._catalogue.read() as tx:
            blocked = self._standing(tx, root, now)
            if blocked is not None:
                return _Blocked(blocked)
            policy = _policy(tx)
            found = streams.of_root(tx, root.key)
            scopes = self._horizon.refresh(tx, found, policy, now)
            caught_up = self._caught_up_of(tx, root.key)
            choice = self._choose(tx, root, scopes, found, caught_up, now)
            if isinstance(choice, _Choice):
                rows = self._select(tx, scopes, choice, now)
                rows += self._again(tx, root, found, policy, now)
                decided = Decided(self._horizon.held(), versions(tx, now), caught_up)
                paths = Paths(found)
        if isinstance(choice, _Blocked):
            return self._trip(root, choice, caught_up, now)
        self._clear(root, choice, now)
        if rows:
            return _Batch(rows[: self._batch], decided, paths)
        if choice.plan is None:
            return None
        with self._catalogue.write(Priority.DELETION) as tx:
            plans.finish(tx, choice.plan)
        return self._next(root, now)

    def _caught_up_of(self, tx: Connection, root: int) -> Micros:
        stored = roots.get(tx, root)
        kept = stored.caught_up if stored is not None else None
        return max(self._caught_up.get(root, BEGINNING), kept or BEGINNING)

    # -- the volume guard ---------------------------------------------------------

    def _choose(
        self,
        tx: Connection,
        root: OpenRoot,
        scopes: list[Scope],
        found: list[Stream],
        caught_up: Micros,
        now: Micros,
    ) -> _Choice | _Blocked:
        """What may be deleted: a surprise is what was due before the last cycle that
        left nothing behind, and yet is there."""
        soonest = self._horizon.present(found)
        if soonest is None or soonest > caught_up:
            return _Choice(Span(BEGINNING, now))
        early = Span(BEGINNING, caught_up)
        plan = plans.of_root(tx, root.key)
        if plan is not None and plan.state == "approved":
            return _Choice(early, plan.key)
        surprise = sum(due.total(tx, scope, early).number for scope in scopes)
        allowed = self._allowed(tx, root.key, caught_up)
        if surprise <= allowed:
            return _Choice(Span(BEGINNING, now))
        return _Blocked(
            f"{surprise} recordings are due that were not due or not there before "
            f"(allowed without approval: {allowed})"
        )

    def _allowed(self, tx: Connection, root: int, caught_up: Micros) -> int:
        row = roots.get(tx, root)
        if row is None or row.adopted == caught_up:
            return 0  # the first cycle over an adopted archive is always approved
        return max(self._floor, int(self._limit * roots.count_recordings(tx, root)))

    def _trip(
        self, root: OpenRoot, choice: _Blocked, caught_up: Micros, now: Micros
    ) -> _Blocked:
        """Propose a plan, unless one that covers all of it waits already."""
        early = Span(BEGINNING, caught_up)
        with self._catalogue.read() as tx:
            plan = plans.of_root(tx, root.key)
            scopes = self._scopes(tx, root.key)
            outside = [
                due.total(tx, scope, early, outside_plan=plan.key if plan else 0)
                for scope in scopes
            ]
        number = plan.key if plan else 0
        if plan is None or any(total.number for total in outside):
            number = self._propose(root, scopes, early, now)
        detail = (
            f"{choice.why}; plan {number} waits for a supervisor: "
            f"`retention deletion approve {number}`"
        )
        guards.trip(
            self._catalogue, self._log, now, self._actor, guards.VOLUME, root.name,
            detail,
        )  # fmt: skip
        return _Blocked(detail)

    def _scopes(self, tx: Connection, root: int) -> list[Scope]:
        policy = _policy(tx)
        held = self._horizon.held()
        return [
            Scope(
                s.key, s.camera, policy.period(s.camera), s.max_length, s.quarantined,
                held[s.camera],
            )
            for s in streams.of_root(tx, root)
        ]  # fmt: skip

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
        with self._catalogue.write(Priority.DELETION) as tx:
            plans.propose(tx, key, count, size, sha.hexdigest())
            self._log.append(
                tx,
                Entry(
                    "plan.proposed",
                    now,
                    self._actor,
                    {
                        "plan": key, "root": root.name, "cutoff": early.until,
                        "count": count, "bytes": size, "digest": sha.hexdigest(),
                    },
                ),
            )  # fmt: skip
        return key

    def _clear(self, root: OpenRoot, choice: _Choice, now: Micros) -> None:
        reason = (
            "no more is due than there should be"
            if choice.plan is None
            else f"plan {choice.plan} was approved"
        )
        guards.clear(
            self._catalogue, self._log, now, self._actor, guards.VOLUME, root.name,
            reason,
        )  # fmt: skip

    # -- what is due --------------------------------------------------------------

    def _select(
        self, tx: Connection, scopes: list[Scope], choice: _Choice, now: Micros
    ) -> list[Due]:
        """Up to a batch of due rows, stream by stream, oldest first."""
        rows: list[Due] = []
        for scope in scopes:
            room = self._batch - len(rows)
            if room <= 0:
                break
            first = self._horizon.first(scope.stream)
            rows += due.present(
                tx, scope, choice.span, first=first, plan=choice.plan, limit=room
            )
            if choice.plan is None:
                # Seen by this program for a whole period: never a surprise.
                rows += due.doubtful(tx, scope, Span(BEGINNING, now), room)
        return rows

    def _again(
        self,
        tx: Connection,
        root: OpenRoot,
        found: list[Stream],
        policy: Policy,
        now: Micros,
    ) -> list[Due]:
        """Failed files whose back-off is over and that are still due and free."""
        failed = due.failed(tx, root.key, now)
        if not failed:
            return []
        by_key = {stream.key: stream for stream in found}
        held = holds.of_cameras(tx, {by_key[f.due.stream].camera for f in failed}, now)
        rows = []
        for row, seen in failed:
            stream = by_key[row.stream]
            decision = decide(
                row.start,
                row.start + row.duration,
                holds=held[stream.camera],
                period=policy.period(stream.camera),
                now=now,
                doubtful_since=_doubtful_since(row, seen, stream),
            )
            if decision.reason is Reason.DUE:
                rows.append(row._replace(due=decision.due))
        return rows


def _doubtful_since(row: Due, seen: Micros | None, stream: Stream) -> Micros | None:
    if seen is not None or stream.quarantined is None:
        return seen
    return max(stream.quarantined, row.start + row.duration)


def _policy(tx: Connection) -> Policy:
    policy = policies.current(tx)
    if policy is None:
        raise CatalogueError(
            "the catalogue has no retention policy: run `retention init` again"
        )
    return policy


def pages(
    catalogue: Catalogue, scopes: list[Scope], span: Span, limit: int = BATCH
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
