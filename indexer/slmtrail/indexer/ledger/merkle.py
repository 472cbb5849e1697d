"""RFC 6962 over SHA-256: hashes, roots, proofs, and how each is checked.

Knows nothing of files: whoever asks for a root or a proof brings a `HashReader`. What was read is not
trusted, it only makes a proof that fails. Checking raises LedgerError; it never returns "no".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from slmtrail.core.errors import LedgerError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = sha256().digest()

HashReader = Callable[[int, int], bytes]
"""(level, index) → the hash over the leaves [index · 2^level, (index + 1) · 2^level), all of which exist."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> bytes:
    """The hashes of leaves, as one string of bytes."""
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two others."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: bytes) -> bytes:
    """The root over 2^k hashes, given as one string of bytes."""
    while len(hashes) > HASH_BYTES:
        pairs = range(0, len(hashes), 2 * HASH_BYTES)
        hashes = b"".join([sha256(b"\x01" + hashes[i : i + 2 * HASH_BYTES]).digest() for i in pairs])
    return hashes


def root(size: int, read: HashReader) -> bytes:
    """The root of the tree of the first `size` leaves."""
    _check_size(size)
    return _range_root(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of the tree of `size`, its sibling first."""
    _check_index(index, size)
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left_width(end - start)
        if index < middle:
            proof.append(_range_root(middle, end, read))
            end = middle
        else:
            proof.append(_range_root(start, middle, read))
            start = middle
    return proof[::-1]


def consistency_proof(first: int, second: int, read: HashReader) -> list[bytes]:
    """The hashes that show the tree of `first` to be the beginning of the tree of `second`."""
    _check_order(first, second)
    if first == 0:
        return []
    proof = []
    start, end = 0, second
    while first != end:
        middle = start + _left_width(end - start)
        if first <= middle:
            proof.append(_range_root(middle, end, read))
            end = middle
        else:
            proof.append(_range_root(start, middle, read))
            start = middle
    if start:
        proof.append(_range_root(start, end, read))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises LedgerError unless `proof` leads from the leaf hash at `index` to `root`."""
    _check_index(index, size)
    _check_hashes(leaf, root, *proof)
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if not last:
            raise LedgerError(f"inclusion proof of leaf {index} in {size}: {len(proof)} hashes are too many")
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise LedgerError(f"inclusion proof of leaf {index} in {size}: {len(proof)} hashes are too few")
    if found != root:
        raise LedgerError(f"inclusion proof of leaf {index} in {size}: it does not lead to the root")


def verify_consistency(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises LedgerError unless `proof` shows the tree of `first` to be the beginning of that of `second`."""
    _check_order(first, second)
    _check_hashes(first_root, second_root, *proof)
    what = f"consistency proof from {first} to {second}"
    for size, claimed in ((first, first_root), (second, second_root)):
        if size == 0 and claimed != EMPTY_ROOT:
            raise LedgerError(f"{what}: the root at size 0 is not that of an empty tree")
    if first in (0, second):
        if proof:
            raise LedgerError(f"{what}: {len(proof)} hashes are too many")
        if first and first_root != second_root:
            raise LedgerError(f"{what}: two roots of one size: the ledger forked")
        return
    # A tree of 2^k leaves is itself the first node of the proof, so the proof leaves it out.
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        raise LedgerError(f"{what}: 0 hashes are too few")
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if not last:
            raise LedgerError(f"{what}: {len(proof)} hashes are too many")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise LedgerError(f"{what}: {len(proof)} hashes are too few")
    if old != first_root:
        raise LedgerError(f"{what}: it does not lead to the root of {first}")
    if new != second_root:
        raise LedgerError(f"{what}: it does not lead to the root of {second}")


def _left_width(width: int) -> int:
    """The largest power of two below `width`: how many leaves RFC 6962 puts on the left."""
    return 1 << (width - 1).bit_length() - 1


def _range_root(start: int, end: int, read: HashReader) -> bytes:
    """The root over the leaves [start, end), where `start` is a whole multiple of its widest subtree."""
    subtrees = []
    while start < end:
        level = (end - start).bit_length() - 1
        subtrees.append(read(level, start >> level))
        start += 1 << level
    found = subtrees.pop()
    while subtrees:
        found = node_hash(subtrees.pop(), found)
    return found


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise LedgerError("the size of a tree must be a number from 0 to 2^63-1")


def _check_index(index: int, size: int) -> None:
    _check_size(size)
    if not 0 <= index < size:
        raise LedgerError(f"the index of a leaf in a tree of {size} must be a number from 0 to {size - 1}")


def _check_order(first: int, second: int) -> None:
    _check_size(first)
    _check_size(second)
    if first > second:
        raise LedgerError(f"a tree of {first} leaves can't be the beginning of one of {second}")


def _check_hashes(*hashes: bytes) -> None:
    for given in hashes:
        if len(given) != HASH_BYTES:
            raise LedgerError(f"a hash has {len(given)} bytes instead of {HASH_BYTES}")
