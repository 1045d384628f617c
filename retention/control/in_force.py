"""The catalogue's rows against its log: rows that protect less than the log says stop all
deletion, rows that protect more are an alarm (design, section 9: *the log rules*).

A row is one witness: whoever can write into the file, or a bit that flips there, changes
it without a word.  The entry that put it in force is the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import cameras as register
from retention.catalogue import (
    holds,
    log,
    plans,
    policies,
    quarantine,
    roots,
    streams,
)
from retention.catalogue.db import PAUSE_FACT, get_fact
from retention.catalogue.entries import CatalogueSource
from retention.control import rules, rulings, standing
from retention.control.alarms import Condition, Stands
from retention.model.answers.hold import WHOLE
from retention.model.errors import (
    MismatchError,
    StaleError,
    VerificationError,
    put_back,
)
from retention.model.localtime import format_duration, format_utc
from retention.model.values import FOREVER, HOUR, Micros, Stream, Window
from retention.tlog.canonical import UNREADABLE
from retention.tlog.in_force import (
    KINDS,
    HoldSaid,
    InForce,
    Key,
    ReleaseSaid,
    StreamSaid,
)
from retention.tlog.unsigned import RESTORED

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.catalogue.db import Catalogue
    from retention.catalogue.ruling_requests import RulingRequest, RulingRow
    from retention.control.context import Context

PAGE = 5_000
"""Entries that are taken in in one reading."""
HOLDS = 2_000
"""Holds that are compared in one reading."""
SHOWN = 5
"""Differences that a detail names."""


class Differences(NamedTuple):
    """Sentences: what rows protect less than the log says, and what they protect more."""

    less: list[str]
    more: list[str]


def refuse_less(
    catalogue: Catalogue,
    tx: Connection,
    cameras: Collection[int],
    now: Micros,
    hold: int | None = None,
) -> None:
    """MismatchError where a row of these cameras, or of this hold, protects less than the
    log says.

    In the transaction of an intent or a release: nothing is freed by such a row.  Its
    cost follows the holds on these cameras.
    """
    with catalogue.said_mutex:
        said = caught_up(catalogue, tx)
        if said is None:
            return
        wanted = _held_by(said, cameras)
        if hold in said.holds:
            wanted[hold] = said.holds[hold]
        less = [
            *_holds_less(tx, said, wanted, now, cameras),
            *_others(tx, said, cameras, now),
            *_plans(catalogue, tx, said, now),
        ]
    if less:
        raise MismatchError(_told(less))


def refuse_ruling(
    catalogue: Catalogue,
    tx: Connection,
    request: RulingRequest,
    rows: Sequence[RulingRow] = (),
) -> dict[Key, int]:
    """MismatchError where a ruling that two people give, or these of its rows, are not
    what the first of them asked for by the log; else the bytes that each recording of it
    had then, by the log."""
    with catalogue.said_mutex:
        said = caught_up(catalogue, tx)
        if said is None:
            return {}
        less = [
            *rulings.request_less(said, request),
            *rulings.rows_less(tx, said, request.number, rows),
        ]
        asked = said.rulings.get(request.number)
        sizes = {key: row.size for key, row in asked.rows.items()} if asked else {}
    if less:
        raise MismatchError(_told(less))
    return sizes


def doubts_said(
    catalogue: Catalogue, tx: Connection, keys: Iterable[Key]
) -> dict[Key, Micros | None]:
    """Those of these recordings that are in quarantine by the log, and from when their
    period counts (None: an older log does not say)."""
    with catalogue.said_mutex:
        said = caught_up(catalogue, tx)
        if said is None:
            raise StaleError("the log grew while it was read; it is read again")
        return {key: said.doubts[key] for key in keys if key in said.doubts}


def doubts_now(
    catalogue: Catalogue, tx: Connection, keys: Iterable[Key]
) -> dict[Key, Micros | None]:
    """As `doubts_said`, by the newest that is known of the log, be it newer than `tx`;
    nothing where it can't be read, as the guard says."""
    with catalogue.said_mutex:
        said = _newest(catalogue, tx)
        return {key: said.doubts[key] for key in keys if key in said.doubts}


def streams_now(
    catalogue: Catalogue, tx: Connection
) -> tuple[dict[int, Micros | None], dict[int, Micros]]:
    """In the same way since when the times of streams are in doubt, and how long a
    recording of each may be at least."""
    with catalogue.said_mutex:
        said = _newest(catalogue, tx)
        return dict(said.doubted), dict(said.lengths)


