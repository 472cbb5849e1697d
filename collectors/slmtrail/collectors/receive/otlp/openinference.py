"""OpenInference (Arize): a kind for every span, messages numbered one by one, parameters and bodies as JSON text."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.receive.otlp.messages import messages
from slmtrail.collectors.receive.otlp.told import Told, opened
from slmtrail.collectors.tail.formats import bodies
from slmtrail.collectors.tail.formats.values import dig, known, word

_RENAMED = {
    "llm.provider": "gen_ai.provider.name",
    "llm.system": "gen_ai.provider.name",
    "llm.request.model_name": "gen_ai.request.model",
    "llm.response.model_name": "gen_ai.response.model",
    "reranker.model_name": "gen_ai.request.model",
    "reranker.query": "gen_ai.retrieval.query.text",
    "llm.token_count.prompt": "gen_ai.usage.input_tokens",
    "llm.token_count.completion": "gen_ai.usage.output_tokens",
    "llm.token_count.prompt_details.cache_read": "gen_ai.usage.cache_read.input_tokens",
    "llm.token_count.prompt_details.cache_write": "gen_ai.usage.cache_creation.input_tokens",
    "llm.token_count.completion_details.reasoning": "gen_ai.usage.reasoning.output_tokens",
    "llm.cost.total": "slm.cost_usd",
    "llm.finish_reason": "gen_ai.response.finish_reasons",
    "llm.prompt_template.template": "slm.prompt.template",
    "agent.name": "gen_ai.agent.name",
    "tool.name": "gen_ai.tool.name",
    "tool.description": "gen_ai.tool.description",
    "tool_call.id": "gen_ai.tool.call.id",
    "tool.id": "gen_ai.tool.call.id",
    "evaluation.name": "gen_ai.evaluation.name",
    "evaluation.score": "gen_ai.evaluation.score.value",
    "evaluation.label": "gen_ai.evaluation.score.label",
    "evaluation.explanation": "gen_ai.evaluation.explanation",
    "annotation.name": "gen_ai.evaluation.name",
    "annotation.score": "gen_ai.evaluation.score.value",
    "annotation.label": "gen_ai.evaluation.score.label",
    "annotation.explanation": "gen_ai.evaluation.explanation",
}
_OPERATIONS = {
    "LLM": "chat",
    "EMBEDDING": "embeddings",
    "RETRIEVER": "retrieval",
    "RERANKER": "rerank",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "EVALUATOR": "evaluate",
}
_SAID = {
    "TOOL": ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    "RETRIEVER": ("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"),
    "RERANKER": ("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"),
}
_PART_TYPES = {"reasoning": "reasoning", "thinking": "reasoning"}


def read(told: Told) -> None:
    """Takes what this vocabulary names, in spans that give themselves a kind of its own."""
    kind = word(told.rest.get("openinference.span.kind"))
    if kind is None:
        return
    told.take("openinference.span.kind")
    kind = kind.upper()
    told.rename(_RENAMED)
    told.give("gen_ai.operation.name", _OPERATIONS.get(kind, kind.lower()))
    for name in ("llm.invocation_parameters", "embedding.invocation_parameters"):
        _parameters(told, name)
    told.give("gen_ai.input.messages", _turns(told, "llm.input_messages", "user"))
    told.give("gen_ai.output.messages", _turns(told, "llm.output_messages", "assistant"))
    _completions(told)
    _embeddings(told)
    told.give("gen_ai.tool.definitions", [opened(dig(one, "tool", "json_schema")) for one in told.items("llm.tools")])
    documents = told.items("retrieval.documents") or told.items("reranker.output_documents")
    told.give("gen_ai.retrieval.documents", [_document(one) for one in documents])
    _values(told, kind)
    for name in ("llm.model_name", "embedding.model_name"):
        _model(told, name)
    about = opened(told.rest.get("metadata"))
    told.give("user.id", word(dig(about, "user_id")))
    told.give("gen_ai.conversation.id", word(dig(about, "thread_id") or dig(about, "conversation_id")))


def _parameters(told: Told, name: str) -> None:
    given = opened(told.rest.get(name))
    if not isinstance(given, dict):
        return
    told.take(name)
    told.give("gen_ai.request.model", word(given.get("model")))
    told.give("enduser.pseudo.id", word(given.get("user")))
    for field, value in bodies.parameters(given).items():
        told.give(field, value)


def _turns(told: Told, prefix: str, role: str) -> list[Any] | None:
    return messages([_turn(dig(one, "message"), role) for one in told.items(prefix)], role)


def _turn(message: Any, role: str) -> Any:
    """A message in OpenAI's shape."""
    if not isinstance(message, dict):
        return {"role": role, "content": message}
    rest = {
        name: value
        for name, value in message.items()
        if name not in ("contents", "tool_calls", "function_call_name", "function_call_arguments_json")
    }
    made = {"role": role, **rest}
    if isinstance(contents := message.get("contents"), list):
        said = [_content(part) for one in contents if not _is_bare(part := dig(one, "message_content"))]
        made["content"] = [*([made["content"]] if made.get("content") else []), *said]
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        made["tool_calls"] = [_call(dig(one, "tool_call")) for one in calls]
    elif name := message.get("function_call_name"):
        function = {"name": name, "arguments": message.get("function_call_arguments_json")}
        made["tool_calls"] = [{"type": "function", "function": function}]
    return made


