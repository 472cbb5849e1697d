"""Addresses in answers and in tools' arguments that carry more than an address needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from slmtrail.core.roles import matches
from slmtrail.stream.judge.findings import findings
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.texts import answers, clipped

_IMAGE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(\s*<?(https?://[^\s)>\"']{8,4000})|<img\b[^>]{0,200}?\bsrc\s*=\s*[\"']?(https?://[^\s\"'>]{8,4000})",
    re.I,
)
_REDACTED_IMAGE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(\s*(?:<URL|<WITHHELD|https?://\S{0,200}<)|<img\b[^>]{0,200}?\bsrc\s*=\s*[\"']?\s*<URL", re.I
)
_ADDRESS = re.compile(r"https?://[^\s\"'<>)\]]{8,4000}", re.I)
_ENCODED = re.compile(r"[A-Za-z0-9+/_\-]{40,}={0,2}|(?:%[0-9A-Fa-f]{2}){12,}|[0-9a-fA-F]{48,}")


def judge(record: dict[str, Any], about: About) -> Hit | None:
    """Which address carries data away, or None."""
    p = about.parameters
    answer = answers(record)
    if "](" in answer or ("<" in answer and "<img" in answer.lower()):
        for found in _IMAGE.finditer(answer):
            address = found[1] or found[2]
            if _carried(address) >= p["image_chars"] and not _known(address, p["hosts"]):
                return _hit("an image in the answer", address)
        if _REDACTED_IMAGE.search(answer):
            longest = max(
                (_length(one) for one in findings(record, "gen_ai.output.messages") if one["type"] == "URL"), default=0
            )
            if longest >= p["image_chars"] + 30:
                return Hit("an image in the answer has an address that is long enough to carry data", observed=longest)
    for address in _addresses(answer, record):
        if _carried(address) >= p["link_chars"] and _ENCODED.search(address) and not _known(address, p["hosts"]):
            return _hit("an address", address)
    return None


def _hit(what: str, address: str) -> Hit:
    host = urlsplit(address).hostname or "?"
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
    encoded = sum(len(found.group()) for found in _ENCODED.finditer(path))
    return len(parameters) + encoded


def _length(finding: dict[str, Any]) -> int:
    return int(finding.get("end", 0)) - int(finding.get("start", 0))


def _known(address: str, hosts: Any) -> bool:
    return matches(tuple(hosts), _host(address))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
