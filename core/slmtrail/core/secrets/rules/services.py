"""Keys of services of any other kind."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import URL_SAFE
from slmtrail.core.secrets.rules.rule import Rule, prefixed

RULES = (
    prefixed("linear-key", "LINEAR_KEY", "lin_api_", r"[A-Za-z0-9]{40}\b", "lin_api_¦" + "aB3dE5fG7h" * 4),
    prefixed(
        "notion-token", "NOTION_TOKEN", "ntn_", r"[A-Za-z0-9]{40,60}\b", "ntn_¦" + "1234567890" + "aB3dE5fG7h" * 4
    ),
    prefixed(
        "age-key", "AGE_KEY", "AGE-SECRET-KEY-1", r"[A-Z0-9]{58}\b", "AGE-SECRET-KEY-¦1" + "QPZRY9X8GF" * 5 + "2TVDW0S3"
    ),
    prefixed(
        "atlassian-token",
        "ATLASSIAN_TOKEN",
        "ATATT3xFfGF0|ATCTT3xFfGN0",
        URL_SAFE + "{60,250}(?:=[0-9A-F]{8})?",
        "ATATT3xFfGF0¦" + "aB3dE5fG7h" * 17 + "=0A1B2C3D",
    ),
    prefixed("figma-token", "FIGMA_TOKEN", "figd_", URL_SAFE + "{36,60}", "figd_¦" + "aB3dE5fG7h" * 4),
    prefixed(
        "postman-key",
        "POSTMAN_KEY",
        "PMAK-",
        r"[0-9a-f]{24}-[0-9a-f]{34}\b",
        "PMAK-¦" + "0123456789ab" * 2 + "-" + "01234567890abcdef" * 2,
    ),
    prefixed(
        "airtable-token",
        "AIRTABLE_TOKEN",
        "pat",
        r"[A-Za-z0-9]{14}\.[0-9a-f]{64}\b",
        "pat¦aB3dE5fG7h1234." + "0123456789abcdef" * 4,
        gate=r"pat[A-Za-z0-9]{14}\.",
    ),
    prefixed(
        "notion-secret",
        "NOTION_TOKEN",
        "secret_",
        r"[A-Za-z0-9]{43}\b",
        "secret_¦" + "aB3dE5fG7h" * 4 + "123",
        check="random",
    ),
    prefixed(
        "onepassword-token", "ONEPASSWORD_TOKEN", "ops_ey", URL_SAFE + "{100,4000}", "ops_ey¦" + "aB3dE5fG7h" * 12
    ),
    prefixed(
        "mapbox-token",
        "MAPBOX_TOKEN",
        "sk.eyJ|tk.eyJ",
        r"[A-Za-z0-9_\-]{40,200}\.[A-Za-z0-9_\-]{20,40}",
        "sk.eyJ¦" + "aB3dE5fG7h" * 8 + ".aB3dE5fG7haB3dE5fG7h12",
    ),
    prefixed(
        "hubspot-token",
        "HUBSPOT_TOKEN",
        "pat-na1-|pat-eu1-|pat-ap1-|pat-na2-|pat-eu2-",
        "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "pat-na1-¦01234567-89ab-cdef-0123-456789abcdef",
    ),
    Rule(
        "asana-token",
        "ASANA_TOKEN",
        r"(?<![\w/])(?P<secret>[12]/[0-9]{13,20}(?:/[0-9]{13,20})?:[0-9a-f]{32})\b",
        ("1/", "2/"),
        ("asana 1/1234567890123456:¦0123456789abcdef0123456789abcdef",),
        ("page 1/12:30",),
        gate=r"[12]/[0-9]{13,20}[:/]",
    ),
    prefixed(
        "typeform-token", "TYPEFORM_TOKEN", "tfp_", URL_SAFE + "{44,60}", "tfp_¦" + "aB3dE5fG7h" * 5, check="random"
    ),
    prefixed(
        "dropbox-token",
        "DROPBOX_TOKEN",
        "sl.",
        URL_SAFE + "{130,1500}",
        "sl.¦" + "aB3dE5fG7h" * 14,
        check="random",
        gate=r"sl\.[A-Za-z0-9_\-]{130}",
    ),
    prefixed(
        "adafruit-key",
        "ADAFRUIT_KEY",
        "aio_",
        r"[A-Za-z0-9]{28}\b",
        "aio_¦aB3dE5fG7haB3dE5fG7haB3dE5fG",
        check="random",
    ),
    prefixed("readme-key", "README_KEY", "rdme_", r"[a-z0-9]{70}\b", "rdme_¦" + "a3d5f7h9k2" * 7),
    prefixed("contentful-token", "CONTENTFUL_TOKEN", "CFPAT-", URL_SAFE + "{43}", "CFPAT-¦" + "aB3dE5fG7h" * 4 + "123"),
)
