"""What the log says of one hold, entry by entry, oldest first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from retention.audit import log
from retention.errors import VerificationError

_OF_HOLD = """SELECT number FROM entry WHERE kind >= 'hold.' AND kind < 'hold/'
    AND json_extract(CAST(bytes AS TEXT), '$.fields.hold') = ? ORDER BY number"""


def of_hold(tx: Connection, hold: int) -> list[dict[str, Any]]:
    """Every entry about the hold of that number, commitments opened.

    One whose disclosure is not what was committed to is given as it is stored: a
    changed log must stay readable, `retention audit verify` tells.
    """
    found = tx.exec_driver_sql(_OF_HOLD, (hold,)).scalars().all()
    return [_opened(tx, number) for number in found]


def _opened(tx: Connection, number: int) -> dict[str, Any]:
    try:
        return log.opened(tx, number)
    except VerificationError:
        return log.read(tx, number)
