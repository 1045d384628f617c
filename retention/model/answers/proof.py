"""What `audit.verify`, `prove`, `checkpoint`, `key` and `publish` answer."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class FaultFound:
    """A place where a log is not what was written; `entry` null: no single one."""

    entry: int | None
    what: str


@dataclass(frozen=True, slots=True)
class ViolationFound:
    """An entry that breaks a rule: its number and name, and how."""

    entry: int
    rule: int
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class NotCheckable:
    """How often a rule could not be looked at: what it needs aged out, is withheld, or was
    never on record."""

    rule: int
    name: str
    times: int


@dataclass(frozen=True, slots=True)
class LawChecked:
    """Whether what the first `judged` entries say was allowed by the rules in force.

    `acknowledged`: violations that people have seen to, on record.  `in_flight`: files
    deleted under a hold that was placed after their intent.  Of `withheld` entries, which
    a public copy has not, no rule can be checked.
    """

    lawful: bool
    judged: int
    violations: list[ViolationFound]
    more_violations: int
    acknowledged: list[ViolationFound]
    not_checkable: list[NotCheckable]
    in_flight: int
    withheld: int


@dataclass(frozen=True, slots=True)
class PublishedChecked:
    """A published log that was verified up to its checkpoint.

    `ok`: it is intact and not unlawful.  `lawful` is null where `law` was not looked at,
    which takes depth "deep".  `withheld` entries are not in it, of which a public copy has
    the hashes alone.
    `intact`: so many entries from the first on are what was written.  `signed_at`: when
    the last one under the checkpoint was written; `unsigned` lie beyond it.  `depth` is
    "tree", "sums" or "deep".  `extends`: older checkpoints that it continues, of which
    `brought` were given; `ahead`: one that covers more than the checkpoint.
    `copied_while_written`: what lies beyond `intact` is not whole, as a copy by hand is.
    `strangers`: files that are not the log's.
    """

    ok: bool
    lawful: bool | None
    law: LawChecked | None
    origin: str
    entries: int
    withheld: int
    intact: int
    signed_at: str | None
    unsigned: int
    ahead: str | None
    copied_while_written: bool
    root: str
    depth: str
    rows: int
    open_intents: list[int]
    extends: list[str]
    strangers: list[str]
    faults: list[FaultFound]
    more_faults: int
    directory: str
    checkpoint: str | None = None
    fingerprint: str | None = None
    brought: list[str] | None = None


@dataclass(frozen=True, slots=True)
class LogChecked:
    """The live log, and its published copy (null: nothing was published yet), each
    computed again; `root` in base64url, `withheld` values were erased.  `mismatches`: what
    the catalogue's rows protect less than the log says, `unlogged`: what they keep more.
    `stands`: the guards of the log that stand, and why.  `ok`: they are intact and not
    unlawful, no row protects less, and no such guard stands; `lawful` and `law` as of a
    published log."""

    ok: bool
    lawful: bool | None
    law: LawChecked | None
    entries: int
    intact: int
    root: str
    deep: bool
    rows: int
    withheld: int
    open_intents: list[int]
    fault: FaultFound | None
    published: PublishedChecked | None
    mismatches: list[str]
    unlogged: list[str]
    stands: dict[str, str]
    summary: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The text that proves an entry, or one row of it.  In it is `label`, the entry that
    says which published id the row's camera had: `camera`.  `came_back`: which of its
    entries came back under no signed head, so that anybody may have written them."""

    entry: int
    row: int | None
    kind: str
    proof: str
    label: int | None
    camera: str | None
    came_back: list[int]


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key that a log's heads are signed with, and its fingerprint for paper."""

    origin: str
    vkey: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class NewestCheckpoint(LogKey):
    """The newest signed head: its note, how many entries are under it, when the last of
    them was written, and where the log is published."""

    checkpoint: str
    size: int
    root: str
    written: str
    published: str


@dataclass(frozen=True, slots=True)
class LogPublished(Changed):
    """Where the log is published."""

    directory: str


@dataclass(frozen=True, slots=True)
class ExplorerWritten:
    """The pages of the log explorer: the one to open, how many files were `written`, and
    how many were `there` as they should be."""

    page: str
    written: int
    there: int


@dataclass(frozen=True, slots=True)
class ExtractMade:
    """Some days of a log for a browser: its entries `first` to before `last`, written from
    `since` to `until`, and `beside` entries of other days, in so many `files`."""

    directory: str
    first: int
    last: int
    since: str
    until: str
    beside: int
    files: int
    fingerprint: str
