"""The error of a delivery."""

from __future__ import annotations

from slmtrail.core.errors import TrailError


class DeliveryFailed(TrailError):
    """An alert could not be delivered. `lasting`: to try again would not help."""

    def __init__(self, text: str, *, lasting: bool = False) -> None:
        super().__init__(text)
        self.lasting = lasting
