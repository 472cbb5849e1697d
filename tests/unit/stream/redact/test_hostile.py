"""Texts made to be slow: 64 KB in a bounded time, and time in proportion to length."""

from __future__ import annotations

import time

import pytest

from slmtrail.stream.redact.engine import Engine

SIZE = 64 * 1024
HOSTILE = {
    "dots": ".",
    "digits": "1",
    "digits and blanks": "1 ",
    "groups of digits": "12345678 ",
    "dashes": "1-",
    "dotted digits": "1.",
    "letters": "a",
    "hosts": "a.",
    "domains": "a.com.",
    "dots with a domain": "." * 240 + ".com",
    "at signs": "a@",
    "addresses": "a@b.co ",
    "no end of an address": "a.a-",
    "colons": ":",
    "hex": "ab:",
    "ibans": "DE89 ",
    "phones": "+1 212 555 0199 ",
    "half phones": "(212) 55-",
    "pluses": "+",
    "brackets": "(1",
    "quotes": "\"'",
    "dates": "1/1/",
    "uuid": "0000-",
    "coins": "bc1",
    "keys": "sk-",
    "tokens": "eyJa.",
    "begins": "-----BEGIN PRIVATE KEY-----",
    "urls": "a://a:",
    "passwords": "password=",
    "high": "é",
    "wide digits": "\uff11",
    "emoji": "😀 1",
    "context": "phone card us 123456789 ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_length(engine: Engine, name: str) -> None:
    def seconds(size: int) -> float:
        text = (HOSTILE[name] * size)[:size]
        start = time.process_time()
        engine.find(text)
        return time.process_time() - start

    seconds(SIZE // 16)
    short = min(seconds(SIZE // 8) for _ in range(3))
    long = min(seconds(SIZE) for _ in range(3))
    # Eight times as long may take eight times the time, twice that for a busy machine; quadratic is 64 times.
    assert long < 0.25 + 20 * short
    assert short < 2.0
