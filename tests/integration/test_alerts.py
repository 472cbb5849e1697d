"""Alerts of windows through the whole pipeline, as its user runs it, killed and started again while they grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trails import EmbeddedTrail, eventually

ROUNDS = 3
A_ROUND = 4


def failed_login(number: int) -> dict[str, Any]:
    return {
        "slm.kind": "auth",
        "event.action": "login",
        "event.outcome": "failure",
        "event.reason": "wrong_password",
        "user.id": "bob",
        "slm.latency_ms": number,
    }


@pytest.mark.slow
def test_a_kill_loses_and_doubles_no_alert(tmp_path: Path) -> None:
    """Five failures fire, and no life of the process sees more than four."""
    trail = EmbeddedTrail(tmp_path)
    sent = 0
    for _ in range(ROUNDS):
        trail.start()
        events = [failed_login(sent + number) for number in range(A_ROUND)]
        status, _ = trail.post(events)
        assert status == 200
        sent += A_ROUND
        eventually("they are stored", lambda sent=sent: len(trail.search("--kind", "auth")) >= sent)
        trail.kill()
    trail.start()

    def grown() -> list[dict[str, Any]] | None:
        found = [one for one in trail.search("--kind", "alert") if one["rule.id"] == "login-failures"]
        return found if any(one["slm.alert.count"] == 5 for one in found) else None

    alerts = sorted(eventually("the alert has grown", grown), key=lambda one: one["slm.alert.revision"])
    assert len({one["slm.alert.id"] for one in alerts}) == 1
    assert [one["slm.alert.revision"] for one in alerts] == [1, 2, 3]
    assert [one["slm.alert.count"] for one in alerts] == [1, 2, 5]
    assert len({one["event.id"] for one in alerts}) == 3
    assert alerts[0]["slm.alert.subject"].startswith("user.id:")
    known = {one["event.id"] for one in trail.search("--kind", "auth")}
    assert set(alerts[-1]["slm.alert.evidence"]) <= known
    verified = eventually("the trail verifies", lambda: (v := trail.verify())["exit_code"] == 0 and v)
    assert verified["faults"] == []
    trail.stop()
