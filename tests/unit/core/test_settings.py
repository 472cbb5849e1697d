"""Settings: every fault is told with its file and line, or its variable; nothing is taken that is not meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core import settings
from slmtrail.core.errors import SettingsError


def _fault(tmp_path: Path, text: str | bytes, environ: dict[str, str] | None = None) -> str:
    file = tmp_path / "s.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SettingsError) as caught:
        settings.load(file, environ or {})
    return str(caught.value).replace(str(file), "s.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n[collector]\nname = 5\n", r"s.toml:3: collector.name: .*valid string"),
        ("[collector]\n\nname = 'Not A Name'\n", r"s.toml:3: collector.name: .*pattern"),
        ("[collector]\nnaem = 'x'\n", r"s.toml:2: collector.naem: no such setting; did you mean name\?"),
        ("[collector]\nzzz = 1\n", r"s.toml:2: collector.zzz: no such setting$"),
        ("\n[colector]\nname = 'x'\n", r"s.toml:2: colector: no such setting; did you mean collector\?"),
        ("dta = 'x'\n", r"s.toml:1: dta: no such setting; did you mean data\?"),
        ("[ingest]\nport = 'http'\n", r"s.toml:2: ingest.port: .*integer"),
        ("[ingest]\nport = 65536\n", r"s.toml:2: ingest.port: .*65535"),
        ("[ingest]\nport = -1\n", r"s.toml:2: ingest.port: .*greater than or equal to 0"),
        ("[ingest]\nport = 1.5\n", r"s.toml:2: ingest.port: .*integer"),
        ("[ingest]\nmax_event_bytes = 999999999\n", r"s.toml:2: ingest.max_event_bytes: .*less than or equal"),
        ("[collector]\nframe_max_bytes = 0\n", r"s.toml:2: collector.frame_max_bytes: .*greater than 0"),
        ("[collector]\nwhen_full = 'explode'\n", r"s.toml:2: collector.when_full: .*'block' or 'drop'"),
        ("collector.name = 5\n", r"s.toml:1: collector.name: "),
        ('"collector"."name" = 5\n', r"s.toml:1: collector.name: "),
        ("# x\ncollector = { naem = 'x' }\n", r"s.toml:2: collector.naem: no such setting"),
        ("\ncollector = 5\n", r"s.toml:2: collector: "),
        ("\n[[collector]]\nname = 'x'\n", r"s.toml:2: collector: "),
        ("[ collector ] # here\n  name\t=5\n", r"s.toml:2: collector.name: "),
        (
            "environment = 'a'\n[bus]\npartitions = 'x'\n[store]\nurl = 5\n",
            r"s.toml:3: bus.partitions(.|\n)*s.toml:5: store.url",
        ),
        ("a = \n", r"s.toml:1:5: not TOML: "),
        ("\n\n[collector\n", r"s.toml:3:11: not TOML: "),
        ("[collector]\nname='a'\nname='b'\n", r"s.toml:3:9: not TOML: "),
        ("x = '''\n\n", r"s.toml:2:1: not TOML: "),
        ("x = 2026-13-45\n", r"s.toml:1:\d+: not TOML: "),
        ("x = " + "9" * 5000, r"s.toml: not TOML"),
        ("x = " + "[" * 100_000, r"s.toml: not TOML"),
        ("x = " + "{a=" * 100_000, r"s.toml: not TOML"),
        (b"\xff\xfe", r"s.toml: is not UTF-8; save it so"),
        ("[bus]\nurl = 'kafka:x'\n", r"s.toml:2: bus.url: should be kafka://host:port"),
        ("\n[store]\nurl = 'localhost:9200'\n", r"s.toml:3: store.url: should be http\(s\)://host:port"),
        ("collector.relay = 'gateway:4747'\n", r"s.toml:1: collector.relay: should be http\(s\)://host:port"),
        (b"x = '\x00'", r"s.toml:1:6: not TOML: "),
    ],
    ids=range(33),
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert re.match(expected, _fault(tmp_path, text))


def test_an_error_does_not_repeat_values(tmp_path: Path) -> None:
    text = "[bus]\nurl = ['hunter2']\n[ingest]\nport = 'hunter2'\n[collector]\nname = 'hunter2 '\n"
    told = _fault(tmp_path, text, {"SLMTRAIL_BUS_PARTITIONS": "hunter2"})
    assert len(told.splitlines()) == 4
    assert "hunter2" not in told


def test_a_variable_goes_over_the_file_and_is_named_in_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("data = 'here'\n[ingest]\nport = 1\nhost = 'h'\n")
    environ = {"SLMTRAIL_INGEST_PORT": "2", "SLMTRAIL_DATA": "there", "SLMTRAIL_COLLECTOR_NAME": "edge"}
    loaded = settings.load(file, environ)
    assert (loaded.ingest.port, loaded.ingest.host, str(loaded.data), loaded.collector.name) == (
        2,
        "h",
        "there",
        "edge",
    )
    told = _fault(tmp_path, file.read_text(), environ | {"SLMTRAIL_INGEST_PORT": "two"})
    assert told.startswith("environment variable SLMTRAIL_INGEST_PORT: ingest.port: ")


def test_a_byte_order_mark_before_a_file_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(b'\xef\xbb\xbf[collector]\r\nname = "edge"\r\n')
    assert settings.load(file, {}).collector.name == "edge"


def test_a_variable_nearly_called_as_a_setting_is_told() -> None:
    environ = {"SLMTRAIL_BUS_URLS": "x", "SLMTRAIL_BUS_URL": "x", "SLMTRAIL_GATEWAY_PORT_4747_TCP": "x", "PATH": "x"}
    assert settings.mistyped(environ) == ["SLMTRAIL_BUS_URLS: no such setting; did you mean SLMTRAIL_BUS_URL?"]


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("")
    others = {"SLMTRAIL_URL": "x", "SLMTRAIL_NOT_A_SETTING": "x", "SLMTRAIL_STREAM_REDACT": "x", "INGEST_PORT": "x"}
    assert settings.load(file, others) == settings.load(file, {})


def test_every_setting_but_tables_has_a_variable() -> None:
    named = {f"{section}.{key}" if section else key for section, key in settings.variables().values()}
    wanted = set()
    for name, field in settings.Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, settings.Section):
            wanted |= {f"{name}.{key}" for key in model.model_fields}
        else:
            wanted.add(name)
    assert named == wanted - {"stream.redact"}


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.load(None, {}) == settings.Settings()
    for path, environ in [(tmp_path / "no", {}), (None, {"SLMTRAIL_CONFIG": str(tmp_path / "no")})]:
        with pytest.raises(SettingsError, match="no: no such file"):
            settings.load(path, environ)
    with pytest.raises(SettingsError, match="can't be read: Is a directory"):
        settings.load(tmp_path, {})
    (tmp_path / "slmtrail.toml").write_text("environment = 'found'")
    assert settings.load(None, {}).environment == "found"
    (tmp_path / "other.toml").write_text("environment = 'other'")
    assert settings.load(None, {"SLMTRAIL_CONFIG": "other.toml"}).environment == "other"


def test_every_setting_says_what_it_is() -> None:
    for name, field in settings.Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, settings.Section):
            for key, inner in model.model_fields.items():
                assert inner.description, f"{name}.{key}"
        else:
            assert field.description, name


def test_the_file_is_utf8_wherever_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ascii")
    file = tmp_path / "s.toml"
    file.write_bytes("data = 'données'".encode())
    assert str(settings.load(file, {}).data) == "données"


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_noise_raises_nothing_but_settings_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "noise.toml"
    file.write_bytes(text.encode(errors="replace"))
    try:
        settings.load(file, {})
    except SettingsError as error:
        assert str(error).startswith(str(file))


@given(
    st.dictionaries(st.sampled_from(sorted(settings.variables())), st.text(st.characters(codec="utf-8")), max_size=5)
)
def test_odd_variables_raise_nothing_but_settings_error(environ: dict[str, str]) -> None:
    try:
        settings.load(None, environ)
    except SettingsError as error:
        for line in str(error).splitlines():
            assert line.startswith("environment variable SLMTRAIL_")
