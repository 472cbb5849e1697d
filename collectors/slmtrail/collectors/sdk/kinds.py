"""Which fields events of a kind have: one that has no place in an event would have the whole of it refused.

The collector's models are the source; a test compares. The SDK does not load them.
"""

from __future__ import annotations

import functools

_ALL = (
    "@timestamp deployment. enduser. error. event.action event.outcome event.reason gen_ai.agent. gen_ai.conversation. "
    "gen_ai.operation. gen_ai.provider. gen_ai.request.model gen_ai.response.model gen_ai.workflow. host. labels "
    "message network. parent. process. server. service. session. slm.attributes slm.capture. slm.caused_by "
    "slm.claimed. slm.exchange. slm.identity. slm.key. slm.kind slm.latency_ms slm.repairs slm.risk slm.role "
    "slm.sample. source. span. trace. user"
)
_MODEL = "slm.host. slm.model. slm.prompt."
_TALK = f"gen_ai.data_source. gen_ai.input. gen_ai.output.messages gen_ai.system_instructions {_MODEL}"
_OWN = {
    "inference": f"{_TALK} gen_ai.embeddings. gen_ai.output.type gen_ai.prompt. gen_ai.request. gen_ai.response. "
    "gen_ai.tool.definitions gen_ai.usage. http.response. slm.confidence slm.cost_usd slm.request_bytes "
    "slm.response_bytes slm.time_to_first_token_ms",
    "policy": "http.response. rule. slm.guard. slm.guardrail. slm.verdict",
    "config": f"{_MODEL} slm.config.",
    "process": f"{_TALK} gen_ai.evaluation. gen_ai.retrieval. gen_ai.tool. slm.step. slm.summary.",
    "upstream": "http.response. slm.request_bytes slm.response_bytes slm.summary. slm.upstream.",
}


@functools.lru_cache(4096)
def takes(kind: str, name: str) -> bool:
    """Whether an event of that kind has a field of that name; of no kind: whether all have it."""
    return name.startswith(tuple(f"{_ALL} {_OWN.get(kind, '')}".split()))
