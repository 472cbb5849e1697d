"""Whatever is assigned to a name such as `password`, in any language."""

# ruff: noqa: E501, RUF001

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import ANY_KEY, ASSIGNED, KEY_ANCHORS, KEY_WORDS, VALUE, WHICH, any_case
from slmtrail.core.secrets.rules.rule import Rule

_KEYS = (
    "subscription|auth|admin|master|encryption|crypto|signing|account|service|license|storage|session|jwt|hmac|deploy|app|"
    "application|client|function|host|shared|wifi|wi-fi|wpa|network|recovery|root|data|otp|totp"
)
_NAME = (
    r"(?<![A-Za-z])(?:[Kk]ey|[Nn]ame|[Tt]ype|[Kk]ind|[Ff]ield|[Ll]abel|[Vv]ariable|[Pp]arameter|[Cc]olumn|[Ss]elector|ref|id)"
    r"\\{0,15}[\"']?\s{0,3}[=:]\s{0,3}"
)
_VALUE_OF = r"(?<![A-Za-z])(?:[Vv]al(?:ue)?|[Ss]ecret|[Cc]ontents?|[Dd]ata|[Tt]ext|[Aa]nswer)\\{0,15}[\"']?\s{0,3}[=:]\s{0,3}\\{0,15}[\"']?"

RULES = (
    Rule(
        "named-key",
        "ASSIGNED_SECRET",
        rf"(?:{any_case(_KEYS)})"
        r"[_\- ]?(?:[Kk][Ee][Yy]|[Ss][Ee][Ee][Dd])"
        + ASSIGNED
        + r"(?P<secret>[^\s\"'`,;&<>\\(){}\[\]]{8,256})(?![A-Za-z0-9+/_\-.(])",
        ("key", "seed"),
        (
            "Ocp-Apim-Subscription-Key: ¦0123456789abcdef0123456789abcdef",
            'ALGOLIA_ADMIN_KEY="¦0123456789abcdef0123456789abcdef"',
            "AccountName=x;AccountKey=¦9f8e7d6c5b4a3928==;EndpointSuffix=core.windows.net",
            "ENCRYPTION_KEY=¦hunter2-Xyz9",
        ),
        ("signing_key: the_name_of_the_key_in_the_vault", "auth key: see the vault", "session_key: tenant-42"),
        check="coined",
        score=0.7,
        gate=rf"(?i)(?:{_KEYS})[_\- ]?(?:key|seed)",
    ),
    Rule(
        "named-value",
        "ASSIGNED_SECRET",
        _NAME
        + r"(?P<open>\\{0,15}[\"']?)[A-Za-z0-9_.:/\-#\[\]=]{0,60}"
        + KEY_WORDS
        + WHICH
        + r"[A-Za-z0-9_\]]{0,10}(?P=open)\s{0,3}"
        r"(?:,?\s{1,40}|,)(?:\\{0,15}[\"']?[\w.@\-]{1,40}\\{0,15}[\"']?\s{0,3}[=:]\s{0,3}[^\s{}<>]{1,80}(?:,?\s{1,40}|,)){0,4}\\{0,15}[\"']?"
        + _VALUE_OF
        + r"(?P<secret>[^\s\"'\\<>{},]{4,256}+)(?![ \t]{1,3}[A-Za-z])",
        KEY_ANCHORS,
        (
            '<add key="Password" value="¦Hunter22!" />',
            '{"name": "DB_PASSWORD", "value": "¦Hunter22!"}',
            '{"type":"password","temporary":false,"value":"¦Hunter22!"',
            "- name: API_TOKEN\n  value: ¦9f8e7d6c5b4a3928\n",
            '- name: "API_TOKEN"\n  description: x\n  value: ¦9f8e7d6c5b4a3928\n',
            '{\\"field\\":\\"password\\",\\"data\\":\\"¦Hunter22!\\"',
        ),
        (
            "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:",
            '<add key="Password" value="required" />',
            "name: TOKEN\n  value: $TOKEN",
            '{"name": "DB_PASSWORD"}, {"name": "COLOR", "value": "blue-7x"}',
        ),
        check="assigned",
        score=0.7,
        gate=r"(?i)(?:key|name|type|kind|field|label|variable|parameter|column|selector|ref|id)[\\\"']{0,9}\s{0,3}[=:][\s\\\"']{0,9}[^\s\"'\\]{0,60}"
        + ANY_KEY,
    ),
    Rule(
        "value-named",
        "ASSIGNED_SECRET",
        _VALUE_OF
        + r"(?P<secret>[^\s\"'\\<>{},]{4,256})\\{0,15}[\"']?(?:,?\s{1,40}|,)\\{0,15}[\"']?"
        + _NAME
        + r"(?P<open>\\{0,15}[\"']?)[A-Za-z0-9_.:/\-]{0,60}"
        + KEY_WORDS
        + WHICH
        + r"(?P=open)(?![\w=])",
        KEY_ANCHORS,
        (
            '<input value="¦Hunter22!" type="password">',
            '{"value": "¦Hunter22!", "name": "DB_PASSWORD"',
            "- value: ¦9f8e7d6c5b4a3928\n  name: API_TOKEN",
        ),
        ('{"value": "blue-7x", "name": "COLOR"}', '{"value": "required", "name": "PASSWORD"}'),
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
        at_anchor=True,
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
    Rule(
        "told-beyond-latin",
        "ASSIGNED_SECRET",
        # In a text of another script a word of Latin letters and digits beside this name is none of the language.
        r"(?:[Пп]арол[ьяею]|[Пп]арола|[Şş]ifre(?:m|niz)?|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|كلمة (?:المرور|السر)|סיסמ[הת]|पासवर्ड|[Mm]ật khẩu|รหัสผ่าน|[Κκ]ωδικός|[Ss]lapta\u017eodis)"
        r"[^0-9A-Za-z\n]{0,16}(?:[a-z\u00e0-\u1ef9]{1,4}[ \t])?[\"'`«„“]?(?P<secret>(?=[!-~]{0,64}[0-9])[!-~]{5,128}?)(?=[\"'`.,;)]?(?:[^!-~]|\Z))",
        (
            *("парол", "парола", "şifre", "密码", "密碼", "口令", "パスワード", "暗証番号", "비밀번호", "암호"),
            *("كلمة", "סיסמ", "पासवर्ड", "mật khẩu", "รหัสผ่าน", "κωδικός", "slaptažodis"),
        ),
        (
            "мой пароль ¦kotik12345",
            "비밀번호는 ¦bimil1234! 입니다",
            "मेरा पासवर्ड ¦guptaji#99 है",
            "mật khẩu là ¦matkhau2024!",
        ),
        ("パスワードはSHA256で保存", "пароль от Windows 10", "密码长度为8-64个字符"),
        check="coined",
        score=0.7,
    ),
)
