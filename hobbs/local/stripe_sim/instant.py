"""When Stripe refuses an instant payout: destination, currency, amount, and the platform's volume of a day.

Sources: docs.stripe.com/connect/instant-payouts (eligible accounts have the full service agreement, the
local currency, and `instant` among a destination's available_payout_methods; a volume for each day over all
accounts, at first 5,000 USD, counted anew at midnight Central time), docs.stripe.com/error-codes
(instant_payouts_unsupported, _limit_exceeded, _currency_disabled). The bounds of one payout (0.50 to
9,999.00), the codes for them, and which of several refusals comes first, are from memory.
"""

from hobbs.local.stripe_sim import agreements, currencies, errors
from hobbs.local.stripe_sim.world import Doc, World

DAY_S = 86_400
CENTRAL_STANDARD_S = -6 * 3_600


def check(world: World, account: Doc, bank: Doc, currency: str, amount: int) -> None:
    """Raise StripeError when Stripe would not pay this amount out at once."""
    agreements.check_instant(account)
    settings = world.settings
    if currency not in settings.instant_currencies:
        raise errors.refused(
            f"Instant Payouts are not available in {currency}.",
            "instant_payouts_currency_disabled",
            "currency",
        )
    if "instant" not in bank["available_payout_methods"]:
        raise errors.refused(
            "This external account is not eligible for Instant Payouts. Try a debit card from a supported "
            "bank.",
            "instant_payouts_unsupported",
            "destination",
        )
    least, most = settings.instant_amount_min, settings.instant_amount_max
    if not least <= amount <= most:
        raise errors.refused(
            f"Instant Payouts are between {currencies.written(currency, least)} and "
            f"{currencies.written(currency, most)}.",
            "amount_too_small" if amount < least else "amount_too_large",
            "amount",
        )


def count(world: World, currency: str, amount: int) -> None:
    """Add a connected account's payout to the day's volume. Raises StripeError beyond the limit."""
    day = (world.now + CENTRAL_STANDARD_S) // DAY_S
    kept = world.store.setting(f"instant/{currency}") or {"day": day, "sum": 0}
    total = amount + (kept["sum"] if kept["day"] == day else 0)
    if total > world.settings.instant_daily_volume_max:
        raise errors.refused(
            "You have reached your daily processing limits for Instant Payouts.",
            "instant_payouts_limit_exceeded",
        )
    world.store.put_setting(f"instant/{currency}", {"day": day, "sum": total})
