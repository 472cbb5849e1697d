"""Wires what follows the alerts: routes and hooks, by the policy file as it is now."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slmtrail.core import keys
from slmtrail.core import policy as policy_file
from slmtrail.core.policy import Policy
from slmtrail.core.ports import Bus
from slmtrail.core.settings import Settings


async def follow_alerts(settings: Settings, bus: Bus) -> None:
    """Takes alerts to their routes and hooks until cancelled."""
    from slmtrail.stream.hooks.act import Hooks
    from slmtrail.stream.routes.follow import PolicyFile, follow
    from slmtrail.stream.routes.post import Poster

    key = keys.secret(settings.keys / "webhook.key", create=True)
    poster = Poster(key, frozenset(name.lower() for name in settings.stream.webhook_hosts))
    control = settings.keys / "control.pem"
    done = settings.data / "hooks" / "begun.json"

    def signer() -> Ed25519PrivateKey | None:
        return keys.signing_key(control) if control.exists() else None

    def hooks(policy: Policy) -> Hooks:
        return Hooks(policy, signer, poster, done)

    await follow(bus, PolicyFile(settings.policy, policy_file.load), poster, hooks)
