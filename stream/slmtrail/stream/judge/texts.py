"""The texts of a record, by who speaks: rules ask what came from outside, what the operator said, what was answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import orjson

from slmtrail.core.said import OPERATOR, TOOL, answer, prompt

Speaker = Literal["system", "user", "content", "answer"]
"""`content` is what came from a tool, a document or a retrieval: words nobody present has said."""

MAX_CHARS = 96 * 1024
"""How much of one record is looked at: of what is longer, its beginning and end."""


_CODE = re.compile(r"```.*?(?:```|$)|`[^`\n]*`", re.DOTALL)


class Said(NamedTuple):
    """A text and who says it."""

    speaker: Speaker
    text: str


def said(record: dict[str, Any]) -> Iterator[Said]:
    """Every text of a record."""
    if "gen_ai.system_instructions" in record:
        yield Said("system", clipped(record["gen_ai.system_instructions"]))
    for message in record.get("gen_ai.input.messages", ()):
        role = message["role"]
        speaker: Speaker = "system" if role in OPERATOR else "content" if role in TOOL else "user"
        if role == "assistant":
            speaker = "answer"
        for part in message["parts"]:
            tool = speaker == "content" or part["type"] in ("tool_call_response", "document", "file")
            for name in ("content", "result", "extra"):
                if name in part:
                    yield Said("content" if tool and speaker == "user" else speaker, _unpacked(part[name]))
    for name in ("gen_ai.retrieval.documents", "gen_ai.tool.call.result"):
        if name in record:
            yield Said("content", _unpacked(record[name]))
    if "gen_ai.retrieval.query.text" in record:
        yield Said("user", clipped(record["gen_ai.retrieval.query.text"]))


def answers(record: dict[str, Any]) -> str:
    """What the model answered, as one text."""
    return clipped(answer(record))


def asked_last(record: dict[str, Any]) -> str:
    """What a person asked in the newest turn."""
    return clipped(prompt(record))


def system_prompt(record: dict[str, Any]) -> str:
    """What the operator told the model."""
    messages = record.get("gen_ai.input.messages", ())
    if "gen_ai.system_instructions" not in record and OPERATOR.isdisjoint([message["role"] for message in messages]):
        return ""
    return "\n".join(one.text for one in said(record) if one.speaker == "system")


def clipped(text: str) -> str:
    """`text`, or its beginning and end."""
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS // 2]}\n{text[-MAX_CHARS // 2 :]}"


def shown(text: str) -> str:
    """What of an answer is shown as it is: not what stands in code."""
    return _CODE.sub(" ", text) if "`" in text else text


def _unpacked(text: str) -> str:
    """The strings in JSON, so that its escapes hide nothing; any other text as it is."""
    text = clipped(text)
    if text[:1] not in ("{", "[") or len(text) > MAX_CHARS:
        return text
    try:
        pending = [orjson.loads(text)]
    except orjson.JSONDecodeError:
        return text
    found: list[str] = []
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            pending += reversed(list(value.values()))
        elif isinstance(value, list):
            pending += reversed(value)
    return "\n".join(found)
