"""Events that are in no frame: a collector signs for how many, in the header of its next one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Missing:
    """How many were lost, and how many were left out on purpose, by the policy."""

    dropped: int = 0
    sampled_out: int = 0

    def __add__(self, other: Missing) -> Missing:
        return Missing(self.dropped + other.dropped, self.sampled_out + other.sampled_out)

    def __sub__(self, other: Missing) -> Missing:
        return Missing(self.dropped - other.dropped, self.sampled_out - other.sampled_out)

    def __neg__(self) -> Missing:
        return NONE - self

    def __bool__(self) -> bool:
        return bool(self.dropped or self.sampled_out)

    def encode(self) -> bytes:
        """As it is noted in the spool."""
        return b"%d %d" % (self.dropped, self.sampled_out)

    @classmethod
    def decode(cls, note: bytes) -> Missing:
        """What `encode` wrote."""
        return cls(*map(int, note.split()))


NONE = Missing()
