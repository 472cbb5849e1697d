"""Enrolment over HTTP: a new collector shows a token and its own key, and gets what it needs to be believed.

The answer holds the stream's public key, the control keys, the secret of the hashes that stand for API keys, and the
environment that the collector's key is bound to. The private key never leaves the collector.
"""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slmtrail.core import enrolment, trust
from slmtrail.core.errors import EnrolmentError, KeyFileError
from slmtrail.core.keys import raw

PATH = "/v1/enrol"
MAX_REQUEST_BYTES = 16 * 1024
TIMEOUT_S = 15
_PROOF = b"slmtrail enrolment request v1\n"


@dataclass(frozen=True, slots=True)
class Admission:
    """What the place that admits works with."""

    secret: bytes
    used: Path
    trust_file: Path
    stream_key: Callable[[], X25519PublicKey]
    """To which frames are sealed now."""
    control_key: Callable[[], Ed25519PublicKey]
    """By which decisions are believed now."""
    edge_secret: bytes


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a collector gets."""

    environment: str
    stream_key: bytes
    control_key: bytes
    edge_secret: bytes


def enrolment_routes(admission: Admission) -> list[Route]:
    """`POST /v1/enrol`."""

    async def post(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_REQUEST_BYTES:
                return _refused(413, "the request is no enrolment")
        try:
            answer = await run_in_threadpool(_admit, bytes(body), admission)
        except (EnrolmentError, KeyFileError) as error:
            # Nothing of this disk is told to a stranger.
            return _refused(403, str(error) if isinstance(error, EnrolmentError) else "the name or key is taken")
        return JSONResponse(answer)

    return [Route(PATH, post, methods=["POST"])]


def enrol(
    gateway: str, token: str, collector: str, key: Ed25519PrivateKey, tls: ssl.SSLContext | None = None
) -> Enrolled:
    """Asks `gateway` to admit `key` for `collector`. Raises EnrolmentError where it does not."""
    url = urlsplit(gateway)
    secure = url.scheme == "https"
    if url.scheme not in ("http", "https") or not url.hostname:
        raise EnrolmentError(f"{gateway!r} is not the address of a gateway, such as https://gateway:4747")
    if not secure and url.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise EnrolmentError(f"{gateway}: an enrolment holds secrets: reach the gateway over https")
    body = orjson.dumps(
        {
            "token": token,
            "collector": collector,
            "public": _encode(raw(key.public_key())),
            "proof": _encode(key.sign(_PROOF + f"{token}\n{collector}".encode())),
        }
    )
    connection = (
        http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=TIMEOUT_S, context=tls)
        if secure
        else http.client.HTTPConnection(url.hostname, url.port or 80, timeout=TIMEOUT_S)
    )
    try:
        connection.request("POST", url.path.rstrip("/") + PATH, body, {"content-type": "application/json"})
        response = connection.getresponse()
        answer = orjson.loads(response.read(MAX_REQUEST_BYTES))
        if response.status != 200:
            raise EnrolmentError(f"{gateway} refuses: {answer['text']}")
        return Enrolled(
            answer["environment"],
            answer["stream_key"].encode(),
            answer["control_key"].encode(),
            bytes.fromhex(answer["edge_secret"]),
        )
    except (OSError, http.client.HTTPException) as error:
        raise EnrolmentError(f"{gateway}: can't be reached ({error}); is a gateway running there?") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EnrolmentError(f"{gateway}: what answers there is no gateway that enrols") from None
    finally:
        connection.close()


def public_pem(key: Any) -> bytes:
    """A public key in PEM form."""
    made: bytes = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return made


def _admit(body: bytes, admission: Admission) -> dict[str, str]:
    try:
        given = orjson.loads(body)
        token, collector = str(given["token"]), str(given["collector"])
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(given["public"], validate=True))
        proof = base64.b64decode(given["proof"], validate=True)
    except (ValueError, KeyError, TypeError):
        raise EnrolmentError("the request is no enrolment") from None
    grant = enrolment.read(token, admission.secret)
    try:
        key.verify(proof, _PROOF + f"{token}\n{collector}".encode("utf-8", "surrogatepass"))
    except InvalidSignature:
        raise EnrolmentError("the key shown is not the one that signed the request") from None
    enrolment.use(grant, collector, admission.used, time.time_ns() // 1_000_000)
    trust.admit(admission.trust_file, collector, grant.environment, key, only_new_names=True)
    return {
        "environment": grant.environment,
        "stream_key": public_pem(admission.stream_key()).decode(),
        "control_key": public_pem(admission.control_key()).decode(),
        "edge_secret": admission.edge_secret.hex(),
    }


def _refused(status: int, text: str) -> Response:
    return JSONResponse({"text": text}, status)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
