"""Alarms that nobody is told of: where each stands follows from the catalogue.

The service asks for them in its rounds (`service.watch`), and has those stand that are
found, no others.  A function gives by scope what the alarm says there, and until when
that is so where nothing but time passes.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from retention.catalogue import (
    cameras,
    deliveries,
    doubtful_times,
    looks,
    policies,
    quarantine,
    raised,
    recordings,
    roots,
    streams,
    unknown,
)
from retention.catalogue.doubtful_times import Doubtful
from retention.catalogue.unknown import UNREGISTERED, Unknown
from retention.control import guards
from retention.control.alarms import Condition, Stands
from retention.footage.ingest.owners import not_ours
from retention.model.localtime import (
    counted,
    dated,
    format_duration,
    format_size,
    format_utc,
)
from retention.model.policy import BEGINNING, Policy
from retention.model.values import (
    DAY,
    FOREVER,
    Camera,
    Custody,
    Micros,
    Recording,
    Stream,
)
from retention.tlog.canonical import path_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.roots import Root
    from retention.control.context import Context

RUN = 20
"""Gaps that must all be short for a stream to count as continuous."""
SHOWN = 3
"""Examples that a detail names."""


def strangers(context: Context, tx: Connection) -> Stands:
    """By root: files of nobody that are older than the site's period, by their reason;
    of cameras that are not registered, of any age: no hold can cover them."""
    period = Policy(0, policies.policy_of(tx).days).period(0)
    before, until = context.now - period, FOREVER
    theirs, found = _not_ours(tx), {}
    for root in roots.everyone(tx):
        groups: dict[str, list[Unknown]] = {}
        for reason, rows in _of_nobody(tx, root).items():
            if reason not in theirs:
                unheld = reason.startswith(UNREGISTERED)
                old = [row for row in rows if unheld or row.oldest < before]
                young = (row.oldest for row in rows if row.oldest >= before)
                until = min([until, *(oldest + period + 1 for oldest in young)])
                groups |= {reason: old} if old else {}
        if groups:
            told = sorted(groups.items(), key=lambda one: -sum(r.files for r in one[1]))
            found[root.name] = Condition("; ".join(_group(*one) for one in told))
    return Stands(found, until)


def custody(context: Context, tx: Connection) -> Stands:
    """By root and camera: files of those whose footage the council must not hold, of any
    age."""
    theirs = _not_ours(tx)
    return Stands(
        {
            f"{root.name}/{theirs[reason].id}": Condition(
                _group(reason, rows), (theirs[reason].key,)
            )
            for root in roots.everyone(tx)
            for reason, rows in _of_nobody(tx, root).items()
            if reason in theirs
        }
    )


def _not_ours(tx: Connection) -> dict[str, Camera]:
    """By the reason why its files are nobody's, each camera that is not the council's."""
    found = ((not_ours(one), one) for one in cameras.everyone(tx))
    return {why: one for why, one in found if why is not None}


def _of_nobody(tx: Connection, root: Root) -> dict[str, list[Unknown]]:
    """A root's unknown files by their reason."""
    groups = defaultdict(list)
    for row in unknown.listing(tx, root.key, 1_000_000):
        groups[row.reason].append(row)
    return groups


def _group(reason: str, rows: list[Unknown]) -> str:
    files, size = sum(row.files for row in rows), format_size(sum(r.size for r in rows))
    oldest = min(rows, key=lambda row: row.oldest)
    example = path_text(oldest.directory + b"/" + oldest.example).lstrip("/")
    return (
        f"{counted(files, 'file')}, {size}, in {counted(len(rows), 'directory', 'directories')}: {reason} "
        f"(one is {example}, the oldest is {dated(oldest.oldest)})"
    )


def silent(context: Context, tx: Connection) -> Stands:
    """By root: streams that recorded without a gap, and record no more.

    One that is silent stays so when the last of its recordings is deleted.
    """
    standing = {(one.name, one.scope): one for one in raised.everyone(tx)}
    found_roots = roots.everyone(tx)
    known = {stream.key: stream for stream in streams.everyone(tx)}
    newest = {
        row.stream: row
        for root in found_roots
        for row in recordings.newest(tx, root.key)
    }
    in_doubt = quarantine.last_in_doubt(tx)
    ends = {
        key: _last_sign(row, in_doubt.get(key), known[key], context.now)
        for key, row in newest.items()
    }
    going = {
        key: end
        for key, end in ends.items()
        if not _is_over(end, known[key], context.now)
    }
    until = min(
        (end + 2 * known[key].max_length + 1 for key, end in going.items()),
        default=FOREVER,
    )
    # Cameras of which some stream goes on, and those that are to record no more.
    others = {one.key for one in cameras.everyone(tx) if one.retired} | {
        known[key].camera for key in going
    }
    found = {}
    for root in found_roots:
        if (guards.ROOT, root.name) in standing:
            continue  # that alarm says it
        before = standing.get((guards.SILENT, root.name))
        told = set() if before is None else set(before.cameras)
        over = []
        for stream in known.values():
            if stream.root == root.key and stream.camera not in others:
                row = newest.get(stream.key)
                if stream.camera in told or _was_continuous(tx, row, stream):
                    over.append((ends.get(stream.key, BEGINNING), stream))
        if over:
            found[root.name] = _silence(
                over, sum(s.root == root.key for s in known.values())
            )
    return Stands(found, until)


def _last_sign(
    row: Recording, in_doubt: Micros | None, stream: Stream, now: Micros
) -> Micros:
    """The end of a stream's newest recording; where that is long ago, when the last in
    doubt came: their names may be old, and they come all the same."""
    if not _is_over(row.end, stream, now):
        return row.end
    return max(row.end, in_doubt or row.end)


