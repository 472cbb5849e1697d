"""The settings of redaction, as the settings file holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from slmtrail.core.fields import FIELDS, STREAM_OWNED

Action = Literal["replace", "hash", "mask", "drop", "keep"]
Score = Annotated[float, Field(ge=0, le=1)]

HASHABLE = frozenset({"keyword", "keywords", "text", "ip", "json", "messages", "labels"})


class NerOptions(BaseModel):
    """A model of the user's own that finds names and places."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["spacy", "stanza", "transformers", "gliner"] = "spacy"
    models: Annotated[dict[str, str], Field(min_length=1)]
    """Language code -> the model's name or folder."""
    labels: dict[str, str] = {}
    """The model's label -> our type; what is not named here follows Presidio's own table."""
    threshold: Score = 0.5
    batch_size: Annotated[int, Field(ge=1)] = 16


class RedactOptions(BaseModel):
    """What is looked for, from which score on, and what is put in its place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    languages: Annotated[list[str], Field(min_length=1)] = ["en"]
    countries: list[str] | None = None
    """Country codes whose recognisers are loaded; none named means all that the registry enables."""
    types: list[str] | None = None
    """The types looked for; none named means every type the registry and the secret rules know."""
    threshold: Score = 0.4
    thresholds: dict[str, Score] = {"DATE_TIME": 0.9}
    """By type, where it differs: a date is personal where a word beside it says so (birthday, date)."""
    registry: Path | None = None
    """A recogniser registry in Presidio's YAML form, in the place of Presidio's default one."""
    recognizers: list[dict[str, Any]] = []
    """Further pattern recognisers, each in the form of Presidio's `PatternRecognizer.from_dict`."""
    allow_list: list[str] = []
    allow_list_match: Literal["exact", "regex"] = "exact"
    context: list[str] = []
    """Words that count as standing beside every finding."""
    secrets: bool = True
    operator: Action = "replace"
    operators: dict[str, Action] = {"UUID": "keep"}
    """By type, where it differs; `SECRET` stands for every secret that is not named itself."""
    fields: dict[str, Literal["replace", "hash", "pseudonym", "drop", "keep"]] = {}
    """By field name, where it differs from the field table."""
    ner: NerOptions | None = None
    deadline_ms: Annotated[int, Field(ge=10)] = 2_000
    """CPU time one text may take before it is withheld whole."""

    @field_validator("languages")
    @classmethod
    def _languages_are_codes(cls, languages: list[str]) -> list[str]:
        for code in languages:
            if not (2 <= len(code) <= 3 and code.isascii() and code.islower()):
                raise ValueError(f"{code!r} is not a language code: write two or three small letters, such as 'en'")
        return list(dict.fromkeys(languages))

    @model_validator(mode="after")
    def _fields_can_be_treated_so(self) -> RedactOptions:
        for name, treatment in self.fields.items():
            field = FIELDS.get(name)
            if field is None:
                raise ValueError(f"fields: there is no field {name!r}")
            if name in STREAM_OWNED and treatment != "keep":
                raise ValueError(f"fields: {name!r} is made by the stream itself and is always kept")
            if treatment in ("hash", "pseudonym", "replace") and field.type not in HASHABLE:
                raise ValueError(f"fields: {name!r} is of type {field.type}: it can be dropped or kept only")
        return self

    def threshold_of(self, type_: str) -> float:
        """The score from which on a finding of this type counts."""
        return self.thresholds.get(type_, self.threshold)
