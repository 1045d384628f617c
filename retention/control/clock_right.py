"""What is done in the transaction in which the clock is believed again.

What may last so long from now at most was counted by a clock that may have been wrong:
it is counted anew.  A cooling off is not: no hold is released by a clock in doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue import looks, roots
from retention.catalogue.db import PAUSE_FACT, get_fact, get_facts, put_fact
from retention.control import repair, successor
from retention.model.localtime import format_duration
from retention.tlog.in_force import LONGEST_PAUSE

if TYPE_CHECKING:
    from retention.catalogue.db import Transaction
    from retention.model.values import Micros


def put_right(tx: Transaction, step: Micros, now: Micros) -> None:
    """The clock is believed again, at `now`, after an error of `step`; before its guard
    is cleared."""
    looks.correct(tx, step, now)
    _pause(tx, now)
    successor.count_anew(tx, now)
    for name in (repair.ASKED, successor.ASKED, roots.REPLACEMENT):
        for rest, asked in get_facts(tx, name).items():
            if asked[0] > now:  # else it would wait again when the clock is there
                put_fact(tx, name + rest, [now, *asked[1:]])


def _pause(tx: Transaction, now: Micros) -> None:
    """One that was asked for by a clock in doubt lasts as long as was said, from now on;
    any other a day at most."""
    pause = get_fact(tx, PAUSE_FACT)
    if pause is None:
        return
    latest = now + LONGEST_PAUSE
    until = min(pause["until"], latest)
    if "length" in pause:
        before = pause["before"] if pause["before"] <= latest else 0
        until = max(now + pause["length"], before)
    if until != pause["until"]:
        put_fact(tx, PAUSE_FACT, {"until": until, "since": now})
        left = format_duration(until - now)
        reason = f"the clock that it was counted by was wrong: {left} from now on"
        tx.append("deletion.paused", until=until, reason=reason)
