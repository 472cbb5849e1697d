"""Hourly statistics: they add up, in whatever order records come, and quantiles are near."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.rollup import rolled_up

RECORDS = st.lists(
    st.fixed_dictionaries(
        {"slm.kind": st.sampled_from(["inference", "policy"])},
        optional={
            "gen_ai.request.model": st.sampled_from(["phi-3", "llama"]),
            "gen_ai.response.model": st.sampled_from(["phi-3-06"]),
            "deployment.environment.name": st.sampled_from(["prod", "dev"]),
            "event.outcome": st.sampled_from(["success", "failure"]),
            "slm.verdict": st.sampled_from(["allow", "block"]),
            "slm.latency_ms": st.integers(-5, 2**53 - 1),
            "gen_ai.usage.input_tokens": st.integers(0, 10**6),
            "slm.findings.count": st.integers(0, 9),
        },
    ),
    max_size=30,
)


@given(RECORDS, st.randoms())
def test_they_are_the_same_in_any_order_and_add_up(records: list[dict[str, Any]], rng: random.Random) -> None:
    made = rolled_up(0, records)
    assert made == rolled_up(0, rng.sample(records, len(records)))
    assert sum(one.count for one in made) == len(records)
    assert sum(one.blocked for one in made) == sum(record.get("slm.verdict") == "block" for record in records)
    assert sum(one.input_tokens for one in made) == sum(r.get("gen_ai.usage.input_tokens", 0) for r in records)
    assert sum(sum(one.latency.values()) for one in made) == sum("slm.latency_ms" in record for record in records)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.99, 1]))
def test_a_quantile_is_right_within_its_bucket(latencies: list[int], share: float) -> None:
    (made,) = rolled_up(0, [{"slm.kind": "inference", "slm.latency_ms": ms} for ms in latencies])
    exact = sorted(latencies)[max(1, -int(-share * len(latencies) // 1)) - 1]
    found = made.quantile_ms(share)
    assert found is not None
    assert abs(found - exact) <= 0.023 * exact


def test_an_hour_without_latencies_has_no_quantile() -> None:
    (made,) = rolled_up(0, [{"slm.kind": "auth"}])
    assert made.quantile_ms(0.5) is None
