"""Whether an e-mail address ends in a public domain: tldextract's answer, remembered by domain."""

from __future__ import annotations

import re
from functools import lru_cache

import tldextract

# An address whose domain is plainly what follows the at sign. In any other, tldextract may look elsewhere.
_PLAIN = re.compile(r"[\w.+\-]+@([\w.\-]+)")


def has_public_domain(address: str) -> bool:
    """What `EmailRecognizer.validate_result` says."""
    plain = _PLAIN.fullmatch(address)
    return _domain_is_public(plain.group(1)) if plain else bool(tldextract.extract(address).fqdn)


@lru_cache(maxsize=8192)
def _domain_is_public(domain: str) -> bool:
    return bool(tldextract.extract(f"a@{domain}").fqdn)
