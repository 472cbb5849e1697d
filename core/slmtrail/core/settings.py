"""Settings: slmtrail.toml, then SLMTRAIL_<SECTION>_<KEY> from the environment over it.

Every key has a default under which the embedded pipeline runs; docs/settings.md is made from these models.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from slmtrail.core.address import Address
from slmtrail.core.errors import SettingsError
from slmtrail.core.frames import NAME
from slmtrail.core.ports import RETENTION_DAYS

FILE_NAME = "slmtrail.toml"
ENVIRONMENT_PREFIX = "SLMTRAIL_"

Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[int, Field(gt=0)]
Size = Annotated[int, Field(gt=0, le=4 * 1024**2)]
"""Of what has to fit a frame, and a message of the bus as a dead letter."""


def _form(what: str, *schemes: str) -> AfterValidator:
    """An address, where one is given, begins with one of `schemes`."""

    def checked(address: str) -> str:
        if address and not any(address.startswith(scheme) and address != scheme for scheme in schemes):
            raise PydanticCustomError("form", "should be {what}", {"what": what})
        return address

    return AfterValidator(checked)


BusAddress = Annotated[Address, _form("kafka://host:port[,host:port] or sqlite:<path>", "kafka://", "sqlite:")]
StoreAddress = Annotated[
    Address, _form("http(s)://host:port of Elasticsearch, or sqlite:<path>", "http://", "https://", "sqlite:")
]
WebAddress = Annotated[Address, _form("http(s)://host:port", "http://", "https://")]


class Section(BaseModel):
    """A table of the file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CollectorSettings(Section):
    """The collecting half: frames, spool, shipping."""

    name: Name = Field(
        "local", description="The collector's name: part of every record's identity, key of its messages."
    )
    frame_max_bytes: Size = Field(256 * 1024, description="A frame is closed when its events reach this size.")
    frame_linger_ms: Positive = Field(100, description="A frame is closed this long after its first event.")
    heartbeat_ms: Positive = Field(10_000, description="An idle collector signs a heartbeat this often.")
    spool_max_bytes: Positive = Field(1024**3, description="How much may wait on disk while the bus can't be reached.")
    spool_max_age_hours: Annotated[int, Field(gt=0, le=RETENTION_DAYS * 24)] = Field(
        RETENTION_DAYS * 24,
        description="What can't be shipped for this long is dropped and signed for.",
    )
    relay: WebAddress = Field(
        "", description="A gateway to ship through, as https://gateway:4747, where the bus can't be reached."
    )
    relay_ca: Path | None = Field(None, description="Authorities to believe the gateway's certificate by.")
    when_full: Literal["block", "drop"] = Field(
        "block",
        description="What a full spool does: refuse events (callers are told), or drop them and sign for how many.",
    )


def _listed(value: object) -> object:
    """A list as an environment variable holds it: with commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class IdentitySettings(Section):
    """Who is believed to be behind a request that passes a sidecar."""

    jwks: Address = Field("", description="Keys of bearer tokens, an https address or a file; empty: none is checked.")
    issuer: str = Field("", description="The `iss` that tokens must have; empty: any.")
    audience: str = Field("", description="The `aud` that tokens must be for; empty: any.")
    user_claim: str = Field("sub", description="The claim that names the user.")
    groups_claim: str = Field("groups", description="The claim that lists the user's groups.")
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_listed)] = Field(
        (), description="Networks of proxies whose X-Forwarded-For and user fields are believed."
    )
    user_field: str = Field("x-forwarded-user", description="The field in which a trusted proxy names the user.")
    groups_field: str = Field("x-forwarded-groups", description="The field in which it lists the groups, with commas.")


class IngestSettings(Section):
    """The HTTP endpoint that takes events, and, in `slmtrail up`, the page."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(4747, description="Port to listen on; 0 picks a free one.")
    max_event_bytes: Size = Field(1024**2, description="An event larger than this is refused with 413.")
    max_request_bytes: Positive = Field(32 * 1024**2, description="A request larger than this is refused with 413.")
    max_waiting_bytes: Positive = Field(
        64 * 1024**2, description="Requests under way take this together; who goes beyond is put off with 429."
    )
    keep_others: bool = Field(
        False, description="Whether spans and log records that have nothing to do with models are kept too."
    )
    senders: Literal["anyone", "known"] = Field(
        "anyone", description="Who may send: anyone who gets here, or who shows a token or a client certificate."
    )
    certificate: Path | None = Field(None, description="Serve TLS with this chain, in PEM form.")
    key: Path | None = Field(None, description="The private key of the certificate, where it is in another file.")
    client_ca: Path | None = Field(None, description="Authorities whose client certificates are believed.")
    syslog_port: Port | None = Field(
        None, description="Port for syslog (RFC 5424 over TCP, or TLS with a certificate); none: it is not taken."
    )


