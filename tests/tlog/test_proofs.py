"""One entry or one deletion is proven to somebody who has the key and nothing else."""

import json
from base64 import b64decode, b64encode

import pytest

from retention.catalogue import log
from retention.model.errors import RetentionError, VerificationError
from retention.tlog import note
from retention.tlog.canonical import encode
from retention.tlog.directory import Published
from retention.tlog.proof import prove_entry, prove_row, verify_proof, vkey_in
from tests.support.logs import a_catalogue, batch_rows
from tests.support.publishing import (
    KEY,
    NAME,
    OTHER_KEY,
    VERIFIER,
    fill,
    public,
    publish,
)

SIZE = 300
TABLE = batch_rows(20)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Directory and catalogue: 1 intent, 2 completion with an exception, 4 released."""
    where = tmp_path_factory.mktemp("proofs")
    catalogue = a_catalogue(where, public(KEY))
    entries = fill(catalogue, SIZE)
    yield Published(publish(where / "log", entries)), catalogue, entries
    catalogue.close()


@pytest.fixture(scope="module")
def published(made):
    return made[0]


@pytest.mark.parametrize("number", [0, 1, 2, 255, 256, 257, SIZE - 1])
def test_an_entry_is_proven(published, made, number):
    found = verify_proof(prove_entry(published, number), VERIFIER)
    assert (found.number, found.checkpoint.size) == (number, SIZE)
    assert found.entries[number]["index"] == number
    assert list(found.entries) == [number]


def test_the_text_holds_the_entry_as_it_was_signed(published, made):
    assert beside(prove_entry(published, 7))["entry"] == made[2][7].data.decode()


def test_an_entry_that_is_not_signed_yet_has_no_proof(published):
    with pytest.raises(RetentionError, match="not under the signed checkpoint"):
        prove_entry(published, SIZE)


def test_a_field_is_disclosed_only_where_that_is_asked_for(published, made):
    with made[1].read() as tx:
        texts = log.stored(tx, 4, 1)[0].disclosures
    reason = {"reason": texts["reason"]}
    proof = prove_entry(published, 4, disclosures=reason)
    assert verify_proof(proof, VERIFIER).disclosed == {
        "reason": "wrong camera: François said so"
    }
    assert verify_proof(prove_entry(published, 4), VERIFIER).disclosed == {}
    assert "disclosures" not in beside(prove_entry(published, 4))


@pytest.mark.parametrize(
    ("row", "outcome"), [(0, "deleted"), (3, "rescued"), (19, "deleted")]
)
def test_a_deletion_is_proven_with_what_became_of_it(published, row, outcome):
    found = verify_proof(prove_row(published, 1, row, completion=2), VERIFIER)
    assert (found.number, found.row, found.outcome) == (1, row, outcome)
    assert list(found.entries) == [1, 2]
    assert found.values["start"] == TABLE.values[row][2]
    assert found.between == (found.entries[1]["at"], found.entries[2]["at"])


def test_a_batch_without_exceptions_has_no_list_of_them(published):
    proof = prove_row(published, 6, 3, completion=7)
    assert verify_proof(proof, VERIFIER).outcome == "deleted"
    assert "exceptions" not in beside(proof)["completion"]


def test_no_other_row_is_revealed(published):
    """Not its start, not its path: what is there of it is a salted hash."""
    proof = json.dumps(beside(prove_row(published, 1, 5, completion=2)))
    assert str(TABLE.values[5][2]) in proof
    for row, values in enumerate(TABLE.values):
        # The intent names its oldest start: that of row 0.
        assert row in (0, 5) or str(values[2]) not in proof


def test_a_row_that_there_is_not_has_no_proof(published):
    with pytest.raises(RetentionError, match="has no row 20"):
        prove_row(published, 1, 20)
    with pytest.raises(RetentionError, match="has no rows"):
        prove_row(published, 0, 0)


def test_an_intent_without_completion_is_not_proven_deleted(tmp_path):
    catalogue = a_catalogue(tmp_path, public(KEY))
    entries = fill(catalogue, 2)
    with pytest.raises(RetentionError, match="is not completed"):
        prove_row(Published(publish(tmp_path / "log", entries)), 1, 0)
    catalogue.close()


def test_a_proof_is_only_for_the_key_of_its_log(published):
    other = note.parse_vkey(note.vkey(NAME, public(OTHER_KEY)))
    with pytest.raises(VerificationError, match="not signed by"):
        verify_proof(prove_entry(published, 5), other)
    with pytest.raises(VerificationError, match="another key"):
        verify_proof(prove_entry(published, 5, vkey=VERIFIER.vkey), other)


def test_a_proof_names_its_key_for_who_has_the_fingerprint(published):
    proof = prove_entry(published, 5, vkey=VERIFIER.vkey)
    assert vkey_in(proof) == VERIFIER.vkey
    assert verify_proof(proof, VERIFIER).number == 5
    assert vkey_in(prove_entry(published, 5)) is None


@pytest.mark.parametrize("number", [1, 6])
def test_every_changed_character_of_a_proof_is_noticed(published, number):
    proof = prove_row(published, number, 3, completion=number + 1, vkey=VERIFIER.vkey)
    for at in range(len(proof)):
        changed = proof[:at] + chr(ord(proof[at]) ^ 1) + proof[at + 1 :]
        with pytest.raises(VerificationError):
            verify_proof(changed, VERIFIER)


def test_every_cut_proof_is_noticed(published):
    proof = prove_row(published, 1, 3, completion=2)
    for end in range(len(proof)):
        with pytest.raises(VerificationError):
            verify_proof(proof[:end], VERIFIER)


def test_parts_of_other_proofs_do_not_fit(published):
    """Another row of the batch, another completion, exceptions left out."""
    text = prove_row(published, 1, 3, completion=2)
    other = beside(prove_row(published, 11, 3, completion=12))
    whole = beside(text)
    done = whole["completion"]
    for wrong in (
        {"completion": None},
        {"row": None},
        {"completion": {**done, "exceptions": None}},
        {"completion": other["completion"]},
        {"completion": {**done, "exceptions": other["completion"]["exceptions"]}},
        {"row": other["row"]},
        {"entry": other["entry"]},
        {"entry": done["entry"]},
        {"camera": {"entry": done["entry"], "path": done["path"]}},
        {"row": {**whole["row"], "more": 1}},
        {"anything": "else"},
        {"format": "cctv-retention-proof/2"},
    ):
        with pytest.raises(VerificationError):
            verify_proof(with_beside(text, whole | wrong), VERIFIER)


def test_what_is_beside_it_has_one_spelling(published):
    text = prove_entry(published, 5)
    spaced = json.dumps(beside(text)).encode()
    first, _, rest = text.split("\n", 2)
    with pytest.raises(VerificationError, match="not in our form"):
        verify_proof(f"{first}\nextra {b64encode(spaced).decode()}\n{rest}", VERIFIER)


def test_a_foreign_tlog_proof_is_told_from_ours(published):
    first, _, rest = prove_entry(published, 5).split("\n", 2)
    with pytest.raises(VerificationError, match="not whole"):
        verify_proof(f"{first}\n{rest}", VERIFIER)


def beside(text):
    """What a proof holds beside what every reader of a tlog-proof reads."""
    return json.loads(b64decode(text.split("\n")[1].removeprefix("extra ")))


def with_beside(text, shown):
    """The same proof with something else beside it; None is left out."""

    def kept(found):
        if not isinstance(found, dict):
            return found
        return {name: kept(one) for name, one in found.items() if one is not None}

    first, _, rest = text.split("\n", 2)
    return f"{first}\nextra {b64encode(encode(kept(shown))).decode()}\n{rest}"
