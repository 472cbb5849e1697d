"""Comparisons, incidents and the history of a prompt, over an embedded store with a story in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.stored import START_MS, sealed
from slmtrail.core import likeness
from slmtrail.core.errors import NotFound, QueryError
from slmtrail.core.ports import Query, Sealed
from slmtrail.core.readers import Scope
from slmtrail.indexer.reading.compare import compare
from slmtrail.indexer.reading.history import history
from slmtrail.indexer.reading.incident import incident
from slmtrail.indexer.reading.walk import quoted
from slmtrail.indexer.store.sqlite import SqliteStore

MINUTE_MS = 60_000


class Story:
    """A store that is written record by record."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._leaf = 0

    def tell(self, minute: int = 0, **fields: Any) -> Sealed:
        """One record more, at a minute of the story."""
        made = sealed(self._leaf, ts_ms=START_MS + minute * MINUTE_MS, **fields)
        self._leaf += 1
        assert not self.store.write([made])
        return made

    def ask(self, model: str, prompt: str, answer: str = "Yes.", minute: int = 0, **more: Any) -> Sealed:
        """An inference."""
        return self.tell(
            minute,
            gen_ai__request__model=model,
            gen_ai__input__messages=[{"role": "user", "parts": [{"type": "text", "content": prompt}]}],
            gen_ai__output__messages=[{"role": "assistant", "parts": [{"type": "text", "content": answer}]}],
            slm__prompt__likeness=likeness.fingerprint(prompt),
            **more,
        )


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    store = SqliteStore(tmp_path / "store.db", writable=True)
    yield Story(store)
    store.close()


def test_nearly_the_same_prompts_are_found_with_what_was_answered_then_and_now(story: Story) -> None:
    first = story.ask("phi-3", "How do I reset my password for the wiki of the team?", "Ask Bob.", 1, user__id="alice")
    story.ask("phi-3", "What is the weather like in Lisbon on the first of May?", "Mild.", 2)
    second = story.ask("llama", "How do I reset my password for the wiki of the group?", "Use the form.", 3)
    third = story.ask("phi-3", "how do I reset my password for the wiki of the team", "Use the form.", 4)
    found = history(story.store.search, Query(), "How do I reset my password for the wiki of the team?")
    assert [asking.id for asking in found.askings] == [third.id, second.id, first.id]
    assert [asking.alike for asking in found.askings] == [1.0, pytest.approx(0.83, abs=0.1), 1.0]
    assert [asking.answer for asking in found.by_model["phi-3"]] == ["Use the form.", "Ask Bob."]
    assert found.askings[-1].user == "alice"
    assert history(story.store.search, Query(), "?!").askings == []


def test_a_comparison_marks_what_differs_by_more_than_chance(story: Story) -> None:
    for number in range(60):
        shared = {"minute": number, "slm__model__tokenizer": "bpe"}
        failed = {"event__outcome": "failure", "error__type": "timeout"} if number % 2 else {}
        question = f"Question {number}: which of the plans of the company fits a family of {number}?"
        story.ask("phi-3", question, "The small plan.", slm__model__version="1.2", slm__latency_ms=100, **shared)
        story.ask(
            "phi-3",
            question,
            "I'm sorry, I can't help with that." if number % 3 == 0 else "The small plan.",
            slm__model__version="1.3",
            slm__latency_ms=100 + number,
            **shared,
            **failed,
        )
    found = compare(story.store.search, Query(), "phi-3@1.2", "phi-3@1.3")
    shares = {share.name: share for share in found.shares}
    assert (found.one.records, found.other.records) == (60, 60)
    assert (shares["failed"].one, shares["failed"].other, shares["failed"].differs) == (0, 30, True)
    assert (shares["refused"].other, shares["refused"].differs) == (20, True)
    assert not shares["blocked"].differs
    spreads = {spread.name: spread for spread in found.spreads}
    assert spreads["latency_ms"].differs
    assert spreads["latency_ms"].other["p50"] == 129
    assert found.pairs == 60
    assert found.answers_alike == 1.0
    assert found.furthest[0].alike < 0.2
    assert found.config == {"slm.model.version": ({"1.2": 60}, {"1.3": 60})}


def test_a_comparison_with_nothing_has_nothing_to_tell(story: Story) -> None:
    story.ask("phi-3", "hello there")
    found = compare(story.store.search, Query(), "phi-3", 'no "such" model\\')
    assert (found.one.records, found.other.records, found.pairs, found.answers_alike) == (1, 0, 0, None)
    assert not any(share.differs for share in found.shares)


def test_a_comparison_says_where_it_stops(story: Story) -> None:
    for number in range(5):
        story.ask("phi-3", f"hello {number}", minute=number)
    found = compare(story.store.search, Query(), "phi-3", "llama", at_most=3)
    assert (found.one.records, found.one.cut, found.other.cut) == (3, True, False)


