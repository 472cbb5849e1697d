"""What `slmtrail doctor` looks at on this machine: policy, keys, certificates, disk, packages. It changes nothing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from slmtrail.app import parts
from slmtrail.app.examine.symptoms import STAGES, Stage, Symptom, fault, warning
from slmtrail.core import keys, policy, trust
from slmtrail.core.errors import KeyFileError, StorageError, StoreError, TrailError
from slmtrail.core.ports import Query
from slmtrail.core.settings import Settings

SOON_DAYS = 30
"""A certificate that ends sooner is told of."""
LEAST_FREE = 0.05
"""Of a disk; below that databases and Elasticsearch stop writing."""
ENOUGH_BYTES = 1024**3

INIT = "run: slmtrail init (a collector elsewhere: slmtrail enrol)"
NEEDED: dict[Stage, tuple[tuple[str, Callable[[Path], object]], ...]] = {
    "collect": (("stream.pub", keys.encryption_key),),
    "stream": (("stream.pem", keys.decryption_key), ("pseudonym.key", keys.secret)),
    "index": (("ledger.pem", keys.signing_key),),
}
"""Which keys a stage works with, beside the collector's own."""
PACKAGES: dict[Stage, tuple[tuple[str, str], ...]] = {
    "collect": (),
    "stream": (("presidio_analyzer", "stream"), ("faust", "stream")),
    "index": (("elasticsearch", "indexer"),),
}


def stages_here(settings: Settings) -> list[Stage]:
    """Which stages run here, by the keys that are here: all of them where the bus is a file."""
    if not settings.bus.url and not settings.collector.relay:
        return list(STAGES)
    own = {"collect": parts.collector_key(settings).name, "stream": "stream.pem", "index": "ledger.pem"}
    return [stage for stage in STAGES if (settings.keys / own[stage]).exists()]


def examine(settings: Settings, stages: Collection[Stage]) -> Iterator[Symptom]:
    """All of it, for these stages."""
    yield from _policy(settings, stages)
    yield from _keys(settings, stages)
    yield from _certificates(settings)
    yield from _disk(settings)
    yield from _store(settings, stages)
    yield from _packages(settings, stages)


def _policy(settings: Settings, stages: Collection[Stage]) -> Iterator[Symptom]:
    try:
        policy.load(settings.policy)
    except TrailError as error:
        yield fault("policy", settings.policy, error, "correct it; slmtrail policy check FILE says where")
    if settings.stream.rules is None or "stream" not in stages or not _installed("presidio_analyzer"):
        return
    from slmtrail.stream.judge.own import own_rules

    try:
        refused = own_rules(settings.stream.rules).refused
    except TrailError as error:
        yield fault("rules", settings.stream.rules, error, "correct stream.rules")
        return
    for name, reason in refused.items():
        yield fault("rules", settings.stream.rules / name, reason, "correct this rule; the others are in force")


def _keys(settings: Settings, stages: Collection[Stage]) -> Iterator[Symptom]:
    if not stages:
        yield fault("keys", settings.keys, "there are no keys of any stage", INIT)
        return
    if stat.S_IMODE(settings.keys.stat().st_mode) & 0o077 if settings.keys.is_dir() else False:
        yield warning("keys", settings.keys, "others may look into this folder", f"chmod 700 {settings.keys}")
    wanted = [(settings.keys / name, load) for stage in stages for name, load in NEEDED[stage]]
    if "collect" in stages:
        wanted.append((parts.collector_key(settings), keys.signing_key))
    for path, load in wanted:
        try:
            load(path)
        except KeyFileError as error:
            yield fault("keys", path, error, _key_fix(path))
    if "stream" in stages:
        yield from _trust(settings, "collect" in stages)


def _key_fix(path: Path) -> str:
    if not path.exists():
        return INIT
    if path.suffix != ".pub" and path.stat().st_mode & 0o077:
        return f"chmod 600 {path}; rotate the key if others may have read it"
    return "restore it from a copy"


