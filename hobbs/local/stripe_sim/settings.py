"""The simulator's settings: delays, fees and webhook faults. Durable, changed by `POST /_sim/settings`.

Defaults are Stripe's own in the United States. Delays are seconds on the simulator's clock.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from hobbs.local.stripe_sim import rates

DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    rate_limits: str = "sandbox"
    """Stripe's limits of calls a second: sandbox, live or off. `reset` keeps it."""
    # Money
    charge_fee_basis_points: int = 290
    charge_fee_fixed: int = 30
    instant_fee_basis_points: int = 100
    instant_fee_min: int = 50
    dispute_fee: int = 1_500
    charge_available_after_s: float = 2 * DAY
    charge_transaction_after_s: float = 0.2
    """How long charge.succeeded says balance_transaction null before charge.updated names it; 0: at once."""
    automatic_payout_after_s: float = DAY
    payout_arrives_after_s: float = 2 * DAY
    instant_payout_arrives_after_s: float = 1_800
    dispute_after_s: float = 0.0
    # Connect
    auto_onboard_after_s: float | None = None
    """Accounts finish onboarding by themselves this long after they were created; None: never."""
    # Webhooks (wall clock)
    webhook_speed: float = 600.0
    """Stripe's retry schedule divided by this."""
    webhook_retry_wait_max_s: float = 5.0
    """No wait between two attempts is longer, after dividing; 0: no cap."""
    webhook_timeout_s: float = 20.0
    webhook_seed: int = 0
    webhook_duplicate: float = 0.0
    webhook_reorder: float = 0.0
    """Share of deliveries delayed by up to webhook_reorder_wait_s, so that later ones overtake them."""
    webhook_reorder_wait_s: float = 1.0
    webhook_loss: float = 0.0
    webhook_forged: float = 0.0
    """Share of deliveries followed by a tampered copy signed with a wrong secret."""
    webhook_stale: float = 0.0
    """Share of deliveries followed by a copy whose valid signature is an hour old."""

    def changed(self, changes: dict[str, Any]) -> "Settings":
        known = {field.name for field in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"unknown setting {unknown[0]}; known are {', '.join(sorted(known))}")
        rates.limits_of(changes.get("rate_limits", self.rate_limits))
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


FAST: dict[str, Any] = {
    "charge_available_after_s": 0.0,
    "automatic_payout_after_s": 0.5,
    "payout_arrives_after_s": 0.5,
    "instant_payout_arrives_after_s": 0.5,
}
"""For demos: money moves in a second instead of days. A preset for `POST /_sim/settings` or `--fast`."""
