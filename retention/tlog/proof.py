"""Owns proofs of one thing: one text file that shows an entry, or one row beside it, to
somebody who has the log's public key and nothing else.

The file is a C2SP tlog-proof of the entry, which other programs read as it is.  What it
takes to understand that entry is in its `extra` line, the base64 of canonical JSON:

- `format`, and `key`: the verifier key, as a hint;
- `entry`: the very text that was hashed; `disclosures` open its committed fields;
- `row`: one row under the entry's `rows_root`, with its salt and its path; no other row
  is revealed;
- `completion`: the entry that says what became of the batch, and its path to the same
  checkpoint; with `exceptions`, its row file, where it has one;
- `camera`: the entry that says which published id the row's camera had, and its path;
- `restored`: where the entry came back under no signed head, the `catalogue.restored`
  that says so, and its path.

Nothing of it is believed unless it leads to the signed root.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

from retention.model.errors import RetentionError, VerificationError
from retention.model.values import Micros
from retention.tlog import commitments, merkle, note
from retention.tlog import rows as row_files
from retention.tlog.canonical import (
    UNREADABLE,
    base64url,
    decode,
    encode,
    from_base64url,
)
from retention.tlog.directory import Published
from retention.tlog.kinds import KINDS
from retention.tlog.merkle import HASH_BYTES
from retention.tlog.note import Checkpoint, Verifier
from retention.tlog.source import INTENDED, outcomes_in
from retention.tlog.unsigned import RESTORED, is_unsigned, stretches
from retention.tlog.verify import books

FORMAT = "cctv-retention-proof/1"
FIRST_LINE = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
"""How such a file is called, as the specification advises."""

SIZE_LIMIT = 64 * 2**20
"""No proof is larger (bytes)."""

_EXTRA, _INDEX = "extra ", "index "
_NEEDED = {"format", "entry"}
_KNOWN = _NEEDED | {"key", "disclosures", "row", "completion", "camera", "restored"}


class Proved(NamedTuple):
    """What a proof shows.

    `entries` by number, the one that was asked for first, with disclosed fields in
    `disclosed`.  Of one row: its number and its values by column, and the published id
    that its `camera` had; of a deletion also the `outcome`, and the instants between
    which it came about (microseconds).  `restored`: the entry that says that this one
    came back under no signed head, so that anybody may have written it.
    """

    checkpoint: Checkpoint
    number: int
    entries: dict[int, dict[str, Any]]
    disclosed: dict[str, Any]
    row: int | None = None
    values: dict[str, Any] | None = None
    camera: str | None = None
    outcome: str | None = None
    between: tuple[Micros, Micros] | None = None
    restored: int | None = None


def prove_entry(
    published: Published,
    number: int,
    *,
    vkey: str = "",
    disclosures: Mapping[str, str] | None = None,
    restored: int | None = None,
) -> str:
    """The proof of one entry, with the disclosures of its fields that are to be shown.

    `vkey` goes in as a hint, for who has the fingerprint alone; `restored` is the entry
    that says that this one came back unsigned, where it did.  Raises RetentionError
    where the checkpoint does not hold the entry, VerificationError where the log is
    damaged.
    """
    writer = _ProofText(published, number, vkey, restored)
    for name, text in (disclosures or {}).items():
        digest = writer.said.get("sd", {}).get(name)
        if digest is None:
            raise RetentionError(f"entry {number} commits to no field {name}")
        commitments.opened(text, name, digest)
    if disclosures:
        writer.extra["disclosures"] = dict(disclosures)
    return writer.text()


def prove_row(
    published: Published,
    number: int,
    row: int,
    *,
    completion: int | None = None,
    label: int | None = None,
    vkey: str = "",
    restored: int | None = None,
) -> str:
    """The proof of one row of an entry; of a deletion, of what became of it too.

    `completion` is the entry that completes an intent, None while that is open; `label`
    the one that says which published id the row's camera had.  All else as
    `prove_entry`.
    """
    writer = _ProofText(published, number, vkey, restored)
    writer.extra["row"] = writer.row(row)
    if label is not None:
        writer.extra["camera"] = writer.other(label)
    if writer.said["kind"] == INTENDED:
        if completion is None or completion >= writer.checkpoint.size:
            raise RetentionError(
                f"the batch of entry {number} is not completed under the signed "
                "checkpoint: what became of its files is not on record yet; try again in "
                "some minutes"
            )
        writer.extra["completion"] = writer.completion(completion)
    return writer.text()


class _ProofText:
    """A proof of entry `number` while it is made."""

    def __init__(
        self, published: Published, number: int, vkey: str, restored: int | None
    ) -> None:
        self._published = published
        self._note = published.checkpoint_bytes()
        self.checkpoint = note.unverified(self._note)
        self._reader = published.reader(self.checkpoint.size)
        self._number = number
        text, self.said, self._path = self._entry(number)
        self.extra: dict[str, Any] = {"format": FORMAT, "entry": text}
        if vkey:
            self.extra["key"] = vkey
        if restored is not None:
            self.extra["restored"] = self.other(restored)

    def text(self) -> str:
        extra = _base64(encode(self.extra))
        lines = [FIRST_LINE, f"{_EXTRA}{extra}", f"{_INDEX}{self._number}", *self._path]
        return "\n".join([*lines, "", self._note.decode()])

    def _entry(self, number: int) -> tuple[str, dict[str, Any], list[str]]:
        """An entry as it was written, what it says, and its path to the signed root."""
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
            return data.decode(), decode(data), [_base64(one) for one in path]
        except UNREADABLE as error:
            raise VerificationError(
                f"entry {number} can't be proven: {error}; run `retention audit verify`"
            ) from error

    def other(self, number: int) -> dict[str, Any]:
        """Another entry under the same checkpoint."""
        text, _, path = self._entry(number)
        return {"entry": text, "path": path}

    def completion(self, number: int) -> dict[str, Any]:
        """The entry that completes the batch, with its exceptions."""
        text, said, path = self._entry(number)
        found = {"entry": text, "path": path}
        if "rows_sha256" in said:
            found["exceptions"] = _base64(self._row_file(number, said))
        return found

    def _row_file(self, number: int, entry: Mapping[str, Any]) -> bytes:
        """The row file of an entry, as the entry speaks of it."""
        data = self._published.rows(number)
        if complaint := row_files.complaint(entry.get("rows_sha256"), data):
            raise VerificationError(f"entry {number} {complaint}")
        if data is None:
            raise RetentionError(f"entry {number} has no rows")
        return data

    def row(self, row: int) -> dict[str, Any]:
        """A row of the entry, and its path to the entry's `rows_root`."""
        number = self._number
        found = row_files.read(self._row_file(number, self.said))
        if not 0 <= row < found.count:
            raise RetentionError(
                f"entry {number} has no row {row}: it has rows 0 to {found.count - 1}"
            )
        hashes = found.hashes()
        path = merkle.prove_inclusion(row, found.count, merkle.subtrees_of(hashes))
        values = [column[row] for column in found.columns.values()]
        leaf = row_files.leaf(values, row, found.seed)
        salt, text = leaf[: row_files.SALT_BYTES], leaf[row_files.SALT_BYTES :]
        return {
            "number": row,
            "columns": list(found.names),
            "salt": base64url(salt),
            "text": text.decode(),
            "path": [_base64(one) for one in path],
        }


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


