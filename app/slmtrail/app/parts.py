"""From settings to the parts that stages are made of. Each opens only what it names."""

from __future__ import annotations

import logging
import ssl
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from slmtrail.app.running.law import since_ms
from slmtrail.bus.connect import connect as connect_bus
from slmtrail.bus.kafka_access import Access
from slmtrail.core import certificate, durable, keys, policy, trust
from slmtrail.core.control import Decisions
from slmtrail.core.errors import KeyFileError, SettingsError
from slmtrail.core.ports import TOPICS, Bus, Store, Uplink
from slmtrail.core.settings import Settings
from slmtrail.core.stream_keys import StreamKeys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    from slmtrail.bus.kafka_group import KafkaGroup
    from slmtrail.collectors.collector import CollectorOptions
    from slmtrail.collectors.enrolling import Admission, Enrolled
    from slmtrail.collectors.framer import Identity
    from slmtrail.collectors.guard.gate import Gate
    from slmtrail.collectors.ingest import IngestLimits
    from slmtrail.collectors.spool import Spool
    from slmtrail.indexer.seal import Sealer
    from slmtrail.indexer.store.elastic_client import ElasticClient
    from slmtrail.indexer.store.elastic_names import Streams
    from slmtrail.indexer.verify.folder import LedgerFolder
    from slmtrail.stream.judge.judge import Judge
    from slmtrail.stream.process import Desk

log = logging.getLogger(__name__)

PSEUDONYM_EPOCH = 1
KAFKA = "kafka://"
ENROLMENT_KEY = "enrolment.key"
ENROLLED = "enrolled.json"


def make_keys(settings: Settings) -> None:
    """Makes the keys that are missing and admits this collector, for any environment, to the trust file."""
    collector = keys.signing_key(collector_key(settings), create=True)
    keys.decryption_key(settings.keys / "stream.pem", create=True)
    keys.signing_key(settings.keys / "ledger.pem", create=True)
    keys.signing_key(settings.keys / "control.pem", create=True)
    keys.secret(settings.keys / "pseudonym.key", create=True)
    keys.secret(settings.keys / "edge.key", create=True)
    keys.secret(settings.keys / "webhook.key", create=True)
    trust.admit(settings.trust_file, settings.collector.name, trust.ANY, collector.public_key())


def open_bus(settings: Settings, topics: Sequence[str] = TOPICS) -> Bus:
    """The bus; nothing is connected before its first use. `topics`: those that are to be as the settings say."""
    options = bus_access(settings).options() if settings.bus.url else {}
    return connect_bus(settings.bus_url, partitions=settings.bus.partitions, topics=topics, kafka_options=options)


def bus_access(settings: Settings) -> Access:
    """How this process shows itself to Kafka."""
    given = settings.bus
    password = given.password.get_secret_value()
    if given.password_file is not None:
        password = keys.read_private(given.password_file).decode(errors="replace").strip()
    if given.user and not password:
        raise SettingsError("bus.user: is given without a password: set bus.password_file or SLMTRAIL_BUS_PASSWORD")
    return Access(given.tls, given.ca, given.certificate, given.key, given.user, password, given.mechanism)


def bus_group(settings: Settings, group: str, topics: Sequence[str]) -> KafkaGroup:
    """A consumer group on Kafka, as it is seen from outside."""
    from slmtrail.bus.kafka_group import KafkaGroup

    return KafkaGroup(settings.bus.url.removeprefix(KAFKA).split(","), group, topics, bus_access(settings).options())


def open_uplink(settings: Settings) -> Uplink:
    """Where a collector ships to: the bus, or a gateway before it."""
    given = settings.collector
    if not given.relay:
        return open_bus(settings)
    try:
        tls = ssl.create_default_context(cafile=given.relay_ca)
    except OSError as error:
        text = f"{given.relay_ca}: holds no authorities: {error.strerror or error}"
        raise KeyFileError(f"collector.relay_ca: {text}") from None
    from slmtrail.collectors.relay import Relay

    return Relay(given.relay, keys.signing_key(collector_key(settings)), tls)


def identity(settings: Settings) -> Identity:
    """Who this collector is. One that was enrolled speaks for the environment that its key is bound to."""
    from slmtrail.collectors.framer import Identity

    return Identity(
        settings.collector.name,
        _enrolled_environment(settings) or settings.environment,
        keys.signing_key(collector_key(settings)),
        recipient(settings),
    )


def recipient(settings: Settings) -> X25519PublicKey:
    """The stream's key to which frames are sealed: the one that was decided last, else that of the file."""
    decisions = open_decisions(settings)
    return (decisions and decisions.recipient) or keys.encryption_key(settings.keys / "stream.pub")