def _is_bare(part: Any) -> bool:
    """Whether a part says no more than its type: calls of tools stand in a place of their own."""
    return isinstance(part, dict) and part.keys() <= {"type"}


def _content(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    url = dig(given, "image", "image", "url")
    if isinstance(url, str):
        return {"type": "image_url", "image_url": url}
    kind = word(given.get("type")) or "text"
    return {**given, "type": _PART_TYPES.get(kind, kind)}


def _call(given: Any) -> Any:
    return {"type": "function", **given} if isinstance(given, dict) else given


def _completions(told: Told) -> None:
    """Prompts and completions that are plain texts."""
    asked = [dig(one, "prompt", "text") for one in told.items("llm.prompts")]
    said = [dig(one, "completion", "text") for one in told.items("llm.choices")]
    if asked and told.give("gen_ai.input.messages", messages(asked)):
        told.fields["gen_ai.operation.name"] = "text_completion"
    told.give("gen_ai.output.messages", messages(said, "assistant") if said else None)


def _embeddings(told: Told) -> None:
    """The texts; of the vectors only how long they are."""
    made = [dig(one, "embedding") for one in told.items("embedding.embeddings")]
    texts = [text for one in made if isinstance(text := dig(one, "text"), str)]
    told.give("gen_ai.input.messages", messages(texts) if texts else None)
    vectors = [vector for one in made if isinstance(vector := dig(one, "vector"), list)]
    told.give("gen_ai.embeddings.dimension.count", len(vectors[0]) if vectors else None)


def _document(given: Any) -> Any:
    found = dig(given, "document")
    if not isinstance(found, dict):
        return given
    return known({**found, "metadata": opened(found.get("metadata"))})


def _values(told: Told, kind: str) -> None:
    """Input and output as a whole, whose meaning depends on the kind of the span."""
    asked, said = told.rest.get("input.value"), told.rest.get("output.value")
    if kind in ("LLM", "EMBEDDING"):
        _bodies(told, asked, said)
        return
    if kind == "AGENT":
        fields = ("gen_ai.input.messages", "gen_ai.output.messages")
        asked, said = (messages(asked), messages(said, "assistant"))
    elif kind in _SAID:
        fields = _SAID[kind]
    else:
        return
    for name, field, value in zip(("input", "output"), fields, (asked, said), strict=True):
        if told.give(field, value):
            told.take(f"{name}.value")
            told.take(f"{name}.mime_type")


def _bodies(told: Told, asked: Any, said: Any) -> None:
    """The request and the answer of a client: they say again what stands in other attributes, and a little more."""
    for name, value, read_body in (("input", asked, bodies.asked), ("output", said, bodies.answered)):
        if not isinstance(opened(value), dict):
            field, role = f"gen_ai.{name}.messages", "user" if name == "input" else "assistant"
            taken = told.give(field, messages(value, role))
        else:
            for field, again in read_body(value).items():
                told.give(field, messages(again) if field.endswith(".messages") else again)
            taken = f"gen_ai.{name}.messages" in told.fields or "gen_ai.embeddings.dimension.count" in told.fields
        if taken:
            told.take(f"{name}.value")
            told.take(f"{name}.mime_type")


def _model(told: Told, name: str) -> None:
    """The model's name: that of the answer where the question named another or there is an answer."""
    asked = told.fields.get("gen_ai.request.model")
    answered = "gen_ai.output.messages" in told.fields or asked not in (None, told.rest.get(name))
    told.rename({name: "gen_ai.response.model" if answered else "gen_ai.request.model"})
