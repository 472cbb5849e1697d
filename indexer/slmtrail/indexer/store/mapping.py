"""The Elasticsearch templates, made from the field table.

| type in the table | mapped as |
|---|---|
| keyword, keywords | `keyword` |
| integer, decimal | `long`, `double` |
| date, boolean | `date`, `boolean` |
| ip | `ip`; a zone (`%eth0`) is stored, not searched |
| labels | `flattened`: callers choose the keys, which must not become columns |
| text, json, messages | their strings are copied into the one text field `slm.text` and not indexed again |
| text, json outside of content | kept in the source alone |

Nothing is mapped but what stands here (`dynamic: false`): salts, commitments and what is not known are in the
source alone. `slm` is taken as one flat object, because `slm.findings` is a value and `slm.findings.types` too.
"""

from __future__ import annotations

from typing import Any

from slmtrail.core.commitment import POSITION_FIELDS
from slmtrail.core.fields import CONTENT, FIELDS, Field
from slmtrail.indexer.store.text import MESSAGE_TEXT, PART_TEXT

TEXT = "slm.text"
"""Where all words of a record are searched. A document holds it only for what `text.supplement` gives."""

LEDGER, LEAF = POSITION_FIELDS

_FLAT = "slm"
_UNSEARCHED = {"type": "keyword", "index": False, "doc_values": False}
_COPIED = {"type": "text", "index": False, "copy_to": TEXT}
_PLAIN: dict[str, dict[str, Any]] = {
    "keyword": {"type": "keyword"},
    "keywords": {"type": "keyword"},
    "integer": {"type": "long"},
    "decimal": {"type": "double"},
    "date": {"type": "date"},
    "boolean": {"type": "boolean"},
    "ip": {"type": "ip", "ignore_malformed": True},
    "labels": {"type": "flattened"},
    "text": _UNSEARCHED,
    "json": _UNSEARCHED,
    "messages": {
        "properties": {
            **dict.fromkeys(MESSAGE_TEXT, _COPIED),
            "role": {"type": "keyword"},
            "finish_reason": {"type": "keyword"},
            "parts": {"properties": {"type": {"type": "keyword"}, **dict.fromkeys(PART_TEXT, _COPIED)}},
        }
    },
}


def mappings() -> dict[str, Any]:
    """How each field of a document is indexed."""
    properties: dict[str, Any] = {_FLAT: {"type": "object", "subobjects": False, "properties": {}}}
    for name, field in FIELDS.items():
        _put(properties, name, _mapped(field))
    _put(properties, LEDGER, {"type": "keyword"})
    _put(properties, LEAF, {"type": "long"})
    _put(properties, TEXT, {"type": "text", "analyzer": "standard", "norms": False})
    return {"dynamic": False, "properties": properties}


def component_template() -> dict[str, Any]:
    """The mappings, for index templates to be composed of."""
    return {"template": {"mappings": mappings()}, "_meta": {"managed_by": "slmtrail"}}


def index_template(pattern: str, component: str) -> dict[str, Any]:
    """Makes every data stream of `pattern` one of records. Its priority is above that of the built-in `logs-*-*`."""
    settings = {"codec": "best_compression", "auto_expand_replicas": "0-1"}
    return {
        "index_patterns": [pattern],
        "data_stream": {},
        "priority": 500,
        "composed_of": [component],
        "template": {"settings": {"index": settings}},
        "_meta": {"managed_by": "slmtrail"},
    }


def _mapped(field: Field) -> dict[str, Any]:
    if field.name not in CONTENT or field.type in ("labels", "messages"):
        return _PLAIN[field.type]
    if field.type in ("text", "json"):
        return _COPIED
    return {**_PLAIN[field.type], "copy_to": TEXT}


def _put(properties: dict[str, Any], name: str, mapped: dict[str, Any]) -> None:
    *parents, last = name.split(".")
    if parents and parents[0] == _FLAT:
        parents, last = [_FLAT], name.removeprefix(f"{_FLAT}.")
    for parent in parents:
        properties = properties.setdefault(parent, {"properties": {}})["properties"]
    properties[last] = mapped
