"""What clients of Kafka show, and what is refused before anything is sent."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from certificates import certificate
from slmtrail.bus.kafka_access import NO_ACCESS, Access
from slmtrail.core.errors import SettingsError


def test_to_brokers_that_ask_nothing_nothing_is_shown() -> None:
    assert NO_ACCESS.options() == {"security_protocol": "PLAINTEXT"}


def test_a_name_and_password_over_tls(tmp_path: Path) -> None:
    made = certificate(tmp_path, "broker", server=True)
    options = Access(tls=True, authorities=made.chain, user="u", password="p").options()
    context = options.pop("ssl_context")
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }


def test_a_certificate_of_our_own(tmp_path: Path) -> None:
    made = certificate(tmp_path, "collector")
    assert Access(tls=True, certificate=made.chain, key=made.key).options()["security_protocol"] == "SSL"


@pytest.mark.parametrize(
    ("access", "named"),
    [
        (Access(user="u", password="hunter2", mechanism="PLAIN"), "bus.mechanism"),
        (Access(authorities=Path("ca.pem")), "bus.tls"),
        (Access(tls=True, authorities=Path("nowhere.pem")), "bus.ca"),
        (Access(tls=True, certificate=Path("nowhere.pem")), "bus.certificate"),
    ],
)
def test_what_does_not_fit_is_named_without_the_password(access: Access, named: str) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        access.options()
    assert "hunter2" not in str(refused.value) + repr(access)
