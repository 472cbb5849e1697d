"""What a model says of itself against what it said before and what configuration events announced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import short
from slmtrail.stream.judge.hit import About, Hit

_TRAITS = {
    "slm.model.digest": "weights",
    "slm.prompt.template_digest": "prompt template",
    "slm.model.adapter": "adapter",
    "slm.model.tokenizer": "tokenizer",
    "slm.model.quantization": "quantization",
    "slm.model.version": "version",
    "gen_ai.response.model": "answering model",
}
_MAX_MODELS = 64
_MAX_VALUES = 16
_MAX_ANNOUNCED = 256


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """What a record says of a model, or what a configuration event announces, for the window."""
    traits = {name: str(record[name])[:80] for name in _TRAITS if name in record}
    if record["slm.kind"] == "config":
        announced = [*traits.values(), *(record[name] for name in ("slm.config.digest",) if name in record)]
        values = record.get("slm.config.values", "")
        return Hit(value={"announced": [short(value) for value in announced], "text": values[:2000]})
    model = record.get("gen_ai.request.model", record.get("gen_ai.response.model", ""))
    return Hit(value={"model": model[:120], "traits": traits}) if traits else None


def fold(state: dict[str, Any], _: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on a value that a model did not have and nobody announced."""
    announced: list[str] = state.setdefault("announced", [])
    texts: list[str] = state.setdefault("texts", [])
    if "announced" in value:
        announced += value["announced"]
        del announced[:-_MAX_ANNOUNCED]
        texts.append(value["text"])
        del texts[:-8]
        return None
    models: dict[str, Any] = state.setdefault("models", {})
    known = models.setdefault(value["model"], {"n": 0, "traits": {}})
    known["n"] += 1
    while len(models) > _MAX_MODELS:
        del models[min(models, key=lambda name: (models[name]["n"], name))]
    new = []
    for name, given in value["traits"].items():
        values: list[str] = known["traits"].setdefault(name, [])
        if short(given) in values:
            continue
        told = short(given) in announced or any(given in text for text in texts)
        if known["n"] > p["learn"] and values and not told:
            new.append(f"{_TRAITS[name]} {given}")
        values.append(short(given))
        del values[:-_MAX_VALUES]
    if not new:
        return None
    return Hit(
        f"{value['model']} answers with another {', another '.join(new)}, which nothing announced", observed=new[0]
    )
