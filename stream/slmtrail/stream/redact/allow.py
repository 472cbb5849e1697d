"""Values that are no findings, because the settings say so."""

from __future__ import annotations

import regex  # type: ignore[import-untyped]

from slmtrail.core.errors import SettingsError
from slmtrail.stream.redact.finding import Finding
from slmtrail.stream.redact.options import RedactOptions


class AllowList:
    """Takes out findings whose text is allowed, as Presidio's allow list does."""

    def __init__(self, options: RedactOptions) -> None:
        terms = [term for term in options.allow_list if term]
        self._exact = frozenset(terms) if options.allow_list_match == "exact" else frozenset()
        self._timeout_s = options.deadline_ms / 1000
        self._pattern = None
        if options.allow_list_match == "regex" and terms:
            try:
                self._pattern = regex.compile("|".join(terms), regex.DOTALL | regex.MULTILINE | regex.IGNORECASE)
            except regex.error as error:
                raise SettingsError(f"redact.allow_list: not a regular expression: {error}") from None

    def without_allowed(self, text: str, findings: list[Finding]) -> list[Finding]:
        """The findings that are not allowed."""
        if not self._exact and self._pattern is None:
            return findings
        return [found for found in findings if not self._allows(text[found.start : found.end])]

    def _allows(self, value: str) -> bool:
        if self._pattern is None:
            return value in self._exact
        return self._pattern.search(value, timeout=self._timeout_s) is not None
