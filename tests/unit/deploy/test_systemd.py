"""deploy/systemd: units that systemd can read, which run commands that exist and can do little else."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slmtrail.app.cli import app
from slmtrail.core import settings
from tree import ROOT

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "User": "slmtrail",
    "StateDirectoryMode": "0700",
    "UMask": "0077",
    "Restart": "always",
}


def keys(unit: Path) -> dict[str, str]:
    """The last value of each key; all values of Environment."""
    found: dict[str, str] = {}
    for line in unit.read_text().splitlines():
        if match := re.fullmatch(r"(\w+)=(.*)", line):
            found[match[1]] = f"{found.get('Environment', '')} {match[2]}" if match[1] == "Environment" else match[2]
    return found


def environment(unit: Path) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(keys(unit)["Environment"]))


def test_each_process_has_one() -> None:
    assert [unit.stem for unit in UNITS] == [
        f"slmtrail-{name}" for name in ("collector", "indexer", "sidecar", "stream", "tailer")
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_runs_a_command_that_exists(unit: Path) -> None:
    given = environment(unit)
    program, *arguments = shlex.split(re.sub(r"\$\{(\w+)\}", lambda m: given[m[1]], keys(unit)["ExecStart"]))
    assert program == "/opt/slmtrail/bin/slmtrail"
    outcome = CliRunner().invoke(app, [*arguments, "--help"])
    assert outcome.exit_code == 0, outcome.output
    named = {key: value for key, value in given.items() if key.startswith("SLMTRAIL_")}
    assert set(named) - {"SLMTRAIL_CONFIG"} <= set(settings.variables())
    assert named["SLMTRAIL_DATA"] == f"/var/lib/{keys(unit)['StateDirectory']}"


def test_the_settings_that_all_share_can_be_read_and_name_the_policy() -> None:
    loaded = settings.load(ROOT / "deploy/systemd/slmtrail.toml", environ={})
    configured = {environment(unit)["SLMTRAIL_CONFIG"] for unit in UNITS}
    assert configured == {"/etc/slmtrail/slmtrail.toml"}
    assert str(loaded.policy) == "/etc/slmtrail/policy.yaml"
    assert loaded.bus.tls
    assert loaded.store.ca


def test_collectors_on_one_host_have_names_of_their_own() -> None:
    units = [unit for unit in UNITS if unit.stem.removeprefix("slmtrail-") in ("collector", "sidecar", "tailer")]
    assert len({environment(unit).get("SLMTRAIL_COLLECTOR_NAME", "local") for unit in units}) == len(units) == 3


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_can_do_little_else(unit: Path) -> None:
    found = keys(unit)
    assert {key: found.get(key) for key in HARDENED} == HARDENED


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_reads_it(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze here")
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/slmtrail/bin/slmtrail", sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", here], capture_output=True, text=True, check=False)
    assert unit.name not in done.stderr, done.stderr  # what it says of other units of this machine is not ours
