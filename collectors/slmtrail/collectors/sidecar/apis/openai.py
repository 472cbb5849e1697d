"""OpenAI's chat completions, completions, embeddings and models, as vLLM, llama.cpp, Ollama and TGI serve them."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.sidecar.apis.api import (
    SAMPLING,
    Api,
    Joined,
    Json,
    Timed,
    confidence,
    index,
    items,
    mapping,
    objects,
    renamed,
    text,
)

_REQUEST = {
    "model": "gen_ai.request.model",
    "stream": "gen_ai.request.stream",
    "n": "gen_ai.request.choice.count",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    **SAMPLING,
    "encoding_format": "gen_ai.request.encoding_formats",
    "user": "enduser.pseudo.id",
}
_ANSWER = {"id": "gen_ai.response.id", "model": "gen_ai.response.model"}
_COUNTS = {
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
}
_REASONING = ("reasoning_content", "reasoning")


def _chat_request(body: Json) -> Json:
    fields = renamed(body, _REQUEST) | _output_type(body)
    if tools := body.get("tools") or body.get("functions"):
        fields["gen_ai.tool.definitions"] = tools
    return fields | renamed(body, {"messages": "gen_ai.input.messages"})


def _completion_request(body: Json) -> Json:
    return renamed(body, _REQUEST) | {"gen_ai.input.messages": prompts(body.get("prompt"))}


def _embeddings_request(body: Json) -> Json:
    return renamed(body, _REQUEST | {"dimensions": "gen_ai.embeddings.dimension.count"}) | {
        "gen_ai.input.messages": prompts(body.get("input"))
    }


def prompts(given: object) -> list[Json]:
    """A prompt, or several; one in numbers of tokens stays such."""
    each = given if isinstance(given, list) and not all(isinstance(item, int) for item in given) else [given]
    return [
        {"role": "user", "parts": [_said(one) if isinstance(one, str) else {"type": "extra", "extra": one}]}
        for one in each
        if one is not None
    ]


def _said(content: str) -> Json:
    return {"type": "text", "content": content}


def _output_type(body: Json) -> Json:
    kind = mapping(body.get("response_format")).get("type")
    return {"gen_ai.output.type": "json" if text(kind).startswith("json") else kind} if kind else {}


def usage(given: object) -> Json:
    """Token counts, in either spelling of OpenAI's."""
    counts = mapping(given)
    fields = renamed(counts, _COUNTS)
    if prompt := counts.get("prompt_tokens_details") or counts.get("input_tokens_details"):
        fields |= renamed(mapping(prompt), {"cached_tokens": "gen_ai.usage.cache_read.input_tokens"})
    if answer := counts.get("completion_tokens_details") or counts.get("output_tokens_details"):
        fields |= renamed(mapping(answer), {"reasoning_tokens": "gen_ai.usage.reasoning.output_tokens"})
    return fields


def _answer(body: Json) -> Json:
    fields = renamed(body, _ANSWER) | usage(body.get("usage"))
    messages, reasons, logprobs = [], [], []
    for choice in objects(body.get("choices")):
        messages.append(_message(choice))
        if reason := text(choice.get("finish_reason")):
            reasons.append(reason)
        if told := choice.get("logprobs"):
            logprobs += _logprobs(told)
    fields["gen_ai.output.messages"] = messages
    fields["gen_ai.response.finish_reasons"] = reasons
    if logprobs and (sure := confidence(logprobs)) is not None:
        fields["slm.confidence"] = sure
    return fields


def _message(choice: Json) -> Json:
    """What a choice says; servers send many names without a value beside it."""
    given = choice.get("message")
    message: Json = {"role": "assistant", "content": text(choice.get("text"))}
    if isinstance(given, dict):
        message = {name: value for name, value in given.items() if value}
        message.setdefault("role", "assistant")
        if len(message) > 2:
            message = _with_more(message)
    if type(content := message.get("content")) is str and len(message) == 2:
        message = {"role": message["role"], "parts": [_said(content)] if content else []}
    if reason := text(choice.get("finish_reason")):
        message["finish_reason"] = reason
    return message


