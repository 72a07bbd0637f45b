"""The settings of a payouts service as it is installed, and a pace for tests of something else than pace."""

from pydantic import SecretStr

from fleet.stripe_limits import StripeLimits
from services.payouts.settings import PayoutsSettings
from services.payouts.stripe.pacer import Pace

SETTINGS = PayoutsSettings(
    database_url=SecretStr(""), kafka_bootstrap="127.0.0.1:1", stripe_secret_key=SecretStr("sk_test_nobody")
)


def unhurried(per_s: float = 5_000.0) -> Pace:
    """A pace that is no limit to a test."""
    return Pace(StripeLimits(in_all=per_s, of_each=per_s, of={}), reads_per_s=per_s)
