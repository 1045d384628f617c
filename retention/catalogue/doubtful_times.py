"""Streams whose times are in doubt: why, and as sentences for people (design, section 5).

A person's ruling that the times are right is kept, so that the same is not asked again.
"""

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue import roots, streams
from retention.catalogue.db import Transaction, get_fact, put_fact
from retention.model.arrivals import MANY, NOTHING, Arrivals, Late
from retention.model.localtime import format_duration
from retention.model.values import Micros, Stream

ZONE = "zone"
"""Names are a multiple of half an hour out."""
DELAY = "delay"
"""Recordings arrive so long after their own end."""
AHEAD = "ahead"
"""Recordings are seen so long before their own end."""
NAMED = "named"
"""The modification times say no more than the names."""

_KINDS = (ZONE, DELAY, AHEAD, NAMED)
_ARRIVALS = "arrivals."
_FITS = "zone.fits."
_OFF = "zone.off."


class WrongTimes(NamedTuple):
    """What looks wrong with a stream, and by how much (0 where that says nothing)."""

    what: str
    by: Micros = 0


def found(tx: Connection, stream: int, what: str) -> Micros | None:
    """By how much that looked wrong last; None where it did not, or was ruled on."""
    by: Micros | None = get_fact(tx, f"{what}.found.{stream}")
    return by


def accepted(tx: Connection, stream: int, what: str) -> Micros | None:
    """Up to how much of it a person called right; None where nobody did."""
    by: Micros | None = get_fact(tx, f"{what}.accepted.{stream}")
    return by


def right_zones(tx: Connection, stream: int) -> tuple[Micros | None, Micros | None]:
    """By how much names may look out and are right: as a person said, and as was seen."""
    return accepted(tx, stream, ZONE), get_fact(tx, f"{_FITS}{stream}")


def fits(tx: Connection, stream: int, by: Micros) -> None:
    """Names that look out by so much were seen to be right."""
    put_fact(tx, f"{_FITS}{stream}", by)


def off(tx: Connection, stream: int) -> Micros | None:
    """By how much a person called the zone of a stream out, where nothing has shown
    since that it is put right."""
    by: Micros | None = get_fact(tx, f"{_OFF}{stream}")
    return by


def mended(tx: Connection, stream: int) -> None:
    """The names of a stream that was out are right again."""
    put_fact(tx, f"{_OFF}{stream}", None)


def doubt(
    tx: Transaction, stream: int, wrong: Iterable[WrongTimes], at: Micros
) -> bool:
    """The stream's times are in doubt from `at` on, on record; False where they were
    already."""
    if not streams.quarantine(tx, stream, at):
        return False
    by = {one.what: one.by for one in wrong}
    for what, amount in by.items():
        put_fact(tx, f"{what}.found.{stream}", amount)
    if by.keys() & {DELAY, AHEAD, NAMED} and ZONE not in by:
        delay = -by[AHEAD] if AHEAD in by else by.get(DELAY)
        tx.append("stream.doubted", stream=stream, delay=delay, since=at)
    else:
        offset = by.get(ZONE, 0)
        tx.append("stream.quarantined", stream=stream, offset=offset, since=at)
    return True


def inherit(tx: Transaction, old: Stream, new: Stream) -> None:
    """The recorder of a stream writes for another camera's now: what is known of its
    times is known of this one."""
    for what in _KINDS:
        if (by := accepted(tx, old.key, what)) is not None:
            put_fact(tx, f"{what}.accepted.{new.key}", by)
    wrong = [
        WrongTimes(what, by)
        for what in _KINDS
        if (by := found(tx, old.key, what)) is not None
    ]
    if old.quarantined is not None:
        doubt(tx, new.key, wrong, old.quarantined)


