"""Compare an answer with Stripe's published shape: fields, types, nulls, enumerations, unknown names."""

import json
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

SHAPES: Doc = json.loads(Path(__file__).with_name("shapes.json").read_text(encoding="utf-8"))
# Fields of the installed library that the description, which is older, does not have yet.
NEWER = frozenset({"evidence_details.submission_method"})
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "number": (int, float),
}


def misfits(doc: Any, schema_name: str) -> list[str]:
    """Every difference between `doc` and Stripe's schema; empty when it fits."""
    return list(_misfits(doc, {"$ref": schema_name}, schema_name))


def _misfits(value: Any, schema: Doc, where: str) -> list[str]:
    if "$ref" in schema:
        return _misfits(value, SHAPES["schemas"][schema["$ref"]], where)
    if value is None:
        allowed = (
            schema.get("nullable") or not schema or any(o.get("nullable") for o in schema.get("anyOf", ()))
        )
        return [] if allowed else [f"{where} is null"]
    if "anyOf" in schema:
        tried = [_misfits(value, option, where) for option in schema["anyOf"]]
        return min(tried, key=len) if tried else []
    return _own_misfits(value, schema, where)


def _own_misfits(value: Any, schema: Doc, where: str) -> list[str]:
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{where} is {type(value).__name__}, not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} is {value!r}, not one of {schema['enum']}"]
    if isinstance(value, list):
        items = schema.get("items", {})
        return [
            found for index, item in enumerate(value) for found in _misfits(item, items, f"{where}[{index}]")
        ]
    if isinstance(value, dict) and "properties" in schema:
        return _field_misfits(value, schema, where)
    return []


def _field_misfits(value: Doc, schema: Doc, where: str) -> list[str]:
    known = schema["properties"]
    missing = [f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value]
    unknown = [
        f"{where}.{name} is not Stripe's"
        for name in value
        if known and name not in known and f"{where}.{name}".split(".", 1)[-1] not in NEWER
    ]
    inside = [
        found
        for name, item in value.items()
        if name in known
        for found in _misfits(item, known[name], f"{where}.{name}")
    ]
    return missing + unknown + inside
