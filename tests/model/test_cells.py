"""No cell of ours is run by a spreadsheet, and each is read back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.model.cells import bare, shielded


@pytest.mark.parametrize("text", ["=1+1", "+44", "-x", "@x", "\tx", "\rx"])
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text):
    assert shielded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "High Street", "'tis", "1-2"])
def test_all_else_stays_as_it_is(text):
    assert shielded(text) == bare(text) == text


@given(st.text(st.sampled_from("'=+-@\t\ra"), max_size=6))
def test_what_is_shielded_is_read_back(text):
    assert bare(shielded(text)) == text
    assert not shielded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
