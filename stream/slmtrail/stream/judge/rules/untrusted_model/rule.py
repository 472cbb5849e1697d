"""Models against the names and digests that a site trusts; where it names none, all are."""

from __future__ import annotations

from typing import Any

from slmtrail.core.roles import matches
from slmtrail.stream.judge.hit import About


def judge(record: dict[str, Any], about: About) -> str | None:
    """Which model is not trusted, or None."""
    models, digests = tuple(about.parameters["models"]), about.parameters["digests"]
    model = record.get("gen_ai.request.model") or record.get("gen_ai.response.model")
    if models and model and not matches(models, model):
        return f"{model[:80]} is not among the models that are trusted"
    digest = record.get("slm.model.digest")
    if digests and digest and digest not in digests:
        return f"the weights {digest[:20]}… are not among those that are trusted"
    return None
