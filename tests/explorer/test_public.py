"""The explorer beside a public copy: what is withheld is shown as withheld, and
nothing is said of what it may say."""

import pytest
from playwright.sync_api import expect

from retention.model.errors import UsageError
from retention.publication import explorer, extract
from retention.publication.copy import PublicCopy
from tests.explorer.conftest import Log
from tests.interop.outsider import open_head
from tests.support import needs
from tests.support.audited import AT

pytestmark = needs.chromium


@pytest.fixture(scope="module")
def public(published, tmp_path_factory):
    """A public copy of what a real daemon published."""
    directory = tmp_path_factory.mktemp("public") / "log"
    PublicCopy(published.log, directory).to_head(lambda *_: None)
    explorer.write(directory)
    size = open_head((directory / "checkpoint").read_bytes(), published.key)[1]
    return Log(directory, published.key, size)


def kinds_here(tab):
    tab.page.click("#kind-form button")
    tab.says("found-title", "Every kind, of the whole log")
    return set(tab.page.locator("#found tbody td:nth-child(3)").all_inner_texts())


@pytest.mark.parametrize("how", ["served", "picked"])
def test_it_is_signed_and_what_is_withheld_is_said_to_be(tab, served, public, how):
    if how == "served":
        tab.open(served(public), public.key)
    else:
        tab.pick(public.directory).give(public.key)
    assert "This is a public copy" in tab.says("verdict", "SIGNED")
    kinds = kinds_here(tab)
    assert "camera.added" in kinds
    assert not [
        kind for kind in kinds if kind.startswith(("hold", "deletion", "record"))
    ]
    assert "Withheld in this public copy: " in tab.says("found-text", "Withheld")
    tab.page.click("#all-form button")
    said = tab.says("verdict", f"CHECKED: all {public.size} entries")
    assert "are withheld: their hashes were checked." in said
    assert tab.violations() == []
    tab.picture(f"public-{how}")
    # It looks for the bundles of a whole log once.
    tab.told = [one for one in tab.told if "404" not in one]


def test_an_entry_that_is_withheld_has_its_proof(tab, public):
    tab.pick(public.directory).give(public.key).says("verdict", "SIGNED")
    here = set()
    tab.page.click("#kind-form button")
    tab.says("found-title", "Every kind")
    for text in tab.page.locator("#found tbody td:first-child").all_inner_texts():
        here.add(int(text))
    withheld = min(set(range(public.size)) - here)
    assert tab.show(withheld) == f"Entry {withheld}: withheld"
    assert "PROVEN" in tab.says("entry", "WITHHELD")


def test_nothing_is_said_of_holds_and_recordings(tab, public):
    tab.pick(public.directory).give(public.key).says("verdict", "SIGNED")
    said = tab.about("1101", AT[:10], 12)
    assert "whatever they say" in said
    assert "No hold" not in said
    assert "No entry speaks" not in said


def test_what_was_changed_in_it_is_refused(tab, public, tmp_path):
    log = public.copy(tmp_path / "log")
    (path,) = [one for one in (log.directory / "public").rglob("*") if one.is_file()]
    path.write_bytes(path.read_bytes().replace(b"Market Place", b"Market Plaza"))
    tab.pick(log.directory).give(log.key)
    assert "was changed" in tab.says("refused", "REFUSED")
    expect(tab.page.locator("#search-section")).to_be_hidden()


def test_no_extract_is_taken_of_it(public, tmp_path):
    with pytest.raises(UsageError, match="a public copy"):
        extract.extract(
            public.directory, tmp_path / "usb", extract.Days(1), lambda *_: None
        )
