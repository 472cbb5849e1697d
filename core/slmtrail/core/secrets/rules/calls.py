"""Secrets in code that are no plain assignments: arguments, comparisons, defaults, elements of lists."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import KEY_ANCHORS, KEY_GATE, KEY_WORDS, WHICH
from slmtrail.core.secrets.rules.rule import Rule

# A name as a string, a subscript or a word, and what may stand between it and a string that is its value.
_NAMED = KEY_WORDS + WHICH + r"[\])\"'`]{0,4}(?:\[[0-9]{0,5}\])?"
_STEP = (
    r"\s{0,3}(?:[=!]==?|[:?]=|=>|<-|\|\||\?\?|\?:|[=:,(\[{?]|\bor\b|default=|\.[A-Za-z_]{1,20}\(|"
    r"[A-Za-z_&][\w.:]{0,40}[(\[{]|:\s{0,3}&?[A-Za-z][\w<>]{0,20}\s{0,3}=|[brufLN@$]{1,2}(?=[\"'`]))"
)
_QUOTED = r"\s{0,3}[\"'`]{1,3}(?P<secret>[^\s\"'`]{4,256})[\"'`]"

RULES = (
    Rule(
        "secret-beside-name",
        "ASSIGNED_SECRET",
        _NAMED + rf"(?:{_STEP}){{1,4}}" + _QUOTED,
        KEY_ANCHORS,
        (
            'user.set_password("¦hunter2!")',
            "client.setApiKey('¦9f8e7d6c5b4a3928')",
            'page.fill("#password", "¦hunter2!")',
            'driver.find_element(By.ID, "password").send_keys("¦hunter2!")',
            'if password == "¦hunter2!":',
            "password.equals('¦hunter2!')",
            'os.getenv("DB_PASSWORD", "¦hunter2!")',
            'os.environ["API_KEY"] = "¦9f8e7d6c5b4a3928"',
            'parser.add_argument("--password", default="¦hunter2!")',
            'let token = String::from("¦9f8e7d6c5b4a3928");',
            'PASSWORD = b"¦hunter2!"',
            "headers['X-API-Key'] = '¦9f8e7d6c5b4a3928'",
        ),
        (
            'token: localStorage.getItem("token1")',
            'password_field = find("pw-field-1")',
            'api_key = os.environ["OPENAI_API_KEY2"]',
            'Field("password", description="at least 8")',
            "tokenizer = from_pretrained('Qwen2.5-7B')",
        ),
        check="coined",
        score=0.7,
        at_anchor=True,
        gate=KEY_GATE + r"[^\n]{0,80}[\"'`][^\s\"'`]{4}",
    ),
    Rule(
        "defined-constant",
        "ASSIGNED_SECRET",
        r"(?:#\s?define|\bsetx|\bset\s{1,3}-[a-z]{1,3}|\bsetenv|\benv:set|\benv\s{1,3}add|\bsecrets?\s{1,3}set|\buser-secrets\s{1,3}set)\s{1,3}[\"']?[\w:.\-]{0,60}"
        + KEY_WORDS
        + WHICH
        + r"[\"']?\s{1,20}(?:-b|--body\s)?\s{0,3}[\"']?(?P<secret>[^\s\"'`]{4,256})",
        KEY_ANCHORS,
        ('#define DB_PASSWORD "¦hunter2!"', "setx DB_PASSWORD ¦hunter2!", "set -gx API_KEY '¦9f8e7d6c5b4a3928'"),
        ("#define PASSWORD_MAX 64", "#define TOKEN TokenKind", "setenv PASSWORD $PW"),
        check="assigned",
        score=0.7,
        gate=r"#\s?define|setx|set\s{1,3}-|setenv|env:set|env\s{1,3}add|secrets?\s{1,3}set",
    ),
    Rule(
        "constructed-secret",
        "ASSIGNED_SECRET",
        r"(?:\b[A-Za-z.]{0,40}(?:Secret(?:Str|String|Value|Bytes)?|Password|PASSWORD|Token|ApiKey|Credentials?)\w{0,10}(?:\(|\{)|"
        r"\b(?:bcrypt|argon2|scrypt|hashlib|hmac|jwt|Jwt|JWT|Fernet|AES|Stripe|crypto|CryptoJS|pgp_sym_\w{2,3}crypt|crypt)\b[\w.]{0,40}\((?:[^()\"'\n]{0,60},\s{0,3}|'sha[0-9]{1,3}',\s{0,3}|'[^'\n]{0,60}',\s{0,3}|key=)?)"
        r"\s{0,3}[brN]?[\"'](?P<secret>[^\s\"'`]{6,256})[\"']",
        (
            "secret",
            "password",
            "token",
            "apikey",
            "credential",
            "bcrypt",
            "argon",
            "scrypt",
            "hashlib",
            "hmac",
            "jwt",
            "fernet",
            "aes",
            "stripe",
            "crypt",
        ),
        (
            'SecretStr("¦hunter2!x")',
            "bcrypt.hashpw(b'¦hunter2!x', salt)",
            'jwt.encode(payload, "¦9f8e7d6c5b4a3928", algorithm="HS256")',
            "crypto.createHmac('sha256', '¦9f8e7d6c5b4a3928')",
        ),
        ("crypto.createHash('sha256')", 'Token("IDENT1")', "jwt.sign(payload, process.env.SECRET1)"),
        check="coined",
        score=0.7,
    ),
    Rule(
        "login-call",
        "CONNECTION_PASSWORD",
        r"\b(?:[A-Za-z_.]{0,40}(?:[Ll]ogin|[Aa]uth(?:enticate)?|[Ss]ign_?[Ii]n|[Cc]onnect(?:ion)?|[Cc]redentials?|PDO|sp_addlogin|Basic\.encode))(?:\(|\s(?=['\"]))\s{0,3}"
        r"(?:(?:[\"'][^\"'\n]{1,128}[\"']|[a-z][\w.]{0,30}),\s{0,3}){1,3}[\"'](?P<secret>[^\s\"']{6,256})[\"']",
        ("login", "auth", "sign", "connect", "credential", "pdo", "basic.encode"),
        (
            'smtp.login("bob@example.com", "¦hunter2!x")',
            'pymysql.connect("localhost", "root", "¦hunter2!x", "shop")',
            'new NetworkCredential("bob", "¦hunter2!x")',
            'DriverManager.getConnection(url, "bob", "¦hunter2!x");',
        ),
        ('connect("db1", "bob2", password)', 'connect("tcp", "10.0.0.1:80")', 'login("bob", "required")'),
        check="coined",
        score=0.7,
        gate=r"(?i)(?:login|auth(?:enticate)?|sign_?in|connect(?:ion)?|credentials?|pdo|basic\.encode)(?:\(|\s[\"'])",
    ),
)
