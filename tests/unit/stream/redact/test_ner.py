"""Names by a model: the real loading code, with a tiny spaCy model made here."""

from __future__ import annotations

import json

import pytest
import spacy

from slmtrail.core.errors import SettingsError
from slmtrail.stream.redact.engine import Engine
from slmtrail.stream.redact.options import NerOptions, RedactOptions
from slmtrail.stream.redact.redactor import Redactor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline that knows one person and one place."""
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [{"label": "PERSON", "pattern": "Ada Lovelace"}, {"label": "GPE", "pattern": "Lisbon"}]
    )
    folder = tmp_path_factory.mktemp("model") / "tiny"
    pipeline.to_disk(folder)
    return str(folder)


@pytest.fixture(scope="module")
def named(model: str) -> Redactor:
    return Redactor(RedactOptions(ner=NerOptions(models={"en": model})), b"k" * 32)


def test_names_and_places_go(named: Redactor) -> None:
    redacted, findings = named.redact(
        {
            "message": "Ada Lovelace wrote from Lisbon, says ada@example.com",
            "slm.attributes": json.dumps({"author": "Ada Lovelace", "n": 12}),
        }
    )
    assert redacted["message"] == "<PERSON_1> wrote from <LOCATION_1>, says <EMAIL_1>"
    assert json.loads(redacted["slm.attributes"]) == {"author": "<PERSON_1>", "n": 12}
    assert {"PERSON", "LOCATION", "EMAIL_ADDRESS"} <= {found["type"] for found in findings}
    assert named.finds_names


def test_the_same_as_presidio_with_that_model(model: str, named: Redactor) -> None:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    from slmtrail.stream.redact.presidio import build_registry

    nlp = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    ).create_engine()
    registry = build_registry(RedactOptions())
    registry.add_nlp_recognizer(nlp)
    vanilla = AnalyzerEngine(registry=registry, nlp_engine=nlp, default_score_threshold=0.4)
    for text in (
        "Ada Lovelace, phone number 212-555-0199",
        "Lisbon 4111 1111 1111 1111",
        "12345 67",
        "my mail is a@example.com",
    ):
        wanted = {(r.entity_type, r.start, r.end, r.score) for r in vanilla.analyze(text, "en")}
        found = {(f.type, f.start, f.end, f.score) for f in named.analyzer.find(text)}
        assert found == {one for one in wanted if one[0] != "DATE_TIME" or one[3] >= 0.9}


def test_without_a_model_names_stay_and_it_says_so(engine: Engine) -> None:
    assert not engine.finds_names
    assert engine.find("Ada Lovelace wrote from Lisbon") == []


@pytest.mark.parametrize(
    ("ner", "advice"),
    [
        ({"models": {"en": "en_no_such"}}, "python -m spacy download en_no_such"),
        ({"engine": "stanza", "models": {"en": "en"}}, r"pip install 'presidio-analyzer\[stanza\]'"),
        ({"engine": "gliner", "models": {"en": "x"}}, r"pip install 'presidio-analyzer\[gliner\]'"),
        ({"engine": "transformers", "models": {"en": "x"}}, r"pip install 'presidio-analyzer\[transformers\]'"),
        ({"models": {"de": "de"}}, "add one for each language"),
    ],
)
def test_a_model_that_is_not_there_is_told_with_the_remedy(ner: dict, advice: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(SettingsError, match=advice):
        Engine(RedactOptions(ner=NerOptions(**ner)))
