"""Every rule finds its examples and leaves its counterexamples alone, and what it needs is in them."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
import zlib

import pytest

from slmtrail.core.secrets import rules
from slmtrail.core.secrets.catalogue import RULES
from slmtrail.core.secrets.checks import CHECKS, entropy_bits_a_char, has_github_checksum, is_jwt
from slmtrail.core.secrets.matcher import SecretMatcher
from slmtrail.core.secrets.rules.rule import Rule


def unsplit(example: str) -> str:
    """An example without the mark that hides it from scanners."""
    return example.replace("¦", "")


EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.name}-{n}") for rule in RULES for n, example in enumerate(rule.examples)
]
COUNTEREXAMPLES = [
    pytest.param(rule, example, id=f"{rule.name}-{n}")
    for rule in RULES
    for n, example in enumerate(rule.counterexamples)
]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_finds_its_examples(rule: Rule, example: str) -> None:
    text = unsplit(example)
    found = SecretMatcher([rule]).find(text)
    assert len(found) == 1
    # The mark stands inside of what has to go.
    assert found[0].start <= example.index("¦") <= found[0].end
    assert found[0].score >= 0.6


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_an_anchor_is_in_every_example(rule: Rule, example: str) -> None:
    assert any(anchor in unsplit(example).lower() for anchor in rule.anchors)
    assert re.search(rule.pattern, unsplit(example))


@pytest.mark.parametrize(("rule", "example"), COUNTEREXAMPLES)
def test_a_rule_leaves_its_counterexamples_alone(rule: Rule, example: str) -> None:
    assert SecretMatcher([rule]).find(unsplit(example)) == []


def test_the_rules_of_every_file_count() -> None:
    files = [importlib.import_module(f"{rules.__name__}.{file.name}") for file in pkgutil.iter_modules(rules.__path__)]
    assert sorted(rule.name for file in files for rule in getattr(file, "RULES", ())) == sorted(
        rule.name for rule in RULES
    )


def test_names_are_unique_and_checks_exist() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.check for rule in RULES if rule.check} <= set(CHECKS)
    assert all(anchor == anchor.lower() for rule in RULES for anchor in rule.anchors)


def test_a_github_checksum_is_the_crc_of_the_body() -> None:
    body = "a" * 30
    number, digits = zlib.crc32(body.encode()), ""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    while number:
        number, rest = divmod(number, 62)
        digits = alphabet[rest] + digits
    token = "ghp_" + body + digits.rjust(6, "0")
    assert has_github_checksum(token)
    assert not has_github_checksum(token[:-1] + ("a" if token[-1] != "a" else "b"))
    assert SecretMatcher().find(token)[0].score == 1.0
    assert SecretMatcher().find("ghp_" + "b" * 36)[0].score < 1.0


def test_a_jwt_needs_a_header_of_json() -> None:
    assert is_jwt("eyJhbGciOiJub25lIn0.e30.")
    assert not is_jwt("eyJub3QgYSBoZWFkZXI.e30.")


def test_entropy_goes_from_none_to_a_lot() -> None:
    assert entropy_bits_a_char("aaaa") == 0
    assert entropy_bits_a_char("abcdefgh") == 3


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_takes_linear_time(rule: Rule) -> None:
    """Eight times the text takes no more than about eight times as long, whatever it repeats."""
    matcher = SecretMatcher([rule])
    pieces = [
        *rule.anchors,
        *(unsplit(example) for example in rule.examples),
        *(unsplit(e)[:-9] for e in rule.examples),
    ]

    def seconds(text: str) -> float:
        def once() -> float:
            start = time.process_time()
            matcher.find(text)
            return time.process_time() - start

        # The least of several: a collection of garbage in between is not the rule's.
        first = once()
        return first if first < 0.1 else min(first, once(), once())

    for piece in pieces:
        long = (piece * 20_000)[:64_000]
        # Quadratic time would be minutes; half a second is the promise for a text of this size.
        assert seconds(long) < 0.5 + 8 * seconds(long[:8_000])


HARMLESS = [
    "id: 123e4567-e89b-12d3-a456-426614174000",
    "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "OPENAI_API_KEY=sk-...",
    'export OPENAI_API_KEY="your-api-key-here"',
    "api_key: ${API_KEY}",
    "password: {{ vault_password }}",
    "password: !vault |",
    "password = var.db_password",
    "password: ${{ secrets.DB_PASSWORD }}",
    "token: $(cat /run/secrets/token)",
    "PASSWORD=$PASSWORD",
    "apiKey: process.env.API_KEY",
    'password = os.getenv("DB_PASSWORD")',
    "api_key=<YOUR_KEY>",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq bob@host",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 bob@host",
    "pk_live_wOqTh1fctgZIiFU3G7r90cEC",
    "https://example.com/reset-password?step=2",
    "password must be at least 12 characters long",
    "Enter your password:",
    "Password: ********",
    'password: "••••••••"',
    "tokens: 4096",
    "max_tokens=1024, temperature=0.2",
    "total_tokens: 18233",
    "token_type: bearer",
    '"token_count": 1024',
    "secret santa list: Anna, Ben",
    "The secret is patience.",
    "The password policy was updated.",
    "Please reset my password, thank you",
    "I forgot my password yesterday",
    "passwordless: enabled",
    "pass: 12 fail: 0",
    "tests passed: 1024",
    "keyboard: qwertz",
    "access_key_id is required",
    "api key rotation is due in May",
    "def password(self, value: str) -> None:",
    "password: str = Field(min_length=8)",
    "password: string;",
    "const token = await getToken();",
    'token = response.json()["access_token"]',
    "let secret = Secret::new(value)",
    "private_key_path: /etc/ssl/private/key.pem",
    "ssl_key=/etc/nginx/key.pem",
    "password_hash = bcrypt.hash(pw)",
    "$2b$12$KIX",
    "csrf_token: {{ csrf_token }}",
    "x-request-id: 123e4567-e89b-12d3-a456-426614174000",
    "GET /static/app.9d954b19599b112c60e8.js",
    "s3://bucket/key-name-here",
    "IBAN DE89370400440532013000",
    "AKIAIOSFODNN7",
    "model: sk-learn",
    "ask-ParR7VPiX4mSy3ScaiNE48ABKMOX3tkj",
    "The token expires in 3600 seconds",
    "Bearer of good news arrives tomorrow",
    "auth: none",
    "Authorization: Bearer $TOKEN",
    "Authorization: Bearer <access_token>",
    "Authorization: Bearer {token}",
    '-H "Authorization: Bearer ${GITHUB_TOKEN}"',
    "https://user@example.com/path",
    "https://example.com:8080/a",
    "mailto:bob@example.com",
    "redis://cache:6379/0",
    "postgres://localhost/db",
    "mongodb://mongo:27017",
    "amqp://${USER}:${PASS}@mq",
    "postgres://${PGUSER}:${PGPASSWORD}@db/app",
    'curl -u "$USER:$PASS" https://x',
    "--password-file /run/secrets/pw",
    "mysql -u root -p",
    "ssh -i ~/.ssh/id_rsa bob@host",
    'secret_name = "prod/db"',
    "secretName: tls-cert",
    "AWS_REGION=eu-central-1",
    "kid: 2024-01-rsa",
    "nonce=9PuWj5gNBMpEDDQH",
    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
    "License key words: freedom",
    "key: value",
    'key = "name"',
    "primary key (id)",
    "foreign key (user_id)",
    "SessionStore: redis",
    "session=None",
    "cookie consent: accepted",
    "passphrase: yes or no",
    "Mot de passe oublié ?",
    "Passwort vergessen?",
    "Das Passwort ist falsch",
    "Das Passwort muss geändert werden",
    "La contraseña es incorrecta",
    "parola d'ordine: libertà",
    "PIN: required",
    "pin code is needed",
    "API key: see vault",
    "secret: see 1Password item 42",
    "token: n/a",
    "credentials: none",
    "Credential Manager: open",
    "passport: C01X00T47",
    "pass rate: 93.5%",
    "cd $PWD/src",
    "git config credential.helper store",
    "kubectl create secret generic db --from-literal=password=$PW",
    "password: [REDACTED]",
    "password=***",
    "password: <hidden>",
    "key-value store",
    "AAAA:BBBB",
    "api_key_header_name: X-Key",
    "hash: pbkdf2",
    "npm_package_version=1.2.3",
    "hf_transfer==0.1.4",
    "gsk_something",
    "sk-learn-contrib",
    "xoxo, Anna",
    "r8_test",
    "dapi docs",
    "SG.1 is Singapore",
    "ya29 is short",
    "MTIz.abc.def",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_no_rule_takes_what_only_looks_like_a_secret(text: str) -> None:
    assert SecretMatcher().find(text) == []