def _trust(settings: Settings, collects: bool) -> Iterator[Symptom]:
    try:
        rows = trust.rows(settings.trust_file)
    except KeyFileError as error:
        yield fault("trust", settings.trust_file, error, "restore it from a copy, or admit the collectors again")
        return
    if not rows:
        text = "no collector is admitted: all frames go to the dead letters"
        yield fault("trust", settings.trust_file, text, "slmtrail keys new NAME, or slmtrail enrol-token")
    elif collects and not any(row["collector"] == settings.collector.name for row in rows):
        text = f"the collector {settings.collector.name} of this machine is not admitted"
        yield fault("trust", settings.trust_file, text, INIT)


def _certificates(settings: Settings) -> Iterator[Symptom]:
    named = {
        "ingest.certificate": settings.ingest.certificate,
        "ingest.client_ca": settings.ingest.client_ca,
        "collector.relay_ca": settings.collector.relay_ca,
    }
    now = datetime.now(UTC)
    for setting, path in named.items():
        if path is None:
            continue
        where = f"{setting}: {path}"
        try:
            ends = min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(path.read_bytes()))
        except (OSError, ValueError) as error:
            yield fault("certificates", where, f"can't be read ({type(error).__name__})", f"correct {setting}")
            continue
        if ends <= now:
            yield fault("certificates", where, f"has ended at {ends:%Y-%m-%d %H:%M} UTC", "renew it and restart")
        elif (ends - now).days < SOON_DAYS:
            yield warning("certificates", where, f"ends in {(ends - now).days} days", "renew it and restart")
    if settings.ingest.certificate:
        from slmtrail.app.running.endpoint import tls

        try:
            tls(settings.ingest)
        except TrailError as error:
            yield fault("certificates", "ingest", error, "give the key that belongs to the certificate (ingest.key)")


def _disk(settings: Settings) -> Iterator[Symptom]:
    folder = next((each for each in (settings.data, *settings.data.absolute().parents) if each.exists()), None)
    if folder is None or not os.access(folder, os.W_OK):
        yield fault("disk", settings.data, "can't be written by this user", "give the folder to it, or set data")
        return
    room = shutil.disk_usage(folder)
    needs = max(ENOUGH_BYTES, int(room.total * LEAST_FREE))
    if room.free < needs:
        text = f"{room.free // 1024**2} MiB are free of {room.total // 1024**2}"
        yield warning("disk", folder, text, f"make room: {needs // 1024**2} MiB at least")
    if room.free < settings.collector.spool_max_bytes:
        text = f"a spool may grow to {settings.collector.spool_max_bytes // 1024**2} MiB and has {room.free // 1024**2}"
        yield warning("disk", folder, text, "make room, or lower collector.spool_max_bytes")


def _store(settings: Settings, stages: Collection[Stage]) -> Iterator[Symptom]:
    scheme, _, path = settings.store_url.partition(":")
    if scheme != "sqlite" or "index" not in stages or not Path(path).exists():
        return
    try:
        with closing(parts.open_store(settings)) as store:
            store.search(Query(limit=1, count_to=0))
    except (StoreError, StorageError) as error:
        what, _, fix = str(error).removeprefix(f"{path}: ").rpartition("; ")
        yield fault("store", path, what, fix)


def _packages(settings: Settings, stages: Collection[Stage]) -> Iterator[Symptom]:
    for stage in stages:
        for name, extra in PACKAGES[stage]:
            used = {"faust": settings.bus.url, "elasticsearch": settings.store.url}.get(name, "always")
            if used and not _installed(name):
                yield fault("packages", name, f"is not installed, and `{stage}` needs it", _install(extra))
    if "stream" not in stages or not _installed("presidio_analyzer"):
        return
    from pydantic import ValidationError

    from slmtrail.stream.redact.options import RedactOptions

    try:
        options = RedactOptions.model_validate(settings.stream.redact)
    except ValidationError as error:
        for each in error.errors():
            where = ".".join(("stream.redact", *map(str, each["loc"])))
            yield fault("redaction", where, each["msg"], "correct it; docs/redaction.md lists the options")
        return
    if options.ner is None:
        text = "no model is set, so names of people and places are not looked for"
        yield warning("redaction", "stream.redact.ner", text, "set one, if texts here hold names: docs/redaction.md")
        return
    from slmtrail.stream.redact.ner import Names

    try:
        Names(options)
    except TrailError as error:
        yield fault("redaction", "stream.redact.ner", error, "install the model, as the line before says")


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _install(extra: str) -> str:
    return f"pip install 'slmtrail[{extra}]'"
