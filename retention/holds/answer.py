"""What a hold keeps and what it came too late for, as the caller is told (P7).

Times lie within the time asked for, in UTC; lists have at most `MOST` spans (of
one reason), the last of a longer one has `more`: how many it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from retention.catalogue import doubtful_times, streams
from retention.control import acknowledge
from retention.control.alarms import doubt_of_clock
from retention.holds.accounting import GONE, Account, accounts
from retention.model.answers.alarm import AlarmShown
from retention.model.answers.hold import (
    GoneStretch,
    HeldCamera,
    Inspection,
    OpenStretch,
    Protected,
    ProtectedInAll,
    RecorderDeletes,
    SilentStretch,
)
from retention.model.coverage import FUTURE, NO_GAP, Fate, Piece, length
from retention.model.localtime import format_utc, utc_or_null
from retention.model.policy import merge, overlaps
from retention.model.values import SECOND, Camera, Window

if TYPE_CHECKING:
    from retention.control.context import Context
    from retention.control.gate import Rescue
    from retention.holds.gone import Gone
    from retention.holds.terms import AskedTimes

MOST = 50

T = TypeVar("T")


class Counted(NamedTuple):
    """The part of an answer that is counted; its names are those of the answer."""

    cameras: list[HeldCamera]
    total: ProtectedInAll
    outcome_follows: int
    clock_in_doubt: str | None
    times_in_doubt: list[str]
    alarms: list[AlarmShown]
    all_preserved: bool
    inspection: Inspection | None = None


def answer_of(
    context: Context,
    hold: AskedTimes,
    cameras: list[Camera],
    rescue: Rescue,
    settled: bool,
    unfinished: set[str],
) -> Counted:
    """What of the time asked for is protected, gone, not known or still to come.

    Every instant of the asked window of each camera is accounted for.  `protected` has
    the recordings that the hold keeps (also those in its margin, and those whose times
    are in doubt: `in_doubt`) and the seconds of the asked window that they cover;
    `surplus_seconds` is what is kept outside the asked window.  `rescue` and `settled`
    are what the gate said as the hold took effect; `unfinished` the roots whose last
    look did not come to its end.  The hold may stand by now, so that its answer is not
    refused for taking long.
    """
    with context.catalogue.read(whole=True) as tx:
        found = accounts(tx, context, hold, cameras, rescue.rescued, unfinished)
        keys = {camera.key for camera in cameras}
        doubts = doubtful_times.sentences(tx, keys)
        doubts += doubtful_times.unchecked(tx, keys)
        in_roots = streams.recorded_in(tx)(keys)
        standing = acknowledge.of_hold(
            acknowledge.standing(context, tx),
            hold.number,
            keys,
            in_roots,
        )
        alarms = acknowledge.shown(tx, standing)
        clock = doubt_of_clock(tx, context.now)
    lines = [_line(account, hold.asked) for account in found]
    follows = sum(account.footage.follows for account in found)
    if not settled:
        follows += _unsettled_in_doubt(rescue, hold.window)
    return Counted(
        cameras=lines,
        total=_total(lines),
        outcome_follows=follows,
        clock_in_doubt=clock,
        times_in_doubt=doubts,
        alarms=alarms,
        all_preserved=bool(found) and all(map(_preserved, found)),
    )


def _total(lines: list[HeldCamera]) -> ProtectedInAll:
    kept = [line.protected for line in lines]
    return ProtectedInAll(
        recordings=sum(one.recordings for one in kept),
        seconds=sum(one.seconds for one in kept),
        bytes=sum(one.bytes for one in kept),
        in_doubt=sum(one.in_doubt for one in kept),
        empty=sum(one.empty for one in kept),
        surplus_seconds=sum(line.surplus_seconds for line in lines),
    )


def _unsettled_in_doubt(rescue: Rescue, window: Window) -> int:
    """Files being unlinked that only the doubt about their times put under the hold:
    they are in no window that could be counted."""
    files = [flight.files[number] for flight, number in rescue.unlinking]
    return sum(not overlaps((window,), file.start, file.end) for file in files)


def _preserved(account: Account) -> bool:
    """Whether the whole asked window of a camera is protected, or still to come, by
    files that have something in them."""
    return not account.footage.empty and all(
        piece.fate is Fate.PROTECTED or piece[2:] == (Fate.PENDING, FUTURE)
        for piece in account.pieces
    )


def _line(account: Account, asked: Window) -> HeldCamera:
    """All that is said of one camera."""
    camera, footage, pieces, without, gone, beside = account
    by_fate = {fate: [one for one in pieces if one.fate is fate] for fate in Fate}
    by_fate |= {fate: [one for one in without if one.fate is fate] for fate in GONE}
    seen = length(Window(*piece[:2]) for piece in by_fate[Fate.PROTECTED])
    return HeldCamera(
        camera=camera.id,
        location=camera.location,
        view=camera.view,
        protected=Protected(
            recordings=footage.kept.number,
            seconds=round(seen / SECOND),
            bytes=footage.kept.size,
            in_doubt=footage.in_doubt,
            empty=footage.empty,
        ),
        recorder_deletes=RecorderDeletes(
            utc_or_null(footage.gone_at), footage.gone_known
        ),
        deleted=_gone(by_fate[Fate.DELETED], gone, deleted=True),
        lost=_gone(by_fate[Fate.LOST], gone, deleted=False),
        no_recording_seen=_listed(by_fate[Fate.SILENT], _silent),
        not_known=_listed(by_fate[Fate.UNKNOWN], _open),
        pending=_by_reason(by_fate[Fate.PENDING]),
        files_beside=beside[:MOST],
        surplus_seconds=round(footage.surplus(asked) / SECOND),
    )


def _gone(
    pieces: Sequence[Piece], gone: Sequence[Gone], *, deleted: bool
) -> list[GoneStretch]:
    """Stretches that are gone, each with the last entry that says so and how many files
    and entries there are."""
    rows = [one for one in gone if one.deleted is deleted]

    def said(part: Sequence[Piece]) -> GoneStretch:
        within = tuple(Window(*piece[:2]) for piece in part)
        near = tuple(
            merge(Window(one.start - NO_GAP, one.end + NO_GAP) for one in within)
        )
        found = [row for row in rows if overlaps(within, row.start, row.end)]
        # The second or so between two recordings alone: what is beside it has it.
        found = found or [row for row in rows if overlaps(near, row.start, row.end)]
        last = max(found, key=lambda row: row.entry)
        return GoneStretch(
            *_ends(part),
            at=format_utc(last.at),
            entry=last.entry,
            entries=len({row.entry for row in found}),
            recordings=len(found),
            more=_more(part),
        )

    return _listed(pieces, said)


def _listed(pieces: Sequence[Piece], said: Callable[[Sequence[Piece]], T]) -> list[T]:
    """What is said of each piece; where there are too many, of the rest as one."""
    parts: list[Sequence[Piece]] = [[piece] for piece in pieces[: MOST - 1]]
    rest = pieces[MOST - 1 :]
    if rest:
        parts.append(rest)
    return [said(part) for part in parts]


def _silent(part: Sequence[Piece]) -> SilentStretch:
    return SilentStretch(*_ends(part), more=_more(part))


def _open(part: Sequence[Piece]) -> OpenStretch:
    why = ", ".join(dict.fromkeys(piece.why for piece in part))
    return OpenStretch(*_ends(part), why=why, more=_more(part))


def _by_reason(pieces: Sequence[Piece]) -> list[OpenStretch]:
    """The same, those of one reason together: what is in quarantine is there, what is
    still to come is not."""
    return [
        span
        for why in dict.fromkeys(piece.why for piece in pieces)
        for span in _listed([one for one in pieces if one.why == why], _open)
    ]


def _ends(part: Sequence[Piece]) -> tuple[str, str | None]:
    return format_utc(part[0].start), utc_or_null(part[-1].end)


def _more(part: Sequence[Piece]) -> int | None:
    return len(part) if len(part) > 1 else None
