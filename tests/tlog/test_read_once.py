"""A copy is read once against its head; what is told of it later is what was read then."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.publication.log_key import public
from retention.tlog.copied import DirectorySource
from retention.tlog.kinds import KINDS
from tests.support.logs import a_catalogue
from tests.support.publishing import KEY, fill, publish

SIZE = 600


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    catalogue = a_catalogue(tmp_path_factory.mktemp("entries"), public(KEY))
    entries = fill(catalogue, SIZE)
    catalogue.close()
    return publish(tmp_path_factory.mktemp("copy"), entries)


def told(source, kinds, first=0):
    return [(one.number, one.entry) for one in source.of_kinds(kinds, first)]


@given(
    st.sets(st.sampled_from(sorted(KINDS)) | st.sampled_from(["hold.*", "none.such"])),
    st.integers(0, SIZE + 1),
)
def test_what_was_read_against_the_head_is_told_as_a_new_reader_tells_it(
    copy, kinds, first
):
    source = DirectorySource(copy)
    source.root()
    assert told(source, kinds, first) == told(DirectorySource(copy), kinds, first)


def test_a_copy_that_is_altered_after_it_was_checked_is_told_as_it_was_signed(
    copy, tmp_path
):
    """Who can write into the directory can do so while a report is made."""
    log = shutil.copytree(copy, tmp_path / "log")
    source = DirectorySource(log)
    source.root()
    kinds = ("hold.cooled", "heartbeat", "hold.released")
    signed = told(source, kinds)
    assert len(signed) > SIZE // 2
    for path in filter(Path.is_file, log.glob("tile/entries/**/*")):
        path.write_bytes(path.read_bytes().replace(b"hold.cooled", b"hold.coolex"))
    assert told(DirectorySource(log), kinds) != signed
    assert told(source, kinds) == signed
