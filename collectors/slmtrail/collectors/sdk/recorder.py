"""What a trail has a word for: inferences, steps, tools, upstreams, verdicts and configurations."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from time import time_ns
from typing import Any, ParamSpec, TypeVar, cast

from slmtrail.collectors.sdk import pack, plain
from slmtrail.collectors.sdk.here import CAPTURE, here
from slmtrail.collectors.sdk.outbox import Outbox
from slmtrail.collectors.sdk.pack import EXCHANGE, Made, freeze
from slmtrail.collectors.sdk.quiet import told
from slmtrail.collectors.sdk.span import Span, cause
from slmtrail.collectors.sdk.spans import Inference, Step, Tool, Upstream

STEP_TYPES = frozenset(
    "preprocess tokenize retrieve rerank guardrail generate state tool agent action evaluate postprocess".split()
)
_MODEL = {
    "version": "slm.model.version",
    "digest": "slm.model.digest",
    "quantization": "slm.model.quantization",
    "adapter": "slm.model.adapter",
    "tokenizer": "slm.model.tokenizer",
}
_KIND: dict[type[Span], str] = {Inference: "inference", Step: "process", Tool: "process", Upstream: "upstream"}

MAX_CONFIGURATIONS = 16
"""Of a model, that are told apart."""

P = ParamSpec("P")
S = TypeVar("S", bound=Span)


def _always(kind: type[S]) -> Callable[[Callable[P, S]], Callable[P, S]]:
    """A method that gives a span whatever it is called with."""

    def guard(method: Callable[P, S]) -> Callable[P, S]:
        @functools.wraps(method)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> S:
            try:
                return method(*args, **kwargs)
            except Exception as error:
                told("something of an event", error)
                return kind(_recorder(args)._outbox, {"slm.kind": _KIND[kind]})

        return guarded

    return guard


def _counted(method: Callable[P, str]) -> Callable[P, str]:
    """A method that leaves an event and gives its id; what it can't make an event of counts as dropped."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            told("an event", error)
            _recorder(args)._outbox.drop(1)
            return ""

    return guarded


def _recorder(args: tuple[Any, ...]) -> Recorder:
    return cast("Recorder", args[0])


