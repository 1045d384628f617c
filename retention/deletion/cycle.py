"""The deletion cycle: guards, what is due, one batch after another (design, section 7).

A cycle deletes nothing in a root while anything is in doubt there, and says why.  Its
cost follows what is due: an idle cycle reads a handful of rows.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from retention import guards
from retention.audit.log import Log
from retention.catalogue import batches, due, holds, roots, streams
from retention.catalogue.db import Catalogue, Priority, get_fact
from retention.catalogue.due import Due, Scope
from retention.deletion.batch import Batches, Decided, Publish, versions
from retention.deletion.completion import Result
from retention.deletion.gate import Gate
from retention.deletion.horizon import Horizon
from retention.deletion.items import Paths
from retention.deletion.redecide import doubt_of_row
from retention.deletion.volume import Blocked, Choice, VolumeGuard, policy_of
from retention.errors import StaleError
from retention.footage.roots import OpenRoot
from retention.localtime import format_utc
from retention.model import Actor, Micros, Outcome, State, Stream
from retention.policy import BEGINNING, Policy, Reason, decide
from retention.settings import RetentionSettings

BATCH = 5000
"""Files of one batch: no write transaction is longer (design, section 6)."""

PATIENCE = 20
"""How many batches of one cycle may come to nothing: holds moved under them, or no
file of them could be deleted."""

PAUSE_FACT = "pause"

Stop = Callable[[], bool]


class CycleResult(NamedTuple):
    """One cycle of one root.  `blocked` says why nothing (more) was deleted."""

    results: list[Result]
    blocked: str | None = None

    @property
    def deleted(self) -> int:
        """Files that this cycle removed."""
        return sum(result.outcomes[Outcome.DELETED] for result in self.results)


class _Batch(NamedTuple):
    rows: list[Due]
    decided: Decided
    paths: Paths


class Deleter:
    """Runs the cycles of a root, in one thread at a time.  Its memory is rebuilt from
    the catalogue; the gate is the process's one."""

    def __init__(
        self,
        catalogue: Catalogue,
        log: Log,
        gate: Gate,
        actor: Actor,
        settings: RetentionSettings,
        *,
        batch: int = BATCH,
        publish: Publish | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._log = log
        self._actor = actor
        self._volume = VolumeGuard(catalogue, log, actor, settings)
        self._batch = batch
        self._batches = Batches(
            catalogue, log, gate, actor, settings.clock_tolerance, publish
        )
        self._horizon = Horizon()
        self._caught_up: dict[int, Micros] = {}

    def note(self, found: Mapping[int, Micros], now: Micros) -> None:
        """A scan catalogued or changed recordings: stream to the earliest end."""
        with self._catalogue.read() as tx:
            self._horizon.note(found, now, policy_of(tx))

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
            if isinstance(batch, Blocked):
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
            stale += not result.gone
            if stale > PATIENCE:
                why = "many batches in which no file could be deleted"
                return CycleResult(results, f"{why}; tried again in the next cycle")
            clean = result.outcomes[Outcome.DELETED] == len(items)
            for stream in {item.stream for item in items}:
                self._horizon.forget(stream, wholly=not clean)
        return CycleResult(results, "asked to stop")

    def _done(self, root: OpenRoot, results: list[Result], now: Micros) -> CycleResult:
        """Nothing due is left.  Written at once after an adoption, and where a clock
        that was ahead had written a later instant; else with the next batch."""
        self._caught_up[root.key] = now
        with self._catalogue.read() as tx:
            row = roots.get(tx, root.key)
        if row is not None and (
            row.caught_up == row.adopted or (row.caught_up or 0) > now
        ):
            with self._catalogue.write(Priority.DELETION) as tx:
                roots.set_caught_up(tx, root.key, now)
        return CycleResult(results)

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

    def _next(self, root: OpenRoot, now: Micros) -> _Batch | Blocked | None:
        """The next batch of a root; None where nothing is due."""
        with self._catalogue.read() as tx:
            blocked = self._standing(tx, root, now)
            if blocked is not None:
                return Blocked(blocked)
            policy = policy_of(tx)
            found = streams.of_root(tx, root.key)
            scopes = self._horizon.refresh(tx, found, policy, now)
            caught_up = self._caught_up_of(tx, root.key, now)
            soonest = self._horizon.next(found)
            choice = self._volume.choose(tx, root.key, scopes, soonest, caught_up, now)
            if isinstance(choice, Choice):
                rows = self._select(tx, scopes, choice)
                again, over = self._again(tx, root, found, policy, now)
                if choice.plan is None:
                    rows = (rows + again)[: self._batch]
                decided = Decided(
                    self._horizon.held(), versions(tx, now), caught_up,
                    0 if choice.plan else _surprises(rows, caught_up),
                )  # fmt: skip
                paths = Paths(found)
        if isinstance(choice, Blocked):
            return self._volume.trip(root, choice, caught_up, now)
        self._volume.clear(root, choice, now)
        if over:
            self._forgive(over)
            return self._next(root, now)
        if rows:
            return _Batch(rows, decided, paths)
        if choice.plan is None:
            return None
        self._volume.finish(choice.plan)
        return self._next(root, now)

    def _caught_up_of(self, tx: Connection, root: int, now: Micros) -> Micros:
        """Never later than now: by a clock that was ahead, all footage would look as
        if it had been due before."""
        stored = roots.get(tx, root)
        kept = stored.caught_up if stored is not None else None
        return min(now, max(self._caught_up.get(root, BEGINNING), kept or BEGINNING))

    def _forgive(self, rows: list[Due]) -> None:
        """Failed files that are not due any more, or held now: as any other again."""
        with self._catalogue.write(Priority.DELETION) as tx:
            batches.forgive(tx, [(row.stream, row.start, row.n) for row in rows])
        for row in rows:
            self._horizon.forget(row.stream, wholly=True)

    # -- what is due --------------------------------------------------------------

    def _select(self, tx: Connection, scopes: list[Scope], choice: Choice) -> list[Due]:
        """Up to a batch of due rows, stream by stream, oldest first."""
        rows: list[Due] = []
        for scope in scopes:
            room = self._batch - len(rows)
            if room <= 0:
                break
            first = self._horizon.first(scope.stream)
            rows += due.rows(
                tx, scope, choice.span, first=first, plan=choice.plan, limit=room
            )
        return rows

    def _again(
        self,
        tx: Connection,
        root: OpenRoot,
        found: list[Stream],
        policy: Policy,
        now: Micros,
    ) -> tuple[list[Due], list[Due]]:
        """Failed files whose back-off is over: those still due and free, the others."""
        failed = due.failed(tx, root.key, now)
        by_key = {stream.key: stream for stream in found}
        cameras = {by_key[one.due.stream].camera for one in failed}
        held = holds.of_cameras(tx, cameras, now) if failed else {}
        still: list[Due] = []
        over: list[Due] = []
        for row, seen in failed:
            stream = by_key[row.stream]
            decision = decide(
                row.start,
                row.start + row.duration,
                holds=held[stream.camera],
                period=policy.period(stream.camera),
                now=now,
                doubtful_since=doubt_of_row(row, seen, stream, now),
            )
            into = still if decision.reason is Reason.DUE else over
            into.append(row._replace(due=decision.due))
        return still, over


def _surprises(rows: list[Due], caught_up: Micros) -> int:
    return sum(row.due <= caught_up and row.state != State.FAILED for row in rows)
