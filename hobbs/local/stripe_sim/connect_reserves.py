"""What Stripe keeps of the platform's balance while accounts owe for which the platform is liable.

`connect_reserved` is the sum of their negative available balances. Each change is a balance transaction of
the platform (type reserve_transaction, category connect_reserved_funds), which may make its balance negative.
After 180 days Stripe moves the reserve to the account; that is not simulated, nor the debit of a bank.
Sources: support.stripe.com/questions/reserves-for-connect-platforms-and-connected-accounts,
support.stripe.com/questions/connect-reserves-faq, docs.stripe.com/reports/reporting-categories. That such a
row names no source is from memory.
"""

from hobbs.local.stripe_sim.world import World


def owed(world: World, currency: str) -> int:
    """What connected accounts owe together, of those for which the platform is liable."""
    rows = world.store.rows(
        "SELECT account, available FROM balance WHERE account <> '' AND currency = :currency"
        " AND available < 0",
        currency=currency,
    )
    return sum(-available for account, available in rows if _platform_is_liable(world, account))


def reserved(world: World, currency: str) -> int:
    return int(world.store.setting(f"reserved/{currency}") or 0)


def keep(world: World, currency: str, amount: int) -> None:
    world.store.put_setting(f"reserved/{currency}", amount)


def _platform_is_liable(world: World, account: str) -> bool:
    doc = world.store.get("account", account) or {}
    losses = (doc.get("controller") or {}).get("losses") or {}
    return bool(losses.get("payments", "application") == "application")
