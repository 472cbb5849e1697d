"""Values that stand where the layout says so: below or beside a name in a table, in an element, behind markup."""

# ruff: noqa: E501

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import ANY_KEY, KEY_ANCHORS, KEY_GATE, KEY_WORDS, WHICH, any_case
from slmtrail.core.secrets.rules.rule import Rule

_VALUE = r"(?![&?])(?P<secret>[^\s\"'`<>|,;(){}\[\]]{4,256}?)(?=\*{0,2}(?:[\s\"'`<|,;)\]}]|&lt;|\Z))"
_MARKUP = (
    r"(?:</?[A-Za-z][^<>]{0,60}>|&lt;/?[A-Za-z][^<>&]{0,60}&gt;|&gt;|[*`|]{1,3}|__|-{1,2}>|={1,3}>"
    r"|[\u2192\u2014\u2013]|<!\[CDATA\[)"
)

# What opens a list or a map of values: a bracket, perhaps behind a type, or a line that ends with a colon.
_OPENS = (
    r"[\"'\])]{0,3}(?:\[\])?(?::[ \t]{0,8}(?:#[^\n]{0,80})?\r?\n|\s{0,3}(?::\s{0,3}[A-Za-z][\w.<>\[\], ]{0,40}\s{0,3}=|(?:[ \t]{4,24})?(?::=|=>|:|=))\s{0,3}"
    r"(?:(?:new\s{1,3})?[\w.:]{0,20}(?:\[\w{0,12}\]|<[\w, <>]{1,40}>)\*?\w{0,20}(?:\(\))?\s{0,3}|(?:[Aa]rray|list|tuple|set|vec!|qw|new Set|(?:List|Set|Map)\.of|Arrays\.asList)\s?|%w)?[\[({])"
)

