"""Make something happen at Stripe that no API call of ours causes: `POST /_sim/trigger {"event": …}`."""

from collections.abc import Callable

from hobbs.local.stripe_sim import onboarding
from hobbs.local.stripe_sim.world import Doc, World


def trigger(world: World, given: Doc) -> Doc:
    """Cause `event` for real, through the same code as the API; the rest of `given` says to what."""
    event = str(given["event"])
    cause = CAUSES.get(event)
    if cause is None:
        raise ValueError(f"unknown event {event!r}; known are {', '.join(sorted(CAUSES))}")
    with world.store.transaction():
        return cause(world, given)


def _account_updated(world: World, given: Doc) -> Doc:
    return onboarding.complete(world, str(given["account"]))


def _account_deauthorized(world: World, given: Doc) -> Doc:
    return onboarding.close(world, str(given["account"]))


CAUSES: dict[str, Callable[[World, Doc], Doc]] = {
    "account.updated": _account_updated,
    "account.application.deauthorized": _account_deauthorized,
}
