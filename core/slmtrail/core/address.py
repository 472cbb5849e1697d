"""An address in the settings, which may hold a password: it is used as it is, and shown without."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer

_SECRET = re.compile(r"(?<=//)[^@]+(?=@)|(?<=[?#]).+")
"""Who goes there, and what stands behind the path: some give a token in that."""


class _Address(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return repr(shown(self))


def shown(address: str) -> str:
    """The address without what may be secret in it."""
    return _SECRET.sub("***", address)


Address = Annotated[str, AfterValidator(_Address), PlainSerializer(shown)]
