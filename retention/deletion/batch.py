"""One batch of deletions, from its intent to its completion (design, section 7).

The order of writes, and what a crash after each leaves:

1. The batch enters the gate.                          [nothing]
2. One transaction: holds unchanged since the batch was decided, every row decided on
   again, rows marked deleting with a row count, `deletion.intended` with its rows.
                                                       [intent on record, files there]
   The log is published up to the intent; where that fails the intent stays open.
3. For each file, under the gate: check, unlink.       [some files gone, intent open]
4. fsync of each touched directory; where that fails the intent stays open.  Empty
   dated directories go.                               [files gone for good]
5. One transaction: rows out, one `recordings.deleted` for the intent.   [done]

At start and before every cycle, `recover` takes each open intent through 3 to 5 with
the same functions.
"""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from errno import EIO, ENODEV, ENXIO, EROFS, ESTALE

from retention.catalogue import batches, plans, recordings, roots, streams
from retention.catalogue.db import Catalogue, Priority, Transaction
from retention.catalogue.log import Log, size
from retention.control.gate import Flight, Gate
from retention.deletion.completion import Result, note_absent
from retention.deletion.items import (
    Item,
    Paths,
    flight_of,
    intent_rows,
    items_of,
)
from retention.deletion.recheck import (
    Rechecked,
    after_crash,
    note_grown,
    recheck,
)
from retention.deletion.redecide import decide_again, kept_now
from retention.deletion.witness import heard
from retention.footage.delete import delete, remove_empty, sync
from retention.footage.roots import OpenRoot
from retention.model.choice import Decided
from retention.model.errors import CatalogueError, RootUnavailableError, StaleError
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    Actor,
    Micros,
    Outcome,
    Prepared,
    State,
)

BACK_OFF = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR, DAY)
"""Waits before a failed file is tried again; the last one repeats."""


DISK_ERRORS = frozenset(
    os.strerror(code) for code in (EIO, EROFS, ENODEV, ENXIO, ESTALE)
)
"""What `delete` says where the disk is in trouble and not the one file."""


Stop = Callable[[], bool]
Publish = Callable[[int, Micros], None]
"""Makes the first so many entries durable where the log is published, now."""