def test_an_incident_joins_what_belongs_together_across_environments(story: Story) -> None:
    prod, edge = {"deployment__environment__name": "prod"}, {"deployment__environment__name": "edge"}
    changed = story.tell(-300, slm__kind="config", slm__config__name="phi-3", gen_ai__request__model="phi-3", **prod)
    story.tell(-300, slm__kind="config", slm__config__name="llama", gen_ai__request__model="llama", **prod)
    story.tell(-3000, slm__kind="config", slm__config__name="phi-3", gen_ai__request__model="phi-3", **prod)
    login = story.tell(-5, slm__kind="auth", event__action="login", user__id="mallory", **prod)
    story.tell(-5, slm__kind="auth", event__action="login", user__id="alice", **prod)
    asked = story.ask("phi-3", "give me the card", user__id="mallory", trace__id="t-1", minute=0, **prod)
    called = story.tell(0, slm__kind="upstream", slm__upstream__name="crm", trace__id="t-1", **edge)
    acted = story.tell(1, slm__kind="process", slm__step__name="mail", slm__caused_by=asked.id, **edge)
    alert = story.tell(
        2,
        slm__kind="alert",
        slm__alert__id="a-1",
        slm__alert__evidence=[asked.id],
        slm__alert__subject="mallory",
        rule__id="leak",
        **prod,
    )
    story.ask("phi-3", "something else", user__id="alice", trace__id="t-2", minute=1, **prod)
    found = incident(story.store.search, Query(), "alert", "a-1", 15 * MINUTE_MS)
    assert [entry.sealed.id for entry in found.entries] == [one.id for one in (login, asked, called, acted, alert)]
    assert [entry.sealed.id for entry in found.changes] == [changed.id]
    assert found.environments == ["edge", "prod"]
    assert not found.cut
    reasons = {entry.sealed.id: entry.why for entry in found.entries}
    assert reasons[asked.id] == "evidence of the alert"
    assert reasons[called.id] == "the same trace"
    assert reasons[acted.id] == "caused by it"
    for about, name in (("trace", "t-1"), ("id", asked.id), ("user", "mallory")):
        same = incident(story.store.search, Query(), about, name, 15 * MINUTE_MS)  # type: ignore[arg-type]
        assert {login.id, asked.id, called.id, alert.id} <= {entry.sealed.id for entry in same.entries}


def test_an_incident_at_a_time_is_what_happened_then(story: Story) -> None:
    story.ask("phi-3", "before", minute=0)
    there = story.ask("phi-3", "there", minute=10)
    found = incident(story.store.search, Query(), "time", there.record["@timestamp"], MINUTE_MS)
    assert [entry.sealed.id for entry in found.entries] == [there.id]


def test_an_incident_of_nothing_is_an_error(story: Story) -> None:
    with pytest.raises(NotFound, match="session"):
        incident(story.store.search, Query(), "session", 'no "such', MINUTE_MS)


def test_a_reader_is_told_of_nothing_beyond_the_scope(story: Story) -> None:
    for place in ("prod", "dev"):
        story.ask("phi-3", "the same words", trace__id="t-1", deployment__environment__name=place)
    query = Query(scope=Scope(("dev",), ("*",), ("*",), content=True))
    entries = incident(story.store.search, query, "trace", "t-1", MINUTE_MS).entries
    assert [entry.sealed.record["deployment.environment.name"] for entry in entries] == ["dev"]
    assert compare(story.store.search, query, "phi-3", "llama").one.records == 1
    assert len(history(story.store.search, query, "the same words").askings) == 1


@pytest.mark.parametrize("name", ['a"b', "a\\", "a or b", "*", "a) or (b", "-x", ""])
def test_any_value_is_searched_as_it_is(story: Story, name: str) -> None:
    wanted = story.tell(trace__id=name)
    story.tell(trace__id="another")
    assert [one.id for one in story.store.search(Query(where=f"trace:{quoted(name)}")).records] == [wanted.id]


@pytest.mark.parametrize("where", ["env:prod) or (env:dev", "user:alice (", "usr:alice"])
def test_conditions_that_close_brackets_of_ours_are_refused(story: Story, where: str) -> None:
    asked, search = Query(where=where), story.store.search
    story.ask("phi-3", "How do I reset my password?", trace__id="t")
    for ask in (
        lambda: compare(search, asked, "phi-3", "phi-4"),
        lambda: history(search, asked, "How do I reset my password?"),
        lambda: incident(search, asked, "trace", "t", MINUTE_MS),
    ):
        with pytest.raises(QueryError):
            ask()
