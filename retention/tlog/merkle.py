"""The Merkle tree of RFC 6962, section 2.1, over SHA-256: pure, no I/O.

Leaves and nodes are told apart by their first byte, so that no entry can pass for a
node.  A tree is carried on as its frontier: one hash for each full subtree.  Proofs are
made from the roots of full subtrees, wherever those are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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


Subtrees = Callable[[int, int], bytes]
"""(height, number) -> the root over the leaves [number << height, number + 1 << height),
all of which the tree has."""


def subtrees_of(leaf_hashes: Sequence[bytes]) -> Subtrees:
    """The subtrees of a tree whose leaf hashes are all at hand."""

    def found(height: int, number: int) -> bytes:
        return root(leaf_hashes[number << height : (number + 1) << height])

    return found


def range_root(first: int, last: int, subtrees: Subtrees) -> bytes:
    """The root over the leaves [first, last), where `first` is where RFC 6962 splits."""
    count = last - first
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return subtrees(height, first >> height)
    split = first + _split(count)
    return node(range_root(first, split, subtrees), range_root(split, last, subtrees))


def prove_inclusion(number: int, size: int, subtrees: Subtrees) -> list[bytes]:
    """The audit path of one leaf, from its sibling up (RFC 6962, section 2.1.1).

    Raises ValueError where the tree has no such leaf.
    """
    if not 0 <= number < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {number}")
    path, first, last = [], 0, size
    while last - first > 1:
        split = first + _split(last - first)
        if number < split:
            path.append(range_root(split, last, subtrees))
            last = split
        else:
            path.append(range_root(first, split, subtrees))
            first = split
    return path[::-1]


def included_root(
    number: int, size: int, leaf_hash: bytes, proof: Sequence[bytes]
) -> bytes:
    """The root that a leaf and its path lead to (RFC 9162, section 2.1.3.2).

    Raises ValueError where the path has not the length that such a tree asks for.
    """
    if not 0 <= number < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {number}")
    if any(len(one) != HASH_BYTES for one in (leaf_hash, *proof)):
        raise ValueError("a hash has 32 bytes")
    place, end, found = number, size - 1, leaf_hash
    for step in proof:
        if end == 0:
            raise ValueError("the path is too long")
        if place & 1 or place == end:
            found = node(step, found)
            while not place & 1 and place:
                place, end = place >> 1, end >> 1
        else:
            found = node(found, step)
        place, end = place >> 1, end >> 1
    if end:
        raise ValueError("the path is too short")
    return found


def check_inclusion(
    number: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """ValueError where the path does not show that leaf in the tree of that root."""
    if included_root(number, size, leaf_hash, proof) != root:
        raise ValueError(f"the path does not lead from leaf {number} to the root")


def _split(count: int) -> int:
    """The largest power of two below `count`, of 2 or more."""
    return 1 << (count - 1).bit_length() - 1
