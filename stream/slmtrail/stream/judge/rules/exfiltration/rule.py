"""Addresses in answers and in tools' arguments that carry more than an address needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from slmtrail.core.guards import compiled
from slmtrail.core.roles import matches
from slmtrail.stream.judge.findings import findings
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.texts import answers, clipped, shown

_PLACE = r"((?:https?:|ftp:|wss?:)?//[^\s)>\"']{8,4000})"
_LOADED = re.compile(
    rf"!\[[^\]\n]{{0,200}}\]\(\s*<?{_PLACE}|\burl\(\s*[\"']?{_PLACE}|\b(?:fetch|import|sendBeacon)\(\s*[\"']{_PLACE}|"
    rf"<(?:img|image|input|iframe|embed|object|link|script|video|audio|source|track|body|table|td|use)\b[^<>]{{0,300}}?"
    rf"\b(?:src|srcset|href|data|poster|background)\s*=\s*[\"']?{_PLACE}",
    re.I,
)
"""Addresses that are fetched as soon as an answer is shown."""
_NAMED = re.compile(rf"^\s{{0,3}}\[[^\]\n]{{1,80}}\]:\s*<?{_PLACE}", re.M)
"""Where the images are that an answer names first and says the address of later."""
_HOST = compiled(r"\b(?:[a-z0-9]{24,63}\.){2,8}[a-z0-9-]{1,63}\.[a-z]{2,24}\b")
_REDACTED_IMAGE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(\s*(?:<URL|<WITHHELD|https?://\S{0,200}<)|<img\b[^<>]{0,200}?\bsrc\s*=\s*[\"']?\s*<URL", re.I
)
_ADDRESS = re.compile(r"https?://[^\s\"'<>)\]]{8,4000}", re.I)
_ENCODED = re.compile(r"[A-Za-z0-9+/_\-]{40,}={0,2}|(?:%[0-9A-Fa-f]{2}){12,}|[0-9a-fA-F]{48,}")


def judge(record: dict[str, Any], about: About) -> Hit | None:
    """Which address carries data away, or None."""
    p = about.parameters
    answer = answers(record)
    if "//" in answer and any(sign in answer for sign in ("](", "][", "<", "url(", "fetch(")):
        for address in _loaded(shown(answer)):
            if _carried(address) >= p["image_chars"] and not _known(address, p["hosts"]):
                return _hit("an image in the answer", address)
    if ("](" in answer or "<" in answer) and _REDACTED_IMAGE.search(answer):
        longest = max(
            (_length(one) for one in findings(record, "gen_ai.output.messages") if one["type"] == "URL"), default=0
        )
        if longest >= p["image_chars"] + 30:
            return Hit("an image in the answer has an address that is long enough to carry data", observed=longest)
    for address in _addresses(answer, record):
        if _carried(address) >= p["link_chars"] and _ENCODED.search(address) and not _known(address, p["hosts"]):
            return _hit("an address", address)
    for text in (answer, clipped(record.get("gen_ai.tool.call.arguments", ""))):
        if (name := _HOST.search(text)) and any(map(str.isdigit, name[0])) and not _known(f"//{name[0]}", p["hosts"]):
            return Hit(f"a name of {len(name[0])} characters, as data takes that leaves by DNS", name[0][:200])
    return None


def _loaded(answer: str) -> Iterator[str]:
    for found in _LOADED.finditer(answer):
        yield next(filter(None, found.groups()))
    if "![" in answer and "]:" in answer:
        yield from (found[1] for found in _NAMED.finditer(answer))


def _hit(what: str, address: str) -> Hit:
    host = _host(address) or "?"
    return Hit(
        f"{what} of {host[:80]} carries {_carried(address)} characters", address[:200], observed=_carried(address)
    )


def _addresses(answer: str, record: dict[str, Any]) -> Iterator[str]:
    if "://" in answer:
        yield from (found.group() for found in _ADDRESS.finditer(answer))
    if "gen_ai.tool.call.arguments" in record:
        yield from (found.group() for found in _ADDRESS.finditer(clipped(record["gen_ai.tool.call.arguments"])))


def _carried(address: str) -> int:
    """Characters of parameters, and of parts of the path, or of the host, that look encoded."""
    path, _, parameters = address.partition("?")
    encoded = sum(len(found.group()) for found in _ENCODED.finditer(path) if _is_code(found.group()))
    return len(parameters) + encoded


def _is_code(run: str) -> bool:
    """Whether a part between separators is longer than words are, and holds what they do not."""
    return "%" in run or any(
        len(part) >= 20 and (any(map(str.isdigit, part)) or not (part.islower() or part.isupper()))
        for part in re.split("[/_-]", run)
    )


def _length(finding: dict[str, Any]) -> int:
    return int(finding.get("end", 0)) - int(finding.get("start", 0))


def _known(address: str, hosts: Any) -> bool:
    return matches(tuple(hosts), _host(address))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
