"""Which Stripe-Version a request may name. The answers are always those of the pinned version.

Known versions are the installed library's own list. Stripe answers every version since 2011; here a request
of 2026 is taken, so that this year's official clients work, and an older one is refused: its shapes differ.
Source: docs.stripe.com/api/versioning (a missing header means the account's default); the sentence for an
unknown version is quoted in github.com/stripe/stripe-java/issues/682.
"""

from functools import cache
from typing import get_args

from stripe.params import WebhookEndpointCreateParams

from hobbs.local.stripe_sim import errors

SIMULATED_SINCE = "2026-01-01"


@cache
def known() -> frozenset[str]:
    literal = get_args(WebhookEndpointCreateParams.__annotations__["api_version"])[0]
    return frozenset(get_args(literal))


def check(version: str | None) -> None:
    """Raise StripeError for a Stripe-Version that Stripe does not know, or that is not simulated."""
    if not version or (version in known() and version >= SIMULATED_SINCE):
        return
    if version in known():
        raise errors.not_simulated(f"API version {version}: send one of 2026, or none")
    date, _, release = version.partition(".")
    if release in ("preview", "private") and any(known_one.startswith(date) for known_one in known()):
        raise errors.not_simulated(f"the {release} versions of Stripe's API")
    raise errors.StripeError(400, f"Invalid Stripe API version: {version}", saved=False)
