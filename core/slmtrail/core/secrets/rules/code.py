"""Tokens of code hosts, package registries and builds."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import URL_SAFE
from slmtrail.core.secrets.rules.rule import prefixed

RULES = (
    prefixed(
        "github-token",
        "GITHUB_TOKEN",
        "ghp_|gho_|ghu_|ghs_|ghr_",
        r"[A-Za-z0-9]{36,255}\b",
        "token ghp_¦0123456789abcdefghijABCDEFGHIJ0123ab",
        counter=("ghp_short", "highp_float"),
        check="github",
        unchecked_score=0.8,
    ),
    prefixed(
        "github-pat",
        "GITHUB_TOKEN",
        "github_pat_",
        r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b",
        "github_pat_¦" + "aB3dE5fG7h" * 2 + "12_" + "aB3dE5fG7h" * 5 + "123456789",
    ),
    prefixed(
        "gitlab-token",
        "GITLAB_TOKEN",
        "glpat-|gldt-|glrt-|glptt-|glft-|glsoat-|glcbt-",
        URL_SAFE + r"{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{6,12})?",
        "glpat-¦aBcDeFgHiJkLmNoPqRsT",
        "glpat-¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0.01.1a2b3c4d5",
    ),
    prefixed(
        "npm-token",
        "NPM_TOKEN",
        "npm_",
        r"[A-Za-z0-9]{36}\b",
        "npm_¦abcdefghijklmnopqrstuvwxyz0123456789",
        counter=("npm_config_registry",),
    ),
    prefixed(
        "pypi-token",
        "PYPI_TOKEN",
        "pypi-AgEIcHlwaS5vcmc|pypi-AgENdGVzdC5weXBpLm9yZw",
        URL_SAFE + "{50,1000}",
        "pypi-¦AgEIcHlwaS5vcmc" + "aB3dE5fG7h" * 6,
    ),
    prefixed("docker-token", "DOCKER_TOKEN", "dckr_pat_", URL_SAFE + "{27}", "dckr_pat_¦aBcDeFgHiJkLmNoPqRsTuVwXyZ0"),
    prefixed("rubygems-key", "RUBYGEMS_KEY", "rubygems_", r"[0-9a-f]{48}\b", "rubygems_¦" + "0123456789abcdef" * 3),
    prefixed(
        "bitbucket-password", "BITBUCKET_PASSWORD", "ATBB", r"[A-Za-z0-9]{32}\b", "ATBB¦" + "aB3dE5fG7h" * 3 + "12"
    ),
    prefixed("buildkite-token", "BUILDKITE_TOKEN", "bkua_", r"[0-9a-f]{40}\b", "bkua_¦" + "0123456789" * 4),
    prefixed(
        "circleci-token",
        "CIRCLECI_TOKEN",
        "CCIPAT_|CCIPRJ_",
        r"[A-Za-z0-9]{22}_[0-9a-f]{40}\b",
        "CCIPAT_¦aB3dE5fG7haB3dE5fG7h12_" + "0123456789" * 4,
    ),
    prefixed("sonar-token", "SONAR_TOKEN", "sqp_|squ_|sqa_", r"[0-9a-f]{40}\b", "sqp_¦" + "0123456789" * 4),
    prefixed(
        "artifactory-key",
        "ARTIFACTORY_KEY",
        "AKCp",
        r"[A-Za-z0-9]{69}\b",
        "AKCp¦" + "aB3dE5fG7h" * 6 + "123456789",
        check="random",
    ),
    prefixed("clojars-token", "CLOJARS_TOKEN", "CLOJARS_", r"[a-z0-9]{60}\b", "CLOJARS_¦" + "a3d5f7h9k2" * 6),
    prefixed(
        "nuget-key",
        "NUGET_KEY",
        "oy2",
        r"[a-z0-9]{43}\b",
        "oy2¦" + "a3d5f7h9k2" * 4 + "123",
        check="random",
        gate="oy2[a-z0-9]{43}",
    ),
    prefixed(
        "crates-token",
        "CRATES_TOKEN",
        "cio",
        r"[A-Za-z0-9]{32}\b",
        "cio¦" + "aB3dE5fG7h" * 3 + "12",
        check="random",
        gate="cio[A-Za-z0-9]{32}",
    ),
)
