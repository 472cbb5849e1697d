"""The trail as an application holds it: one object for the process, safe across threads, tasks, signals and forks."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any, TypeVar

from slmtrail.collectors.sdk import pack, post
from slmtrail.collectors.sdk.here import CAPTURE, LEVELS, Context, address, here, traced
from slmtrail.collectors.sdk.host import Host
from slmtrail.collectors.sdk.ids import new_id, numbers, text
from slmtrail.collectors.sdk.outbox import NotAccepted, Outbox
from slmtrail.collectors.sdk.pack import EXCHANGE, Item, Made, freeze
from slmtrail.collectors.sdk.quiet import quiet, told
from slmtrail.collectors.sdk.recorder import Recorder
from slmtrail.collectors.sdk.span import current
from slmtrail.collectors.sdk.spans import Inference

URL_VARIABLE = "SLMTRAIL_URL"
TOKEN_VARIABLE = "SLMTRAIL_TOKEN"  # noqa: S105 - its name
_WHO = {
    "user": "user.id",
    "name": "user.name",
    "email": "user.email",
    "roles": "user.roles",
    "session": "session.id",
    "conversation": "gen_ai.conversation.id",
    "agent": "gen_ai.agent.name",
    "workflow": "gen_ai.workflow.name",
    "user_agent": "user_agent.original",
    "capture": CAPTURE,
}
_INPUT = "gen_ai.input.messages"

C = TypeVar("C")


class Trail(Recorder):
    """A line to the collector."""

    def __init__(
        self,
        url: str | None = None,
        *,
        service: str | None = None,
        environment: str | None = None,
        capture: str | None = None,
        token: str | None = None,
        queue_length: Callable[[], int] | None = None,
    ) -> None:
        """`capture` asks for more privacy than the collector's policy, for all events: "redacted" or "metadata".
        `queue_length` says how many requests wait for the model; it is asked once a second, from another thread.

        Raises ValueError where `url` is no address or `capture` no level: that should not run unheard.
        """
        given = url or os.environ.get(URL_VARIABLE) or post.DEFAULT_URL
        if capture is not None and capture not in LEVELS:
            raise ValueError(f"capture is one of {', '.join(LEVELS)}, not {capture!r}")
        self._given = (url, service, environment, capture, token)
        named = {
            "service.name": service,
            "deployment.environment.name": environment,
            CAPTURE: capture,
            "host.name": socket.gethostname(),
        }
        self._shared = {name: value for name, value in named.items() if value}
        _load()
        self._host = Host(queue_length)
        self._models: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        collector = post.Collector(post.address(given), token or os.environ.get(TOKEN_VARIABLE))
        self._outbox = Outbox(collector, self._line)

    def __reduce__(self) -> tuple[Any, ...]:
        """Handed to another process, or copied, it is a trail of its own to the same collector."""
        return _trail, self._given

    def emit(self, event: dict[str, Any]) -> str:
        """Hands an event over without waiting; returns the id under which others may name it (`slm.exchange.id`).

        The event, and its list of input messages, are taken as they are now. Don't change what they hold.
        """
        try:
            kept = dict.copy(event)
            asked = kept.get(_INPUT)
            if type(asked) is list:
                kept[_INPUT] = (*asked,)
            number: int | str = kept[EXCHANGE] if EXCHANGE in kept else next(numbers)
            outbox = self._outbox
            waiting = outbox.waiting
            # As `put` does: a call more would be a tenth of what all of this costs.
            if len(waiting) < outbox.room:
                waiting.append((time_ns(), kept, here.get(), number))
                if not outbox.awake:
                    outbox.ring()
            else:
                outbox.drop(1)
            return text(number) if type(number) is int else str(number)
        except Exception as error:
            self._outbox.drop(1)
            told("an event", error)
            return ""

    def emit_durable(self, event: dict[str, Any]) -> str:
        """Returns the record's id when the event is on the collector's disk; raises NotAccepted otherwise.

        The id is empty where the policy leaves the event out.

        It waits for the collector: in asynchronous code call it through `asyncio.to_thread`.
        """
        try:
            kept = dict.copy(event)
            item = (time_ns(), kept, here.get(), kept.get(EXCHANGE) or new_id())
        except Exception as error:
            raise NotAccepted(f"the event can't be written as JSON: {type(error).__name__}") from error
        answer = self._outbox.send_now(item)
        ids = answer.told.get("ids")
        if answer.status != 200 or not ids:
            raise NotAccepted(f"{self._outbox.collector.url}: {answer.status}: {answer.why}")
        return str(ids[0] or "")

    def flush(self, timeout_s: float = post.TIMEOUT_S) -> bool:
        """Waits until all that was emitted before is on the collector's disk; False if the time did not suffice."""
        return self._outbox.flush(timeout_s)

    def context(
        self, fields: Mapping[str, Any] | None = None, /, *, trace: str | None = None, ip: str | None = None, **who: Any
    ) -> Context:
        """What holds for all events inside `with`: user, name, email, roles, session, conversation, agent, workflow,
        user_agent, capture; `trace` is a traceparent, `ip` the source. Other words become labels, other fields are
        given by their names in `fields`."""
        try:
            from slmtrail.collectors.sdk.fitted import fitted

            named = {_WHO[word]: freeze(value) for word, value in who.items() if word in _WHO}
            labels = {word: value for word, value in who.items() if word not in _WHO}
            more = None if fields is None else _context_fields(fields)
            made = Made({**(more or {}), **named, **({"labels": freeze(labels)} if labels else {})})
            return Context(fitted(made) | traced(trace) | address(ip))
        except Exception as error:
            told("a context", error)
            return Context({})

    def current(self) -> Any:
        """The span that is open here, for what a decorated function has to say; outside of any one that is lost."""
        return current.get() or Inference(self._outbox, {})

    def watch(self, client: C) -> C:
        """Records what a client of OpenAI, Anthropic or Ollama asks and is answered; returns the client."""
        from slmtrail.collectors.sdk import clients

        clients.watch(client, self)
        return client

    def _line(self, item: Item) -> bytes:
        """The packing thread's work."""
        at_ns, given, place, exchange = item
        event = pack.read(given)
        shared = {**self._shared, "process.pid": os.getpid()}
        if event.get("slm.kind") == "inference":
            shared |= self._host.fields() | self._known(event.get("gen_ai.request.model"), at_ns)
        return pack.line((at_ns, event, place, exchange), shared)


@quiet
def _context_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: freeze(value) for name, value in fields.items()}


def _load() -> None:
    """What a trail needs and importing this module should not cost. It is loaded here, in the thread of whoever makes
    the trail: where a thread of ours imported while the program forks, the child would wait for it for ever."""
    import http.client  # noqa: F401

    from slmtrail.collectors.sdk import answers, fitted  # noqa: F401


def _trail(*given: str | None) -> Trail:
    url, service, environment, capture, token = given
    return Trail(url, service=service, environment=environment, capture=capture, token=token)
