"""The event models, one a kind, and the one way in: `parse` turns what a caller sent into a canonical event.

An event is a flat dict of the names in `fields.FIELDS`. Callers may nest (`{"user": {"id": …}}`) and may
give chat messages in the shape of the OpenAI API; both leave here flat and in OpenTelemetry's shape.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from slmtrail.core import canonical
from slmtrail.core.errors import EventError
from slmtrail.core.fields import ACCESS_OWNED, FIELDS, IMPORTED, MAX_KEYWORD_CHARS, STREAM_OWNED
from slmtrail.core.messages import Message
from slmtrail.core.shapes import json_text, normalise_messages

MAX_TEXT_CHARS = 8 * 1024 * 1024
MAX_DEPTH = 64
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):\d\d(:\d\d([.,]\d{1,30})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
"""What `datetime.fromisoformat` takes differs between versions of Python; this does not."""

_LABEL_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_SPEAKABLE = re.compile(r"@?[A-Za-z_.]{1,80}")
"""Names that an error may repeat: no address, number or key looks like one."""


def timestamp_text(epoch_ms: int) -> str:
    """Milliseconds since 1970 as the one spelling of time in records: RFC 3339, UTC, three decimals."""
    try:
        moment = datetime.fromtimestamp(epoch_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("is not a time between the years 1 and 9999") from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z".rjust(24, "0")


def timestamp_ms(text: str) -> int:
    """The milliseconds since 1970 of an RFC 3339 time; one without a zone is taken as UTC."""
    text = text.upper()
    if not _TIME.fullmatch(text):
        raise ValueError("is not an RFC 3339 time")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def canonical_ms(text: str) -> int:
    """The milliseconds since 1970 of a time as it is spelled in records, in half the time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _timestamp(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return timestamp_text(value)
    if isinstance(value, str):
        try:
            return timestamp_text(timestamp_ms(value))
        except (ValueError, OverflowError):
            raise ValueError("should be an RFC 3339 time or whole milliseconds since 1970") from None
    raise ValueError("should be an RFC 3339 time or whole milliseconds since 1970")


def _integer(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > canonical.MAX_INTEGER:
        raise ValueError("is beyond ±(2^53-1)")
    return value


def _decimal(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("should be a number")
    try:
        return canonical.decimal(value, "it")
    except (EventError, OverflowError):
        raise ValueError("should be a number between -10^15 and 10^15") from None


def _ip(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("should be an IP address")
    try:
        # The zone behind a "%" names an interface of the machine that saw it, and could hold anything.
        return str(ipaddress.ip_address(value.partition("%")[0]))
    except ValueError:
        raise ValueError("should be an IP address") from None


def _labels(value: object) -> object:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not _LABEL_KEY.fullmatch(key):
                raise ValueError("has a key that is not 1 to 64 of letters, digits, '_', '.', '-'")
    return value


def _field_name(value: object) -> object:
    return value if value == "text" or not isinstance(value, str) or value in FIELDS else "other"


Keyword = Annotated[str, Field(max_length=MAX_KEYWORD_CHARS)]
Keywords = Annotated[list[Keyword], Field(max_length=256)]
KeyHash = Annotated[str, Field(pattern=r"^e[0-9]{1,4}:[0-9a-f]{24}$")]
RecordId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
FieldNames = Annotated[list[Annotated[str, BeforeValidator(_field_name)]], Field(max_length=256)]
Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
Json = Annotated[str, Field(max_length=MAX_TEXT_CHARS), BeforeValidator(json_text)]
Integer = Annotated[int, BeforeValidator(_integer)]
Decimal = Annotated[int | float, BeforeValidator(_decimal)]
Timestamp = Annotated[str, BeforeValidator(_timestamp)]
Ip = Annotated[str, BeforeValidator(_ip)]
Labels = Annotated[dict[str, Keyword], Field(max_length=64), BeforeValidator(_labels)]
Messages = Annotated[list[Message], Field(max_length=10_000), BeforeValidator(normalise_messages)]
Outcome = Literal["success", "failure", "unknown"]
StepType = Literal[
    "preprocess",
    "tokenize",
    "retrieve",
    "rerank",
    "guardrail",
    "generate",
    "state",
    "tool",
    "agent",
    "action",
    "evaluate",
    "postprocess",
]
CaptureLevel = Literal["full", "redacted", "metadata"]
Risk = Literal["low", "medium", "high"]

_ALIASES = {name.lstrip("@").replace(".", "_"): name for name in FIELDS}


class Event(BaseModel):
    """What all kinds share. Python names are the field names with underscores for dots."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=lambda name: _ALIASES[name], hide_input_in_errors=True
    )

    timestamp: Timestamp
    slm_kind: str
    slm_repairs: list[Literal["lone_surrogates"]] | None = None
    slm_imported_from: Keyword | None = None
    event_action: Keyword | None = None
    event_outcome: Outcome = "unknown"
    event_reason: Keyword | None = None
    error_type: Keyword | None = None
    error_message: Text | None = None
    message: Text | None = None
    slm_attributes: Json | None = None
    labels: Labels | None = None
    deployment_environment_name: Keyword | None = None
    service_namespace: Keyword | None = None
    service_name: Keyword | None = None
    service_version: Keyword | None = None
    host_name: Keyword | None = None
    process_pid: Integer | None = None
    server_address: Keyword | None = None
    server_port: Integer | None = None
    user_id: Keyword | None = None
    user_name: Keyword | None = None
    user_email: Keyword | None = None
    user_roles: Keywords | None = None
    enduser_pseudo_id: Keyword | None = None
    session_id: Keyword | None = None
    source_ip: Ip | None = None
    user_agent_original: Text | None = None
    trace_id: Keyword | None = None
    span_id: Keyword | None = None
    parent_id: Keyword | None = None
    slm_caused_by: Keyword | None = None
    slm_exchange_id: Keyword | None = None
    slm_identity_method: Literal["none", "api_key", "token", "certificate", "proxy", "application"] | None = None
    slm_identity_verified: bool | None = None
    slm_identity_issuer: Keyword | None = None
    slm_identity_groups: Keywords | None = None
    slm_key_hash: KeyHash | None = None
    slm_key_prefix: Keyword | None = None
    slm_claimed_user_id: Keyword | None = None
    network_forwarded_ip: Ip | None = None
    slm_role: Keyword | None = None
    slm_risk: Risk | None = None
    slm_capture_level: CaptureLevel | None = None
    slm_sample_rate: Decimal | None = None
    slm_latency_ms: Integer | None = None
    gen_ai_conversation_id: Keyword | None = None
    gen_ai_operation_name: Keyword | None = None
    gen_ai_provider_name: Keyword | None = None
    gen_ai_request_model: Keyword | None = None
    gen_ai_response_model: Keyword | None = None
    gen_ai_agent_id: Keyword | None = None
    gen_ai_agent_name: Keyword | None = None
    gen_ai_agent_version: Keyword | None = None
    gen_ai_agent_description: Text | None = None
    gen_ai_workflow_name: Keyword | None = None


class _Model(Event):
    """The model, its prompt template and the machine it ran on, as far as they are known."""

    slm_model_version: Keyword | None = None
    slm_model_digest: Keyword | None = None
    slm_model_quantization: Keyword | None = None
    slm_model_adapter: Keyword | None = None
    slm_model_tokenizer: Keyword | None = None
    slm_prompt_template: Text | None = None
    slm_prompt_template_digest: Keyword | None = None
    slm_host_memory_used_bytes: Integer | None = None
    slm_host_memory_total_bytes: Integer | None = None
    slm_host_gpu_memory_used_bytes: Integer | None = None
    slm_host_gpu_memory_total_bytes: Integer | None = None
    slm_host_gpu_utilization_percent: Decimal | None = None
    slm_host_queue_length: Integer | None = None
    slm_host_load: Decimal | None = None


class Inference(_Model):
    """One question to a model and what it answered."""

    slm_kind: Literal["inference"]
    gen_ai_operation_name: Keyword = "chat"
    gen_ai_response_id: Keyword | None = None
    gen_ai_output_type: Keyword | None = None
    gen_ai_prompt_name: Keyword | None = None
    gen_ai_data_source_id: Keyword | None = None
    gen_ai_response_finish_reasons: Keywords | None = None
    gen_ai_request_encoding_formats: Keywords | None = None
    gen_ai_request_stop_sequences: Keywords | None = None
    gen_ai_request_stream: bool | None = None
    gen_ai_request_choice_count: Integer | None = None
    gen_ai_request_max_tokens: Integer | None = None
    gen_ai_request_seed: Integer | None = None
    gen_ai_request_temperature: Decimal | None = None
    gen_ai_request_top_p: Decimal | None = None
    gen_ai_request_top_k: Decimal | None = None
    gen_ai_request_frequency_penalty: Decimal | None = None
    gen_ai_request_presence_penalty: Decimal | None = None
    gen_ai_usage_input_tokens: Integer | None = None
    gen_ai_usage_output_tokens: Integer | None = None
    gen_ai_usage_cache_read_input_tokens: Integer | None = None
    gen_ai_usage_cache_creation_input_tokens: Integer | None = None
    gen_ai_usage_reasoning_output_tokens: Integer | None = None
    gen_ai_embeddings_dimension_count: Integer | None = None
    gen_ai_input_messages: Messages | None = None
    gen_ai_output_messages: Messages | None = None
    gen_ai_system_instructions: Text | None = None
    gen_ai_tool_definitions: Json | None = None
    slm_time_to_first_token_ms: Integer | None = None
    slm_request_bytes: Integer | None = None
    slm_response_bytes: Integer | None = None
    slm_confidence: Decimal | None = None
    slm_cost_usd: Decimal | None = None
    http_response_status_code: Integer | None = None

    @model_validator(mode="after")
    def _names_a_model(self) -> Inference:
        if self.gen_ai_request_model is None and self.gen_ai_response_model is None:
            raise ValueError("an inference names its model: set gen_ai.request.model or gen_ai.response.model")
        return self


class Auth(Event):
    """A login, a refusal, a key made or revoked."""

    slm_kind: Literal["auth"]
    event_action: Keyword
    event_outcome: Outcome


class PolicyVerdict(Event):
    """What a guard decided about a request or an answer."""

    slm_kind: Literal["policy"]
    slm_verdict: Literal["allow", "flag", "block"]
    slm_guard_point: Literal["request", "answer"] | None = None
    slm_guard_policy: Keyword | None = None
    slm_guard_reasons: Keywords | None = None
    http_response_status_code: Integer | None = None
    slm_guardrail_name: Keyword | None = None
    rule_id: Keyword | None = None
    rule_name: Keyword | None = None


class Config(_Model):
    """A setting, model version, template or policy as it is from now on."""

    slm_kind: Literal["config"]
    slm_config_name: Keyword
    slm_config_type: Keyword | None = None
    slm_config_digest: Keyword | None = None
    slm_config_values: Json | None = None


class Process(_Model):
    """A step around the model: retrieval, tokenisation, a tool call, an evaluation."""

    slm_kind: Literal["process"]
    slm_step_name: Keyword
    slm_step_type: StepType | None = None
    slm_step_index: Integer | None = None
    slm_summary_count: Integer | None = None
    slm_summary_window_ms: Integer | None = None
    gen_ai_input_messages: Messages | None = None
    gen_ai_output_messages: Messages | None = None
    gen_ai_system_instructions: Text | None = None
    gen_ai_tool_definitions: Json | None = None
    gen_ai_tool_name: Keyword | None = None
    gen_ai_tool_type: Keyword | None = None
    gen_ai_tool_description: Text | None = None
    gen_ai_tool_call_id: Keyword | None = None
    gen_ai_tool_call_arguments: Json | None = None
    gen_ai_tool_call_result: Json | None = None
    gen_ai_data_source_id: Keyword | None = None
    gen_ai_retrieval_query_text: Text | None = None
    gen_ai_retrieval_documents: Json | None = None
    gen_ai_evaluation_name: Keyword | None = None
    gen_ai_evaluation_score_value: Decimal | None = None
    gen_ai_evaluation_score_label: Keyword | None = None
    gen_ai_evaluation_explanation: Text | None = None


class Upstream(Event):
    """A call to a system that the model or its application depends on."""

    slm_kind: Literal["upstream"]
    slm_upstream_name: Keyword
    slm_summary_count: Integer | None = None
    slm_summary_window_ms: Integer | None = None
    http_response_status_code: Integer | None = None
    slm_request_bytes: Integer | None = None
    slm_response_bytes: Integer | None = None


class Access(Event):
    """A reader looked at the trail, was refused, or said what became of an alert."""

    slm_kind: Literal["access"]
    event_action: Keyword
    slm_access_record: RecordId | None = None
    slm_access_count: Integer | None = None
    slm_access_fields: FieldNames | None = None
    """By which fields was searched; `text` are words, and what names no field is `other`."""
    slm_alert_id: RecordId | None = None
    slm_alert_status: Literal["acknowledged", "closed"] | None = None


class System(Event):
    """The trail's own life: a gap, a drop, a collector started or closed, what is covered. Only the stream makes these.

    Coverage says of the frames from `first` to `last` what their collector signed for, and the last one's digest.
    """

    slm_kind: Literal["system"]
    event_action: Keyword
    slm_trail_collector: Keyword | None = None
    slm_trail_boot: Keyword | None = None
    slm_trail_first: Integer | None = None
    slm_trail_last: Integer | None = None
    slm_trail_count: Integer | None = None
    slm_trail_events: Integer | None = None
    slm_trail_dropped: Integer | None = None
    slm_trail_sampled_out: Integer | None = None
    slm_trail_refused: Integer | None = None
    slm_trail_head: Keyword | None = None
    slm_trail_key: Keyword | None = None


class Alert(Event):
    """A judgement about one or more records. Only the stream makes these.

    One that goes on keeps its id and grows: each revision is a record that says all that is known so far.
    """

    slm_kind: Literal["alert"]
    event_action: Keyword
    rule_id: Keyword
    rule_name: Keyword
    slm_alert_id: Keyword | None = None
    slm_alert_revision: Integer | None = None
    slm_alert_severity: Literal["low", "medium", "high", "critical"]
    slm_alert_status: Literal["open", "suppressed"] = "open"
    slm_alert_subject: Keyword
    slm_alert_since: Timestamp | None = None
    slm_alert_until: Timestamp | None = None
    slm_alert_count: Integer | None = None
    slm_alert_why: Json | None = None
    slm_alert_excerpt: Text | None = None
    slm_alert_response: Keyword
    slm_alert_evidence: Keywords
    slm_alert_link: Keyword | None = None


KINDS: dict[str, type[Event]] = {
    "inference": Inference,
    "auth": Auth,
    "policy": PolicyVerdict,
    "config": Config,
    "process": Process,
    "upstream": Upstream,
    "access": Access,
    "alert": Alert,
    "system": System,
}
COLLECTED_KINDS = frozenset(KINDS) - {"alert", "system"}


def parse(data: bytes | str | dict[str, Any], now_ms: int, *, framed: bool = False) -> dict[str, Any]:
    """The canonical event in `data` (JSON text or a dict). Raises EventError naming the field and the fault.

    framed: it comes out of a frame, whose collector has signed for it.
    """
    given, strict = (data, False) if isinstance(data, dict) else _loaded(data)
    if not isinstance(given, dict):
        raise EventError("an event is a JSON object, this is something else", "not_an_object")
    repaired = False
    if strict:
        _check_depth(given, MAX_DEPTH)
    else:
        repaired, given = _without_surrogates(given, MAX_DEPTH)
    flat = _flatten(given)
    if repaired:
        flat["slm.repairs"] = ["lone_surrogates"]
    flat.setdefault("@timestamp", now_ms)
    kind = flat.get("slm.kind")
    if not isinstance(kind, str) or kind not in COLLECTED_KINDS:
        known = ", ".join(sorted(COLLECTED_KINDS))
        raise EventError(f"slm.kind: should be one of {known}", "unknown_kind")
    owned = (ACCESS_OWNED | {IMPORTED} if kind == "access" else {IMPORTED}) & flat.keys()
    if owned and not framed:
        raise EventError(f"{min(owned)}: is set by slmtrail, leave it out", "reserved_field")
    return validate(flat)


def validate(flat: dict[str, Any]) -> dict[str, Any]:
    """`flat` checked against the model of its kind, with defaults filled in and every value canonical."""
    model = KINDS[flat["slm.kind"]]
    try:
        event = model.model_validate(flat)
    except ValidationError as error:
        raise EventError(_explain(error, model)) from None
    return event.model_dump(by_alias=True, exclude_none=True)


def load(data: bytes | str) -> object:
    """The JSON value in `data`. Raises EventError where it is none."""
    return _loaded(data)[0]


def _loaded(data: bytes | str) -> tuple[Any, bool]:
    """The JSON value, and whether it was read strictly, so that no lone surrogate is in it."""
    try:
        return orjson.loads(data), True
    except orjson.JSONDecodeError as error:
        # Only the standard reader takes lone surrogates, which real clients do send.
        try:
            text = data if isinstance(data, str) else data.decode()
            if "\\ud" in text.lower():
                return json.loads(text), False
        except UnicodeDecodeError:
            raise EventError("not UTF-8: send JSON encoded as UTF-8", "not_utf8") from None
        except (ValueError, RecursionError):
            pass
        raise EventError(f"not JSON: {error.msg} at character {error.pos + 1}", "not_json") from None


def _check_depth(container: dict[str, Any] | list[Any], depth: int) -> None:
    if depth == 0:
        raise _too_deep()
    for item in container.values() if isinstance(container, dict) else container:
        if isinstance(item, dict | list):
            _check_depth(item, depth - 1)


def _too_deep() -> EventError:
    return EventError(f"nested deeper than {MAX_DEPTH} levels: send deep data as JSON text", "too_deep")


def _without_surrogates(value: Any, depth: int) -> tuple[bool, Any]:
    if isinstance(value, str):
        clean = canonical.text(value)
        return clean is not value, clean
    if isinstance(value, dict | list | tuple) and depth == 0:
        raise _too_deep()
    if isinstance(value, dict):
        pairs = [(_without_surrogates(k, depth), _without_surrogates(v, depth - 1)) for k, v in value.items()]
        return any(k[0] or v[0] for k, v in pairs), {k[1]: v[1] for k, v in pairs}
    if isinstance(value, list | tuple):
        items = [_without_surrogates(item, depth - 1) for item in value]
        return any(item[0] for item in items), [item[1] for item in items]
    return False, value


def _flatten(given: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    pending = [("", given)]
    while pending:
        prefix, level = pending.pop()
        for key, value in level.items():
            name = f"{prefix}{key}"
            if name in STREAM_OWNED:
                raise EventError(f"{name}: is set by slmtrail, leave it out", "reserved_field")
            if name in FIELDS:
                if name in flat:
                    raise EventError(f"{name}: is given twice, once nested and once dotted", "doubled_field")
                if value is not None:
                    flat[name] = value
            elif isinstance(value, dict) and any(known.startswith(f"{name}.") for known in FIELDS):
                pending.append((f"{name}.", value))
            else:
                raise EventError(_unknown(name), "unknown_field")
    return flat


def _unknown(name: str) -> str:
    shown = name if _SPEAKABLE.fullmatch(name) else f"a name of {len(name)} characters"
    alike = [known for known in FIELDS if known.strip("@")[:2] == name[:2] and abs(len(known) - len(name)) <= 4]
    near = difflib.get_close_matches(name, alike, n=1)
    hint = f"did you mean {near[0]}?" if near else "put fields of your own under labels or slm.attributes"
    return f"{shown}: no such field; {hint}"


def _explain(error: ValidationError, model: type[Event]) -> str:
    faults = []
    for fault in error.errors(include_url=False, include_input=False)[:3]:
        place = fault["loc"][:1] if fault["loc"][:1] == ("labels",) else fault["loc"]
        where = ".".join(map(str, place)) or model.__name__.lower()
        what = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            what = f"does not belong to kind {model.model_fields['slm_kind'].annotation.__args__[0]}"  # type: ignore[union-attr]
        faults.append(f"{where}: {what[0].lower()}{what[1:]}")
    return "; ".join(faults)
