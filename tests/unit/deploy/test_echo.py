"""The server that stands where a model would: it answers as OpenAI's API does, and says what was said."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tree import ROOT


@pytest.fixture(scope="module")
def client() -> Iterator[OpenAI]:
    command = [sys.executable, str(ROOT / "deploy/echo/model.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        match = re.search(r"http://\S+", process.stdout.readline())
        assert match
        yield OpenAI(base_url=f"{match[0]}/v1", api_key="none", max_retries=0)
        process.terminate()


def test_it_says_what_was_said(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="echo",
        messages=[{"role": "system", "content": "be brief"}, {"role": "user", "content": "two words"}],
    )
    assert answer.choices[0].message.content == "two words"
    assert answer.usage
    assert answer.usage.total_tokens == 4


def test_in_pieces_too(client: OpenAI) -> None:
    parts = client.chat.completions.create(
        model="echo", messages=[{"role": "user", "content": [{"type": "text", "text": "a\nb"}]}], stream=True
    )
    said = [part.choices[0].delta.content for part in parts]
    assert said == [None, "a\n", "b", None]


def test_it_lists_itself_and_refuses_the_rest(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["echo"]
    with pytest.raises(BadRequestError, match="at least one message"):
        client.chat.completions.create(model="echo", messages=[])
    with pytest.raises(NotFoundError):
        client.embeddings.create(model="echo", input="x")
