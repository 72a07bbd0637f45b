"""What people may decide about students at Stripe: to have a page made, whose customer is whose."""

import re
from datetime import datetime
from typing import Final

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.money import format_minor
from fleet.stripe_amounts import PAYMENT_MAX, sendable
from schemas.identifiers import identifier_problem
from services.payouts import store
from services.payouts.domain.existing_customers import CustomerRequest, is_customer_id
from services.payouts.domain.student_links import STUDENT, StudentLink

_CURRENCY: Final = re.compile(r"[A-Z]{3}")


async def make(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Have a page made where a student saves a payment method, or pays. Object: the student's wallet.

    Parameters: currency; amount in minor units, where something is to be paid; bill, a flight, where it is to
    pay that one first. The address is in no topic:
    who may read `payouts_public.student_links` finds it there under the decision's id.
    """
    wallet, amount = decision.object, decision.parameters.get("amount")
    currency = decision.parameters.get("currency")
    if not wallet.startswith(STUDENT) or wallet == STUDENT:
        return refused(f"{wallet} is no student's wallet")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        return refused(f"currency is {currency!r}; name it by its three letters")
    if amount is not None and (type(amount) is not int or not 0 < amount <= PAYMENT_MAX):
        return refused(f"amount is {amount!r}; it is in minor units, from 1 to {PAYMENT_MAX}")
    if amount is not None and sendable(amount, currency) != amount:
        return refused(f"Stripe takes no payment of {format_minor(amount, currency)} {currency}")
    bill = decision.parameters.get("bill")
    if bill is not None and (amount is None or not _names_a_flight(bill)):
        return refused(f"bill is {bill!r}; name a flight, and the amount that is paid for it")
    link = StudentLink(
        id=decision.decision_id, wallet=wallet, currency=currency, amount=amount, customer=None, bill=bill
    )
    await store.student_links.request(tx, link, now)
    what = "save a card or bank account"
    if amount is not None:
        what = f"pay {format_minor(amount, currency)} {currency}{f' for {bill}' if bill else ''}"
    return Ruling(done=True, sentence=f"a page of Stripe's is made where {wallet} can {what}")


async def adopt_customer(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Take a customer that exists at Stripe for a student. Object: the wallet. Parameter `customer`: its id.

    It is read from Stripe and taken a moment later (stripe/existing_customers.py): the outcome is in
    `payouts_public.customer_adoptions` under the decision's id. A student keeps a customer that they have.
    """
    wallet, customer = decision.object, decision.parameters.get("customer")
    if not wallet.startswith(STUDENT) or wallet == STUDENT:
        return refused(f"{wallet} is no student's wallet")
    if not is_customer_id(customer):
        return refused("name a customer as Stripe does: cus_…")
    asked = CustomerRequest(id=decision.decision_id, wallet=wallet, customer=str(customer))
    if has := await store.existing_customers.customer_of(tx, wallet):
        return refused(f"{wallet} has {has} already")
    if other := await store.existing_customers.wallet_of(tx, asked.customer):
        return refused(f"{customer} is the customer of {other}")
    await store.existing_customers.request(tx, asked, who=decision.who.name, why=decision.why, now=now)
    return Ruling(done=True, sentence=f"{customer} is read from Stripe and taken for {wallet}")


def _names_a_flight(bill: object) -> bool:
    return isinstance(bill, str) and bill != "" and identifier_problem(bill) is None
