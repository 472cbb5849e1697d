"""A collector that was let in by a token is believed, for the environment of the token, and nobody else is."""

from __future__ import annotations

from pathlib import Path

from trails import EmbeddedTrail, Trail, eventually

EVENT = {"slm.kind": "inference", "gen_ai.request.model": "m", "gen_ai.input.messages": "hi"}


def test_an_enrolled_collector_is_believed_for_its_environment(tmp_path: Path) -> None:
    gateway = EmbeddedTrail(tmp_path / "gateway")
    token = gateway.run("enrol-token", "--environment", "prod", "--name", "pod-*").stdout.strip()
    gateway.start()
    pod = Trail(
        tmp_path / "pod",
        SLMTRAIL_COLLECTOR_NAME="pod-1",
        SLMTRAIL_BUS_URL=f"sqlite:{gateway.data / 'bus.sqlite'}",
        SLMTRAIL_ENROLMENT_TOKEN=token,
    )
    try:
        enrolled = pod.run("enrol", "--at", gateway.address)
        assert (enrolled.returncode, "pod-1 is trusted for the environment prod" in enrolled.stderr) == (0, True)
        again = pod.run("--data", str(tmp_path / "other"), "enrol", "--at", gateway.address)
        assert again.returncode == 4
        assert "used 1 times" in " ".join(again.stderr.split())
        assert {file.name for file in (pod.data / "keys").glob("*.pem")} == {"collector-pod-1.pem"}

        collecting = pod.process("collect")
        collecting.start()
        pod.address = collecting.wait_for(r"collecting at (http://\S+)/v1/events")
        status, answer = pod.post([EVENT])
        assert status == 200
        (record,) = eventually("the event is stored", lambda: gateway.search("--kind", "inference"))
        assert record["event.id"] == answer["ids"][0]
        assert record["deployment.environment.name"] == "prod"
        assert record["slm.collector.id"] == "pod-1"
    finally:
        pod.stop()
        gateway.stop()
