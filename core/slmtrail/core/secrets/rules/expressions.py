"""Pieces of patterns that rules have in common."""

from __future__ import annotations

import re


def any_case(words: str) -> str:
    """An expression for `words` in small or capital letters, which flags halfway would not leave the gate to read."""
    return re.sub("[a-z]", lambda letter: f"[{letter[0].upper()}{letter[0]}]", words)


URL_SAFE = r"[A-Za-z0-9_\-]"
# Between a name and its value; quotes may be escaped, as they are in code that holds code.
_QUOTE = r"(?:\\{0,3}[\"'`])?"
ASSIGNED = (
    _QUOTE
    + r"(?:\s{0,3}:\s{0,3}[A-Za-z][\w.<>\[\]?]{0,40}\s{1,3}=\s{0,3}(?=[\"'`])|"
    + r"\s{0,3}(?::=|=>|:|=)\s{0,3}(?:[|>][+\-]?\s{1,20})?)"
    + _QUOTE
)
# An ampersand ends it where the next parameter of an address follows.
VALUE = r"(?P<secret>(?:[^\s\"'`,;&<>\\]|&(?![\w.\-\[\]]{1,40}=)|\\[^\s\"'`]){6,256})"
KEY_WORDS = (
    r"(?:[Pp]ass(?:word|wd|phrase|code)|PASS(?:WORD|WD|PHRASE|CODE)|[Pp]wd|PWD|(?<![A-Za-z])(?:[Pp]ass|PASS)|"
    r"(?<![A-Za-z])(?:[Pp]w|PW|[Pp]sk|PSK)|[Ss]ecret(?:[_\-]?[Kk]ey(?:_base)?)?|SECRET(?:[_\-]?KEY(?:_BASE)?)?|[Aa]pi[_\-]?[Kk]ey|API[_\-]?(?:KEY|[Kk]ey)|[Aa]ccess[_\-]?[Kk]ey|ACCESS[_\-]?KEY|[Tt]oken|TOKEN|"
    r"[Pp]rivate[_\-]?[Kk]ey|PRIVATE[_\-]?KEY|[Cc]redential|CREDENTIAL|"
    r"[Pp]asswort|[Kk]ennwort|[Mm]ot de passe|[Cc]ontrase\u00f1a|[Ss]enha|[Ww]achtwoord|[Hh]as\u0142o|[Pp]arola)"
)
# Which of several: DB_PASSWORD_PROD, token2, SECRET_KEY_OLD.
WHICH = (
    r"(?:[0-9]{1,2}|[_\-.](?:[0-9]{1,2}|"
    + any_case(
        "prod|production|dev|development|staging|stage|test|live|sandbox|qa|uat|old|new|current|previous|primary"
    )
    + "|"
    + any_case("secondary|replica|backup|main|master|root|admin|ro|rw|readonly")
    + r")){0,2}"
)
KEY_ANCHORS = (
    *(
        "pass",
        "pw",
        "psk",
        "secret",
        "api",
        "access",
        "token",
        "private",
        "credential",
        "kennwort",
        "contrase\u00f1a",
        "senha",
    ),
    *("wachtwoord", "has\u0142o", "parola"),
)
