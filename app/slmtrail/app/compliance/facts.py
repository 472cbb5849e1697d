"""What a trail can say for itself to someone who asks whether duties are met."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import cached_property

from slmtrail.app.readers.triage import states
from slmtrail.app.reading import Asked, Reading
from slmtrail.core.certificate import COLLECTOR
from slmtrail.core.ports import Proved, Sealed
from slmtrail.indexer.reading.walk import quoted, walk
from slmtrail.indexer.retain.certified import certified
from slmtrail.stream.judge.rule import built_in

MANY, NAMES = 5000, 20
_LOST = {"dropped": "dropped", "sampled_out": "left out on purpose", "refused": "refused"}


class Facts:
    """Sentences about a trail, since a time. Each asks only for what it tells."""

    def __init__(self, reading: Reading, since: str, proved: Proved) -> None:
        self._reading = reading
        self._since = since
        self._proved = proved

    def told(self, name: str) -> str:
        """One of FACTS."""
        return FACTS[name](self)

    def rule(self, name: str) -> str:
        """How often a rule fired."""
        count = self._count(Asked(f"rule:{quoted(name)}", kind="alert"))
        return f"{name}: {count:,} alerts and revisions" if count else f"{name}: on watch, did not fire"

    def records(self) -> str:
        """How many of which kind."""
        return _listed(self._counts("kind")) or "no record"

    def models(self) -> str:
        """Which models were asked."""
        return _listed(self._counts("model", kind="inference")) or "no model was asked"

    def environments(self) -> str:
        """Where."""
        return _listed(self._counts("environment")) or "none is named"

    def collectors(self) -> str:
        """Who reported."""
        return _listed(self._counts("collector"))

    def configured(self) -> str:
        """Changes of configuration."""
        return f"{self._count(Asked(kind='config')):,} changes of models, prompts and settings are on record"

    def policies(self) -> str:
        """Policies in force."""
        count = self._count(Asked("action:policy_in_force", kind="config"))
        policy = self._reading.policy()
        return f"policy {policy.version or policy.digest[:12]} is in force; {count:,} times one came into force"

    def redacted(self) -> str:
        """What was removed."""
        found = self._count(Asked("findings>0"))
        newest = self._reading.search(Asked("slm.redaction.names:*", limit=1)).records
        names = bool(newest and newest[0].record.get("slm.redaction.names"))
        who = "names of people are looked for" if names else "NAMES OF PEOPLE ARE NOT LOOKED FOR"
        return f"something was removed from {found:,} records before they were stored; {who}"

    def judged(self) -> str:
        """Rules."""
        return f"{len(built_in())} rules come with this version; policy and own rules may change them"

    def alerts(self) -> str:
        """Alerts by rule."""
        return _listed(self._counts("rule", kind="alert")) or "no rule has fired"

    def settled(self) -> str:
        """What became of the newest alerts."""
        alerts = self._reading.alerts(self._asked(Asked(kind="alert", limit=1000))).records
        if not alerts:
            return "there is no alert to see to"
        counts: dict[str, int] = {}
        for state in states(self._reading.ask, alerts):
            counts[state.status] = counts.get(state.status, 0) + 1
        return f"of the newest {len(alerts):,} alerts: {_listed(counts)}"

    def readers(self) -> str:
        """Who looked."""
        count = self._count(Asked(kind="access"))
        who = self._counts("user", kind="access")
        return f"{count:,} times someone looked: {_listed(who)}" if count else "nobody's looking is on record"

    def lost(self) -> str:
        """What collectors signed for."""
        signed = {_LOST[name]: count for name, count in self._proved.signed_for.items() if name in _LOST}
        said = _listed({name: count for name, count in signed.items() if count}) or "nothing was dropped or refused"
        losses = sum(self._proved.counted.get(kind, 0) for kind in {loss.kind for loss in self._proved.losses})
        return f"{said}; {losses:,} losses are named by slmtrail verify" if losses else said

    def proved(self) -> str:
        """The outcome of verification."""
        if self._proved.faults:
            return f"NOT VERIFIED: {len(self._proved.faults)} faults, the first: {self._proved.faults[0].text}"
        return (
            f"verified: {self._proved.records:,} records of {len(self._proved.ledgers)} ledgers are as they were sealed"
        )

    def signed(self) -> str:
        """Signed heads."""
        heads = [folder.checkpoint()[1] for folder in self._reading.folders()]
        return "; ".join(f"{head.origin}: {head.size:,} leaves under a signed head" for head in heads)

    def oldest(self) -> str:
        """How far back."""
        found = self._reading.search(Asked(sort="time", limit=1)).records
        return f"the oldest record is of {found[0].record['@timestamp'][:10]}" if found else "no record"

    def kept(self) -> str:
        """Retention classes."""
        classes = self._reading.policy().retention.classes
        return "; ".join(
            f"class {name}: content {kept.content}, the rest {kept.keep}" for name, kept in classes.items()
        )

    def held(self) -> str:
        """Legal holds."""
        now_ms = time.time_ns() // 1_000_000
        holds = certified(reversed(self._certificates), self._reading.authorities()).in_force(now_ms)
        return f"{len(holds)} holds are in force" if holds else "nothing is held"

    def deleted(self) -> str:
        """What went under certificates."""
        counts: dict[str, int] = {}
        for sealed in self._certificates:
            action = str(sealed.record.get("event.action"))
            counts[action] = counts.get(action, 0) + 1
        return f"certificates: {_listed(counts)}" if counts else "nothing was ever erased, summarised or removed"

    @cached_property
    def _certificates(self) -> list[Sealed]:
        query = self._reading.query(Asked(f"collector:{quoted(COLLECTOR)}"))
        return list(walk(self._reading.ask, query, MANY))

    def _asked(self, asked: Asked) -> Asked:
        return dataclasses.replace(asked, since=self._since)

    def _count(self, asked: Asked) -> int:
        return self._reading.count(self._asked(asked))

    def _counts(self, field: str, kind: str = "") -> dict[str, int]:
        return self._reading.facet(self._asked(Asked(kind=kind)), field, NAMES)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


FACTS: dict[str, Callable[[Facts], str]] = {
    fact.__name__: fact
    for fact in (
        *(Facts.records, Facts.models, Facts.environments, Facts.collectors, Facts.configured, Facts.policies),
        *(Facts.redacted, Facts.judged, Facts.alerts, Facts.settled, Facts.readers, Facts.lost, Facts.proved),
        *(Facts.signed, Facts.oldest, Facts.kept, Facts.held, Facts.deleted),
    )
}
