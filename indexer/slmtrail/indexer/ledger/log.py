"""One ledger in one folder: entries are appended to it, roots and proofs come out of it.

How it fails: `append` writes and syncs files, but no file says how long the ledger is. The caller keeps
the size (it commits what `append` returned) and gives it back to `open`. Files beyond that size are what
a crash left: they are never trusted, and replaced when the ledger grows over them. A full tile within the
size is never written again. After an error in `append` the ledger is as it was before the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger import merkle, tiles
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.frontier import TILE_WIDTH, Frontier, subtree, tile_count, tile_levels
from slmtrail.indexer.ledger.merkle import HASH_BYTES
from slmtrail.indexer.ledger.note import MAX_NOTE_BYTES, Note

_CACHED_TILES = 256
_PRUNE_BACK = 1000 * TILE_WIDTH


class Log:
    """A ledger of `size` leaves. For one thread, and one writer a folder, which the caller sees to.

    What comes out is what the files say: whoever must trust it checks it against a signed root.
    """

    def __init__(self, folder: Path, frontier: Frontier, bundle: bytes) -> None:
        self.folder = folder
        self._frontier = frontier
        self._bundle = bundle
        self._full_tile = lru_cache(_CACHED_TILES)(self._read_full_tile)
        self._pruned = max(0, frontier.size - _PRUNE_BACK)

    @classmethod
    def open(cls, folder: Path, size: int | None = None) -> Log:
        """The ledger of the first `size` leaves in `folder`, which need not exist yet. Writes nothing.

        Without a size it is the one that the folder's checkpoint claims. Raises LedgerError where a file
        at the right edge of that tree is missing, torn, or contradicts the one beside it.
        """
        if size is None:
            size = _claimed_size(folder)
        if not 0 <= size <= merkle.MAX_SIZE:
            raise LedgerError(f"{folder}: the size of a ledger must be a number from 0 to 2^63-1")
        edges = []
        for level in range(tile_levels(size)):
            index, width = divmod(tile_count(size, level), TILE_WIDTH)
            edges.append(tiles.read_tile(folder, level, index, width) if width else b"")
        index, width = divmod(size, TILE_WIDTH)
        log = cls(folder, Frontier(size, tuple(edges)), tiles.read_bundle(folder, index, width) if width else b"")
        log._check_edge()
        return log

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return self._frontier.size

    def append(self, entries: Sequence[bytes]) -> range:
        """Appends entries of 32 bytes and returns their leaf indices. Blocks until all is on disk."""
        size, first = self.size, self.size // TILE_WIDTH
        bundles = self._bundle + tiles.encode_bundle(entries)
        leaves = merkle.leaf_hashes(entries)
        frontier, changed = self._frontier.extend(leaves)
        files = {}
        for tile in changed:
            files[tiles.tile_path(tile.level, tile.index, tile.width)] = tile.hashes
            if tile.level == 0:
                bundle = tiles.bundle_slice(bundles, tile.index - first, tile.width)
                files[tiles.bundle_path(tile.index, tile.width)] = bundle
        tiles.write_files(self.folder, files)
        self._bundle = tiles.bundle_slice(bundles, frontier.size // TILE_WIDTH - first, frontier.size % TILE_WIDTH)
        self._frontier = frontier
        return range(size, frontier.size)

    def prune(self, committed: int) -> None:
        """Removes the partial files of every tile that is full at the size the caller has committed.

        A checkpoint that asks for one of them is served by the full tile, as tlog-tiles allows. Those of
        tiles not yet full stay: at most 255 a level. After a crash the last 256,000 leaves are gone over
        once more.
        """
        if not 0 <= committed <= self.size:
            raise LedgerError(f"{self.folder}: more leaves are committed than the ledger's {self.size}")
        for level in range(tile_levels(committed)):
            for index in range(tile_count(self._pruned, level + 1), tile_count(committed, level + 1)):
                tiles.remove_partials(self.folder, tiles.tile_path(level, index))
                if level == 0:
                    tiles.remove_partials(self.folder, tiles.bundle_path(index))
        self._pruned = max(self._pruned, committed)

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves, or all of them."""
        return merkle.root(self._within(size), self._read)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The hashes that lead from a leaf to the root at `size`, or of all leaves."""
        return merkle.inclusion_proof(index, self._within(size), self._read)

    def consistency_proof(self, first: int, second: int | None = None) -> list[bytes]:
        """The hashes that show the ledger at size `first` to be the beginning of that at `second`, or of all."""
        return merkle.consistency_proof(first, self._within(second), self._read)

    def leaf_hash(self, index: int) -> bytes:
        """The hash of a leaf, from its tile."""
        self._range(index, index + 1)
        return self._read(0, index)

    def entry(self, index: int) -> bytes:
        """The entry of a leaf, from its bundle."""
        return next(self.entries(index, index + 1))

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The entries of the leaves [start, end), read one bundle at a time."""
        return self._entries(*self._range(start, self.size if end is None else end))

    def _entries(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            index, first = divmod(start, TILE_WIDTH)
            found = self._bundle_entries(index)[first : first + end - start]
            start += len(found)
            yield from found

    def _bundle_entries(self, index: int) -> list[bytes]:
        full = index < tile_count(self.size, 1)
        data = tiles.read_bundle(self.folder, index) if full else self._bundle
        return tiles.decode_bundle(data, str(self.folder / tiles.bundle_path(index, self._width(0, index))))

    def _read(self, level: int, index: int) -> bytes:
        tile_level, tile, part = subtree(level, index)
        return merkle.fold(self._tile(tile_level, tile)[part])

    def _tile(self, level: int, index: int) -> bytes:
        full = index < tile_count(self.size, level + 1)
        return self._full_tile(level, index) if full else self._frontier.edges[level]

    def _read_full_tile(self, level: int, index: int) -> bytes:
        return tiles.read_tile(self.folder, level, index)

    def _check_edge(self) -> None:
        """Finds files of the right length with wrong bytes in them, which a disk that lost power may leave."""
        if not self.size:
            return
        index = (self.size - 1) // TILE_WIDTH
        leaves = merkle.leaf_hashes(self._bundle_entries(index))
        if leaves != self._tile(0, index):
            self._contradict(tiles.bundle_path(index, self._width(0, index)), 0, index)
        for level in range(1, tile_levels(self.size)):
            last = tile_count(self.size, level) - 1
            index, place = divmod(last, TILE_WIDTH)
            claimed = self._tile(level, index)[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            if claimed != merkle.fold(self._tile(level - 1, last)):
                self._contradict(tiles.tile_path(level - 1, last), level, index)

    def _contradict(self, below: str, level: int, index: int) -> NoReturn:
        above = tiles.tile_path(level, index, self._width(level, index))
        raise LedgerError(f"{self.folder}: {below} and {above} contradict each other: one of them is damaged")

    def _width(self, level: int, index: int) -> int:
        return min(TILE_WIDTH, tile_count(self.size, level) - index * TILE_WIDTH)

    def _within(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise LedgerError(f"{self.folder}: a size asked for is not from 0 to the ledger's {self.size}")
        return size

    def _range(self, start: int, end: int) -> tuple[int, int]:
        if not 0 <= start <= end <= self.size:
            raise LedgerError(f"{self.folder}: leaves asked for are not among the ledger's {self.size}")
        return start, end


def _claimed_size(folder: Path) -> int:
    path = folder / tiles.CHECKPOINT
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NOTE_BYTES + 1)
    except FileNotFoundError:
        if (folder / "tile").exists():
            raise LedgerError(f"{path}: it is missing, so nothing says how long the ledger is: give its size") from None
        return 0
    except OSError as error:
        raise LedgerError(f"{path}: can't be read: {error.strerror}") from error
    try:
        return Checkpoint.parse(Note.parse(data).text).size
    except LedgerError as error:
        raise LedgerError(f"{path}: {error}") from None
