"""Signed decisions, which go down to the collectors on `slm.control`: a key, user or role shut out or let in again,
a policy put in force, a key put in the place of another.

A decision is believed for its signature alone, whatever carried it. Of the decisions about one subject the latest
counts, so an old one that is sent again changes nothing. The control key hands over to the next one by such a decision:
what it signed before goes on counting, what is dated later does not.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from slmtrail.core import canonical, durable
from slmtrail.core.errors import ControlError
from slmtrail.core.keys import key_id

POLICY = "policy"
STREAM_KEY = "stream-key"
CONTROL_KEY = "control-key:"
MAX_DECISION_BYTES = 1024 * 1024
MAX_SUBJECTS = 100_000
KEY_BYTES = 32
_HANDS_OVER = f'"subject":"{CONTROL_KEY}'.encode()
_SIGNED = b"slmtrail decision v1\n"
_SUBJECTS = {
    "close": re.compile(r"(key|user|role):.{1,1024}", re.DOTALL),
    "open": re.compile(r"(key|user|role):.{1,1024}", re.DOTALL),
    "policy": re.compile(POLICY),
    "key": re.compile(f"{STREAM_KEY}|{CONTROL_KEY}[0-9a-f]{{16}}"),
}

Action = Literal["close", "open", "policy", "key"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a subject: `key:<hash>`, `user:<id>`, `role:<name>`, `policy`, `stream-key`, or
    `control-key:<id of the key that hands over>`.

    until_ms: when a closing ends by itself; 0: never. policy: the file's text, for the subject `policy`. public: the
    public key to be used from now on, in base64, for the subjects that are keys.
    """

    action: Action
    subject: str
    at_ms: int
    reason: str = ""
    until_ms: int = 0
    policy: str = ""
    public: str = ""

    @property
    def id(self) -> str:
        """Names this decision: the same decision has the same id."""
        return hashlib.sha256(self._signed()).hexdigest()[:32]

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """The decision as it travels."""
        return canonical.dumps(
            {
                "decision": self._told(),
                "key": key_id(key.public_key()),
                "signature": base64.b64encode(key.sign(self._signed())).decode(),
            }
        )

    def _signed(self) -> bytes:
        return _SIGNED + canonical.dumps(self._told())

    def _told(self) -> dict[str, Any]:
        """Its parts; `public` only where there is one, so that collectors from before it understand the others."""
        return {name: value for name, value in asdict(self).items() if value or name != "public"}


def signer_of(data: bytes) -> str:
    """The id of the key that is said to have signed a decision; empty where it is none."""
    try:
        return str(orjson.loads(data)["key"])
    except (ValueError, KeyError, TypeError):
        return ""


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
    texts = (decision.subject, decision.reason, decision.policy, decision.public)
    numbers = (decision.at_ms, decision.until_ms)
    whole = all(isinstance(text, str) for text in texts) and all(type(n) is int and n >= 0 for n in numbers)
    if not whole or decision.action not in _SUBJECTS:
        raise ControlError("a signed message has not the parts of a decision")
    if not _SUBJECTS[decision.action].fullmatch(decision.subject):
        raise ControlError("a decision is about key:<hash>, user:<id> or role:<name>, or puts a policy or key in force")
    if (decision.action == "key") != (len(_raw(decision.public)) == KEY_BYTES):
        raise ControlError("a decision about a key, and no other, holds a public key")


def _raw(public: str) -> bytes:
    try:
        return base64.b64decode(public, validate=True)
    except ValueError:
        return b""


class Decisions:
    """The decisions in force, as far as they have come; kept in a file, so that a restart forgets none.

    keys: those believed from the start, the one in use first.
    """

    def __init__(self, file: Path, keys: Iterable[Ed25519PublicKey]) -> None:
        self._file = file
        self._keys = {key_id(key): key for key in keys}
        self._decides = next(iter(self._keys))
        self._handed_over_ms: dict[str, int] = {}
        """Of each key that has a successor: until when it decides."""
        self._signed: dict[str, bytes] = {}
        self._known: dict[str, Decision] = {}
        self._versions: dict[str, int] = {}
        self._changes = 0
        self.version = 0
        """Grows with each decision that is news."""
        if file.exists():
            try:
                lines = file.read_bytes().splitlines()
            except OSError as error:
                raise ControlError(f"{file}: can't be read: {error.strerror}") from None
            # A key is believed once the one before it has handed over, wherever that stands.
            for line in sorted(lines, key=lambda line: _HANDS_OVER not in line):
                try:
                    self._take(line)
                except ControlError as error:
                    again = "move it away, and what is in force comes again from the bus"
                    raise ControlError(f"{file}: {error}; {again}") from None

    def take(self, data: bytes) -> bool:
        """Takes a decision; whether it is news. Raises ControlError where it is not to be believed."""
        changes = self._changes
        news = self._take(data)
        if self._changes > changes:
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

    @property
    def recipient(self) -> X25519PublicKey | None:
        """The stream's key, to which frames are to be sealed; None where none was put in the place of the first."""
        known = self._known.get(STREAM_KEY)
        return X25519PublicKey.from_public_bytes(_raw(known.public)) if known else None

    @property
    def authority(self) -> Ed25519PublicKey:
        """The key that decides now."""
        return self._keys[self._decides]

    def _take(self, data: bytes) -> bool:
        signer = signer_of(data)
        if signer not in self._keys and _HANDS_OVER in data:
            return False  # of a key before those that are believed here
        decision = open_decision(data, self._keys)
        hands_over = decision.subject.startswith(CONTROL_KEY)
        if decision.at_ms > self._handed_over_ms.get(signer, decision.at_ms):
            raise ControlError("a decision is signed by a control key after another was put in its place")
        if hands_over and decision.subject != f"{CONTROL_KEY}{signer}":
            raise ControlError("a control key hands over itself and no other")
        known = self._known.get(decision.subject)
        if known == decision and self._signed[decision.subject] != data:
            self._changes += 1
            self._signed[decision.subject] = data  # by the next control key
        if known is not None and (known.at_ms, known.id) >= (decision.at_ms, decision.id):
            return False
        if known is None and len(self._known) >= MAX_SUBJECTS:
            raise ControlError(f"over {MAX_SUBJECTS} subjects are decided about: let some in again")
        if hands_over:
            self._hand_over(signer, decision)
        self._known[decision.subject] = decision
        self._signed[decision.subject] = data
        self._changes += 1
        self.version += 1
        self._versions[decision.subject] = self.version
        return True

    def _hand_over(self, signer: str, decision: Decision) -> None:
        key = Ed25519PublicKey.from_public_bytes(_raw(decision.public))
        self._keys[key_id(key)] = key
        self._handed_over_ms[signer] = decision.at_ms
        if signer == self._decides:
            self._decides = key_id(key)
