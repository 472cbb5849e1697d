"""Whose a record is: of the person it names, or of the one in whose session or trace it is and who is named there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from builders import SealedTrail, Stream, inference
from slmtrail.indexer.reading.person import records_of
from slmtrail.indexer.store.sqlite import SqliteStore

ODD = 'a "session"\\ or (user:*'


def step(text: str, **where: str) -> dict[str, Any]:
    return {"slm.kind": "process", "slm.step.name": "lookup", "slm.step.type": "tool", "message": text, **where}


def test_steps_that_name_nobody_are_of_the_person_around_them(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    events = [
        inference("mine", "mallory", **{"session.id": ODD, "trace.id": "t0"}),
        step("mine", **{"session.id": ODD}),
        step("mine", **{"trace.id": "t0"}),
        inference("another's", "bob", **{"session.id": ODD}),
        step("another's", **{"session.id": "another"}),
        step("nobody's"),
        *(inference("mine", "mallory", **{"trace.id": f"t{n}"}) for n in range(1, 250)),
        step("mine", **{"trace.id": "t249"}),
    ]
    trail = SealedTrail(tmp_path / "trail")
    trail.add(stream.take(stream.edge().frame(events)).records)
    with closing(SqliteStore(trail.store_path)) as store:
        found = [sealed.record for sealed in records_of(store.search, ("mallory", "e1:00"))]
        assert records_of(store.search, ("nobody",)) == []
    found = [record for record in found if record["slm.kind"] != "alert"]
    said = [r.get("message") or r["gen_ai.input.messages"][0]["parts"][0]["content"] for r in found]
    assert said == ["mine"] * 253
