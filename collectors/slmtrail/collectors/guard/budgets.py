"""How much each caller has used: requests in the last minute, tokens and cost of the day (UTC).

Kept in memory by this sidecar alone. Of more callers than `MAX_CALLERS` those that came longest ago are forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from slmtrail.collectors.guard.verdict import Reason
from slmtrail.core.guards import Price
from slmtrail.core.roles import Limits, matches

MAX_CALLERS = 100_000
MINUTE_S = 60.0
DAY_S = 86_400


@dataclass(slots=True)
class _Used:
    """A bucket that fills up within a minute, and the sums of one day."""

    tokens_left: float
    seen_s: float
    day: int = 0
    tokens: int = 0
    cost_usd: float = 0.0


class Budgets:
    """What callers have used. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, str], _Used] = OrderedDict()

    def take(self, role: str, who: str, limits: Limits, now_s: float) -> Reason | None:
        """Counts a request of `who`; why it is too many, if it is."""
        used = self._of(role, who, limits, now_s)
        if limits.tokens_a_day is not None and used.tokens >= limits.tokens_a_day:
            return _spent("tokens-a-day", f"{limits.tokens_a_day} tokens a day are used up", now_s)
        if limits.cost_usd_a_day is not None and used.cost_usd >= limits.cost_usd_a_day:
            return _spent("cost-a-day", f"{limits.cost_usd_a_day:g} US dollars a day are used up", now_s)
        if limits.requests_a_minute is not None:
            each_s = MINUTE_S / limits.requests_a_minute
            used.tokens_left = min(limits.requests_a_minute, used.tokens_left + (now_s - used.seen_s) / each_s)
            used.seen_s = now_s
            if used.tokens_left < 1:
                wait_s = max(1, round((1 - used.tokens_left) * each_s))
                text = f"more than {limits.requests_a_minute} requests a minute"
                return Reason("requests-a-minute", text, status=429, retry_after_s=wait_s)
            used.tokens_left -= 1
        return None

    def spend(self, role: str, who: str, limits: Limits, now_s: float, counts: tuple[int, int], price: Price) -> None:
        """Counts the tokens of an exchange, in and out."""
        used = self._of(role, who, limits, now_s)
        used.tokens += sum(counts)
        used.cost_usd += (counts[0] * price.input_usd + counts[1] * price.output_usd) / 1e6

    def _of(self, role: str, who: str, limits: Limits, now_s: float) -> _Used:
        day = int(now_s // DAY_S)
        used = self._used.get((role, who))
        if used is None:
            used = self._used[role, who] = _Used(float(limits.requests_a_minute or 0), now_s, day)
            if len(self._used) > MAX_CALLERS:
                self._used.popitem(last=False)
        else:
            self._used.move_to_end((role, who))
        if used.day != day:
            used.day, used.tokens, used.cost_usd = day, 0, 0.0
        return used


def price_of(prices: dict[str, Price], model: str) -> Price:
    """What a model costs: the first that fits."""
    return next((price for glob, price in prices.items() if matches((glob,), model)), Price())


def _spent(rule: str, text: str, now_s: float) -> Reason:
    return Reason(rule, text, status=429, retry_after_s=int(DAY_S - now_s % DAY_S) + 1)