def admission(settings: Settings) -> Admission | None:
    """What enrolment is done with; None where no token was ever made here."""
    secret = settings.keys / ENROLMENT_KEY
    if not secret.exists():
        return None
    from slmtrail.collectors.enrolling import Admission

    return Admission(
        keys.secret(secret),
        settings.data / "trust" / "enrolments.json",
        settings.trust_file,
        lambda: recipient(settings),
        lambda: _authority(settings),
        keys.secret(settings.keys / "edge.key"),
    )


def _authority(settings: Settings) -> Ed25519PublicKey:
    decisions = open_decisions(settings)
    return decisions.authority if decisions else keys.verification_key(settings.keys / "control.pub")


def enrolled(settings: Settings, gateway: str, got: Enrolled) -> None:
    """Keeps what an enrolment gave."""
    durable.write_file(settings.keys / "stream.pub", got.stream_key)
    durable.write_file(settings.keys / "control.pub", got.control_key)
    durable.write_file(settings.keys / "edge.key", got.edge_secret.hex().encode() + b"\n", 0o600)
    told = {"collector": settings.collector.name, "environment": got.environment, "gateway": gateway}
    durable.write_file(settings.keys / ENROLLED, orjson.dumps(told))


def open_decisions(settings: Settings) -> Decisions | None:
    """The signed decisions known here; None where there is no key to believe one by."""
    path = settings.keys / "control.pub"
    if not path.exists():
        return None
    return Decisions(settings.data / "control" / "decisions.jsonl", public_keys(settings, "control"))


async def open_gate(settings: Settings) -> Gate:
    """The guard of a sidecar, with the keys of tokens fetched, where they are checked."""
    from slmtrail.collectors.guard.gate import Gate
    from slmtrail.collectors.guard.identity import Identifier, IdentityOptions
    from slmtrail.collectors.guard.tokens import TokenOptions, TokenVerifier

    asked, tokens = settings.identity, None
    if asked.jwks:
        claims = {"user_claim": asked.user_claim, "groups_claim": asked.groups_claim}
        tokens = TokenVerifier(TokenOptions(asked.jwks, asked.issuer, asked.audience, **claims))
        await tokens.start()
    options = IdentityOptions(
        keys.secret(settings.keys / "edge.key", create=True),
        asked.trusted_proxies,
        user_field=asked.user_field.lower(),
        groups_field=asked.groups_field.lower(),
        tokens=tokens,
    )
    return Gate(policy.load(settings.policy), Identifier(options), open_decisions(settings))


def open_spool(settings: Settings) -> Spool:
    """This collector's spool, held until closed."""
    from slmtrail.collectors.spool import Spool

    return Spool(settings.spool, settings.collector.spool_max_bytes)


def collector_options(settings: Settings) -> CollectorOptions:
    """When frames are closed, and what a full spool does."""
    from slmtrail.collectors.collector import CollectorOptions

    given = settings.collector
    return CollectorOptions(given.frame_max_bytes, given.frame_linger_ms, given.heartbeat_ms, given.when_full)


