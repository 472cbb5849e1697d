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

from collections.abc import Iterable
from typing import Any

from slmtrail.core.commitment import POSITION_FIELDS
from slmtrail.core.fields import FIELDS, WORDED, Field
from slmtrail.indexer.store.text import MESSAGE_TEXT, PART_TEXT

TEXT = "slm.text"
"""Where all words of a record are searched. A document holds it only for what `text.supplement` gives."""

LEDGER, LEAF = POSITION_FIELDS

SHAPE = 2
"""To be raised when a field of before is mapped in another way."""
VERSION = SHAPE * 10_000 + len(FIELDS)
"""Of the templates; fields are only ever added, so it grows with each of them."""

_META = {"managed_by": "slmtrail"}
_FLAT = "slm"
_SAID_ANYHOW = (("analyzer", "standard"), ("ignore_malformed", False))
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


def leaves(mapping: dict[str, Any], path: str = "") -> dict[str, dict[str, str]]:
    """What each field is mapped as, in the spelling of the server's answers."""
    found = {}
    for name, value in mapping.get("properties", {}).items():
        if "properties" in value:
            found.update(leaves(value, f"{path}{name}."))
        else:
            found[path + name] = {
                key: str([given] if key == "copy_to" and isinstance(given, str) else given).lower()
                for key, given in value.items()
                if (key, given) not in _SAID_ANYHOW
            }
    return found


def settings(*, logsdb: bool) -> dict[str, Any]:
    """The settings of an index. The source is kept as it was sent: a record that is put together again proves nothing.

    A value that does not fit its field is refused, not left out of the index in silence, which `logsdb` would do.
    """
    index: dict[str, Any] = {"auto_expand_replicas": "0-1", "mapping": {"ignore_malformed": False}}
    if logsdb:
        index |= {"mode": "logsdb", "mapping": {"source": {"mode": "stored"}, "ignore_malformed": False}}
    else:
        index["codec"] = "best_compression"
    return {"index": index}


def component_templates(dataset: str, *, logsdb: bool) -> dict[str, dict[str, Any]]:
    """The parts that the index template is composed of, by name: what is named by ECS, by OpenTelemetry's GenAI
    conventions and by us, and the settings."""
    whole = mappings()["properties"]
    parts = {
        "ecs": {name: value for name, value in whole.items() if name not in ("gen_ai", _FLAT)},
        "genai": {"gen_ai": whole["gen_ai"]},
        "slm": {_FLAT: whole[_FLAT]},
    }
    made = {name: {"mappings": {"dynamic": False, "properties": properties}} for name, properties in parts.items()}
    made["settings"] = {"settings": settings(logsdb=logsdb)}
    return {
        f"slmtrail-{dataset}-{name}": {"template": template, "version": VERSION, "_meta": _META}
        for name, template in made.items()
    }


def index_template(pattern: str, components: Iterable[str]) -> dict[str, Any]:
    """Makes every data stream of `pattern` one of records. Its priority is above that of the built-in `logs-*-*`."""
    return {
        "index_patterns": [pattern],
        "data_stream": {},
        "priority": 500,
        "composed_of": [*components],
        "version": VERSION,
        "_meta": _META,
    }


def _mapped(field: Field) -> dict[str, Any]:
    if field.name not in WORDED or field.type in ("labels", "messages"):
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
