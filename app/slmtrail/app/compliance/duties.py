"""What laws and standards ask of logging, and which facts of a trail answer to it. docs/compliance.md explains each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty by its name in docs/compliance.md. facts: names of `facts.FACTS`; rules: ids of the rules about it."""

    name: str
    facts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


DUTIES = (
    Duty("EU AI Act, Art. 12", ("records", "models", "policies", "lost", "proved")),
    Duty("EU AI Act, Art. 19, Art. 26(6)", ("oldest", "kept", "held", "deleted", "proved")),
    Duty("EU AI Act, Art. 26(5)", ("judged", "alerts", "settled")),
    Duty("HIPAA, 45 CFR 164.312(b)", ("records", "redacted", "readers", "proved")),
    Duty("SOC 2, CC7.2", ("judged", "alerts", "settled")),
    Duty("ISO/IEC 42001, A.6.2.8", ("records", "configured", "models")),
    Duty("NIST SP 800-53, AU-2, AU-3, AU-12", ("records", "collectors")),
    Duty("AU-5", ("lost",), ("silent-collector", "trail-gap")),
    Duty("AU-6", ("alerts", "settled", "readers")),
    Duty("AU-8", ("collectors",), ("clock-jump", "late-events")),
    Duty("AU-9, AU-10", ("proved", "signed", "readers")),
    Duty("AU-11", ("oldest", "kept", "held", "deleted")),
    Duty("PCI DSS 4.0, 10.2, 10.3", ("records", "redacted", "proved")),
    Duty("PCI DSS 4.0, 10.4 to 10.7", ("alerts", "settled", "oldest", "kept", "lost")),
    Duty("GDPR, Art. 17", ("deleted", "held")),
    Duty("GDPR, Art. 30", ("models", "environments", "redacted")),
    Duty("LLM01", rules=("prompt-injection",)),
    Duty("LLM02", ("redacted",), ("personal-data-in-output", "credentials-in-prompt")),
    Duty("LLM03", ("models",), ("model-changed", "untrusted-model")),
    Duty("LLM04", rules=("drift",)),
    Duty("LLM05", rules=("unsafe-output", "exfiltration")),
    Duty("LLM06", rules=("outside-role", "agent-loop")),
    Duty("LLM07", rules=("system-prompt-leak",)),
    Duty("LLM08", ("records",)),
    Duty("LLM09", ("models",)),
    Duty("LLM10", rules=("token-burst", "model-extraction")),
)
