"""The OpenAPI document as one HTML page, made on the server: no script, no font, nothing from the internet.

The usual viewers load their code from a CDN; a school's server may have no way out, and a page without
script can be served under a policy that forbids all of it.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any, Final

from services.gateway.domain.problems import TITLES
from services.gateway.http import edge
from services.gateway.http.problems import STATUSES

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { border-top: 1px solid var(--line); padding-top: 1.5rem; }
code, pre { font: 0.9em/1.4 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: 0.1em 0.3em; } pre { padding: 0.8rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 0.6rem 0 1.2rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; }
tr { border-bottom: 1px solid var(--line); }
.verb { font-weight: 700; } :target { outline: 2px solid #58f; outline-offset: 4px; }
"""
CONTENT_POLICY: Final = (
    f"{edge.CONTENT_POLICY}; style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)


def render_page(document: Mapping[str, Any]) -> str:
    """Write the whole page: addresses, schemas, problems."""
    info = document["info"]
    body = "".join((*_operations(document), *_schemas(document), *_problems()))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_e(info["title"])}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{_e(info['title'])}</h1>"
        f"<p>{_e(info.get('summary', ''))}</p>"
        '<p>Machine-readable: <a href="/openapi.json">/openapi.json</a>. Flights need the header '
        "<code>Authorization: Bearer &lt;API key&gt;</code>; <code>hobbs flights keys create NAME</code> "
        f"makes one.</p>{body}</body></html>"
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Addresses</h2>"
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield f'<h3><span class="verb">{_e(verb.upper())}</span> <code>{_e(path)}</code></h3>'
            yield f"<p><b>{_e(operation.get('summary', ''))}.</b> {_e(operation.get('description', ''))}</p>"
            yield from _request_body(operation)
            yield from _responses(operation)


def _request_body(operation: Mapping[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for media, described in content.items():
        schema = described.get("schema")
        kind = _type_of(schema) if schema else "the raw body as Stripe sent it"
        yield f"<p>Body, <code>{_e(media)}</code>: {kind}</p>"


def _responses(operation: Mapping[str, Any]) -> Iterator[str]:
    yield "<table><tr><th>status<th>meaning"
    for status, response in sorted(operation["responses"].items()):
        yield f"<tr><td>{_e(status)}<td>{_e(response['description'])}"
    yield "</table>"


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Schemas</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<h3 id="schema-{_e(name)}">{_e(name)}</h3><p>{_e(schema.get("description", ""))}</p>'
        yield "<table><tr><th>field<th>type<th>needed"
        needed = schema.get("required", ())
        for field, described in schema.get("properties", {}).items():
            about = _e(described.get("description", ""))
            yield f"<tr><td><code>{_e(field)}</code><td>{_type_of(described)} {about}"
            yield f"<td>{'yes' if field in needed else ''}"
        yield "</table>"
        for example in schema.get("examples", ()):
            yield f"<pre>{_e(json.dumps(example, indent=2))}</pre>"


def _problems() -> Iterator[str]:
    yield "<h2>Problems</h2><p>Every error is <code>application/problem+json</code> (RFC 9457); its "
    yield "<code>type</code> points here.</p><table><tr><th>type<th>status<th>title"
    for kind, status in STATUSES.items():
        yield f'<tr id="{_e(kind)}"><td><code>{_e(kind)}</code><td>{status.value}<td>{_e(TITLES[kind])}'
    yield "</table>"


def _type_of(schema: Mapping[str, Any]) -> str:
    """A schema in a few words; named ones are linked."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{_e(name)}">{_e(name)}</a>'
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(_type_of(option) for option in schema[choice])
    if schema.get("type") == "array":
        limit = f", up to {schema['maxItems']}" if "maxItems" in schema else ""
        return f"array of {_type_of(schema.get('items', {}))}{limit}"
    limits = _limits(schema)
    return f"{_e(str(schema.get('format') or schema.get('type', 'anything')))}{limits}"


def _limits(schema: Mapping[str, Any]) -> str:
    names = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "maxLength": "length ≤"}
    found = [f"{sign} {schema[name]}" for name, sign in names.items() if name in schema]
    return f" ({_e(', '.join(found))})" if found else ""


def _e(text: object) -> str:
    return escape(str(text), quote=True)
