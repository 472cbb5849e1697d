"""The tree of a ledger, made anew from its entries, compared with its tiles and with every head that is known of it.

Where a walk begins in the middle, the tiles before it are taken as they are: the root proves them.
"""

from __future__ import annotations

from collections.abc import Iterator

from slmtrail.core.errors import TrailError
from slmtrail.core.ports import Fault
from slmtrail.indexer.ledger import merkle, tiles
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.frontier import TILE_WIDTH, Frontier, Tile
from slmtrail.indexer.ledger.merkle import HASH_BYTES
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.tally import Tally


class Tree:
    """Takes the entries of a ledger from leaf `start`, a multiple of 256, up to its checkpoint."""

    def __init__(self, folder: LedgerFolder, checkpoint: Checkpoint, start: int, tally: Tally) -> None:
        self._folder = folder
        self._checkpoint = checkpoint
        self._tally = tally
        self._above = Frontier()
        """The tree over full tiles: its leaves are the hashes of tiles of level 0."""
        self._edge = b""
        self._heads: dict[int, list[bytes]] = {}
        self._take_tiles(start // TILE_WIDTH)

    def root(self) -> bytes:
        """The root over what was taken so far."""
        return _root(self._edge, self._above)

    def expect(self, size: int, root: bytes) -> None:
        """A head that must be a beginning of this tree; to be told of before the walk reaches it."""
        if size // TILE_WIDTH >= self._above.size:
            self._heads.setdefault(size // TILE_WIDTH, []).append(size.to_bytes(8, "big") + root)
        elif self._root_of(size) != root:
            self._forked(size)

    def bundle(self, index: int, width: int) -> list[bytes | None]:
        """The entries of a bundle; none where it is missing or torn, which is told."""
        try:
            data = tiles.read_bundle(self._folder.folder, index, width)
            return list(tiles.decode_bundle(data, tiles.bundle_path(index, width)))
        except TrailError as error:
            self._tally.fault(Fault("bundle", str(error), self._folder.ledger, index * TILE_WIDTH))
            return [None] * width

    def take(self, entries: list[bytes]) -> None:
        """The entries of the next tile; fewer than 256 only at the end."""
        index, width = self._above.size, len(entries)
        hashes = merkle.leaf_hashes(entries)
        self._compare(Tile(0, index, hashes))
        for head in self._heads.pop(index, ()):
            size = int.from_bytes(head[:8], "big")
            if _root(hashes[: size % TILE_WIDTH * HASH_BYTES], self._above) != head[8:]:
                self._forked(size)
        if width == TILE_WIDTH:
            self._above, made = self._above.extend(merkle.fold(hashes))
            for tile in made:
                if tile.width == TILE_WIDTH:
                    self._compare(Tile(tile.level + 1, tile.index, tile.hashes))
        else:
            self._edge = hashes

    def end(self) -> None:
        """Compares the right edge, and the root with the signed one."""
        for level, edge in enumerate(self._above.edges, 1):
            if edge:
                self._compare(Tile(level, self._above.size >> 8 * level, edge))
        for heads in self._heads.values():
            for head in heads:
                size = int.from_bytes(head[:8], "big")
                if _root(self._edge[: size % TILE_WIDTH * HASH_BYTES], self._above) != head[8:]:
                    self._forked(size)
        if self.root() != self._checkpoint.root:
            text = f"the entries of {self._folder.ledger} do not give the signed root of {self._checkpoint.size} leaves"
            self._tally.fault(Fault("root", text, self._folder.ledger))

    def _take_tiles(self, count: int) -> None:
        """Takes the hashes of the first `count` tiles from the tiles above them."""
        for hashes in _rows(self._folder, count):
            self._above, _ = self._above.extend(hashes)

    def _root_of(self, size: int) -> bytes:
        """The root at a size before the walk, as the tiles give it."""
        above = Frontier()
        for hashes in _rows(self._folder, size // TILE_WIDTH):
            above, _ = above.extend(hashes)
        width = size % TILE_WIDTH
        edge = tiles.read_tile(self._folder.folder, 0, size // TILE_WIDTH, width) if width else b""
        return _root(edge, above)

    def _compare(self, tile: Tile) -> None:
        leaf = tile.index * TILE_WIDTH if tile.level == 0 else None
        try:
            found = tiles.read_tile(self._folder.folder, tile.level, tile.index, tile.width)
        except TrailError as error:
            self._tally.fault(Fault("tile", str(error), self._folder.ledger, leaf))
            return
        if found != tile.hashes:
            name = tiles.tile_path(tile.level, tile.index, tile.width)
            text = f"{name} of {self._folder.ledger} does not hold the hashes of what is below it"
            self._tally.fault(Fault("tile", text, self._folder.ledger, leaf))

    def _forked(self, size: int) -> None:
        text = f"a head of {self._folder.ledger} over {size} leaves was signed that is no beginning of what is here"
        self._tally.fault(Fault("forked", text, self._folder.ledger))


def _rows(folder: LedgerFolder, count: int) -> Iterator[bytes]:
    """The first `count` hashes of tile level 1."""
    for index in range(-(-count // TILE_WIDTH)):
        yield tiles.read_tile(folder.folder, 1, index, min(TILE_WIDTH, count - index * TILE_WIDTH))


def _root(edge: bytes, above: Frontier) -> bytes:
    """The root over full tiles and the hashes behind them: their complete subtrees, folded from the right."""
    pieces: list[bytes] = []
    for row in reversed((edge, *above.edges)):
        width = len(row) // HASH_BYTES
        for bit in range(8, -1, -1):
            if width >> bit & 1:
                first = width >> (bit + 1) << (bit + 1)
                pieces.append(merkle.fold(row[first * HASH_BYTES : (first + (1 << bit)) * HASH_BYTES]))
    root = pieces.pop() if pieces else merkle.EMPTY_ROOT
    while pieces:
        root = merkle.node_hash(pieces.pop(), root)
    return root
