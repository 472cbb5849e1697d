"""The SDK: an application tells the collector beside it what its model did.

    from slmtrail.collectors.sdk import Trail

    trail = Trail("http://127.0.0.1:4747", service="helpdesk")
    trail.emit({"slm.kind": "inference", "gen_ai.request.model": "phi-3", …})

Only the standard library and orjson are imported here, and none of the packages that `watch` and the adapters
are for: the collector validates.
"""

from slmtrail.collectors.sdk.outbox import NotAccepted
from slmtrail.collectors.sdk.trail import Trail
from slmtrail.collectors.sdk.weights import digest_of

__all__ = ["NotAccepted", "Trail", "digest_of"]
