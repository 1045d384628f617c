"""The second person agrees to a ruling that waits, and it is carried out as it was shown.

Page by page, each with its entry.  Broken off, it can be approved again: what was done
is on the list no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from retention.catalogue import recordings, ruling_requests, streams
from retention.catalogue.db import Priority
from retention.catalogue.recordings import (
    OURS_TO_CHANGE,
    Doubt,
    Key,
    Move,
)
from retention.catalogue.ruling_requests import RulingRequest, RulingRow
from retention.control import in_force, members, rules, two_people
from retention.control.rulings import close
from retention.footage.ingest.ruled_times import new_times
from retention.footage.ingest.ruling_requests import waiting
from retention.footage.ingest.rulings import PAGE, accept, resolved
from retention.model.answers.recording import RulingApproved
from retention.model.layouts.dating import NEAR
from retention.model.values import Recording, State, Stream

if TYPE_CHECKING:
    from retention.catalogue.db import Transaction
    from retention.control.context import Context


def recording_approve(context: Context, *, request: int) -> RulingApproved:
    """Carry out a ruling that another person asked for: on what it lists, as it lists
    it, and on nothing else.

    The two differ in uid and in login uid.  A recording that is no longer as it was
    shown is left as it is.  MismatchError where the list is not what was asked for by
    the log.
    """
    members.note_approver(context)
    two_people.refuse_root(context.actor)
    with context.write(Priority.HOLD) as tx:
        effective = rules.effective(tx, context.settings)
        two_people.refuse_unknown_login(context.actor, effective)
        asked = waiting(tx, request)
        in_force.refuse_ruling(context.catalogue, tx, asked)
        two_people.refuse_same(
            context.actor, asked, effective, f"ruling {request}",
            "Its recordings stay as they are",
        )  # fmt: skip
        if asked.approved is None:
            ruling_requests.set_approved(tx, request, context.now)
            tx.append("ruling.approved", request=request)
    done, changed = _carry_out(context, asked)
    lifted = [key for key in asked.lifts if _lift(context, asked, key)]
    with context.write(Priority.SCAN) as tx:
        close(tx, request, "approved, and carried out")
    return RulingApproved(request, asked.said, done, changed, lifted)


def _carry_out(context: Context, asked: RulingRequest) -> tuple[int, int]:
    """How many recordings were ruled on, and how many are not as they were shown."""
    done = changed = 0
    after: Key | None = None
    while True:
        with context.write(Priority.SCAN) as tx:
            rows = ruling_requests.rows(tx, asked.number, after, PAGE)
            if not rows:
                return done, changed
            sizes = in_force.refuse_ruling(context.catalogue, tx, asked, rows)
            after = rows[-1].key
            for key, group in groupby(rows, key=lambda row: row.stream):
                moved, left = _rule(context, tx, asked, key, list(group), sizes)
                done, changed = done + moved, changed + left


def _rule(
    context: Context,
    tx: Transaction,
    asked: RulingRequest,
    key: int,
    rows: Sequence[RulingRow],
    sizes: Mapping[Key, int],
) -> tuple[int, int]:
    stream = streams.by_key(tx, key)
    if stream is None:
        return 0, len(rows)
    before = recordings.doubts(tx, key, rows[0].start, rows[-1].start + 1)
    listed = [row for row in rows if _is_more_than_lifted(row, before.get(row.key))]
    found = [
        (row, old)
        for row in listed
        for old in [recordings.get(tx, row.key)]
        if old is not None
        and old.state in OURS_TO_CHANGE
        # Not one that grew: nobody agreed on the end that it has now.
        and (old.duration, old.size) == (row.duration, sizes.get(row.key))
    ]
    moves = _moves(context, asked, stream, found, before)
    # Another recording may be under the key of one that moved.
    ruling_requests.done(tx, asked.number, [row.key for row in listed])
    if moves:
        recordings.change(tx, moves, context.now, agreed=True)
        tx.append(
            *resolved(stream, asked.said, asked.reason, moves, before, asked.number)
        )
    return len(moves), len(listed) - len(moves)


def _is_more_than_lifted(row: RulingRow, doubt: Doubt | None) -> bool:
    """Not only its stream is in doubt."""
    same = (row.start, row.duration) == (row.new_start, row.new_duration)
    return not same or (doubt is not None and not doubt.settled)


def _moves(
    context: Context,
    asked: RulingRequest,
    stream: Stream,
    found: Sequence[tuple[RulingRow, Recording]],
    before: Mapping[Key, Doubt],
) -> list[Move]:
    """To the times that were shown; whether the ends are known is seen again."""
    tolerance = context.settings.retention.clock_tolerance
    moves: list[Move] = []
    for by, group in groupby(found, key=lambda one: one[0].new_start - one[0].start):
        part = list(group)
        pairs = [(old, before.get(old.key)) for _, old in part]
        times = new_times(stream, pairs, by, context.now, tolerance)
        for (row, old), (_, end, known) in zip(part, times, strict=True):
            doubt = before.get(old.key)
            new = old._replace(
                start=row.new_start, duration=row.new_duration, state=State.PRESENT,
                path=row.path,
            )  # fmt: skip
            mtime = old.end if doubt is None else doubt.mtime
            known = known and new.end <= end + NEAR
            settled = recordings.ruled(context.now, mtime, asked.said, known=known)
            moves.append(Move(old, new, settled))
    return moves


def _lift(context: Context, asked: RulingRequest, key: int) -> bool:
    """The doubt about a whole stream ends, unless that uncovers what was not shown."""
    with context.write(Priority.SCAN) as tx:
        stream = streams.by_key(tx, key)
        if stream is None or stream.quarantined is None:
            return False
        agreed = ruling_requests.keys(tx, asked.number)
        if recordings.lift(tx, stream, context.now, agreed):
            return False
        said, why, number = asked.said, asked.reason, asked.number
        tx.append(*resolved(stream, said, why, [], {}, number, lifts=True))
        accept(tx, stream, asked.said)
    return True
