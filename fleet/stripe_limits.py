"""How often Stripe lets one platform call it: the one table, for payouts' pace and for the simulator.

Source: docs.stripe.com/rate-limits, as stored copies of September 2026 quote it: 100 calls a second in live
mode and 25 in a sandbox; 25 of each endpoint "unless otherwise noted", and each named operation is an
endpoint of its own (`GET /v1/transfers` and `POST /v1/transfers` are two, whatever the ids); 15 payouts
created a second; 30 connected accounts created a second in live mode, 5 in a sandbox. A 429 says which limit
it was in `Stripe-Rate-Limited-Reason`; there is no Retry-After. Not documented, and so read as strictly as it
can be: whether calls with a Stripe-Account header count for the platform (here they do), and over what span a
second is counted (here over any span).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlsplit

from fleet.stripe_keys import livemode_of

Mode = Literal["live", "sandbox"]

ACCOUNT_CREATION: Final = "POST /v1/accounts"
PAYOUT_CREATION: Final = "POST /v1/payouts"
# Creation of accounts is one limit, whichever of the two APIs is asked.
_SHARES_A_LIMIT: Final = {"POST /v2/core/accounts": ACCOUNT_CREATION}
_NO_IDS: Final = frozenset({"search", "sessions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeLimits:
    """Calls a second: of all endpoints together, of each, and of those with a limit of their own."""

    in_all: float
    of_each: float
    of: Mapping[str, float]

    def of_endpoint(self, endpoint: str) -> float:
        """The limit of one endpoint, by its name as `endpoint_of` gives it."""
        return self.of.get(limited_as(endpoint), self.of_each)

    def raised(self, in_all: float | None, of_each: float | None) -> "StripeLimits":
        """These limits with what Stripe granted one platform; limits of their own change in proportion."""
        times = (of_each or self.of_each) / self.of_each
        return replace(
            self,
            in_all=in_all or self.in_all,
            of_each=self.of_each * times,
            of={endpoint: per_s * times for endpoint, per_s in self.of.items()},
        )

    def divided(self, by: int) -> "StripeLimits":
        """One process's part, when so many processes share the platform's key."""
        return StripeLimits(
            in_all=self.in_all / by,
            of_each=self.of_each / by,
            of={endpoint: per_s / by for endpoint, per_s in self.of.items()},
        )


LIMITS: Final[Mapping[Mode, StripeLimits]] = {
    "live": StripeLimits(in_all=100, of_each=25, of={PAYOUT_CREATION: 15, ACCOUNT_CREATION: 30}),
    "sandbox": StripeLimits(in_all=25, of_each=25, of={PAYOUT_CREATION: 15, ACCOUNT_CREATION: 5}),
}


def mode_of(secret_key: str) -> Mode:
    """Live or sandbox, by the key's prefix."""
    return "sandbox" if livemode_of(secret_key) is False else "live"


def limited_as(endpoint: str) -> str:
    """The endpoint whose limit a call counts against."""
    return _SHARES_A_LIMIT.get(endpoint, endpoint)


def endpoint_of(method: str, url: str) -> str:
    """The endpoint of a call: `GET /v1/accounts/acct_1` is `GET /v1/accounts/{id}`.

    Names and ids take turns in a path: /v1/transfers/tr_1/reversals/trr_1. In v2 a group's name is first.
    """
    version, *parts = urlsplit(url).path.strip("/").split("/")
    group = parts[:1] if version == "v2" else []
    named = [
        "{id}" if place % 2 and part not in _NO_IDS else part
        for place, part in enumerate(parts[len(group) :])
    ]
    return f"{method.upper()} /{'/'.join([version, *group, *named])}"
