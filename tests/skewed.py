"""`slmtrail` on a machine whose clock is wrong: `skewed.py SECONDS ARGUMENTS…`."""

from __future__ import annotations

import sys
import time

if __name__ == "__main__":
    skew_s = int(sys.argv.pop(1))
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + skew_s
    time.time_ns = lambda: right_ns() + skew_s * 1_000_000_000

    from slmtrail.app.cli import main

    main()
