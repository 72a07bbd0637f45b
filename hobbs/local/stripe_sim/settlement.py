"""In which currency money arrives on a balance: an account holds its own currency, and others it is given.

A charge or a transfer in another currency is converted at the rate of the setting `exchange_rates`
({"eur/usd": "1.08"}), and its balance transaction says so; without a rate it is refused as not simulated.
An account also holds the currencies of the setting `settlement_currencies` (bank accounts added in them), and
those that the admin API put on its balance. Stripe's conversion fee is not taken.
Source: docs.stripe.com/payments/currencies/settlement-payouts, docs.stripe.com/connect/currencies.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from hobbs.local.stripe_sim import currencies, errors
from hobbs.local.stripe_sim.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Money as it arrives; `rate` is None when it was not converted."""

    currency: str
    amount: int
    rate: float | None = None


def settled(world: World, account: str, currency: str, amount: int) -> Settled:
    """What an amount in minor units becomes on a balance. Raises StripeError without a rate."""
    if holds(world, account, currency):
        return Settled(currency=currency, amount=amount)
    own = own_currency(world, account)
    rate = world.settings.exchange_rates.get(f"{currency}/{own}")
    if rate is None:
        raise errors.not_simulated(
            f"converting {currency.upper()} for an account that settles in {own.upper()} without a rate: "
            f'give the setting exchange_rates "{currency}/{own}", or add {currency} to settlement_currencies'
        )
    scale = Decimal(10) ** (currencies.decimals(own) - currencies.decimals(currency))
    converted = (Decimal(amount) * Decimal(str(rate)) * scale).quantize(Decimal(1), ROUND_HALF_UP)
    return Settled(currency=own, amount=int(converted), rate=float(rate))


def holds(world: World, account: str, currency: str) -> bool:
    if (not account and currency == "usd") or currency in world.settings.settlement_currencies:
        return True
    row = world.store.row(
        "SELECT 1 FROM balance WHERE account = :account AND currency = :currency",
        account=account,
        currency=currency,
    )
    return row is not None or currency == own_currency(world, account)


def hold(world: World, account: str, currency: str) -> None:
    """From now on the account has a balance in this currency."""
    world.store.write(
        "INSERT OR IGNORE INTO balance VALUES (:account, :currency, 0)", account=account, currency=currency
    )


def own_currency(world: World, account: str) -> str:
    doc = world.store.get("account", account or world.platform_account)
    return str(doc["default_currency"]) if doc else "usd"
