"""Signed decisions, which go down to the collectors on `slm.control`: a key, user or role shut out or let in again,
a policy put in force.

A decision is believed for its signature alone, whatever carried it. Of the decisions about one subject the latest
counts, so an old one that is sent again changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from slmtrail.core import canonical, durable
from slmtrail.core.errors import ControlError
from slmtrail.core.keys import key_id

POLICY = "policy"
MAX_DECISION_BYTES = 1024 * 1024
MAX_SUBJECTS = 100_000
_SIGNED = b"slmtrail decision v1\n"
_SUBJECT = re.compile(r"(key|user|role):.{1,1024}|policy", re.DOTALL)

Action = Literal["close", "open", "policy"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a subject: `key:<hash>`, `user:<id>`, `role:<name>`, or `policy`.

    until_ms: when a closing ends by itself; 0: never. policy: the file's text, for the subject `policy`.
    """

    action: Action
    subject: str
    at_ms: int
    reason: str = ""
    until_ms: int = 0
    policy: str = ""

    @property
    def id(self) -> str:
        """Names this decision: the same decision has the same id."""
        return hashlib.sha256(_SIGNED + canonical.dumps(asdict(self))).hexdigest()[:32]

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """The decision as it travels."""
        signature = key.sign(_SIGNED + canonical.dumps(asdict(self)))
        return canonical.dumps(
            {
                "decision": asdict(self),
                "key": key_id(key.public_key()),
                "signature": base64.b64encode(signature).decode(),
            }
        )


def open_decision(data: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Decision:
    """The decision in `data`. Raises ControlError unless one of `keys` (by their ids) signed it."""
    if len(data) > MAX_DECISION_BYTES:
        raise ControlError(f"a decision of {len(data)} bytes is over {MAX_DECISION_BYTES}")
    try:
        given = orjson.loads(data)
        key = keys.get(given["key"])
        signature = base64.b64decode(given["signature"], validate=True)
        signed = _SIGNED + canonical.dumps(given["decision"])
        decision = Decision(**given["decision"])
        if key is None:
            raise ControlError("a decision is signed by a key that is not trusted for control")
        key.verify(signature, signed)
    except InvalidSignature:
        raise ControlError("a decision's signature does not fit its key: it was forged or changed") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ControlError(f"a message is no decision ({type(error).__name__})") from None
    _check(decision)
    return decision


def _check(decision: Decision) -> None:
    texts = (decision.subject, decision.reason, decision.policy)
    numbers = (decision.at_ms, decision.until_ms)
    whole = all(isinstance(text, str) for text in texts) and all(type(n) is int and n >= 0 for n in numbers)
    is_policy = decision.action == "policy"
    if not whole or decision.action not in ("close", "open", "policy"):
        raise ControlError("a signed message has not the parts of a decision")
    if not _SUBJECT.fullmatch(decision.subject) or is_policy != (decision.subject == POLICY):
        raise ControlError("a decision is about key:<hash>, user:<id> or role:<name>, or puts a policy in force")


class Decisions:
    """The decisions in force, as far as they have come; kept in a file, so that a restart forgets none."""

    def __init__(self, file: Path, keys: Iterable[Ed25519PublicKey]) -> None:
        self._file = file
        self._keys = {key_id(key): key for key in keys}
        self._signed: dict[str, bytes] = {}
        self._known: dict[str, Decision] = {}
        self._versions: dict[str, int] = {}
        self.version = 0
        """Grows with each decision that is news."""
        if file.exists():
            try:
                lines = file.read_bytes().splitlines()
            except OSError as error:
                raise ControlError(f"{file}: can't be read: {error.strerror}") from None
            for line in lines:
                self._take(line)

    def take(self, data: bytes) -> bool:
        """Takes a decision; whether it is news. Raises ControlError where it is not to be believed."""
        news = self._take(data)
        if news:
            durable.make_folder(self._file.parent, 0o700)
            durable.write_file(self._file, b"".join(line + b"\n" for line in self._signed.values()), 0o600)
        return news

    def since(self, version: int) -> list[bytes]:
        """The decisions in force that came after `version`, as they travel."""
        return [self._signed[subject] for subject, came in self._versions.items() if came > version]

    def closed(self, what: str, now_ms: int) -> dict[str, str]:
        """The closed subjects of a kind (`key`, `user`, `role`), by name, with the reason."""
        return {
            subject.partition(":")[2]: decision.reason
            for subject, decision in self._known.items()
            if subject.startswith(f"{what}:") and decision.action == "close" and not 0 < decision.until_ms <= now_ms
        }

    @property
    def policy(self) -> str:
        """The text of the policy that was put in force; empty where none was."""
        known = self._known.get(POLICY)
        return known.policy if known else ""

    def _take(self, data: bytes) -> bool:
        decision = open_decision(data, self._keys)
        known = self._known.get(decision.subject)
        if known is not None and (known.at_ms, known.id) >= (decision.at_ms, decision.id):
            return False
        if known is None and len(self._known) >= MAX_SUBJECTS:
            raise ControlError(f"over {MAX_SUBJECTS} subjects are decided about: let some in again")
        self._known[decision.subject] = decision
        self._signed[decision.subject] = data
        self.version += 1
        self._versions[decision.subject] = self.version
        return True