def ingest_limits(settings: Settings) -> IngestLimits:
    """What a caller may send at once."""
    from slmtrail.collectors.ingest import IngestLimits

    return IngestLimits(settings.ingest.max_event_bytes, settings.ingest.max_request_bytes)


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """What the stream works with. Takes seconds: it loads the recognisers, in processes of their own."""
    from pydantic import ValidationError

    from slmtrail.stream.process import Desk
    from slmtrail.stream.redact.options import RedactOptions
    from slmtrail.stream.redact.pool import RedactPool

    try:
        options = RedactOptions.model_validate(settings.stream.redact)
    except ValidationError as error:
        faults = [f"stream.redact.{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError("\n".join(faults)) from None
    rules = policy.load(settings.policy)
    opens, pseudonym_key = StreamKeys(settings.keys / "stream.pem"), keys.secret(settings.keys / "pseudonym.key")
    if options.ner is None:
        log.info("names of people and places are not looked for: that takes a model (setting stream.redact.ner)")
    given = settings.stream
    pool = RedactPool(options, pseudonym_key, PSEUDONYM_EPOCH, given.redact_processes, max_mb=given.redact_max_mb)
    try:
        judge = open_judge(settings, rules)
        names = options.ner is not None
        known = trust.Trust(settings.trust_file)
        yield Desk(known, opens.newest, pool, judge, rules, opens, names, since_ms(settings))
    finally:
        pool.close()


def open_judge(settings: Settings, rules: policy.Policy) -> Judge:
    """The rules that come with slmtrail and the site's own, under a policy."""
    from slmtrail.stream.judge.judge import Judge
    from slmtrail.stream.judge.own import own_rules
    from slmtrail.stream.judge.rule import built_in

    if settings.stream.rules is None:
        return Judge(rules)
    own = own_rules(settings.stream.rules)
    return Judge(rules, [*built_in(), *own.rules], own.refused)


def open_store(settings: Settings, *, writable: bool = False) -> Store:
    """The store; a reader's by default."""
    from slmtrail.indexer.store.connect import connect as connect_store

    given = settings.store
    return connect_store(
        settings.store_url,
        writable=writable,
        api_key=store_api_key(settings),
        retention_api_key=_kept(given.retention_api_key_file),
        ca_file=given.ca,
    )


def open_elastic(
    settings: Settings, *, api_key: str | None = None, login: tuple[str, str] | None = None
) -> tuple[ElasticClient, Streams]:
    """The cluster that records are stored in, and the names of its data streams; with other credentials than those of
    the settings, where some are given."""
    from slmtrail.indexer.store.elastic_client import ElasticClient
    from slmtrail.indexer.store.elastic_names import DATASET, Streams

    given = settings.store
    if login:
        scheme, _, place = given.url.partition("://")
        url = f"{scheme}://{':'.join(quote(part, safe='') for part in login)}@{place.rpartition('@')[2]}"
        return ElasticClient(url, ca_file=given.ca), Streams(DATASET)
    return ElasticClient(given.url, api_key=api_key or store_api_key(settings), ca_file=given.ca), Streams(DATASET)


def store_api_key(settings: Settings) -> str | None:
    """The API key of the store; None where there is none."""
    given = settings.store
    return _kept(given.api_key_file) or given.api_key.get_secret_value() or None


def _kept(file: Path | None) -> str | None:
    return keys.read_private(file).decode(errors="replace").strip() if file else None


def ledger_name(settings: Settings, partition: int) -> str:
    """The name of the ledger over one partition, as its checkpoints and records say it."""
    return f"{settings.ledger.origin}/{partition}"


def open_sealer(settings: Settings, partition: int) -> Sealer:
    """The sealer of one partition, which owns its ledger until closed."""
    from slmtrail.indexer.seal import Sealer

    key = keys.signing_key(settings.keys / "ledger.pem")
    return Sealer(settings.ledgers / str(partition), ledger_name(settings, partition), key)


def ledger_folders(settings: Settings, heads: Sequence[bytes] = ()) -> list[LedgerFolder]:
    """The ledgers on this disk, and those that should be by one of `heads`; each with the heads that are its own."""
    from slmtrail.indexer.verify.folder import LedgerFolder

    public, decides = public_keys(settings, "ledger"), list(authorities(settings).values())
    named: defaultdict[str, list[bytes]] = defaultdict(list)
    for head in heads:
        named[head.partition(b"\n")[0].decode(errors="replace")].append(head)
    here = {int(folder.name) for folder in settings.ledgers.glob("*") if folder.name.isdecimal()}
    signed = {int(number) for name in named if (number := name.removeprefix(f"{settings.ledger.origin}/")).isdecimal()}
    return [
        LedgerFolder.of(
            settings.ledgers / str(number),
            name := ledger_name(settings, number),
            *public,
            authorities=decides,
            heads=named.get(name, ()),
        )
        for number in sorted(here | signed)
    ]


def authorities(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    """The keys that may sign certificates, by their ids; none where there is no control key here."""
    return Authorities(settings)


class Authorities(Mapping[str, "Ed25519PublicKey"]):
    """Read from their files each time, which is seldom, so that a rotation needs no restart."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __getitem__(self, key: str) -> Ed25519PublicKey:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, Ed25519PublicKey]:
        there = (self._settings.keys / "control.pub").exists()
        return certificate.by_id(public_keys(self._settings, "control") if there else [])


def public_keys(settings: Settings, name: str) -> list[Ed25519PublicKey]:
    """The public key of this name that is in use, and after it those that were in use before."""
    retired = sorted((settings.keys / keys.RETIRED).glob(f"{name}-*.pub"))
    return [keys.verification_key(path) for path in (settings.keys / f"{name}.pub", *retired)]


def _enrolled_environment(settings: Settings) -> str:
    try:
        told = orjson.loads((settings.keys / ENROLLED).read_bytes())
        return str(told["environment"]) if told["collector"] == settings.collector.name else ""
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{settings.keys / ENROLLED}: can't be read ({type(error).__name__}): enrol again") from None


def collector_key(settings: Settings) -> Path:
    """The file of this collector's key."""
    return settings.keys / f"collector-{settings.collector.name}.pem"
