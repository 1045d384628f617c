"""Law *twice*: which recordings are gone by the log, in little memory.

Of each stream the starts of what was deleted are kept as runs, each a range of starts
without what is known to be left out: a recorder writes one file after another, and they
go in that order.  What is outside of all runs was not deleted.  What is inside may have
been: then the rows of the batches that reach so far are read again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from retention.model.values import SECOND, Micros, Outcome
from retention.tlog import rows as row_files

APART: Micros = 10 * SECOND
"""Recordings no further apart are of one run."""
RUNS = 2_000
"""No stream keeps more than twice as many: those that lie closest together become one."""

Key = tuple[int, int, int]
Fetch = Callable[[int], bytes | None]
"""The row file of an entry."""


class GoneRows:
    """What was deleted: at most twice `RUNS` runs a stream, 32 bytes a batch, and what came
    again."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._runs: dict[int, list[tuple[Micros, Micros, Micros]]] = {}
        """By stream (first start, last start, last end), in order."""
        self._again: dict[tuple[int, Micros], int] = {}
        """Of what may be gone: the last entry by which it came again."""
        self._batches = [array("q") for _ in range(4)]
        """Intent, completion, first start, last end of each."""

    def add(
        self, intent: int, completion: int, fields: Mapping[str, Any],
        gone: Iterable[tuple[int, Micros, Micros]],
    ) -> None:  # fmt: skip
        """A batch is over: (stream, start, end) of what it deleted."""
        said = intent, completion, fields["oldest"], fields["newest"]
        for column, value in zip(self._batches, said, strict=True):
            column.append(value)
        for stream, start, end in gone:
            self._enter(self._runs.setdefault(stream, []), start, end)

    def came(self, entry: int, found: Iterable[tuple[int, Micros]]) -> None:
        """These (stream, start) are there anew, if they were gone."""
        for key in found:
            if self._may_be(*key):
                self._again[key] = entry

    def before(self, keys: Sequence[Key], until: int) -> tuple[Key, int] | None:
        """The first of these that was deleted before and has not come again, and by
        which completion; None where there is none.  ValueError, and LookupError, where
        rows are not at hand any more."""
        asked = {key for key in keys if self._may_be(key[0], key[1])}
        if not asked:
            return None
        starts = sorted(key[1] for key in asked)
        for intent, completion, oldest, newest in zip(*self._batches, strict=True):
            at = bisect_right(starts, newest)
            if intent >= until or not at or starts[at - 1] < oldest:
                continue
            found = {
                key
                for key in asked & self._deleted(intent, completion)
                if self._again.get(key[:2], -1) < intent
            }
            if found:
                return min(found), completion
        return None

    def _deleted(self, intent: int, completion: int) -> set[Key]:
        data, odd = self._fetch(intent), self._fetch(completion)
        if data is None:
            raise LookupError(intent)
        columns = row_files.read(data, {"stream", "start", "n"}).columns
        keys = list(zip(columns["stream"], columns["start"], columns["n"], strict=True))
        kept: set[int] = set()
        if odd is not None:
            said = row_files.read(odd).columns
            kept = {
                row
                for row, outcome in zip(said["row"], said["outcome"], strict=True)
                if not Outcome(outcome).ours
            }
        return {key for row, key in enumerate(keys) if row not in kept}

    def _may_be(self, stream: int, start: Micros) -> bool:
        runs = self._runs.get(stream, ())
        at = bisect_right(runs, (start, 1 << 62, 0)) - 1
        return at >= 0 and runs[at][0] <= start <= runs[at][1]

    @staticmethod
    def _enter(
        runs: list[tuple[Micros, Micros, Micros]], start: Micros, end: Micros
    ) -> None:
        at = bisect_right(runs, (start, 1 << 62, 0)) - 1
        if at >= 0 and start <= max(runs[at][2] + APART, runs[at][1]):
            first, last, stop = runs[at]
            last, stop = max(last, start), max(stop, end)
            if at + 1 < len(runs) and runs[at + 1][0] <= stop + APART:  # no hole left
                _, later, then = runs.pop(at + 1)
                last, stop = max(last, later), max(stop, then)
            runs[at] = (first, last, stop)
        else:
            insort(runs, (start, start, end))
        if len(runs) > 2 * RUNS:
            runs[:] = _fewer(runs)


def _fewer(
    runs: list[tuple[Micros, Micros, Micros]],
) -> list[tuple[Micros, Micros, Micros]]:
    """`RUNS` of them: those that lie closest together become one.  All at once, so that
    it costs little for each that came."""
    gaps = sorted(
        (two[0] - one[1], number)
        for number, (one, two) in enumerate(pairwise(runs), start=1)
    )
    joined = {number for _, number in gaps[: len(runs) - RUNS]}
    found: list[tuple[Micros, Micros, Micros]] = []
    for number, run in enumerate(runs):
        if number in joined:
            first, _, stop = found[-1]
            found[-1] = first, run[1], max(stop, run[2])
        else:
            found.append(run)
    return found
