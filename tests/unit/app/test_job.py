"""A worker of the stream starts whatever became of the policy meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import NoRedaction
from slmtrail.app import parts
from slmtrail.app.running import law
from slmtrail.app.running.job import open_desk
from slmtrail.core.errors import SettingsError
from slmtrail.core.settings import Settings

GOOD = "version: good\n"


class Pool(NoRedaction):
    def __init__(self, *_: Any, **__: Any) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("slmtrail.stream.redact.pool.RedactPool", Pool)
    given = Settings(data=tmp_path / "data", policy=tmp_path / "policy.yaml")
    parts.make_keys(given)
    return given


@pytest.mark.parametrize("broken", ["roles: 7\n", "rules: {no-such-rule: {enabled: false}}\n", "a: [", None])
def test_a_policy_that_can_not_be_used_leaves_the_one_before_it_in_force(
    settings: Settings, tmp_path: Path, broken: str | None
) -> None:
    assert settings.policy is not None
    copy = tmp_path / "copies" / "policy.yaml"
    settings.policy.write_text(GOOD)
    with open_desk(settings, copy) as before:
        pass
    if broken is None:
        settings.policy.unlink()
    else:
        settings.policy.write_text(broken)
    with open_desk(settings, copy) as after:
        assert (after.policy.digest, after.since_ms) == (before.policy.digest, before.since_ms)
    settings.policy.write_text("version: better\n")
    with open_desk(settings, copy) as better:
        assert better.policy.version == "better"
    assert copy.read_text() == "version: better\n"


def test_without_one_before_it_a_policy_that_can_not_be_used_is_an_error(settings: Settings, tmp_path: Path) -> None:
    assert settings.policy is not None
    settings.policy.write_text("roles: 7\n")
    with pytest.raises(SettingsError, match="roles"), open_desk(settings, tmp_path / "copy.yaml"):
        pass


def test_a_file_that_changed_meanwhile_is_not_what_is_kept(settings: Settings, tmp_path: Path) -> None:
    assert settings.policy is not None
    copy = tmp_path / "copy.yaml"
    settings.policy.write_text(GOOD)
    with open_desk(settings, copy) as desk:
        settings.policy.write_text("version: newer\n")
        law.keep_copy(settings, desk.policy, copy)
    assert copy.read_text() == GOOD


def test_a_copy_that_can_not_be_kept_costs_no_start(settings: Settings, tmp_path: Path) -> None:
    assert settings.policy is not None
    settings.policy.write_text(GOOD)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with open_desk(settings, in_the_way / "copy.yaml") as desk:
        assert desk.policy.version == "good"
