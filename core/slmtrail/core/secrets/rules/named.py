"""Whatever is assigned to a name such as `password`, in any language."""

# ruff: noqa: E501, RUF001

from __future__ import annotations

import re

from slmtrail.core.secrets.rules.expressions import (
    ANY_KEY,
    ASSIGNED,
    ASSIGNS,
    KEY_ANCHORS,
    KEY_WORDS,
    VALUE,
    WHICH,
    any_case,
)
from slmtrail.core.secrets.rules.rule import Rule

_KEYS = (
    "subscription|auth|admin|master|encryption|crypto|signing|account|service|license|storage|session|jwt|hmac|deploy|app|"
    "application|client|function|unseal|host|shared|wifi|wi-fi|wpa|network|recovery|root|data|otp|totp"
)
_NAME = (
    r"(?<![A-Za-z])(?:[Kk]ey|[Nn]ame|[Tt]ype|[Kk]ind|[Ff]ield|[Ll]abel|[Vv]ariable|[Pp]arameter|[Cc]olumn|[Ss]elector|ref|id)"
    r"\\{0,15}[\"']?\s{0,3}[=:]\s{0,3}"
)
_VALUE_OF = r"(?<![A-Za-z])(?:[Vv]al(?:ue)?|[Ss]ecret|[Cc]ontents?|[Dd]ata|[Tt]ext|[Aa]nswer)\\{0,15}[\"']?\s{0,3}[=:]\s{0,3}\\{0,15}[\"']?"

_PROOFS = "auth|csrf|xsrf|csrfmiddleware|jwt|bearer|sid|sess(?:ion)?|cookie|otp|totp|mfa|pin|seed|salt|unseal|verifier|sso|oauth|ticket"
_CODES = (
    "otp|totp|pin|tan|mfa|2fa|passcode|(?:mfa|otp|2fa|totp|pin|sms|email|verification|security|confirmation|"
    "one[_\\- ]?time|auth|login|access|reset|unlock|backup|recovery|door|gate|alarm)[_\\- ]?(?:code|pin)"
)
_LOGIN_NAME = (
    r"(?:[Pp]ass(?:[Ww]ord|wd|phrase|code)|PASS(?:WORD|WD|PHRASE|CODE)|[Pp]wd|PWD|[Pp]asswort|[Kk]ennwort|[Mm]ot[ _]de[ _]passe|"
    r"[Cc]ontrase[n\u00f1]a|[Ss]enha|[Ww]achtwoord|(?<![A-Za-z])(?:[Pp]sk|PSK|[Hh]as[l\u0142]o|[Hh]eslo))"
)
_LOGIN_GATE = "pass(?:word|wd|phrase|code|wort)|pwd|psk|kennwort|de[ _]passe|contrase.a|senha|wachtwoord|has.o|heslo"
_LOGIN_ANCHORS = ("pass", "pwd", "psk", "kennwort", "mot", "contrase", "senha", "wachtwoord", "has", "heslo")
# Behind a quote, or the whole text below the key it stands under.
_QUOTED = ASSIGNS + r"(?P<quote>\\{0,3}[\"'`])"