def rule(tx: Connection, stream: int, *, right: bool) -> None:
    """A person ruled on a stream: what looked wrong is right, or was put right.

    Put right for what is there: its recorder may go on as before, so that the first
    recording that shows the same brings the stream into doubt again.
    """
    named = not right and found(tx, stream, NAMED) is not None
    put_fact(tx, f"{_OFF}{stream}", None if right else found(tx, stream, ZONE))
    for what in _KINDS:
        by = found(tx, stream, what)
        if by is not None and right:
            put_fact(tx, f"{what}.accepted.{stream}", by)
        put_fact(tx, f"{what}.found.{stream}", None)
    put_arrivals(tx, stream, Arrivals(named=MANY - 1) if named else NOTHING)


def arrivals(tx: Connection, stream: int) -> Arrivals:
    """What is kept of a stream's last recordings."""
    kept = get_fact(tx, f"{_ARRIVALS}{stream}")
    if kept is None:
        return NOTHING
    late, named = kept
    return Arrivals(tuple(Late(*one) for one in late), named)


def put_arrivals(tx: Connection, stream: int, known: Arrivals) -> None:
    """Keep it; of a stream that is right nothing."""
    put_fact(tx, f"{_ARRIVALS}{stream}", None if known == NOTHING else list(known))


def written_on(tx: Connection, stream: int) -> None:
    """A file of the stream got a later time with what came to it: its times say more than
    its names, though it was first met with that of its name."""
    known = arrivals(tx, stream)
    if known.named:
        put_arrivals(tx, stream, known._replace(named=0))


class Doubtful(NamedTuple):
    """A stream in doubt: its root's name, by how much it is late (less than nothing: its
    clock is ahead), and the sentence."""

    stream: Stream
    root: str
    delay: Micros | None
    sentence: str

    @property
    def name(self) -> str:
        """The root's name, and what its recorder calls the camera."""
        return f"{self.root}/{self.stream.name}"


def in_doubt(tx: Connection) -> list[Doubtful]:
    """Every stream in doubt."""
    names = {row.key: row.name for row in roots.everyone(tx)}
    return [
        Doubtful(
            stream,
            names.get(stream.root, "?"),
            _delay(tx, stream.key),
            _sentence(tx, stream, f"{names.get(stream.root, '?')}/{stream.name}"),
        )
        for stream in streams.everyone(tx)
        if stream.quarantined is not None
    ]


def _delay(tx: Connection, stream: int) -> Micros | None:
    ahead = found(tx, stream, AHEAD)
    return found(tx, stream, DELAY) if ahead is None else -ahead


def sentences(tx: Connection, cameras: Container[int] | None = None) -> list[str]:
    """One sentence a stream in doubt, of all cameras or of these (by key)."""
    return [
        one.sentence
        for one in in_doubt(tx)
        if cameras is None or one.stream.camera in cameras
    ]


_RULE = "then rule with `retention recording resolve`"


def _sentence(tx: Connection, stream: Stream, name: str) -> str:
    delay, offset = _delay(tx, stream.key), found(tx, stream.key, ZONE)
    if delay is not None:
        out = format_duration(abs(delay))
        said = f"{out} behind, or it delivers late" if delay > 0 else f"{out} ahead"
        return f"the clock of {name} is {said}: compare the recorder's clock, {_RULE}"
    if offset is None and found(tx, stream.key, NAMED) is not None:
        return (
            f"the names of {name} say when recordings ended, or its modification times "
            f"say nothing: see which, {_RULE}"
        )
    out = "wrong" if offset is None else f"{format_duration(abs(offset))} out"
    return f"times of {name} look {out}: check the root's timezone, {_RULE}"


def unchecked(tx: Connection, cameras: Container[int]) -> Iterator[str]:
    """One sentence a stream of these cameras (by key) that a person called late but
    right: what arrival can't say of it."""
    names = {row.key: row.name for row in roots.everyone(tx)}
    for stream in streams.everyone(tx):
        late = accepted(tx, stream.key, DELAY)
        if stream.camera in cameras and late is not None:
            yield (
                f"{names[stream.root]}/{stream.name} delivers late, as was ruled: its "
                f"times can't be checked to within {format_duration(late)}"
            )
