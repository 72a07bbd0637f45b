"""What is in the risk reserve of the platform or an account: rows of balance_type `risk_reserved`.

The balance shows it once there is something in it. Source: docs.stripe.com/changelog/dahlia/2026-03-25/adds-
risk- reserved-balance-to-the-balances-api (a preview: the OpenAPI description that the tests compare with
lacks it).
"""

from hobbs.local.stripe_sim.world import Doc, World

SETTING = "risk_reserved"


def move(world: World, account: str, currency: str, amount: int) -> None:
    sums: dict[str, int] = world.store.setting(f"{SETTING}/{account}") or {}
    sums[currency] = sums.get(currency, 0) + amount
    world.store.put_setting(f"{SETTING}/{account}", sums)


def shown(world: World, account: str) -> Doc:
    """The balance's field, absent while nothing is reserved."""
    sums: dict[str, int] = world.store.setting(f"{SETTING}/{account}") or {}
    parts = [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sums.items()
        if amount
    ]
    return {"risk_reserved": {"available": parts, "pending": []}} if parts else {}
