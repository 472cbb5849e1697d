"""The right edge of a tree: all that is needed of it to append, so that no tree is ever read whole."""

from __future__ import annotations

from dataclasses import dataclass

from slmtrail.indexer.ledger.merkle import HASH_BYTES, fold

TILE_WIDTH = 256
TILE_HEIGHT = 8
TILE_BYTES = TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Tile:
    """Up to 256 neighbouring hashes of one tile level, as one string of bytes."""

    level: int
    index: int
    hashes: bytes

    @property
    def width(self) -> int:
        """How many hashes it holds; 256 when it is full."""
        return len(self.hashes) // HASH_BYTES


def tile_count(size: int, level: int) -> int:
    """How many hashes a tree of `size` has at a tile level."""
    return size >> TILE_HEIGHT * level


def tile_levels(size: int) -> int:
    """How many tile levels a tree of `size` has."""
    return -(-size.bit_length() // TILE_HEIGHT)


def subtree(level: int, index: int) -> tuple[int, int, slice]:
    """Where tiles hold the hash (level, index) of a tree: tile level, tile, and the bytes that fold into it."""
    tile_level, height = divmod(level, TILE_HEIGHT)
    tile, first = divmod(index << height, TILE_WIDTH)
    return tile_level, tile, slice(first * HASH_BYTES, (first + (1 << height)) * HASH_BYTES)


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree's size and, for each tile level, the hashes of its last tile as long as that isn't full."""

    size: int = 0
    edges: tuple[bytes, ...] = ()

    def extend(self, leaves: bytes) -> tuple[Frontier, list[Tile]]:
        """The frontier after these leaf hashes were appended, and every tile that changed, lowest first."""
        size = self.size + len(leaves) // HASH_BYTES
        edges: list[bytes] = []
        changed: list[Tile] = []
        hashes = leaves
        for level in range(tile_levels(size)):
            row = (self.edges[level] if level < len(self.edges) else b"") + hashes
            first = tile_count(self.size, level + 1)
            full = len(row) // TILE_BYTES
            tiles = [Tile(level, first + n, row[n * TILE_BYTES : (n + 1) * TILE_BYTES]) for n in range(full)]
            edge = Tile(level, first + full, row[full * TILE_BYTES :])
            edges.append(edge.hashes)
            changed += tiles
            if hashes and edge.hashes:
                changed.append(edge)
            hashes = b"".join([fold(tile.hashes) for tile in tiles])
        return Frontier(size, tuple(edges)), changed