RULES = (
    Rule(
        "named-proof",
        "ASSIGNED_SECRET",
        rf"(?<![A-Za-z])(?:{any_case(_PROOFS)})(?:[_\- ]?(?:[Tt]oken|TOKEN|[Cc]ode|CODE|[Vv]alue|VALUE|[Ii][Dd]|[Hh]eader|HEADER|[Kk]ey|KEY))?"
        + ASSIGNED
        + r"(?P<secret>[A-Za-z0-9._~+/=\-]{16,4000})(?![\w(])",
        tuple(re.sub(r"[(?:)]", "", name) for name in _PROOFS.split("|")),
        (
            '{"auth": "¦aB3dE5fG7hJ9kL1m"}',
            "TWILIO_AUTH=¦9f8e7d6c5b4a39281706f5e4d3c2b1a0",
            "csrf=¦9f8e7d6c5b4a3928&next=/home",
            '"jwt" : "¦aB3dE5fG7hJ9kL1m"',
            "session:\n¦9f8e7d6c5b4a39281706f5e4d3c2b1a0",
        ),
        (
            "auth: oauth2-client-credentials",
            "csrf: true",
            "sid: 123e4567-e89b-12d3-a456-426614174000",
            "session = requests.Session()",
            "jwt = jwt.encode(payload1, secret_key2)",
            "salt and pepper",
        ),
        check="drawn",
        score=0.7,
        gate=rf"(?i)(?:{_PROOFS})(?:[_\- ]?(?:token|code|value|id|header|key))?[\"'`\\]{{0,4}}\s{{0,24}}[:=]",
    ),
    Rule(
        "named-key-alone",
        "ASSIGNED_SECRET",
        r"(?<![A-Za-z])(?:[Kk]ey|KEY|[Rr]efresh|[Aa]ccess)"
        + ASSIGNED
        + r"(?P<secret>[A-Za-z0-9+/=_\-]{20,4000})(?![\w.(])",
        ("key", "refresh", "access"),
        ('{"env": {"KEY": "¦aB3dE5fG7hJ9kL1mN0pQ"}}', 'byte[] key = "¦qHo4k2JqqoJhyBsOiw_Y5G8WJk474mGA".getBytes()'),
        (
            "key: 5d41402abc4b2a76b9719d911017c592",
            "key: Users-Settings-2024-Backup-File",
            'key="created_at_of_the_first_item"',
            "access: read",
        ),
        check="mixed",
        score=0.6,
        gate=r"(?i)(?:key|refresh|access)[\"'`\\]{0,4}\s{0,24}[:=][\s\"'`\\>=]{0,24}[a-z0-9+/=_\-]{20}",
    ),
    Rule(
        "named-code",
        "ASSIGNED_SECRET",
        rf"(?<![A-Za-z])(?:{any_case(_CODES)})" + ASSIGNED + r"(?P<secret>[0-9]{4,10})(?![\w.,%:/\-]*[0-9A-Za-z%])",
        ("otp", "pin", "tan", "mfa", "2fa", "passcode", "code"),
        (
            '{"pin": "¦4821"}',
            '{"otp": ¦611426}',
            "PIN: ¦4821",
            '{"mfa_code": "¦524842", "user": "bob"}',
            "verification_code=¦391827",
        ),
        ("pin: 14", "otp_length: 6", "tan: 0.7265", "Erlang/OTP 26.2.1", "otp: 2026-05-03", "pin: 1234ms"),
        score=0.6,
        gate=rf"(?i)(?:{_CODES})[\"'`\\]{{0,4}}\s{{0,24}}[:=][\s\"'`\\>=]{{0,24}}[0-9]{{4}}",
    ),
    Rule(
        "card-verification",
        "ASSIGNED_SECRET",
        r"(?<![A-Za-z])(?:[Cc][Vv][Vv]2?|[Cc][Vv][Cc]2?|[Cc]ard[ _\-]?[Vv]erification(?:[ _\-]?(?:[Cc]ode|[Vv]alue))?)(?:"
        + ASSIGNED
        + r"|\s{1,3}(?:is\s|ist\s|code\s|est\s|es\s)?)(?P<secret>[0-9]{3,4})(?![\w.\-])",
        ("cvv", "cvc", "verification"),
        ('{"cvv": "¦821", "exp": "09/27"}', "exp 09/27 CVC ¦4821", "the CVV is ¦821", "cvv2=¦821"),
        ("CVV has 3 digits", "cvv: required", "CVC 2024-05"),
        score=0.7,
        gate=r"(?i)(?:cv[vc]2?|verification(?:[ _\-]?(?:code|value))?)[^0-9\n]{0,12}\s{0,24}[0-9]{3}",
    ),
    Rule(
        "recovery-phrase",
        "ASSIGNED_SECRET",
        r"(?:[Ss]eed|SEED|[Mm]nemonic|MNEMONIC|(?:[Rr]ecovery|[Bb]ackup|[Ww]allet|[Ss]ecret|[Kk]ey)[ _\-]?(?:[Pp]hrase|[Ww]ords?))[\w \-]{0,60}[^\w\n]{0,8}\n{0,2}[ \t]{0,8}"
        r"(?:[0-9]{1,2}[.):]?[ \t])?(?P<secret>(?:[a-z]{3,8}[ \t,\n\r]{1,3}(?:[0-9]{1,2}[.):]?[ \t])?){11,23}[a-z]{3,8})(?![\w])",
        ("seed", "mnemonic", "phrase", "word"),
        (
            "seed phrase: ¦legal winner thank year wave sausage worth useful legal winner thank yellow",
            '{"mnemonic": "¦legal winner thank year wave sausage worth useful legal winner thank yellow"}',
            "The recovery words of my wallet:\n1. ¦legal\n2. winner\n3. thank\n4. year\n5. wave\n6. sausage\n7. worth\n"
            "8. useful\n9. legal\n10. winner\n11. thank\n12. yellow",
        ),
        ("seed phrases have twelve words that you should keep where nobody else can find them ever",),
        check="recovery_phrase",
        score=0.8,
        gate=r"(?i)(?:seed|mnemonic|(?:recovery|backup|wallet|secret|key)[ _\-]?(?:phrase|word))",
    ),
    Rule(
        "named-phrase",
        "ASSIGNED_SECRET",
        r"(?:"
        + _LOGIN_NAME
        + rf"{WHICH}(?:{_QUOTED}|[ \t]{{1,3}}(?:(?:is|was|ist|lautet|est|es|\u00e8|\u00e9)[ \t]?:?[ \t])?(?P<quote2>[\"'`\u201c\u201e\u00ab]))"
        + r"|\s-N\s{1,3}(?P<quote3>[\"'])|\bpass(?:in|out)?\s{1,3}pass:(?P<quote4>[\"']))"
        + r"(?P<secret>[^\s\"'`\\<>{}=|]{1,24}(?: [^\s\"'`\\<>{}=|]{1,24}){2,14})\\{0,3}[\"'`\u201d\u201c\u00bb]",
        (*_LOGIN_ANCHORS, "-n"),
        (
            'password: "¦copper harbor meadow zephyr"',
            '{"passphrase": "¦copper harbor 7 zephyr"}',
            'my passphrase is "¦copper harbor meadow zephyr", keep it',
            "gpg --batch --passphrase '¦copper harbor meadow zephyr' -d x.gpg",
            'ssh-keygen -t ed25519 -N "¦copper harbor meadow zephyr"',
            'openssl rsa -passin pass:"¦copper harbor meadow zephyr"',
        ),
        (
            '"password": "the password of the user"',
            '"password": "Enter your password"',
            '"password": "must have 8 characters"',
            'password: "Mot de passe oubli\u00e9"',
        ),
        check="phrase",
        score=0.6,
        gate=r"(?i)(?:" + _LOGIN_GATE + r"|-n\s|pass:)[^\n]{0,40}(?:[\"'`]|[^ -~])\S{1,24} \S",
    ),
    Rule(
        "bare-phrase",
        "ASSIGNED_SECRET",
        # With nothing around it: only the rest of a line of small words.
        _LOGIN_NAME
        + WHICH
        + r"(?:\s{0,3}[:=][ \t]{0,3}|:\n|[ \t]{1,3}(?:is|was|ist|lautet|est|es|\u00e8|\u00e9)[ \t]:?[ \t]?|>\s{0,3})"
        r"(?P<secret>[a-z0-9][a-z0-9\-]{1,15}(?: [a-z0-9\-]{2,16}){3,11})(?=[.!]?[ \t]*(?:[\n\r<\\\"']|\Z))",
        _LOGIN_ANCHORS,
        (
            "<passphrase>¦copper harbor meadow zephyr</passphrase>",
            "wpa_passphrase=¦copper harbor meadow zephyr",
            "The password is ¦copper harbor meadow zephyr.",
        ),
        (
            "password: must be at least eight long",
            "The password is case sensitive for old accounts",
            "password: see the page on setup",
        ),
        check="phrase",
        score=0.6,
        gate=r"(?i)(?:" + _LOGIN_GATE + r")[^\n]{0,30}[\s:=>][a-z0-9\-]{2,16} [a-z0-9\-]{2,16} [a-z0-9\-]{2}",
    ),
    Rule(
        "quoted-word",
        "ASSIGNED_SECRET",
        # A password may be one word, but where it stands as a value of code alone.
        rf"(?:{_LOGIN_NAME}{WHICH}{_QUOTED}(?P<secret>[^\W\d_]{{6,64}})(?P=quote)(?![\w\]]|\s{{0,3}}[:+(]))",
        _LOGIN_ANCHORS,
        (
            'password = "¦correcthorse"',
            '{"db": {"password": "¦swordfish"}}',
            "  password       = '¦swordfish'",
            '\\"passwd\\": \\"¦swordfish\\"',
        ),
        (
            'password: "string"',
            '{"password": "required"}',
            "password = 'invalid'",
            'pass: "granted"',
            'password = "s" + x',
        ),
        check="word",
        score=0.6,
        gate=r"(?i)(?:" + _LOGIN_GATE + r")[^\n]{0,40}[:=]\s{0,24}\\{0,3}[\"'`][a-z]{6}",
    ),
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
        gate=r"(?:define|setenv|putenv|set|put|add|[Hh]eader|Property)\(\s{0,3}[\"']",
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
