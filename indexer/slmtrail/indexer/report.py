"""The report of a case: one HTML page to read and print, with nothing in it that comes from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import orjson

from slmtrail.core.ports import Sealed
from slmtrail.indexer.ledger.checkpoint import Checkpoint

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}
th{font-weight:600;white-space:nowrap}code,pre{font:12px/1.45 ui-monospace,monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:.6rem;border:1px solid #ddd}
code{overflow-wrap:anywhere}article{break-inside:avoid-page}
@media print{body{margin:0;max-width:none;font-size:10pt}a{color:inherit}}
"""
_HIDDEN = frozenset({"slm.salts", "slm.commitments"})


def report(
    manifest: dict[str, Any],
    records: Sequence[Sealed],
    heads: Sequence[tuple[str, Checkpoint, str]],
    collectors: Sequence[dict[str, Any]],
) -> str:
    """The page. `heads` are the ledgers' names, heads and verifier keys."""
    about = [
        ("Made", manifest["made"]),
        ("By", manifest["made_by"]),
        ("Query", orjson.dumps(manifest["query"]).decode()),
        ("Records", str(manifest["records"])),
        ("Not provable yet", str(len(manifest["pending"])) if manifest["pending"] else ""),
        ("Policy in force", manifest["policy_digest"]),
        ("Policies of the records", ", ".join(manifest["policies_of_records"])),
        ("slmtrail", manifest["version"]),
    ]
    ledgers = [
        (name, f"{head.size} leaves under the root {head.root.hex()}; key {verifier}") for name, head, verifier in heads
    ]
    edges = [(row["collector"], f"key {row['key']}, for {row['environment']}") for row in collectors]
    listed = [_row(number, sealed) for number, sealed in enumerate(records, 1)]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Case</title><style>{_STYLE}</style>'
        "<h1>Evidence from an audit trail</h1>"
        f"{_table(about)}<h2>Ledgers</h2>{_table(ledgers)}<h2>Collectors</h2>{_table(edges)}"
        "<h2>How to check it</h2><p>This page proves nothing. <code>verify_evidence.py</code>, beside it in the "
        "archive, does: run <code>python verify_evidence.py case.zip --key KEY</code> with the ledger's public key, "
        "got from elsewhere. It needs Python and the package <code>cryptography</code>, and no network.</p>"
        f"<h2>Records</h2><table><tr><th>#<th>time<th>kind<th>who<th>ledger, leaf<th>id</tr>{''.join(listed)}</table>"
        f"{''.join(_record(number, sealed) for number, sealed in enumerate(records, 1))}</html>"
    )


def _table(rows: Sequence[tuple[str, str]]) -> str:
    shown = [f"<tr><th>{escape(name)}<td><code>{escape(text)}</code></tr>" for name, text in rows if text]
    return f"<table>{''.join(shown)}</table>"


def _row(number: int, sealed: Sealed) -> str:
    record = sealed.record
    cells = (record["@timestamp"], record["slm.kind"], str(record.get("user.id", "")))
    shown = "".join(f"<td>{escape(cell)}" for cell in cells)
    return (
        f'<tr><td><a href="#r{number}">{number}</a>{shown}<td>{escape(sealed.ledger)}, {sealed.leaf}'
        f"<td><code>{escape(sealed.id)}</code></tr>"
    )


def _record(number: int, sealed: Sealed) -> str:
    shown = {name: value for name, value in sealed.record.items() if name not in _HIDDEN}
    text = orjson.dumps(shown, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    erased = ", ".join(sorted(sealed.record.get("slm.commitments", {})))
    note = f"<p>Erased, and proved by their commitments alone: {escape(erased)}</p>" if erased else ""
    return f'<article id="r{number}"><h2>{number}. {escape(sealed.id)}</h2>{note}<pre>{escape(text)}</pre></article>'
