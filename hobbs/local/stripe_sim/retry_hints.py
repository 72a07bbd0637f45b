"""`Stripe-Should-Retry`: whether Stripe expects another answer to the same request.

true: the request did not run and may soon (a key in use, a locked object). false: it ran and its answer is
saved, or too many requests came. No header: Stripe cannot tell (a server error at its edge).
Source: docs.stripe.com/error-low-level; recorded answers in public repositories carry `false` with
Original-Request once a keyed request ran; github.com/stripe/stripe-dotnet/issues/1886 (a lock time-out is
worth another try, a rate limit is not).
"""

from hobbs.local.stripe_sim.errors import StripeError

WORTH_ANOTHER_TRY = frozenset({"idempotency_key_in_use", "lock_timeout"})


def for_error(error: StripeError) -> dict[str, str]:
    if error.error.get("code") in WORTH_ANOTHER_TRY:
        return {"Stripe-Should-Retry": "true"}
    return {"Stripe-Should-Retry": "false"} if error.status == 429 else {}


def for_executed(request_id: str | None) -> dict[str, str]:
    """Headers of a keyed request's answer once it ran, at first and when it is replayed."""
    return {"Original-Request": request_id or "", "Stripe-Should-Retry": "false"}
