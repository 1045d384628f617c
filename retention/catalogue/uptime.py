"""When the service watched, and when a footage root was not there, as the log tells."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from retention.model.policy import merge
from retention.model.values import HOUR, Micros, Window
from retention.tlog.canonical import decode
from retention.tlog.kinds import telling

_SIGNS, _GUARD = telling("alive"), telling("guard")
_ROOT = "root"
_BEFORE = 2 * HOUR
"""How far before a window the signs of life of its beginning lie, if there are any."""
_GUARDS_BEFORE = 200
"""Entries of guards looked back through for how a root was when a window begins."""


def signs(tx: Connection, window: Window) -> list[tuple[Micros, str]]:
    """(at, kind) of the entries that say that the service ran, began or ended, around
    and in the window, in the order of the log."""
    first, last = _numbers(tx, Window(window.start - _BEFORE, window.end + _BEFORE))
    found = [*_before(tx, _SIGNS, first, 1), *_between(tx, _SIGNS, first, last)]
    return [(at, kind) for _, at, kind, _ in found]


def away(tx: Connection, window: Window) -> dict[str, list[Window]]:
    """By the name of the root: when in the window its guard said that it was not there.

    The end is open (that of the window) where the guard is still tripped.
    """
    first, last = _numbers(tx, window)
    found = [
        *_before(tx, _GUARD, first, _GUARDS_BEFORE),
        *_between(tx, _GUARD, first, last),
    ]
    since: dict[str, Micros] = {}
    windows: dict[str, list[Window]] = {}
    for _, at, kind, data in found:
        fields: dict[str, Any] = decode(data)["fields"]
        if fields["guard"] != _ROOT:
            continue
        root = fields["scope"]
        if kind == "guard.tripped":
            since.setdefault(root, at)
        elif (began := since.pop(root, None)) is not None:
            windows.setdefault(root, []).append(Window(began, at))
    for root, began in since.items():
        windows.setdefault(root, []).append(Window(began, window.end))
    return {
        root: list(merge(one for one in parts if one.start < one.end))
        for root, parts in windows.items()
    }


def _numbers(tx: Connection, window: Window) -> tuple[int, int]:
    """The numbers [first, last) among which all entries dated in a window are.

    Where the clock was set back there are others between them: entries are in the
    order of writing.
    """
    first, last = tx.exec_driver_sql(
        "SELECT min(number), max(number) FROM entry WHERE at>=? AND at<?",
        (window.start, window.end),
    ).one()
    if first is not None:
        return int(first), int(last) + 1
    before = tx.exec_driver_sql(
        "SELECT number FROM entry WHERE at<? ORDER BY at DESC LIMIT 1", (window.start,)
    ).scalar()
    number = 0 if before is None else int(before) + 1
    return number, number


_Found = tuple[int, Micros, str, bytes]
_COLUMNS = "SELECT number, at, kind, bytes FROM entry WHERE kind=? AND "


def _between(
    tx: Connection, kinds: tuple[str, ...], first: int, last: int
) -> list[_Found]:
    """The entries of these kinds with numbers in [first, last), in order."""
    sql = _COLUMNS + "number>=? AND number<?"
    return sorted(
        tuple(row)
        for kind in kinds
        for row in tx.exec_driver_sql(sql, (kind, first, last))
    )


def _before(
    tx: Connection, kinds: tuple[str, ...], number: int, limit: int
) -> list[_Found]:
    """The last `limit` entries of these kinds with smaller numbers, in order."""
    sql = _COLUMNS + "number<? ORDER BY number DESC LIMIT ?"
    return sorted(
        tuple(row)
        for kind in kinds
        for row in tx.exec_driver_sql(sql, (kind, number, limit))
    )[-limit:]