class Batches:
    """Carries batches out and recovers them.  One per process, with its one gate."""

    def __init__(
        self,
        catalogue: Catalogue,
        log: Log,
        gate: Gate,
        actor: Actor,
        tolerance: Micros,
        publish: Publish | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._log = log
        self._gate = gate
        self._actor = actor
        self._tolerance = tolerance
        self._publish = publish

    def _write(self, now: Micros) -> AbstractContextManager[Transaction]:
        return self._catalogue.write(Priority.DELETION, self._log.by(self._actor, now))

    def delete(
        self,
        root: OpenRoot,
        items: list[Item],
        decided: Decided,
        now: Micros,
        stop: Stop,
    ) -> Result:
        """Delete one batch.

        Raises StaleError where holds, policy or rows moved meanwhile: nothing was
        done, decide again.  Raises RootUnavailableError where the files' fate can't be
        made durable: the intent stays open and is recovered.
        """
        with self._catalogue.read() as tx:
            items = heard(self._catalogue, tx, items, now)
        prepared = intent_rows(items)
        flight = flight_of(items)
        self._gate.enter(flight)
        try:
            with root.mutex:
                intent = self._intend(root, items, flight, decided, prepared, now)
                return self._carry_out(root, intent, items, flight, now, stop)
        finally:
            self._gate.leave(flight)

    def recover(self, root: OpenRoot, now: Micros, stop: Stop) -> list[Result]:
        """Take every open intent of a root through the unlinks to its completion.

        Files still there are decided on again: what is held by now, or not due any
        more, is rescued.  Files gone are `absent_after_crash`: an intent of ours was
        open.
        """
        with self._catalogue.read() as tx:
            intents = batches.open_batches(tx, root.key)
        return [self._recover(root, intent, now, stop) for intent in intents]

    def _recover(self, root: OpenRoot, intent: int, now: Micros, stop: Stop) -> Result:
        with self._catalogue.read() as tx:
            items = items_of(tx, intent, self._tolerance)
            items = heard(self._catalogue, tx, items, now)
        flight = flight_of(items)
        flight.intended = True
        # In the gate first, all else read second: a hold placed between the two is met
        # by one of them.
        self._gate.enter(flight)
        try:
            with root.mutex:
                with self._catalogue.read() as tx:
                    keep = kept_now(self._catalogue, tx, items, now)
                self._gate.keep(flight, keep)
                return self._carry_out(
                    root, intent, items, flight, now, stop, recovering=True
                )
        finally:
            self._gate.leave(flight)

    def _intend(
        self,
        root: OpenRoot,
        items: list[Item],
        flight: Flight,
        decided: Decided,
        prepared: Prepared,
        now: Micros,
    ) -> int:
        """Step 2."""
        with self._write(now) as tx:
            decide_again(self._catalogue, tx, items, decided, now)
            batches.mark_deleting(tx, items)
            roots.set_caught_up(tx, root.key, decided.caught_up)
            plans.note_taken(tx, root.key, decided.surprises, now)
            intent = size(tx)
            batches.open_batch(tx, intent, root.key)
            fields = {
                "root": root.name,
                "count": len(items),
                "bytes": sum(item.size for item in items),
                "oldest": min(item.start for item in items),
                "newest": max(item.end for item in items),
            }
            tx.append("deletion.intended", fields, prepared)
            flight.intended = True
        return intent

    def _carry_out(
        self,
        root: OpenRoot,
        intent: int,
        items: list[Item],
        flight: Flight,
        now: Micros,
        stop: Stop,
        *,
        recovering: bool = False,
    ) -> Result:
        """Steps 3 to 5, once the intent is published."""
        if self._publish is not None:
            self._publish(intent + 1, now)
        outcomes, reasons = self._unlink(root, items, flight, stop)
        if recovering:
            outcomes = [
                after_crash(root, item, outcome)
                for item, outcome in zip(items, outcomes, strict=True)
            ]
        deleted = Outcome.DELETED
        if any(one is not deleted and one.gone for one in outcomes):
            root.check()  # "no such file" on another disk says nothing about ours
        gone = [i for i, o in zip(items, outcomes, strict=True) if o.gone]
        try:
            sync(root, {item.directory for item in gone})
        except OSError as error:
            raise RootUnavailableError(
                f"{root.path}: deletions could not be made durable ({error.strerror}); "
                "the batch stays open and is finished when the disk answers again"
            ) from error
        with self._catalogue.read() as tx:
            found = streams.by_keys(tx, {item.stream for item in items})
            following = {
                number: after.start
                for number, one in enumerate(items)
                if outcomes[number] is Outcome.CHANGED
                and (after := recordings.after(tx, one.stream, one.start))
            }
        _remove_directories(root, gone, Paths(found), now)
        seen = recheck(
            root, items, outcomes, reasons, found, following, self._tolerance, now
        )
        result = self._complete(root, intent, items, outcomes, seen, now)
        if trouble := DISK_ERRORS.intersection(reasons.values()):
            raise RootUnavailableError(
                f"{root.path}: {', '.join(sorted(trouble))} while deleting; see the "
                "kernel's log, deletion goes on when the root can be scanned again"
            )
        return result

    def _unlink(
        self, root: OpenRoot, items: list[Item], flight: Flight, stop: Stop
    ) -> tuple[list[Outcome], dict[int, str]]:
        """Step 3, directory by directory: unlinks and one fsync a directory are
        cheapest so."""
        outcomes = [Outcome.STOPPED] * len(items)
        reasons: dict[int, str] = {}
        claim, settle = self._gate.claim, self._gate.settle
        for number in sorted(range(len(items)), key=lambda n: items[n].directory):
            if stop():
                break
            if not claim(flight, number):
                outcomes[number] = Outcome.RESCUED
                continue
            item = items[number]
            if item.wrong is not None:
                outcome, reason = Outcome.CHANGED, item.wrong.reason
            else:
                outcome, reason = delete(
                    root, item.path, item.size, item.latest_mtime, item.earliest_mtime
                )
            settle(flight, number)
            outcomes[number] = outcome
            if reason:
                reasons[number] = reason
            if reason in DISK_ERRORS:
                break  # the others are left alone, and the root is looked at
        return outcomes, reasons

    def _complete(
        self,
        root: OpenRoot,
        intent: int,
        items: list[Item],
        outcomes: list[Outcome],
        seen: Rechecked,
        now: Micros,
    ) -> Result:
        """Step 5: rows out or back, and the one completion of the intent."""
        pairs = list(zip(items, outcomes, strict=True))
        ours = [item for item, outcome in pairs if outcome.ours]
        gone = [item for item, outcome in pairs if outcome.gone]
        done = self._log.time(now)  # a cycle may have begun long before
        result = Result(
            intent,
            Counter(outcomes),
            sum(item.size for item in ours),
            max([0, *(done - item.due for item in ours)]),
            [item.path for item in gone],
        )

        def having(wanted: Outcome) -> list[tuple[int, int, int]]:
            return [item.key for item, outcome in pairs if outcome is wanted]

        grown = [one.item.key for one in seen.grown]
        try:
            with self._write(now) as tx:
                absent = [i for i, outcome in pairs if outcome is Outcome.ABSENT]
                note_absent(tx, root.key, absent, now)
                batches.remove(tx, [item.key for item in gone])
                batches.put_back(tx, having(Outcome.STOPPED))
                batches.forgive(tx, having(Outcome.RESCUED) + grown, State.DELETING)
                batches.mark_failed(tx, seen.failures, now, BACK_OFF)
                batches.close_batch(tx, intent)
                note_grown(self._catalogue, tx, seen.grown, now)
                tx.append(
                    *batches.completion(intent, outcomes, result.size, result.lateness)
                )
        except StaleError as error:
            raise CatalogueError(
                f"the batch of entry {intent} can't be completed: {error}; run "
                "`retention audit verify`"
            ) from error
        return result


def _remove_directories(
    root: OpenRoot, gone: list[Item], paths: Paths, now: Micros
) -> None:
    """Remove empty dated directories whose whole interval is past, with a day to
    spare; never a camera's."""
    for directory, stream in {i.directory: i.stream for i in gone}.items():
        span = paths.layout(stream).directory_span

        def keep(path: bytes, span: _SpanOf = span) -> bool:
            interval = span(path)
            return interval is None or interval[1] > now - DAY

        remove_empty(root, directory, keep)


_SpanOf = Callable[[bytes], tuple[Micros, Micros] | None]
