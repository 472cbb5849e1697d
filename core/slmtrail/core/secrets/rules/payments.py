"""Keys of payment, shops and orders."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import URL_SAFE
from slmtrail.core.secrets.rules.rule import prefixed

RULES = (
    prefixed(
        "stripe-key",
        "STRIPE_KEY",
        "sk_live_|sk_test_|rk_live_|rk_test_|whsec_",
        r"[A-Za-z0-9]{16,247}\b",
        "sk_live_¦aBcDeFgHiJkLmNoPqRsTuVwX",
        "whsec_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ012345",
        counter=("sk_test_key", "pk_live_aBcDeFgHiJkLmNoPqRsTuVwX"),
    ),
    prefixed(
        "shopify-token",
        "SHOPIFY_TOKEN",
        "shpat_|shpca_|shppa_|shpss_",
        r"[0-9a-fA-F]{32}\b",
        "shpat_¦0123456789abcdef0123456789abcdef",
    ),
    prefixed("square-token", "SQUARE_TOKEN", "sq0atp-|sq0csp-", URL_SAFE + "{22,43}", "sq0atp-¦aB3dE5fG7haB3dE5fG7h12"),
    prefixed(
        "square-access-token",
        "SQUARE_TOKEN",
        "EAAA",
        URL_SAFE + r"{60}(?![A-Za-z0-9_\-])",
        "EAAA¦" + "aB3dE5fG7h" * 6,
        check="random",
    ),
    prefixed(
        "duffel-token",
        "DUFFEL_TOKEN",
        "duffel_live_|duffel_test_",
        URL_SAFE + "{43}",
        "duffel_live_¦" + "aB3dE5fG7h" * 4 + "123",
    ),
    prefixed("easypost-key", "EASYPOST_KEY", "EZAK|EZTK", r"[A-Za-z0-9]{54}\b", "EZAK¦" + "aB3dE5fG7h" * 5 + "1234"),
    prefixed(
        "flutterwave-key",
        "FLUTTERWAVE_KEY",
        "FLWSECK-|FLWSECK_TEST-",
        r"[0-9a-zA-Z]{32}-X\b",
        "FLWSECK-¦" + "0123456789abcdef" * 2 + "-X",
    ),
)
