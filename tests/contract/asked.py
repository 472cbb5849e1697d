"""Searches in the query language and records for them, made from a seed, and what each should find."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from contract.stored import START_MS, sealed
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Sealed, Store
from slmtrail.indexer.store.connect import connect
from slmtrail.indexer.store.language.tree import Node
from slmtrail.indexer.store.matching import holding

_WORDS = (
    "reset my password please don't naïve café 東京 passport pass résumé EMAIL_1 3.14 foo_bar straße 🎉 İstanbul"
).split()
_MODELS = ("phi-3", "phi-3-mini", "phi-3.5*", "llama3:8b", "Phi-3", "qwen[2]", "a?b", "back\\slash")
_IPS = ("10.0.0.7", "10.20.0.7", "192.0.2.1", "::ffff:10.0.0.7", "2001:db8::1", "fe80::1%eth0", "fd00::77")


def holding_all(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, corpus: list[Sealed]
) -> Iterator[Store]:
    """The store that `request.param` names, with the corpus."""
    if request.param == "sqlite":
        opened = connect(f"sqlite:{tmp_path_factory.mktemp('corpus')}/store.db", writable=True)
    else:
        url = request.getfixturevalue("elastic").url
        opened = connect(url, writable=True, dataset=f"t{uuid.uuid4().hex}")
    assert opened.write(corpus) == []
    opened.holding("", [])
    yield opened
    opened.close()


def records(seed: int, count: int) -> list[Sealed]:
    """Records with something in every field that searches name, and gaps in all of them."""
    rng = random.Random(seed)
    return [_record(rng, leaf) for leaf in range(count)]


def _record(rng: random.Random, leaf: int) -> Sealed:
    optional: dict[str, Any] = {
        "user__id": rng.choice(("alice", "bob", "h1:0a1b")),
        "user__name": rng.choice(("alice", "Alice", "carol")),
        "session__id": f"s-{rng.randint(0, 5)}",
        "gen_ai__conversation__id": f"s-{rng.randint(0, 5)}",
        "trace__id": f"{rng.randint(0, 5):032x}",
        "source__ip": rng.choice(_IPS),
        "network__forwarded_ip": rng.choice(_IPS),
        "deployment__environment__name": rng.choice(("prod", "Prod-EU", "dev")),
        "service__name": rng.choice(("chat", "billing", "chat-eu")),
        "service__namespace": rng.choice(("payments", "helpdesk")),
        "slm__identity__groups": rng.sample(["payments", "desk", "help"], rng.randint(0, 2)),
        "slm__alert__id": f"{rng.randint(0, 3):032x}",
        "gen_ai__request__stop_sequences": [rng.choice(("x", "reset"))],
        "host__name": rng.choice(("edge 1", "edge-2")),
        "gen_ai__request__model": rng.choice(_MODELS),
        "gen_ai__response__model": rng.choice(_MODELS),
        "slm__flags": rng.sample(["injection", "secret", "burst"], rng.randint(0, 3)),
        "slm__findings__types": rng.sample(["EMAIL", "CARD"], rng.randint(0, 2)),
        "user__roles": rng.sample(["admin", "reader"], rng.randint(0, 2)),
        "slm__role": rng.choice(("admin", "guest")),
        "rule__id": rng.choice(("injection", "leak")),
        "slm__alert__severity": rng.choice(("low", "high")),
        "slm__verdict": rng.choice(("allow", "block")),
        "slm__latency_ms": rng.choice((0, 1, 99, 100, 101, 2000, 2001, 10**9)),
        "gen_ai__usage__input_tokens": rng.choice((0, 100, 500, 501)),
        "gen_ai__usage__output_tokens": rng.choice((0, 100, 500, 2**53 - 1)),
        "http__response__status_code": rng.choice((200, 404, 500, 503)),
        "slm__cost_usd": rng.choice((0, 0.5, 0.25, 1, 1.0001)),
        "slm__identity__verified": rng.random() < 0.5,
        "slm__alert__since": timestamp_text(START_MS + rng.randint(0, 20) * 1000),
        "message": " ".join(rng.choices(_WORDS, k=rng.randint(0, 8))),
        "gen_ai__tool__call__result": '{"note":"reset my\\npassword"}',
        "labels": {"team": rng.choice(("reset", "my password"))},
    }
    fields = {name: value for name, value in optional.items() if rng.random() < 0.5}
    kind = rng.choice(("inference", "inference", "auth", "alert"))
    outcome = rng.choice(("success", "failure"))
    ts_ms = START_MS + rng.randint(0, 20) * 1000
    return sealed(leaf, ts_ms=ts_ms, slm__kind=kind, event__outcome=outcome, **fields)


def search(rng: random.Random, depth: int = 0) -> str:
    """A search of random shape."""
    shape = rng.random()
    if depth > 3 or shape < 0.45:
        return _leaf(rng)
    if shape < 0.55:
        return f"{rng.choice(('not ', 'NOT ', '-'))}({search(rng, depth + 1)})"
    joint = rng.choice((" ", " and ", " AND ", " or ", " or ", " OR "))
    inner = joint.join(search(rng, depth + 1) for _ in range(rng.randint(2, 3)))
    return f"({inner})" if rng.random() < 0.7 else inner


_TESTS = r"""
user:alice user:bob user:Alice user:al* user:* user:?ob user:(alice\_or\_carol) user:(alice\_carol) user:x
user.id:alice user.id:bob user.id:carol user.id:a* user.id:* enduser.pseudo.id:*
model:"phi-3" model:"phi-3.5*" model:phi-3* model:*3 model:*-* model:phi-3.5\* model:llama3:8b model:qwen[2] model:a\?b
model:a?b model:* model:back\slash model:back\\sl* model:"back\\slash" model:*[* model:*\** model:PHI-3 model:***3
gen_ai.request.model:phi-3 gen_ai.request.model:phi* gen_ai.request.model:*
kind:inference kind:auth kind:in* kind:* kind:(auth\_or\_alert) kind:"x" slm.kind:alert Kind:auth
env:prod env:Prod-EU env:*EU env:* env:PROD service:chat service:chat* service:* service:x
host:edge-2 host:"edge\_1" host:edge\\_1 host:edge* host:* flag:injection flag:(injection\_secret) flag:b* flag:*
finding:EMAIL finding:CARD finding:* finding:?MAIL role:admin role:guest role:*er role:*
session:s-1 session:s-? session:* session:s-9 session.id:s-1 session.id:* trace:*3 trace:*
ip:10.0.0.7 ip:10.0.0.0/8 ip:10.0.0.0/16 ip:2001:db8::/32 ip:::/0 ip:0.0.0.0/0 ip:* ip:fd00::77 ip:fe80::1
source.ip:10.0.0.7 source.ip:::ffff:10.0.0.7 source.ip:10.0.0.0/8 source.ip:* source.ip:fe80::1%eth1 ip:fe80::/10
team:payments team:help* team:* alert:* group:desk
rule:leak rule.id:leak severity:high verdict:block outcome:failure collector:edge event.id:* slm.collector.boot:*
latency_ms:* latency_ms:(>1\_<2000) latency_ms:[1\_TO\_100] latency_ms:{1\_TO\_101} latency_ms:[*\_TO\_100}
latency_ms:[100\_TO\_*] latency_ms:[*\_TO\_*] latency_ms:>100 latency_ms\_>\_100 latency_ms\_<=\_100 latency_ms=100
latency_ms>2000 latency_ms>=2001 latency_ms<1 latency_ms:0 latency_ms<=9007199254740991 latency_ms:-1 latency_ms<-1
tokens>100 tokens<100 tokens:500 tokens:9007199254740991 tokens:[100\_TO\_500] tokens:{100\_TO\_500} tokens:*
input_tokens:501 output_tokens>=100 status:>=500 status:404 status:(200\_or\_404) status:*
cost_usd>0 cost_usd>=0.5 cost_usd<1.0001 cost_usd:0.25 cost_usd:1 cost_usd:* cost_usd:[0.25\_TO\_1}
slm.identity.verified:true slm.identity.verified:FALSE slm.identity.verified:*
slm.alert.since:* slm.alert.since:2026-05-28 slm.alert.since:2026-05-29 time:2026-05-28 time:* since:9999w until:now
"reset\_my\_password" "my\_password" "password\_reset" "reset\_don't" * "!?\_reset" pass* caf* r* absent* foo_* resume
""".split()
r"""Searches of one condition each, with `\_` for a blank."""


def _leaf(rng: random.Random) -> str:
    at = timestamp_text(START_MS + rng.randint(-1, 21) * 1000)
    sign = rng.choice(
        ("@timestamp>", "@timestamp>=", "time<", "time<=", "time:", "since:", "until:", "slm.alert.since>")
    )
    phrase = '"' + " ".join(rng.choices(_WORDS, k=rng.randint(1, 3))) + '"'
    others = (f"{sign}{at}", f"time:[{at} TO *]", rng.choice(_WORDS), phrase, f"id:{sealed(rng.randint(0, 160)).id}")
    return rng.choice((*(test.replace("\\_", " ") for test in rng.sample(_TESTS, 3)), rng.choice(others)))


def expected(node: Node, found: list[Sealed]) -> set[int]:
    """The leaves of the records that fit, by the plainest way there is."""
    fits = holding(node)
    return {one.leaf for one in found if fits(one.record)}
