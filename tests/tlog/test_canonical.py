"""Canonical JSON: RFC 8785 within the profile, refused outside it."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from retention.tlog.canonical import (
    LARGEST,
    base64url,
    decode,
    encode,
    from_base64url,
    path_bytes,
    path_text,
)

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST, LARGEST)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


@given(VALUES)
def test_our_bytes_are_those_of_rfc8785(value):
    assert encode(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_is_written_reads_back(value):
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**53, -(2**53), {"ä": 1}, {1: 2}, b"x", {"a": {1}}],
)
def test_outside_the_profile_nothing_is_written(value):
    """Trap 10: encoders differ on floats, large integers and keys beyond ASCII."""
    with pytest.raises(ValueError, match=r"canonical|2\*\*53|ASCII"):
        encode(value)


def test_a_lone_surrogate_is_not_written():
    """Trap 10: what Python makes of a file name that is not UTF-8."""
    with pytest.raises(ValueError, match="surrogates"):
        encode({"path": b"caf\xe9.mp4".decode("utf-8", "surrogateescape")})


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":9007199254740992}',
        b'{"a":%s}' % (b"9" * 5000),
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a":1} x',
        b"[" * 100_000,
        b"",
    ],
)
def test_bytes_that_two_readers_could_take_differently_are_refused(data):
    with pytest.raises(ValueError, match=r"."):
        decode(data)


def test_reading_does_not_ask_for_the_canonical_form():
    """The leaf is the stored bytes, however they are spaced."""
    assert decode(b'{ "b": 1, "a": 2 }') == {"a": 2, "b": 1}


@given(st.binary(max_size=40))
def test_any_path_comes_back_from_its_text(path):
    text = path_text(path)
    json.dumps(text, ensure_ascii=False).encode()
    assert path_bytes(text) == path


def test_a_readable_path_stays_readable():
    assert path_text("straße/a b.mp4".encode()) == "straße/a b.mp4"
    assert path_text(b"100%/caf\xe9\n.mp4") == "100%25/caf%E9%0A.mp4"


@given(st.binary(max_size=40))
def test_base64url_has_one_spelling(data):
    assert from_base64url(base64url(data)) == data


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q Q", "Q+", "QQ\n", "A", "é"])
def test_base64_in_another_spelling_is_refused(text):
    """Trap 6: unused bits, padding and stray characters are accepted by decoders."""
    with pytest.raises(ValueError, match=r"."):
        from_base64url(text)
