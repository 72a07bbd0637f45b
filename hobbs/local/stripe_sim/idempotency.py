"""Idempotency as documented for Stripe's v1 API.

* The first status and body are replayed once execution began, 4xx and 500 included, marked by the header
  `Idempotent-Replayed: true`.
* Failed validation, conflicts, rate limits and authentication are not saved.
* Other parameters or another endpoint with the same key: 400 idempotency_error.
* The same key while the first request still runs: 409 idempotency_key_in_use.
* Keys are pruned once they are 24 hours old on the simulator's clock; then the same key executes again.

API v2 has its own rules: within 30 days a success is replayed, and a request that failed is executed again.

Source: docs.stripe.com/api/idempotent_requests, docs.stripe.com/error-low-level,
docs.stripe.com/api-v2-overview.
"""

from dataclasses import dataclass

import orjson

from hobbs.local.stripe_sim import errors, v2
from hobbs.local.stripe_sim.world import Call, World

KEPT_S = 24 * 3600
KEY_CHARS_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    status: int
    body: bytes
    request_id: str


def saved_answer(world: World, call: Call) -> Saved | None:
    """The saved answer, or None for a new key. Raises StripeError when the key is of another request."""
    if call.key is None:
        return None
    if len(call.key) > KEY_CHARS_MAX:
        raise errors.invalid_param(
            "Idempotency-Key", f"Idempotency keys must be at most {KEY_CHARS_MAX} characters."
        )
    row = world.store.row(
        "SELECT method, path, params, status, body, request_id FROM idempotency"
        " WHERE account = :account AND key = :key AND created > :oldest",
        account=call.account,
        key=call.key,
        oldest=world.clock.now() - (v2.KEPT_S if v2.is_v2(call.path) else KEPT_S),
    )
    if row is None:
        return None
    method, path, params, status, body, request_id = row
    if (method, path) != (call.method, call.path):
        raise errors.key_reused_on_other_endpoint(call.key, path, call.path)
    if params != fingerprint(call):
        raise errors.key_reused_with_other_parameters(call.key)
    return Saved(status=status, body=body, request_id=request_id)


def save(world: World, call: Call, status: int, body: bytes, fingerprint: bytes) -> None:
    """Save the answer in the transaction of its effects, so that a crash keeps both or neither."""
    if call.key is None or (v2.is_v2(call.path) and status >= 400):
        return
    world.store.write(
        "INSERT OR REPLACE INTO idempotency VALUES"
        " (:account, :key, :method, :path, :params, :status, :body, :request_id, :created)",
        account=call.account,
        key=call.key,
        method=call.method,
        path=call.path,
        params=fingerprint,
        status=status,
        body=body,
        request_id=call.request_id,
        created=world.clock.now(),
    )


def fingerprint(call: Call) -> bytes:
    return orjson.dumps(call.params, option=orjson.OPT_SORT_KEYS)


def prune(world: World) -> int:
    return world.store.write(
        "DELETE FROM idempotency"
        " WHERE created <= CASE WHEN path LIKE '/v2/%' THEN :oldest_v2 ELSE :oldest END",
        oldest=world.clock.now() - KEPT_S,
        oldest_v2=world.clock.now() - v2.KEPT_S,
    )
