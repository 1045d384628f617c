"""What a hold keeps and what it came too late for, as the caller is told (P7).

Times lie within the time asked for, in UTC; lists have at most `MOST` spans, the last
of a longer one has `more`: how many it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from retention.coverage import FUTURE, Fate, Piece, length
from retention.holds.accounting import Account, accounts
from retention.ingest import zone_doubts
from retention.localtime import format_utc
from retention.model import FOREVER, SECOND, Camera, Micros, Window
from retention.policy import overlaps

if TYPE_CHECKING:
    from retention.audit.became import Gone
    from retention.context import Context
    from retention.deletion.gate import Rescue
    from retention.holds.asked import Asked

MOST = 50

Answer = dict[str, Any]


def answer_of(
    context: Context,
    hold: Asked,
    cameras: list[Camera],
    rescue: Rescue,
    settled: bool,
    unfinished: set[str],
) -> Answer:
    """What of the time asked for is protected, gone, not known or still to come.

    Every instant of the asked window of each camera is accounted for.  `protected` has
    the recordings that the hold keeps (also those in its margin, and those whose times
    are in doubt: `in_doubt`) and the seconds of the asked window that they cover;
    `surplus_seconds` is what is kept outside the asked window.  `rescue` and `settled`
    are what the gate said as the hold took effect; `unfinished` the roots whose last
    look did not come to its end.
    """
    with context.catalogue.read() as tx:
        found = accounts(tx, context, hold, cameras, rescue.rescued, unfinished)
        doubts = zone_doubts.sentences(tx, {camera.key for camera in cameras})
    lines = [_line(account, hold.asked) for account in found]
    follows = sum(account.footage.follows for account in found)
    if not settled:
        follows += _unsettled_in_doubt(rescue, hold.window)
    return {
        "cameras": lines,
        "total": {
            name: sum(line["protected"][name] for line in lines)
            for name in ("recordings", "seconds", "bytes", "in_doubt")
        }
        | {"surplus_seconds": sum(line["surplus_seconds"] for line in lines)},
        "outcome_follows": follows,
        "times_in_doubt": doubts,
        "all_preserved": bool(found) and all(map(_preserved, found)),
    }


def _unsettled_in_doubt(rescue: Rescue, window: Window) -> int:
    """Files being unlinked that only the doubt about their times put under the hold:
    they are in no window that could be counted."""
    files = [flight.files[number] for flight, number in rescue.unlinking]
    return sum(not overlaps((window,), file.start, file.end) for file in files)


def _preserved(account: Account) -> bool:
    """Whether the whole asked window of a camera is protected, or still to come."""
    return all(
        piece.fate is Fate.PROTECTED or piece[2:] == (Fate.PENDING, FUTURE)
        for piece in account.pieces
    )


def _line(account: Account, asked: Window) -> Answer:
    """All that is said of one camera."""
    camera, footage, pieces, gone = account
    by_fate = {fate: [one for one in pieces if one.fate is fate] for fate in Fate}
    seen = length(Window(*piece[:2]) for piece in by_fate[Fate.PROTECTED])
    return {
        "camera": camera.id,
        "location": camera.location,
        "view": camera.view,
        "protected": {
            "recordings": footage.kept.number,
            "seconds": round(seen / SECOND),
            "bytes": footage.kept.size,
            "in_doubt": footage.in_doubt,
        },
        "recorder_deletes": {
            "first_at": None
            if footage.gone_at is None
            else format_utc(footage.gone_at),
            "known": footage.gone_known,
        },
        "deleted": _gone(by_fate[Fate.DELETED], gone, deleted=True),
        "lost": _gone(by_fate[Fate.LOST], gone, deleted=False),
        "no_recording_seen": _listed(by_fate[Fate.SILENT], _span),
        "not_known": _listed(by_fate[Fate.UNKNOWN], _with_why),
        "pending": _listed(by_fate[Fate.PENDING], _with_why),
        "surplus_seconds": round(footage.surplus(asked) / SECOND),
    }


def _gone(
    pieces: Sequence[Piece], gone: Sequence[Gone], *, deleted: bool
) -> list[Answer]:
    """Spans that are gone, each with the last entry that says so and how many files
    and entries there are."""
    rows = [one for one in gone if one.deleted is deleted]

    def said(part: Sequence[Piece]) -> Answer:
        within = tuple(Window(*piece[:2]) for piece in part)
        found = [row for row in rows if overlaps(within, row.start, row.end)]
        last = max(found, key=lambda row: row.entry)
        return {
            "at": format_utc(last.at),
            "entry": last.entry,
            "entries": len({row.entry for row in found}),
            "recordings": len(found),
        }

    return _listed(pieces, said)


def _listed(
    pieces: Sequence[Piece], said: Callable[[Sequence[Piece]], Answer]
) -> list[Answer]:
    """Each piece with what is said of it; where there are too many, the rest as one."""
    parts: list[Sequence[Piece]] = [[piece] for piece in pieces[: MOST - 1]]
    rest = pieces[MOST - 1 :]
    if rest:
        parts.append(rest)
    return [
        {"since": format_utc(part[0].start), "until": _end(part[-1].end)}
        | said(part)
        | ({"more": len(part)} if len(part) > 1 else {})
        for part in parts
    ]


def _span(_: Iterable[Piece]) -> Answer:
    return {}


def _with_why(part: Iterable[Piece]) -> Answer:
    return {"why": ", ".join(dict.fromkeys(piece.why for piece in part))}


def _end(instant: Micros) -> str | None:
    return None if instant == FOREVER else format_utc(instant)
