"""Compares JSON Schemas: what may a writer's schema produce that a reader's schema refuses? Pure.

It handles what pydantic writes for event models: objects, arrays, scalars with bounds, anyOf, enum, const,
$ref. What it cannot prove to be accepted (another pattern, another format) it reports.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Node = Mapping[str, Any]
ANYTHING: Final[Node] = {}
LOWER: Final = (("minimum", False), ("exclusiveMinimum", True), ("minLength", False), ("minItems", False))
UPPER: Final = (("maximum", False), ("exclusiveMaximum", True), ("maxLength", False), ("maxItems", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A value that the writer may send at `field` and that the reader refuses."""

    field: str
    why: str


def refusals(reader: Node, writer: Node) -> list[Refused]:
    """Compare two whole schemas, each with its own $defs."""
    return list(_refused(_expand(reader, reader), _expand(writer, writer), ""))


def removed_fields(new: Node, old: Node) -> list[str]:
    """Fields that the old schema had and the new one lacks, as dotted paths; [] marks a list's items."""
    gone = _field_paths(_expand(old, old), "") - _field_paths(_expand(new, new), "")
    return sorted(path for path in gone if not any(_is_inside(path, other) for other in gone))


def changed_defaults(new: Node, old: Node) -> list[Refused]:
    """Optional fields whose absence now means something else."""
    before, after = _defaults(_expand(old, old)), _defaults(_expand(new, new))
    return [
        Refused(field=field, why=f"its default changed from {before[field]!r} to {after[field]!r}")
        for field in sorted(before.keys() & after.keys())
        if before[field] != after[field]
    ]


def _refused(reader: Node, writer: Node, path: str) -> Iterator[Refused]:
    for variant in _variants(writer):
        attempts = [list(_variant_refused(option, variant, path)) for option in _variants(reader)]
        if any(not attempt for attempt in attempts):
            continue
        same_kind = [
            a for o, a in zip(_variants(reader), attempts, strict=True) if _kind(o) == _kind(variant)
        ]
        yield from (same_kind or attempts)[0]


def _variant_refused(reader: Node, writer: Node, path: str) -> Iterator[Refused]:
    if not _takes_kind(reader, writer):
        yield Refused(field=path, why=f"{_kind(writer)} is not {_kind(reader)}")
        return
    yield from _values_refused(reader, writer, path)
    yield from _bounds_refused(reader, writer, path)
    if _kind(writer) == "object":
        yield from _object_refused(reader, writer, path)
    if _kind(writer) == "array":
        yield from _refused(reader.get("items", ANYTHING), writer.get("items", ANYTHING), f"{path}[]")


def _takes_kind(reader: Node, writer: Node) -> bool:
    wanted, sent = _kind(reader), _kind(writer)
    return wanted in ("anything", sent) or (wanted, sent) == ("number", "integer")


def _values_refused(reader: Node, writer: Node, path: str) -> Iterator[Refused]:
    allowed, sent = _values(reader), _values(writer)
    if allowed is None:
        return
    if sent is None:
        yield Refused(field=path, why=f"any value is not one of {_listed(allowed)}")
    elif extra := [value for value in sent if value not in allowed]:
        yield Refused(field=path, why=f"{_listed(extra)} is not among {_listed(allowed)}")


def _bounds_refused(reader: Node, writer: Node, path: str) -> Iterator[Refused]:
    if _values(writer) is not None:
        return  # enumerated values were compared already
    for bounds, sign in ((LOWER, 1), (UPPER, -1)):
        wanted, sent = _bound(reader, bounds, sign), _bound(writer, bounds, sign)
        if wanted is not None and (sent is None or wanted[:2] > sent[:2]):
            yield Refused(field=path, why=f"{wanted[2]} is narrower than {sent[2] if sent else 'no limit'}")
    for word in ("pattern", "format"):
        if word in reader and reader[word] != writer.get(word):
            yield Refused(field=path, why=f"{word} {reader[word]} is not {word} {writer.get(word, 'any')}")


def _object_refused(reader: Node, writer: Node, path: str) -> Iterator[Refused]:
    reads, writes = reader.get("properties", {}), writer.get("properties", {})
    for name in reader.get("required", ()):
        if name not in writer.get("required", ()):
            yield Refused(field=_join(path, name), why="it may be missing, and it is required")
    for name in reads.keys() & writes.keys():
        yield from _refused(reads[name], writes[name], _join(path, name))
    wanted, sent = reader.get("additionalProperties", True), writer.get("additionalProperties", True)
    if isinstance(wanted, Mapping):
        yield from _refused(wanted, sent if isinstance(sent, Mapping) else ANYTHING, _join(path, "*"))
    elif wanted is False and (sent is not False or writes.keys() - reads.keys()):
        yield Refused(field=path, why="fields it does not know are refused")


def _expand(node: Any, root: Node, open_refs: tuple[str, ...] = ()) -> Any:
    """Replace $ref by its definition; a model that contains itself is expanded once."""
    if isinstance(node, list):
        return [_expand(item, root, open_refs) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        name = str(node["$ref"]).rsplit("/", 1)[-1]
        beside = {key: value for key, value in node.items() if key != "$ref"}
        target = {} if name in open_refs else _expand(root["$defs"][name], root, (*open_refs, name))
        return {**target, **beside}
    skipped = ("$defs", "examples")
    return {key: _expand(value, root, open_refs) for key, value in node.items() if key not in skipped}


def _variants(node: Node) -> list[Node]:
    if "anyOf" not in node:
        return [node]
    return [variant for option in node["anyOf"] for variant in _variants(option)]


def _kind(node: Node) -> str:
    if "type" in node:
        return str(node["type"])
    values = _values(node)
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return kinds.get(type(values[0]), "anything") if values else "anything"


def _values(node: Node) -> Sequence[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _bound(node: Node, words: Sequence[tuple[str, bool]], sign: int) -> tuple[float, bool, str] | None:
    """The tightest bound as (how tight, exclusive, words); with sign -1 upper bounds compare like lower."""
    found = [
        (sign * node[word], exclusive, f"{word} {node[word]}") for word, exclusive in words if word in node
    ]
    return max(found, default=None)


def _field_paths(node: Node, path: str) -> set[str]:
    paths: set[str] = set()
    for variant in _variants(node):
        for name, field in variant.get("properties", {}).items():
            paths |= {_join(path, name)} | _field_paths(field, _join(path, name))
        if "items" in variant:
            paths |= _field_paths(variant["items"], f"{path}[]")
        if isinstance(variant.get("additionalProperties"), Mapping):
            paths |= _field_paths(variant["additionalProperties"], _join(path, "*"))
    return paths


def _defaults(node: Node, path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variant in _variants(node):
        for name, field in variant.get("properties", {}).items():
            if "default" in field:
                found[_join(path, name)] = field["default"]
            found |= _defaults(field, _join(path, name))
        if "items" in variant:
            found |= _defaults(variant["items"], f"{path}[]")
    return found


def _is_inside(path: str, other: str) -> bool:
    return path.startswith((f"{other}.", f"{other}[]"))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(repr(value) for value in values)
