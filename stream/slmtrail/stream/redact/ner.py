"""Names and places, by a model of the user's own: any NLP engine that Presidio supports."""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import spacy
from presidio_analyzer import RecognizerRegistry
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpEngineProvider

from slmtrail.core.errors import SettingsError
from slmtrail.stream.redact.options import NerOptions, RedactOptions
from slmtrail.stream.redact.presidio import blank_pipeline

# Without two letters in a row there is no name in a text, and no context word either.
_CANDIDATE = re.compile(r"[^\W\d_]{2}")
_ENHANCER = LemmaContextAwareEnhancer()
_PACKAGES = {"stanza": "stanza", "transformers": "transformers", "gliner": "gliner"}


class Names:
    """The model behind the setting `redact.ner`. Raises SettingsError where it is not installed."""

    def __init__(self, options: RedactOptions) -> None:
        if options.ner is None:
            raise SettingsError("redact.ner: no model is set")
        self._options = options.ner
        missing = sorted(set(options.languages) - set(options.ner.models))
        if missing:
            raise SettingsError(f"redact.ner.models: no model for {', '.join(missing)}; add one for each language")
        _require(options.ner)
        self._nlp = None if options.ner.engine == "gliner" else _engine(options.ner)
        self._artifacts: dict[tuple[str, str], Any] = {}

    @property
    def threshold(self) -> float:
        """The score from which on a name counts."""
        return self._options.threshold

    def recognizers(self, language: str) -> list[Any]:
        """The recognisers that give the model's entities."""
        if self._nlp is None:
            from presidio_analyzer.predefined_recognizers import GLiNERRecognizer

            labels = self._options.labels or None
            model = self._options.models[language]
            return [GLiNERRecognizer(entity_mapping=labels, model_name=model, supported_language=language)]
        kind = RecognizerRegistry.get_nlp_recognizer(self._nlp)
        return [kind(supported_language=language, supported_entities=self._nlp.get_supported_entities())]

    def prepare(self, texts: Iterable[str], language: str) -> None:
        """Runs the model on several texts at once; `artifacts` then has the answers for these."""
        if self._nlp is None:
            return
        candidates = [text for text in dict.fromkeys(texts) if self.is_candidate(text)]
        batches = self._nlp.process_batch(candidates, language, batch_size=self._options.batch_size)
        for text, artifacts in batches:
            self._artifacts[language, text] = artifacts

    @property
    def gives_words(self) -> bool:
        """Whether the model's own lemmas are the context words."""
        return self._nlp is not None

    def around(self, text: str, start: int, end: int, language: str) -> list[str]:
        """The words around a finding, as the model's lemmas."""
        artifacts = self.artifacts(text, language)
        if artifacts is None:
            return []
        words: list[str] = _ENHANCER._extract_surrounding_words(artifacts, text[start:end], start)
        return words

    def artifacts(self, text: str, language: str) -> Any:
        """What the model says of a text; None where the model is not asked."""
        if self._nlp is None or not self.is_candidate(text):
            return None
        key = (language, text)
        if key not in self._artifacts:
            self._artifacts[key] = self._nlp.process_text(text, language)
        return self._artifacts[key]

    def forget(self) -> None:
        """Drops what was worked out: the texts are done with."""
        self._artifacts.clear()

    @staticmethod
    def is_candidate(text: str) -> bool:
        """Whether there can be a name in a text."""
        return _CANDIDATE.search(text) is not None


def _require(options: NerOptions) -> None:
    package = _PACKAGES.get(options.engine)
    if package and importlib.util.find_spec(package) is None:
        raise SettingsError(
            f"redact.ner: {options.engine} is not installed; run: pip install 'presidio-analyzer[{options.engine}]'"
        )
    # A model that is not there is an error and no reason to go to the network.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if options.engine == "stanza":
        folder = Path(os.environ.get("STANZA_RESOURCES_DIR", Path.home() / "stanza_resources"))
        for language, name in options.models.items():
            if not (folder / name).is_dir():
                raise SettingsError(
                    f"redact.ner: the Stanza model {name!r} for {language} is not in {folder}; "
                    f"run: python -c \"import stanza; stanza.download('{name}')\""
                )
    if options.engine == "spacy":
        # Presidio would fetch a missing model from the network by itself.
        for name in options.models.values():
            if not (spacy.util.is_package(name) or Path(name).exists()):
                raise SettingsError(
                    f"redact.ner: the spaCy model {name!r} is not installed; run: python -m spacy download {name}"
                )


def _blank_folder(language: str) -> str:
    """A spaCy pipeline that only splits into words, on disk, where Presidio looks for one."""
    folder = Path(tempfile.gettempdir()) / f"slmtrail-blank-{language}-{os.getpid()}"
    blank_pipeline(language).to_disk(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(folder)


def _engine(options: NerOptions) -> Any:
    usual = NerModelConfiguration()
    mapping = {**(usual.model_to_presidio_entity_mapping or {}), **options.labels}
    models: list[dict[str, Any]] = []
    for language, name in options.models.items():
        model: Any = name
        if options.engine == "transformers":
            model = {"spacy": _blank_folder(language), "transformers": name}
        models.append({"lang_code": language, "model_name": model})
    configuration = {
        "nlp_engine_name": options.engine,
        "models": models,
        "ner_model_configuration": {"model_to_presidio_entity_mapping": mapping},
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return NlpEngineProvider(nlp_configuration=configuration).create_engine()
    except (Exception, SystemExit) as error:
        advice = f"; run: hf download {' '.join(options.models.values())}" if options.engine == "transformers" else ""
        raise SettingsError(f"redact.ner: the {options.engine} model can't be loaded: {error}{advice}") from None
