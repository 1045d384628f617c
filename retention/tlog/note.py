"""Owns signed notes and checkpoints: C2SP signed-note v1.0 and tlog-checkpoint v1.0.

The one module of the verifying code that needs the `cryptography` library.  Strict:
what two readers could read in two ways is refused, base64 with spare bits set as well.
Lines of keys that are not asked for are ignored, as the specification demands; that is
how witnesses and a second key of the log can be added later.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from retention.model.errors import UsageError, VerificationError

ED25519 = 0x01
"""The signature type of an Ed25519 key that signs a note's text as it is."""

KEY_BYTES = 32
SIZE_LIMIT = 64 * 1024
"""No note is larger (bytes)."""

LINES_LIMIT = 100
"""No note has more signatures; the specification asks for at least 16."""

_DASH = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX8 = re.compile(r"[0-9a-f]{8}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class Verifier(NamedTuple):
    """A public key with its name: what a note must be signed with."""

    name: str
    key_id: bytes
    public: bytes

    @property
    def vkey(self) -> str:
        """The key as text."""
        return vkey(self.name, self.public)


class Checkpoint(NamedTuple):
    """What a log's head says: which log, how many entries, the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


class Head(NamedTuple):
    """A signed head and where it was found; `succession`: what stood behind it, of a log
    that goes on for the one that was asked for (`tlog.succession`)."""

    where: str
    checkpoint: Checkpoint
    note: str
    succession: str = ""

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.checkpoint.size


def check_name(name: str) -> str:
    """`name`, where it can be the name of a key; else UsageError.

    Not empty, no `+`, nothing that Unicode calls a space, no control characters.
    """
    if not name or "+" in name or _CONTROL.search(name) or any(map(str.isspace, name)):
        raise UsageError(
            f"{name!r} can't be the name of a key: use neither spaces nor +, as in "
            "leicester/0c6b6f0e"
        )
    return name


def vkey(name: str, public: bytes) -> str:
    """The verifier key: `name+key id+base64(type and key)`."""
    key_id = _key_id(check_name(name), public)
    key = b64encode(bytes([ED25519]) + public).decode()
    return f"{name}+{key_id.hex()}+{key}"


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4]


def parse_vkey(text: str) -> Verifier:
    """The reverse of `vkey`; UsageError where it is not the one spelling of a key."""
    text = text.removesuffix("\n")
    name, _, rest = text.partition("+")
    key_id, _, key = rest.partition("+")
    try:
        data = from_base64(key)
        check_name(name)
    except (ValueError, UsageError) as error:
        raise UsageError(f"{text!r} is no verifier key: {error}") from None
    if len(data) != 1 + KEY_BYTES or data[0] != ED25519 or not _HEX8.fullmatch(key_id):
        raise UsageError(f"{text!r} is no verifier key of type Ed25519")
    found = Verifier(name, _key_id(name, data[1:]), data[1:])
    if found.key_id.hex() != key_id:
        raise UsageError(
            f"{text!r} was mistyped: the key has the id {found.key_id.hex()}"
        )
    return found


def fingerprint(vkey: str) -> str:
    """What of a verifier key is noted on paper: 16 hex digits in groups of four."""
    digits = sha256(vkey.encode()).hexdigest()[:16]
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def as_fingerprint(text: str) -> str | None:
    """A fingerprint as somebody typed it, in its one form; None where it is none."""
    digits = re.sub(r"[\s:-]", "", text).lower()
    if not _FINGERPRINT.fullmatch(digits):
        return None
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The signed note of `text`; ValueError where no note can have that text."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note is lines without control characters")
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    data = _key_id(check_name(name), public) + key.sign(text.encode())
    return f"{text}\n{_DASH}{name} {b64encode(data).decode()}\n"


def open_note(data: bytes, verifier: Verifier) -> str:
    """The text of a note, signed by that key; VerificationError where it is not."""
    text, lines = _parts(data)
    signatures = [_signature(line) for line in lines]
    ours = [s for s in signatures if s[:2] == (verifier.name, verifier.key_id)]
    if not ours:
        names = ", ".join(sorted({name for name, _, _ in signatures}))
        raise VerificationError(
            f"the note is not signed by {verifier.name} with the given key; it carries "
            f"a line of {names}"
        )
    if len(ours) > 1:
        raise VerificationError(f"the note carries two lines of {verifier.name}")
    try:
        Ed25519PublicKey.from_public_bytes(verifier.public).verify(
            ours[0][2], text.encode()
        )
    except InvalidSignature:
        raise VerificationError(
            f"the signature of {verifier.name} is wrong: the text or the signature was "
            "changed, or another key made it"
        ) from None
    return text


def open_checkpoint(data: bytes, verifier: Verifier) -> Checkpoint:
    """The checkpoint of a log, signed by its key.

    VerificationError says what is wrong: no note, not signed by that key, no
    checkpoint, or one of another log.
    """
    found = parse_checkpoint(open_note(data, verifier))
    if found.origin != verifier.name:
        raise VerificationError(
            f"the checkpoint is of the log {found.origin}, not of {verifier.name}"
        )
    return found


def newest(found: Iterable[tuple[str, bytes]], verifier: Verifier) -> Head | None:
    """The largest head of this log among notes, given with where they were found.

    What is none says nothing: who keeps notes can't always take one away.
    """
    heads = []
    for where, data in found:
        with suppress(VerificationError):
            heads.append(Head(where, open_checkpoint(data, verifier), data.decode()))
    heads.sort(key=lambda head: head.size)
    return heads[-1] if heads else None


def unverified(data: bytes) -> Checkpoint:
    """What a checkpoint says, its signature not looked at; VerificationError."""
    return parse_checkpoint(_parts(data)[0])


def parse_checkpoint(text: str) -> Checkpoint:
    """The three lines of a checkpoint, in their one spelling; VerificationError."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise VerificationError("a checkpoint has three lines: log, size and root")
    origin, size, root = lines[:3]
    if not _DECIMAL.fullmatch(size):
        raise VerificationError(f"the checkpoint's size is {size!r}, no number")
    try:
        found = from_base64(root)
    except ValueError as error:
        raise VerificationError(f"the checkpoint's root is no hash: {error}") from None
    if len(found) != 32:
        raise VerificationError(f"the checkpoint's root has {len(found)} bytes, not 32")
    return Checkpoint(origin, int(size), found)


def _parts(data: bytes) -> tuple[str, Sequence[str]]:
    """The text of a note, and its signature lines without their newlines."""
    if len(data) > SIZE_LIMIT:
        raise VerificationError(f"{len(data)} bytes are too many for a signed note")
    try:
        note = data.decode()
    except UnicodeDecodeError:
        raise VerificationError("a signed note is text, and this is not") from None
    if _CONTROL.search(note):
        raise VerificationError("the note contains control characters")
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise VerificationError(
            "this is no signed note: text, an empty line, lines with signatures; it "
            "may be cut short"
        )
    lines = signatures[:-1].split("\n")
    if len(lines) > LINES_LIMIT:
        raise VerificationError(
            f"the note has {len(lines)} signatures, which is absurd"
        )
    return text + "\n", lines


def _signature(line: str) -> tuple[str, bytes, bytes]:
    """Name, key id and signature of one line; VerificationError."""
    name, space, text = line.removeprefix(_DASH).partition(" ")
    try:
        if not line.startswith(_DASH) or not space:
            raise ValueError("it is not of the form")
        check_name(name)
        data = from_base64(text)
        if len(data) < 5:
            raise ValueError("it is too short")
    except (ValueError, UsageError) as error:
        raise VerificationError(
            f"the note has a line that is no signature: {error}"
        ) from None
    return name, data[:4], data[4:]


def from_base64(text: str) -> bytes:
    """Standard base64 in its one spelling; ValueError.

    Python and Go take spare bits that are not zero, so that one signature would have
    many texts: written again, it must be the same.
    """
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise ValueError(f"{text!r} is no base64") from None
    if b64encode(data).decode() != text:
        raise ValueError(f"{text!r} is not base64 in its one spelling")
    return data