class BusSettings(Section):
    """What carries frames and records."""

    url: BusAddress = Field("", description="kafka://host:port[,host:port…]; empty for SQLite in the data folder.")
    partitions: Positive = Field(1, description="Partitions used of each topic; to have more, see recovery.md.")
    tls: bool = Field(False, description="Whether Kafka is spoken to over TLS.")
    ca: Path | None = Field(None, description="Authorities to believe the brokers' certificates by.")
    certificate: Path | None = Field(
        None, description="A certificate that brokers know us by (mutual TLS), in PEM form."
    )
    key: Path | None = Field(None, description="The private key of the certificate, where it is in another file.")
    user: str = Field("", description="Who we are to Kafka (SASL); empty: it does not ask.")
    password: SecretStr = Field(
        SecretStr(""), description="The password of `user`; rather in the environment than in a file."
    )
    password_file: Path | None = Field(None, description="A file with the password, which only its owner may read.")
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How the password is shown; PLAIN shows it whole, and only over TLS."
    )


class StreamSettings(Section):
    """Opening, redaction and judgement."""

    redact: dict[str, Any] = Field(default_factory=dict, description="Options of redaction; see docs/redaction.md.")
    redact_processes: Positive = Field(1, description="Processes that redact, beside the one that reads and writes.")
    redact_max_mb: Annotated[int, Field(ge=256)] = Field(
        2048, description="Memory of one of them; a text that takes more is withheld."
    )
    workers: Annotated[int, Field(ge=0)] = Field(
        0, description="Worker processes on Kafka; 0: one a core, but no more than there are partitions."
    )
    rules: Path | None = Field(None, description="Folder of rules of your own; see docs/rules.md.")
    batch_frames: Positive = Field(64, description="Frames processed together.")
    webhook_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (),
        description="Hosts inside a network of ours that alerts may be posted to. Any other name that leads there is "
        "refused; an address that the policy spells out, and localhost, are not.",
    )


class StoreSettings(Section):
    """Where records are searched."""

    url: StoreAddress = Field(
        "", description="http(s)://host:port of Elasticsearch; empty for SQLite in the data folder."
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="Elasticsearch's API key, as it encodes it; rather in the environment than in a file.",
    )
    api_key_file: Path | None = Field(None, description="A file with the API key, which only its owner may read.")
    retention_api_key_file: Path | None = Field(
        None, description="A file with the API key to erase and expire with, where the other may only create and read."
    )
    ca: Path | None = Field(None, description="Authorities to believe Elasticsearch's certificate by.")


class ReadersSettings(Section):
    """Who looks at the trail, on the page and through the API."""

    jwks: Address = Field(
        "", description="Keys of readers' bearer tokens (OIDC), an https address or a file; empty: none is believed."
    )
    issuer: str = Field("", description="The `iss` that they must have; must be given with readers.jwks.")
    audience: str = Field("", description="The `aud` that they must be for; must be given with readers.jwks.")
    user_claim: str = Field("sub", description="The claim that names the reader.")
    groups_claim: str = Field("groups", description="The claim that lists the reader's groups.")
    requests_a_minute: Positive = Field(600, description="Requests of one reader in a minute; who asks more gets 429.")


class PageSettings(Section):
    """The page and the API of `slmtrail serve`; in `slmtrail up` they are where events are taken."""

    host: str = Field("127.0.0.1", description="Address to listen on; another than this machine's own needs readers.")
    port: Port = Field(4750, description="Port to listen on; 0 picks a free one.")
    names: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (), description="Host names under which the page is asked for, beside localhost and addresses."
    )
    certificate: Path | None = Field(None, description="Serve TLS with this chain, in PEM form.")
    key: Path | None = Field(None, description="The private key of the certificate, where it is in another file.")


