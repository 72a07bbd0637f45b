"""The simulator's settings: delays, fees and webhook faults. Durable, changed by `POST /_sim/settings`.

Defaults are Stripe's own in the United States. Delays are seconds on the simulator's clock.
"""

from dataclasses import asdict, dataclass, field, fields, replace
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
    dispute_fee_returned: bool = False
    """A won dispute returns its fee: in Mexico, and where a contract says so."""
    dispute_countered_fee: int = 1_500
    """Charged when evidence is submitted, returned when won; 0 in Japan and Mexico."""
    charge_available_after_s: float = 2 * DAY
    charge_transaction_after_s: float = 0.2
    """How long charge.succeeded says balance_transaction null before charge.updated names it; 0: at once."""
    automatic_payout_after_s: float = DAY
    payout_arrives_after_s: float = 2 * DAY
    instant_payout_arrives_after_s: float = 1_800
    dispute_after_s: float = 0.0
    settlement_currencies: tuple[str, ...] = ()
    """Currencies in which every account settles besides its own; others are converted, or refused."""
    exchange_rates: dict[str, str] = field(default_factory=dict)
    """By pair, such as "eur/usd": how much one unit of the first is worth in the second."""
    authorization_expires_after_s: float = 7 * DAY
    # Instant payouts, in minor units of the payout's currency
    instant_currencies: tuple[str, ...] = (
        *("aed", "aud", "cad", "dkk", "eur", "gbp", "hkd", "myr", "nok", "nzd", "sek", "sgd", "usd"),
    )
    instant_amount_min: int = 50
    instant_amount_max: int = 999_900
    instant_daily_volume_max: int = 500_000
    """Of all connected accounts together, from midnight to midnight Central Standard Time."""
    topup_succeeds_after_s: float = 0.0
    """0: a top-up succeeds at once; else it is pending and can be canceled."""
    # Bank debits
    ach_fee_basis_points: int = 80
    ach_fee_max: int = 500
    ach_succeeds_after_s: float = 4 * DAY
    ach_fails_after_s: float = 3 * DAY
    ach_dispute_after_s: float = DAY
    """How long after its success the debit of the test account 000555555559 is returned."""
    # Connect
    v1_accounts: bool = False
    """Whether POST /v1/accounts makes accounts: Stripe closed it to new platforms, but for a switch."""
    transfers_alone_approved: bool = False
    """Whether Stripe approved the platform for accounts with transfers and without card_payments."""
    platform_country: str = "US"
    v2_accounts_send_v1_events: bool = False
    """Whether account.updated is also sent for accounts that API v2 made."""
    auto_onboard_after_s: float | None = None
    """Accounts finish onboarding by themselves this long after they were created; None: never."""
    pending_reversals: bool = False
    """The private preview: a reversal that the account does not cover is pending instead of refused."""
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
        known = {one.name for one in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"unknown setting {unknown[0]}; known are {', '.join(sorted(known))}")
        rates.limits_of(changes.get("rate_limits", self.rate_limits))
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


FAST: dict[str, Any] = {
    "charge_available_after_s": 0.0,
    "ach_succeeds_after_s": 0.5,
    "ach_fails_after_s": 0.5,
    "automatic_payout_after_s": 0.5,
    "payout_arrives_after_s": 0.5,
    "instant_payout_arrives_after_s": 0.5,
}
"""For demos: money moves in a second instead of days. A preset for `POST /_sim/settings` or `--fast`."""
