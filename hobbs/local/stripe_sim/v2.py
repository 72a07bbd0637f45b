"""What is common to the endpoints under /v2: JSON bodies, errors, `include`, pages, times, versions.

Sources: docs.stripe.com/api-v2-overview (bodies in JSON; Stripe-Version is required; what is not included
is null; page tokens; idempotency over 30 days: a success is replayed, a failure is executed again), the
installed stripe library (paths, parameters, headers), Stripe's OpenAPI description (errors: code, message,
user_message).
"""

import base64
import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NotRequired, get_origin
from urllib.parse import urlencode

import orjson

from hobbs.local.stripe_sim.errors import StripeError
from hobbs.local.stripe_sim.world import Call, Doc

PREFIX = "/v2/"
KEPT_S = 30 * 86_400
LIMIT_MAX = 100
LIMIT_DEFAULT = 20  # from memory


def is_v2(path: str) -> bool:
    return path.startswith(PREFIX)


def body(text: str, headers: Mapping[str, str]) -> Doc:
    """A JSON body. Raises StripeError for a form, for what is no object, and without a version."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if text and kind != "application/json":
        raise refused(
            "invalid_content_type", f"Use Content-Type application/json, not {kind or 'none'}.", saved=False
        )
    try:
        found = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        raise refused("invalid_json", "The request's body is not valid JSON.", saved=False) from None
    if not isinstance(found, dict):
        raise refused("invalid_json", "The request's body is not a JSON object.", saved=False)
    return found


def require_version(headers: Mapping[str, str]) -> None:
    """Raises StripeError when a request names no API version: v2 has no default of the account."""
    if not headers.get("stripe-version"):
        raise refused("missing_api_version", "API v2 requests need the header Stripe-Version.", saved=False)


def refused(
    code: str, message: str, *, param: str | None = None, status: int = 400, saved: bool = True
) -> StripeError:
    """An error as API v2 answers it."""
    error = StripeError(status, message, param=param, saved=saved, user_message=message)
    error.error["code"] = code
    return error


def not_found(what: str, id: str) -> StripeError:
    return refused("not_found", f"No such {what}: {id}", status=404, saved=False)


def check_parameters(name: str, params: Doc) -> None:
    """Raise StripeError for unknown or missing parameters. name: as `v2.core.account_create`."""
    allowed, required = _parameters(name)
    for given in params:
        if given not in allowed:
            raise refused("invalid_fields", f"Received unknown parameter: {given}", param=given, saved=False)
    for wanted in sorted(required):
        if params.get(wanted) in (None, ""):
            raise refused("invalid_fields", f"Missing required param: {wanted}.", param=wanted, saved=False)


@cache
def _parameters(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The parameters that the installed library's typed dictionary allows, and those it requires."""
    package, _, base = name.rpartition(".")
    module = importlib.import_module(f"stripe.params.{package}._{base}_params")
    typed = getattr(module, "".join(word.title() for word in base.split("_")) + "Params")
    required = {key for key, hint in typed.__annotations__.items() if get_origin(hint) is not NotRequired}
    page = {"page"} if base.endswith("_list") else set()
    return frozenset(typed.__annotations__) | page, frozenset(required)


def nested(params: Doc, *path: str) -> Doc:
    """The object at a path of a body, empty when there is none."""
    node: Any = params
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    if node is not None and not isinstance(node, dict):
        raise refused(
            "invalid_fields", f"{'.'.join(path)} is not an object", param=".".join(path), saved=False
        )
    return node or {}


def text(params: Doc, *path: str) -> str | None:
    found = nested(params, *path[:-1]).get(path[-1])
    if found is not None and not isinstance(found, str):
        raise refused(
            "invalid_fields", f"{'.'.join(path)} is not a string", param=".".join(path), saved=False
        )
    return found or None


def required_text(params: Doc, *path: str) -> str:
    found = text(params, *path)
    if found is None:
        where = ".".join(path)
        raise refused("invalid_fields", f"{where} is required", param=where, saved=False)
    return found


def strings(params: Doc, name: str) -> list[str]:
    found = params.get(name) or []
    return [found] if isinstance(found, str) else [str(one) for one in found]


def time(seconds: float) -> str:
    """A time as API v2 writes it: RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def page(call: Call, docs: list[Doc]) -> Doc:
    """One page of a list, by limit and by the token that the page before named."""
    limit = _limit(call.params.get("limit"))
    start = _start(call.params.get("page"))
    shown, more = docs[start : start + limit], len(docs) > start + limit
    return {
        "data": shown,
        "next_page_url": _url(call, start + limit) if more else None,
        "previous_page_url": _url(call, max(start - limit, 0)) if start else None,
    }


def _limit(given: Any) -> int:
    try:
        limit = LIMIT_DEFAULT if given in (None, "") else int(given)
    except (TypeError, ValueError):
        limit = 0
    if not 1 <= limit <= LIMIT_MAX:
        raise refused("invalid_fields", f"limit must be from 1 to {LIMIT_MAX}", param="limit", saved=False)
    return limit


def _start(token: Any) -> int:
    if not token:
        return 0
    try:
        kind, _, place = base64.urlsafe_b64decode(str(token)).decode().partition(":")
        if kind != "page":
            raise ValueError
        return int(place)
    except ValueError:
        raise refused(
            "invalid_page_token", "The page token is not one of this list.", param="page", saved=False
        ) from None


def _url(call: Call, start: int) -> str:
    token = base64.urlsafe_b64encode(f"page:{start}".encode()).decode()
    wanted = {name: value for name, value in call.params.items() if name != "page"}
    return f"{call.path}?{urlencode(wanted | {'page': token}, doseq=True)}"


def errors_as_v2(path: str, error: StripeError) -> StripeError:
    """Any error on a v2 path has the fields that API v2 requires."""
    if is_v2(path):
        error.error.setdefault("code", error.error.get("type", "error"))
        error.error.setdefault("user_message", error.error["message"])
        error.error.pop("doc_url", None)
    return error
