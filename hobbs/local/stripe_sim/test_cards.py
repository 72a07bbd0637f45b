"""Stripe's documented test cards and what each one does. Source: docs.stripe.com/testing.

Which advice goes with which decline is from memory; its values are those of docs.stripe.com/declines.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    code: str
    decline_code: str | None
    message: str
    advice: str | None = None
    """try_again_later, confirm_card_data or do_not_try_again"""

    def details(self) -> dict[str, str]:
        """decline_code and advice_code as an error shows them: absent when there is none."""
        found = {"decline_code": self.decline_code, "advice_code": self.advice}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    last4: str
    brand: str = "visa"
    decline: Decline | None = None
    only_charges_decline: bool = False
    """It can be attached and set up although every charge of it is declined."""
    needs_authentication: bool = False
    once_set_up: bool = False
    """Set up for it, the card needs no authentication off-session any more."""
    already_set_up: bool = False
    dispute: str | None = None
    """fraudulent, product_not_received, or inquiry"""
    funds_at_once: bool = False
    refund_fails: bool = False


AGAIN_LATER, NEVER_AGAIN, OTHER_DATA = "try_again_later", "do_not_try_again", "confirm_card_data"
DECLINED = Decline(
    code="card_declined",
    decline_code="generic_decline",
    message="Your card was declined.",
    advice=AGAIN_LATER,
)
NO_FUNDS = Decline(
    code="card_declined",
    decline_code="insufficient_funds",
    message="Your card has insufficient funds.",
    advice=AGAIN_LATER,
)
LOST = Decline(
    code="card_declined",
    decline_code="lost_card",
    message="Your card was declined.",
    advice=NEVER_AGAIN,
)
STOLEN = Decline(
    code="card_declined",
    decline_code="stolen_card",
    message="Your card was declined.",
    advice=NEVER_AGAIN,
)
TOO_OFTEN = Decline(
    code="card_declined",
    decline_code="card_velocity_exceeded",
    message="Your card was declined for making repeated attempts too frequently or exceeding its amount "
    "limit.",
    advice=AGAIN_LATER,
)
BLOCKED = Decline(code="card_declined", decline_code="fraudulent", message="Your card was declined.")
EXPIRED = Decline(code="expired_card", decline_code=None, message="Your card has expired.", advice=OTHER_DATA)
BAD_CVC = Decline(
    code="incorrect_cvc",
    decline_code=None,
    message="Your card's security code is incorrect.",
    advice=OTHER_DATA,
)
PROCESSING = Decline(
    code="processing_error",
    decline_code=None,
    message="An error occurred while processing your card. Try again in a little bit.",
    advice=AGAIN_LATER,
)

CARDS: dict[str, Card] = {
    "visa": Card(last4="4242"),
    "us": Card(last4="4242"),
    "visa_debit": Card(last4="5556"),
    "mastercard": Card(last4="4444", brand="mastercard"),
    "amex": Card(last4="0005", brand="amex"),
    "discover": Card(last4="1117", brand="discover"),
    "bypassPending": Card(last4="0077", funds_at_once=True),
    "chargeDeclined": Card(last4="0002", decline=DECLINED),
    "visa_chargeDeclined": Card(last4="0002", decline=DECLINED),
    "chargeDeclinedInsufficientFunds": Card(last4="9995", decline=NO_FUNDS),
    "visa_chargeDeclinedInsufficientFunds": Card(last4="9995", decline=NO_FUNDS),
    "visa_chargeDeclinedLostCard": Card(last4="9987", decline=LOST),
    "visa_chargeDeclinedStolenCard": Card(last4="9979", decline=STOLEN),
    "visa_chargeDeclinedVelocityLimitExceeded": Card(last4="6975", decline=TOO_OFTEN),
    "radarBlock": Card(last4="0019", decline=BLOCKED),
    "chargeDeclinedExpiredCard": Card(last4="0069", decline=EXPIRED),
    "chargeDeclinedIncorrectCvc": Card(last4="0127", decline=BAD_CVC),
    "chargeDeclinedProcessingError": Card(last4="0119", decline=PROCESSING),
    "chargeCustomerFail": Card(last4="0341", decline=DECLINED, only_charges_decline=True),
    "authenticationRequiredOnSetup": Card(last4="3155", needs_authentication=True, once_set_up=True),
    "authenticationRequiredSetupForOffSession": Card(
        last4="0446", needs_authentication=True, already_set_up=True
    ),
    "authenticationRequired": Card(last4="3184", needs_authentication=True),
    "threeDSecure2Required": Card(last4="3220", needs_authentication=True),
    "threeDSecureRequired": Card(last4="3063", needs_authentication=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        last4="3178", needs_authentication=True, decline=NO_FUNDS, only_charges_decline=True
    ),
    "createDispute": Card(last4="0259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card(last4="2685", dispute="product_not_received"),
    "createDisputeInquiry": Card(last4="1976", dispute="inquiry"),
    "refundFail": Card(last4="5126", refund_fails=True),
}

NUMBERS = {
    "4242424242424242": "visa",
    "5555555555554444": "mastercard",
    "4000000000000077": "bypassPending",
    "4000000000000002": "chargeDeclined",
    "4000000000009995": "chargeDeclinedInsufficientFunds",
    "4000000000000069": "chargeDeclinedExpiredCard",
    "4000000000000119": "chargeDeclinedProcessingError",
    "4000000000000341": "chargeCustomerFail",
    "4000000000009987": "visa_chargeDeclinedLostCard",
    "4000000000009979": "visa_chargeDeclinedStolenCard",
    "4000000000006975": "visa_chargeDeclinedVelocityLimitExceeded",
    "4100000000000019": "radarBlock",
    "4000000000000127": "chargeDeclinedIncorrectCvc",
    "4000002500003155": "authenticationRequiredOnSetup",
    "4000003800000446": "authenticationRequiredSetupForOffSession",
    "4000008260003178": "authenticationRequiredChargeDeclinedInsufficientFunds",
    "4000002760003184": "authenticationRequired",
    "4000000000003220": "threeDSecure2Required",
    "4000000000000259": "createDispute",
    "4000000000005126": "refundFail",
}


def named(token: str) -> str | None:
    """`pm_card_visa`, `tok_visa` or a card number to the name of a test card."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix) and token.removeprefix(prefix) in CARDS:
            return token.removeprefix(prefix)
    return NUMBERS.get(token.replace(" ", ""))


def setup_decline(card: Card) -> Decline | None:
    """Why the card can be neither attached nor set up, or None."""
    return None if card.only_charges_decline else card.decline


def asks_its_holder(method: dict[str, Any], *, off_session: bool) -> bool:
    """Whether a payment with this method needs its holder's authentication, given what it was set up for."""
    card = CARDS[method["_card"]]
    spared = card.already_set_up or (card.once_set_up and bool(method.get("_set_up")))
    return card.needs_authentication and not (off_session and spared)
