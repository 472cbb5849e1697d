"""The secret rules: one row a kind of secret, with texts it must find and texts it must not.

In the examples `¦` is taken out before use, so that no scanner takes this file itself for a leak.
"""

# ruff: noqa: RUF001

from __future__ import annotations

import re
from dataclasses import dataclass

VERSION = "5"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    pattern: in the syntax of `re`; repeats are bounded where they could be tried at many places, so that it
        takes linear time. Its group `secret` is what is removed, the whole match where there is none.
    anchors: small-letter literals, one of which is in every match: where none is, the rule doesn't run.
    gate: an expression of RE2 that occurs in every match, to go by where the anchors are in too many texts.
    check: the name of a check in `checks.py`. What fails it is no secret, or, where `unchecked_score` is
        above zero, is one with that score.
    """

    name: str
    type: str
    pattern: str
    anchors: tuple[str, ...]
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...] = ()
    check: str = ""
    score: float = 1.0
    unchecked_score: float = 0.0
    gate: str = ""


def _prefixed(
    name: str,
    type_: str,
    prefix: str,
    rest: str,
    *examples: str,
    counter: tuple[str, ...] = (),
    check: str = "",
    unchecked_score: float = 0.0,
    gate: str = "",
) -> Rule:
    """A rule for tokens that a fixed prefix gives away."""
    heads = prefix.split("|")
    pattern = rf"\b(?P<secret>(?:{'|'.join(head.replace('.', '[.]') for head in heads)}){rest})"
    return Rule(
        name,
        type_,
        pattern,
        tuple(head.lower() for head in heads),
        examples,
        counter,
        check,
        1.0,
        unchecked_score,
        gate,
    )


def _any_case(words: str) -> str:
    """An expression for `words` in small or capital letters, which flags halfway would not leave the gate to read."""
    return re.sub("[a-z]", lambda letter: f"[{letter[0].upper()}{letter[0]}]", words)


def _named(names: str) -> str:
    """A name in JSON, perhaps in a string of JSON, and the colon behind it."""
    return rf"{_JSON_QUOTE}(?:{names}){_JSON_QUOTE}\s{{0,3}}:\s{{0,3}}"


_JSON_QUOTE = r"\\{0,3}\""
_HTPASSWD_OPTIONS = r"(?:\s{1,3}-[A-Za-z0-9]{1,9}(?:\s{1,3}[0-9]{1,2})?)"
_URL_SAFE = r"[A-Za-z0-9_\-]"
# Between a name and its value; quotes may be escaped, as they are in code that holds code.
_QUOTE = r"(?:\\{0,3}[\"'`])?"
_ASSIGNED = (
    _QUOTE
    + r"(?:\s{0,3}:\s{0,3}[A-Za-z][\w.<>\[\]?]{0,40}\s{1,3}=\s{0,3}(?=[\"'`])|"
    + r"\s{0,3}(?::=|=>|:|=)\s{0,3}(?:[|>][+\-]?\s{1,20})?)"
    + _QUOTE
)
# An ampersand ends it where the next parameter of an address follows.
_VALUE = r"(?P<secret>(?:[^\s\"'`,;&<>\\]|&(?![\w.\-\[\]]{1,40}=)|\\[^\s\"'`]){6,256})"
KEY_WORDS = (
    r"(?:[Pp]ass(?:word|wd|phrase|code)|PASS(?:WORD|WD|PHRASE|CODE)|[Pp]wd|PWD|(?<![A-Za-z])(?:[Pp]ass|PASS)|"
    r"(?<![A-Za-z])(?:[Pp]w|PW|[Pp]sk|PSK)|[Ss]ecret(?:[_\-]?[Kk]ey(?:_base)?)?|SECRET(?:[_\-]?KEY(?:_BASE)?)?|[Aa]pi[_\-]?[Kk]ey|API[_\-]?(?:KEY|[Kk]ey)|[Aa]ccess[_\-]?[Kk]ey|ACCESS[_\-]?KEY|[Tt]oken|TOKEN|"
    r"[Pp]rivate[_\-]?[Kk]ey|PRIVATE[_\-]?KEY|[Cc]redential|CREDENTIAL|"
    r"[Pp]asswort|[Kk]ennwort|[Mm]ot de passe|[Cc]ontrase\u00f1a|[Ss]enha|[Ww]achtwoord|[Hh]as\u0142o|[Pp]arola)"
)
KEY_ANCHORS = (
    *(
        "pass",
        "pw",
        "psk",
        "secret",
        "api",
        "access",
        "token",
        "private",
        "credential",
        "kennwort",
        "contrase\u00f1a",
        "senha",
    ),
    *("wachtwoord", "has\u0142o", "parola"),
)

RULES: tuple[Rule, ...] = (
    # Models
    _prefixed(
        "openai-key",
        "OPENAI_KEY",
        "sk-proj-|sk-svcacct-|sk-admin-|sk-None-",
        _URL_SAFE + "{20,200}",
        "key sk-proj-¦abcdefghijklmnopqrstuvwx0123456789",
        "OPENAI_API_KEY=sk-svcacct-¦Zk3_9dhAAbbccDDeeff00112233445566-x",
        counter=("the sk-proj-folder", "ask-proj-abcdefghijklmnopqrstuvwxyz"),
    ),
    Rule(
        "openai-key-old",
        "OPENAI_KEY",
        r"\b(?P<secret>sk-[A-Za-z0-9]{32,64})\b",
        ("sk-",),
        ("sk-¦abcdefghijKLMNOPQRSTT3BlbkFJabcdefghijKLMNOPQRST",),
        ("task-0123456789012345678901234567890123", "sk-short", "sk-" + "x" * 40),
        check="random",
    ),
    _prefixed(
        "anthropic-key",
        "ANTHROPIC_KEY",
        "sk-ant-",
        _URL_SAFE + "{20,200}",
        "sk-ant-¦api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdEfGhIjAA",
        counter=("sk-ant-hill",),
    ),
    _prefixed(
        "openrouter-key",
        "OPENROUTER_KEY",
        "sk-or-v1-",
        "[0-9a-f]{64}",
        "sk-or-v1-¦0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    _prefixed(
        "langfuse-key",
        "LANGFUSE_KEY",
        "sk-lf-",
        "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "sk-lf-¦01234567-89ab-cdef-0123-456789abcdef",
    ),
    _prefixed(
        "langsmith-key",
        "LANGSMITH_KEY",
        "lsv2_pt_|lsv2_sk_",
        "[0-9a-f]{32}_[0-9a-f]{10}",
        "lsv2_pt_¦0123456789abcdef0123456789abcdef_0123456789",
    ),
    _prefixed(
        "huggingface-token",
        "HUGGINGFACE_TOKEN",
        "hf_|api_org_",
        r"[A-Za-z0-9]{30,40}\b",
        "hf_¦abcdefghijklmnopqrstuvwxyzABCDEFGH",
        counter=("hf_hub_download", "hf_dataset_name_of_mine"),
    ),
    _prefixed(
        "groq-key",
        "GROQ_KEY",
        "gsk_",
        r"[A-Za-z0-9]{40,60}\b",
        "gsk_¦abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    ),
    _prefixed("xai-key", "XAI_KEY", "xai-", r"[A-Za-z0-9]{70,90}\b", "xai-¦" + "aB3dE5fG7h" * 8),
    _prefixed(
        "perplexity-key", "PERPLEXITY_KEY", "pplx-", r"[A-Za-z0-9]{40,60}\b", "pplx-¦" + "aB3dE5fG7h" * 4 + "12345678"
    ),
    _prefixed(
        "replicate-token", "REPLICATE_TOKEN", "r8_", r"[A-Za-z0-9]{37}\b", "r8_¦abcdefghijklmnopqrstuvwxyzABCDEFGHIJK"
    ),
    _prefixed("pinecone-key", "PINECONE_KEY", "pcsk_", r"[A-Za-z0-9_]{50,80}\b", "pcsk_¦2abCD_" + "aB3dE5fG7h" * 6),
    _prefixed("cerebras-key", "CEREBRAS_KEY", "csk-", r"[a-z0-9]{40,60}\b", "csk-¦" + "a3d5f7h9k2" * 4 + "12345678"),
    _prefixed("nvidia-key", "NVIDIA_KEY", "nvapi-", _URL_SAFE + "{60,80}", "nvapi-¦" + "aB3dE5fG7h" * 6 + "1234"),
    _prefixed(
        "tavily-key",
        "TAVILY_KEY",
        "tvly-",
        r"[A-Za-z0-9\-]{28,60}\b",
        "tvly-¦dev-aB3dE5fG7haB3dE5fG7haB3dE5fG7h",
        counter=("tvly-search-and-extract-for-language-models",),
        check="random",
    ),
    _prefixed("elevenlabs-key", "ELEVENLABS_KEY", "sk_", r"[0-9a-f]{48}\b", "sk_¦" + "0123456789abcdef" * 3),
    # Clouds
    _prefixed(
        "aws-bedrock-key",
        "AWS_BEDROCK_KEY",
        "ABSK|bedrock-api-key-",
        r"[A-Za-z0-9+/]{100,1000}={0,2}",
        "ABSK¦" + "QmVkcm9ja0" * 11,
        counter=("ABSK is short",),
    ),
    Rule(
        "aws-access-key",
        "AWS_ACCESS_KEY",
        r"\b(?P<secret>(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b",
        ("akia", "asia", "abia", "acca"),
        ("aws configure: AKIA¦IOSFODNN7EXAMPLE", "ASIA¦QWERTYUIOP234567"),
        ("AKIAIOSFODNN7EXAMPL", "ASIA is a continent", "xAKIAIOSFODNN7EXAMPLE"),
    ),
    Rule(
        "aws-secret-key",
        "AWS_SECRET_KEY",
        r"[Ss][Ee][Cc][Rr][Ee][Tt][_ ]?(?:[Aa][Cc][Cc][Ee][Ss][Ss][_ ]?)?[Kk][Ee][Yy]"
        + _ASSIGNED
        + r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        ("secret",),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/¦bPxRfiCYEXAMPLEKEY",
            "SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG/¦bPxRfiCYEXAMPLEKEY'",
        ),
        ("secret key: " + "a" * 40,),
        check="random",
    ),
    _prefixed(
        "gcp-api-key",
        "GCP_API_KEY",
        "AIza",
        _URL_SAFE + r"{35}(?![A-Za-z0-9_\-])",
        "AIza¦SyA1234567890abcdefghijklmnopqrstu_",
        counter=("AIzawa is a city",),
    ),
    _prefixed(
        "gcp-access-token", "GCP_ACCESS_TOKEN", "ya29.", _URL_SAFE + "{20,1000}", "ya29.¦a0AfH6SMBxyz0123456789-abcdef"
    ),
    Rule(
        "gcp-refresh-token",
        "GCP_REFRESH_TOKEN",
        r"(?<![A-Za-z0-9/])(?P<secret>1//0[A-Za-z0-9_\-]{40,200})",
        ("1//0",),
        ("refresh 1//0¦gaB3dE5fG7haB3dE5fG7haB3dE5fG7haB3dE5fG7hab",),
        ("1//0 is no number", "https://x.example/1//0path"),
    ),
    _prefixed(
        "gcp-client-secret", "GCP_CLIENT_SECRET", "GOCSPX-", _URL_SAFE + "{28}", "GOCSPX-¦abcdefghijklmnopqrstuvwx1234"
    ),
    Rule(
        "azure-storage-key",
        "AZURE_STORAGE_KEY",
        r"(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{42,86}={1,2})",
        ("accountkey=", "sharedaccesskey="),
        (
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=¦"
            + "aB3dE5fG7h" * 8
            + "abcdef==;EndpointSuffix=core.windows.net",
        ),
        ("AccountKey=<key>",),
    ),
    Rule(
        "azure-client-secret",
        "AZURE_CLIENT_SECRET",
        r"(?<![A-Za-z0-9_~.\-])(?P<secret>[A-Za-z0-9_~.\-]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34})(?![A-Za-z0-9_~.\-])",
        ("q~",),
        ("client secret abc8Q~¦aB3dE5fG7haB3dE5fG7haB3dE5fG7h1234",),
    ),
    Rule(
        "azure-sas",
        "AZURE_SAS",
        r"[?&]sig=(?P<secret>[A-Za-z0-9%+/]{40,100}(?:%3[Dd]|=){0,2})",
        ("sig=",),
        ("https://x.blob.core.windows.net/c?sv=2022-11-02&sig=¦aB3dE5fG7haB3dE5fG7haB3dE5fG7haB3dE5fG7habc%3D",),
        ("https://x.example/?sig=off",),
    ),
    _prefixed(
        "digitalocean-token",
        "DIGITALOCEAN_TOKEN",
        "dop_v1_|doo_v1_|dor_v1_",
        "[0-9a-f]{64}",
        "dop_v1_¦" + "0123456789abcdef" * 4,
    ),
    _prefixed(
        "databricks-token",
        "DATABRICKS_TOKEN",
        "dapi",
        r"[0-9a-f]{32}(?:-[0-9])?\b",
        "dapi¦0123456789abcdef0123456789abcdef",
        counter=("dapi is a word",),
    ),
    _prefixed(
        "vault-token", "VAULT_TOKEN", "hvs.|hvb.", _URL_SAFE + "{24,300}", "hvs.¦CAESIJabcdefghijklmnopqrstuvwxyz012345"
    ),
    _prefixed(
        "heroku-key", "HEROKU_KEY", "HRKU-", r"[A-Za-z0-9_\-]{36,70}", "HRKU-¦01234567-89ab-cdef-0123-456789abcdef"
    ),
    _prefixed("netlify-token", "NETLIFY_TOKEN", "nfp_", r"[A-Za-z0-9]{36,40}\b", "nfp_¦" + "aB3dE5fG7h" * 3 + "123456"),
    _prefixed(
        "supabase-key",
        "SUPABASE_KEY",
        "sbp_|sb_secret_",
        r"[A-Za-z0-9_\-]{24,60}\b",
        "sbp_¦0123456789abcdef0123456789abcdef01234567",
        "sb_secret_¦aB3dE5fG7haB3dE5fG7h12_aB3dE5fG",
        counter=("sb_secret_of_the_project",),
        check="random",
    ),
    _prefixed(
        "planetscale-token",
        "PLANETSCALE_TOKEN",
        "pscale_tkn_|pscale_pw_|pscale_oauth_",
        r"[A-Za-z0-9_.=\-]{32,64}",
        "pscale_tkn_¦" + "aB3dE5fG7h" * 4 + "123",
    ),
    _prefixed(
        "tailscale-key",
        "TAILSCALE_KEY",
        "tskey-auth-|tskey-api-|tskey-client-|tskey-scim-|tskey-webhook-",
        r"[A-Za-z0-9\-]{16,80}",
        "tskey-auth-¦kaB3dE5fG7CNTRL-aB3dE5fG7haB3dE5fG7haB3dE5fG7h12",
    ),
    _prefixed(
        "doppler-token",
        "DOPPLER_TOKEN",
        "dp.pt.|dp.st.|dp.ct.|dp.sa.",
        r"[A-Za-z0-9._\-]{40,80}",
        "dp.pt.¦" + "aB3dE5fG7h" * 4,
    ),
    # Code
    _prefixed(
        "github-token",
        "GITHUB_TOKEN",
        "ghp_|gho_|ghu_|ghs_|ghr_",
        r"[A-Za-z0-9]{36,255}\b",
        "token ghp_¦0123456789abcdefghijABCDEFGHIJ0123ab",
        counter=("ghp_short", "highp_float"),
        check="github",
        unchecked_score=0.8,
    ),
    _prefixed(
        "github-pat",
        "GITHUB_TOKEN",
        "github_pat_",
        r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b",
        "github_pat_¦" + "aB3dE5fG7h" * 2 + "12_" + "aB3dE5fG7h" * 5 + "123456789",
    ),
    _prefixed(
        "gitlab-token",
        "GITLAB_TOKEN",
        "glpat-|gldt-|glrt-|glptt-|glft-|glsoat-|glcbt-",
        _URL_SAFE + r"{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{6,12})?",
        "glpat-¦aBcDeFgHiJkLmNoPqRsT",
        "glpat-¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0.01.1a2b3c4d5",
    ),
    _prefixed(
        "npm-token",
        "NPM_TOKEN",
        "npm_",
        r"[A-Za-z0-9]{36}\b",
        "npm_¦abcdefghijklmnopqrstuvwxyz0123456789",
        counter=("npm_config_registry",),
    ),
    _prefixed(
        "pypi-token",
        "PYPI_TOKEN",
        "pypi-AgEIcHlwaS5vcmc|pypi-AgENdGVzdC5weXBpLm9yZw",
        _URL_SAFE + "{50,1000}",
        "pypi-¦AgEIcHlwaS5vcmc" + "aB3dE5fG7h" * 6,
    ),
    _prefixed("docker-token", "DOCKER_TOKEN", "dckr_pat_", _URL_SAFE + "{27}", "dckr_pat_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0"),
    # Services
    _prefixed(
        "slack-token",
        "SLACK_TOKEN",
        "xoxb-|xoxa-|xoxc-|xoxd-|xoxp-|xoxr-|xoxs-|xoxe-|xoxo-|xoxe.|xapp-",
        r"[A-Za-z0-9\-.%+/=]{10,400}",
        "xoxb-¦123456789012-1234567890123-aBcDeFgHiJkLmNoPqRsTuVwX",
        "xapp-¦1-A0123456789-1234567890123-abcdef0123456789",
        counter=("xoxb-token",),
    ),
    Rule(
        "slack-webhook",
        "SLACK_WEBHOOK",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9_+/]{20,100})",
        ("hooks.slack.com/",),
        ("https://hooks.slack.com/services/¦T00000000/B00000000/aBcDeFgHiJkLmNoPqRsTuVwX",),
        ("https://hooks.slack.com/services/",),
    ),
    _prefixed(
        "stripe-key",
        "STRIPE_KEY",
        "sk_live_|sk_test_|rk_live_|rk_test_|whsec_",
        r"[A-Za-z0-9]{16,247}\b",
        "sk_live_¦aBcDeFgHiJkLmNoPqRsTuVwX",
        "whsec_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ012345",
        counter=("sk_test_key", "pk_live_aBcDeFgHiJkLmNoPqRsTuVwX"),
    ),
    _prefixed(
        "sendgrid-key",
        "SENDGRID_KEY",
        "SG.",
        _URL_SAFE + "{22}[.]" + _URL_SAFE + "{43}",
        "SG.¦aBcDeFgHiJkLmNoPqRsTuV.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcdefg",
    ),
    Rule(
        "twilio-key",
        "TWILIO_KEY",
        r"\b(?P<secret>SK[0-9a-f]{32})\b",
        ("sk",),
        ("SK¦0123456789abcdef0123456789abcdef",),
        ("SK0123",),
        gate="SK[0-9a-f]{32}",
    ),
    Rule(
        "telegram-token",
        "TELEGRAM_TOKEN",
        r"(?:\b|(?<=bot))(?P<secret>[0-9]{8,10}:AA[A-Za-z0-9_\-]{33})(?![A-Za-z0-9_\-])",
        (":aa",),
        (
            "bot 123456789:¦AAaBcDeFgHiJkLmNoPqRsTuVwXyZ0123456",
            "https://api.telegram.org/bot123456789:¦AAaBcDeFgHiJkLmNoPqRsTuVwXyZ0123456/getMe",
        ),
        ("12:AA",),
    ),
    _prefixed(
        "shopify-token",
        "SHOPIFY_TOKEN",
        "shpat_|shpca_|shppa_|shpss_",
        r"[0-9a-fA-F]{32}\b",
        "shpat_¦0123456789abcdef0123456789abcdef",
    ),
    _prefixed("linear-key", "LINEAR_KEY", "lin_api_", r"[A-Za-z0-9]{40}\b", "lin_api_¦" + "aB3dE5fG7h" * 4),
    _prefixed(
        "notion-token", "NOTION_TOKEN", "ntn_", r"[A-Za-z0-9]{40,60}\b", "ntn_¦" + "1234567890" + "aB3dE5fG7h" * 4
    ),
    _prefixed(
        "grafana-token",
        "GRAFANA_TOKEN",
        "glsa_|glc_",
        r"[A-Za-z0-9_+/=]{32,400}",
        "glsa_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ012345_0123abcd",
    ),
    _prefixed("newrelic-key", "NEWRELIC_KEY", "NRAK-", r"[A-Z0-9]{27}\b", "NRAK-¦ABCDEFGHIJKLMNOPQRSTUVWXYZ0"),
    _prefixed(
        "age-key", "AGE_KEY", "AGE-SECRET-KEY-1", r"[A-Z0-9]{58}\b", "AGE-SECRET-KEY-¦1" + "QPZRY9X8GF" * 5 + "2TVDW0S3"
    ),
    _prefixed("rubygems-key", "RUBYGEMS_KEY", "rubygems_", r"[0-9a-f]{48}\b", "rubygems_¦" + "0123456789abcdef" * 3),
    _prefixed(
        "atlassian-token",
        "ATLASSIAN_TOKEN",
        "ATATT3xFfGF0|ATCTT3xFfGN0",
        _URL_SAFE + "{60,250}(?:=[0-9A-F]{8})?",
        "ATATT3xFfGF0¦" + "aB3dE5fG7h" * 17 + "=0A1B2C3D",
    ),
    _prefixed(
        "sentry-token",
        "SENTRY_TOKEN",
        "sntrys_|sntryu_",
        r"[A-Za-z0-9_+/=]{40,400}",
        "sntryu_¦" + "0123456789abcdef" * 4,
    ),
    _prefixed("figma-token", "FIGMA_TOKEN", "figd_", _URL_SAFE + "{36,60}", "figd_¦" + "aB3dE5fG7h" * 4),
    _prefixed(
        "postman-key",
        "POSTMAN_KEY",
        "PMAK-",
        r"[0-9a-f]{24}-[0-9a-f]{34}\b",
        "PMAK-¦" + "0123456789ab" * 2 + "-" + "01234567890abcdef" * 2,
    ),
    _prefixed(
        "airtable-token",
        "AIRTABLE_TOKEN",
        "pat",
        r"[A-Za-z0-9]{14}\.[0-9a-f]{64}\b",
        "pat¦aB3dE5fG7h1234." + "0123456789abcdef" * 4,
        gate=r"pat[A-Za-z0-9]{14}\.",
    ),
    _prefixed(
        "square-token", "SQUARE_TOKEN", "sq0atp-|sq0csp-", _URL_SAFE + "{22,43}", "sq0atp-¦aB3dE5fG7haB3dE5fG7h12"
    ),
    _prefixed("mailgun-key", "MAILGUN_KEY", "key-", r"[0-9a-f]{32}\b", "key-¦0123456789abcdef0123456789abcdef"),
    Rule(
        "mailchimp-key",
        "MAILCHIMP_KEY",
        r"\b(?P<secret>[0-9a-f]{32}-us[0-9]{1,2})\b",
        ("-us",),
        ("0123456789abcdef¦0123456789abcdef-us12",),
        ("0123456789abcdef-us12", "en-us"),
    ),
    Rule(
        "discord-token",
        "DISCORD_TOKEN",
        r"(?<![A-Za-z0-9_\-.])(?P<secret>[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40})(?![A-Za-z0-9_\-.])",
        (".",),
        ("MTIzNDU2Nzg5MDEyMzQ1Njc4.¦GaBcDe.aB3dE5fG7haB3dE5fG7haB3dE5fG7h12345678",),
        ("Module.Submodule.Function",),
        check="random",
        gate=r"[MNO][A-Za-z0-9_\-]{23}[A-Za-z0-9_\-]{0,4}\.[A-Za-z0-9_\-]{6}\.",
    ),
    Rule(
        "discord-webhook",
        "DISCORD_WEBHOOK",
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/(?P<secret>[A-Za-z0-9_\-]{60,80})",
        ("/api/webhooks/",),
        ("https://discord.com/api/webhooks/123456789012345678/¦" + "aB3dE5fG7h" * 6 + "12345678",),
        ("https://discord.com/api/webhooks/",),
    ),
    Rule(
        "teams-webhook",
        "TEAMS_WEBHOOK",
        r"webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9@/\-]{60,250})",
        ("webhook.office.com/",),
        (
            "https://x.webhook.office.com/webhookb2/¦01234567-89ab@01234567-89ab/IncomingWebhook/0123456789abcdef0123456789abcdef/01",
        ),
        ("https://x.webhook.office.com/webhookb2/",),
    ),
    _prefixed("together-key", "TOGETHER_KEY", "tgp_v1_", _URL_SAFE + "{40,60}", "tgp_v1_¦" + "aB3dE5fG7h" * 4 + "123"),
    _prefixed("jina-key", "JINA_KEY", "jina_", r"[A-Za-z0-9_\-]{50,80}\b", "jina_¦" + "aB3dE5fG7h" * 6, check="random"),
    _prefixed(
        "voyage-key",
        "VOYAGE_KEY",
        "pa-",
        _URL_SAFE + r"{43}(?![A-Za-z0-9_\-])",
        "pa-¦" + "aB3dE5fG7h" * 4 + "123",
        check="random",
        gate=r"pa-[A-Za-z0-9_\-]{43}",
    ),
    _prefixed(
        "firecrawl-key",
        "FIRECRAWL_KEY",
        "fc-",
        r"[0-9a-f]{32}\b",
        "fc-¦" + "0123456789abcdef" * 2,
        gate=r"fc-[0-9a-f]{32}",
    ),
    _prefixed("e2b-key", "E2B_KEY", "e2b_|sk_e2b_", r"[0-9a-f]{40}\b", "e2b_¦" + "0123456789" * 4),
    _prefixed(
        "anyscale-key",
        "ANYSCALE_KEY",
        "esecret_|aph0_",
        r"[A-Za-z0-9_]{24,60}\b",
        "esecret_¦aB3dE5fG7haB3dE5fG7haB3dE5",
        check="random",
    ),
    _prefixed(
        "modal-token",
        "MODAL_TOKEN",
        "as-|ak-",
        r"[A-Za-z0-9]{22}\b",
        "as-¦aB3dE5fG7haB3dE5fG7h12",
        check="random",
        gate=r"a[ks]-[A-Za-z0-9]{22}",
    ),
    Rule(
        "wandb-key",
        "WANDB_KEY",
        r"\bwandb\s{1,3}login\s{1,3}(?:--\S{1,20}\s{1,3}){0,3}(?P<secret>[0-9a-f]{40})\b",
        ("wandb",),
        ("wandb login ¦" + "0123456789" * 4,),
        ("wandb login --relogin",),
    ),
    _prefixed(
        "resend-key",
        "RESEND_KEY",
        "re_",
        r"[A-Za-z0-9]{8}_[A-Za-z0-9]{24}\b",
        "re_¦aB3dE5fG_aB3dE5fG7haB3dE5fG7h1234",
        check="random",
        gate=r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
    ),
    _prefixed(
        "facebook-token",
        "FACEBOOK_TOKEN",
        "EAA",
        r"[A-Za-z0-9]{80,400}\b",
        "EAA¦" + "aB3dE5fG7h" * 9,
        check="random",
        gate="EAA[A-Za-z0-9]{80}",
    ),
    _prefixed(
        "bitbucket-password", "BITBUCKET_PASSWORD", "ATBB", r"[A-Za-z0-9]{32}\b", "ATBB¦" + "aB3dE5fG7h" * 3 + "12"
    ),
    _prefixed(
        "cloudflare-origin-key",
        "CLOUDFLARE_KEY",
        "v1.0-",
        r"[0-9a-f]{24}-[0-9a-f]{146}\b",
        "v1.0-¦" + "0123456789ab" * 2 + "-" + "0123456789" * 14 + "abcdef",
    ),
    _prefixed("posthog-key", "POSTHOG_KEY", "phx_", r"[A-Za-z0-9]{40,60}\b", "phx_¦" + "aB3dE5fG7h" * 4 + "123"),
    _prefixed(
        "notion-secret",
        "NOTION_TOKEN",
        "secret_",
        r"[A-Za-z0-9]{43}\b",
        "secret_¦" + "aB3dE5fG7h" * 4 + "123",
        check="random",
    ),
    _prefixed(
        "onepassword-token", "ONEPASSWORD_TOKEN", "ops_ey", _URL_SAFE + "{100,4000}", "ops_ey¦" + "aB3dE5fG7h" * 12
    ),
    _prefixed(
        "dynatrace-token",
        "DYNATRACE_TOKEN",
        "dt0c01.|dt0s01.|dt0s02.",
        r"[A-Z2-7]{24}\.[A-Z2-7]{64}\b",
        "dt0c01.¦" + "ABCDEFGH" * 3 + "." + "ABCDEFG2" * 8,
    ),
    _prefixed("pulumi-token", "PULUMI_TOKEN", "pul-", r"[0-9a-f]{40}\b", "pul-¦" + "0123456789" * 4),
    _prefixed("buildkite-token", "BUILDKITE_TOKEN", "bkua_", r"[0-9a-f]{40}\b", "bkua_¦" + "0123456789" * 4),
    _prefixed(
        "circleci-token",
        "CIRCLECI_TOKEN",
        "CCIPAT_|CCIPRJ_",
        r"[A-Za-z0-9]{22}_[0-9a-f]{40}\b",
        "CCIPAT_¦aB3dE5fG7haB3dE5fG7h12_" + "0123456789" * 4,
    ),
    _prefixed("sonar-token", "SONAR_TOKEN", "sqp_|squ_|sqa_", r"[0-9a-f]{40}\b", "sqp_¦" + "0123456789" * 4),
    _prefixed(
        "artifactory-key",
        "ARTIFACTORY_KEY",
        "AKCp",
        r"[A-Za-z0-9]{69}\b",
        "AKCp¦" + "aB3dE5fG7h" * 6 + "123456789",
        check="random",
    ),
    _prefixed(
        "fly-token",
        "FLY_TOKEN",
        "fm2_|fm1r_|fo1_",
        r"[A-Za-z0-9+/_\-]{40,2000}={0,2}",
        "FlyV1 fm2_¦" + "aB3dE5fG7h" * 6,
        check="random",
    ),
    _prefixed(
        "render-key", "RENDER_KEY", "rnd_", r"[A-Za-z0-9]{28,32}\b", "rnd_¦aB3dE5fG7haB3dE5fG7haB3dE5fG", check="random"
    ),
    _prefixed("neon-key", "NEON_KEY", "napi_", r"[a-z0-9]{50,70}\b", "napi_¦" + "a3d5f7h9k2" * 6),
    _prefixed(
        "mapbox-token",
        "MAPBOX_TOKEN",
        "sk.eyJ|tk.eyJ",
        r"[A-Za-z0-9_\-]{40,200}\.[A-Za-z0-9_\-]{20,40}",
        "sk.eyJ¦" + "aB3dE5fG7h" * 8 + ".aB3dE5fG7haB3dE5fG7h12",
    ),
    _prefixed(
        "hubspot-token",
        "HUBSPOT_TOKEN",
        "pat-na1-|pat-eu1-|pat-ap1-|pat-na2-|pat-eu2-",
        "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "pat-na1-¦01234567-89ab-cdef-0123-456789abcdef",
    ),
    Rule(
        "asana-token",
        "ASANA_TOKEN",
        r"(?<![\w/])(?P<secret>[12]/[0-9]{13,20}(?:/[0-9]{13,20})?:[0-9a-f]{32})\b",
        ("1/", "2/"),
        ("asana 1/1234567890123456:¦0123456789abcdef0123456789abcdef",),
        ("page 1/12:30",),
        gate=r"[12]/[0-9]{13,20}[:/]",
    ),
    _prefixed(
        "square-access-token",
        "SQUARE_TOKEN",
        "EAAA",
        _URL_SAFE + r"{60}(?![A-Za-z0-9_\-])",
        "EAAA¦" + "aB3dE5fG7h" * 6,
        check="random",
    ),
    _prefixed(
        "duffel-token",
        "DUFFEL_TOKEN",
        "duffel_live_|duffel_test_",
        _URL_SAFE + "{43}",
        "duffel_live_¦" + "aB3dE5fG7h" * 4 + "123",
    ),
    _prefixed("easypost-key", "EASYPOST_KEY", "EZAK|EZTK", r"[A-Za-z0-9]{54}\b", "EZAK¦" + "aB3dE5fG7h" * 5 + "1234"),
    _prefixed(
        "flutterwave-key",
        "FLUTTERWAVE_KEY",
        "FLWSECK-|FLWSECK_TEST-",
        r"[0-9a-zA-Z]{32}-X\b",
        "FLWSECK-¦" + "0123456789abcdef" * 2 + "-X",
    ),
    _prefixed(
        "typeform-token", "TYPEFORM_TOKEN", "tfp_", _URL_SAFE + "{44,60}", "tfp_¦" + "aB3dE5fG7h" * 5, check="random"
    ),
    _prefixed(
        "dropbox-token",
        "DROPBOX_TOKEN",
        "sl.",
        _URL_SAFE + "{130,1500}",
        "sl.¦" + "aB3dE5fG7h" * 14,
        check="random",
        gate=r"sl\.[A-Za-z0-9_\-]{130}",
    ),
    _prefixed(
        "adafruit-key",
        "ADAFRUIT_KEY",
        "aio_",
        r"[A-Za-z0-9]{28}\b",
        "aio_¦aB3dE5fG7haB3dE5fG7haB3dE5fG",
        check="random",
    ),
    _prefixed("readme-key", "README_KEY", "rdme_", r"[a-z0-9]{70}\b", "rdme_¦" + "a3d5f7h9k2" * 7),
    _prefixed("prefect-key", "PREFECT_KEY", "pnu_|pnb_", r"[A-Za-z0-9]{36}\b", "pnu_¦" + "aB3dE5fG7h" * 3 + "123456"),
    _prefixed("clojars-token", "CLOJARS_TOKEN", "CLOJARS_", r"[a-z0-9]{60}\b", "CLOJARS_¦" + "a3d5f7h9k2" * 6),
    _prefixed(
        "infracost-key",
        "INFRACOST_KEY",
        "ico-",
        r"[A-Za-z0-9]{32}\b",
        "ico-¦" + "aB3dE5fG7h" * 3 + "12",
        check="random",
        gate="ico-[A-Za-z0-9]{32}",
    ),
    _prefixed(
        "contentful-token", "CONTENTFUL_TOKEN", "CFPAT-", _URL_SAFE + "{43}", "CFPAT-¦" + "aB3dE5fG7h" * 4 + "123"
    ),
    _prefixed(
        "nuget-key",
        "NUGET_KEY",
        "oy2",
        r"[a-z0-9]{43}\b",
        "oy2¦" + "a3d5f7h9k2" * 4 + "123",
        check="random",
        gate="oy2[a-z0-9]{43}",
    ),
    _prefixed(
        "crates-token",
        "CRATES_TOKEN",
        "cio",
        r"[A-Za-z0-9]{32}\b",
        "cio¦" + "aB3dE5fG7h" * 3 + "12",
        check="random",
        gate="cio[A-Za-z0-9]{32}",
    ),
    _prefixed(
        "brevo-key",
        "BREVO_KEY",
        "xkeysib-|xsmtpsib-",
        r"[0-9a-f]{64}-[A-Za-z0-9]{16}\b",
        "xkeysib-¦" + "0123456789abcdef" * 4 + "-aB3dE5fG7haB3dE5",
    ),
    Rule(
        "terraform-token",
        "TERRAFORM_TOKEN",
        r"\b(?P<secret>[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-]{60,70})",
        (".atlasv1.",),
        ("aB3dE5fG7h1234.¦atlasv1." + "aB3dE5fG7h" * 6 + "1234567",),
        ("x.atlasv1.y",),
    ),
    # Of any origin
    Rule(
        "private-key-base64",
        "PRIVATE_KEY",
        r"(?:LS0tLS1CRUdJTi(?:BQUklWQVRFIEtFW|BSU0EgUFJJVkFURSBLRV|BFQyBQUklWQVRFIEtFW|BPUEVOU1NIIFBSSVZBVEUgS0VZ|BFTkNSWVBURUQgUFJJVkFURSBLRV|BEU0EgUFJJVkFURSBLRV)|"
        r"client-key-data\"?:\s{1,3}\"?)[A-Za-z0-9+/=\s]{0,4}[A-Za-z0-9+/]{40,16000}={0,2}",
        ("ls0tls1crudjti", "client-key-data"),
        (
            "tls.key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t¦" + "aB3dE5fG7h" * 6,
            "client-key-data: ¦" + "aB3dE5fG7h" * 6 + "==",
        ),
        ("tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t" + "aB3dE5fG7h" * 6, "client-key-data: REDACTED"),
    ),
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
        "named-key",
        "ASSIGNED_SECRET",
        rf"(?:{_any_case('subscription|auth|admin|master|encryption|signing|account|service|license')})"
        r"[_\- ]?[Kk][Ee][Yy]" + _ASSIGNED + r"(?P<secret>[A-Za-z0-9+/_\-]{20,256}={0,2})(?![A-Za-z0-9+/_\-.(])",
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
    ),
    Rule(
        "sql-password",
        "CONNECTION_PASSWORD",
        rf"\b(?:{_any_case('identified')}\s{{1,3}}(?:{_any_case('with')}\s{{1,3}}[^\s]{{1,40}}\s{{1,3}})?{_any_case('by')}|{_any_case('password')})"
        r"\s{1,3}'(?P<secret>[^\s']{4,256})'",
        ("identified", "password"),
        ("CREATE USER bob IDENTIFIED BY '¦Hunter22!';", "ALTER ROLE bob WITH PASSWORD '¦Hunter22!';"),
        ("ALTER ROLE bob PASSWORD '${PW}'", "identified by 'Dr Smith et al.'", "the word password 'required'"),
        check="assigned",
        score=0.7,
    ),
    Rule(
        "command-line-password-of-tools",
        "CONNECTION_PASSWORD",
        r"(?:\bConvertTo-SecureString\s{1,3}(?:-String\s{1,3})?|\bopenssl\b[^\n]{0,200}?\s(?:-k\s{1,3}|-pass(?:in|out)?\s{1,3}pass:)|"
        r"\b(?:zip|unzip)\b[^\n]{0,60}?\s-P\s{0,3}|\b7z[ar]?\b[^\n]{0,60}?\s-p|\s-(?:src|dest)?(?:store|key)pass\s{1,3}|"
        r"\bnet\s{1,3}use\b[^\n]{0,200}?\s/user:[^\s]{1,80}\s{1,3}|\bsqlplus\s{1,3}(?:-\S{1,10}\s{1,3}){0,3}[A-Za-z][\w$]{0,40}/|"
        r"\bjdbc:oracle:\w{1,10}:[A-Za-z][\w$]{0,40}/|\baws\s{1,3}configure\s{1,3}set\s{1,3}\S{0,40}aws_secret_access_key\s{1,3}|"
        r"\bmc\s{1,3}alias\s{1,3}set\s{1,3}\S{1,40}\s{1,3}\S{1,200}\s{1,3}\S{1,128}\s{1,3})"
        r"[\"']?(?P<secret>[^\s\"'`<>|;&@/\-][^\s\"'`<>|;&@]{3,255})",
        (
            "convertto-securestring",
            "openssl",
            "zip",
            "7z",
            "storepass",
            "keypass",
            "net",
            "sqlplus",
            "jdbc:oracle",
            "aws",
            "mc",
        ),
        (
            'ConvertTo-SecureString "¦Hunter22!" -AsPlainText -Force',
            "openssl enc -aes-256-cbc -k ¦Hunter22! -in a -out b",
            "openssl rsa -in k.pem -passin pass:¦Hunter22!",
            "zip -P ¦Hunter22! a.zip a",
            "keytool -list -keystore a.jks -storepass ¦changeit99",
            "net use Z: \\\\srv\\share /user:corp\\bob ¦Hunter22!",
            "sqlplus scott/¦Tig3rTig3r@//db:1521/XE",
            "jdbc:oracle:thin:scott/¦Tig3rTig3r@//db:1521/XE",
            "aws configure set aws_secret_access_key ¦wJalrXUtnFEMI/K7MDENG/bPxRfiCYaB3dE5fG7",
            "mc alias set minio https://m.example bob ¦Hunter22Hunter22",
        ),
        (
            "openssl rsa -in k.pem -passin env:PW",
            "unzip -P $PW a.zip",
            "net use Z: \\\\srv\\share /user:bob *",
            "sqlplus / as sysdba",
        ),
        check="assigned",
        score=0.8,
        gate=r"(?i:securestring|openssl|zip|7z|storepass|keypass|\bnet\s+use|sqlplus|jdbc:oracle|aws_secret_access_key|mc\s+alias)",
    ),
    Rule(
        "piped-password",
        "CONNECTION_PASSWORD",
        r"\becho\s{1,3}(?:-n\s{1,3})?[\"']?(?:[^\s\"':|]{1,64}:)?(?P<secret>[^\s\"'|]{4,256})[\"']?\s{0,3}\|\s{0,3}(?:sudo\s{1,3}(?:-\S{1,3}\s{1,3}){0,3}-S|(?:sudo\s{1,3})?chpasswd|(?:docker|podman|helm|oras|skopeo)\b[^\n]{0,120}--password-stdin|passwd\b[^\n]{0,60}--stdin)",
        ("echo",),
        (
            "echo ¦Hunter22! | sudo -S apt update",
            'echo "bob:¦Hunter22!" | chpasswd',
            "echo ¦Hunter22 | docker login -u bob --password-stdin",
        ),
        ("echo $PW | sudo -S apt update", "echo bob:${PW} | chpasswd", "echo hello | sudo tee a"),
        check="not_placeholder",
        score=0.8,
        gate=r"echo[^\n|]*\|",
    ),
    Rule(
        "otp-seed",
        "ASSIGNED_SECRET",
        r"otpauth://[^\s\"'<>]{1,200}?[?&]secret=(?P<secret>[A-Za-z2-7]{16,128})",
        ("otpauth://",),
        ("otpauth://totp/ACME:bob?secret=¦JBSWY3DPEHPK3PXP&issuer=ACME",),
        ("otpauth://totp/ACME:bob",),
    ),
    Rule(
        "seed-phrase",
        "SEED_PHRASE",
        rf"(?:{_any_case('seed phrase|seed words|mnemonic|recovery phrase|wallet phrase')})"
        r"(?: phrase)?(?:\s{1,3}(?:is|was)|\s{0,3}[:=]){1,2}"
        r"\s{0,3}[\"']?(?P<secret>(?:[a-z]{3,8}\s{1,3}){11,23}[a-z]{3,8})\b",
        ("seed", "mnemonic", "recovery phrase", "wallet phrase"),
        ("seed phrase: ¦abandon ability able about above absent absorb abstract absurd abuse access accident",),
        ("the seed phrase is kept in the safe, and nobody but the owner knows it",),
    ),
    Rule(
        "wallet-key",
        "PRIVATE_KEY",
        rf"{_any_case('private')}[ _\-]?[Kk][Ee][Yy]"
        r"[\"']?\s{0,3}(?:is\s{1,3}|[:=]\s{0,3}|\s)[\"']?(?P<secret>(?:0x)?[0-9a-fA-F]{64})\b",
        ("private",),
        ("private key 0x¦" + "0123456789abcdef" * 4, 'PRIVATE_KEY="¦' + "0123456789abcdef" * 4 + '"'),
        ("private key id " + "0123456789abcdef" * 4,),
    ),
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
        "private-key",
        "PRIVATE_KEY",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^\-]|-{1,4}[^\-]){0,16000}(?:-----END[^\-]{0,60}-----)?",
        ("private key",),
        (
            "-----BEGIN ¦PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSj\n-----END PRIVATE KEY-----",
            "-----BEGIN ¦OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAA\\n-----END OPENSSH PRIVATE KEY-----",
            "-----BEGIN ¦RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\nMIIEpAIBAAKCAQEA",
        ),
        ("-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----", "my private key is safe"),
    ),
    Rule(
        "putty-key",
        "PRIVATE_KEY",
        r"PuTTY-User-Key-File-[23]:(?:[^P]|P(?!rivate-MAC)){0,16000}Private-MAC:\s{0,3}[0-9a-f]{40,64}",
        ("putty-user-key-file",),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n¦AAAA\nPrivate-MAC: " + "0123456789abcdef" * 4,),
        ("a PuTTY-User-Key-File-3: header",),
    ),
    Rule(
        "ssh2-key",
        "PRIVATE_KEY",
        r"---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----(?:[^\-]|-{1,3}[^\-]){0,16000}(?:---- END[^\-]{0,60}----)?",
        ("private key",),
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n¦P2/56wAAAgIAAAAm\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",),
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
        r"\b[Bb](?:earer|EARER)\s{1,3}(?P<secret>[A-Za-z0-9\-._~+/%]{16,4000}={0,2})",
        ("bearer",),
        ("curl -H 'Bearer ¦9f8e7d6c5b4a39281706f5e4d3c2b1a0'",),
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
        "command-line-user",
        "CONNECTION_PASSWORD",
        r"\bcurl\b[^\n]{0,200}\s(?:-u|--user)[\s=]{0,2}[\"']?[^\s:\"']{1,128}:(?P<secret>[^\s\"']{2,256})",
        ("curl",),
        (
            "curl -u admin:¦hunter2 https://api.example.com",
            "curl -sS --user 'me:¦pa55word' https://x.example",
            "curl -u bob:p¦w https://x.example",
        ),
        ("curl -u admin https://api.example.com", "curl -u $USER:$PASSWORD https://x.example"),
        check="not_placeholder",
    ),
    Rule(
        "command-line-password",
        "CONNECTION_PASSWORD",
        r"\b(?:(?:docker|podman|buildah|nerdctl|skopeo|oras|az|oc|helm\s{1,3}registry)\s{1,3}login\b[^\n]{0,200}?\s-p[\s=]{1,3}|"
        r"(?:mysql(?:dump|admin|import|pump|show|check)?|mariadb(?:-dump|-admin)?)\b[^\n]{0,200}?\s-p|"
        r"sshpass\s{1,3}-p\s{0,3}|redis-cli\b[^\n]{0,200}?\s-a\s{1,3}|"
        r"mongo(?:sh|dump|restore|export|import)?\b[^\n]{0,200}?\s-p\s{1,3})[\"']?(?P<secret>[^\s\"'`<>|;&\-][^\s\"'`<>|;&]{1,255})",
        (
            *("docker", "podman", "buildah", "nerdctl", "skopeo", "oras", "az", "oc", "helm"),
            *("mysql", "mariadb", "sshpass", "redis-cli", "mongo"),
        ),
        (
            "docker login -u bob -p ¦hunter2 registry.example.com",
            "az login --service-principal -u app -p ¦Zk3~9dhAAbb --tenant t",
            "mysql -u root -p¦hunter2 shop",
            "mysqldump -uroot -p'¦hunter2' shop > dump.sql",
            "sshpass -p ¦hunter2 ssh bob@host.example",
            "redis-cli -h cache -a ¦hunter2 ping",
            "mongosh -u bob -p ¦hunter2 shop",
        ),
        (
            "docker login -u bob --password-stdin",
            "docker run -p 8080:80 web",
            "mysql -u root -p shop",
            "mysql -u root -p$MYSQL_PASSWORD shop",
            "mysql --protocol tcp -P 3306",
            "ssh -p 2222 bob@host.example",
        ),
        check="not_placeholder",
        score=0.8,
        gate=r"(?:(?:docker|podman|buildah|nerdctl|skopeo|oras|az|oc|registry)\s{1,3}login|mysql|mariadb|sshpass|redis-cli|mongo)[^\n]*\s-[ap]",
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
        "htpasswd-password",
        "CONNECTION_PASSWORD",
        r"\bhtpasswd(?:\s{1,3}[a-z][\w.:/\-]{1,60})?(?=" + _HTPASSWD_OPTIONS + r"{0,5}\s{1,3}-[A-Za-z0-9]{0,8}b)"
        r"(?:(?="
        + _HTPASSWD_OPTIONS
        + r"{0,5}\s{1,3}-[A-Za-z0-9]{0,8}n)"
        + _HTPASSWD_OPTIONS
        + r"{1,6}|"
        + _HTPASSWD_OPTIONS
        + r"{1,6}\s{1,3}[\"']?[^\s\"'\-]{0,100}(?:[./$]|passw|users|auth)[^\s\"']{0,100}[\"']?)"
        r"\s{1,3}[\"']?[^\s\"'`<>|;&\-][^\s\"'`<>|;&]{0,128}[\"']?\s{1,3}[\"']?(?P<secret>[^\s\"'`<>|;&]{1,256})",
        ("htpasswd",),
        (
            "htpasswd -b /etc/nginx/.htpasswd bob ¦hunter2",
            "htpasswd -c -b -C 12 users 'bob' 'correct¦horse' && nginx -s reload",
            "htpasswd -nbB bob ¦hunter2",
            "docker run --entrypoint htpasswd httpd:2 -Bbn bob ¦hunter2 > auth/htpasswd",
        ),
        (
            "htpasswd -c /etc/nginx/.htpasswd bob",
            "htpasswd -b .htpasswd bob $PASSWORD",
            "the htpasswd -b flag takes the password as well",
            "htpasswd -B -i .htpasswd bob < secret.txt",
        ),
        check="not_placeholder",
        score=0.8,
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
    Rule(
        "command-line-secret",
        "ASSIGNED_SECRET",
        r"--[a-z\-]{0,30}(?:password|passwd|passphrase|pass|secret|token|api-?key|access-key)(?:\s{1,3}|=)[\"']?"
        r"(?!(?:id|source|type|name)=)(?P<secret>(?:[^\s\"'`<>|;&]|&(?=\S)){6,256})",
        ("--",),
        ("run --password ¦hunter2!x", "deploy --api-key=¦9f8e7d6c5b4a3928"),
        ("docker login --password-stdin", "run --token $TOKEN", "--max-tokens 409600x", "--secret source=database"),
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
        KEY_WORDS + _ASSIGNED + _VALUE,
        KEY_ANCHORS,
        (
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
