"""Stripe's error answers as exceptions: status, type, code, wording, and whether a key saves them.

Saved: anything an endpoint answers once it began to execute, 4xx and 500 included.
Not saved: failed validation, conflicts, rate limits, authentication.
Sources: docs.stripe.com/api/idempotent_requests, docs.stripe.com/error-codes.
"""

from typing import Any

DOC_URL = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """One error answer. Raising it commits what the handler wrote so far (a declined charge is a fact)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        saved: bool = True,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.saved = saved
        self.headers = headers or {}
        error: dict[str, Any] = {"message": message, "type": type}
        if code is not None:
            error |= {"code": code, "doc_url": DOC_URL + code.replace("_", "-")}
        if param is not None:
            error["param"] = param
        self.error = error | extra

    def body(self) -> dict[str, Any]:
        return {"error": self.error}


def missing_param(param: str) -> StripeError:
    return StripeError(
        400, f"Missing required param: {param}.", code="parameter_missing", param=param, saved=False
    )


def unknown_param(param: str) -> StripeError:
    return StripeError(
        400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param, saved=False
    )


def invalid_param(param: str, message: str, code: str | None = None) -> StripeError:
    return StripeError(400, message, code=code, param=param, saved=False)


def not_simulated(what: str, param: str | None = None) -> StripeError:
    """Refuse what the simulator lacks, rather than answer as Stripe would not."""
    return StripeError(400, f"The Hobbs simulator does not simulate {what}.", param=param, saved=False)


def no_such(kind: str, id: str, param: str = "id", *, status: int = 404) -> StripeError:
    """An id in the path answers 404; an id in a parameter answers 400 (pass status)."""
    return StripeError(status, f"No such {kind}: '{id}'", code="resource_missing", param=param)


def refused(message: str, code: str | None = None, param: str | None = None) -> StripeError:
    """A business rule refused during execution: 400, saved under the key."""
    return StripeError(400, message, code=code, param=param)


def balance_insufficient(message: str | None = None) -> StripeError:
    return refused(
        message
        or "You have insufficient available funds in your Stripe account. Try adding funds directly to your "
        "available balance by creating Charges using the 4000000000000077 test card. "
        "See: https://stripe.com/docs/testing#available-balance",
        "balance_insufficient",
    )


def unauthenticated(key: str | None) -> StripeError:
    message = (
        "You did not provide an API key. You need to provide your API key in the Authorization header, using "
        "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        if key is None
        else f"Invalid API Key provided: {masked(key)}"
    )
    return StripeError(401, message, saved=False)


def not_a_test_key() -> StripeError:
    """A live key, or no key of Stripe's: 401 as Stripe answers an unknown one, without a character of it."""
    return StripeError(401, "Invalid API Key provided: this is no test key.", saved=False)


def account_invalid(account: str, key: str) -> StripeError:
    return StripeError(
        403,
        f"The provided key '{masked(key)}' does not have access to account '{account}' "
        "(or that account does not exist). Application access may have been revoked.",
        code="account_invalid",
        saved=False,
    )


def masked(key: str) -> str:
    return key[:8] + "*" * max(len(key) - 12, 4) + key[-4:] if len(key) > 12 else "*" * len(key)


def unknown_url(method: str, path: str) -> StripeError:
    return StripeError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        saved=False,
    )


def key_in_use(key: str) -> StripeError:
    """Type and wording as matched by github.com/woocommerce/woocommerce-gateway-stripe/pull/503."""
    return StripeError(
        409,
        f"There is currently another in-progress request using this Idempotent Key (that probably means you "
        f"submitted twice, and the other request is still going through): {key}. Please try again later.",
        code="idempotency_key_in_use",
        saved=False,
    )


def key_reused_with_other_parameters(key: str) -> StripeError:
    return StripeError(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request.",
        type="idempotency_error",
        saved=False,
    )


def key_reused_on_other_endpoint(key: str, first: str, path: str) -> StripeError:
    return StripeError(
        400,
        "Keys for idempotent requests can only be used for the same endpoint they were first used for "
        f"('{path}' vs '{first}'). Try using a key other than '{key}' if you meant to execute a different "
        "request.",
        type="idempotency_error",
        saved=False,
    )


def rate_limited(reason: str = "global-rate") -> StripeError:
    """reason: which limit it was; docs.stripe.com/rate-limits lists them. There is no Retry-After."""
    return StripeError(
        429,
        "Request rate limit exceeded. Learn more about rate limits https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        saved=False,
        headers={"Stripe-Rate-Limited-Reason": reason},
    )


def lock_timeout() -> StripeError:
    """A 429 without Stripe-Rate-Limited-Reason: a lock, not a limit (docs.stripe.com/rate-limits)."""
    return StripeError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it. If you see this error intermittently, retry the request. If you see this error "
        "frequently and are making multiple concurrent requests to a single object, make your requests "
        "serially or at a lower rate.",
        code="lock_timeout",
        saved=False,
    )


def server_error(status: int = 500, *, saved: bool = True) -> StripeError:
    return StripeError(
        status,
        "An unknown error occurred. Contact support@stripe.com if you have questions.",
        type="api_error",
        saved=saved,
    )


def card_declined(
    message: str, code: str, decline_code: str | None, charge: str | None, **extra: Any
) -> StripeError:
    if decline_code is not None:
        extra["decline_code"] = decline_code
    if charge is not None:
        extra["charge"] = charge
    return StripeError(402, message, type="card_error", code=code, **extra)
