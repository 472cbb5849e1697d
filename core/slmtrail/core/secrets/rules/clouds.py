"""Keys of clouds, hosting and infrastructure."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import ASSIGNED, URL_SAFE
from slmtrail.core.secrets.rules.rule import Rule, prefixed

RULES = (
    prefixed(
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
        + ASSIGNED
        + r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        ("secret",),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/¦bPxRfiCYEXAMPLEKEY",
            "SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG/¦bPxRfiCYEXAMPLEKEY'",
        ),
        ("secret key: " + "a" * 40,),
        check="random",
    ),
    prefixed(
        "gcp-api-key",
        "GCP_API_KEY",
        "AIza",
        URL_SAFE + r"{35}(?![A-Za-z0-9_\-])",
        "AIza¦SyA1234567890abcdefghijklmnopqrstu_",
        counter=("AIzawa is a city",),
    ),
    prefixed(
        "gcp-access-token", "GCP_ACCESS_TOKEN", "ya29.", URL_SAFE + "{20,1000}", "ya29.¦a0AfH6SMBxyz0123456789-abcdef"
    ),
    Rule(
        "gcp-refresh-token",
        "GCP_REFRESH_TOKEN",
        r"(?<![A-Za-z0-9/])(?P<secret>1//0[A-Za-z0-9_\-]{40,200})",
        ("1//0",),
        ("refresh 1//0¦gaB3dE5fG7haB3dE5fG7haB3dE5fG7haB3dE5fG7hab",),
        ("1//0 is no number", "https://x.example/1//0path"),
    ),
    prefixed(
        "gcp-client-secret", "GCP_CLIENT_SECRET", "GOCSPX-", URL_SAFE + "{28}", "GOCSPX-¦abcdefghijklmnopqrstuvwx1234"
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
    prefixed(
        "digitalocean-token",
        "DIGITALOCEAN_TOKEN",
        "dop_v1_|doo_v1_|dor_v1_",
        "[0-9a-f]{64}",
        "dop_v1_¦" + "0123456789abcdef" * 4,
    ),
    prefixed(
        "databricks-token",
        "DATABRICKS_TOKEN",
        "dapi",
        r"[0-9a-f]{32}(?:-[0-9])?\b",
        "dapi¦0123456789abcdef0123456789abcdef",
        counter=("dapi is a word",),
    ),
    prefixed(
        "vault-token", "VAULT_TOKEN", "hvs.|hvb.", URL_SAFE + "{24,300}", "hvs.¦CAESIJabcdefghijklmnopqrstuvwxyz012345"
    ),
    prefixed(
        "heroku-key", "HEROKU_KEY", "HRKU-", r"[A-Za-z0-9_\-]{36,70}", "HRKU-¦01234567-89ab-cdef-0123-456789abcdef"
    ),
    prefixed("netlify-token", "NETLIFY_TOKEN", "nfp_", r"[A-Za-z0-9]{36,40}\b", "nfp_¦" + "aB3dE5fG7h" * 3 + "123456"),
    prefixed(
        "supabase-key",
        "SUPABASE_KEY",
        "sbp_|sb_secret_",
        r"[A-Za-z0-9_\-]{24,60}\b",
        "sbp_¦0123456789abcdef0123456789abcdef01234567",
        "sb_secret_¦aB3dE5fG7haB3dE5fG7h12_aB3dE5fG",
        counter=("sb_secret_of_the_project",),
        check="random",
    ),
    prefixed(
        "planetscale-token",
        "PLANETSCALE_TOKEN",
        "pscale_tkn_|pscale_pw_|pscale_oauth_",
        r"[A-Za-z0-9_.=\-]{32,64}",
        "pscale_tkn_¦" + "aB3dE5fG7h" * 4 + "123",
    ),
    prefixed(
        "tailscale-key",
        "TAILSCALE_KEY",
        "tskey-auth-|tskey-api-|tskey-client-|tskey-scim-|tskey-webhook-",
        r"[A-Za-z0-9\-]{16,80}",
        "tskey-auth-¦kaB3dE5fG7CNTRL-aB3dE5fG7haB3dE5fG7haB3dE5fG7h12",
    ),
    prefixed(
        "doppler-token",
        "DOPPLER_TOKEN",
        "dp.pt.|dp.st.|dp.ct.|dp.sa.",
        r"[A-Za-z0-9._\-]{40,80}",
        "dp.pt.¦" + "aB3dE5fG7h" * 4,
    ),
    prefixed(
        "cloudflare-origin-key",
        "CLOUDFLARE_KEY",
        "v1.0-",
        r"[0-9a-f]{24}-[0-9a-f]{146}\b",
        "v1.0-¦" + "0123456789ab" * 2 + "-" + "0123456789" * 14 + "abcdef",
    ),
    prefixed("pulumi-token", "PULUMI_TOKEN", "pul-", r"[0-9a-f]{40}\b", "pul-¦" + "0123456789" * 4),
    prefixed(
        "fly-token",
        "FLY_TOKEN",
        "fm2_|fm1r_|fo1_",
        r"[A-Za-z0-9+/_\-]{40,2000}={0,2}",
        "FlyV1 fm2_¦" + "aB3dE5fG7h" * 6,
        check="random",
    ),
    prefixed(
        "render-key", "RENDER_KEY", "rnd_", r"[A-Za-z0-9]{28,32}\b", "rnd_¦aB3dE5fG7haB3dE5fG7haB3dE5fG", check="random"
    ),
    prefixed("neon-key", "NEON_KEY", "napi_", r"[a-z0-9]{50,70}\b", "napi_¦" + "a3d5f7h9k2" * 6),
    prefixed(
        "infracost-key",
        "INFRACOST_KEY",
        "ico-",
        r"[A-Za-z0-9]{32}\b",
        "ico-¦" + "aB3dE5fG7h" * 3 + "12",
        check="random",
        gate="ico-[A-Za-z0-9]{32}",
    ),
    Rule(
        "terraform-token",
        "TERRAFORM_TOKEN",
        r"\b(?P<secret>[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-]{60,70})",
        (".atlasv1.",),
        ("aB3dE5fG7h1234.¦atlasv1." + "aB3dE5fG7h" * 6 + "1234567",),
        ("x.atlasv1.y",),
    ),
)
