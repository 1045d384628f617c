"""Owns proofs of one thing: one text file that shows an entry, or one row beside it, to
somebody who has the log's public key and nothing else.

The file is made of sections.  Each `entry` holds the entry's bytes, and a proof of C2SP
tlog-proof with the signed checkpoint, which other programs can read.  A `row` follows
the entry whose `rows_root` it is under: its salt, its canonical JSON and the path to the
root; no other row is revealed.  `exceptions` is the row file of a completion, which
names the numbers of rows that were not deleted.  `disclosure` opens a committed field.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from retention.model.errors import RetentionError, VerificationError
from retention.model.values import Micros
from retention.tlog import commitments, merkle, note
from retention.tlog import rows as row_files
from retention.tlog.canonical import base64url, decode, from_base64url
from retention.tlog.directory import Published
from retention.tlog.merkle import HASH_BYTES
from retention.tlog.note import Checkpoint, Verifier
from retention.tlog.source import outcomes_in
from retention.tlog.verify import books
from retention.tlog.verify.books import UNREADABLE

FIRST_LINE = "cctv-retention-proof/1"
LAST_LINES = "\n\n== end\n"
"""A file without them was cut."""

TLOG_PROOF = "c2sp.org/tlog-proof@v1"
SIZE_LIMIT = 64 * 2**20
"""No proof is larger (bytes)."""


class Proved(NamedTuple):
    """What a proof shows.

    `entries` by number, the one that was asked for first, with disclosed fields in
    `disclosed`.  Of one row: its number and its values by column; of a deletion also the
    `outcome`, and the instants between which it came about (microseconds).
    """

    checkpoint: Checkpoint
    number: int
    entries: dict[int, dict[str, Any]]
    disclosed: dict[str, Any]
    row: int | None = None
    values: dict[str, Any] | None = None
    outcome: str | None = None
    between: tuple[Micros, Micros] | None = None


def prove_entry(
    published: Published,
    number: int,
    *,
    vkey: str = "",
    disclosures: Mapping[str, str] | None = None,
) -> str:
    """The proof of one entry, with the disclosures of its fields that are to be shown.

    `vkey` goes in as a hint, for who has the fingerprint alone.  Raises RetentionError
    where the checkpoint does not hold the entry, VerificationError where the log is
    damaged.
    """
    writer = _ProofText(published, vkey)
    entry = writer.entry(number)
    for name, text in sorted((disclosures or {}).items()):
        digest = entry.get("sd", {}).get(name)
        if digest is None:
            raise RetentionError(f"entry {number} commits to no field {name}")
        commitments.opened(text, name, digest)
        writer.section(f"disclosure {name}", [text])
    return writer.text()


def prove_row(
    published: Published,
    number: int,
    row: int,
    *,
    completion: int | None = None,
    vkey: str = "",
) -> str:
    """The proof of one row of an entry; of a deletion, of what became of it too.

    `completion` is the entry that completes an intent, looked for where it is not given.
    Raises as `prove_entry`.
    """
    writer = _ProofText(published, vkey)
    entry = writer.entry(number)
    writer.row(number, row)
    if entry["kind"] == "deletion.intended":
        size = writer.checkpoint.size
        if completion is None:
            completion = published.completion(number, size)
        if completion is None or completion >= size:
            raise RetentionError(
                f"the batch of entry {number} is not completed under the signed "
                "checkpoint: what became of its files is not on record yet; try again in "
                "some minutes"
            )
        done = writer.entry(completion)
        if "rows_sha256" in done:
            data = writer.row_file(completion, done)
            writer.section(f"exceptions {completion}", [b64encode(data).decode()])
    return writer.text()


class _ProofText:
    """A proof while it is made."""

    def __init__(self, published: Published, vkey: str) -> None:
        self._published = published
        self._note = published.checkpoint_bytes()
        self.checkpoint = note.unverified(self._note)
        self._reader = published.reader(self.checkpoint.size)
        self._lines = [FIRST_LINE, *([f"key {vkey}"] if vkey else [])]

    def text(self) -> str:
        return "\n".join(self._lines) + LAST_LINES

    def section(self, title: str, lines: Sequence[str]) -> None:
        self._lines += ["", f"== {title}", *lines]

    def entry(self, number: int) -> dict[str, Any]:
        """Write an entry and its proof."""
        size = self.checkpoint.size
        if not 0 <= number < size:
            raise RetentionError(
                f"entry {number} is not under the signed checkpoint, which has entries 0 "
                f"to {size - 1}"
            )
        data = self._published.entry(number).data
        try:
            path = merkle.prove_inclusion(number, size, self._reader)
            merkle.check_inclusion(
                number, size, merkle.leaf(data), path, self.checkpoint.root
            )
            text, entry = data.decode(), decode(data)
        except UNREADABLE as error:
            raise VerificationError(
                f"entry {number} can't be proven: {error}; run `retention audit verify`"
            ) from error
        self.section(
            f"entry {number}",
            [text, TLOG_PROOF, f"index {number}", *map(_base64, path), ""],
        )
        self._lines += self._note.decode().removesuffix("\n").split("\n")
        return dict(entry)

    def row_file(self, number: int, entry: Mapping[str, Any]) -> bytes:
        """The row file of an entry, as the entry speaks of it."""
        data = self._published.rows(number)
        if complaint := books.row_file_complaint(entry.get("rows_sha256"), data):
            raise VerificationError(f"entry {number} {complaint}")
        if data is None:
            raise RetentionError(f"entry {number} has no rows")
        return data

    def row(self, number: int, row: int) -> None:
        """Write a row and its path to the entry's `rows_root`."""
        entry = decode(self._published.entry(number).data)
        found = row_files.read(self.row_file(number, entry))
        if not 0 <= row < found.count:
            raise RetentionError(
                f"entry {number} has no row {row}: it has rows 0 to {found.count - 1}"
            )
        hashes = found.hashes()
        path = merkle.prove_inclusion(row, found.count, merkle.subtrees_of(hashes))
        values = [column[row] for column in found.columns.values()]
        leaf = row_files.leaf(values, row, found.seed)
        salt, text = leaf[: row_files.SALT_BYTES], leaf[row_files.SALT_BYTES :]
        self.section(
            f"row {row} of {number}",
            [
                " ".join(found.names),
                base64url(salt),
                text.decode(),
                *map(_base64, path),
            ],
        )


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