class MonitorSettings(Section):
    """Metrics and health of a process beside what it does, without asking who looks."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port | None = Field(
        None,
        description="Port for metrics and health, which sidecar, tail, stream and indexer else do not have; the "
        "workers of a stream take the ports after it.",
    )


class TracingSettings(Section):
    """Spans of the pipeline itself."""

    endpoint: Address = Field(
        "",
        description="Where spans go by OTLP over HTTP, as http://localhost:4318/v1/traces (pip install "
        "'slmtrail[tracing]'); empty: there are none.",
    )


class LedgerSettings(Section):
    """The signed log over the records."""

    origin: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.\-/]{0,200}$")] = Field(
        "slmtrail.local/ledger", description="The ledger's name in its checkpoints; the partition is appended."
    )
    batch_records: Positive = Field(2000, description="Records sealed and stored together.")


class Settings(Section):
    """All of them."""

    data: Path = Field(
        Path("data"), description="The folder of everything that is kept: keys, spool, bus, ledger, store."
    )
    environment: Name = Field("dev", description="What this collector's events say of where they happened.")
    policy: Path | None = Field(None, description="policy.yaml; without one the built-in policy holds.")
    collector: CollectorSettings = CollectorSettings()
    identity: IdentitySettings = IdentitySettings()
    ingest: IngestSettings = IngestSettings()
    bus: BusSettings = BusSettings()
    stream: StreamSettings = StreamSettings()
    store: StoreSettings = StoreSettings()
    ledger: LedgerSettings = LedgerSettings()
    monitor: MonitorSettings = MonitorSettings()
    readers: ReadersSettings = ReadersSettings()
    page: PageSettings = PageSettings()
    tracing: TracingSettings = TracingSettings()

    @property
    def keys(self) -> Path:
        """The folder of private keys."""
        return self.data / "keys"

    @property
    def trust_file(self) -> Path:
        """Which collector keys the stream believes."""
        return self.data / "trust" / "trust.json"

    @property
    def spool(self) -> Path:
        """The folder of this collector's spool."""
        return self.data / "spool" / self.collector.name

    @property
    def looks(self) -> Path:
        """The folder of what readers at this machine's command line did, until a collector takes it."""
        return self.data / "looks"

    @property
    def ledgers(self) -> Path:
        """The folder of the ledgers, one folder each."""
        return self.data / "ledger"

    @property
    def bus_url(self) -> str:
        """The bus in use."""
        return self.bus.url or f"sqlite:{self.data / 'bus.sqlite'}"

    @property
    def store_url(self) -> str:
        """The store in use."""
        return self.store.url or f"sqlite:{self.data / 'store.sqlite'}"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `path` (else ./slmtrail.toml, if there is one) and the environment.

    Raises SettingsError naming the file and line, or the variable, of every fault.
    """
    environ = os.environ if environ is None else environ
    text = ""
    values: dict[str, Any] = {}
    file = path or Path(environ.get("SLMTRAIL_CONFIG", FILE_NAME))
    if path or "SLMTRAIL_CONFIG" in environ or file.exists():
        text, values = _read(file)
    sources = _overlay(values, environ)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = [
            f"{_source(sources, fault['loc']) or _line(text, fault['loc'], file)}: {_dotted(fault['loc'])}: "
            f"{_sentence(fault['type'], fault['msg'], fault['loc'])}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise SettingsError("\n".join(faults)) from None


def read_text(file: Path) -> str:
    """What a file of settings holds. Raises SettingsError that says what to do."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{file}: no such file") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: is not UTF-8; save it so") from None
    except OSError as error:
        what_to_do = "; give this user read permission" if isinstance(error, PermissionError) else ""
        raise SettingsError(f"{file}: can't be read: {error.strerror}{what_to_do}") from None


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    text = read_text(file)
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        line, column = (fault[2], fault[3]) if fault and fault[2] else (len(text.splitlines()) or 1, 1)
        raise SettingsError(f"{file}:{line}:{column}: not TOML: {fault[1] if fault else error}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file}: not TOML ({type(error).__name__})") from None


def _overlay(values: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Puts the variables that name a setting into `values`; returns which variable set which key."""
    sources = {}
    for variable, (section, key) in variables().items():
        if variable in environ:
            table = values.setdefault(section, {}) if section else values
            if isinstance(table, dict):
                table[key] = environ[variable]
                sources[f"{section}.{key}" if section else key] = f"environment variable {variable}"
    return sources


def variables() -> dict[str, tuple[str, str]]:
    """Each environment variable that is read, with the section and key it sets."""
    named = {}
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            for key in section.model_fields:
                if key != "redact":
                    named[f"{ENVIRONMENT_PREFIX}{name}_{key}".upper()] = (name, key)
        else:
            named[f"{ENVIRONMENT_PREFIX}{name}".upper()] = ("", name)
    return named


def mistyped(environ: Mapping[str, str]) -> list[str]:
    """Variables that are no setting, though nearly called as one; the rest that begins as ours may be of others."""
    import difflib

    known = variables()
    strange = [name for name in sorted(environ) if name.startswith(ENVIRONMENT_PREFIX) and name not in known]
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.93) for name in strange}
    return [f"{name}: no such setting; did you mean {found[0]}?" for name, found in near.items() if found]


def _source(sources: Mapping[str, str], location: tuple[int | str, ...]) -> str:
    """The variable that set a key, or the list that an item is in."""
    return sources.get(_dotted(location)) or sources.get(_dotted(location[:-1]), "")


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _line(text: str, location: tuple[int | str, ...], file: Path) -> str:
    """The file and line where a key stands, or else its table."""
    table, found = "", 0
    wanted_table, wanted_key = ".".join(map(str, location[:-1])), str(location[-1])
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            table = header[1].replace('"', "").replace(" ", "")
            if table in (wanted_table, _dotted(location)):
                found = number
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            name = key[1].replace('"', "").replace("'", "")
            full = f"{table}.{name}" if table else name
            if full == _dotted(location) or (table == wanted_table and name == wanted_key):
                return f"{file}:{number}"
            if _dotted(location).startswith(f"{full}."):  # in an inline table
                found = number
    return f"{file}:{found}" if found else str(file)


def _sentence(kind: str, message: str, location: tuple[int | str, ...]) -> str:
    if kind == "extra_forbidden":
        import difflib

        model: Any = Settings
        for part in location[:-1]:
            model = model.model_fields[str(part)].annotation
        near = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
        return f"no such setting{f'; did you mean {near[0]}?' if near else ''}"
    return message[0].lower() + message[1:]
