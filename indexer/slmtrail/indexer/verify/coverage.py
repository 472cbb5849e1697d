"""Completeness from the edge on: every event that a collector signed for is a record, or its loss is sealed.

Coverage and gaps of a boot must follow each other without a hole, and the records in between must be as many as
were signed for, less those in the dead letters. What a collector signed for after its last coverage is not judged
yet. What a replay brought is counted apart, frame by frame: it fills a gap, or comes out of the dead letters. Keeps a
few numbers for each boot.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from slmtrail.core.identity import REPLAYED
from slmtrail.core.ports import Fault
from slmtrail.indexer.verify.tally import Tally

_COUNTED = ("events", "dropped", "sampled_out", "refused")


@dataclass(slots=True)
class _Run:
    """One boot: its next frame without coverage, and how many records came since."""

    next: int = 0
    records: int = 0
    known: bool = True
    """Whether all since its last coverage was seen."""
    missing: int = 0
    """How many leaves of the ledger had no record at its last coverage."""
    refused: dict[str, int] = field(default_factory=dict)
    """Of each frame, how many events lie in the dead letters."""
    replayed: dict[str, int] = field(default_factory=dict)
    """Of each frame of which something was replayed, how many records are still to come."""


class Coverage:
    """Takes the records of a ledger in order of leaf; from some leaf in the middle on, if it is not `whole`."""

    def __init__(self, ledger: str, tally: Tally, state: dict[str, Any] | None = None, *, whole: bool = True) -> None:
        self._ledger = ledger
        self._tally = tally
        state = state or {"runs": {}, "gaps": {}}
        self._runs = {name: _Run(**run) for name, run in state["runs"].items()}
        self._gaps: dict[str, list[list[Any]]] = state["gaps"]
        """Of each collector the boot, first and last frame of gaps, the leaf that tells of each, and whether its
        collector signed for it as dropped."""
        self._whole = whole
        self._missing: int = state.get("missing", 0)
        self._last_missing: int = state.get("last_missing", -1)
        self.disturbed = False
        """Records are not what was sealed, which is told already: what they leave uncovered is not told again."""

    def state(self) -> dict[str, Any]:
        """What to go on from, as JSON."""
        runs = {name: asdict(run) for name, run in self._runs.items()}
        return {"runs": runs, "gaps": self._gaps, "missing": self._missing, "last_missing": self._last_missing}

    def miss(self, leaf: int) -> None:
        """There is no record at `leaf`: it may be of any boot."""
        self._missing += 1
        self._last_missing = leaf

    def take(self, record: dict[str, Any], leaf: int) -> None:
        """The record at `leaf`."""
        if record["slm.kind"] == "system" and "slm.trail.boot" in record:
            self._note(record, leaf)
        if record["slm.collector.index"] and not record["slm.collector.part"]:
            run = self._run(record["slm.collector.id"], record["slm.collector.boot"])
            if record.get(REPLAYED):
                _add(run.replayed, record["slm.collector.frame"], -1)
            else:
                run.records += 1

    def end(self) -> int:
        """Tells of the gaps that no drop accounts for; returns how many records have no coverage yet."""
        for collector, rows in self._gaps.items():
            for _, first, last, leaf, dropped in rows:
                if dropped:
                    continue
                text = f"collector {collector}: frames {first} to {last} never arrived"
                # Who signed for them as dropped may have done so in a record that is there no more.
                tell = self._tally.loss if self._last_missing > leaf else self._tally.fault
                tell(Fault("gap", text, self._ledger, leaf))
        for name, run in self._runs.items():
            for frame, count in run.replayed.items():
                accounted = self._missing and count <= self._missing  # by leaves without a record
                if run.known and not self.disturbed and not accounted:
                    kind, what = ("gap", "are missing") if count > 0 else ("inserted", "are too many")
                    text = f"collector {name}: of the events replayed of frame {frame}, {abs(count)} {what}"
                    self._tally.fault(Fault(kind, text, self._ledger))
        return sum(run.records for run in self._runs.values())

    def _run(self, collector: str, boot: str) -> _Run:
        return self._runs.setdefault(f"{collector}/{boot}", _Run(known=self._whole))

    def _note(self, record: dict[str, Any], leaf: int) -> None:
        action, collector, boot = record["event.action"], record["slm.trail.collector"], record["slm.trail.boot"]
        run = self._run(collector, boot)
        where = f"collector {collector}, boot {boot}"
        if action == "covered":
            self._covered(run, record, leaf, where)
        elif action == "gap":
            self._follows(run, record["slm.trail.first"], leaf, where)
            run.next = record["slm.trail.last"] + 1
            row = [boot, record["slm.trail.first"], record["slm.trail.last"], leaf, False]
            self._gaps.setdefault(collector, []).append(row)
        elif action == "dropped":
            # Frames that a full spool let go are signed for as dropped, in a frame behind the gap they leave.
            for row in self._gaps.get(collector, []):
                _, first, last, at, dropped = row
                if dropped:
                    continue
                row[4] = True
                text = f"{where}: frames {first} to {last} were dropped at the edge, and signed for"
                self._tally.loss(Fault("dropped", text, self._ledger, at))
            text = f"{where}: {record['slm.trail.count']} events were dropped at the edge, and signed for"
            self._tally.loss(Fault("dropped", text, self._ledger, leaf))
        elif action == "boot_not_closed":
            text = (
                f"{where}: ended without a close; what it held after frame {record['slm.trail.first'] - 1} is unknown"
            )
            self._tally.loss(Fault("unclosed", text, self._ledger, leaf))
        elif action in ("chain_broken", "frame_after_close"):
            text = f"{where}: frame {record['slm.trail.first']} does not follow from the one before it ({action})"
            self._tally.fault(Fault("forked", text, self._ledger, leaf))
        elif action == "clock_jump":
            text = f"{where}: its clock jumped by {record['slm.trail.count']} ms at frame {record['slm.trail.first']}"
            self._tally.loss(Fault("clock_jump", text, self._ledger, leaf))
        elif action == "frame_replayed":
            self._replayed(run, record, leaf, where)
        elif action == "events_refused":
            _add(run.refused, record["slm.trail.first"], record["slm.trail.count"])
            text = (
                f"{where}: {record['slm.trail.count']} events of frame {record['slm.trail.first']} "
                "could not be used and went to the dead letters"
            )
            self._tally.loss(Fault("refused", text, self._ledger, leaf))

    def _replayed(self, run: _Run, record: dict[str, Any], leaf: int, where: str) -> None:
        frame, count = record["slm.trail.first"], record["slm.trail.count"]
        _add(run.replayed, frame, count)
        self._tally.signed_for["replayed"] += count
        if "slm.trail.events" not in record:  # it came once, and its events were refused
            _add(run.refused, frame, -count)
            fits = run.refused.get(str(frame), 0) >= 0
        else:
            for name in _COUNTED:
                self._tally.signed_for[name] += record[f"slm.trail.{name}"]
            _add(run.refused, frame, record["slm.trail.refused"])
            fits = record["slm.trail.events"] == count + record["slm.trail.refused"] and self._filled(record, frame)
        if run.known and not fits and not self._missing:
            self._broken(f"{where}: what was replayed of frame {frame} does not lie in a gap or in dead letters", leaf)

    def _filled(self, record: dict[str, Any], frame: int) -> bool:
        """Takes a frame out of the gap that it fills."""
        rows = self._gaps.get(record["slm.trail.collector"], [])
        row = next((row for row in rows if row[0] == record["slm.trail.boot"] and row[1] <= frame <= row[2]), None)
        if row is None:
            return False
        boot, first, last, *rest = row
        parts = [[boot, first, frame - 1, *rest], [boot, frame + 1, last, *rest]]
        place = rows.index(row)
        rows[place : place + 1] = [part for part in parts if part[1] <= part[2]]
        return True

    def _covered(self, run: _Run, record: dict[str, Any], leaf: int, where: str) -> None:
        first, last = record["slm.trail.first"], record["slm.trail.last"]
        counts = {name: record[f"slm.trail.{name}"] for name in _COUNTED}
        # Of leaves without a record nobody knows whose they were: they may account for what is missing here.
        known, missing = run.known and (first <= run.next or run.missing == self._missing), self._missing - run.missing
        self._follows(run, first, leaf, where)
        if known and not 0 <= counts["events"] - counts["refused"] - run.records <= missing:
            text = (
                f"{where}: its collector signed for {counts['events']} events in frames {first} to {last}, "
                f"{counts['refused']} of them are dead letters, and {run.records} are records"
            )
            self._broken(text, leaf)
        run.next, run.records, run.missing = last + 1, 0, self._missing
        for name in _COUNTED:
            self._tally.signed_for[name] += counts[name]

    def _follows(self, run: _Run, first: int, leaf: int, where: str) -> None:
        if run.known and first > run.next and run.missing == self._missing:
            self._broken(f"{where}: nothing covers frames {run.next} to {first - 1}", leaf)
        elif run.known and first < run.next:
            self._broken(f"{where}: frames from {first} on are covered twice", leaf)
        run.known = True

    def _broken(self, text: str, leaf: int) -> None:
        if not self.disturbed:
            self._tally.fault(Fault("gap", text, self._ledger, leaf))


def _add(counts: dict[str, int], frame: int, count: int) -> None:
    """Adds to a frame's count; what comes to nothing is forgotten."""
    counts[str(frame)] = counts.get(str(frame), 0) + count
    if not counts[str(frame)]:
        del counts[str(frame)]
