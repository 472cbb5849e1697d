"""Whatever is assigned to a name such as `password`, in any language."""

# ruff: noqa: RUF001

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import ASSIGNED, KEY_ANCHORS, KEY_WORDS, VALUE, WHICH, any_case
from slmtrail.core.secrets.rules.rule import Rule

RULES = (
    Rule(
        "named-key",
        "ASSIGNED_SECRET",
        rf"(?:{any_case('subscription|auth|admin|master|encryption|signing|account|service|license')})"
        r"[_\- ]?[Kk][Ee][Yy]" + ASSIGNED + r"(?P<secret>[A-Za-z0-9+/_\-]{20,256}={0,2})(?![A-Za-z0-9+/_\-.(])",
        ("key",),
        (
            "Ocp-Apim-Subscription-Key: ¦0123456789abcdef0123456789abcdef",
            'ALGOLIA_ADMIN_KEY="¦0123456789abcdef0123456789abcdef"',
        ),
        ("signing_key: the_name_of_the_key_in_the_vault", "auth key: see the vault"),
        check="random",
        score=0.7,
        gate=r"(?i)(?:subscription|auth|admin|master|encryption|signing|account|service|license)[_\- ]?key",
    ),
    Rule(
        "named-value",
        "ASSIGNED_SECRET",
        r"(?:\b[Kk]ey|\b[Nn]ame)\\{0,15}[\"']?\s{0,3}[=:]\s{0,3}\\{0,15}[\"']?[A-Za-z0-9_.:\-]{0,60}"
        + KEY_WORDS
        + r"[A-Za-z0-9_]{0,10}\\{0,15}[\"']?,?\s{1,40}\\{0,15}[\"']?[Vv]alue\\{0,15}[\"']?"
        r"\s{0,3}[=:]\s{0,3}\\{0,15}[\"']?(?P<secret>[^\s\"'\\<>{},]{4,256})",
        KEY_ANCHORS,
        (
            '<add key="Password" value="¦Hunter22!" />',
            '{"name": "DB_PASSWORD", "value": "¦Hunter22!"}',
            "- name: API_TOKEN\n  value: ¦9f8e7d6c5b4a3928\n",
        ),
        (
            "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:",
            '<add key="Password" value="required" />',
            "name: TOKEN\n  value: $TOKEN",
        ),
        check="assigned",
        score=0.7,
    ),
    Rule(
        "element-secret",
        "ASSIGNED_SECRET",
        r"<[A-Za-z0-9_.:\-]{0,60}" + KEY_WORDS + r"[A-Za-z0-9_.\-]{0,20}>\s{0,3}(?P<secret>[^\s<>]{6,256})\s{0,3}</",
        KEY_ANCHORS,
        ("<password>¦hunter2!</password>", "<db:apiKey>¦9f8e7d6c5b4a3928</db:apiKey>"),
        ("<password>required</password>", "<token>${TOKEN}</token>"),
        check="assigned",
        score=0.7,
    ),
    Rule(
        "defined-secret",
        "ASSIGNED_SECRET",
        r"\b(?:define|setenv|putenv|set|put|add|[Ss]et_?[Hh]eader|setProperty)\(\s{0,3}[\"'][A-Za-z0-9_.\-]{0,40}"
        + KEY_WORDS
        + r"[A-Za-z0-9_.\-]{0,20}[\"']\s{0,3},\s{0,3}[\"'](?P<secret>[^\s\"']{6,256})",
        KEY_ANCHORS,
        ("define('DB_PASSWORD', '¦hunter2!');", 'os.putenv("API_KEY", "¦9f8e7d6c5b4a3928")'),
        ('set("password", "required")', "define('PASSWORD_HINT_', '')"),
        check="assigned",
        score=0.7,
    ),
    Rule(
        "assigned-secret",
        "ASSIGNED_SECRET",
        KEY_WORDS + WHICH + ASSIGNED + VALUE,
        KEY_ANCHORS,
        (
            "DB_PASSWORD_PROD=¦hunter2!",
            "token2: ¦9f8e7d6c5b4a",
            '"clientSecret_old_2": "¦Tr0ub4dor&3"',
            "password=¦hunter2!",
            '"api_key": "¦9f8e7d6c5b4a3928"',
            "DB_PASSWORD: '¦Tr0ub4dor&3'",
            "client_secret => ¦aB3dE5fG7haB",
            'curl -d "{\\"password\\": \\"¦hunter2!x\\"}"',
            "password: |\n  ¦hunter2hunter2",
            "DB_PASS=¦hunter22",
            'secret_key = "¦eq4Af3SYYsGsJGRg"',
            "PW: ¦Katze2024!",
            "Passwort: ¦geheim123",
            "mot de passe : ¦azerty123",
            "contrase\u00f1a: ¦qwerty99",
        ),
        (
            "password: string",
            "token = get_token(request)",
            'api_key = os.environ["API_KEY"]',
            "tokens: 123456",
            "password_length_new: 123456x",
            "password = None # not set",
            "secret: ${VAULT_SECRET}",
            "max_token: 409600",
            "password=<password>",
            "password=user.password_hash",
            "bypass: level42x",
            "api_key=sk-...",
            "access_token: (none)",
        ),
        check="assigned",
        score=0.7,
    ),
    Rule(
        "assigned-secret-beyond-latin",
        "ASSIGNED_SECRET",
        r"(?:[Пп]ароль|[Пп]арола|[Şş]ifre(?:m|si)?|密码|密碼|パスワード|暗証番号|비밀번호|كلمة المرور|סיסמה|[Κκ]ωδικός)"
        r"(?:\s{0,3}[:：=]\s{0,3}|\s{0,3}(?:是|は|это|είναι|[—–\-])\s{0,3})[\"'`«„“]?(?P<secret>[^\s\"'`»”“,;<>。、]{4,128})",
        (
            "пароль",
            "парола",
            "şifre",
            "密码",
            "密碼",
            "パスワード",
            "暗証番号",
            "비밀번호",
            "كلمة المرور",
            "סיסמה",
            "κωδικός",
        ),
        ("Пароль: ¦kotik123", "şifre: ¦kedi1234", "密码是¦mima8899", "パスワード：¦himitsu77", "비밀번호: ¦bimil1234"),
        ("пароль: неверный", "密码: ********", "Şifre: required"),
        check="assigned",
        score=0.7,
    ),
)