RULES = (
    Rule(
        "container-secret",
        "ASSIGNED_SECRET",
        r"(?![Tt]oken|TOKEN)" + KEY_WORDS + r"(?:[Ss]|es|en|\u00f1as)?" + WHICH + _OPENS,
        KEY_ANCHORS,
        (
            "passwords:\n  bob: ¦hunter2!\n",
            "api_keys:\n  - ¦9f8e7d6c5b4a3928\n",
            'passwords = ["¦hunter2!x"]',
            "PASSWORDS = ('¦hunter2!',)",
            'String[] secrets = new String[] {"¦hunter2!"};',
            'secrets := []string{"¦hunter2!"}',
            'let secrets = vec!["¦hunter2!"];',
            "my %passwd = (bob => '¦hunter2!');",
            '$passwords = array("bob" => "¦hunter2!");',
            "passwords = %w[¦hunter2!]",
            'secrets = { cookie = "¦hunter2!", size = 7 }',
            '{"passwords": {"bob": "¦hunter2!',
            "credentials: {login: admin, mail: ¦hunter2!}",
            "these are the passwords:\n- bob: ¦hunter2!\n\nbye",
        ),
        (
            "secrets:\n  - db_password\n  - api_token",
            "passwords:\n  min_length: 12\n  require_digit: true",
            'keywords = ["password", "secret", "token"]',
            "password = decrypt('x7-Gh!aa')",
            "password:\n  type: string\n  pattern: '^(?=.*[A-Z]).{8}$'\ncolor: blue-7x!",
            "secrets:\n  db:\n    file: ./db1.txt",
        ),
        check="coined",
        score=0.7,
        at_anchor=True,
        is_container=True,
        gate=KEY_GATE + r"[^\n]{0,80}(?:[\[({]|:[ \t]{0,8}(?:#[^\n]{0,80})?\r?\n)",
    ),
    Rule(
        "container-token",
        "ASSIGNED_SECRET",
        r"(?:[Tt]okens|TOKENS|[Cc]ookies|COOKIES|(?:"
        + any_case(
            "unseal|encryption|signing|master|deploy|session|recovery|root|admin|license|service|account|subscription"
        )
        + r")[_\- ]?(?:[Kk]eys|KEYS))"
        + WHICH
        + _OPENS,
        ("tokens", "cookies", "keys"),
        (
            'tokens := []string{"¦9f8e7d6c5b4a3928"}',
            "tokens:\n    staging: ¦9f8e7d6c5b4a39281706",
            "vault_unseal_keys:\n- ¦aB3dE5fG7hJ9kL1mN0pQ",
        ),
        ('{"tokens": ["##ing", "Hello", "\u01202", "</s>"]}', "tokens:\n  total: 1200", 'tokens = ["a1", "b2"]'),
        check="drawn",
        score=0.7,
        is_container=True,
        gate=r"(?i)(?:tokens|cookies|[_\- a-z]keys)[^\n]{0,80}(?:[\[({]|:[ \t]{0,8}(?:#[^\n]{0,80})?\r?\n)",
    ),
    Rule(
        "told-several",
        "ASSIGNED_SECRET",
        r"(?:[Pp]ass(?:words|phrases|codes|w\u00f6rter)|[Kk]ennw\u00f6rter|[Mm]ots de passe|[Cc]ontrase\u00f1as|[Ss]enhas|[Ww]achtwoorden|[Cc]redentials|[Hh]as\u0142a|"
        r"[Ss]ecrets|API keys)[ \t](?:(?!\b(?:are|were)\b)[^\W\d]{1,14}[ \t]){0,4}(?:are|were|sind|lauten|waren|sont|son|s\u00e3o|sono|zijn|\u00e4r|s\u0105|to)\b:?[ \t]",
        (
            "pass",
            "kennw",
            "mots",
            "contrase\u00f1a",
            "senhas",
            "wachtwoorden",
            "credentials",
            "has\u0142a",
            "secrets",
            "keys",
        ),
        (
            "The passwords are ¦hunter2!",
            "the passwords of bob are: ¦Tr0ub4dor&3x",
        ),
        ("passwords are hashed with sha256", "credentials are stored in vault2", "secrets are not rotated"),
        check="coined",
        score=0.6,
        is_container=True,
        gate=r"(?i)(?:words|codes|w.rter|passe|phrases|ase.as|senhas|woorden|credentials|has.a|secrets|keys)[ \t]",
    ),
    Rule(
        "column-secret",
        "ASSIGNED_SECRET",
        r"(?P<secret>" + KEY_WORDS + WHICH + r")[\"'`*]{0,3}(?=[ \t]{0,40}[,;|│&\t\n\r\\\])}]|[ ]{2})",
        KEY_ANCHORS,
        (
            "user,password,note\nbob,¦hunter2!,home\n",
            "id;api_key\n7;¦9f8e7d6c5b4a3928",
            "| user | password |\n|------|----------|\n| bob | `¦hunter2!` |",
            " user | password \n------+----------\n bob  | ¦hunter2!\n(1 row)",
            '"user","password"\n"bob, jr.","¦hunter2!"',
            '{"columns": ["user", "password"], "rows": [["bob", "¦hunter2!"]]}',
            "INSERT INTO users (name, password) VALUES ('bob', '¦hunter2!')",
            "USER      PASSWORD      ROLE\nbob       ¦hunter2!      admin",
        ),
        (
            "| Option | Default |\n|---|---|\n| --password | none |\n| --token-file | /run/token1 |",
            "user,password\nbob,required",
            "I lost my password, again\nThat was on May-5th, too",
            "name,tokens\nfoo,1024k",
            "INSERT INTO users (name, password) VALUES (?, $2)",
            '["user", "password", "blue-7x"]',
            "bob,token\n\neve,level-7",
        ),
        check="assigned",
        score=0.7,
        at_anchor=True,
        is_column=True,
    ),
    Rule(
        "element-secret",
        "ASSIGNED_SECRET",
        r"<[A-Za-z0-9_.:\-]{0,60}"
        + KEY_WORDS
        + r"[A-Za-z0-9_.\-]{0,20}(?:\s[^<>]{0,200})?>\s{0,3}(?:<!\[CDATA\[)?(?P<secret>[^\s<>\[\]]{6,256})\s{0,3}(?:\]\]>\s{0,3})?</",
        KEY_ANCHORS,
        (
            "<password>¦hunter2!</password>",
            "<db:apiKey>¦9f8e7d6c5b4a3928</db:apiKey>",
            '<wsse:Password Type="text">¦hunter2!</wsse:Password>',
            "<password><![CDATA[¦hunter2!]]></password>",
        ),
        ("<password>required</password>", "<token>${TOKEN}</token>"),
        check="assigned",
        score=0.7,
        gate=r"(?i)<[a-z0-9_.:\-]{0,60}" + ANY_KEY,
    ),
    Rule(
        "element-named-secret",
        "ASSIGNED_SECRET",
        r"\b(?:name|key|id|Name|Key)=[\"'][A-Za-z0-9_.:\-]{0,60}"
        + KEY_WORDS
        + WHICH
        + r"[\"'][^<>]{0,100}>\s{0,20}(?:<value[^<>]{0,40}>\s{0,3})?(?P<secret>[^\s<>]{4,256})\s{0,3}</",
        KEY_ANCHORS,
        (
            '<property name="password">¦hunter2!</property>',
            '<setting name="Password" serializeAs="String"><value>¦hunter2!</value></setting>',
        ),
        ('<property name="password">required</property>', '<string name="password_hint">At least 8x</string>'),
        check="assigned",
        score=0.7,
        gate=r"(?i)\b(?:name|key|id)=[\"']",
    ),
    Rule(
        "marked-up-secret",
        "ASSIGNED_SECRET",
        # Between the name and its value stand a separator and markup, or markup alone.
        KEY_WORDS
        + WHICH
        + r"(?:\s{0,3}[:=])?\s{0,3}"
        + _MARKUP
        + r"(?:\s{0,3}(?:[:=]|"
        + _MARKUP
        + r")){0,5}\s{0,3}[\"'`]{0,3}"
        + _VALUE,
        KEY_ANCHORS,
        (
            "<tr><td>Password:</td><td><code>¦Tr0ub4dor&3x</code></td></tr>",
            "<key>apiToken</key>\n<string>¦9f8e7d6c5b4a3928</string>",
            "**Password:** ¦Tr0ub4dor&3x",
            "| **API key** | `¦9f8e7d6c5b4a3928` |",
            "Password:\n```\n¦Tr0ub4dor&3x\n```",
            "Password \u2192 ¦Tr0ub4dor&3x",
            "&lt;password&gt;¦Tr0ub4dor&3x&lt;/password&gt;",
        ),
        (
            "| password | string | at least 8 |",
            "**Password:** required",
            "<td>Password</td><td>8-64</td>",
            "| Token | GPT-4o |",
            "- **Token**: `my-app2`",
        ),
        check="coined",
        score=0.7,
        at_anchor=True,
        gate=KEY_GATE + r"[a-z0-9_.\-]{0,24}\s{0,3}[<>&*_`|=:" + "\u2192\u2014\u2013" + r"\-]",
    ),
    Rule(
        "form-data-secret",
        "ASSIGNED_SECRET",
        r"form-data;\s{0,3}name=[\"'][^\"'\n]{0,60}"
        + KEY_WORDS
        + WHICH
        + r"[\"'](?:\\r)?(?:\\n|[\r\n\\]){2,8}(?P<secret>[^\s\"'\\]{4,256})",
        ("form-data",),
        ('Content-Disposition: form-data; name="password"\r\n\r\n¦hunter2!\r\n--x',),
        ('Content-Disposition: form-data; name="password"\r\n\r\n--x',),
        check="assigned",
        score=0.7,
        gate="form-data;",
    ),
)
