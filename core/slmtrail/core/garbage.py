"""How often Python looks for cycles of objects: records are trees, come and go by the thousand, and have none."""

from __future__ import annotations

import gc


def look_seldom() -> None:
    """What is loaded is looked through no more, and the rest seldom: it would take a third of the time of a process
    that works on records. To be called once all is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
