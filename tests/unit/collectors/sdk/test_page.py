"""docs/sdk.md: its examples run as they stand, one after the other; only the addresses differ."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.instrumentation import get_dispatcher

from servers.model import serving

PAGE = Path(__file__).parents[4] / "docs" / "sdk.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_examples(
    collector_url: str, spool: Any, read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher: Any = get_dispatcher()
    for name in ("event_handlers", "span_handlers"):
        monkeypatch.setattr(dispatcher, name, list(getattr(dispatcher, name)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLMTRAIL_URL", collector_url)
    (tmp_path / "model.gguf").write_bytes(b"weights")
    names: dict[str, Any] = {"__name__": "example"}
    with serving() as model:
        addresses = {"http://127.0.0.1:4747": collector_url, "http://127.0.0.1:8000": model.url}
        addresses["http://127.0.0.1:11434"] = model.url
        for number, example in enumerate(EXAMPLES):
            for theirs, ours in addresses.items():
                example = example.replace(theirs, ours)
            exec(compile(example, f"example {number}", "exec"), names)
    assert names["trail"].flush(20) and names["private"].flush(20)
    boots = read(spool)
    assert boots.dropped == 0
    kinds = Counter(re.search(rb'"slm.kind":"([a-z]+)"', line)[1].decode() for line in boots.lines)  # type: ignore[index]
    assert kinds == {"inference": 8, "process": 3, "auth": 2, "upstream": 1, "policy": 1, "config": 1}
    assert not any(b"never leaves" in line for line in boots.lines)
    assert sum(b'"slm.model.version":"3.1"' in line for line in boots.lines) == 2
