"""The Merkle tree of RFC 6962, section 2.1, over SHA-256: pure, no I/O.

Leaves and nodes are told apart by their first byte, so that no entry can pass for a
node.  A tree is carried on as its frontier: one hash for each full subtree.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

EMPTY = sha256(b"").digest()
"""The root of the tree without leaves."""

HASH_BYTES = 32


def leaf(data: bytes) -> bytes:
    """The hash of one leaf: SHA-256 of 0x00 and its bytes."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees: SHA-256 of 0x01 and their hashes."""
    return sha256(b"\x01" + left + right).digest()


class Frontier(NamedTuple):
    """All of a tree that is needed to append to it and to know its root.

    `hashes` are the roots of its full subtrees, the largest (leftmost) first: one for
    each bit that is set in `size`.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf_hash: bytes) -> Frontier:
        """The frontier with one leaf more; O(log n)."""
        hashes, size = self.hashes, self.size
        # A full subtree at the right edge for each 1 at the end of `size`: all of
        # them close with the new leaf.
        while size & 1:
            leaf_hash = node(hashes[-1], leaf_hash)
            hashes = hashes[:-1]
            size >>= 1
        return Frontier(self.size + 1, (*hashes, leaf_hash))

    def root(self) -> bytes:
        """The root of the tree, as a checkpoint states it."""
        if not self.hashes:
            return EMPTY
        found = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            found = node(left, found)
        return found

    def subtrees(self) -> list[tuple[int, int]]:
        """The leaves [first, after last) under each of `hashes`."""
        spans, first = [], 0
        for bit in range(self.size.bit_length() - 1, -1, -1):
            if self.size >> bit & 1:
                spans.append((first, first + (1 << bit)))
                first += 1 << bit
        return spans

    def to_bytes(self) -> bytes:
        """The hashes, one after the other."""
        return b"".join(self.hashes)

    @staticmethod
    def from_bytes(size: int, data: bytes) -> Frontier:
        """The reverse of `to_bytes`; ValueError where `data` can't be of `size`."""
        if size < 0 or len(data) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"{len(data)} bytes are no frontier of {size} leaves")
        return Frontier(
            size,
            tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)),
        )


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes that are all at hand."""
    level = list(leaf_hashes)
    if not level:
        return EMPTY
    while len(level) > 1:
        # A last one without a partner moves up as it is: RFC 6962 splits at the
        # largest power of two, which comes to the same tree.
        paired = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) & 1:
            paired.append(level[-1])
        level = paired
    return level[0]
