"""What proves who calls: headers, cookies, JWTs, passwords in addresses and clients."""

from __future__ import annotations

from slmtrail.core.secrets.rules.rule import Rule

RULES = (
    Rule(
        "docker-auth",
        "CONNECTION_PASSWORD",
        r"(?<![A-Za-z0-9_])auth\\{0,15}\"?\s{0,3}:\s{0,3}\\{0,15}\"?(?P<secret>[A-Za-z0-9+/]{8,1000}={0,2})(?![A-Za-z0-9+/=])",
        ("auth",),
        ('{"auths":{"https://index.docker.io/v1/":{"auth":"¦Ym9iOmh1bnRlcjI="}}}',),
        ('{"auth": "required"}', '{"auth": "bm90aGluZ2hlcmU="}'),
        check="user_and_password",
    ),
    Rule(
        "client-key",
        "ASSIGNED_SECRET",
        r"[Cc]lient(?:V2)?\(\s{0,3}(?:[\"'][^\"'\n]{1,80}[\"'],\s{0,3})?[\"'](?P<secret>[A-Za-z0-9_\-]{32,128})[\"']",
        ("client",),
        ('co = cohere.Client("¦' + "aB3dE5fG7h" * 4 + '")', 'Client("AC1", "¦0123456789abcdef0123456789abcdef")'),
        ('client("the-name-of-a-service-that-is-quite-long")',),
        check="random",
        score=0.8,
    ),
    Rule(
        "jwt",
        "JWT",
        r"\b(?P<secret>eyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{0,8000}\.[A-Za-z0-9_\-]{0,1000}(?:\.[A-Za-z0-9_\-]{1,8000}\.[A-Za-z0-9_\-]{1,100})?)",
        ("eyj",),
        (
            "eyJ¦hbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..MTIzNDU2Nzg5MDEy.c2VjcmV0.dGFn",
            "eyJ¦hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        ),
        ("eyJust.a.word", "eyJ0aGlzIGlzIG5vdCBhIHRva2Vu.aa.bb"),
        check="jwt",
    ),
    Rule(
        "connection-string",
        "CONNECTION_PASSWORD",
        r"\b[A-Za-z][A-Za-z0-9+.\-]{1,30}://[^\s:/@\"'<>]{0,128}:(?P<secret>[^\s/@\"'<>]{1,256})@[A-Za-z0-9\[]",
        ("://",),
        (
            "postgresql://app:¦s3cr3t-Pa55@db.internal:5432/app",
            "redis://:¦hunter2hunter2@cache:6379/0",
            "https://user:¦abc%40def@host.example/path",
        ),
        ("http://localhost:8080/a@b", "https://example.com/x", "postgresql://app:${DB_PASSWORD}@db/app"),
        check="not_placeholder",
    ),
    Rule(
        "connection-string-of-go",
        "CONNECTION_PASSWORD",
        r"(?<![\w.\-])[\w.\-]{1,64}:(?P<secret>[^\s\"'<>]{1,256}?)@(?:tcp|udp|unix|cloudsql|cloudsql-mysql|mysql)[46]?\(",
        ("@tcp", "@udp", "@unix", "@cloudsql", "@mysql"),
        (
            "bob:¦hunter2@tcp(db.example:3306)/shop?parseTime=true",
            'dsn := "app:¦p@ss/w0rd@unix(/run/mysqld.sock)/shop"',
        ),
        ("bob@tcp(host)/db", "bob:${PW}@tcp(host:3306)/db"),
        check="not_placeholder",
    ),
    Rule(
        "authorization-header",
        "BEARER_TOKEN",
        r"[Aa](?:uthorization|UTHORIZATION)[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
        r"(?:[Bb]earer|BEARER|[Bb]asic|BASIC|[Tt]oken|[Aa]pi-?[Kk]ey|[Kk]ey|[Nn]egotiate|NTLM|SSWS)\s{1,3}"
        r"(?P<secret>[A-Za-z0-9\-._~+/]{8,4000}={0,2})",
        ("authorization",),
        ("Authorization: Bearer ¦abcdef0123456789", "'authorization': 'Basic ¦dXNlcjpwYXNzd29yZA=='"),
        ("Authorization: Bearer <token>", "authorization is needed"),
        check="not_placeholder",
    ),
    Rule(
        "bearer-token",
        "BEARER_TOKEN",
        r"\b[Bb](?:earer|EARER)\s{1,3}(?:[\"'`]\s{0,3}[+.,]\s{0,3}[\"'`])?(?P<secret>[A-Za-z0-9\-._~+/%]{16,4000}={0,2})",
        ("bearer",),
        (
            "curl -H 'Bearer ¦9f8e7d6c5b4a39281706f5e4d3c2b1a0'",
            'h["Authorization"] = "Bearer " + "¦9f8e7d6c5b4a39281706f5e4d3c2b1a0"',
        ),
        ("the bearer of-bad-news-is-never-liked", "Bearer authenticationauthentication"),
        check="random",
    ),
    Rule(
        "session-cookie",
        "SESSION_COOKIE",
        r"(?<![A-Za-z0-9])(?:[Ss]ession(?:_?[Ii][Dd])?|SESSION(?:_?ID)?|[Ss]id|SID|PHPSESSID|JSESSIONID|[Cc]onnect\.sid|"
        r"ASP\.NET_SessionId|__(?:Host|Secure)-[A-Za-z0-9_.\-]{1,40})=(?P<secret>[A-Za-z0-9%._+/=\-]{16,512})",
        ("session", "sid", "__host-", "__secure-"),
        (
            "Cookie: theme=dark; session=¦9f8e7d6c5b4a39281706f5e4d3c2b1a0",
            "JSESSIONID=¦A1B2C3D4E5F60718293A4B5C6D7E8F90",
        ),
        ("session=Session.objects.create(user)", "sid=1", "session=requests.Session.default_for_all"),
        check="random",
    ),
    Rule(
        "login-pair",
        "CONNECTION_PASSWORD",
        r"(?:\b(?:auth|AUTH|credentials?)\s{0,3}[=:]\s{0,3}[(\[]|\b(?:HTTP)?(?:Basic|Digest|Proxy)Auth\()"
        r"\s{0,3}\\{0,3}[\"'][^\"'\\\n]{1,128}\\{0,3}[\"']\s{0,3},\s{0,3}\\{0,3}[\"'](?P<secret>[^\s\"'\\]{2,256})\\{0,3}[\"']",
        ("auth", "credential"),
        (
            "requests.get(url, auth=('bob','p¦w'))",
            'client.post(url, auth=("bob", "¦hunter2"), timeout=5)',
            "session.auth = ('bob', '¦hunter2')",
            "auth=HTTPBasicAuth('bob', '¦hunter2!')",
        ),
        ("auth=('bob', os.environ['PASSWORD'])", "auth=(user, password)", "auth=('bob', '<password>')"),
        check="not_placeholder",
        score=0.8,
    ),
    Rule(
        "authorization-value",
        "BEARER_TOKEN",
        r"[Aa](?:uthorization|UTHORIZATION)[\"']?\]?\s{0,3}[:=,]\s{0,3}[\"']?(?:[A-Z][\w\-]{2,20}\s{1,3}[^\n]{0,200}?(?:[Ss]ignature|response)=[\"']?|[A-Z][A-Za-z]{2,10}\s{1,3})?"
        r"(?P<secret>[A-Za-z0-9\-._~+/%!@#$^*&]{6,4000}={0,2})(?![A-Za-z0-9(])",
        ("authorization",),
        (
            "Authorization: ¦9f8e7d6c5b4a3928",
            'headers = {"Authorization": "¦9f8e7d6c5b4a3928"}',
            'Authorization: Digest username="bob", response="¦9f8e7d6c5b4a3928"',
            "Authorization: AWS4-HMAC-SHA256 Credential=A/20240101, Signature=¦9f8e7d6c5b4a3928",
        ),
        ("Authorization: Bearer YOUR_TOKEN", "authorization: oauth2", "authorization: see RFC7235"),
        check="coined",
        score=0.8,
    ),
    Rule(
        "cookie-of-a-login",
        "SESSION_COOKIE",
        r"[Cc]ookie[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:[^\s;=]{1,64}=[^;\n]{0,256};\s{0,3}){0,8}?[\w.\-]{0,40}"
        r"(?:[Ss]ess|SESS|[Ss]id|SID|[Aa]uth|AUTH|[Rr]emember|[Tt]oken|TOKEN|[Ll]ogin|[Jj]wt|[Tt]icket)[\w.\-]{0,40}=(?P<secret>[^\s;,\"'<>]{6,4000})",
        ("cookie",),
        ("Cookie: theme=dark; remember_me=¦hunter2-Xyz9; a=b", "Set-Cookie: sid=¦hunter2-Xyz9; HttpOnly"),
        ("Cookie: theme=dark; lang=en-US; ab=variant2", "Set-Cookie: session=; Max-Age=0", "cookie: auth=none"),
        check="coined",
        score=0.8,
        gate="[Cc]ookie",
    ),
    Rule(
        "address-parameter",
        "ASSIGNED_SECRET",
        r"[?&;#](?:[Xx]-[A-Za-z]{2,5}-)?(?:key|[Ss]ig(?:nature)?|code|auth|ticket|otp|pw|bindpw|jwt|SAMLResponse|j?session_?[Ii]?[Dd]?|sid|[a-z]{1,12}[_\-]?key)=(?P<secret>[^\s&\"'<>#;]{8,4000})",
        ("?", "&", ";", "#"),
        (
            "https://x.example/a?b=1&sig=¦9f8e7d6c5b4a3928",
            "https://x.example/cb?code=¦aB3dE5fG7h&state=x",
            "https://b.s3.amazonaws.com/k?X-Amz-Expires=1&X-Amz-Signature=¦9f8e7d6c5b4a3928",
            "https://x.example/a;jsessionid=¦9F8E7D6C5B4A3928",
        ),
        ("https://x.example/?key=created_at&code=404", "https://x.example/a?key=name-2024&sort=asc"),
        check="coined",
        score=0.7,
        gate=r"[?&;#](?i:x-[a-z]+-)?(?i:key|sig|code|auth|ticket|otp|pw|bindpw|jwt|samlresponse|j?session|sid|[a-z]+[_\-]?key)[a-zA-Z_]*=",
    ),
)
