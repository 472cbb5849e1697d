"""Keys of monitoring and analytics."""

from __future__ import annotations

from slmtrail.core.secrets.rules.rule import prefixed

RULES = (
    prefixed(
        "grafana-token",
        "GRAFANA_TOKEN",
        "glsa_|glc_",
        r"[A-Za-z0-9_+/=]{32,400}",
        "glsa_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ012345_0123abcd",
    ),
    prefixed("newrelic-key", "NEWRELIC_KEY", "NRAK-", r"[A-Z0-9]{27}\b", "NRAK-¦ABCDEFGHIJKLMNOPQRSTUVWXYZ0"),
    prefixed(
        "sentry-token",
        "SENTRY_TOKEN",
        "sntrys_|sntryu_",
        r"[A-Za-z0-9_+/=]{40,400}",
        "sntryu_¦" + "0123456789abcdef" * 4,
    ),
    prefixed("posthog-key", "POSTHOG_KEY", "phx_", r"[A-Za-z0-9]{40,60}\b", "phx_¦" + "aB3dE5fG7h" * 4 + "123"),
    prefixed(
        "dynatrace-token",
        "DYNATRACE_TOKEN",
        "dt0c01.|dt0s01.|dt0s02.",
        r"[A-Z2-7]{24}\.[A-Z2-7]{64}\b",
        "dt0c01.¦" + "ABCDEFGH" * 3 + "." + "ABCDEFG2" * 8,
    ),
)
