"""Classes of retention: which records are of which, and when each has had its time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core import policy
from slmtrail.core.errors import SettingsError
from slmtrail.core.fields import STREAM_OWNED
from slmtrail.core.retaining import DAY_MS, FIELD, STANDARD, Kept, Retention

POLICY = """
retention:
  classes:
    standard: {content: 30d, keep: 90d}
    patients: {content: 7d, keep: 30d}
    audit: {content: 365d, keep: 730d}
  assign:
    - {to: patients, environments: [clinic-*], findings: [MEDICAL_*]}
    - {to: audit, kinds: [auth, alert]}
    - {to: audit, risks: [high], roles: [trader]}
"""


def class_of(**more: Any) -> str:
    record = {"slm.kind": "inference", **{name.replace("__", "."): value for name, value in more.items()}}
    return policy.parse(POLICY, "p").retention.class_of(record)


def test_the_first_assignment_that_fits_counts() -> None:
    medical = {"slm__findings__types": ["EMAIL_ADDRESS", "MEDICAL_LICENSE"]}
    assert class_of() == STANDARD
    assert class_of(deployment__environment__name="clinic-1") == STANDARD
    assert class_of(deployment__environment__name="clinic-1", **medical) == "patients"
    assert class_of(deployment__environment__name="clinic-1", slm__kind="alert", **medical) == "patients"
    assert class_of(deployment__environment__name="ward", slm__kind="alert", **medical) == "audit"
    assert class_of(slm__risk="high") == STANDARD
    assert class_of(slm__risk="high", slm__role="trader") == "audit"


def test_without_a_policy_nothing_is_kept_for_less_than_half_a_year() -> None:
    retention = policy.Policy().retention
    assert all(kept.content_before_ms(0) <= -184 * DAY_MS for kept in retention.classes.values())
    assert retention.class_of({"slm.kind": "inference"}) == STANDARD
    assert {retention.class_of({"slm.kind": kind}) for kind in ("auth", "alert", "system", "access")} == {"audit"}
    assert FIELD in STREAM_OWNED


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{classes: {audit: {content: 1d, keep: 2d}}}", "standard is missing"),
        ("{classes: {standard: {content: 3d, keep: 2d}}}", "keep is shorter than content"),
        ("{classes: {standard: {content: 3, keep: 2d}}}", "content"),
        ("{classes: {standard: {content: 1d, keep: 2d}, a-b: {content: 1d, keep: 2d}}}", "a-b"),
        ("{assign: [{to: nowhere}]}", "there is no class nowhere"),
        ("{assign: [{to: audit, kinds: [thing]}]}", "kinds"),
        ("{classes: {" + ", ".join(f"{n}: {{content: 1d, keep: 2d}}" for n in ("standard", *"abcd")) + "}}", "over 4"),
    ],
)
def test_what_is_wrong_with_it_is_named(text: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=f"p:1.*{fault}"):
        policy.parse(f"retention: {text}", "p")


def _kept(days: tuple[int, int]) -> Kept:
    return Kept(content=f"{min(days)}d", keep=f"{max(days)}d")


@given(
    st.tuples(st.integers(1, 4000), st.integers(1, 4000)).map(_kept),
    st.integers(0, 4 * 10**12),
)
def test_nothing_is_due_before_its_age_nor_a_period_after_it(kept: Kept, at_ms: int) -> None:
    for before_ms, span in ((kept.content_before_ms(at_ms), kept.content), (kept.kept_before_ms(at_ms), kept.keep)):
        age_ms = int(span[:-1]) * DAY_MS
        assert age_ms <= at_ms - before_ms < age_ms + kept.period_ms
    assert kept.period_ms <= max(DAY_MS, int(kept.content[:-1]) * DAY_MS // 12)
    assert kept.content_before_ms(at_ms) >= kept.kept_before_ms(at_ms)


def test_the_default_and_the_digest_agree() -> None:
    assert policy.Policy().retention == Retention()
    assert policy.parse(POLICY, "p").digest != policy.Policy().digest


def test_who_gives_classes_need_not_assign() -> None:
    retention = policy.parse("retention: {classes: {standard: {content: 1d, keep: 2d}}}", "p").retention
    assert retention.class_of({"slm.kind": "alert"}) == STANDARD
