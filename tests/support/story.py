"""A log as somebody with its key could write it: entries without a program behind them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retention import __version__
from retention.catalogue.tally import hours_of
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Actor,
    Entry,
    Micros,
    Recording,
    Rows,
)
from retention.tlog import seal
from retention.tlog.canonical import base64url, decode, encode
from retention.tlog.entry import Stored, previous
from retention.tlog.kinds import KINDS
from retention.tlog.lawful.fold import Lawful
from retention.tlog.lawful.laws import Verdict
from retention.tlog.verify.findings import Verification
from retention.tlog.verify.published import verify_directory
from tests.support.logs import NOW, SERVICE
from tests.support.publishing import KEY, VERIFIER, public, publish

ANNA = Actor(1001, 1001, 20, "operator", "anna")
BEN = Actor(1002, 1002, 21, "supervisor", "ben")
CARA = Actor(1003, 1003, 22, "supervisor", "cara")

START = NOW - 400 * DAY
RULES = {
    "release_requires_two_people": "true", "require_login_uid": "true",
    "cooling_off": "7 days",
}  # fmt: skip
FOOTAGE = ("camera", "stream", "start", "n", "duration", "bytes")

Row = tuple[Any, ...]


class Story:
    """What happened at a site of two cameras, whose streams are 101 and 102 in nvr1; each
    entry a second after the one before it, unless time is moved."""

    def __init__(self) -> None:
        self.now: Micros = START
        self.entries: list[Stored] = []
        self.texts: dict[int, Mapping[str, str]] = {}
        self.policy = 1
        self.origin = {
            "site": "leicester", "host": "h", "program": f"retention {__version__}",
        }  # fmt: skip
        self.add(
            "log.opened", log_id="0c6b6f0e", public_key=base64url(public(KEY)),
            format="f", timezone="Europe/London", pruning="none",
        )  # fmt: skip
        self.add("policy.changed", version=1, days=28, cameras={})
        self.add("rules.changed", old={}, new=RULES)
        for camera in (1, 2):
            self.add(
                "stream.opened", stream=100 + camera, root="nvr1", camera=camera,
                layout="l", zone="UTC", name=f"c{camera}", extension=".mp4",
                max_length=HOUR,
            )  # fmt: skip

    @property
    def size(self) -> int:
        return len(self.entries)

    def add(
        self, of: str, /, by: Actor = SERVICE, rows: Rows | None = None, **fields: Any
    ) -> int:
        """The next entry; its number."""
        last = self.entries[-1].data if self.entries else None
        self.now += SECOND
        sealed = seal.seal(
            Entry(of, {k: v for k, v in fields.items() if v is not None}, rows),
            seal.Writer(by, self.now, self.origin),
            seal.Follows(self.size, self.policy, last),
        )
        beside = sealed.rows.data if sealed.rows else None
        self.entries.append(Stored(self.size, sealed.data, beside))
        self.texts[self.size - 1] = sealed.texts
        return self.size - 1

    def altered(self, number: int, **changed: Any) -> None:
        """Entry `number` as it had been written so; None: without that."""
        for one in self.entries[number:]:
            entry = decode(one.data)
            if one.number == number:
                entry = {k: v for k, v in (entry | changed).items() if v is not None}
            elif one.number:
                entry["prev"] = previous(self.entries[one.number - 1].data)
            beside = one.rows if "rows_sha256" in entry else None
            self.entries[one.number] = Stored(one.number, encode(entry), beside)

    # -- footage --------------------------------------------------------------------------

    def row(
        self, camera: int = 1, age: Micros = 29 * DAY, length: Micros = MINUTE,
        seen: Micros | None = None, **changed: Any,
    ) -> Row:  # fmt: skip
        """A recording that ended so long ago, as an intent has it."""
        start = self.now - age - length
        due = (start + length if seen is None else seen) + 28 * DAY
        one = {
            "camera": camera, "stream": 100 + camera, "start": start, "n": 0,
            "duration": length, "bytes": 10, "due": due, "path": None, "seen": seen,
        }  # fmt: skip
        return tuple((one | changed).values())

    def intend(self, *rows: Row, root: str = "nvr1", names: Any = None) -> int:
        columns = names or KINDS["deletion.intended"].columns
        return self.add(
            "deletion.intended", rows=Rows(columns, list(rows)), root=root, count=len(rows),
            bytes=sum(row[5] for row in rows), oldest=min(row[2] for row in rows),
            newest=max(row[2] + row[4] for row in rows),
        )  # fmt: skip

    def complete(
        self, intent: int, rows: tuple[Row, ...], odd: Mapping[int, str]
    ) -> int:
        said = [
            "rescued",
            "absent",
            "absent_after_crash",
            "changed",
            "failed",
            "stopped",
        ]
        counts = {name: list(odd.values()).count(name) for name in said}
        kept = {n for n, outcome in odd.items() if outcome != "absent_after_crash"}
        return self.add(
            "recordings.deleted",
            rows=Rows(("row", "outcome"), sorted(odd.items())) if odd else None,
            intent=intent, deleted=len(rows) - len(odd), lateness=0, method="unlink",
            bytes=sum(row[5] for n, row in enumerate(rows) if n not in kept), **counts,
        )  # fmt: skip

    def delete(
        self, *rows: Row, odd: Mapping[int, str] | None = None, **more: Any
    ) -> int:
        """Intent and completion; the number of the intent."""
        intent = self.intend(*rows, **more)
        self.complete(intent, rows, odd or {})
        return intent

    def said(self, kind: str, *rows: Row, **fields: Any) -> int:
        """An entry with recordings in its rows."""
        columns = KINDS[kind].columns
        more: dict[str, Any] = {}
        if "bytes" in {field.name for field in KINDS[kind].fields}:
            more["bytes"] = sum(row[5] for row in rows)
        return self.add(
            kind, rows=Rows(columns, list(rows)), count=len(rows), **more, **fields
        )

    def recorded(self, *rows: Row, origin: str = "catalogued") -> int:
        """The roll-up of these."""
        values = [
            (
                row[0],
                row[2] // DAY,
                1,
                row[4],
                row[5],
                base64url(bytes(32)),
                0,
                hours_of(row[2] // DAY, [Recording(row[1], row[2], 0, row[4], row[5])]),
            )
            for row in rows
        ]
        columns = KINDS["recordings.recorded"].columns
        values = [row[: len(columns)] for row in values]
        return self.add(
            "recordings.recorded", rows=Rows(columns, values), origin=origin,
            recordings=len(rows), duration=sum(row[4] for row in rows),
            bytes=sum(row[5] for row in rows),
        )  # fmt: skip

    def beat(self, recordings: int, counted: bool | None = True) -> int:
        return self.add(
            "heartbeat", recordings=recordings, counted=counted, overdue=0,
            held_cameras=0, holds=0, wall=self.now, boottime=1,
        )  # fmt: skip

    # -- holds ----------------------------------------------------------------------------

    def place(
        self, since: Micros, until: Micros, hold: int = 1, camera: int = 1
    ) -> int:
        return self.add(
            "hold.placed", by=ANNA, hold=hold, kind="court", cameras=[camera],
            since=since, until=until, review=self.now + 90 * DAY, margin=0, reason="r",
        )  # fmt: skip

    def ask(self, hold: int = 1, by: Actor = ANNA) -> int:
        return self.add("hold.release_requested", by=by, hold=hold, reason="r")

    def release(
        self, request: int | None, hold: int = 1, by: Actor = BEN, **more: Any
    ) -> int:
        given = {"free_at": self.now + SECOND + 7 * DAY} | more
        return self.add(
            "hold.released", by=by, hold=hold, request=request, reason="r", **given
        )

    # -- what is found --------------------------------------------------------------------

    def verified(self, directory: Path, **how: Any) -> Verification:
        """By whoever has the published directory, signed with our key."""
        return verify_directory(
            publish(directory, self.entries), VERIFIER, depth="deep", **how
        )

    def verdict(self, directory: Path) -> Verdict:
        report = self.verified(directory)
        assert report.ok, report.faults
        assert report.verdict is not None
        return report.verdict

    def disclosed(self) -> Verdict:
        """By the service, which has what opens the entries."""
        lawful = Lawful(lambda number: self.entries[number].rows)
        for one in self.entries:
            known = one._replace(disclosures=self.texts[one.number])
            lawful.take(decode(one.data), known)
        return lawful.end()
