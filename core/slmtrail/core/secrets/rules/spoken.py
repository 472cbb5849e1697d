"""Passwords and codes that are said in a sentence."""

# ruff: noqa: E501

from __future__ import annotations

from slmtrail.core.secrets.rules.rule import Rule

_WORD = r"(?P<secret>(?=[^\s]{0,64}[0-9])[^\s\"'`\u201c\u201d\u00ab\u00bb<>,;(){}\[\]]{6,256}?)(?=[.,;:?)\]}]?(?:[\s\"'`\u201d\u00bb<,;)]|\Z))"
_OPEN = r"[\"'`(\u201c\u201e\u00ab*]{0,3}"
_NOUN = (
    r"(?<![A-Za-z])(?:[Pp]ass(?:word|phrase|code|wort|wd|ord)?|[Pp]wd?|[Kk]ennwort|[Mm]ot de passe|[Mm]dp|[Cc]ontrase\u00f1a|[Cc]lave|[Ss]enha|"
    r"[Ww]achtwoord|[Pp]arola|[Hh]as\u0142o|[Ll]\u00f6senord|[Aa]dgangskode|[Ss]alasana(?:ni)?|[Jj]elsz[\u00f3a]\w{0,3}|[Hh]eslo|[Gg]eslo|[Ll]ozinka|"
    r"[Kk]ata sandi(?:nya)?|[Nn]eno la siri|[Cc]redentials?|[Cc]reds)"
)
_KEY_NOUN = (
    r"(?<![A-Za-z])(?:[Tt]oken|[Ss]ecret|[Aa][Pp][Ii][ _\-]?[Kk]ey|[Aa]ccess[ _\-]?[Kk]ey|[Ss]ecret[ _\-]?[Kk]ey|"
    r"[Pp]rivate[ _\-]?[Kk]ey|(?:[Mm]y|[Oo]ur|[Yy]our|[Tt]he)(?: [A-Za-z\-]{2,20})? [Kk]ey|[Ww]i-?[Ff]i [Kk]ey|(?:recovery|backup|access|door|safe|alarm|gate) code)"
)

