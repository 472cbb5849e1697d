"""How much one request to Elasticsearch holds: more while the server keeps up, half as much as soon as it does not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

MAX_REQUEST_BYTES = 8 * 1024**2
MIN_REQUEST_RECORDS = 50
MAX_REQUEST_RECORDS = 4000
SLOW_S = 2.0
"""An answer that takes longer keeps others waiting: what is written is searched only after it."""
SOON_S = SLOW_S / 4
"""After an answer that was there before this the next request may be twice as large: it won't be slow either."""

T = TypeVar("T")


class Pace:
    """The size of the next requests. Several threads may tell it and ask it at once."""

    def __init__(self) -> None:
        self.records = 1000

    def answered(self, records: int, took_s: float) -> None:
        """A request of so many records was answered."""
        if took_s > SLOW_S:
            self.held_up()
        elif records * 2 > self.records:
            more = self.records if took_s < SOON_S else self.records // 4
            self.records = min(self.records + more, MAX_REQUEST_RECORDS)

    def held_up(self) -> None:
        """The server was too busy, or did not answer."""
        self.records = max(self.records // 2, MIN_REQUEST_RECORDS)

    def batches(self, items: Sequence[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
        """Parts of `items`, about as large as each other and no larger than the next request may be."""
        start = 0
        while left := len(items) - start:
            parts = math.ceil(left / self.records)
            batch: list[T] = []
            size_bytes = 0
            for item in items[start : start + math.ceil(left / parts)]:
                size_bytes += size_of(item)
                if batch and size_bytes > MAX_REQUEST_BYTES:
                    break
                batch.append(item)
            yield batch
            start += len(batch)
