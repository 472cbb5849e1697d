"""The field table: every name an event or record may carry, and what each stage does with it.

Names follow OpenTelemetry's GenAI conventions (v1.41.1) and ECS; what neither names is `slm.*`.
The models validate by it, redaction and the ledger classify by it, the stores map by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_KEYWORD_CHARS = 1024

Type = Literal[
    "keyword", "keywords", "text", "integer", "decimal", "date", "ip", "boolean", "json", "messages", "labels"
]
Group = Literal["content", "person", "plain"]
Treatment = Literal["replace", "hash", "pseudonym", "keep"]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the table.

    type: how the value is checked and mapped. `json` is free-form JSON carried as a string, `messages`
        the typed list of chat messages.
    group: `content` and `person` fields enter the ledger as salted commitments, so that they can be
        erased; `plain` fields enter as they are.
    treatment: what redaction does with it. `replace` puts a marker in the place of each finding; `hash`
        puts a keyed hash in the place of the whole value, always; `pseudonym` does so only where
        something is found in it; `keep` leaves it (identifiers of machines, closed vocabularies).
    """

    name: str
    type: Type
    group: Group = "plain"
    treatment: Treatment = "pseudonym"


def _rows(type: Type, names: str, group: Group = "plain", treatment: Treatment = "pseudonym") -> list[Field]:  # noqa: A002
    return [Field(name, type, group, treatment) for name in names.split()]


