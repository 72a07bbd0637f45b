"""Students pay by card and payees finish onboarding: through the real stripe library or, for what happens on
Stripe's own pages, through the simulator's admin API."""

from collections.abc import Collection, Sequence

import httpx
import stripe

from hobbs.demo.figures import Row
from hobbs.local.fleet_processes import Fleet
from hobbs.local.waiting import wait_until

GOOD_CARD = "pm_card_visa"
DECLINED_CARD = "pm_card_chargeDeclined"
PATIENCE_S = 20.0
AGAIN_S = 0.3


class Cashier:
    """Charges students' cards at Stripe, as a payment page would."""

    def __init__(self, fleet: Fleet) -> None:
        self._client = stripe.StripeClient(
            fleet.stripe_secret_key, base_addresses={"api": fleet.stripe_api_base}, max_network_retries=2
        )

    def pay_in(self, student: str, amounts: Sequence[int]) -> None:
        """Charge the student's card once for each amount, in cents."""
        for amount in amounts:
            self._charge(student, amount, GOOD_CARD)

    def decline(self, student: str, amount: int) -> None:
        """Try a card that the bank declines; nothing is charged."""
        try:
            self._charge(student, amount, DECLINED_CARD)
        except stripe.CardError:
            return
        raise RuntimeError("the simulator accepted a card that declines")

    def keep_at_stripe(self, accounts: Sequence[str]) -> None:
        """Have Stripe pay these connected accounts' balances out to their banks only when somebody asks."""
        schedule = {"payments": {"payouts": {"schedule": {"interval": "manual"}}}}
        for account in accounts:
            self._client.v1.balance_settings.update(schedule, {"stripe_account": account})  # type: ignore[arg-type]

    def top_up(self, amount: int) -> None:
        """Add money to the school's Stripe balance from its bank, in cents."""
        self._client.v1.topups.create({"amount": amount, "currency": "usd", "description": "reserve"})

    def _charge(self, student: str, amount: int, card: str) -> None:
        """Charge a card, again while Stripe is called too often: payouts' transfers share its limit."""
        wait_until(
            lambda: self._was_tried(student, amount, card),
            what="a place within Stripe's rate limit",
            within_s=PATIENCE_S,
            every_s=AGAIN_S,
        )

    def _was_tried(self, student: str, amount: int, card: str) -> bool:
        """Try to charge a card; False when Stripe is called too often, and nothing happened."""
        try:
            self._client.v1.payment_intents.create(
                {
                    "amount": amount,
                    "currency": "usd",
                    "payment_method": card,
                    "confirm": True,
                    "metadata": {"hobbs_student": student},
                }
            )
        except stripe.RateLimitError:
            return False
        return True


def onboard(fleet: Fleet, payees: Sequence[Row], *, except_for: Collection[str] = ()) -> list[str]:
    """Have payees finish Stripe's onboarding; returns their wallets."""
    done = []
    for payee in payees:
        if payee["key"] in except_for or payee["ready"]:
            continue
        answer = httpx.post(
            f"{fleet.stripe_api_base}/_sim/onboard", json={"account": payee["stripe_account"]}
        )
        answer.raise_for_status()
        done.append(payee["wallet"])
    return done
