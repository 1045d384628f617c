"""The Merkle tree against RFC 6962 and the test vectors of Certificate Transparency."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.tlog import merkle
from retention.tlog.merkle import EMPTY, Frontier, leaf, node

# The leaves and roots that certificate-transparency-go publishes for this tree.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def by_definition(hashes):
    """RFC 6962, section 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node(by_definition(hashes[:split]), by_definition(hashes[split:]))


def grown(hashes):
    frontier = Frontier()
    for one in hashes:
        frontier = frontier.append(one)
    return frontier


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots_of_certificate_transparency(size):
    hashes = [leaf(data) for data in LEAVES[:size]]
    assert merkle.root(hashes).hex() == ROOTS[size - 1]
    assert grown(hashes).root().hex() == ROOTS[size - 1]


def test_the_empty_tree_is_the_hash_of_nothing():
    """Trap 7: Go's TreeHash(0) says zeros, RFC 6962 says SHA-256 of nothing."""
    assert EMPTY.hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")
    assert Frontier().root() == merkle.root([]) == EMPTY


@given(st.integers(0, 600))
def test_frontier_and_levels_are_the_definition(size):
    hashes = [leaf(b"%d" % number) for number in range(size)]
    assert by_definition(hashes) == merkle.root(hashes) == grown(hashes).root()


@given(st.integers(0, 600))
def test_a_frontier_has_one_hash_for_each_bit_of_its_size(size):
    frontier = grown([leaf(b"%d" % number) for number in range(size)])
    assert (frontier.size, len(frontier.hashes)) == (size, size.bit_count())
    assert Frontier.from_bytes(size, frontier.to_bytes()) == frontier


def test_a_tree_of_256_is_one_full_subtree():
    """Trap 7: a full tile, and one hash above it."""
    hashes = [leaf(b"%d" % number) for number in range(256)]
    assert grown(hashes).hashes == (merkle.root(hashes),)


@pytest.mark.parametrize(("size", "length"), [(3, 32), (0, 32), (1, 31), (-1, 0)])
def test_a_frontier_of_another_size_is_refused(size, length):
    with pytest.raises(ValueError, match="no frontier"):
        Frontier.from_bytes(size, bytes(length))


def test_a_leaf_is_never_a_node():
    """Second preimage: the bytes of a node as a leaf give another hash."""
    left, right = leaf(b"a"), leaf(b"b")
    assert leaf(left + right) != node(left, right)
