"""Whether what a log says was lawful: one pass over its entries, in order.

`Lawful` hands each entry to those who know a law, then to what is in force from then on:
so each is judged by what was in force before it.  Pure, but for `fetch`, which reads row
files again for the law *twice*.

What it keeps grows with what is in force and what is there (holds, streams, open batches,
cameras and days with recordings, runs of deleted ones), and by 32 bytes a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from contextlib import suppress
from typing import Any

from retention import __version__
from retention.model.errors import VerificationError
from retention.model.values import FOREVER
from retention.tlog.declare import Kind
from retention.tlog.entry import Stored, previous
from retention.tlog.in_force import KINDS as FORCE
from retention.tlog.in_force import InForce
from retention.tlog.kinds import KINDS
from retention.tlog.lawful import (
    counts,
    deletions,
    people,
    releases,
    seen_to,
    shape,
    times,
)
from retention.tlog.lawful.laws import CHAIN, KIND, Verdict
from retention.tlog.lawful.twice import Fetch
from retention.tlog.rows import RowFile
from retention.tlog.source import INTENDED, Record
from retention.tlog.unsigned import Stretch, acts, is_unsigned

PROGRAM = f"retention {__version__}"

_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, ArithmeticError)


class _Once(Record):
    """A record whose rows are read once, whoever asks."""

    def read(
        self, only: Set[str] | None = None, cameras: Set[int] | None = None
    ) -> RowFile:
        """All columns and rows, whatever is asked for."""
        found: RowFile | None = self.__dict__.get("found")
        if found is None:
            found = self.__dict__["found"] = super().read()
        return found


def _record(entry: Mapping[str, Any], kind: Kind, stored: Stored) -> Record:
    """An entry with all fields of its kind, and somebody who did it."""
    fields = {field.name: None for field in kind.fields} | entry["fields"]
    actor = shape.NOBODY if shape.anonymous(entry) else entry["actor"]
    whole = {**entry, "fields": fields, "actor": actor}
    return _Once(stored.number, whole, lambda: stored.rows)


class Lawful:
    """Judges entries one after the other; `verdict` is what was found so far.

    `fetch` gives the row file of an entry before; None where it is not at hand.
    `unsigned` gives what came back under no head: of that only what keeps counts.
    """

    def __init__(
        self, fetch: Fetch, unsigned: Callable[[], Collection[Stretch]] = tuple
    ) -> None:
        self.verdict = verdict = Verdict()
        self._unsigned = unsigned()
        self._said = said = InForce(self._unsigned)
        self._times = times.TimeOrder(verdict)
        self._people = people.People(verdict)
        self._releases = releases.Releases(said, verdict)
        self._deletions = deletions.Deletions(said, verdict, fetch)
        self._counts = counts.Counts(verdict)
        self._seen_to = seen_to.SeenTo(said, verdict)
        self._prev: str | None = None
        self._site: str | None = None
        self._stopped = False

    def take(self, entry: Mapping[str, Any], stored: Stored) -> None:
        """The next entry, which is intact."""
        if self._stopped or stored.number != self.verdict.judged:
            self._stopped = True
            return
        self.verdict.judged += 1
        prev, self._prev = self._prev, previous(stored.data)
        kind = KINDS.get(entry["kind"])
        if is_unsigned(self._unsigned, stored.number):
            if kind is not None:
                self._note(_record(entry, kind, stored))
            return
        if (what := shape.unchained(entry, prev, self._site)) is not None:
            self.verdict.broke(CHAIN, stored.number, what)
        self._site = self._site or entry.get("site")
        nobody = shape.anonymous(entry)
        if nobody is not None:
            self.verdict.broke(CHAIN, stored.number, nobody)
        if kind is None:  # of a newer program
            self.verdict.unchecked[KIND] += 1
            return
        ours = entry.get("program") == PROGRAM
        if (what := shape.misshapen(entry, kind, ours=ours)) is not None:
            self.verdict.broke(KIND, stored.number, what)
            return
        record = _record(entry, kind, stored)
        try:
            if not nobody:
                self._people.hear(record.number, record.entry, stored.disclosures)
            self._judge(record)
        except VerificationError:
            self._stopped = True  # what is in force from here on is not known
        except _UNREADABLE as error:
            self.verdict.broke(KIND, stored.number, f"can't be understood: {error!r}")

    def _judge(self, record: Record) -> None:
        self._times.hear(record.number, record.entry)
        self._releases.hear(record)
        self._deletions.hear(record)
        self._counts.hear(record)
        self._seen_to.hear(record)
        self._put_in_force(record)

    def _note(self, record: Record) -> None:
        """One that came back unsigned: anybody may have written it, so it breaks no law,
        and has its effect where it keeps.  The books have it as all others."""
        with suppress(VerificationError, *_UNREADABLE):
            self._counts.note(record)
            if acts(record.kind):
                self._deletions.hear(record)
                self._put_in_force(record)
            elif record.kind == INTENDED:
                self._deletions.foreign.add(record.number)

    def _put_in_force(self, record: Record) -> None:
        if record.kind in FORCE:
            self._said.take([record], record.number + 1)

    def withheld(self, number: int) -> None:
        """The next entry is not in this copy: nothing can be said of it, nor is it known
        what it puts in force or explains."""
        if self._stopped or number != self.verdict.judged:
            self._stopped = True
            return
        self.verdict.judged += 1
        self.verdict.withheld += 1
        self._prev = None
        self._times.unexplained = True

    @property
    def next(self) -> int:
        """The number of the entry that is to be taken next; beyond all where it stopped."""
        return FOREVER if self._stopped else self.verdict.judged

    def stop(self) -> None:
        """An entry is not known: what comes after it can't be judged."""
        self._stopped = True

    def end(self) -> Verdict:
        """The verdict, once there is no further entry."""
        self._times.end()
        return self.verdict