def _newest(catalogue: Catalogue, tx: Connection) -> InForce:
    try:
        return caught_up(catalogue, tx) or catalogue.said
    except MismatchError:
        return InForce()


def compare(catalogue: Catalogue, tx: Connection, now: Micros) -> Differences:
    """All rows against the log; nothing where others wrote since `tx` began."""
    with catalogue.said_mutex:
        said = caught_up(catalogue, tx)
        if said is None:
            return Differences([], [])
        holds_, others = _holds(tx, said, now), _rest(catalogue, tx, said, now)
        return Differences(holds_.less + others.less, holds_.more + others.more)


def compared(catalogue: Catalogue, now: Micros) -> Differences:
    """As `compare`, some holds in each reading, which has log and rows as of one
    instant."""
    learn(catalogue)
    _read_plans(catalogue, now)
    found, first, last = Differences([], []), 0, 0
    while first <= last:
        with catalogue.read() as tx, catalogue.said_mutex:
            said = caught_up(catalogue, tx)
            if said is None:
                return Differences([], [])
            last = max(holds.newest(tx), *said.holds, 0)
            parts = [_holds(tx, said, now, range(first, first + HOLDS))]
            if first == 0:
                parts.append(_rest(catalogue, tx, said, now))
        for part in parts:
            found.less.extend(part.less)
            found.more.extend(part.more)
        first += HOLDS
    return found


def _holds(
    tx: Connection, said: InForce, now: Micros, numbers: range | None = None
) -> Differences:
    """The holds, those of some numbers or all."""
    keys = said.holds if numbers is None else [n for n in numbers if n in said.holds]
    wanted = {key: said.holds[key] for key in keys}
    return Differences(
        list(_holds_less(tx, said, wanted, now, None)),
        list(_holds_more(tx, said, now, numbers)),
    )


def _rest(
    catalogue: Catalogue, tx: Connection, said: InForce, now: Micros
) -> Differences:
    """All but the holds."""
    every = register.keys(tx) | said.custody.keys()
    less = [
        *_others(tx, said, every, now),
        *_plans(catalogue, tx, said, now),
        *rulings.less(tx, said),
    ]
    return Differences(less, list(_periods_more(tx, said, every)))


def found(context: Context) -> Differences:
    """As `compared`; where the log itself can't be read, that is what protects less."""
    try:
        return compared(context.catalogue, context.now)
    except MismatchError as error:
        return Differences([str(error)], [])


def mismatch(context: Context, _: Connection) -> Stands:
    """The guard *mismatch*: what the rows protect less."""
    return _stands(_watched(context).less, context.now)


def unlogged(context: Context, _: Connection) -> Stands:
    """The alarm *unlogged*: what the rows protect more."""
    return _stands(_watched(context).more, context.now)


