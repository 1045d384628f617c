"""The two transactions around a batch's unlinks: rows marked, rows taken out.

Every change of state names the state it expects and checks how many rows it met.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from retention.catalogue.db import Transaction
from retention.catalogue.recordings import BESIDE, RULED
from retention.model.errors import StaleError
from retention.model.layouts.layout import Row
from retention.model.policy import BEGINNING
from retention.model.values import Entry, Micros, Outcome, Rows, State


class BatchRow(Row, Protocol):
    """A recording as it was read."""

    @property
    def duration(self) -> Micros: ...
    @property
    def size(self) -> int: ...
    @property
    def state(self) -> int: ...


def mark_deleting(tx: Connection, batch: Sequence[BatchRow]) -> None:
    """Present, quarantined or failed to deleting, each row exactly as it was read."""
    done = tx.exec_driver_sql(
        "UPDATE recording SET state=1 WHERE stream=? AND start=? AND n=? "
        "AND duration=? AND size=? AND state=?",
        [(r.stream, r.start, r.n, r.duration, r.size, int(r.state)) for r in batch],
    )
    if done.rowcount != len(batch):
        raise StaleError("recordings changed while a batch was made; it is made again")


def open_batch(tx: Connection, intent: int, root: int) -> None:
    """Note the open intent; its rows are the entry's."""
    tx.exec_driver_sql("INSERT INTO batch VALUES (?, ?)", (intent, root))


def open_batches(tx: Connection, root: int | None = None) -> list[int]:
    """Entry numbers of intents without a completion, of one root or of all."""
    if root is None:
        return list(tx.exec_driver_sql("SELECT intent FROM batch").scalars())
    return list(
        tx.exec_driver_sql(
            "SELECT intent FROM batch WHERE root=? ORDER BY intent", (root,)
        ).scalars()
    )


def close_batch(tx: Connection, intent: int) -> None:
    """The intent has its completion."""
    done = tx.exec_driver_sql("DELETE FROM batch WHERE intent=?", (intent,))
    if done.rowcount != 1:
        raise StaleError(f"the intent {intent} was completed by somebody else")


Keys = Sequence[tuple[int, int, int]]

_WHERE = "WHERE stream=? AND start=? AND n=?"


def remove(tx: Connection, keys: Keys) -> None:
    """Take rows of files that are gone out of the catalogue, with what hangs on them."""
    if not keys:
        return
    done = tx.exec_driver_sql(f"DELETE FROM recording {_WHERE} AND state=1", list(keys))
    if done.rowcount != len(keys):
        raise StaleError("rows of a batch are not as its intent left them")
    used = ", ".join(f"EXISTS (SELECT 1 FROM {table})" for table in BESIDE)
    for table, is_used in zip(
        BESIDE, tx.exec_driver_sql(f"SELECT {used}").one(), strict=True
    ):
        if is_used:
            tx.exec_driver_sql(f"DELETE FROM {table} {_WHERE}", list(keys))


def put_back(tx: Transaction, keys: Keys) -> None:
    """Deleting to what it was: failed where a failure says so, quarantined where a
    quarantine does, else present."""
    _settle(tx, keys, State.DELETING)
    if keys:
        tx.exec_driver_sql(
            f"UPDATE recording SET state=3 {_WHERE} AND EXISTS (SELECT 1 FROM failure f "
            "WHERE f.stream=recording.stream AND f.start=recording.start "
            "AND f.n=recording.n)",
            list(keys),
        )


def forgive(tx: Transaction, keys: Keys, state: State = State.FAILED) -> None:
    """Failed, or with `state` deleting, to what it was before it ever failed: the
    failure is forgotten, it is decided on as any other."""
    _settle(tx, keys, state)
    if keys:
        tx.exec_driver_sql(f"DELETE FROM failure {_WHERE}", list(keys))


def _settle(tx: Transaction, keys: Keys, state: State) -> None:
    if not keys:
        return
    for stream in {key[0] for key in keys}:
        tx.touch(stream, BEGINNING)
    tx.exec_driver_sql(
        f"UPDATE recording SET state=CASE WHEN EXISTS (SELECT 1 FROM quarantine q "
        "WHERE q.stream=recording.stream AND q.start=recording.start "
        f"AND q.n=recording.n AND q.reason NOT LIKE '{RULED}%') THEN 2 ELSE 0 END "
        f"{_WHERE} AND state={int(state)}",
        list(keys),
    )


def mark_failed(
    tx: Connection,
    failures: Iterable[tuple[tuple[int, int, int], str]],
    now: Micros,
    back_off: Sequence[Micros],
) -> None:
    """Deleting to failed, to be tried again after the next back-off."""
    for key, error in failures:
        tx.exec_driver_sql(f"UPDATE recording SET state=3 {_WHERE} AND state=1", key)
        row = tx.exec_driver_sql(f"SELECT since, tries FROM failure {_WHERE}", key)
        since, tries = row.one_or_none() or (now, 0)
        retry_at = now + back_off[min(tries, len(back_off) - 1)]
        tx.exec_driver_sql(
            "INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*key, since, tries + 1, retry_at, error),
        )


METHOD = "unlink"  # honest: this is no media sanitisation (NIST SP 800-88)


def completion(
    intent: int, outcomes: Sequence[Outcome], size: int = 0, lateness: Micros = 0
) -> Entry:
    """The one completion of an intent: what became of each of its files, the bytes
    deleted, and how long the first of them had been due.  The exceptions are rows."""
    exceptions = [
        (number, str(outcome))
        for number, outcome in enumerate(outcomes)
        if outcome is not Outcome.DELETED
    ]
    counts = Counter(outcomes)
    return Entry(
        "recordings.deleted",
        {
            "intent": intent,
            **{str(outcome): counts[outcome] for outcome in Outcome},
            "bytes": size,
            "lateness": lateness,
            "method": METHOD,
        },
        Rows(("row", "outcome"), exceptions) if exceptions else None,
    )