class Recorder:
    """Makes spans. Values are taken as they are now; None says nothing."""

    _outbox: Outbox
    _models: dict[str, list[tuple[int, dict[str, Any]]]]
    """What is known of a model, by its name, and since when: what waits to be packed is from before."""

    @_always(Inference)
    def inference(
        self,
        model: str | None = None,
        *,
        provider: str | None = None,
        operation: str = "chat",
        input: Any = None,  # noqa: A002 - as the conventions call it
        system: str | None = None,
        caused_by: Any = None,
        capture: str | None = None,
        **more: Any,
    ) -> Inference:
        """A question to a model. `more` has OpenAI's names (`temperature`, `max_tokens`, `messages`, `tools`, …), or
        says of the model: `version`, `digest`, `quantization`, `adapter`, `tokenizer`, `template`; the rest is noted.
        """
        from slmtrail.collectors.sdk import answers

        fields = {
            "slm.kind": "inference",
            "gen_ai.request.model": model,
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.system_instructions": system,
            "slm.prompt.template_digest": _text_digest(more.pop("template", None)),
            CAPTURE: capture,
        }
        asked = {word: value for word, value in more.items() if answers.is_parameter(word)}
        notes = {word: value for word, value in more.items() if word not in asked and word not in _MODEL}
        span = self._span(Inference, fields | answers.parameters(asked) | _about(more), caused_by, notes)
        if "messages" in asked:
            span.input(asked["messages"])
        if input is not None:
            span.input(input)
        return span

    @_always(Step)
    def step(
        self,
        name: str,
        type: str | None = None,  # noqa: A002
        *,
        index: int | None = None,
        caused_by: Any = None,
        query: str | None = None,
        reason: str | None = None,
        capture: str | None = None,
        **notes: Any,
    ) -> Step:
        """A step around the model: of a `type` among preprocess, tokenize, retrieve, rerank, guardrail, generate,
        state, tool, agent, action, evaluate and postprocess, which is the name's where it is one of them."""
        kind = type or name
        fields = {
            "slm.kind": "process",
            "slm.step.name": name,
            "slm.step.type": kind if kind in STEP_TYPES else None,
            "slm.step.index": index,
            "gen_ai.retrieval.query.text": query,
            "event.reason": reason,
            CAPTURE: capture,
        }
        return self._span(Step, fields, caused_by, notes)

    @_always(Tool)
    def tool(
        self,
        name: str,
        arguments: Any = None,
        *,
        call_id: str | None = None,
        type: str = "function",  # noqa: A002
        caused_by: Any = None,
        capture: str | None = None,
        **notes: Any,
    ) -> Tool:
        """A call of a tool that a model asked for."""
        fields = {
            "slm.kind": "process",
            "slm.step.name": "execute_tool",
            "slm.step.type": "tool",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": type,
            "gen_ai.tool.call.id": call_id,
            "gen_ai.tool.call.arguments": arguments,
            CAPTURE: capture,
        }
        return self._span(Tool, fields, caused_by, notes)

    @_always(Tool)
    def action(
        self, name: str, arguments: Any = None, *, caused_by: Any, capture: str | None = None, **notes: Any
    ) -> Tool:
        """Something done because of an answer: `caused_by` is the answer's span, or its id."""
        fields = {
            "slm.kind": "process",
            "slm.step.name": name,
            "slm.step.type": "action",
            "event.action": name,
            "gen_ai.tool.call.arguments": arguments,
            CAPTURE: capture,
        }
        return self._span(Tool, fields, caused_by, notes)

    @_always(Upstream)
    def upstream(
        self, name: str, action: str | None = None, *, caused_by: Any = None, capture: str | None = None, **notes: Any
    ) -> Upstream:
        """A call to a system that the model or its application depends on."""
        fields = {"slm.kind": "upstream", "slm.upstream.name": name, "event.action": action, CAPTURE: capture}
        return self._span(Upstream, fields, caused_by, notes)

    @_counted
    def verdict(
        self,
        guardrail: str,
        verdict: str,
        *,
        reasons: list[str] | None = None,
        rule: str | None = None,
        point: str | None = None,
        caused_by: Any = None,
        **notes: Any,
    ) -> str:
        """What a guardrail decided: allow, flag or block, of a request or an answer (`point`). Returns its id, which
        is that of the inference where it was decided inside one."""
        fields = {
            "slm.kind": "policy",
            "slm.guardrail.name": guardrail,
            "slm.verdict": verdict,
            "slm.guard.reasons": reasons,
            "slm.guard.point": point,
            "rule.id": rule,
            "event.outcome": "failure" if verdict == "block" else "success",
        }
        span = self._span(Span, fields, caused_by, notes)
        span.id = here.get().get(EXCHANGE, span.id)
        return span.done()

    @_counted
    def config(
        self,
        name: str,
        values: Any = None,
        *,
        type: str | None = None,  # noqa: A002
        model: str | None = None,
        template: str | None = None,
        **more: Any,
    ) -> str:
        """A configuration as it is from now on; returns its id. `more` says of the model: `version`, `digest` (of its
        weights, see `digest_of`), `quantization`, `adapter`, `tokenizer`; the rest joins `values`, such as plugins
        and hyperparameters. Later inferences of `model` carry what is said of it here."""
        about, rest = _about(more), {word: value for word, value in more.items() if word not in _MODEL}
        whole = _plainly(values)
        if rest:
            named = whole if isinstance(whole, dict) else {} if whole is None else {"values": whole}
            whole = {**named, **_plainly(rest)}
        digest = _text_digest(template)
        self._remember(model, about | {"slm.prompt.template_digest": digest})
        fields = {
            "slm.kind": "config",
            "slm.config.name": name,
            "slm.config.type": type,
            "slm.config.values": whole,
            "slm.config.digest": _digest(whole),
            "gen_ai.request.model": model,
            "slm.prompt.template": template,
            "slm.prompt.template_digest": digest,
        }
        return self._span(Span, fields | about, None, {}).done()

    def _remember(self, model: Any, about: dict[str, Any]) -> None:
        from slmtrail.collectors.sdk.fitted import fitted

        if type(model) is str:
            given = Made({"slm.kind": "inference", **{name: freeze(value) for name, value in about.items()}})
            known = {name: value for name, value in fitted(given).items() if name in about}
            self._models[model] = [*self._models.get(model, [])[1 - MAX_CONFIGURATIONS :], (time_ns(), known)]

    def _known(self, model: object, at_ns: int) -> dict[str, Any]:
        """What was known of a model at that time."""
        known = self._models.get(model, []) if isinstance(model, str) else []
        return next((about for since_ns, about in reversed(known) if since_ns <= at_ns), {})

    def _span(self, kind: type[S], fields: dict[str, Any], caused_by: Any, notes: dict[str, Any]) -> S:
        kept = {name: freeze(value) for name, value in (fields | cause(caused_by)).items() if value is not None}
        if notes:
            kept["slm.attributes"] = {name: freeze(value) for name, value in notes.items()}
        return kind(self._outbox, kept)


def _about(more: dict[str, Any]) -> dict[str, Any]:
    return {field: more[word] for word, field in _MODEL.items() if word in more}


def _plainly(values: Any) -> Any:
    return plain.loads(plain.dumps(values, pack.MAX_EVENT_BYTES))


def _text_digest(text: Any) -> str | None:
    if text is None:
        return None
    exact = text.encode("utf-8", "surrogatepass") if type(text) is str else plain.dumps(text, pack.MAX_EVENT_BYTES)
    return hashlib.sha256(exact).hexdigest()


def _digest(values: Any) -> str | None:
    """Of the values as JSON with sorted keys."""
    return None if values is None else hashlib.sha256(plain.ordered(values)).hexdigest()
