"""A log to test with: in a real catalogue, with entries of realistic shape."""

import sqlite3
from pathlib import Path

from retention.catalogue import db
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.log import Log, open_log
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Actor, Micros, Rows
from tests.support.dated import Dated
from tests.support.dated import append as append_dated

NOW = 1_795_000_000 * SECOND
SERVICE = Actor(uid=990, login=4294967295, pid=4711, role="service")
ANNA = Actor(uid=1001, login=1001, pid=5150, role="operator", name="Anna Öztürk")
COLUMNS = ("camera", "stream", "start", "n", "duration", "bytes", "due", "path", "seen")


def a_log() -> Log:
    return Log(site="leicester", host="cctv-01", program="0.1.0")


def a_catalogue(
    directory: Path, public_key: bytes = bytes(range(32)), *,
    facts: dict[str, str] | None = None, log: Log | None = None, at: Micros = NOW,
    actor: Actor = SERVICE, log_id: str = "0c6b6f0e", timezone: str = "Europe/London",
) -> Catalogue:  # fmt: skip
    """A catalogue whose log is opened, with that key."""
    catalogue = db.create(directory / db.NAME, facts or {})
    with catalogue.write(Priority.HOLD) as tx:
        open_log(
            tx, **(log or a_log()).origin, at=at, actor=actor, log_id=log_id,
            public_key=public_key, timezone=timezone,
        )  # fmt: skip
    return catalogue


def append(catalogue: Catalogue, *entries: Dated) -> list[int]:
    """Each entry in a transaction of its own."""
    numbers = []
    for entry in entries:
        with catalogue.write(Priority.HOLD) as tx:
            numbers.append(append_dated(a_log(), tx, entry))
    return numbers


def cooled(hold: int = 1, actor: Actor = SERVICE) -> Dated:
    """The smallest entry."""
    return Dated("hold.cooled", NOW, actor, {"hold": hold})


def released(reason: str = "wrong camera: François said so") -> Dated:
    """An entry with a committed field and a committed name."""
    return Dated(
        "hold.released",
        NOW,
        ANNA,
        {"hold": 1, "free_at": NOW + 7 * DAY, "reason": reason},
    )


def batch_rows(count: int = 10, cameras: int = 2) -> Rows:
    """One recording a minute of each camera, due at about NOW."""
    values = []
    for number in range(count):
        camera, minute = 1 + number % cameras, number // cameras
        start = NOW - 28 * DAY - HOUR + minute * MINUTE + camera * 1_234_567
        duration = MINUTE - camera * 1_000
        values.append(
            (
                *(camera, camera + 100, start, 0, duration),
                *(7_000_000 + 7919 * number % 999_983, start + duration + 28 * DAY),
                f"markt-straße-{camera}/{start}.mp4".encode() if number % 3 else None,
                None,
            )
        )
    return Rows(COLUMNS, values)


def intended(rows: Rows) -> Dated:
    return Dated(
        "deletion.intended",
        NOW,
        SERVICE,
        {
            "root": "nvr1",
            "count": len(rows.values),
            "bytes": sum(row[5] for row in rows.values),
            "oldest": min(row[2] for row in rows.values),
            "newest": max(row[2] + row[4] for row in rows.values),
        },
        rows,
    )


def completed(
    intent: int, rows: Rows, exceptions: dict[int, str] | None = None, /, **changed: int
) -> Dated:
    """The completion of a batch; `exceptions` are outcomes by row number."""
    exceptions = exceptions or {}
    outcomes = list(exceptions.values())
    kept = {number for number, o in exceptions.items() if o != "absent_after_crash"}
    names = ["rescued", "absent", "absent_after_crash", "changed", "failed", "stopped"]
    return Dated(
        "recordings.deleted",
        NOW + SECOND,
        SERVICE,
        {
            "intent": intent,
            "deleted": len(rows.values) - len(outcomes),
            **{name: outcomes.count(name) for name in names},
            "bytes": sum(r[5] for n, r in enumerate(rows.values) if n not in kept),
            "lateness": 12 * SECOND,
            "method": "unlink",
        }
        | changed,
        Rows(("row", "outcome"), sorted(exceptions.items())) if exceptions else None,
    )


def tamper(catalogue: Catalogue, *statements: str | tuple[str, tuple]) -> None:
    """What somebody with the database file and no scruples does."""
    raw = sqlite3.connect(catalogue.path)
    triggers = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        raw.execute(*((statement,) if isinstance(statement, str) else statement))
    raw.commit()
    raw.close()
