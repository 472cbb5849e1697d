"""What the servers of docker-compose.yml know each other by: an authority, certificates and passwords, made once.

A folder for each service holds what it needs and nothing else. What is there stays, so that a second run changes
nothing but certificates that end soon. How it fails: a crash leaves some files unmade, which the next run makes from
those that are there.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from slmtrail.core import durable
from slmtrail.core.errors import KeyFileError

PASSWORDS = {
    "kafka/users/admin": "setup/kafka-password",
    "kafka/users/collector": "collector/kafka-password",
    "kafka/users/stream": "stream/kafka-password",
    "kafka/users/indexer": "indexer/kafka-password",
    "elasticsearch/password": "setup/elasticsearch-password",
    "kibana/password": "setup/kibana-password",
    "kibana/encryption": "",
    "grafana/password": "",
}
"""What a server compares with, and the file of who shows it."""

CERTIFIED = ("kafka", "elasticsearch")
BELIEVERS = ("collector", "stream", "indexer", "setup", "kibana", *CERTIFIED)
CA, AUTHORITY = "ca.crt", "authority/ca.pem"
OURS, SHARED = 0o600, 0o640
"""Modes: servers of others run as users of their own, to whose groups that of these files is added."""

AUTHORITY_DAYS, SERVER_DAYS, RENEW_DAYS = 3650, 397, 60

Pair = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def make(folder: Path) -> list[str]:
    """Makes what is missing below `folder`; returns the names of the files that it wrote."""
    now = datetime.datetime.now(datetime.UTC)
    authority = folder / AUTHORITY
    written = [] if authority.exists() else [_write(folder, AUTHORITY, _pem(*_authority(now)), OURS)]
    key, chain = _read(authority)
    public = chain.public_bytes(serialization.Encoding.PEM)
    written += [
        _write(folder, f"{name}/{CA}", public, SHARED)
        for name in BELIEVERS
        if not (folder / name / CA).exists() or (folder / name / CA).read_bytes() != public
    ]
    for name in CERTIFIED:
        if not _holds(folder / name / "server.pem", chain, now):
            made_key, made = _server(name, (key, chain), now)
            whole = _pem(made_key, made)
            # Kafka takes both from one file, Elasticsearch each from its own.
            written += [
                _write(folder, f"{name}/server.key", _pem(made_key), SHARED),
                _write(folder, f"{name}/server.crt", made.public_bytes(serialization.Encoding.PEM), SHARED),
                _write(folder, f"{name}/server.pem", whole, SHARED),
            ]
    return [*written, *_passwords(folder)]


def _passwords(folder: Path) -> Iterator[str]:
    for asked, shown in PASSWORDS.items():
        places = {asked: SHARED} | ({shown: OURS} if shown else {})
        there = [(folder / place).read_bytes() for place in places if (folder / place).exists()]
        password = there[0] if there else secrets.token_hex(32).encode()
        for place, mode in places.items():
            if not (folder / place).exists():
                yield _write(folder, place, password, mode)


def _write(folder: Path, name: str, data: bytes, mode: int) -> str:
    path = folder / name
    durable.make_folder(path.parent, 0o750)
    durable.write_file(path, data, mode)
    return name


def _authority(now: datetime.datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slmtrail stack")])
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only", "digital_signature"), False)  # fmt: skip
    builder = (
        _builder(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256())


def _server(name: str, authority: Pair, now: datetime.datetime) -> Pair:
    """A certificate for the service's name, and for a health check inside of its container."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    believed = authority[0].public_key()
    builder = (
        _builder(subject, authority[1].subject, key, now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(believed), critical=False)
    )
    return key, builder.sign(authority[0], hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # a clock may be behind
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _pem(key: ec.EllipticCurvePrivateKey, *chain: x509.Certificate) -> bytes:
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificates = (each.public_bytes(serialization.Encoding.PEM) for each in chain)
    return b"".join([key.private_bytes(*plain), *certificates])


def _read(path: Path) -> Pair:
    data = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(data, None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, x509.load_pem_x509_certificate(data[data.index(b"-----BEGIN CERTIFICATE") :])
    except (ValueError, TypeError):
        pass
    raise KeyFileError(f"{path}: is no key with its certificate; remove it, and it is made anew")


def _holds(path: Path, authority: x509.Certificate, now: datetime.datetime) -> bool:
    """Whether there is a certificate of this authority which does not end soon."""
    if not path.exists():
        return False
    _, chain = _read(path)
    key_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    signed_by = chain.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return signed_by == key_id and chain.not_valid_after_utc > now + datetime.timedelta(days=RENEW_DAYS)
