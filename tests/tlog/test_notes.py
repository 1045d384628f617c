"""Signed notes and checkpoints: C2SP's own examples, and everything that is not one."""

import base64

import pytest

from retention.model.errors import UsageError, VerificationError
from retention.tlog import note
from retention.tlog.note import Checkpoint, open_checkpoint, open_note, parse_vkey
from tests.support.publishing import KEY, NAME, OTHER_KEY, VERIFIER, public

# The example of C2SP signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq"
    "6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example of C2SP tlog-checkpoint.
CHECKPOINT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

HEAD = Checkpoint(NAME, 20_852_163, bytes(range(32)))
SIGNED = note.sign(HEAD.text, NAME, KEY)


def opened(text):
    return open_checkpoint(text.encode(), VERIFIER)


def test_the_example_of_the_specification():
    assert open_note(NOTE.encode(), parse_vkey(VKEY)) == "This is an example message.\n"
    assert parse_vkey(VKEY).key_id.hex() == "530d903a"
    assert note.vkey("example.com/foo", parse_vkey(VKEY).public) == VKEY


def test_the_example_of_a_checkpoint():
    found = note.parse_checkpoint(CHECKPOINT)
    assert found[:2] == ("example.com/behind-the-sofa", 20_852_163)
    assert found.text == CHECKPOINT


def test_what_was_signed_is_opened():
    assert opened(SIGNED) == HEAD
    assert parse_vkey(VERIFIER.vkey) == VERIFIER


def test_a_fingerprint_is_sixteen_digits_in_any_writing():
    """It is copied from paper, by hand."""
    found = note.fingerprint(VKEY)
    assert len(found.replace(" ", "")) == 16
    for written in (
        found,
        found.replace(" ", ""),
        found.upper(),
        found.replace(" ", "-"),
    ):
        assert note.as_fingerprint(written) == found
    assert note.as_fingerprint(VKEY) is None
    assert note.as_fingerprint(found + " 0") is None


def test_every_changed_bit_of_a_checkpoint_is_noticed():
    data = SIGNED.encode()
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(VerificationError):
            open_checkpoint(bytes(changed), VERIFIER)


def test_every_cut_checkpoint_is_noticed():
    for end in range(len(SIGNED)):
        with pytest.raises(VerificationError):
            opened(SIGNED[:end])


@pytest.mark.parametrize(
    "text",
    [
        "leicester\n12\n",
        f"{HEAD.text}an extension\n",
        HEAD.text.replace("20852163", "020852163"),
        HEAD.text.replace("20852163", "+20852163"),
        HEAD.text.replace("20852163", "-1"),
        HEAD.text.replace("20852163", "٣"),
        HEAD.text.replace("20852163", ""),
        HEAD.text.replace("20852163", "9" * 40),
        HEAD.text.replace("=", ""),
        HEAD.text.replace("AAEC", "AA EC"),
        f"{NAME}\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"\n1\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{HEAD.text}\n",
    ],
)
def test_texts_that_are_no_checkpoint_are_refused_though_signed(text):
    with pytest.raises(VerificationError):
        opened(note.sign(text, NAME, KEY))


def test_the_checkpoint_of_another_log_is_refused_though_signed_by_this_key():
    other = HEAD._replace(origin="leicester/another")
    with pytest.raises(VerificationError, match="of the log leicester/another"):
        opened(note.sign(other.text, NAME, KEY))


def test_size_zero_is_written_as_zero():
    assert opened(note.sign(HEAD._replace(size=0).text, NAME, KEY)).size == 0


def line_of(name, key, text=HEAD.text):
    return note.sign(text, name, key).rpartition("\n\n")[2]


def test_lines_of_unknown_keys_are_ignored():
    """That is how a witness or a second key is added later."""
    other = line_of("witness.example/w1", OTHER_KEY)
    assert opened(SIGNED + other) == HEAD
    assert opened(SIGNED.replace("\n\n", f"\n\n{other}")) == HEAD
    assert opened(SIGNED + line_of(NAME, OTHER_KEY)) == HEAD, "same name, other key"
    assert opened(SIGNED + other * 50) == HEAD


def test_a_wrong_line_of_the_known_key_spoils_the_note():
    wrong = line_of(NAME, KEY, "another text\n")
    for text in (SIGNED + wrong, SIGNED.replace("\n\n", f"\n\n{wrong}")):
        with pytest.raises(VerificationError):
            opened(text)


def test_a_note_without_the_known_key_says_whose_it_carries():
    with pytest.raises(VerificationError, match=r"a line of witness\.example/w1"):
        opened(f"{HEAD.text}\n{line_of('witness.example/w1', OTHER_KEY)}")


@pytest.mark.parametrize(
    "line",
    [
        f"- {NAME} AAAAAAAA\n",
        f"\u2014{NAME} AAAAAAAA\n",
        f"\u2014 {NAME}\n",
        "\u2014  AAAAAAAA\n",
        f"\u2014 {NAME} AAAA\n",
        f"\u2014 {NAME} AAAAAAA*\n",
        f"\u2014 {NAME}  AAAAAAAA\n",
        "\u2014 a+b AAAAAAAA\n",
        "\u2014 a\u00a0b AAAAAAAA\n",
        "nothing\n",
    ],
)
def test_lines_that_are_no_signatures_spoil_the_note(line):
    with pytest.raises(VerificationError):
        opened(SIGNED + line)


def test_notes_are_bounded():
    with pytest.raises(VerificationError, match="too many"):
        opened(SIGNED + "x" * note.SIZE_LIMIT)
    with pytest.raises(VerificationError, match="absurd"):
        opened(SIGNED + line_of("witness.example/w1", OTHER_KEY) * 101)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\n\n", b"\xff\xfe", b"a\n\nb", b"a\tb\n\n\n"]
)
def test_bytes_that_are_no_note_are_refused(data):
    with pytest.raises(VerificationError):
        open_checkpoint(data, VERIFIER)


def test_every_changed_character_of_a_verifier_key_is_noticed():
    for at in range(len(VKEY)):
        changed = VKEY[:at] + chr(ord(VKEY[at]) ^ 1) + VKEY[at + 1 :]
        with pytest.raises(UsageError):
            parse_vkey(changed)


@pytest.mark.parametrize(
    "text", ["", "a", "a+b", "a+b+c", VKEY[:-1], VKEY + "A", " " + VKEY]
)
def test_texts_that_are_no_verifier_key_are_refused(text):
    with pytest.raises(UsageError):
        parse_vkey(text)


@pytest.mark.parametrize("text", ["no newline", "a\tb\n", "a\rb\n", ""])
def test_texts_that_no_note_can_have_are_not_signed(text):
    with pytest.raises(ValueError, match="lines"):
        note.sign(text, NAME, KEY)


def test_the_key_in_the_note_is_the_one_that_signed():
    assert VERIFIER.public == public(KEY)
