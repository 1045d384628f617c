"""The deletion cycle: read, choose, act, and again until nothing due is left (design,
section 7).

    situation.read    a root's situation, in one transaction: what stands in the way, what
                      is due, and up to a batch of it
    model.choice      pure: the next step in that situation.  Whether a recording may be
                      deleted is decided there
    Deleter.cycle     does it; below
    batch.Batches     one batch in five steps, on record before and after, each file
                      decided on again and under the gate, where a hold wins
    footage.delete    checks one file and removes it

A cycle deletes nothing in a root while anything is in doubt there, and says why.  Its
cost follows what is due: an idle cycle reads a handful of rows.
"""

from collections.abc import Callable
from typing import NamedTuple

from retention.catalogue import batches, roots
from retention.catalogue.db import Catalogue, Cycle, Priority
from retention.catalogue.log import Log
from retention.control.gate import Gate
from retention.deletion.batch import Batches, Publish
from retention.deletion.completion import Result
from retention.deletion.items import Paths
from retention.deletion.situation import Memory, read, standing
from retention.deletion.volume import VolumeGuard
from retention.footage.roots import OpenRoot
from retention.model.choice import (
    Batch,
    Blocked,
    Clear,
    Due,
    Finish,
    Forgive,
    Nothing,
    PlanDone,
    Situation,
    TooMany,
    choose,
)
from retention.model.errors import StaleError
from retention.model.values import Actor, Micros, Outcome
from retention.site.settings import RetentionSettings

BATCH = 5000
"""Files of one batch: no write transaction is longer (design, section 6)."""

PATIENCE = 20
"""How many batches of one cycle may come to nothing: holds moved under them, or no
file of them could be deleted."""

IN_VAIN = (
    "many batches in which no file could be deleted; tried again in the next cycle"
)

Stop = Callable[[], bool]


class CycleResult(NamedTuple):
    """One cycle of one root.  `blocked` says why nothing (more) was deleted."""

    results: list[Result]
    blocked: str | None = None

    @property
    def deleted(self) -> int:
        """Files that this cycle removed."""
        return sum(result.outcomes[Outcome.DELETED] for result in self.results)


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
        self._volume = VolumeGuard(catalogue, log, actor, settings)
        self._batch = batch
        self._tolerance = settings.clock_tolerance
        self._batches = Batches(catalogue, log, gate, actor, self._tolerance, publish)
        self._memory = Memory.anew(catalogue)

    def cycle(self, root: OpenRoot, now: Micros, stop: Stop) -> CycleResult:
        """Delete what is due in a root at `now`, which a believed clock gave.

        Raises RootUnavailableError and CatalogueError: what was begun stays on record
        as an open intent and is recovered.
        """
        self._catalogue.cycles[root.key] = Cycle(now, over=False)
        result = self._cycle(root, now, stop)
        self._catalogue.cycles[root.key] = Cycle(now, True, result.blocked)
        return result

    def _cycle(self, root: OpenRoot, now: Micros, stop: Stop) -> CycleResult:
        results: list[Result] = []
        vain = 0
        while not stop():
            situation = self._read(root, now)
            choice = choose(situation, now)
            if isinstance(choice, Blocked):
                return CycleResult(results, choice.why)
            root.check()
            match choice:
                case Finish():
                    results += self._finish(root, now, stop)
                case TooMany(why):
                    why = self._volume.trip(root, why, situation.caught_up, now)
                    return CycleResult(results, why)
                case Clear(reason):
                    self._volume.clear(root, reason, now)
                case Forgive(rows):
                    self._forgive(rows)
                case PlanDone(plan):
                    self._volume.finish(plan)
                case Nothing():
                    self._note_caught_up(root, situation, now)
                    return CycleResult(results)
                case Batch():
                    try:
                        result = self._delete(root, situation, choice, now, stop)
                    except StaleError as error:  # nothing was done
                        self._memory.next_due.reset()
                        vain, why = vain + 1, str(error)
                    else:
                        results.append(result)
                        vain, why = vain + (not result.gone), IN_VAIN
                    if vain > PATIENCE:
                        return CycleResult(results, why)
        return CycleResult(results, "asked to stop")

    def recover(self, root: OpenRoot, now: Micros, stop: Stop) -> CycleResult:
        """Finish the batches that a crash or a lost disk left open in a root."""
        with self._catalogue.read() as tx:
            blocked = standing(tx, root).blocked(now)
        if blocked is not None:
            return CycleResult([], blocked)
        root.check()
        return CycleResult(self._finish(root, now, stop))

    # -- what a cycle does ----------------------------------------------------------

    def _read(self, root: OpenRoot, now: Micros) -> Situation:
        memory = self._memory
        memory.next_due.hear()
        try:
            with self._catalogue.read() as tx:
                return read(tx, root, now, memory, self._volume, self._batch)
        except BaseException:
            memory.next_due.reset()
            raise

    def _finish(self, root: OpenRoot, now: Micros, stop: Stop) -> list[Result]:
        results = self._batches.recover(root, now, stop)
        if results:
            self._memory.next_due.reset()
        return results

    def _forgive(self, rows: tuple[Due, ...]) -> None:
        with self._catalogue.write(Priority.DELETION) as tx:
            batches.forgive(tx, [row.key for row in rows])
        for row in rows:
            self._memory.next_due.forget(row.stream, wholly=True)

    def _delete(
        self,
        root: OpenRoot,
        situation: Situation,
        batch: Batch,
        now: Micros,
        stop: Stop,
    ) -> Result:
        periods = {key: scope.period for key, scope in situation.scopes.items()}
        paths = Paths(situation.streams, periods, self._tolerance)
        items = [paths.item(row) for row in batch.rows]
        result = self._batches.delete(root, items, batch.decided, now, stop)
        clean = result.outcomes[Outcome.DELETED] == len(items)
        for stream in {item.stream for item in items}:
            self._memory.next_due.forget(stream, wholly=not clean)
        return result

    def _note_caught_up(
        self, root: OpenRoot, situation: Situation, now: Micros
    ) -> None:
        """Nothing due is left.  Written at once after an adoption, and where a clock
        that was ahead had written a later instant; else with the next batch."""
        self._memory.caught_up[root.key] = now
        kept = situation.standing.caught_up
        if kept == situation.standing.adopted or (kept or 0) > now:
            with self._catalogue.write(Priority.DELETION) as tx:
                roots.set_caught_up(tx, root.key, now)

    # -- what it is told, and tells ---------------------------------------------------

    def reset(self) -> None:
        """Something outside this process changed recordings: look at every stream."""
        self._memory.next_due.reset()

    def caught_up(self) -> dict[int, Micros]:
        """By root, the `now` of the last cycle that left nothing due behind."""
        return dict(self._memory.caught_up)