def _with_more(message: Json) -> Json:
    """A message that holds more than a text: calls, reasoning, a refusal."""
    thoughts = [text(message.pop(name, "")) for name in _REASONING]
    refused = text(message.pop("refusal", ""))
    if isinstance(called := message.pop("function_call", None), dict):
        message["tool_calls"] = [*items(message.get("tool_calls")), {"function": called}]
    if thought := next(filter(None, thoughts), ""):
        message["reasoning"] = thought
    if refused:
        content = message.get("content")
        said = [_said(content)] if isinstance(content, str) else items(content)
        message["content"] = [*said, {"type": "refusal", "content": refused}]
    return message


def _logprobs(given: object) -> list[Any]:
    logprobs = mapping(given)
    each = [token.get("logprob") for token in objects(logprobs.get("content"))]
    return each or items(logprobs.get("token_logprobs"))


class _Choice:
    """One choice, as its deltas come."""

    def __init__(self) -> None:
        self.role = "assistant"
        self.texts: dict[str, list[str]] = {}
        self.calls: dict[int, dict[str, Any]] = {}
        self.logprobs: list[Any] = []
        self.reason: object = None

    def take(self, choice: Json, delta: Json) -> bool:
        """Adds a delta; whether it said anything."""
        self.role = text(delta.get("role")) or self.role
        said = False
        for name in ("content", "text", "refusal", *_REASONING):
            if piece := text(delta.get(name)):
                self.texts.setdefault(name, []).append(piece)
                said = True
        calls = objects(delta.get("tool_calls"))
        if isinstance(called := delta.get("function_call"), dict):
            calls.append({"function": called})
        for call in calls:
            self._call(call)
            said = True
        self.logprobs += _logprobs(choice.get("logprobs"))
        self.reason = choice.get("finish_reason") or self.reason
        return said

    def _call(self, given: Json) -> None:
        place = index(given.get("index"))
        call = self.calls.setdefault(place, {"id": None, "name": [], "arguments": []})
        call["id"] = given.get("id") or call["id"]
        function = mapping(given.get("function"))
        call["name"].append(text(function.get("name")))
        arguments = function.get("arguments")
        call["arguments"].append(arguments if isinstance(arguments, str) else "")

    def whole(self) -> Json:
        """As it stands in an answer that is not streamed."""
        message: Json = {"role": self.role}
        message |= {name: "".join(pieces) for name, pieces in self.texts.items() if name != "text"}
        if self.calls:
            message["tool_calls"] = [
                {"id": call["id"], "function": {key: "".join(call[key]) for key in ("name", "arguments")}}
                for _, call in sorted(self.calls.items())
            ]
        whole: Json = {"finish_reason": self.reason, "logprobs": {"token_logprobs": self.logprobs}}
        return whole | ({"text": "".join(self.texts["text"])} if "text" in self.texts else {"message": message})


def _join(values: Timed) -> Joined:
    body: Json = {}
    choices: dict[int, _Choice] = {}
    token_ms: list[float] = []
    for at_ms, value in values:
        body |= {name: value[name] for name in ("id", "model", "usage", "error") if value.get(name) is not None}
        said = False
        for choice in objects(value.get("choices")):
            delta = choice["delta"] if isinstance(choice.get("delta"), dict) else choice
            said |= choices.setdefault(index(choice.get("index")), _Choice()).take(choice, delta)
        if said:
            token_ms.append(at_ms)
    body["choices"] = [choice.whole() for _, choice in sorted(choices.items())]
    complete = bool(choices) and all(choice.reason for choice in choices.values())
    return Joined(body, complete, token_ms)


def _embeddings(body: Json) -> Json:
    fields = renamed(body, _ANSWER) | usage(body.get("usage"))
    vectors = [items(one.get("embedding")) for one in objects(body.get("data"))]
    if vectors and vectors[0]:
        fields["gen_ai.embeddings.dimension.count"] = len(vectors[0])
    return fields


CHAT = Api("openai", "chat", _chat_request, _answer, _join)
COMPLETIONS = Api("openai", "text_completion", _completion_request, _answer, _join)
EMBEDDINGS = Api("openai", "embeddings", _embeddings_request, _embeddings, _join)
