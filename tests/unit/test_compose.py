"""docker-compose.yml and the Dockerfile, without an engine: the schema, and what the schema can't know."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from servers import elastic, kafka
from slmtrail.app import setup_secrets
from slmtrail.app.cli import app
from slmtrail.app.running import endpoint, monitor
from slmtrail.core import policy, settings
from tree import PACKAGES, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
SETUPS = ("secrets", "kafka-setup", "elasticsearch-setup")
ENDING = {"keys", "edge-keys", "kibana-setup", *SETUPS}
"""They make what is missing, and end."""
STAGES = [name for name in OURS if name not in ("echo", *SETUPS)]
RUNNING = [name for name in STAGES if name not in ENDING]
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()


def validator() -> jsonschema.protocols.Validator:
    """The Compose Specification's schema, as the check-jsonschema package carries it."""
    package = metadata.distribution("check-jsonschema")
    file = package.locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    schema = json.loads(file.read_text())  # type: ignore[attr-defined]
    return jsonschema.validators.validator_for(schema)(schema)


def variables(service: dict[str, Any]) -> dict[str, str]:
    return {k: str(v) for k, v in service.get("environment", {}).items() if k.startswith("SLMTRAIL_")}


def filled(argument: str) -> str:
    """With its default in the place of a variable."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", argument)


def test_it_is_a_compose_file() -> None:
    faults = [f"{fault.json_path}: {fault.message}" for fault in validator().iter_errors(COMPOSE)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "change",
    [{"ports": "4747:4747"}, {"depends_on": {"kafka": {"condition": "ready"}}}, {"helthcheck": {}}],
)
def test_the_schema_finds_mistakes(change: dict[str, Any]) -> None:
    wrong = COMPOSE | {"services": SERVICES | {"stream": SERVICES["stream"] | change}}
    assert not validator().is_valid(wrong)


def test_the_servers_are_the_ones_that_are_tested() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka.VERSION}"
    assert SERVICES["elasticsearch"]["image"] == f"elasticsearch:{elastic.VERSION}"
    assert SERVICES["kibana"]["image"] == f"kibana:{elastic.VERSION}"


def test_versions_are_pinned() -> None:
    moving = [
        name
        for name, service in SERVICES.items()
        if "build" not in service and not re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    ]
    assert moving == ["llamacpp"]  # which says so, and is started on demand alone


def test_only_this_machine_gets_in() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"elasticsearch", "kibana", "collector", "sidecar", "prometheus", "grafana"}
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for published in ports.values() for port in published)
    assert not any(service.get("network_mode") or service.get("privileged") for service in SERVICES.values())


def test_who_waits_for_whom() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for {other}, which says nothing of its health"
            else:
                assert wait["condition"] == "service_completed_successfully"
                assert "restart" not in SERVICES[other], f"{name} waits for the end of {other}, which starts again"
    assert all("healthcheck" in service for service in SERVICES.values() if "ports" in service)
    assert set(SERVICES["stream"]["depends_on"]) >= {"keys", "kafka-setup"}
    assert set(SERVICES["indexer"]["depends_on"]) >= {"keys", "kafka-setup", "elasticsearch-setup"}
    # While Kafka is away, the spool holds it.
    assert set(SERVICES["sidecar"]["depends_on"]) == {"secrets", "edge-keys", "echo"}
    awaited = {other for service in SERVICES.values() for other in service.get("depends_on", {})}
    assert awaited >= ENDING  # else `up --wait` takes the end of one for a failure


def test_every_service_has_a_limit_and_comes_back() -> None:
    assert all(re.fullmatch(r"\d+[mg]", service["mem_limit"]) for service in SERVICES.values())
    assert all(service.get("restart") == "unless-stopped" for name, service in SERVICES.items() if name not in ENDING)


def test_what_runs_always_says_how_it_is() -> None:
    assert not [name for name, service in SERVICES.items() if name not in ENDING and "healthcheck" not in service]


def test_ours_have_no_more_rights_than_they_need() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "/tmp" in service["tmpfs"]
    assert re.search(r"^USER slmtrail$", DOCKERFILE, re.MULTILINE)


def test_what_must_outlive_a_container_is_on_a_volume() -> None:
    mounts = {
        name: dict(volume.split(":")[:2] for volume in service.get("volumes", []) if not volume.startswith("."))
        for name, service in SERVICES.items()
    }
    assert {volume for used in mounts.values() for volume in used} == set(COMPOSE["volumes"])
    of_others = {name.removesuffix("-secrets"): name for name in COMPOSE["volumes"] if name.endswith("-secrets")}
    for name in STAGES:
        for volume in set(mounts[name]) & {*of_others.values(), "store-keys"}:
            del mounts[name][volume]
        loaded = settings.load(environ=variables(OURS[name]))
        trusted, decided = loaded.trust_file.parent, loaded.data / "control"
        needed = {
            "keys": [loaded.keys, trusted],
            "edge-keys": [loaded.keys, trusted],
            "collector": [loaded.keys, trusted, loaded.spool.parent, decided, loaded.looks],
            "sidecar": [loaded.keys, loaded.spool.parent, decided],
            "stream": [loaded.keys, trusted, loaded.data / "hooks"],
            # What verification remembers, and who read there, for the collector to tell.
            "indexer": [loaded.keys, loaded.ledgers, loaded.data / "verified", loaded.looks],
        }
        assert sorted(mounts[name].values()) == sorted(map(str, needed[name]))
        for folder in needed[name]:
            # Else the volume would be root's, and the container's user could not write there.
            assert re.search(rf"install .*-o slmtrail.* {folder}\b", DOCKERFILE)
    assert mounts["sidecar"].keys() & mounts["collector"].keys() == {"keys"}  # a spool has one owner


def test_what_is_mounted_from_here_is_here() -> None:
    mounted = [v.split(":")[0] for service in SERVICES.values() for v in service.get("volumes", []) if v[0] == "."]
    assert mounted
    assert all((ROOT / source).is_dir() for source in mounted if source != "./models")


def test_each_has_its_own_secrets_and_no_others(tmp_path: Path) -> None:
    setup_secrets.make(tmp_path)
    made = {folder.name for folder in tmp_path.iterdir()}
    places = dict(volume.split(":")[:2] for volume in SERVICES["secrets"]["volumes"])
    assert places == {name if name == "authority" else f"{name}-secrets": f"/secrets/{name}" for name in made}
    assert all(re.search(rf"install .*-o slmtrail[^&]* {place}\b", DOCKERFILE) for place in places.values())
    for name, service in SERVICES.items():
        mounted = [volume for volume in service.get("volumes", []) if "secrets:" in volume or "authority:" in volume]
        if name == "secrets":
            continue
        assert len(mounted) <= 1, name
        assert all(volume.endswith(":ro") for volume in mounted)
        for volume in mounted:
            source, place, _ = volume.split(":")
            folder = tmp_path / source.removesuffix("-secrets")
            assert folder.name in (name, "setup", "collector")
            for file in re.findall(rf"{place}/([\w./-]+)", str(service)):
                assert (folder / file).exists(), f"{name} reads {place}/{file}, which nothing makes"
            if name not in OURS:
                # As a user of its own, in the group of the files; or as ours.
                assert service.get("group_add") == ["10001"] or service.get("user") == "10001"
    assert "useradd --uid 10001 --user-group" in DOCKERFILE


def test_a_second_start_makes_no_secret_anew(tmp_path: Path) -> None:
    assert setup_secrets.make(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert setup_secrets.make(tmp_path) == []
    lost = tmp_path / "stream/kafka-password"
    lost.unlink()
    assert setup_secrets.make(tmp_path) == ["stream/kafka-password"]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    for path in before:
        others = path.stat().st_mode & 0o077
        assert others == (
            0o040
            if path.parts[len(tmp_path.parts)] in ("kafka", "elasticsearch", "kibana", "grafana")
            or path.name == "ca.crt"
            else 0
        ), path


def test_a_certificate_that_ends_soon_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as short:
        short.setattr(setup_secrets, "SERVER_DAYS", setup_secrets.RENEW_DAYS - 1)
        setup_secrets.make(tmp_path)
    made = setup_secrets.make(tmp_path)
    assert sorted(made) == sorted(
        f"{name}/server.{kind}" for name in ("kafka", "elasticsearch") for kind in ("crt", "key", "pem")
    )
    assert setup_secrets.make(tmp_path) == []


@pytest.mark.parametrize("name", [*STAGES, *SETUPS])
def test_our_services_run_commands_and_settings_that_exist(name: str) -> None:
    service = OURS[name]
    program, *arguments = service["command"]
    assert program == "slmtrail"
    # With --help behind it every option is read, and nothing is done.
    outcome = CliRunner().invoke(app, [*map(filled, arguments), "--help"])
    assert outcome.exit_code == 0, outcome.output
    for option in (argument.partition("=")[0] for argument in arguments if argument.startswith("--")):
        assert option in click.unstyle(outcome.output)
    assert set(variables(service)) <= set(settings.variables())
    loaded = settings.load(environ=variables(service))
    if name in RUNNING:
        assert (loaded.bus_url, loaded.store_url) == ("kafka://kafka:9092", "https://elasticsearch:9200")
        assert loaded.bus.partitions >= 2  # each worker has one
        assert loaded.policy is not None
        assert f"{(ROOT / 'deploy/policy').relative_to(ROOT)}:{loaded.policy.parent}:ro" in service["volumes"][0]
        assert policy.load(ROOT / "deploy/policy" / loaded.policy.name)


def test_each_part_is_a_user_that_has_a_password_and_rights() -> None:
    users = {name: settings.load(environ=variables(OURS[name])).bus.user for name in (*RUNNING, "kafka-setup")}
    assert {f"kafka/users/{user}" for user in users.values()} <= set(setup_secrets.PASSWORDS)
    given = SERVICES["kafka-setup"]["command"]
    parts = {"collector": "collector", "sidecar": "collector", "stream": "stream", "indexer": "indexer"}
    for name, part in parts.items():
        assert users[name] == given[given.index(f"--{part}") + 1]


def test_the_policy_changes_nothing_of_what_holds_without_one() -> None:
    written = policy.load(ROOT / "deploy/policy/policy.yaml")
    assert written.model_dump(exclude={"version"}) == policy.Policy(version="1").model_dump(exclude={"version"})


@pytest.mark.parametrize("name", RUNNING)
def test_health_is_asked_where_it_is_answered(name: str) -> None:
    service = OURS[name]
    loaded = settings.load(environ=variables(service))
    ((port, path),) = re.findall(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)", service["healthcheck"]["test"][-1])
    if name == "collector":
        assert int(port) == loaded.ingest.port
        assert path in {route.path for route in endpoint.own_routes()}
        assert service["ports"] == [f"127.0.0.1:{loaded.ingest.port}:{loaded.ingest.port}"]
    else:
        assert int(port) == loaded.monitor.port
        assert path in monitor.ANSWERS


def test_prometheus_looks_where_metrics_are() -> None:
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in scraped for group in job["static_configs"] for target in group["targets"]}
    first = settings.load(environ=variables(OURS["stream"])).monitor.port
    assert first is not None
    workers = int(OURS["stream"]["command"][-1])
    assert targets == {
        "collector:4747",
        *(f"{name}:{settings.load(environ=variables(OURS[name])).monitor.port}" for name in ("sidecar", "indexer")),
        *(f"stream:{first + number}" for number in range(workers + 1)),
    }
    for name in ("collector", "sidecar", "stream", "indexer"):  # from another container
        loaded = settings.load(environ=variables(OURS[name]))
        assert (loaded.ingest if name == "collector" else loaded.monitor).host == "0.0.0.0"


def test_models_are_chosen_by_profile() -> None:
    (upstream,) = [argument for argument in SERVICES["sidecar"]["command"] if argument.startswith("${UPSTREAM:-")]
    assert filled(upstream) == "http://echo:8000"
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"ollama": ["ollama"], "vllm": ["vllm"], "llamacpp": ["llamacpp"]}


def test_the_images_are_made_from_what_is_here() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    names = [name for _, name in stages]
    assert len(stages) == DOCKERFILE.count("FROM ")
    for number, (parent, _) in enumerate(stages):
        assert parent in names[:number] or re.search(r":\d+\.\d+\.\d+-", parent), f"{parent} is not pinned"
    for service in OURS.values():
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert service["build"]["target"] in names
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    ignore = (ROOT / "deploy/docker/Dockerfile.dockerignore").read_text().splitlines()
    assert sources == {line[1:] for line in ignore if line.startswith("!")}
    assert sources >= set(PACKAGES)
    assert all((ROOT / source).exists() for source in sources)
