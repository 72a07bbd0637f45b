"""The platform's own automatic payouts, off until its balance settings say otherwise.

A connected account's funds wait in `unswept` for their payout from the start; the platform's only from the
moment its schedule is automatic, and then with everything that is on the balance. Source:
docs.stripe.com/payouts (automatic payouts empty the balance and can be itemised).
"""

from hobbs.local.stripe_sim import jobs
from hobbs.local.stripe_sim.world import World

SETTING = "platform_payouts"


def begin(world: World, *, automatic: bool) -> None:
    """Switch the schedule on or off."""
    was = is_automatic(world)
    world.store.put_setting(SETTING, automatic)
    if automatic == was:
        return
    world.store.write("DELETE FROM unswept WHERE account = ''")
    if automatic:
        world.store.write(
            "INSERT INTO unswept SELECT '', json_extract(CAST(body AS TEXT), '$.currency'), id FROM object"
            " WHERE kind = 'balance_transaction' AND account = ''"
            " AND id NOT IN (SELECT transaction_id FROM pending_funds)"
            " AND seq NOT IN (SELECT seq FROM attribute WHERE name = 'balance_transaction.payout')"
        )
        for (currency,) in world.store.rows(
            "SELECT currency FROM balance WHERE account = '' AND available > 0"
        ):
            jobs.schedule(world, "automatic_payout", f"/{currency}", world.settings.automatic_payout_after_s)


def is_automatic(world: World) -> bool:
    return bool(world.store.setting(SETTING))
