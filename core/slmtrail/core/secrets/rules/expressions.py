"""Pieces of patterns that rules have in common."""

# ruff: noqa: E501

from __future__ import annotations

import re


def any_case(words: str) -> str:
    """An expression for `words` in small or capital letters, which flags halfway would not leave the gate to read."""
    return re.sub("[a-z]", lambda letter: f"[{letter[0].upper()}{letter[0]}]", words)


URL_SAFE = r"[A-Za-z0-9_\-]"
# Between a name and its value; quotes may be escaped, as they are in code that holds code.
_QUOTE = r"(?:\\{0,3}[\"'`])?"
ASSIGNS = (
    _QUOTE
    + r"(?:\s{0,3}:\s{0,3}[A-Za-z][\w.<>\[\]?]{0,40}\s{1,3}=\s{0,3}(?=[\"'`])|"
    + r"(?:\s{0,3}|[ \t]{4,24})(?::\s{1,3}&[\w\-]{1,40}\s{1,3}|(?::=|=>|:|=)(?:\s{0,3}|[ \t]{4,24})(?:[|>][+\-]?\s{1,20})?))"
)
ASSIGNED = ASSIGNS + _QUOTE
# An ampersand ends it where the next parameter of an address follows.
VALUE = r"(?P<secret>(?:[^\s\"'`,;&<>\\]|&(?![\w.\-\[\]]{1,40}=)|\\[^\s\"'`]){6,256})"
KEY_WORDS = (
    r"(?:[Pp]ass(?:[Ww]ord|wd|phrase|code|[Kk]ey)|PASS(?:WORD|WD|PHRASE|CODE|KEY)|[Pp]wd|PWD|(?<![A-Za-z])(?:[Pp]ass|PASS(?!: ))|"
    r"(?<=[a-z])Pass(?![a-z])|(?:(?<=db)|(?<=ftp)|(?<=root)|(?<=user)|(?<=admin)|(?<=smtp)|(?<=ldap)|(?<=bind)|(?<=ssh)|(?<=SSH))(?:pass|pw|PASS)(?![A-Za-z])|[Pp]swd?(?![A-Za-z])|"
    r"(?<![A-Za-z])(?:[Pp]w|PW|[Pp]sk|PSK)|[Ss]ecret(?:[_\-]?[Kk]ey(?:_base)?)?|SECRET(?:[_\-]?KEY(?:_BASE)?)?|[Aa]pi[_\- ]?[Kk]ey|API[_\- ]?(?:KEY|[Kk]ey)|[Aa]ccess[_\-]?[Kk]ey|ACCESS[_\-]?KEY|[Tt]oken|TOKEN|"
    r"[Pp]rivate[_\-]?[Kk]ey|PRIVATE[_\-]?KEY|[Pp]re[_\-]?[Ss]hared[_\-]?[Kk]ey|[Cc]redential|CREDENTIAL|"
    r"[Pp]asswort|[Kk]ennwort|[Mm]ot[ _]de[ _]passe|motDePasse|(?<![A-Za-z])(?:[Mm]dp|[Cc]lave)|[Cc]ontrase[n\u00f1]a|[Ss]enha|[Ww]achtwoord|"
    r"(?<![A-Za-z])(?:[Hh]as[l\u0142]o|[Hh]eslo|[Gg]eslo|[Pp]arola)|[Ll][o\u00f6]senord|[Aa]dgangskode|[Pp]assord|[Ss]alasana|[Jj]elsz[o\u00f3]|[Ll]ozinka|[Kk]ata sandi)"
)
# Which of several: DB_PASSWORD_PROD, token2, SECRET_KEY_OLD.
WHICH = (
    r"(?:[Vv]alue|[Ss]tring|[Tt]ext|[Bb]inary|[Cc]onfirmation|[0-9]{1,2}|[_\-.](?:[0-9]{1,2}|plain(?:text)?|value|string|text|confirm(?:ation)?|"
    + any_case(
        "prod|production|dev|development|staging|stage|test|live|sandbox|qa|uat|old|new|current|previous|primary"
    )
    + "|"
    + any_case("secondary|replica|backup|main|master|root|admin|ro|rw|readonly")
    + r")){0,2}"
)
KEY_ANCHORS = (
    *("pass", "pw", "psk", "psw", "secret", "token", "credential"),
    *(f"{kind}{mark}key" for kind in ("api", "access", "private", "shared") for mark in ("", "_", "-", " ")),
    *("kennwort", "mot de passe", "mot_de", "motde", "mdp", "clave", "contrasena", "contrase\u00f1a", "senha"),
    *("wachtwoord", "haslo", "has\u0142o", "heslo", "geslo", "parola", "losenord", "l\u00f6senord", "adgangskode"),
    *("salasana", "jelszo", "jelsz\u00f3", "lozinka", "kata sandi"),
)
# What every match with a name in it has, in little: for gates.
ANY_KEY = rf"(?:{'|'.join(KEY_ANCHORS)})"
KEY_GATE = rf"(?i){ANY_KEY}"