def _is_over(end: Micros, stream: Stream, now: Micros) -> bool:
    return now - end > 2 * stream.max_length


def _silence(over: list[tuple[Micros, Stream]], of: int) -> Condition:
    over.sort(key=lambda pair: (pair[0], pair[1].key))
    names = ", ".join(
        stream.name + ("" if end == BEGINNING else f" since {format_utc(end)}")
        for end, stream in over[:SHOWN]
    )
    more = f" and {len(over) - SHOWN} more" if len(over) > SHOWN else ""
    return Condition(
        f"{len(over)} of {of} streams record no more: {names}{more}",
        tuple(stream.camera for _, stream in over),
    )


def _was_continuous(tx: Connection, newest: Recording | None, stream: Stream) -> bool:
    if newest is None:
        return False
    rows = recordings.before(tx, stream.key, FOREVER, RUN + 1)
    gaps = [later.start - earlier.end for later, earlier in pairwise(rows)]
    return len(gaps) == RUN and max(gaps) <= stream.max_length


def unseen(context: Context, tx: Connection) -> Stands:
    """Cameras of the register that never recorded, a day after all roots were read."""
    read = [root.adopted for root in roots.everyone(tx)]
    after = max((FOREVER if at is None else at + DAY for at in read), default=FOREVER)
    if context.now < after:
        return Stands({}, after)
    recorded = {stream.camera for stream in streams.everyone(tx)}
    missing = [
        one
        for one in cameras.current(tx).values()
        if one.custody is Custody.COUNCIL
        and one.listed
        and not one.retired
        and one.key not in recorded
    ]
    if not missing:
        return Stands({})
    names = ", ".join(one.id for one in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    said = f"no recording of {names}{more} was ever seen"
    return Stands({"": Condition(said, tuple(one.key for one in missing))})


def doubtful(context: Context, tx: Connection) -> Stands:
    """By root and stream: why its times are in doubt.  All streams of a root out by
    about as much are one, its recorder's clock; all streams of all roots are this
    machine's."""
    found: dict[str, Condition] = {}
    by_root: dict[int, list[Doubtful]] = defaultdict(list)
    for one in doubtful_times.in_doubt(tx):
        by_root[one.stream.root].append(one)
    tolerance = context.settings.retention.clock_tolerance
    every = [one for those in by_root.values() for one in those]
    if len(by_root) > 1 and _are_alike(every, len(streams.everyone(tx)), tolerance):
        where = f"all {len(every)} streams of all {len(by_root)} roots"
        clocks = ("this machine's", "every recorder's")
        return Stands({"": _one_clock(every, where, clocks)})
    for root, those in by_root.items():
        name = those[0].root
        if len(those) > 1 and _are_alike(
            those, len(streams.of_root(tx, root)), tolerance
        ):
            where = f"all {len(those)} streams of {name}"
            clocks = ("its recorder's", "this machine's")
            found[name] = _one_clock(those, where, clocks)
        else:
            for one in those:
                found[one.name] = Condition(one.sentence, (one.stream.camera,))
    return Stands(found)


def _are_alike(those: list[Doubtful], of: int, tolerance: Micros) -> bool:
    """Whether all of so many streams are out by about as much."""
    delays = [one.delay for one in those if one.delay is not None]
    return len(delays) == of and max(delays) - min(delays) <= tolerance


def _one_clock(those: list[Doubtful], where: str, clocks: tuple[str, str]) -> Condition:
    """Streams that are alike, and the two clocks, the likelier first, that may be wrong."""
    delay = max((one.delay or 0 for one in those), key=abs)
    late = delay > 0
    when, likely, other = (
        ("after", "behind", "ahead") if late else ("before", "ahead", "behind")
    )
    if clocks[0].startswith("this"):
        likely, other = other, likely
    return Condition(
        f"{where} arrive about {format_duration(abs(delay))} {when} their own ends: "
        f"{clocks[0]} clock is {likely}, or {clocks[1]} is {other}",
        tuple(sorted({one.stream.camera for one in those})),
    )


def quarantined(context: Context, tx: Connection) -> Stands:
    """By root: recordings whose own times are in doubt, of which no other alarm tells."""
    ids = {camera.key: camera.id for camera in cameras.everyone(tx)}
    found = {}
    for root in roots.everyone(tx):
        groups = deliveries.others(tx, root.key)
        if groups:
            told = [
                f"{one.files:,} of {ids[one.camera]} ({one.reason})" for one in groups
            ]
            more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
            found[root.name] = Condition(
                f"{counted(sum(one.files for one in groups), 'recording')} in doubt: "
                f"{', '.join(told[:SHOWN])}{more}; kept from when they were first seen, "
                "and held by any hold on their camera",
                tuple(sorted({one.camera for one in groups})),
            )
    return Stands(found)


def times_moved(context: Context, tx: Connection) -> Stands:
    """By root: its files' modification times moved all at once within the last week."""
    found = {}
    for root in roots.everyone(tx):
        shifts = looks.moved(tx, root.name, context.now - 7 * DAY)
        if shifts:
            said = " and ".join(format_duration(shift) for shift in shifts)
            cameras = {stream.camera for stream in streams.of_root(tx, root.key)}
            found[root.name] = Condition(
                f"files of {root.name} have other modification times than the catalogue "
                f"says, all of them by {said}: these moved at once, or its rows were "
                "changed",
                tuple(sorted(cameras)),
            )
    return Stands(found, context.now if found else FOREVER)
