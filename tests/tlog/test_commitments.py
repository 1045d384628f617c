"""Committed fields: the digest says nothing, the disclosure opens it, no other does."""

import base64
import hashlib
import json

import pytest

from retention.tlog.commitments import digest, disclose, opened


def test_a_disclosure_has_the_form_of_sd_jwt():
    """RFC 9901: base64url of [salt, name, value], SHA-256 over that very text."""
    text = disclose("reason", "François said so")
    salt, name, value = json.loads(
        base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    )
    assert (name, value) == ("reason", "François said so")
    assert len(base64.urlsafe_b64decode(salt + "==")) == 16
    expected = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    assert digest(text) == expected.decode().rstrip("=")


def test_the_digest_of_the_rfc_example():
    text = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    committed = "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY"
    assert opened(text, "family_name", committed) == "Möbius"


def test_a_disclosure_opens_to_its_value():
    text = disclose("reason", "x")
    assert opened(text, "reason", digest(text)) == "x"


def test_equal_values_have_different_digests():
    assert digest(disclose("reason", "x")) != digest(disclose("reason", "x"))


def test_another_value_is_detected():
    committed = digest(disclose("reason", "x"))
    with pytest.raises(ValueError, match="not the one"):
        opened(disclose("reason", "x"), "reason", committed)


def test_a_disclosure_of_another_field_is_detected():
    text = disclose("name", "x")
    with pytest.raises(ValueError, match="another field"):
        opened(text, "reason", digest(text))


@pytest.mark.parametrize("text", ["", "e30", "WzEsMl0", "!!", "é"])
def test_what_is_no_disclosure_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        opened(text, "reason", digest(text))
