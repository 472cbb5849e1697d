"""Passwords and codes that are said in a sentence."""

from __future__ import annotations

from slmtrail.core.secrets.rules.rule import Rule

RULES = (
    Rule(
        "said-password",
        "ASSIGNED_SECRET",
        # Nothing but a space between them: only what has letters and digits is taken for one.
        r"(?<![A-Za-z])(?:[Pp]ass(?:word|phrase|wort)|[Kk]ennwort|[Mm]ot de passe|[Cc]ontrase\u00f1a|[Ss]enha|"
        r"[Ww]achtwoord)\s{1,2}"
        r"(?!(?i:sha|md|base|oauth|utf|argon|pbkdf|v[0-9]|level|step|mfa|2fa)[\-_0-9]?[0-9a-z]{0,6}\b)"
        r"(?=[^\s]{0,30}[0-9])(?=[^\s]{0,30}[A-Za-z])[\"'`]?(?P<secret>[^\s\"'`<>(){},;]{6,64})",
        ("pass", "kennwort", "contrase\u00f1a", "senha", "wachtwoord"),
        ("user bob, password ¦Hunter22!", "Benutzer bob Passwort ¦Sommer2024!"),
        ("password sha256 hashing", "password reset in 2024", "the password $PW2 is set", "password base64 encoded"),
        check="assigned",
        score=0.6,
    ),
    Rule(
        "spoken-password",
        "ASSIGNED_SECRET",
        r"(?<![A-Za-z])(?:[Pp]ass(?:word|phrase|code|wort)|[Pp]w|[Kk]ennwort|[Mm]ot de passe|[Cc]ontrase\u00f1a|"
        r"[Ss]enha|[Ww]achtwoord|[Pp]arola)"
        r"\s{1,3}(?:(?:is|was|ist|lautet|es|est|\u00e8|\u00e9)\s{0,3}:?\s{1,3}|[\-\u2013\u2014]\s{1,3})"
        r"[\"'`\u201c\u201e\u00ab]?(?P<secret>[^\s\"'`\u201c\u201d\u00bb]{4,128})",
        (
            "pass",
            "pw",
            "kennwort",
            "contrase\u00f1a",
            "senha",
            "wachtwoord",
            "parola",
            "\u043f\u0430\u0440\u043e\u043b\u044c",
        ),
        (
            "my password is ¦hunter2",
            "the passphrase was '¦Correct-Horse-7'",
            "the password is: ¦hunter2",
            "Mein Passwort ist ¦Sommer2024!",
            "mon mot de passe est ¦azerty123",
            "la password \u00e8 ¦pippo123",
        ),
        ("the password is wrong", "password is required", "passport is", "the password - as always - is wrong"),
        check="assigned",
        score=0.6,
    ),
    Rule(
        "spoken-code",
        "ASSIGNED_SECRET",
        r"\b(?:PIN(?: code)?|[Pp]in code|OTP|[Pp]asscode|[Oo]ne[- ]time (?:code|password)|"
        r"[Vv]erification code|2FA code)"
        r"(?:\s{0,3}[:=]\s{0,3}|\s{1,3}(?:is|was|ist|est|es)\s{0,3}:?\s{1,3})(?P<secret>[0-9]{4,8})\b",
        ("pin", "otp", "passcode", "one-time", "one time", "verification code", "2fa code"),
        ("my PIN is ¦4821", "passcode: ¦483920", "Your verification code is ¦391827"),
        ("GPIO PIN: 21", "PIN is required", "OTP is 30 seconds"),
        score=0.6,
    ),
)