_TABLE: list[Field] = [
    # Who made the record, and where it stands. Derived by us, never taken from a caller.
    *_rows("keyword", "event.id slm.collector.id slm.collector.boot", treatment="keep"),
    *_rows("integer", "slm.collector.frame slm.collector.index slm.collector.part"),
    *_rows("keyword", "slm.policy.digest slm.ruleset.digest", treatment="keep"),
    # What happened.
    *_rows("date", "@timestamp", treatment="keep"),
    *_rows("keyword", "slm.kind event.outcome", treatment="keep"),
    *_rows("keywords", "slm.repairs", treatment="keep"),
    *_rows("keyword", "slm.imported_from"),
    *_rows("keyword", "event.action event.reason error.type"),
    *_rows("text", "message error.message", group="content", treatment="replace"),
    *_rows("json", "slm.attributes", group="content", treatment="replace"),
    *_rows("labels", "labels", group="content", treatment="replace"),
    # Where.
    *_rows(
        "keyword",
        "deployment.environment.name service.namespace service.name service.version host.name server.address",
    ),
    *_rows("integer", "server.port"),
    # Who.
    *_rows("keyword", "user.id enduser.pseudo.id session.id gen_ai.conversation.id", group="person"),
    *_rows("keyword", "user.name user.email", group="person", treatment="hash"),
    *_rows("keywords", "user.roles"),
    *_rows("ip", "source.ip", group="person", treatment="keep"),
    *_rows("text", "user_agent.original", group="person", treatment="replace"),
    *_rows("keyword", "trace.id span.id parent.id slm.caused_by slm.exchange.id"),
    # What is verified of them, and what they only claim.
    *_rows("keyword", "slm.identity.method slm.capture.level slm.risk", treatment="keep"),
    *_rows("boolean", "slm.identity.verified"),
    *_rows("keyword", "slm.identity.issuer slm.role"),
    *_rows("keywords", "slm.identity.groups"),
    *_rows("keyword", "slm.key.hash", group="person", treatment="keep"),
    *_rows("keyword", "slm.key.prefix slm.claimed.user.id", group="person"),
    *_rows("ip", "network.forwarded_ip", group="person", treatment="keep"),
    *_rows("decimal", "slm.sample.rate"),
    # The model side.
    *_rows(
        "keyword",
        "gen_ai.operation.name gen_ai.provider.name gen_ai.request.model gen_ai.response.model gen_ai.response.id "
        "gen_ai.output.type gen_ai.prompt.name gen_ai.agent.id gen_ai.agent.name gen_ai.agent.version "
        "gen_ai.data_source.id gen_ai.tool.name gen_ai.tool.type gen_ai.tool.call.id gen_ai.workflow.name "
        "gen_ai.evaluation.name gen_ai.evaluation.score.label",
    ),
    *_rows("keywords", "gen_ai.response.finish_reasons gen_ai.request.encoding_formats"),
    *_rows("keywords", "gen_ai.request.stop_sequences", group="content", treatment="replace"),
    *_rows("boolean", "gen_ai.request.stream"),
    *_rows(
        "integer",
        "gen_ai.request.choice.count gen_ai.request.max_tokens gen_ai.request.seed "
        "gen_ai.usage.input_tokens gen_ai.usage.output_tokens gen_ai.usage.cache_read.input_tokens "
        "gen_ai.usage.cache_creation.input_tokens gen_ai.usage.reasoning.output_tokens "
        "gen_ai.embeddings.dimension.count slm.latency_ms slm.time_to_first_token_ms "
        "slm.request_bytes slm.response_bytes http.response.status_code process.pid",
    ),
    *_rows(
        "decimal",
        "gen_ai.request.temperature gen_ai.request.top_p gen_ai.request.top_k gen_ai.request.frequency_penalty "
        "gen_ai.request.presence_penalty gen_ai.evaluation.score.value slm.confidence slm.cost_usd",
    ),
    *_rows("messages", "gen_ai.input.messages gen_ai.output.messages", group="content", treatment="replace"),
    *_rows(
        "text",
        "gen_ai.system_instructions gen_ai.retrieval.query.text gen_ai.evaluation.explanation gen_ai.agent.description "
        "gen_ai.tool.description",
        group="content",
        treatment="replace",
    ),
    *_rows(
        "json",
        "gen_ai.tool.definitions gen_ai.tool.call.arguments gen_ai.tool.call.result gen_ai.retrieval.documents",
        group="content",
        treatment="replace",
    ),
    # The model and machine behind an answer.
    *_rows(
        "keyword",
        "slm.model.version slm.model.digest slm.model.quantization slm.model.adapter slm.model.tokenizer "
        "slm.prompt.template_digest",
    ),
    *_rows("text", "slm.prompt.template", group="content", treatment="replace"),
    *_rows(
        "integer",
        "slm.host.memory_used_bytes slm.host.memory_total_bytes slm.host.gpu_memory_used_bytes "
        "slm.host.gpu_memory_total_bytes slm.host.queue_length",
    ),
    *_rows("decimal", "slm.host.load slm.host.gpu_utilization_percent"),
    # Verdicts, configuration, and the trail's own life.
    *_rows("keyword", "slm.verdict slm.guard.point slm.step.type", treatment="keep"),
    *_rows(
        "keyword",
        "rule.id rule.name slm.guardrail.name slm.guard.policy slm.config.name slm.config.type slm.config.digest "
        "slm.step.name slm.upstream.name",
    ),
    *_rows("keywords", "slm.guard.reasons"),
    *_rows("integer", "slm.step.index slm.summary.count slm.summary.window_ms"),
    *_rows("json", "slm.config.values", group="content", treatment="replace"),
    *_rows(
        "keyword",
        "slm.alert.id slm.alert.severity slm.alert.status slm.alert.response slm.alert.link",
        treatment="keep",
    ),
    *_rows("keyword", "slm.alert.subject", group="person", treatment="keep"),
    *_rows("keywords", "slm.alert.evidence", treatment="keep"),
    *_rows("integer", "slm.alert.revision slm.alert.count"),
    *_rows("date", "slm.alert.since slm.alert.until", treatment="keep"),
    *_rows("json", "slm.alert.why", group="content", treatment="replace"),
    *_rows("text", "slm.alert.excerpt", group="content", treatment="replace"),
    *_rows(
        "integer",
        "slm.trail.first slm.trail.last slm.trail.count "
        "slm.trail.events slm.trail.dropped slm.trail.sampled_out slm.trail.refused",
    ),
    *_rows("keyword", "slm.trail.boot slm.trail.collector"),
    *_rows("keyword", "slm.trail.head slm.trail.key", treatment="keep"),
    *_rows("json", "slm.certificate", treatment="keep"),
    # What a reader of the trail did.
    *_rows("keyword", "slm.access.record", treatment="keep"),
    *_rows("integer", "slm.access.count"),
    *_rows("keywords", "slm.access.fields", treatment="keep"),
    # Added by the stream.
    *_rows("keywords", "slm.flags slm.findings.types", treatment="keep"),
    *_rows("json", "slm.findings", treatment="keep"),
    *_rows("integer", "slm.findings.count"),
    *_rows("boolean", "slm.redaction.names slm.replayed"),
    *_rows("keyword", "slm.retention.class", treatment="keep"),
    *_rows("keywords", "slm.prompt.likeness", group="content", treatment="keep"),
]

FIELDS: dict[str, Field] = {field.name: field for field in _TABLE}

CONTENT = frozenset(f.name for f in _TABLE if f.group == "content")
WORDED = frozenset(f.name for f in _TABLE if f.group == "content" and f.treatment != "keep")
"""Content that is searched by its words."""

PERSON = frozenset(f.name for f in _TABLE if f.group == "person")
COMMITTED = CONTENT | PERSON
"""Fields that the ledger's entry holds as salted digests."""

STREAM_OWNED = frozenset(
    "event.id slm.collector.id slm.collector.boot slm.collector.frame slm.collector.index slm.collector.part "
    "slm.policy.digest slm.ruleset.digest slm.flags slm.findings slm.findings.types slm.findings.count "
    "slm.redaction.names slm.replayed slm.prompt.likeness slm.retention.class slm.salts slm.commitments "
    "slm.certificate".split()
)
"""Names a caller can't set: an event that carries one is refused."""

ACCESS_OWNED = frozenset("slm.access.record slm.access.count slm.access.fields slm.alert.id slm.alert.status".split())
"""Names that only a collector of ours sets in an access event: else whoever can send one could close an alert."""

IMPORTED = "slm.imported_from"
"""Says that an event is history, and where it is from; only an import sets it, so that nobody else is early or late."""