def _stands(sentences: list[str], now: Micros) -> Stands:
    found = {"": Condition(_told(sentences))} if sentences else {}
    return Stands(found, (now // HOUR + 1) * HOUR)


def _told(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - SHOWN} more" if len(sentences) > SHOWN else ""
    return "; ".join(sentences[:SHOWN]) + more


def _watched(context: Context) -> Differences:
    """Compared where holds or what the log puts in force moved since, where somebody else
    wrote into the file, and once an hour: what is compared is small, but not nothing."""
    catalogue = context.catalogue
    learn(catalogue)
    with catalogue.read() as tx:
        with catalogue.said_mutex:
            said = caught_up(catalogue, tx)
        moves = None if said is None else said.moves
        version = holds.moved(tx, context.now).version
    key = (moves, version, catalogue.foreign, context.now // HOUR)
    kept = catalogue.compared
    if kept is None or kept[0] != key:
        kept = catalogue.compared = key, compared(catalogue, context.now)
    found: Differences = kept[1]
    return found


def learn(catalogue: Catalogue, alive: Callable[[], object] = lambda: None) -> None:
    """Take in what the log has since, at a start all of it, some entries in each reading,
    and `alive` is told before each.  Where it can't be read, whoever asks what it says is
    told."""
    behind = True
    while behind:
        alive()
        with catalogue.read() as tx, catalogue.said_mutex:
            try:
                said = caught_up(catalogue, tx, PAGE)
            except MismatchError:
                return
            behind = said is not None and said.size < log.size(tx)


def caught_up(
    catalogue: Catalogue, tx: Connection, most: int | None = None
) -> InForce | None:
    """What its log says, with the entries since, or the next so many of them; None where
    the transaction is older than what is known.  Its mutex is held."""
    said, size = catalogue.said, log.size(tx)
    if size < said.size:
        return None
    if size > said.size:
        source = CatalogueSource(tx)
        catalogue.said = InForce()  # begun anew where only half of it is taken in
        try:
            if said.size == 0 or any(source.of_kinds((RESTORED,), said.size)):
                # What came back is judged by what this entry says, which follows it.
                unsigned = tuple(log.unsigned(tx))
                if said.size == 0 or unsigned != said.unsigned:
                    said = InForce(unsigned)
            until = size if most is None else min(size, said.size + most)
            new = source.of_kinds(KINDS, said.size)
            said.take(takewhile(lambda one: one.number < until, new), until)
        except (VerificationError, *UNREADABLE) as error:
            raise MismatchError(
                f"the catalogue's own log can't be read ({error}), so that nothing says "
                f"what is in force. To mend it: {put_back()}"
            ) from error
        catalogue.said = said
    return said


def _held_by(said: InForce, cameras: Collection[int]) -> dict[int, HoldSaid]:
    keys = {key for camera in cameras for key in said.by_camera.get(camera, ())}
    return {key: said.holds[key] for key in sorted(keys)}


# -- holds --------------------------------------------------------------------------------


def _holds_less(
    tx: Connection,
    said: InForce,
    wanted: dict[int, HoldSaid],
    now: Micros,
    cameras: Collection[int] | None,
) -> Iterator[str]:
    """What holds in force by the log cover that their rows do not."""
    wanted = {key: one for key, one in wanted.items() if one.in_force(now)}
    yield from (text for _, text in less_of_holds(tx, wanted, cameras))
    for key, request in holds.requests(tx).items():
        ours = key in wanted or key not in said.holds
        if ours and request_of(request) != said.request(key):
            yield f"a release of hold {key} waits that nobody asked for by the log"


def less_of_holds(
    tx: Connection, said: Mapping[int, HoldSaid], cameras: Collection[int] | None
) -> Iterator[tuple[int, str]]:
    """Of these holds, as the log has them in force, what their rows cover less, in words;
    with `cameras` of no others."""
    rows = holds.by_keys(tx, said)
    known = register.keys(tx) if cameras is None else set(cameras)
    covered = holds.cameras_of_all(tx, said, cameras)
    for key, one in said.items():
        row = rows.get(key)
        if row is None:
            yield key, f"hold {key} is gone: the log has it in force"
            continue
        yield from ((key, text) for text in _covers_less(row, one))
        if missing := one.cameras & known - set(covered[key]):
            names = ", ".join(map(str, sorted(missing)[:SHOWN]))
            yield (
                key,
                f"hold {key} covers cameras less than the log says (keys {names})",
            )


def _covers_less(row: Row[Any], one: HoldSaid) -> Iterator[str]:
    window = Window(row.since, row.until)
    if window.start > one.window.start or window.end < one.window.end:
        yield (
            f"hold {row.key} covers {_times(window)}, the log says {_times(one.window)}"
        )
    if (row.free_at or FOREVER) < (one.free_at or FOREVER):
        until = "its release" if one.free_at is None else format_utc(one.free_at)
        yield f"hold {row.key} ends before {until}, until when the log has it in force"


def _times(window: Window) -> str:
    end = "its release" if window.end >= FOREVER else format_utc(window.end)
    return f"{format_utc(window.start)} to {end}"


def request_of(row: Row[Any]) -> ReleaseSaid:
    """Who asked for a release, by its row."""
    return ReleaseSaid(row.uid, row.login, row.entry)


def _holds_more(
    tx: Connection, said: InForce, now: Micros, numbers: range | None
) -> Iterator[str]:
    """What holds in force by their rows cover that the log does not know."""
    rows = holds.listing(tx, now)
    if numbers is not None:
        rows = takewhile(
            lambda row: row.key in numbers,
            holds.listing(tx, now, after=numbers.start - 1),
        )
    for key, parts in more_of_holds(tx, said, now, rows).items():
        if parts == [WHOLE]:
            yield f"hold {key} is in force by its row alone: not in the log"
        else:
            more = " and ".join(parts)
            yield f"hold {key} covers more than the log says: its {more}"


def is_logged(catalogue: Catalogue, tx: Connection, hold: int) -> bool:
    """Whether the log has a hold, in force or not."""
    with catalogue.said_mutex:
        said = caught_up(catalogue, tx)
    return said is None or hold in said.holds


def more_of_holds(
    tx: Connection, said: InForce, now: Micros, rows: Iterable[Row[Any]]
) -> dict[int, list[str]]:
    """What of these holds, by number, is in force by their rows alone: `WHOLE`, or which
    parts: the end is that of its cooling off."""
    known = {row.key: row for row in rows if (row.free_at or FOREVER) > now}
    covered = holds.cameras_of_all(tx, known)
    found = {}
    for key, row in known.items():
        one = said.holds.get(key)
        if one is None or not one.in_force(now):
            found[key] = [WHOLE]
            continue
        wider = row.since < one.window.start or row.until > one.window.end
        longer = (row.free_at or FOREVER) > (one.free_at or FOREVER)
        cameras = set(covered[key]) - one.cameras
        parts = {"window": wider, "cameras": cameras, "end": longer}
        if any(parts.values()):
            found[key] = [name for name, more in parts.items() if more]
    return found


# -- what else frees footage --------------------------------------------------------------


def _others(
    tx: Connection, said: InForce, cameras: Collection[int], now: Micros
) -> Iterator[str]:
    """What protects less besides, as far as it concerns these cameras."""
    yield from _periods(tx, said, cameras)
    for rule in rules.weaker_than(tx, said.rules):
        yield f"the rule {rule} is weaker than the log says"
    if said.paused is not None and said.paused > now:
        pause = get_fact(tx, PAUSE_FACT)
        if pause is None or pause["until"] < said.paused:
            yield f"deletion is paused until {format_utc(said.paused)} by the log alone"
    yield from _custody(tx, said, cameras)
    yield from _streams(tx, said, cameras)
    yield from standing.less(tx, said, now)


def _read_plans(catalogue: Catalogue, now: Micros) -> None:
    """Lists may be long, so they are read before they are asked for, in parts."""
    key = (catalogue.foreign, now // HOUR)
    with catalogue.read() as tx:
        approved = [plan.key for plan in plans.approved(tx)]
    for plan in approved:
        if catalogue.planned.get(plan, ("", ""))[0] != key:
            digest = plans.digest_in_parts(catalogue.read, plan)
            catalogue.planned[plan] = key, digest


def _plans(
    catalogue: Catalogue, tx: Connection, said: InForce, now: Micros
) -> Iterator[str]:
    """Each is approved, and lists what was.  A list does not change while its plan is
    carried out, so it is read again only where others wrote, and once an hour."""
    for plan in plans.approved(tx):
        if said.plans.get(plan.key) != plan.digest:
            yield f"plan {plan.key} is approved by its row alone: not in the log"
            continue
        key = (catalogue.foreign, now // HOUR)
        if catalogue.planned.get(plan.key, ("", ""))[0] != key:
            catalogue.planned[plan.key] = key, plans.digest(tx, plan.key)
        if catalogue.planned[plan.key][1] != plan.digest:
            yield f"plan {plan.key} lists other recordings than were approved by the log"


def _periods(tx: Connection, said: InForce, cameras: Collection[int]) -> Iterator[str]:
    if said.policy is None:
        return
    policy = policies.current(tx)
    if policy is None:
        yield "the retention periods are gone: the log has them"
        return
    for camera in sorted(cameras):
        kept, days = policy.days_of(camera), said.policy.days_of(camera)
        if kept < days:
            yield f"camera {camera} (key) is kept {kept} days, the log says {days}"


def weaker_than_log(tx: Connection) -> bool:
    """Whether periods or rules keep less in their rows than the log's own entries of them
    say, or these can't be read.  At a start that is asked before all of it is read."""
    said, entries = InForce(tuple(log.unsigned(tx))), CatalogueSource(tx)
    wanted = [kind for kind in KINDS if kind.startswith(("policy.", "rules."))]
    try:
        said.take(entries.of_kinds(wanted), log.size(tx))
    except (VerificationError, *UNREADABLE):
        return True
    less = _periods(tx, said, register.keys(tx))
    return any(less) or bool(rules.weaker_than(tx, said.rules))


def gone_streams(catalogue: Catalogue, tx: Connection) -> set[StreamSaid]:
    """Streams that the log has and no row is of.  Nothing where the log can't be read, as
    the guard says."""
    with catalogue.said_mutex:
        try:
            said = caught_up(catalogue, tx)
        except MismatchError:
            return set()
    if said is None:
        return set()
    there = {one.key for one in streams.by_keys(tx, said.streams)}
    return {one for key, one in said.streams.items() if key not in there}


def _periods_more(
    tx: Connection, said: InForce, cameras: Collection[int]
) -> Iterator[str]:
    for camera, (kept, days) in _longer(tx, said, cameras).items():
        yield (
            f"camera {camera} (key) is kept {kept} days by its row alone, the log says "
            f"{days}"
        )


def _longer(
    tx: Connection, said: InForce, cameras: Collection[int]
) -> dict[int, tuple[int, int]]:
    policy = policies.current(tx)
    if said.policy is None or policy is None:
        return {}
    days = {key: (policy.days_of(key), said.policy.days_of(key)) for key in cameras}
    return {key: both for key, both in sorted(days.items()) if both[0] > both[1]}


def longer_than_logged(
    catalogue: Catalogue, tx: Connection
) -> dict[int, tuple[int, int]]:
    """The cameras (keys) that the rows keep longer than the log says: days by the row,
    and by the log.  Nothing where the log can't be read, as the guard says."""
    with catalogue.said_mutex:
        try:
            said = caught_up(catalogue, tx)
        except MismatchError:
            return {}
    return {} if said is None else _longer(tx, said, register.keys(tx))


def _custody(tx: Connection, said: InForce, cameras: Collection[int]) -> Iterator[str]:
    for camera in sorted(said.custody.keys() & set(cameras)):
        row, custody = register.by_key(tx, camera), said.custody[camera]
        if row is None:
            yield f"camera {camera} (key) is gone: the log has it"
        elif row.custody != custody:
            yield (
                f"the data of camera {camera} (key) is in {row.custody} custody, the log "
                f"says {custody}"
            )


def _streams(tx: Connection, said: InForce, cameras: Collection[int]) -> Iterator[str]:
    """Each is there, and is what it was opened as; and what is in doubt of it."""
    names = {root.key: root.name for root in roots.everyone(tx)}
    wanted = {key for key, one in said.streams.items() if one.camera in cameras}
    rows = {row.key: row for row in streams.by_keys(tx, wanted)}
    rows |= {row.key: row for row in streams.of_cameras(tx, cameras)}
    for key in sorted(wanted | rows.keys()):
        row, one = rows.get(key), said.streams.get(key)
        if row is None:
            yield f"stream {key} is gone: the log has it"
            continue
        name = names.get(row.root, "?")
        if one is not None and one != StreamSaid(
            row.camera, name, row.layout, row.zone, row.name, row.extension
        ):
            yield (
                f"stream {key} is {name}/{row.name} of camera {row.camera} (key), the log "
                f"says {one.root}/{one.name} of camera {one.camera}"
            )
        yield from _doubted(said, row)
        if row.max_length < said.lengths.get(key, 0):
            length, wanted_ = row.max_length, said.lengths[key]
            yield (
                f"a recording of stream {key} is {format_duration(length)} at most, the "
                f"log says {format_duration(wanted_)}"
            )
    seen = {key: at for key, at in said.doubts.items() if key[0] in rows}
    for found, at in quarantine.less_in_doubt(tx, seen):
        yield f"recording {'/'.join(map(str, found))} {_doubt(at, seen[found])}"


def _doubted(said: InForce, row: Stream) -> Iterator[str]:
    if row.key in said.doubted:
        since = said.doubted[row.key]
        if row.quarantined is None:
            yield f"the times of stream {row.key} are in doubt by the log alone"
        elif since is not None and row.quarantined < since:
            yield (
                f"the times of stream {row.key} are in doubt since "
                f"{format_utc(row.quarantined)}, the log says {format_utc(since)}"
            )


def _doubt(row: Micros | None, log: Micros | None) -> str:
    if row is None or log is None:
        return "is in quarantine by the log alone"
    return f"is in quarantine since {format_utc(row)}, the log says {format_utc(log)}"
