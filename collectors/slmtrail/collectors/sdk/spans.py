"""The spans there are, one a kind of event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.collectors.sdk.outbox import Outbox
from slmtrail.collectors.sdk.pack import EXCHANGE, MAX_EVENT_BYTES, freeze
from slmtrail.collectors.sdk.quiet import quiet
from slmtrail.collectors.sdk.span import Span

ASKED_AS = ("messages", "prompt", "input", "question", "query", "text")
"""Names of a decorated function's argument that holds what the model is asked."""


class Inference(Span):
    """One question to a model and what it answers."""

    def __init__(self, outbox: Outbox, fields: Mapping[str, Any]) -> None:
        super().__init__(outbox, fields)
        self._pieces: list[str] = []
        self._pieces_chars = 0

    @quiet
    def input(self, messages: Any) -> None:
        """What the model is asked: a text, or messages as any API has them."""
        self._fields["gen_ai.input.messages"] = freeze(_messages(messages, "user"))

    @quiet
    def output(self, messages: Any) -> None:
        """What it answers: a text, or messages."""
        self._fields["gen_ai.output.messages"] = freeze(_messages(messages, "assistant"))

    @quiet
    def piece(self, text: str) -> None:
        """The next piece of a streamed answer; the first one tells the time to the first token."""
        if not self._pieces:
            self._fields["slm.time_to_first_token_ms"] = self.passed_ms()
            self._fields.setdefault("gen_ai.request.stream", True)
        if self._pieces_chars < MAX_EVENT_BYTES:
            self._pieces.append(str(text))
            self._pieces_chars += len(self._pieces[-1])

    @quiet
    def usage(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        *,
        cached_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """The tokens counted."""
        counts = {
            "gen_ai.usage.input_tokens": input_tokens,
            "gen_ai.usage.output_tokens": output_tokens,
            "gen_ai.usage.cache_read.input_tokens": cached_tokens,
            "gen_ai.usage.reasoning.output_tokens": reasoning_tokens,
        }
        self._fields |= {name: freeze(count) for name, count in counts.items() if count is not None}

    @quiet
    def finish(self, *reasons: str) -> None:
        """Why the model stopped."""
        self._fields["gen_ai.response.finish_reasons"] = freeze(list(reasons))

    @quiet
    def tools(self, definitions: Any) -> None:
        """The tools the model may call."""
        self._fields["gen_ai.tool.definitions"] = freeze(definitions)

    @quiet
    def answer(self, response: Any) -> None:
        """All of it from the response of an OpenAI, Anthropic or Ollama client, or its JSON."""
        from slmtrail.collectors.sdk import answers

        self._fields |= {name: freeze(value) for name, value in answers.fields(response).items()}

    @quiet
    def called(self, arguments: dict[str, Any]) -> None:
        """The first argument that looks like a question is the input."""
        model = arguments.get("model")
        if isinstance(model, str):
            self._fields.setdefault("gen_ai.request.model", model)
        named = [arguments[name] for name in ASKED_AS if name in arguments]
        asked = [*named, *(value for value in arguments.values() if isinstance(value, str | list))]
        if asked:
            self.input(asked[0])

    @quiet
    def returned(self, result: Any) -> None:
        """A text is the answer; so is what a client's response holds."""
        if isinstance(result, str):
            self.output(result)
        else:
            self.answer(result)

    @quiet
    def yielded(self, piece: Any) -> None:
        """A piece of the answer."""
        if isinstance(piece, str):
            self.piece(piece)
        else:
            super().yielded(piece)

    def _inside(self) -> dict[str, Any]:
        return {EXCHANGE: self.id}

    def _finish(self) -> None:
        if self._pieces and "gen_ai.output.messages" not in self._fields:
            self.output("".join(self._pieces))


class Step(Span):
    """A step around the model."""

    @quiet
    def query(self, text: str) -> None:
        """What is looked for."""
        self._fields["gen_ai.retrieval.query.text"] = freeze(text)

    @quiet
    def documents(self, found: Any) -> None:
        """What was found, in its order."""
        self._fields["gen_ai.retrieval.documents"] = freeze(found)

    @quiet
    def score(self, name: str, value: float, label: str | None = None) -> None:
        """An evaluation: of what, how much, and in a word."""
        self._fields |= {
            "gen_ai.evaluation.name": freeze(name),
            "gen_ai.evaluation.score.value": freeze(value),
            "gen_ai.evaluation.score.label": freeze(label),
        }


class Tool(Span):
    """A call of a tool that a model asked for, or an action that an answer caused."""

    @quiet
    def arguments(self, given: Any) -> None:
        """What it is called with."""
        self._fields["gen_ai.tool.call.arguments"] = freeze(given)

    @quiet
    def result(self, value: Any) -> None:
        """What it gives."""
        self._fields["gen_ai.tool.call.result"] = freeze(value)

    @quiet
    def called(self, arguments: dict[str, Any]) -> None:
        """A decorated function's arguments are the tool's."""
        self.arguments(arguments)

    @quiet
    def returned(self, result: Any) -> None:
        """What it returns is the result."""
        self.result(result)


class Upstream(Span):
    """A call to a system that the model or its application depends on."""

    @quiet
    def status(self, code: int) -> None:
        """The HTTP status; 400 and above is a failure."""
        self._fields["http.response.status_code"] = freeze(code)
        if code >= 400:
            self.fail(str(code))

    @quiet
    def sizes(self, *, request_bytes: int | None = None, response_bytes: int | None = None) -> None:
        """How much was sent and received."""
        self._fields |= {"slm.request_bytes": freeze(request_bytes), "slm.response_bytes": freeze(response_bytes)}


def _messages(given: Any, role: str) -> list[Any]:
    """`given` as a list of messages; what names no role has `role`."""
    each = given if isinstance(given, list | tuple) else [given]
    return [_message(one, role) for one in each if one is not None]


def _message(given: Any, role: str) -> Any:
    if isinstance(given, str):
        return {"role": role, "parts": [{"type": "text", "content": given}]}
    if isinstance(given, dict) and "role" not in given:
        return {"role": role, **given}
    return given
