"""A proof file that somebody was given, checked in a browser with the key alone."""

import pytest
from playwright.sync_api import expect

from retention.publication import explorer
from retention.tlog import note, vectors
from retention.tlog.directory import Published
from retention.tlog.proof import prove_entry
from tests.support import needs
from tests.support.audited import AT
from tests.support.publishing import OTHER_KEY, public

pytestmark = needs.chromium


@pytest.fixture(scope="module")
def row(published, tmp_path_factory):
    """The proof of a real deletion."""
    out = tmp_path_factory.mktemp("proof") / "1101.tlog-proof"
    done = published.call(
        "audit", "prove", "--camera", "1101", "--at", AT, "--out", str(out),
        "--dir", str(published.log), config=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    return out


@pytest.fixture
def alone(tab, tmp_path):
    """Pages with no log, opened as files."""
    explorer.write(tmp_path / "pages")
    tab.page.goto((tmp_path / "pages/explorer/index.html").as_uri())
    return tab


def check(tab, key, proof, name="one.tlog-proof"):
    tab.page.fill("#key", key)
    data = proof.encode() if isinstance(proof, str) else proof
    file = {"name": name, "mimeType": "text/plain", "buffer": data}
    tab.page.set_input_files("#proof-file", file)
    return tab


def test_a_deletion_is_proven_with_the_key_alone(alone, published, row):
    for key in (published.key, note.fingerprint(published.key)):
        check(alone, key, row.read_bytes())
        said = alone.says("proof", "PROVEN: row 0 of entry")
        assert "the recording of camera 1101 from 2026-01-05 12:00:00 UTC" in said
        assert "What became of it: deleted, between " in said
    assert alone.violations() == []
    alone.picture("given-proof")


def test_an_entry_is_proven(alone, long):
    proof = prove_entry(Published(long.directory), 300)
    check(alone, long.key, proof.replace("\n", "\r\n"))  # as a mail has it
    alone.says("proof", "PROVEN: entry 300, ")


def test_what_a_proof_opens_is_shown(alone):
    found = vectors.vectors()
    key = found.files["key"].decode().strip()
    check(alone, key, found.proof)
    alone.says("proof", "camera 1001")


def test_another_key_proves_nothing(alone, published, row):
    check(alone, note.vkey("test/other", public(OTHER_KEY)), row.read_bytes())
    assert "another key" in alone.says("proof", "PROVES NOTHING")
    check(alone, "0123 4567 89ab cdef", row.read_bytes())
    alone.says("refused", "another log, or another key")
    expect(alone.page.locator("#proof")).to_be_empty()


def test_every_changed_letter_is_found(alone, published, row):
    text = row.read_text()
    said = alone.page.evaluate(
        """async ([text, key]) => {
          const found = [];
          for (let at = 0; at < text.length; at += 11) {
            const letter = text[at] === "A" ? "B" : "A";
            const changed = text.slice(0, at) + letter + text.slice(at + 1);
            try {
              await proven(proofParts(changed), parseKey(key));
              found.push(at);
            } catch (problem) {
              if (!(problem instanceof Altered)) found.push(`${at}: ${problem}`);
            }
          }
          return found;
        }""",
        [text, published.key],
    )
    assert said == []
