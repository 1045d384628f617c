"""The ten traps of `field/audit-log-rows.md`, section 2, each by its number."""

import base64
import json
import struct
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785

from retention.model.errors import UsageError, VerificationError
from retention.tlog import merkle, note, tiles
from retention.tlog.canonical import LARGEST, decode, encode, path_bytes, path_text
from retention.tlog.entry import Stored
from retention.tlog.note import Checkpoint, open_checkpoint
from tests.support.publishing import KEY, NAME, OTHER_KEY, VERIFIER, head, public

HEAD = Checkpoint(NAME, 7, bytes(range(32)))
SIGNED = note.sign(HEAD.text, NAME, KEY)


def cosignature(name, key, time=1_795_000_000):
    """A line of type 0x04, as a witness makes it."""
    message = f"cosignature/v1\ntime {time}\n{HEAD.text}".encode()
    key_id = sha256(name.encode() + b"\n\x04" + public(key)).digest()[:4]
    data = key_id + struct.pack(">Q", time) + key.sign(message)
    return f"\u2014 {name} {base64.b64encode(data).decode()}\n"


def test_trap_1_the_key_id_is_over_name_type_and_key():
    name, key_id, key = VERIFIER.vkey.split("+", 2)
    data = base64.b64decode(key)
    assert (data[0], len(data)) == (0x01, 33), "the type is in the key's base64"
    assert key_id == sha256(name.encode() + b"\n" + data).hexdigest()[:8]
    example = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert note.parse_vkey(example).key_id.hex() == "530d903a"
    without_type = sha256(name.encode() + b"\n" + data[1:]).hexdigest()[:8]
    with pytest.raises(UsageError):
        note.parse_vkey(f"{name}+{without_type}+{key}")


def test_trap_2_paths_and_checkpoint_are_those_of_c2sp_not_of_go():
    """No height and `entries`; any origin, not Go's alone (tests/interop rewrites)."""
    assert tiles.path("entries", 1_234_067, 9) == "tile/entries/x001/x234/067.p/9"
    assert tiles.parse("tile/8/0/x001/000") is None
    assert tiles.parse("tile/8/data/000") is None
    assert note.parse_checkpoint(HEAD.text).origin == NAME


def test_trap_3_any_bytes_are_an_entry():
    """Go's records may hold no empty line; a bundle holds them all."""
    entries = [b"", b"\n\n", b"a\n\nb\n", b"\0\xff", b"\x01" * tiles.ENTRY_LIMIT]
    assert tiles.unbundled(tiles.bundle(entries), 5) == entries
    assert merkle.leaf(b"") == sha256(b"\0").digest()


def test_trap_4_a_cosignature_is_another_type_and_no_signature_of_the_log():
    witness = cosignature("witness.example/w1", OTHER_KEY)
    assert open_checkpoint((SIGNED + witness).encode(), VERIFIER) == HEAD
    alone = f"{HEAD.text}\n{cosignature(NAME, KEY)}"
    with pytest.raises(VerificationError, match="not signed by"):
        open_checkpoint(alone.encode(), VERIFIER)


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a+b", "a\nb", "a\tb", "a\u2003b", "a\u00a0b", "a\x7f b", "a\u2028b"],
)
def test_trap_5_a_name_that_would_break_the_note_is_refused(name):
    with pytest.raises(UsageError, match="name of a key"):
        note.vkey(name, public(KEY))
    with pytest.raises(UsageError, match="name of a key"):
        note.sign(HEAD.text, name, KEY)


def test_trap_5_the_line_begins_with_an_em_dash():
    assert SIGNED.rpartition("\n\n")[2].startswith(f"\u2014 {NAME} ")
    for other in ("-", "\u2013", "\u2212"):
        with pytest.raises(VerificationError):
            open_checkpoint(SIGNED.replace("\u2014", other).encode(), VERIFIER)
    with pytest.raises(VerificationError, match="control"):
        open_checkpoint(SIGNED.replace("\n7\n", "\n7\r\n").encode(), VERIFIER)


def test_trap_6_base64_has_one_spelling():
    """Python's and Go's decoders take all four; so bytes of a note are no identity."""
    signature = SIGNED[:-1].rpartition(" ")[2]
    data = base64.b64decode(signature)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = len(signature.rstrip("=")) - 1
    others = []
    for letter in alphabet:
        other = signature[:place] + letter + signature[place + 1 :]
        if other != signature and base64.b64decode(other, validate=True) == data:
            others.append(other)
    assert others, "68 bytes leave bits over"
    for other in [*others, signature + "=", signature[:9] + "*" + signature[9:]]:
        with pytest.raises(VerificationError):
            open_checkpoint(SIGNED.replace(signature, other).encode(), VERIFIER)


def test_trap_7_sizes_where_trees_go_wrong():
    full = [(t.level, t.width) for t in tiles.new_files(0, 256)]
    assert full == [("entries", 256), (0, 256), (1, 1)]
    empty = note.parse_checkpoint(note.open_note(head([]), VERIFIER))
    assert empty == Checkpoint(NAME, 0, sha256(b"").digest())
    one = Stored(0, b"a")
    assert note.unverified(head([one])).root == merkle.leaf(b"a")


def test_trap_8_the_key_of_the_log_makes_one_type_of_signature():
    """`sign` has no other; the same key as a witness has another id, and is unknown."""
    lines = SIGNED.rpartition("\n\n")[2].splitlines()
    (data,) = (base64.b64decode(line.rpartition(" ")[2]) for line in lines)
    assert data[:4] == VERIFIER.key_id
    both = SIGNED + cosignature(NAME, KEY)
    assert open_checkpoint(both.encode(), VERIFIER) == HEAD


def test_trap_9_no_time_stamp_service_is_promised():
    """The client refused a token of a common server: it is not among what we need, and a
    line that one adds to a checkpoint is ignored like every unknown one."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    needed = tomllib.loads(project.read_text())["project"]["dependencies"]
    assert not [name for name in needed if "3161" in name]
    token = base64.b64encode(b"\xff" * 3000).decode()
    note_with_token = f"{SIGNED}\u2014 tsa.example/rfc3161 {token}\n"
    assert open_checkpoint(note_with_token.encode(), VERIFIER) == HEAD


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), 2**53, -(2**53), {"é": 1}, "\ud800", {1: 2}, b"x"]
)
def test_trap_10_values_outside_the_profile_are_refused(value):
    with pytest.raises(ValueError, match=r"."):
        encode({"value": value})


def test_trap_10_inside_the_profile_it_is_rfc_8785():
    value = {"b": [LARGEST, -LARGEST, None, True], "a": '\u20ac\U0001f600\x01"\\/é'}
    assert encode(value) == rfc8785.dumps(value)
    name = b"caf\xe9/\xff%\n.mp4"
    assert path_bytes(path_text(name)) == name
    assert decode(encode(path_text(name))) == path_text(name)


@pytest.mark.parametrize(
    "text", ["9007199254740992", "1" * 17, "-9007199254740992", "1.0"]
)
def test_trap_10_numbers_that_readers_differ_on_are_not_read(text):
    with pytest.raises(ValueError, match=r"2\*\*53|integer"):
        decode(json.dumps({"a": 0}).replace("0", text).encode())
