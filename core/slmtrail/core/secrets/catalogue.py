"""All the secret rules, and the version that they have together."""

from __future__ import annotations

from slmtrail.core.secrets.rules import (
    calls,
    clouds,
    code,
    commands,
    files,
    layout,
    messaging,
    models,
    monitoring,
    named,
    payments,
    private_keys,
    services,
    spoken,
    web,
)
from slmtrail.core.secrets.rules.rule import Rule

VERSION = "7"

_OF_ONE_ISSUER = (models, clouds, code, messaging, payments, monitoring, services)
_OF_ANY_ORIGIN = (private_keys, spoken, web, commands, files, layout, calls, named)

# The first rule that finds a value says what it is wherever it is repeated.
RULES: tuple[Rule, ...] = tuple(rule for group in (*_OF_ONE_ISSUER, *_OF_ANY_ORIGIN) for rule in group.RULES)
