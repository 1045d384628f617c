"""What a file that was not as catalogued turns out to be, after its batch or a crash.

A file that only grew gets its later end, one that may be another goes into quarantine:
both as a scan would say.  Any other is in doubt: it is kept, shown as failed and tried
again.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from retention.catalogue import recordings, streams
from retention.catalogue.db import Catalogue, Transaction
from retention.catalogue.recordings import Doubt
from retention.control import borne_out
from retention.deletion.items import Item
from retention.footage.ingest.dates import Around, DatingRules, WrittenOn, judge_change
from retention.footage.read import look
from retention.footage.roots import OpenRoot
from retention.model.values import Micros, Outcome, Recording, Rows, State, Stream

_CHANGED = [
    "camera",
    "stream",
    "start",
    "n",
    "old_duration",
    "duration",
    "old_bytes",
    "bytes",
]
_DOUBTFUL = [
    "camera",
    "stream",
    "start",
    "n",
    "duration",
    "bytes",
    "reason",
    "path",
    "seen",
]


class Grown(NamedTuple):
    """A changed file as it is now; in doubt where its times can't be right."""

    item: Item
    duration: Micros
    size: int
    doubt: Doubt | None


class Rechecked(NamedTuple):
    """What became of the files that were not deleted for what they are."""

    grown: list[Grown]
    failures: list[tuple[tuple[int, int, int], str]]


def after_crash(root: OpenRoot, item: Item, outcome: Outcome) -> Outcome:
    """A file missing under an open intent of ours is our deletion; also where a hold
    placed since would have kept it, or a stop came first: then nobody looked yet.  One
    that is not `ours` is left to the scan."""
    if not item.ours:
        return outcome
    if outcome is Outcome.ABSENT:
        return Outcome.ABSENT_AFTER_CRASH
    if outcome in (Outcome.RESCUED, Outcome.STOPPED):
        try:
            if look(root, item.path) is None:
                return Outcome.ABSENT_AFTER_CRASH
        except OSError:
            pass  # kept, and looked at again in its own time
    return outcome


def recheck(
    root: OpenRoot,
    items: list[Item],
    outcomes: list[Outcome],
    reasons: dict[int, str],
    found: Iterable[Stream],
    following: Mapping[int, Micros],
    tolerance: Micros,
    now: Micros,
) -> Rechecked:
    """Look at each changed file of a batch again.  Never raises OSError.

    `following`: when the next of its stream begins, by the place of a file in the batch.
    """
    lengths = {stream.key: stream.max_length for stream in found}
    seen = Rechecked([], [])
    for number, outcome in enumerate(outcomes):
        if outcome not in (Outcome.CHANGED, Outcome.FAILED):
            continue
        item = items[number]
        grown = None
        if outcome is Outcome.CHANGED:
            rules = DatingRules(now, lengths[item.stream], tolerance)
            grown = _grown(root, item, Around(following.get(number)), rules)
        if grown is None:
            seen.failures.append((item.key, reasons.get(number, "unknown")))
        else:
            seen.grown.append(grown)
    return seen


def _grown(
    root: OpenRoot, item: Item, around: Around, rules: DatingRules
) -> Grown | None:
    try:
        file = look(root, item.path)
    except OSError:
        return None
    if file is None or file.odd or file.links != 1 or file.size < item.size:
        return None
    if item.wrong is not None:
        if not item.wrong.doubted:
            return None
        doubt = Doubt(rules.now, file.mtime, item.wrong.reason)
        return Grown(item, item.duration, file.size, doubt)
    fits = item.earliest_mtime <= file.mtime <= item.latest_mtime
    if fits and file.size == item.size:
        return None  # as catalogued by now: tried again as it is
    state = State.QUARANTINED if item.doubtful else State.PRESENT
    row = Recording(*item.key, item.duration, item.size, state)
    judged = judge_change(row, None, file.size, file.mtime, around, rules)
    if isinstance(judged, WrittenOn):
        return Grown(item, judged.duration, judged.size, None)
    if isinstance(judged, Doubt):
        return Grown(item, item.duration, file.size, judged)
    return None


def note_grown(
    catalogue: Catalogue, tx: Transaction, grown: list[Grown], now: Micros
) -> None:
    """Write the later ends and the doubts of files whose rows are present again, and
    an entry for each of the two."""
    if not grown:
        return
    rows = [recordings.get(tx, one.item.key) for one in grown]
    known = borne_out.doubts(catalogue, tx, filter(None, rows), now)
    found = streams.by_keys(tx, {one.item.stream for one in grown})
    by_key = {one.key: one for one in borne_out.streams(catalogue, tx, found)}
    doubtful = list[tuple[Grown, Doubt]]()
    for one, row in zip(grown, rows, strict=True):
        kept = one.doubt
        if row is not None and kept is None:
            recordings.extend(tx, row, one.duration, one.size)
        elif row is not None and kept is not None:
            # Of one whose row is wrong, what it says of its end starts no period either.
            if one.item.wrong is None:
                stream, before = by_key[row.stream], known.get(row.key)
                kept = recordings.counted(tx, stream, row, one.size, kept, before)
            recordings.quarantine(tx, row, one.size, kept)
        if kept is not None:
            doubtful.append((one, kept))
    # Also of a doubtful one the bytes: the books of a day count them.
    later = [one for one in grown if one.doubt is None or one.size != one.item.size]
    if later:
        tx.append("recording.changed", {"count": len(later)}, _changed(later))
    if doubtful:
        fields = {"count": len(doubtful)}
        tx.append("recordings.quarantined", fields, _doubtful(doubtful))


def _changed(grown: list[Grown]) -> Rows:
    return Rows(
        tuple(_CHANGED),
        [
            (*item[:4], item.duration, duration, item.size, size)
            for item, duration, size, _ in grown
        ],
    )


def _doubtful(grown: list[tuple[Grown, Doubt]]) -> Rows:
    return Rows(
        tuple(_DOUBTFUL),
        [
            (*one.item[:4], one.duration, one.size, doubt.reason, one.item.stored,
             doubt.seen)
            for one, doubt in grown
        ],
    )  # fmt: skip
