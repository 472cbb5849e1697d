"""Presidio as the source of recognisers: its registry built from our settings, offline and without a model.

Importing this module imports spaCy (through Presidio): a second and 100 MB. Only an analyser does so.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

import spacy
import tldextract
import tldextract.tldextract as tldextract_module
from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from presidio_analyzer.predefined_recognizers import SpacyRecognizer
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

from slmtrail.core.errors import SettingsError
from slmtrail.core.secrets.catalogue import RULES
from slmtrail.stream.redact.options import RedactOptions

# Presidio logs texts that fail validation, and we log no content.
logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)

# The module-level extractor would fetch the public suffix list from the network at the first e-mail address.
_offline = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())
tldextract_module.TLD_EXTRACTOR = _offline
setattr(tldextract, "extract", _offline.__call__)  # noqa: B010


class TokenNlpEngine(NlpEngine):
    """An engine without a model: spaCy's tokens, each its own lemma, and no entities.

    It is what keeps Presidio's context words alive: they compare lemmas, which a blank pipeline leaves empty.
    """

    engine_name = "tokens"
    is_available = True

    def __init__(self, languages: list[str]) -> None:
        self._pipelines = {language: blank_pipeline(language) for language in languages}

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The tokens of a text."""
        tokens = self._pipelines[language].make_doc(text)
        return NlpArtifacts(
            entities=[],
            tokens=tokens,
            tokens_indices=[token.idx for token in tokens],
            lemmas=[token.text for token in tokens],
            nlp_engine=self,
            language=language,
            scores=[],
        )

    def process_batch(
        self,
        texts: Any,
        language: str,
        batch_size: int = 1,  # noqa: ARG002
        n_process: int = 1,  # noqa: ARG002
        **_: Any,
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """The tokens of each text."""
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        """Whether the language counts it as one."""
        return bool(self._pipelines[language].vocab[word].is_stop)

    def is_punct(self, word: str, language: str) -> bool:
        """Whether it is punctuation."""
        return bool(self._pipelines[language].vocab[word].is_punct)

    def get_supported_entities(self) -> list[str]:
        """None: it has no model."""
        return []

    def get_supported_languages(self) -> list[str]:
        """The languages it was made for."""
        return list(self._pipelines)


def blank_pipeline(language: str) -> Any:
    """spaCy's tokeniser for a language; the language-neutral one where spaCy has none or lacks its parts."""
    try:
        return spacy.blank(language)
    except ImportError:
        return spacy.blank("xx")


def build_registry(options: RedactOptions) -> RecognizerRegistry:
    """The recognisers that the settings ask for. Raises SettingsError for what Presidio refuses."""
    source = str(options.registry) if options.registry else "Presidio's default registry"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recognizers = list(_registered(options)) + list(_ad_hoc(options))
    except SettingsError:
        raise
    except OSError as error:
        raise SettingsError(
            f"redact.registry: {source} can't be read: {error.strerror}; name a readable file"
        ) from None
    except Exception as error:
        raise SettingsError(f"redact: {source} or redact.recognizers can't be used: {error}") from error
    return RecognizerRegistry(recognizers=recognizers, supported_languages=list(options.languages))


def _registered(options: RedactOptions) -> Iterator[EntityRecognizer]:
    if options.registry:
        if not options.registry.is_file():
            raise SettingsError(f"redact.registry: there is no file {options.registry}; name a Presidio registry YAML")
        provider = RecognizerRegistryProvider(conf_file=options.registry)
        missing = sorted(set(options.languages) - set(provider.configuration["supported_languages"]))
        if missing:
            raise SettingsError(
                f"redact.languages: {', '.join(missing)} is not among the `supported_languages` of {options.registry}"
            )
        registry = provider.create_recognizer_registry()
    else:
        registry = RecognizerRegistry(supported_languages=list(options.languages))
        registry.load_predefined_recognizers(languages=list(options.languages), countries=options.countries)
    for recognizer in registry.recognizers:
        if recognizer.supported_language in options.languages and not isinstance(recognizer, SpacyRecognizer):
            yield recognizer


def _ad_hoc(options: RedactOptions) -> Iterator[EntityRecognizer]:
    for number, given in enumerate(options.recognizers):
        try:
            for language in [given["supported_language"]] if "supported_language" in given else options.languages:
                yield PatternRecognizer.from_dict({**given, "supported_language": language})
        except Exception as error:
            name = given.get("name", f"number {number + 1}")
            raise SettingsError(f"redact.recognizers: {name} can't be used: {error}") from error


def split_types(options: RedactOptions, registry: RecognizerRegistry) -> tuple[list[str] | None, frozenset[str] | None]:
    """The types the settings name, as Presidio's and those of secret rules; None where they name none."""
    if options.types is None:
        return None, None
    known = {type_ for recognizer in registry.recognizers for type_ in recognizer.supported_entities}
    secret = {rule.type for rule in RULES} if options.secrets else set()
    unknown = sorted(set(options.types) - known - secret)
    if unknown:
        raise SettingsError(
            f"redact.types: nothing here finds {', '.join(unknown)}; known are {', '.join(sorted(known | secret))}"
        )
    return [type_ for type_ in options.types if type_ in known], frozenset(options.types) & secret