class _ProofParts(NamedTuple):
    """A proof taken apart, nothing of it checked."""

    extra: dict[str, Any]
    number: int
    path: list[str]
    signed: bytes


def _parts(text: str) -> _ProofParts:
    """ValueError and the like where it is no proof of ours."""
    head, blank, signed = text.partition("\n\n")
    first, extra, index, *path = head.split("\n")
    number = int(index.removeprefix(_INDEX))
    if not blank or first != FIRST_LINE or index != f"{_INDEX}{number}":
        raise ValueError("it is no tlog-proof")
    if not extra.startswith(_EXTRA):
        raise ValueError("it is a proof of another log: its extra line is missing")
    data = note.from_base64(extra.removeprefix(_EXTRA))
    found = decode(data)
    if encode(found) != data or found["format"] != FORMAT:
        raise ValueError("what it holds beside the proof is not in our form")
    return _ProofParts(found, number, path, signed.encode())


def vkey_in(text: str) -> str | None:
    """The key that a proof names as the log's: a hint, to be held against what is known."""
    try:
        key = _parts(text).extra.get("key")
    except UNREADABLE:
        return None
    return key if isinstance(key, str) else None


def verify_proof(text: str, verifier: Verifier) -> Proved:
    """What the proof shows; VerificationError says what of it is wrong."""
    if len(text) > SIZE_LIMIT:
        raise VerificationError("the file is too large for a proof")
    try:
        return _Reader(_parts(text), verifier).proved()
    except UNREADABLE as error:
        raise VerificationError(f"the proof is not whole: {error!r}") from error


