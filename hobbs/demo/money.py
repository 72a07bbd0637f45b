"""Students pay by card and payees finish onboarding: through the real stripe library or, for what happens on
Stripe's own pages, through the simulator's admin API."""

import time
from collections.abc import Collection, Sequence

import httpx
import stripe

from hobbs.demo.figures import Row
from hobbs.local.fleet_processes import Fleet

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

    def _charge(self, student: str, amount: int, card: str) -> None:
        """Charge a card, again while Stripe is called too often: payouts' transfers share its limit."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._charge_once(student, amount, card)
            except stripe.RateLimitError:  # it had no effect
                if time.monotonic() > until:
                    raise
                time.sleep(AGAIN_S)

    def _charge_once(self, student: str, amount: int, card: str) -> None:
        self._client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "payment_method": card,
                "confirm": True,
                "metadata": {"hobbs_student": student},
            }
        )


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