_CODE_NOUN = (
    r"(?:[Vv]erification|[Ss]ecurity|[Cc]onfirmation|[Aa]uthentication|[Ll]og-?in|[Ss]ign-?in|[Aa]ccess|[Uu]nlock|[Dd]oor|[Gg]ate|[Aa]larm|[Ss]afe|[Ll]ock|"
    r"SMS|2FA|MFA|[Oo]ne[- ]time|[Rr]eset) code|(?:Sicherheits|Best\u00e4tigungs|Zugangs|T\u00fcr|Freigabe)code|"
    r"[Cc]ode (?:de (?:v\u00e9rification|s\u00e9curit\u00e9|connexion|confirmation)|d'acc\u00e8s)|"
    r"[Cc]\u00f3digo de (?:verificaci\u00f3n|seguridad|acceso|verifica\u00e7\u00e3o|seguran\u00e7a|acesso)|[Cc]odice di (?:verifica|sicurezza|accesso)"
)

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
        r"[Ss]enha|[Ww]achtwoord|[Pp]arola|[Pp]asswd|[Pp]wd)"
        r"[ \t]{1,3}(?:(?:is|was|ist|lautet|es|est|\u00e8|\u00e9)\s{0,3}:?\s{1,3}|[\-\u2013\u2014]\s{1,3})"
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
        r"\b(?:PIN(?:[ \-][Cc]ode)?|[Pp]in(?: code|code)|[Cc]ode PIN|(?:[Mm]y|[Yy]our|[Tt]he|[Mm]ein|[Dd]ie) pin|[Mm]ein PIN|OTP|TAN|[Pp]asscode|[Oo]ne[- ]time (?:code|password)|"
        + _CODE_NOUN
        + r")(?:[ \t](?:for|of|to|from|f\u00fcr|vom|von|der|pour|de|del|du|para|voor)(?:[ \t][^\W\d]{1,14}){1,4})?"
        r"(?:\s{0,3}[:=]\s{0,3}|\s{1,3}(?:is|was|ist|lautet|est|es|era|\u00e8|\u00e9|to|\u00e4r|er|to)\s{0,3}:?\s{1,3})[\"'`*]{0,2}(?P<secret>[0-9]{4,8})\b(?!%|\s?(?:ms|seconds|minutes|characters|digits|lines|times)\b)",
        ("pin", "otp", "tan", "passcode", "one-time", "one time", "code", "c\u00f3digo", "codice"),
        (
            "my PIN is ¦4821",
            "passcode: ¦483920",
            "Your verification code is ¦391827",
            "PIN for the card: ¦3897",
            "the door code is ¦5484",
            "Ihre TAN lautet ¦391827",
            "le code PIN est ¦4821",
        ),
        ("GPIO PIN: 21", "PIN is required", "OTP is 30 seconds", "the postal code is 10115", "error code: 1045"),
        score=0.6,
        gate=r"(?i)(?:pin|otp|tan|passcode|code|one[- ]time|digo|codice)[^\n]{0,80}[0-9]{4}",
    ),
    Rule(
        "said-code",
        "ASSIGNED_SECRET",
        r"(?<![\w.,:/\-])(?P<secret>[0-9]{4,8})[\"'`*]{0,2}[ \t](?:is|ist|est|es|\u00e8|\u00e9|as|als)[ \t](?:(?:the|your|my|our|a|der|die|mein|Ihr|dein|votre|ton|le|tu|su|el|il|la|tuo|seu|sua)e?[ \t]){1,2}"
        r"(?:[A-Z][\w\-]{1,20}[ \t]){0,2}(?:PIN|TAN|OTP|passcode|[Cc]ode PIN|pin|" + _CODE_NOUN + r")\b",
        ("pin", "tan", "otp", "code", "c\u00f3digo", "codice"),
        (
            "¦268213 is your verification code",
            "¦391827 is your Acme security code",
            "¦4821 is my PIN",
            "¦391827 est votre code de connexion",
        ),
        ("1045 is the MySQL error code", "10115 is the postal code", "2024 is a good year"),
        score=0.6,
        gate=r"(?i)[0-9]{4}[\"'`*]{0,2}[ \t](?:is|ist|est|es|as|als|.)[ \t]",
    ),
    Rule(
        "told-drawn-key",
        "ASSIGNED_SECRET",
        # Whatever short sentence stands between, if what comes is nothing but a key.
        _KEY_NOUN
        + r"(?:[ \t,:;?!().\-\u2014'\u2019]{1,3}(?!(?:commit|sha|hash|checksum|digest|id|uuid|revision|trace|request|version|image|docker|file)\b)[^\W\d]{1,14}+(?![0-9_])){0,8}+[ \t,:;?!().\-\u2014=\"'`\u201c*]{1,4}"
        r"(?P<secret>[A-Za-z0-9_\-+/=]{16,512}+)(?![\w(@])",
        ("token", "secret", "key", "code"),
        (
            "my token (don't share): ¦aB3dE5fG7hJ9kL1m",
            "The key for the vault? It's ¦aB3dE5fG7hJ9kL1m.",
            "the API key we use for mail is `¦9f8e7d6c5b4a3928`",
        ),
        (
            "the key change is in commit 3f786850e387550fdab836ed7e6dc881de23001b",
            "the token is in my-long-file-name-2024-05",
            "my key id is 123e4567-e89b-12d3-a456-426614174000",
        ),
        check="drawn",
        score=0.6,
        gate=r"(?i)(?:token|secret|key|code)[^\n]{0,120}[^a-z0-9_\-+/=][a-z0-9_\-+/=]{16}",
    ),
    Rule(
        "told-password",
        "ASSIGNED_SECRET",
        # A few words may stand between, for what comes then is no word: "I changed my password from … to …".
        _NOUN
        + r"(?:'s)?[,:;\-\u2013\u2014(]?[ \t]{1,3}(?:[(\-\u2013\u2014/]?[^\W\d]{1,14}+['\u2019]?[^\W\d]{0,2}+[,:)/]?[ \t]{1,3}){0,6}+[/\-=]?[ \t]{0,2}"
        + _OPEN
        + _WORD,
        (
            *(
                "pass",
                "pw",
                "mdp",
                "kennwort",
                "contrase\u00f1a",
                "clave",
                "senha",
                "wachtwoord",
                "parola",
                "has\u0142o",
                "l\u00f6senord",
            ),
            *("adgangskode", "salasana", "jelsz", "heslo", "geslo", "lozinka", "kata sandi", "neno la siri", "cred"),
        ),
        (
            "The password for the server is ¦Tr0ub4dor&3x.",
            "I changed my password to ¦Tr0ub4dor&3x",
            "The DB password, ¦Tr0ub4dor&3x, is shared",
            "The password (¦Tr0ub4dor&3x) expires soon",
            "Credentials: bob / ¦Tr0ub4dor&3x",
            "mitt l\u00f6senord \u00e4r ¦Tr0ub4dor&3x",
        ),
        (
            "the password policy follows NIST-800-63B",
            "a password reset in 2024 for bob42",
            "passwords are hashed with sha256",
            "pass it to main2.py",
        ),
        check="coined",
        score=0.6,
    ),
    Rule(
        "told-changed-password",
        "ASSIGNED_SECRET",
        _NOUN + r"[ \t]{1,3}from[ \t]{1,3}[^\s]{4,256}[ \t]{1,3}to[ \t]{1,3}" + _OPEN + _WORD,
        ("pass", "pw"),
        ("I changed my password from Old12Old34 to ¦Tr0ub4dor&3x",),
        ("passed from a1 to version2",),
        check="coined",
        score=0.6,
    ),
    Rule(
        "told-key",
        "ASSIGNED_SECRET",
        _KEY_NOUN
        + r"[,:]?[ \t]{1,3}(?:(?:is|was|to the [a-z]{1,12} is|provided|given|used|found|received|will be|should be|called)[,:]?[ \t]{1,3}){0,2}"
        + _OPEN
        + _WORD,
        ("token", "secret", "key", "code"),
        (
            "my api key is ¦9f8e7d6c5b4a3928",
            "here's the API key ¦9f8e7d6c5b4a3928",
            "Incorrect API key provided: ¦9f8e7d6c5b4a3928.",
            "token '¦9f8e7d6c5b4a3928' is invalid",
            "the wifi key is ¦Tr0ub4dor&3x",
        ),
        (
            "the token is a JWT signed with RS256",
            "the key is UTF-8 encoded",
            "secret santa 2024",
            "token bucket of 100r/s",
        ),
        check="coined",
        score=0.6,
    ),
    Rule(
        "said-before",
        "ASSIGNED_SECRET",
        r"(?<![^\s\"'`(\u201c\u00ab])"
        + _WORD
        + r"[\"'`\u201d\u00bb]?,?(?:[ \t](?:or|and)[ \t][^\s]{4,64})?[ \t]{1,3}\(?(?:(?:which|that)[ \t])?(?:(?:is|was|as|that's|a|\u2014|-)[ \t]{1,3}(?:the|my|our|a|an|your|his|her|their|good|strong|safe)|as)[ \t]{1,3}"
        r"(?:[a-z]{2,12}[ \t]{1,3}){0,2}(?:[Pp]ass(?:word|phrase|code)|API key|api key|token|secret)s?\b",
        ("pass", "api key", "token", "secret"),
        (
            "¦Tr0ub4dor&3x is my password",
            "Use ¦Tr0ub4dor&3x, which is the root password",
            'is "¦Tr0ub4dor&3x" a strong password?',
        ),
        ("OAuth2 is a token format", "what's wrong with the password?", "step2 is the password"),
        check="coined",
        score=0.6,
    ),
    Rule(
        "account-pair",
        "CONNECTION_NOUN",
        r"(?:(?<![A-Za-z])(?:[Ll]og[ -]?in|[Uu]ser(?:name)?|[Aa]ccount|[Zz]ugangsdaten|[Cc]redentials?|[Cc]reds|[Uu]):?[ \t]{1,3}(?:(?:is|are|as|with|-|/)[ \t]{1,3})?[\w.@\-]{1,64}|"
        r"(?<![\w./\-])(?:root|admin|administrator|sa|postgres|sys|system|scott))[ \t]{0,2}(?:[/:]|[Pp]:|[Pp]w:?|with)[ \t]{0,2}"
        + r"(?![/.~])"
        + _OPEN
        + _WORD,
        ("log", "user", "account", "zugangsdaten", "cred", "u:", "root", "admin", "sa", "postgres", "sys", "scott"),
        (
            "login: bob / ¦Tr0ub4dor&3x",
            "credentials are bob:¦Tr0ub4dor&3x",
            "admin:¦Tr0ub4dor&3x",
            "u: bob p: ¦Tr0ub4dor&3x",
        ),
        ("user bob / alice2", "root:x:0:0:root:/root:/bin/bash", "admin/config2", "login page: https://x1.example/2"),
        check="coined",
        score=0.6,
        gate=r"(?i)(?:log[ -]?in|user(?:name)?|account|zugangsdaten|credentials?|creds|\bu):?[ \t]"
        r"|(?:root|admin|administrator|sa|postgres|sys|system|scott)[ \t]{0,2}(?:[/:]|p:|pw|with)",
    ),
    Rule(
        "wifi-code",
        "CONNECTION_NOUN",
        r"WIFI:(?:[A-Z]:[^;]{0,64};){0,4}P:(?P<secret>[^;\s]{4,64});",
        ("wifi:",),
        ("WIFI:S:home;T:WPA;P:¦hunter2!;;",),
        ("WIFI:S:home;T:nopass;;",),
        check="not_placeholder",
    ),
)
