"""Who may ask: the request's API key, and what every request of a key has in common."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from fastapi import Request

from fleet.database import Database
from fleet.outages import is_outage
from services.gateway import store
from services.gateway.domain.api_keys import ApiKey, hash_key, looks_like_a_key
from services.gateway.domain.problems import ProblemRaised
from services.gateway.http.budgets import KEYS_MAX
from services.gateway.http.problems import MEDIA_TYPE

T = TypeVar("T")
_log = logging.getLogger(__name__)

_PROBLEM: Final[dict[str, Any]] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The body cannot be read.", "content": _PROBLEM},
    401: {"description": "No API key, or one that is unknown, revoked or expired.", "content": _PROBLEM},
    403: {"description": "The key lacks the scope.", "content": _PROBLEM},
    409: {"description": "A revision was accepted before with other content.", "content": _PROBLEM},
    413: {"description": "The body is larger than the limit.", "content": _PROBLEM},
    415: {"description": "The body is compressed or not declared as JSON.", "content": _PROBLEM},
    422: {"description": "The request is not valid; `errors` points at each fault.", "content": _PROBLEM},
    429: {"description": "The key makes too many requests; Retry-After says when.", "content": _PROBLEM},
    503: {"description": "Not now; send the same request again.", "content": _PROBLEM},
}


async def authorised(db: Database, request: Request, scope: str) -> ApiKey:
    """Find the request's key before its body is read: a stranger costs one look-up in an index."""
    key_hash = offered_key(request)
    return judged(await while_database_lives(lambda: _key_of(db, key_hash)), scope)


def offered_key(request: Request) -> bytes:
    """The hash of the key that is offered. Raises ProblemRaised when nothing is that could be one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ProblemRaised("key_missing", "send Authorization: Bearer <API key>")
    if not looks_like_a_key(token := token.strip()):
        raise _refused()
    return hash_key(token)


def judged(found: ApiKey | None, scope: str) -> ApiKey:
    """The key that was found, if it may do this. Raises ProblemRaised."""
    if found is None or found.over:
        raise _refused()
    if scope not in found.scopes:
        raise ProblemRaised("scope_missing", f"key {found.name!r} lacks the scope {scope}")
    return found


def _refused() -> ProblemRaised:
    return ProblemRaised("key_refused", "this API key is unknown, was revoked, or has expired")


async def _key_of(db: Database, key_hash: bytes) -> ApiKey | None:
    async with db.autocommit() as tx:
        return await store.api_keys.use(tx, key_hash)


class UsedKeys:
    """Keys that were good when they were used last: whose requests may be read before the key is asked about.

    Nothing is answered by what is kept here: the question that answers the request asks about the key too.
    """

    def __init__(self) -> None:
        self._keys: dict[bytes, ApiKey] = {}

    def get(self, key_hash: bytes) -> ApiKey | None:
        return self._keys.get(key_hash)

    def keep(self, key_hash: bytes, key: ApiKey) -> None:
        if len(self._keys) >= KEYS_MAX:
            del self._keys[next(iter(self._keys))]
        self._keys[key_hash] = key

    def forget(self, key_hash: bytes) -> None:
        self._keys.pop(key_hash, None)


async def while_database_lives(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work`; an outage of Postgres becomes a 503. What is no outage is raised as it is."""
    try:
        return await work()
    except Exception as error:
        if not is_outage(error):
            raise
        raise _not_now(error) from error


def _not_now(error: Exception) -> ProblemRaised:
    _log.error("database unavailable", extra={"error": type(error).__name__})
    return ProblemRaised("try_again", "the database does not answer; send the same request again")


def refuse_encodings(request: Request) -> None:
    declared = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if declared != "application/json" or request.headers.get("content-encoding", "identity") != "identity":
        raise ProblemRaised("not_json", "send Content-Type: application/json, uncompressed")