class _Reader:
    """A proof while it is checked.  ValueError and the like where it can't be read."""

    def __init__(self, parts: _ProofParts, verifier: Verifier) -> None:
        self._parts = parts
        self._extra = extra = parts.extra
        if extra.get("key") not in (None, verifier.vkey):
            raise VerificationError(
                f"the proof is of a log with another key than {verifier.name}'s"
            )
        _only(extra, _KNOWN, _NEEDED)
        self._checkpoint = note.open_checkpoint(parts.signed, verifier)
        self._entries: dict[int, dict[str, Any]] = {}

    def proved(self) -> Proved:
        """Every part checked, and that they belong to each other."""
        extra, number = self._extra, self._parts.number
        said = self._entry(extra["entry"], self._parts.path)
        if said["index"] != number:
            raise VerificationError(f"the proof of entry {number} is of another one")
        disclosed = {
            name: commitments.opened(text, name, said["sd"][name])
            for name, text in extra.get("disclosures", {}).items()
        }
        found = Proved(self._checkpoint, number, self._entries, disclosed)
        if "restored" in extra:
            found = found._replace(restored=self._restored(number))
        if "row" not in extra:
            _only(extra, _NEEDED | {"key", "disclosures", "restored"}, _NEEDED)
            return found
        values = _row(extra["row"], said)
        found = found._replace(row=extra["row"]["number"], values=values)
        if "camera" in extra:
            found = found._replace(camera=self._camera(values))
        if said["kind"] != INTENDED:
            _only(extra, _KNOWN - {"completion"}, _NEEDED)
            return found
        return self._deletion(found, said)

    def _entry(self, text: str, path: Sequence[str]) -> dict[str, Any]:
        """What an entry says that lies under the signed checkpoint."""
        data, head = text.encode(), self._checkpoint
        entry: dict[str, Any] = decode(data)
        number = entry["index"]
        if number in self._entries:
            raise VerificationError(f"entry {number} is given twice")
        try:
            merkle.check_inclusion(
                number, head.size, merkle.leaf(data), _hashes(path), head.root
            )
        except ValueError as error:
            raise VerificationError(
                f"entry {number} is not the one that was signed, or its proof was "
                f"changed: {error}"
            ) from error
        self._entries[number] = entry
        return entry

    def _restored(self, number: int) -> int:
        """The entry that says that the one of this number came back unsigned."""
        given = self._extra["restored"]
        _only(given, {"entry", "path"}, {"entry", "path"})
        entry = self._entry(given["entry"], given["path"])
        said = stretches([entry]) if entry["kind"] == RESTORED else []
        if not is_unsigned(said, number):
            raise VerificationError(
                f"entry {entry['index']} does not say that entry {number} came back"
            )
        return int(entry["index"])

    def _camera(self, values: Mapping[str, Any]) -> str:
        """The published id of the row's camera, by the entry that gave it one."""
        given = self._extra["camera"]
        _only(given, {"entry", "path"}, {"entry", "path"})
        entry = self._entry(given["entry"], given["path"])
        kind = KINDS.get(entry["kind"])
        named = None if kind is None else kind.id_given(entry["fields"])
        if named is None or named[0] != values["camera"]:
            raise VerificationError(
                f"entry {entry['index']} does not name the camera of the row"
            )
        return named[1]

    def _deletion(self, found: Proved, intent: Mapping[str, Any]) -> Proved:
        """What became of a row of an intent, by its completion and the exceptions."""
        given = self._extra["completion"]
        _only(given, {"entry", "path", "exceptions"}, {"entry", "path"})
        done = self._entry(given["entry"], given["path"])
        fields = done["fields"]
        if done["kind"] != "recordings.deleted" or fields["intent"] != found.number:
            raise VerificationError(
                f"entry {done['index']} does not complete entry {found.number}"
            )
        if ("rows_sha256" in done) != ("exceptions" in given):
            raise VerificationError("the list of exceptions is missing, or is not its")
        listed: row_files.Columns = {"row": (), "outcome": ()}
        if "exceptions" in given:
            listed = _exceptions(done, given["exceptions"])
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
            outcome=str(outcomes_in(done, listed).of(found.row or 0)),
            between=(intent["at"], done["at"]),
        )


def _only(
    found: Mapping[str, Any], known: Set[str], needed: Set[str] = _NEEDED
) -> None:
    """VerificationError where there is more in it than its reader understands, or less."""
    if not needed <= found.keys() <= known:
        names = ", ".join(sorted(found.keys() ^ needed))
        raise VerificationError(f"the proof has other parts than it should: {names}")


def _row(given: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row under the `rows_root` of its entry, by column."""
    _only(given, _OF_ROW, _OF_ROW)
    number, text, salt = given["number"], given["text"], from_base64url(given["salt"])
    if type(number) is not int:
        raise TypeError(f"row {number!r}")
    if len(salt) != row_files.SALT_BYTES:
        raise VerificationError("the salt of the row has another length")
    try:
        merkle.check_inclusion(
            number,
            entry["rows"],
            merkle.leaf(salt + text.encode()),
            _hashes(given["path"]),
            from_base64url(entry["rows_root"]),
        )
    except ValueError as error:
        raise VerificationError(
            f"row {number} is not the one that was written, or its proof was "
            f"changed: {error}"
        ) from error
    names, kind = tuple(given["columns"]), KINDS.get(entry["kind"])
    values = decode(text.encode())
    known = kind is None or kind.has_columns(names)
    if not known or len(values) != len(names):
        raise VerificationError(f"row {number} is of other columns than its entry")
    return dict(zip(names, values, strict=True))


_OF_ROW = {"number", "columns", "salt", "text", "path"}


def _exceptions(entry: Mapping[str, Any], text: str) -> row_files.Columns:
    data = note.from_base64(text)
    if complaint := row_files.complaint(entry.get("rows_sha256"), data):
        raise VerificationError(f"the completion {complaint}")
    found = row_files.read(data)
    if found.count != entry["rows"]:
        raise VerificationError("the exceptions are not as many as the completion says")
    return found.columns


def _hashes(lines: Sequence[str]) -> list[bytes]:
    hashes = [note.from_base64(line) for line in lines]
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ValueError("a hash has 32 bytes")
    return hashes
