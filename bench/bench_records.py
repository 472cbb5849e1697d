"""Records for benches, as the stream writes them, and what the stream itself costs."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from builders import Stream, inference
from slmtrail.core.ports import Message
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.redactor import Redactor

_WORDS = (
    "please summarise the ticket about printer on floor three it is out of paper again order toner call back number "
    "meeting moved to friday invoice for march was paid twice ask finance whether refund has been sent already thanks"
).split()


def messages(folder: Path, count: int) -> list[Message]:
    """`count` records of about 1.2 KB."""
    stream = Stream(folder)
    edge = stream.edge()
    rng = random.Random(1)
    made: list[Message] = []
    while len(made) < count:
        made += stream.take(edge.frame([inference(_text(rng)) for _ in range(200)])).records
    return made[:count]


def streamed(folder: Path, count: int) -> float:
    """CPU microseconds that the stream takes for a record: opening, redaction and judgement."""
    redactor = Redactor(RedactOptions(), b"k" * 32)

    class Here:
        def redact_all(self, events: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
            return [redactor.redact(event) for event in events]

    stream = Stream(folder, redactor=Here())
    edge = stream.edge()
    rng = random.Random(2)
    stream.take(edge.frame([inference(_text(rng))]))
    frames = [edge.frame([inference(_text(rng)) for _ in range(50)]) for _ in range(count // 50)]
    began = time.process_time()
    taken = sum(len(stream.take(frame).records) for frame in frames)
    return (time.process_time() - began) / taken * 1e6


def _text(rng: random.Random) -> str:
    return " ".join(rng.choices(_WORDS, k=110))
