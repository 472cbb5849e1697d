"""Hashes, roots and proofs against RFC 6962 written out naively."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.ledger import make_vectors as naive
from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger import merkle
from slmtrail.indexer.ledger.frontier import TILE_WIDTH, Frontier, tile_count

ENTRIES = [naive.entry(i) for i in range(600)]
SIZES = st.integers(1, 40) | st.sampled_from([255, 256, 257, 300])


def reader(size: int) -> merkle.HashReader:
    """Hashes of the tree of `size`; fails the test where one is asked for that the tree does not hold."""

    def read(level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        assert 0 <= start < end <= size
        return naive.mth(ENTRIES[start:end])

    return read


def flip(data: bytes, bit: int) -> bytes:
    """`data` with one bit changed."""
    bit %= 8 * len(data)
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


@given(SIZES | st.just(0))
def test_root(size: int) -> None:
    assert merkle.root(size, reader(size)) == naive.mth(ENTRIES[:size])


@given(SIZES, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, reader(size))
    assert proof == naive.path(index, ENTRIES[:size])
    merkle.verify_inclusion(merkle.leaf_hash(ENTRIES[index]), index, size, proof, naive.mth(ENTRIES[:size]))


@given(SIZES, st.data())
def test_consistency(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, second))
    proof = merkle.consistency_proof(first, second, reader(second))
    if first:
        assert proof == naive.proof(first, ENTRIES[:second])
    roots = naive.mth(ENTRIES[:first]), naive.mth(ENTRIES[:second])
    merkle.verify_consistency(first, roots[0], second, roots[1], proof)


@given(SIZES, st.data())
def test_a_wrong_inclusion_proof_never_passes(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    leaf, root = merkle.leaf_hash(ENTRIES[index]), naive.mth(ENTRIES[:size])
    proof = naive.path(index, ENTRIES[:size])
    wrong = [
        (flip(leaf, bit), index, proof, root),
        (leaf, index, proof, flip(root, bit)),
        (leaf, index, [*proof, root], root),
        *((leaf, other, proof, root) for other in {index - 1, index + 1, index ^ 2, size, -1} - {index}),
        *((leaf, index, [*proof[:i], flip(proof[i], bit), *proof[i + 1 :]], root) for i in range(len(proof))),
        *((leaf, index, [*proof[:i], *proof[i + 1 :]], root) for i in range(len(proof))),
        *((leaf, index, [*proof[:i], proof[i], *proof[i:]], root) for i in range(len(proof))),
    ]
    if proof != proof[::-1]:
        wrong.append((leaf, index, proof[::-1], root))
    for given_leaf, given_index, given_proof, given_root in wrong:
        with pytest.raises(LedgerError):
            merkle.verify_inclusion(given_leaf, given_index, size, given_proof, given_root)


@given(SIZES, st.data())
def test_a_wrong_consistency_proof_never_passes(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, second))
    bit = data.draw(st.integers(0, 255))
    old, new = naive.mth(ENTRIES[:first]), naive.mth(ENTRIES[:second])
    proof = naive.proof(first, ENTRIES[:second]) if first else []
    wrong = [
        (flip(old, bit), new, proof),
        (old, new, [*proof, new]),
        *((old, new, [*proof[:i], flip(proof[i], bit), *proof[i + 1 :]]) for i in range(len(proof))),
        *((old, new, [*proof[:i], *proof[i + 1 :]]) for i in range(len(proof))),
    ]
    if first:
        wrong.append((old, flip(new, bit), proof))
    for given_old, given_new, given_proof in wrong:
        with pytest.raises(LedgerError):
            merkle.verify_consistency(first, given_old, second, given_new, given_proof)


def test_nothing_is_consistent_with_an_empty_tree_of_another_root() -> None:
    root = naive.mth(ENTRIES[:1])
    with pytest.raises(LedgerError, match="empty tree"):
        merkle.verify_consistency(0, root, 1, root, [])
    with pytest.raises(LedgerError, match="empty tree"):
        merkle.verify_consistency(0, root, 0, root, [])
    merkle.verify_consistency(0, merkle.EMPTY_ROOT, 0, merkle.EMPTY_ROOT, [])


def test_two_roots_of_one_size_are_a_fork() -> None:
    with pytest.raises(LedgerError, match="forked"):
        merkle.verify_consistency(2, naive.mth(ENTRIES[:2]), 2, naive.mth(ENTRIES[1:3]), [])


@pytest.mark.parametrize("size", [-1, 2**63, 2**64, 10**9, pytest.param(10**5000, id="huge")])
def test_absurd_sizes_are_refused(size: int) -> None:
    root = naive.mth(ENTRIES[:4])
    proof = naive.path(0, ENTRIES[:4])
    with pytest.raises(LedgerError):
        merkle.verify_inclusion(merkle.leaf_hash(ENTRIES[0]), 0, size, proof, root)
    with pytest.raises(LedgerError):
        merkle.verify_inclusion(merkle.leaf_hash(ENTRIES[0]), size, 4, proof, root)
    with pytest.raises(LedgerError):
        merkle.verify_consistency(3, root, size, root, proof)
    with pytest.raises(LedgerError):
        merkle.verify_consistency(size, root, 4, root, proof)
    if not 0 <= size <= merkle.MAX_SIZE:
        with pytest.raises(LedgerError):
            merkle.root(size, reader(0))


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_hashes_of_a_wrong_length_are_refused(length: int) -> None:
    leaf, other = merkle.leaf_hash(ENTRIES[0]), merkle.leaf_hash(ENTRIES[1])
    root = naive.mth(ENTRIES[:2])
    wrong = bytes(length)
    for args in [(wrong, [other], root), (leaf, [wrong], root), (leaf, [other], wrong)]:
        with pytest.raises(LedgerError, match="bytes instead of 32"):
            merkle.verify_inclusion(args[0], 0, 2, args[1], args[2])
    for first, second, proof in [(wrong, root, [other]), (leaf, wrong, [other]), (leaf, root, [wrong])]:
        with pytest.raises(LedgerError, match="bytes instead of 32"):
            merkle.verify_consistency(1, first, 2, second, proof)


@given(st.lists(st.integers(0, 300), max_size=6))
def test_a_frontier_makes_the_tiles_of_the_tree(batches: list[int]) -> None:
    frontier, start = Frontier(), 0
    found: dict[tuple[int, int], bytes] = {}
    for batch in batches:
        entries = [naive.entry(i) for i in range(start, start + batch)]
        frontier, changed = frontier.extend(b"".join(map(merkle.leaf_hash, entries)))
        start += batch
        found |= {(tile.level, tile.index): tile.hashes for tile in changed}
        assert all(0 < tile.width <= TILE_WIDTH for tile in changed)
    assert frontier.size == start
    entries = [naive.entry(i) for i in range(start)]
    for (level, index), hashes in found.items():
        assert hashes == naive.tile(level, index, entries)
    assert sum(map(len, found.values())) == 32 * sum(tile_count(start, level) for level in range(3))
