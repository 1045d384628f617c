"""Inclusion proofs against RFC 6962 and RFC 9162, and against themselves."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.tlog import merkle
from retention.tlog.merkle import leaf, node, subtrees_of

# The leaves of Certificate Transparency's test tree, and proofs published for it.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
HASHES = [leaf(data) for data in LEAVES]

# Section 2.1.3 of RFC 6962, 2.1.5 of RFC 9162: a tree of seven leaves, by its letters.
A, B, C, D, E, F, J = (leaf(b"d%d" % n) for n in range(7))
SEVEN = [A, B, C, D, E, F, J]
G, H, I = node(A, B), node(C, D), node(E, F)  # noqa: E741
K, L = node(G, H), node(I, J)


@pytest.mark.parametrize(
    ("number", "path"), [(0, [B, H, L]), (3, [C, G, L]), (4, [F, J, K]), (6, [I, K])]
)
def test_audit_paths_of_the_rfc(number, path):
    assert merkle.prove_inclusion(number, 7, subtrees_of(SEVEN)) == path
    merkle.check_inclusion(number, 7, SEVEN[number], path, node(K, L))


def test_a_published_audit_path_of_certificate_transparency():
    path = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    found = merkle.prove_inclusion(0, 8, subtrees_of(HASHES))
    assert [one.hex() for one in found] == path
    assert merkle.included_root(0, 8, HASHES[0], found).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


def tree(size):
    return [leaf(b"%d" % number) for number in range(size)]


@given(st.integers(1, 300), st.data())
def test_what_is_proven_is_accepted(size, data):
    number = data.draw(st.integers(0, size - 1))
    hashes = tree(size)
    root = merkle.root(hashes)
    path = merkle.prove_inclusion(number, size, subtrees_of(hashes))
    merkle.check_inclusion(number, size, hashes[number], path, root)


@given(st.integers(2, 70), st.data())
def test_any_other_inclusion_is_refused(size, data):
    """Another leaf, place, size or root; a step more, less or changed."""
    hashes = tree(size)
    root, number = merkle.root(hashes), data.draw(st.integers(0, size - 1))
    path = merkle.prove_inclusion(number, size, subtrees_of(hashes))
    at = data.draw(st.integers(0, len(path) - 1))
    other = sha256(b"other").digest()
    wrong = [
        (number, size, other, path, root),
        (number, size, hashes[number], path, other),
        (number, size, hashes[number], [*path[:at], other, *path[at + 1 :]], root),
        (number, size, hashes[number], path[:at] + path[at + 1 :], root),
        (number, size, hashes[number], [*path, other], root),
        (number, size, hashes[number], [path[0][:31], *path[1:]], root),
        (size, size, hashes[number], path, root),
        (-1, size, hashes[number], path, root),
    ]
    wrong += [(n, size, hashes[number], path, root) for n in range(size) if n != number]
    for arguments in wrong:
        with pytest.raises(ValueError, match=r"leaf|path|hash"):
            merkle.check_inclusion(*arguments)


def test_there_is_no_proof_of_what_is_not_there():
    for number, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="has no leaf"):
            merkle.prove_inclusion(number, size, subtrees_of(tree(size)))
