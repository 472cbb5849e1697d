"""Every error slmtrail raises on purpose: what was wrong, where, what to do.

`exit_code` is what the command line returns for it; the table in docs/commands.md is made from here.
"""

from __future__ import annotations


class TrailError(Exception):
    """The base of all of them. Its text is for a person and holds no content of an event."""

    exit_code = 1


class SettingsError(TrailError):
    """slmtrail.toml, an environment variable or policy.yaml can't be used as written."""

    exit_code = 2


class EventError(TrailError):
    """An event does not fit the schema. `reason` is a stable word, the text says which field and why."""

    exit_code = 2

    def __init__(self, text: str, reason: str = "invalid") -> None:
        super().__init__(text)
        self.reason = reason


class FrameError(TrailError):
    """A frame can't be opened. `reason` is the word under which it goes to the dead letters."""

    exit_code = 3

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class KeyFileError(TrailError):
    """A key file is missing, readable by others, or not a key."""

    exit_code = 4


class EnrolmentError(TrailError):
    """A collector can't be enrolled: its token does not hold, or its name is taken."""

    exit_code = 4


class ControlError(TrailError):
    """A decision is not signed by a key that may decide, or is none."""

    exit_code = 4


class HeldError(TrailError):
    """A legal hold is on what was to be erased."""

    exit_code = 4


class SpoolFull(TrailError):
    """The spool reached its size limit and its policy is to block."""

    exit_code = 5


class StorageError(TrailError):
    """A disk or folder can't be written or read: full, read-only, in use by another process, damaged."""

    exit_code = 5


class BusError(TrailError):
    """The bus can't be reached or refused a message."""

    exit_code = 6


class Expired(BusError):
    """Messages that were asked for are no longer on the bus."""


class PastEnd(BusError):
    """A partition ends before the message that was asked for."""


class StoreError(TrailError):
    """The store can't be reached or refused a request."""

    exit_code = 6


class LedgerError(TrailError):
    """The ledger's files contradict each other or what the store holds."""

    exit_code = 7


class QueryError(TrailError):
    """A search can't be understood, or not be answered in time. `at` is the character where, counted from 1, if any."""

    exit_code = 2

    def __init__(self, text: str, at: int | None = None) -> None:
        super().__init__(text)
        self.at = at


class NotAllowed(TrailError):
    """Who asks may not see or do this."""

    exit_code = 9


class NotFound(TrailError):
    """There is no such record."""

    exit_code = 8
