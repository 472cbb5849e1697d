"""Scripts in answers, and commands, queries and paths in the arguments of tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from slmtrail.core.guards import compiled
from slmtrail.core.roles import matches
from slmtrail.stream.judge.hit import About, Hit, around
from slmtrail.stream.judge.texts import clipped

_FENCED = re.compile(r"```.*?(?:```|$)|`[^`\n]*`", re.DOTALL)
_ACTIVE = compiled(
    r"(?is)<script\b[^>]*>[^<]|<script\b[^>]*\bsrc\s*=|<[a-z]+\b[^>]*\son(?:error|load|click|mouseover|focus|toggle)\s*=|"
    r"<(?:iframe|object|embed)\b[^>]*\b(?:src|data|srcdoc)\s*=|\bhref\s*=\s*[\"']?\s*javascript:|\]\(\s*javascript:"
)
_ARGUMENTS = {
    "a destructive or hidden command": compiled(
        r"(?i)\brm\s+-[a-z]*[rf][a-z]*\s+[/~*.$]|\bmkfs\b|\bdd\s+if=|:\(\)\s*\{|\b(?:curl|wget|iwr|invoke-webrequest)\b[^\n|;&]*"
        r"[|;&]+\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|/dev/tcp/|\bnc(?:at)?\b[^\n]*\s-[a-z]*e|\bpowershell\b[^\n]*-e(?:nc\w*)?\b|"
        r"\bbase64\s+(?:-d|--decode)\b[^\n]*\|\s*(?:ba)?sh|\bchmod\s+(?:-R\s+)?[0-7]*777\b|/etc/(?:shadow|passwd)\b|"
        r"\b(?:os\.system|subprocess\.(?:run|Popen|call)|__import__|eval|exec)\s*\(|\bshutdown\s+(?:-h|/s)|\bformat\s+c:"
    ),
    "an injected or destructive query": compiled(
        r"(?i)'\s*(?:or|and)\s+(?:'?\d+'?\s*=\s*'?\d+|'[^']*'\s*=\s*'[^']*|true)|\bunion\s+(?:all\s+)?select\b|;\s*(?:drop|delete|"
        r"truncate|alter|update|insert|exec)\b|\b(?:drop|truncate)\s+(?:table|database|schema)\b|\bxp_cmdshell\b|"
        r"\binto\s+(?:out|dump)file\b|\bdelete\s+from\s+\w+\s*(?:;|$|\")|\bwaitfor\s+delay\b|\bpg_sleep\s*\("
    ),
    "a way out of its folder or network": compiled(
        r"(?i)(?:\.\./){3,}|(?:\.\.\\{1,2}){3,}|\b169\.254\.169\.254\b|\bmetadata\.google\.internal\b|\bfile:///(?:etc|proc|root|"
        r"home|c:)|\bgopher://|\bldap://"
    ),
}


def judge(record: dict[str, Any], about: About) -> Hit | None:
    """What is unsafe in what the model wrote, or None."""
    for name, text in _arguments(record):
        if matches(about.parameters["trusted_tools"], name):
            continue
        for what, pattern in _ARGUMENTS.items():
            if found := pattern.search(text):
                return Hit(f"{what} in the arguments of the tool {name[:60] or '?'}", around(text, *found.span()))
    for message in record.get("gen_ai.output.messages", ()):
        for part in message["parts"]:
            text = (
                _FENCED.sub(" ", clipped(part["content"]))
                if "<" in part.get("content", "")
                else part.get("content", "")
            )
            if ("<" in text or "javascript:" in text) and (found := _ACTIVE.search(text)):
                return Hit("an active script in the answer", around(text, *found.span()))
    return None


def _arguments(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "gen_ai.tool.call.arguments" in record:
        yield record.get("gen_ai.tool.name", ""), clipped(record["gen_ai.tool.call.arguments"])
    for message in record.get("gen_ai.output.messages", ()):
        for part in message["parts"]:
            if "arguments" in part:
                yield part.get("name", ""), clipped(part["arguments"])