class _Section(NamedTuple):
    title: list[str]
    lines: list[str]


def vkey_in(text: str) -> str | None:
    """The key that a proof names as the log's: a hint, to be held against what is known."""
    lines = text.split("\n", 2)
    if len(lines) > 1 and lines[1].startswith("key "):
        return lines[1].removeprefix("key ")
    return None


def verify_proof(text: str, verifier: Verifier) -> Proved:
    """What the proof shows; VerificationError says what of it is wrong."""
    try:
        return _Reader(text, verifier).proved()
    except UNREADABLE as error:
        raise VerificationError(f"the proof is not whole: {error!r}") from error


class _Reader:
    """A proof while it is checked.  ValueError and the like where it can't be read."""

    def __init__(self, text: str, verifier: Verifier) -> None:
        if len(text) > SIZE_LIMIT:
            raise VerificationError("the file is too large for a proof")
        head, *rest = text.removesuffix(LAST_LINES).split("\n\n== ")
        first, *hint = head.split("\n")
        if first != FIRST_LINE or not rest or not text.endswith(LAST_LINES):
            raise VerificationError(
                "this is no proof of an audit log, or it is cut short"
            )
        if hint not in ([], [f"key {verifier.vkey}"]):
            raise VerificationError(
                f"the proof is of a log with another key than {verifier.name}'s"
            )
        self._verifier = verifier
        self._sections = [
            _Section(title.split(" "), body.split("\n"))
            for title, _, body in (part.partition("\n") for part in rest)
        ]
        self._checkpoint: Checkpoint | None = None
        self._entries: dict[int, dict[str, Any]] = {}

    def proved(self) -> Proved:
        """Every section checked, and that they belong to each other."""
        disclosed: dict[str, Any] = {}
        row: tuple[int, dict[str, Any]] | None = None
        exceptions: row_files.RowFile | None = None
        for title, lines in self._sections:
            match title:
                case ["entry", number]:
                    self._entry(number, lines)
                case ["row", number, "of", entry] if row is None:
                    row = self._row(int(number), self._said(entry), lines)
                case ["exceptions", entry] if exceptions is None:
                    exceptions = _exceptions(self._said(entry), lines)
                case ["disclosure", name]:
                    digests = self._said(str(self._number()))["sd"]
                    disclosed[name] = commitments.opened(
                        "\n".join(lines), name, digests[name]
                    )
                case _:
                    raise VerificationError(
                        f"the proof has a part {title}, unknown here"
                    )
        if self._checkpoint is None:
            raise VerificationError("the proof has no entry")
        found = Proved(self._checkpoint, self._number(), self._entries, disclosed)
        if row is None:
            return found
        found = found._replace(row=row[0], values=row[1])
        if self._entries[found.number]["kind"] != "deletion.intended":
            return found
        return self._deletion(found, row[0], exceptions)

    def _number(self) -> int:
        """The entry that the proof is of: the first one."""
        if not self._entries:
            raise VerificationError("the proof does not begin with an entry")
        first: int = next(iter(self._entries))
        return first

    def _said(self, number: str) -> dict[str, Any]:
        return self._entries[int(number)]

    def _entry(self, number: str, lines: list[str]) -> None:
        """An entry under the signed checkpoint, the same one for all of them."""
        data, mark, index, *rest = lines
        blank = rest.index("")
        if mark != TLOG_PROOF or index != f"index {number}":
            raise VerificationError(f"the proof of entry {number} is of another one")
        signed = "\n".join([*rest[blank + 1 :], ""]).encode()
        head = note.open_checkpoint(signed, self._verifier)
        if self._checkpoint not in (None, head):
            raise VerificationError("the proof has two checkpoints that differ")
        self._checkpoint = head
        entry = decode(data.encode())
        if str(entry["index"]) != number or int(number) in self._entries:
            raise VerificationError(
                f"entry {entry['index']} is given as entry {number}, or twice"
            )
        leaf = merkle.leaf(data.encode())
        try:
            merkle.check_inclusion(
                int(number), head.size, leaf, _hashes(rest[:blank]), head.root
            )
        except ValueError as error:
            raise VerificationError(
                f"entry {number} is not the one that was signed, or its proof was "
                f"changed: {error}"
            ) from error
        self._entries[int(number)] = entry

    def _row(
        self, number: int, entry: Mapping[str, Any], lines: list[str]
    ) -> tuple[int, dict[str, Any]]:
        """A row under the `rows_root` of its entry."""
        names, salt, text, *path = lines
        if entry["index"] != self._number():
            raise VerificationError("the row is of another entry than the proof")
        data = from_base64url(salt)
        if len(data) != row_files.SALT_BYTES:
            raise VerificationError("the salt of the row has another length")
        try:
            merkle.check_inclusion(
                number,
                entry["rows"],
                merkle.leaf(data + text.encode()),
                _hashes(path),
                from_base64url(entry["rows_root"]),
            )
        except ValueError as error:
            raise VerificationError(
                f"row {number} is not the one that was written, or its proof was "
                f"changed: {error}"
            ) from error
        columns = books.columns_of(entry["kind"])
        if columns is None:
            columns = tuple(names.split(" "))
        values = decode(text.encode())
        if " ".join(columns) != names or len(values) != len(columns):
            raise VerificationError(f"row {number} is of other columns than its entry")
        return number, dict(zip(columns, values, strict=True))

    def _deletion(
        self, found: Proved, row: int, exceptions: row_files.RowFile | None
    ) -> Proved:
        """What became of a row of an intent, by its completion and the exceptions."""
        intent = self._entries[found.number]
        others = [n for n in self._entries if n != found.number]
        if len(others) != 1:
            raise VerificationError(
                "a deletion is proven by an intent and a completion"
            )
        done = self._entries[others[0]]
        fields = done["fields"]
        if done["kind"] != "recordings.deleted" or fields["intent"] != found.number:
            raise VerificationError(
                f"entry {others[0]} does not complete entry {found.number}"
            )
        if ("rows_sha256" in done) != (exceptions is not None):
            raise VerificationError("the list of exceptions is missing, or is not its")
        listed = exceptions.columns if exceptions else {"row": (), "outcome": ()}
        complaint = books.completion(
            fields,
            done.get("rows", 0),
            listed,
            intent["rows"],
            intent["fields"]["bytes"],
            None,
        )
        if complaint:
            raise VerificationError(f"the completion does not add up: {complaint}")
        return found._replace(
            outcome=str(outcomes_in(done, listed).of(row)),
            between=(intent["at"], done["at"]),
        )


def _exceptions(entry: Mapping[str, Any], lines: list[str]) -> row_files.RowFile:
    data = note.from_base64("".join(lines))
    if complaint := books.row_file_complaint(entry.get("rows_sha256"), data):
        raise VerificationError(f"the completion {complaint}")
    found = row_files.read(data)
    if found.count != entry["rows"]:
        raise VerificationError("the exceptions are not as many as the completion says")
    return found


def _hashes(lines: Sequence[str]) -> list[bytes]:
    hashes = [note.from_base64(line) for line in lines]
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ValueError("a hash has 32 bytes")
    return hashes
