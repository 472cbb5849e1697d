"""What judgement costs: all rules and windows over ordinary traffic, and memory while it goes on.

python bench/judge.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

import orjson

from slmtrail.app.evaluation.scoring import recorded
from slmtrail.app.simulator.world import World
from slmtrail.core.policy import Policy
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.windows import Windows


def measured(count: int) -> dict[str, Any]:
    """Judges `count` records of a site of fifty people, again and again the same days at later times."""
    world = World.of(1, 50)
    world.lived(3)
    moments = sorted(world.moments, key=lambda moment: moment[0])
    records = [recorded(moment, at_ms, number) for number, (at_ms, moment) in enumerate(moments)]
    judge, windows = Judge(Policy()), Windows(Judge(Policy()))
    signals = alerts = done = state_bytes = 0
    rss_kb: list[int] = []
    judging_s = windows_s = keeping_s = 0.0
    while done < count:
        batch = records[: min(len(records), count - done)]
        begun = time.process_time()
        told = [signals for record in batch for signals in judge.judge(record, "5eed").signals]
        judged = time.process_time()
        alerts += len(windows.take(told))
        taken = time.process_time()
        state_bytes = max(state_bytes, sum(map(len, windows.changed().values())))
        kept = time.process_time()
        judging_s, windows_s, keeping_s = (
            judging_s + judged - begun,
            windows_s + taken - judged,
            keeping_s + kept - taken,
        )
        signals, done = signals + sum(len(one.sayings) for one in told), done + len(batch)
        rss_kb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return {
        "records": done,
        "cpu_us_a_record": round((judging_s + windows_s) / done * 1e6, 1),
        "judge_us": round(judging_s / done * 1e6, 1),
        "windows_us": round(windows_s / done * 1e6, 1),
        "records_a_cpu_second": round(done / (judging_s + windows_s)),
        "signals_a_record": round(signals / done, 1),
        "alerts": alerts,
        "state_bytes": state_bytes,
        "keeping_all_state_ms": round(keeping_s / max(1, len(rss_kb)) * 1e3, 1),
        "rss_mb_first_and_last": [rss_kb[0] // 1024, rss_kb[-1] // 1024],
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few thousand records")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    told = measured(4_000 if given.quick else 200_000)
    if given.json:
        print(orjson.dumps(told).decode())
    else:
        for name, value in told.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
