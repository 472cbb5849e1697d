"""Presidio's own engine over the same registry: what the fast engine has to equal, and the bench beside it."""

from __future__ import annotations

from presidio_analyzer import AnalyzerEngine

from slmtrail.core.secrets.catalogue import RULES, VERSION
from slmtrail.core.secrets.matcher import SecretMatcher
from slmtrail.stream.redact.allow import AllowList
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.options import RedactOptions
from slmtrail.stream.redact.presidio import TokenNlpEngine, build_registry, split_types


class ReferenceAnalyzer:
    """Vanilla Presidio without a model. It may raise, and may take very long."""

    def __init__(self, options: RedactOptions) -> None:
        self._options = options
        registry = build_registry(options)
        self._types, secret_types = split_types(options, registry)
        self.engine = AnalyzerEngine(
            registry=registry,
            nlp_engine=TokenNlpEngine(options.languages),
            supported_languages=list(options.languages),
            default_score_threshold=options.threshold,
        )
        rules = [rule for rule in RULES if secret_types is None or rule.type in secret_types]
        self._secrets = SecretMatcher(rules if options.secrets else [])
        self._allow = AllowList(options)
        self.secret_types = frozenset(rule.type for rule in RULES)

    finds_names = False

    def prepare(self, texts: list[str]) -> None:
        """Nothing to prepare."""

    def find(self, text: str) -> list[Finding]:
        """The findings in a text, all languages together."""
        secrets = [
            Finding(s.rule.type, s.start, s.end, s.score, s.rule.name, VERSION) for s in self._secrets.find(text)
        ]
        return [*self.find_personal(text), *self._allow.without_allowed(text, secrets)]

    def find_personal(self, text: str) -> list[Finding]:
        """What Presidio finds."""
        found: dict[tuple[str, int, int], Finding] = {}
        for language in self._options.languages if self._types is None or self._types else ():
            for result in self.engine.analyze(
                text,
                language,
                entities=self._types,
                allow_list=self._options.allow_list,
                allow_list_match=self._options.allow_list_match,
                context=self._options.context,
                return_decision_process=True,
            ):
                if result.score < self._options.thresholds.get(result.entity_type, 0.0):
                    continue
                key = (result.entity_type, result.start, result.end)
                if key not in found or found[key].score < result.score:
                    explanation = result.analysis_explanation
                    found[key] = Finding(
                        *key,
                        result.score,
                        f"{explanation.recognizer}/{explanation.pattern_name or 'code'}",
                        "presidio",
                        explanation.supportive_context_word or "",
                    )
        return list(found.values())
