"""deploy/kubernetes without a cluster: the schemas, and what the schemas can't know."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner

from slmtrail.app import parts
from slmtrail.app.cli import app
from slmtrail.app.examine import here
from slmtrail.app.examine.symptoms import Stage
from slmtrail.app.running import endpoint, monitor
from slmtrail.core import settings
from tree import ROOT

Manifest = dict[str, Any]
FOLDER = ROOT / "deploy/kubernetes"
BUILT = ("base", "overlays/production", "overlays/model", "overlays/tailer")
VERSION = "1.31"
"""Native sidecars are on by default from 1.29 on."""
SERVERS = ("kafka-password=", "../store-keys/")
"""What of a secret is of Kafka and Elasticsearch, and not among our keys."""
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()


def written() -> list[Any]:
    """What stands in our files: whole manifests, and the component's patch."""
    files = sorted(path for path in FOLDER.rglob("*.yaml") if path.name not in ("kustomization.yaml", "policy.yaml"))
    return [
        pytest.param(made, id=f"{file.relative_to(FOLDER)}:{made['kind']}/{made['metadata']['name']}")
        for file in files
        if file.name != "sidecar.yaml"
        for made in yaml.safe_load_all(file.read_text())
    ]


@functools.cache
def built(name: str) -> list[Manifest]:
    """What kustomize makes of a folder."""
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl here, which has kustomize in it")
    done = subprocess.run(["kubectl", "kustomize", FOLDER / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests
        if "template" in each.get("spec", {})
    }


def containers(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def ours(pod: Manifest) -> list[Manifest]:
    return [each for each in containers(pod) if "slmtrail-" in each["image"]]


def environ(manifests: list[Manifest], container: Manifest) -> dict[str, str]:
    """The settings of a container; what only a node knows is `node`."""
    found: dict[str, str] = {}
    maps = {each["metadata"]["name"]: each["data"] for each in manifests if each["kind"] == "ConfigMap"}
    for source in container.get("envFrom", []):
        found |= maps.get(source.get("configMapRef", {}).get("name", ""), {})
    return found | {each["name"]: each.get("value", "node") for each in container.get("env", [])}


@pytest.mark.parametrize("manifest", written())
def test_each_manifest_fits_the_schema(manifest: Manifest) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)


@pytest.mark.parametrize("change", [{"replicas": "two"}, {"replica": 2}, {"template": []}])
def test_the_schema_finds_mistakes(change: Manifest) -> None:
    good = next(each.values[0] for each in written() if each.values[0]["kind"] == "Deployment")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(good | {"spec": good["spec"] | change}, VERSION, strict=True)


@pytest.mark.parametrize("name", BUILT)
def test_what_kustomize_makes_fits_too(name: str) -> None:
    for manifest in built(name):
        kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_the_sidecar_is_a_native_one_before_the_model() -> None:
    pod = pods(built("overlays/model"))["model"]
    enrol, sidecar = pod["initContainers"]
    assert "slmtrail enrol --at" in enrol["command"][-1]
    assert enrol["envFrom"] == [{"secretRef": {"name": "slmtrail-enrolment"}}]
    assert sidecar["restartPolicy"] == "Always"
    assert {"name": "UPSTREAM", "value": "http://127.0.0.1:11434"} in sidecar["env"]
    service = next(each for each in built("overlays/model") if each["kind"] == "Service")
    assert service["spec"]["ports"][0]["targetPort"] in {port["name"] for port in sidecar["ports"]}


@pytest.mark.parametrize("name", BUILT)
def test_our_containers_run_commands_and_settings_that_exist(name: str) -> None:
    manifests = built(name)
    for pod in pods(manifests).values():
        for container in ours(pod):
            given = environ(manifests, container)
            named = {key for key in given if key.startswith("SLMTRAIL_")}
            assert named <= set(settings.variables())
            settings.load(environ={key: given[key] for key in named})
            if container["command"][0] == "slmtrail":
                assert_command(container["command"][1:])
            for line in re.findall(r"slmtrail ([a-z-]+)(?: --(\w+))*", " ".join(container["command"][2:3])):
                assert_command([line[0]])


def assert_command(arguments: list[str]) -> None:
    outcome = CliRunner().invoke(app, [*arguments, "--help"])
    assert outcome.exit_code == 0, outcome.output


@pytest.mark.parametrize("name", BUILT)
def test_probes_ask_where_something_answers(name: str) -> None:
    manifests = built(name)
    asked = 0
    for pod in pods(manifests).values():
        for container in ours(pod):
            if "ports" not in container:
                assert container["name"] in ("keys", "enrol")
                continue
            values = {key: value for key, value in environ(manifests, container).items() if key.startswith("SLMTRAIL_")}
            loaded = settings.load(environ=values)
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            first = loaded.monitor.port
            assert first is not None
            assert loaded.monitor.host == "0.0.0.0"
            command = container["command"]
            workers = int(command[command.index("--workers") + 1]) if "--workers" in command else 0
            answers = {first + number: set(monitor.ANSWERS) for number in range(workers + 1)}
            if "collect" in command:
                answers[loaded.ingest.port] = {route.path for route in endpoint.own_routes()}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                get = container[kind]["httpGet"]
                assert get["path"] in answers[ports[get["port"]]]
                secure = ports[get["port"]] == loaded.ingest.port and loaded.ingest.certificate
                assert get.get("scheme", "HTTP") == ("HTTPS" if secure else "HTTP")
                asked += 1
    assert asked


@pytest.mark.parametrize("name", BUILT)
def test_no_more_rights_than_needed(name: str) -> None:
    for title, pod in pods(built(name)).items():
        assert pod["automountServiceAccountToken"] is False
        for container in ours(pod):
            security = {**pod.get("securityContext", {}), **container["securityContext"]}
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert security.get("runAsUser") == (0 if title == "tailer" else 10001)
            assert "memory" in container["resources"]["limits"]
    assert "useradd --uid 10001" in DOCKERFILE


@pytest.mark.parametrize("name", BUILT)
def test_what_is_mounted_is_there_and_what_is_written_is_no_image(name: str) -> None:
    for pod in pods(built(name)).values():
        volumes = {volume["name"] for volume in pod["volumes"]}
        claimed = {"ledger", "spool"}  # a StatefulSet makes these
        used = {mount["name"] for container in containers(pod) for mount in container.get("volumeMounts", [])}
        assert used - claimed <= volumes <= used
        assert all(
            "/tmp" in {m["mountPath"] for m in each["volumeMounts"]} for each in ours(pod) if each["name"] != "keys"
        )


def test_policies_and_budgets_mean_somebody() -> None:
    manifests = built("overlays/production")
    labels = [
        each["spec"]["template"]["metadata"]["labels"] for each in manifests if "template" in each.get("spec", {})
    ]
    for manifest in manifests:
        if manifest["kind"] == "NetworkPolicy":
            wanted = manifest["spec"]["podSelector"].get("matchLabels", {})
        elif manifest["kind"] == "PodDisruptionBudget":
            wanted = manifest["spec"]["selector"]["matchLabels"]
        elif manifest["kind"] == "Service":
            wanted = manifest["spec"]["selector"]
        else:
            continue
        assert any(wanted.items() <= each.items() for each in labels), manifest["metadata"]["name"]
    kinds = {manifest["kind"] for manifest in manifests}
    assert kinds >= {"NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "StatefulSet", "Deployment"}
    first = next(each for each in manifests if each["metadata"]["name"] == "nothing")
    assert first["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_stream_grows_no_further_than_its_partitions() -> None:
    manifests = built("overlays/production")
    (scaler,) = [each for each in manifests if each["kind"] == "HorizontalPodAutoscaler"]
    (shared,) = [each for each in manifests if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "slmtrail"]
    assert scaler["spec"]["maxReplicas"] == int(shared["data"]["SLMTRAIL_BUS_PARTITIONS"])


@pytest.mark.parametrize("name", BUILT[1:])
def test_images_of_an_overlay_are_pinned(name: str) -> None:
    for pod in pods(built(name)).values():
        assert all(re.search(r":v?\d+\.\d+\.\d+$", container["image"]) for container in containers(pod))


def test_secrets_are_named_and_never_here() -> None:
    manifests = [each for name in BUILT for each in built(name)]
    assert not [each for each in manifests if each["kind"] == "Secret"]
    page = (ROOT / "docs/deploying.md").read_text()
    text = " ".join(Path(file).read_text() for file in FOLDER.rglob("*.yaml"))
    for name in re.findall(r"(?:secretName|secretRef: \{name|configMap): (?:\{name: )?(slmtrail-[\w-]+)", text):
        assert name in page, f"docs/deploying.md does not say how to make {name}"


def secrets_in_docs() -> dict[str, list[str]]:
    """Which files docs/deploying.md puts into each secret."""
    page = (ROOT / "docs/deploying.md").read_text().replace("\\\n", " ")
    made = re.findall(r"^kubectl .* create secret generic (slmtrail-\w+) (.*--from-file.*)$", page, re.MULTILINE)
    return {name: re.findall(r"--from-file=(\S+)", files) for name, files in made}


@pytest.mark.parametrize("stage", ["gateway", "stream", "indexer"])
def test_each_stage_shows_itself_to_kafka_and_elasticsearch_and_has_the_policy(stage: str) -> None:
    manifests = built("overlays/production")
    (container,) = pods(manifests)[stage]["containers"]
    given = {key: value for key, value in environ(manifests, container).items() if key.startswith("SLMTRAIL_")}
    assert "SLMTRAIL_DATA=/data" in DOCKERFILE
    loaded = settings.load(environ={"SLMTRAIL_DATA": "/data", **given})
    assert loaded.bus.tls
    assert loaded.bus.user == f"slmtrail-{'collector' if stage == 'gateway' else stage}"
    files = [loaded.bus.password_file, loaded.store.api_key_file, loaded.store.retention_api_key_file]
    wanted = [file for file in files if file]
    assert len(wanted) == (3 if stage == "indexer" else 1)
    in_secret = {
        re.split("[=/]", name.removeprefix("../"))[-1 if "store-keys" in name else 0]
        for name in secrets_in_docs()[f"slmtrail-{stage}"]
    }
    for file in wanted:
        assert file.parent == loaded.keys
        assert file.name in in_secret
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pods(manifests)[stage]["volumes"]}
    assert loaded.policy
    assert loaded.bus.ca == loaded.store.ca
    assert loaded.bus.ca
    for file, config_map in ((loaded.policy, "slmtrail-policy"), (loaded.bus.ca, "slmtrail-servers")):
        assert volumes[mounts[str(file.parent)]]["configMap"]["name"] == config_map
    (made,) = [each for each in manifests if each["metadata"]["name"] == "slmtrail-policy"]
    assert made["data"] == {loaded.policy.name: (ROOT / "deploy/policy/policy.yaml").read_text()}


@pytest.mark.parametrize(
    ("secret", "stage"), [("slmtrail-gateway", "collect"), ("slmtrail-stream", "stream"), ("slmtrail-indexer", "index")]
)
def test_each_stage_finds_its_keys_in_its_secret(
    secret: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLMTRAIL_COLLECTOR_NAME", "gateway")
    made = CliRunner().invoke(app, ["--data", str(tmp_path / "cluster"), "enrol-token", "--environment", "production"])
    assert made.exit_code == 0, made.output
    pod = settings.load(environ={"SLMTRAIL_DATA": str(tmp_path / "pod"), "SLMTRAIL_COLLECTOR_NAME": "gateway"})
    pod.keys.mkdir(parents=True, mode=0o700)
    pod.trust_file.parent.mkdir()
    shutil.copy(tmp_path / "cluster/trust/trust.json", pod.trust_file)
    for name in secrets_in_docs()[secret]:
        if not name.startswith(SERVERS):
            shutil.copy(tmp_path / "cluster/keys" / name, pod.keys)
    found = [each for each in here.examine(pod, [stage]) if each.check in ("keys", "trust")]
    assert found == []
    if stage == "collect":
        assert parts.admission(pod) is not None
    assert not (pod.keys / "control.pem").exists()
    assert stage == "stream" or not (pod.keys / "stream.pem").exists()
