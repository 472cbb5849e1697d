"""Sealed records and queries, made from a seed, for the suite of the Store port."""

from __future__ import annotations

import hashlib
import random
from typing import Any

from slmtrail.core import canonical, commitment
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Query, Sealed

START_MS = 1_780_000_000_000
LEDGER = "trail.example/0"

_WORDS = (
    "reset my password please don't PASSWORD naïve café Café CAFÉ 日本語 東京 カタカナ ひらがな 한국어 สวัสดี "
    "שלום مرحبا Привет ЙОГА ΟΔΥΣΣΕΥΣ İstanbul straße 🎉 👩‍👩‍👧 ☕️ 🇩🇪 e\u0301te\u0301 "
    "<EMAIL_1> <CARD_2> alice@example.com https://example.com/a?b=c_d&e=1 3.14 3,000 1.2.3 a.b x:y foo_bar "
    "__init__ C++ C# #️⃣ AND OR NOT NEAR(a,b) "
    '"quoted" *star* a*b col:word {json} \\n \\ ( ) -minus ^caret l\'été q&a ½ ﬁne \uff46\uff55 zero\u200bwidth'
).split()
_JSON = (
    r'{"note":"line one\nline two","deep":"{\"k\":\"in\\nner\"}"}',
    r'{"a":[1,2,{"b":"c\td \u00e9t\u00e9"}]}',
    r'"just\ttext"',
    r"not json \nbut text",
    r'{"broken":"x\n',
    r'{"plain":"words here"}',
)


def sealed(leaf: int, *, ledger: str = LEDGER, record_id: str = "", ts_ms: int | None = None, **fields: Any) -> Sealed:
    """A record at a leaf; names in `fields` have `__` for dots."""
    record = {
        "@timestamp": timestamp_text(START_MS + leaf if ts_ms is None else ts_ms),
        "event.id": record_id or hashlib.sha256(f"{ledger}/{leaf}".encode()).hexdigest()[:32],
        "event.outcome": "success",
        "slm.kind": "inference",
        "slm.collector.id": "edge",
        **{name.replace("__", "."): value for name, value in fields.items()},
    }
    return of(record, leaf, ledger)


def of(record: dict[str, Any], leaf: int, ledger: str = LEDGER) -> Sealed:
    """`record` with its salts, as the stream writes it, at a leaf."""
    salted = commitment.salted(record, b"s" * 32)
    return Sealed(ledger, leaf, record["event.id"], salted, canonical.dumps(salted))


def some_records(seed: int, count: int) -> list[Sealed]:
    """Records that look like those of a trail, with every script and every trap of quoting in their texts."""
    rng = random.Random(seed)
    return [_one(rng, leaf) for leaf in range(count)]


def some_queries(seed: int, count: int) -> list[Query]:
    """Queries of which many find some of `some_records`."""
    rng = random.Random(seed)
    return [_query(rng) for _ in range(count)]


def _text(rng: random.Random, most: int) -> str:
    return rng.choice((" ", " ", ", ", "\n")).join(rng.choices(_WORDS, k=rng.randint(0, most)))


def _one(rng: random.Random, leaf: int) -> Sealed:
    fields: dict[str, Any] = {
        "slm__kind": rng.choice(("inference", "inference", "auth", "system")),
        "event__outcome": rng.choice(("success", "success", "failure", "unknown")),
        "slm__collector__id": rng.choice(("edge", "core")),
    }
    optional: dict[str, Any] = {
        "user__id": f"user-{rng.randint(0, 4)}",
        "user__name": f"user-{rng.randint(0, 4)}",
        "deployment__environment__name": rng.choice(("prod", "Prod-EU", "dev")),
        "gen_ai__request__model": rng.choice(("phi-3", "llama-3.2")),
        "gen_ai__response__model": rng.choice(("phi-3", "phi-3-0626")),
        "slm__flags": rng.sample(["injection", "secret", "burst"], rng.randint(0, 3)),
        "message": _text(rng, 8),
        "gen_ai__input__messages": [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": _text(rng, 12)},
                    {"type": "tool_call", "name": "look_up", "arguments": rng.choice(_JSON)},
                ],
            }
        ],
        "gen_ai__tool__call__result": rng.choice(_JSON),
        "slm__attributes": rng.choice(_JSON),
        "labels": {"team": _text(rng, 2)[:60], "a.b": "Ende gut"},
        "gen_ai__request__stop_sequences": [_text(rng, 2), "###"],
    }
    fields |= {name: value for name, value in optional.items() if rng.random() < 0.6}
    # Many at the same time, in two ledgers, and not in the order of their leaves.
    return sealed(leaf, ledger=f"trail.example/{leaf % 2}", ts_ms=START_MS + rng.randint(0, 40) * 1000, **fields)


def _query(rng: random.Random) -> Query:
    given: dict[str, Any] = {
        "text": " ".join(
            rng.choices(
                (*_WORDS, "line", "two", "nline", "inner", "in", "ner", "Ende", "look_up", "absent"),
                k=rng.randint(1, 2),
            )
        ),
        "users": tuple(f"user-{rng.randint(0, 5)}" for _ in range(rng.randint(1, 2))),
        "model": rng.choice(("phi-3", "phi-3-0626", "llama-3.2", "PHI-3")),
        "kind": rng.choice(("inference", "auth", "alert")),
        "environment": rng.choice(("prod", "Prod-EU", "prod_eu")),
        "collector": rng.choice(("edge", "core")),
        "flag": rng.choice(("injection", "secret")),
        "outcome": rng.choice(("success", "failure")),
        "since_ms": START_MS + rng.randint(-5, 45) * 1000,
        "until_ms": START_MS + rng.randint(-5, 45) * 1000,
    }
    chosen = rng.sample(list(given), rng.randint(0, 3))
    return Query(**{name: given[name] for name in chosen}, limit=rng.choice((1, 7, 50, 1000)))
