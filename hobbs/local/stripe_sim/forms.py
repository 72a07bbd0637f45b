"""Form bodies as Stripe reads them: `metadata[a]=1&expand[]=x` to nested dicts and lists, then typed values.

Failures here are validation errors, raised before execution begins, so no idempotency key saves them.
"""

from typing import Any
from urllib.parse import parse_qsl

from hobbs.local.stripe_sim import currencies, errors

Doc = dict[str, Any]

METADATA_KEYS_MAX = 50
METADATA_KEY_CHARS_MAX = 40
METADATA_VALUE_CHARS_MAX = 500
AMOUNT_MAX = 99_999_999


def parse(body: str) -> Doc:
    """Decode a form or query string; `a[0]` and `a[]` become lists, but a key of metadata may be a number."""
    root: Doc = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        _put(root, _segments(name), value)
    return {key: _lists(value, key) for key, value in root.items()}


def _segments(name: str) -> list[str]:
    head, _, rest = name.partition("[")
    return [head, *rest.removesuffix("]").split("][")] if rest else [head]


def _put(node: Doc, segments: list[str], value: str) -> None:
    for segment in segments[:-1]:
        nested = node.setdefault(segment, {})
        if not isinstance(nested, dict):
            raise errors.invalid_param(segments[0], f"Invalid object: {segments[0]}")
        node = nested
    last = segments[-1]
    node[str(len(node)) if last == "" else last] = value


def _lists(value: Any, name: str = "") -> Any:
    if not isinstance(value, dict):
        return value
    if value and name != "metadata" and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(nested, key) for key, nested in value.items()}


def integer(params: Doc, name: str, default: int | None = None, *, minimum: int | None = None) -> int | None:
    raw = params.get(name)
    if raw is None or raw == "":
        return default
    try:
        value = int(raw)
    except (TypeError, ValueError):
        raise errors.invalid_param(name, f"Invalid integer: {raw}", "parameter_invalid_integer") from None
    if minimum is not None and value < minimum:
        raise errors.invalid_param(
            name, f"This value must be greater than or equal to {minimum}.", "parameter_invalid_integer"
        )
    return value


def amount(params: Doc, name: str = "amount") -> int | None:
    """A positive amount in minor units, or None when absent."""
    value = integer(params, name, minimum=1)
    if value is not None and value > AMOUNT_MAX:
        raise errors.invalid_param(name, "Amount must be no more than $999,999.99", "amount_too_large")
    return value


def required_amount(params: Doc, name: str = "amount") -> int:
    value = amount(params, name)
    if value is None:
        raise errors.missing_param(name)
    return value


def boolean(params: Doc, name: str, default: bool = False) -> bool:
    raw = params.get(name)
    if raw is None or raw == "":
        return default
    if raw not in ("true", "false"):
        raise errors.invalid_param(name, f"Invalid boolean: {raw}")
    return bool(raw == "true")


def text(params: Doc, name: str) -> str | None:
    raw = params.get(name)
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise errors.invalid_param(name, f"Invalid string: {raw}")
    return raw


def required_text(params: Doc, name: str) -> str:
    value = text(params, name)
    if value is None:
        raise errors.missing_param(name)
    return value


def currency(params: Doc) -> str:
    return currencies.known(required_text(params, "currency").lower())


def choice(params: Doc, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = text(params, name) or default
    if value not in allowed:
        raise errors.invalid_param(name, f"Invalid {name}: must be one of {', '.join(allowed)}")
    return value


def nested(params: Doc, name: str) -> Doc:
    value = params.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise errors.invalid_param(name, "Invalid object")
    return value


def strings(params: Doc, name: str) -> list[str]:
    value = params.get(name) or []
    return [value] if isinstance(value, str) else [str(item) for item in value]


def metadata(params: Doc, current: dict[str, str] | None = None) -> dict[str, str]:
    """Merge given metadata into `current`; an empty value removes its key, an empty map removes all."""
    given = params.get("metadata")
    if given is None:
        return dict(current or {})
    if given == "":
        return {}
    if not isinstance(given, dict):
        raise errors.invalid_param("metadata", "Invalid object")
    merged = {k: v for k, v in {**(current or {}), **given}.items() if v != ""}
    _bound_metadata(merged)
    return merged


def _bound_metadata(values: dict[str, str]) -> None:
    if len(values) > METADATA_KEYS_MAX:
        raise errors.invalid_param("metadata", f"Metadata can have at most {METADATA_KEYS_MAX} keys.")
    for key, value in values.items():
        if len(key) > METADATA_KEY_CHARS_MAX:
            raise errors.invalid_param(
                "metadata", f"Metadata keys can be up to {METADATA_KEY_CHARS_MAX} characters. Check '{key}'."
            )
        if not isinstance(value, str) or len(value) > METADATA_VALUE_CHARS_MAX:
            raise errors.invalid_param(
                f"metadata[{key}]", f"Metadata values can have up to {METADATA_VALUE_CHARS_MAX} characters."
            )
