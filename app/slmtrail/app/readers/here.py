"""Reading at this machine's command line: as whom the operating system knows, and recorded as theirs."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import closing, contextmanager

from slmtrail.app.readers.access import Access
from slmtrail.app.readers.looking import Looking
from slmtrail.app.readers.looks import Looks
from slmtrail.app.reading import Reading
from slmtrail.core.readers import EVERYTHING, Reader
from slmtrail.core.settings import Settings


@contextmanager
def here(settings: Settings) -> Iterator[Looking]:
    """All of the trail, as who has this machine's files sees it."""
    with closing(Reading(settings)) as trail:
        yield Looking(Reader(_name(), "admin", EVERYTHING), trail, Access(Looks(settings.looks)), content=True)


def _name() -> str:
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
