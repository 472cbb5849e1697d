"""Passwords in SQL and in files of a known form: Terraform, .netrc, .pgpass, .npmrc, Dockerfile, Kubernetes."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import KEY_ANCHORS, KEY_WORDS, any_case
from slmtrail.core.secrets.rules.rule import Rule

_JSON_QUOTE = r"\\{0,3}\""


def _named(names: str) -> str:
    """A name in JSON, perhaps in a string of JSON, and the colon behind it."""
    return rf"{_JSON_QUOTE}(?:{names}){_JSON_QUOTE}\s{{0,3}}:\s{{0,3}}"


RULES = (
    Rule(
        "terraform-default",
        "ASSIGNED_SECRET",
        r"\bvariable\s{1,3}\"[A-Za-z0-9_\-]{0,40}"
        + KEY_WORDS
        + r"[A-Za-z0-9_\-]{0,20}\"\s{0,3}\{[^}]{0,400}?\bdefault\s{0,20}=\s{0,3}\"(?P<secret>[^\s\"]{4,256})\"",
        KEY_ANCHORS,
        ('variable "db_password" {\n  type    = string\n  default = "¦Hunter22!"\n}',),
        ('variable "db_password" {\n  type = string\n  sensitive = true\n}', 'variable "token" { default = "" }'),
        check="assigned",
        score=0.7,
        gate=r"variable\s{1,3}\"",
    ),
    Rule(
        "sql-password",
        "CONNECTION_PASSWORD",
        rf"\b(?:{any_case('identified')}\s{{1,3}}(?:{any_case('with')}\s{{1,3}}[^\s]{{1,40}}\s{{1,3}})?{any_case('by')}|{any_case('password')})"
        r"(?:\s{1,3}|\s{0,3}=\s{0,3}|\s{0,3}\(\s{0,3})N?[\"'](?P<secret>[^\s\"']{4,256})[\"']",
        ("identified", "password"),
        (
            "CREATE USER bob IDENTIFIED BY '¦Hunter22!';",
            "ALTER ROLE bob WITH PASSWORD '¦Hunter22!';",
            'create user bob identified by "¦Hunter22!"',
            "ALTER LOGIN sa WITH PASSWORD = N'¦Hunter22!'",
        ),
        ("ALTER ROLE bob PASSWORD '${PW}'", "identified by 'Dr Smith et al.'", "the word password 'required'"),
        check="assigned",
        score=0.7,
    ),
    Rule(
        "sql-bare-secret",
        "CONNECTION_PASSWORD",
        rf"\b(?:{any_case('identified')}\s{{1,3}}{any_case('by')}\s{{1,3}}|{any_case('secret')}\s{{1,3}}'|{any_case('pragma')}\s{{1,3}}{any_case('key')}\s{{0,3}}=\s{{0,3}}['\"])"
        r"(?P<secret>[^\s\"';,()]{6,256})",
        ("identified", "secret", "pragma"),
        (
            "CREATE USER bob IDENTIFIED BY ¦Hunter22!x;",
            "CREATE SECRET s (TYPE S3, KEY_ID 'x', SECRET '¦Hunter22!x')",
            "PRAGMA key = '¦Hunter22!x';",
        ),
        ("tables are identified by table2", "PRAGMA key = 'name'", "IDENTIFIED BY EXTERNALLY"),
        check="coined",
        score=0.7,
    ),
    Rule(
        "netrc-password",
        "CONNECTION_PASSWORD",
        r"(?:\bmachine\s{1,20}(?:[^\s.]{1,63}\.[^\s]{1,190}|localhost)|(?:(?<![^\n])|netrc[^\n]{0,40}\s)default)"
        r"\s{1,20}login\s{1,20}[^\s]{1,128}\s{1,20}"
        r"(?:account\s{1,20}[^\s]{1,128}\s{1,20})?password\s{1,20}(?P<secret>[^\s]{1,256})",
        ("machine", "default"),
        (
            "machine api.example.com login bob password ¦hunter2",
            "machine api.example.com\n  login bob\n  password ¦hunter2\n",
            "default login bob password ¦hunter2",
            "my ~/.netrc says: default login anonymous password ¦hunter2",
        ),
        (
            "machine learning login page password reset",
            "machine api.example.com login bob password <password>",
            "By default login forms password fields are hidden",
            "default login: bob, password: none",
        ),
        check="not_placeholder",
    ),
    Rule(
        "pgpass-line",
        "CONNECTION_PASSWORD",
        r"(?<![^\s\"'])(?:[A-Za-z0-9.\-]{1,253}|\*):(?:[0-9]{4,5}|\*):[^\s:\"']{1,63}:[^\s:\"']{1,63}:(?P<secret>[^\s:\"']{1,256})(?![^\s\"'])",
        (":",),
        ("db.example.com:5432:shop:bob:¦hunter2", "*:*:*:postgres:¦s3cr3t\n"),
        ("2001:1234:ab:cd:ef12:1:2:3", "main.c:1204:12:error:unexpected", "10:30:45:a:b", "host:8080:a:b:true"),
        check="assigned",
        score=0.7,
        gate=r":(?:[0-9]{4,5}|\*):[^\s:]{1,63}:[^\s:]{1,63}:",
    ),
    Rule(
        "pgpass-line-of-postgres",
        "CONNECTION_PASSWORD",
        # Where port and database are those of a server, a password may be one word.
        r"(?<![^\s\"'])(?:[A-Za-z0-9.\-]{1,253}|\*):(?:543[0-9]|6432|\*):(?:\*|(?=[^\s:\"']{0,62}[A-Za-z])[^\s:\"']{1,63}):"
        r"[^\s:\"']{1,63}:(?!(?:true|false|none|null)\b)(?P<secret>[A-Za-z]{4,256})(?![^\s\"'])",
        (":543", ":6432", ":*"),
        ("db.example.com:5432:shop:bob:¦correcthorse", "*:*:*:postgres:¦swordfish\n"),
        ("main.c:5432:12:error:unexpected", "host:5432:a:b:true", "main.c:1204:shop:error:unexpected"),
        check="not_placeholder",
        score=0.7,
        gate=r":(?:543[0-9]|6432|\*):[^\s:]{1,63}:[^\s:]{1,63}:",
    ),
    Rule(
        "npmrc-auth",
        "CONNECTION_PASSWORD",
        r"(?<![A-Za-z0-9_])_auth\s{0,3}=\s{0,3}[\"']?(?P<secret>[A-Za-z0-9+/_\-]{8,1000}={0,2})(?![A-Za-z0-9+/_\-(.])",
        ("_auth",),
        ("//registry.example.com/:_auth=¦Ym9iOmh1bnRlcjI=", "_auth = ¦Ym9iOmh1bnRlcjI="),
        ("_auth = get_auth2_from(request)", "require_auth=Ym9iOmh1bnRlcjI", "_auth = none"),
        check="random",
    ),
    Rule(
        "dockerfile-env",
        "ASSIGNED_SECRET",
        r"\b(?:ENV|env)\s{1,3}[A-Za-z0-9_]{0,40}"
        + KEY_WORDS
        + r"[A-Za-z0-9_]{0,20}\s{1,3}[\"']?(?P<secret>[^\s\"'=]{4,256})",
        ("env",),
        ("ENV X_SECRET ¦hunter2x", "FROM alpine\nENV DB_PASSWORD '¦Tr0ub4dor&3'\n"),
        ("ENV SECRET_NAME my-secret-name", "ENV PATH /usr/bin", "ENV DB_PASSWORD $DB_PASSWORD", "ENV TOKEN_TTL 3600"),
        check="assigned",
        score=0.7,
        gate=r"(?:ENV|env)\s{1,3}[A-Za-z0-9_]{3,80}\s",
    ),
    Rule(
        "dockerfile-env-word",
        "ASSIGNED_SECRET",
        # The value of a variable that is a password by name may be one word.
        r"(?<![A-Za-z0-9_])ENV[ \t]{1,3}"
        r"(?:[A-Z0-9_]{1,40}_(?:PASSWORD|PASSWD|PASSPHRASE|PWD|API_?KEY|SECRET_?KEY)(?:[ \t]{1,3}|=)|"
        r"(?:PASSWORD|PASSWD|PASSPHRASE|PWD)=)[\"']?"
        r"(?!(?:true|false|none|null|always|never|required|optional|disabled|enabled|default|should|variable|cannot)\b)"
        r"(?P<secret>[A-Za-z]{6,256})(?![^\s\"'\\])",
        ("env",),
        ("ENV DB_PASSWORD ¦correcthorse", "FROM alpine\nENV POSTGRES_PASSWORD=¦swordfish\nRUN true\n"),
        (
            "ENV PASSWORD_FILE secrets",
            "ENV REQUIRE_PASSWORD always",
            "ENV SECRET_NAME database",
            "ENV PASSWORD your_password",
            "the ENV PASSWORD instruction",
        ),
        check="not_placeholder",
        score=0.7,
        gate=r"ENV[ \t]{1,3}[A-Z]",
    ),
    Rule(
        "kubernetes-secret-json",
        "ASSIGNED_SECRET",
        _named("kind") + _JSON_QUOTE + "Secret" + _JSON_QUOTE + rf"(?:(?!{_named('kind|data|stringData')})"
        r"(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,2000}\}){0,2000}\})){0,4000}"
        + _named("data|stringData")
        + r"\{(?P<secret>[^{}]{3,64000})\}",
        ('"secret',),
        (
            '{"kind":"Secret","metadata":{"name":"shop"},"data":{"conn":"¦aHVudGVyMg=="}}',
            '{"kind": "Secret", "metadata": {"labels": {"a": "b"}}, "data": {"conn": "¦aHVudGVyMg=="}}',
            'say "{\\"kind\\":\\"Secret\\",\\"stringData\\":{\\"conn\\":\\"¦hunter2\\"}}"',
        ),
        (
            '[{"kind": "Secret", "type": "Opaque"}, {"data": {"color": "blue"}, "kind": "ConfigMap"}]',
            '{"kind": "SecretStore", "data": {"color": "blue"}}',
            '{"kind": "Secret", "data": {}}',
        ),
        score=0.8,
        gate=r'kind\\{0,3}"\s{0,3}:\s{0,3}\\{0,3}"Secret\\{0,3}"',
    ),
    Rule(
        "kubernetes-secret-json-printed",
        "ASSIGNED_SECRET",
        _named("data|stringData") + r"\{(?P<secret>[^{}]{3,64000})\}\s{0,20},"
        rf"(?:\s{{0,20}}{_named('immutable')}(?:true|false)\s{{0,3}},)?\s{{0,20}}"
        + _named("kind")
        + _JSON_QUOTE
        + "Secret"
        + _JSON_QUOTE,
        ('"secret',),
        ('{"apiVersion": "v1", "data": {"conn": "¦aHVudGVyMg=="},\n "kind": "Secret", "metadata": {"name": "db"}}',),
        ('{"data": {"color": "blue"}, "kind": "ConfigMap"}', '{"data": {}, "kind": "Secret"}'),
        score=0.8,
        gate=r'kind\\{0,3}"\s{0,3}:\s{0,3}\\{0,3}"Secret\\{0,3}"',
    ),
    Rule(
        "kubernetes-secret",
        "ASSIGNED_SECRET",
        r"(?<![^\n])kind:[ \t]{1,3}Secret[ \t\r]{0,3}\n(?:(?!kind:|---|data:|stringData:)[^\n]{0,300}\n){0,40}"
        r"(?:stringData|data):[ \t\r]{0,3}\n"
        r"(?P<secret>(?:(?:[ \t]{1,16}[^\s][^\n]{0,16000}|(?:stringData|data):[ \t\r]{0,3})(?:\n|$)){1,80})",
        ("kind:",),
        (
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  user: ¦Ym9i\n  tls.key: LS0tLS1CRUdJTg==\n",
            "kind: Secret\nstringData:\n  conn: ¦hunter2hunter",
        ),
        (
            "kind: Secret\nmetadata:\n  name: db\n---\nkind: ConfigMap\ndata:\n  color: blue\n",
            "kind: SecretStore\ndata:\n  color: blue\n",
        ),
        score=0.8,
        gate=r"kind:[ \t]{1,3}Secret",
    ),
    Rule(
        "kubernetes-secret-printed",
        "ASSIGNED_SECRET",
        r"(?<![^\n])(?:stringData|data):[ \t\r]{0,3}\n(?P<secret>(?:[ \t]{1,16}[^\s][^\n]{0,16000}\n){1,80})"
        r"kind:[ \t]{1,3}Secret[ \t\r]{0,3}(?:\n|$)",
        ("data:",),
        ("apiVersion: v1\ndata:\n  password: ¦aHVudGVyMg==\n  user: Ym9i\nkind: Secret\nmetadata:\n  name: db\n",),
        ("apiVersion: v1\ndata:\n  color: blue\nkind: ConfigMap\n", "kind: Secret"),
        score=0.8,
        gate=r"kind:[ \t]{1,3}Secret",
    ),
)
