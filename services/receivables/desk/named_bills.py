"""Which bill a payment pays first: said by a person, of a payment that came or with one that is recorded."""

from datetime import datetime

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.money import format_minor
from services.receivables import steps, store
from services.receivables.domain.open_items import Account


async def name(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Say which bill a payment pays first. object: a charge, the id of a payment by hand, or its item.

    parameters: bill, a flight or its item; null: the oldest, like any other payment. What the payment has
    beyond the bill pays the oldest. The effects are what is open of the bills then.
    """
    payment = await store.open_items.find_payment(tx, decision.object)
    if payment is None:
        return refused(f"no payment {decision.object} is on an account; hobbs accounts items shows what is")
    account = Account(payment.student, payment.currency)
    bill = decision.parameters.get("bill")
    if bill is not None and not isinstance(bill, str):
        return refused(f"bill is {bill!r}; it is a flight's id")
    await store.open_items.lock(tx, [account])
    document = None
    if bill is not None:
        found = await _bill(tx, bill, account)
        if isinstance(found, Ruling):
            return found
        document = found
    await _keep(tx, decision, payment.document, account, document, now)
    await steps.open_items.settle(tx, [account])
    left = await store.open_items.open_bills(tx, account)
    return Ruling(
        done=True,
        sentence=f"{payment.document} pays {document or 'what is due first'}",
        effects=tuple(
            {"document": one, "open": amount, "currency": account.currency} for one, amount in left.items()
        ),
    )


async def name_at_once(tx: Tx, decision: Decision, payment: str, currency: str, now: datetime) -> str:
    """Name the bill of a payment that is being recorded; the rest of its sentence, empty without a bill.

    What cannot be is said, and the payment pays what is due first.
    """
    bill = decision.parameters.get("bill")
    if bill in (None, ""):
        return ""
    account = Account(decision.object, currency)
    await store.open_items.lock(tx, [account])
    found = await _bill(tx, str(bill), account)
    if isinstance(found, Ruling):
        return f"; {found.sentence}: it pays what is due first, and stays credit beyond that"
    await _keep(tx, decision, payment, account, found, now)
    return f"; it pays {found} first"


async def _bill(tx: Tx, bill: str, account: Account) -> str | Ruling:
    """The document of a bill that is open; or why this account cannot pay it."""
    found = await store.open_items.find_bill(tx, bill, account.student)
    if found is None:
        return refused(f"nobody was billed for {bill}")
    if (found.student, found.currency) != account:
        return refused(f"{found.document} is a bill of {found.student}, not of {account.student}")
    if found.open == 0:
        return refused(f"{found.document} of {format_minor(-found.amount, found.currency)} is paid already")
    return str(found.document)


async def _keep(
    tx: Tx, decision: Decision, payment: str, account: Account, bill: str | None, now: datetime
) -> None:
    await store.open_items.insert_name(
        tx, payment, account, bill, who=decision.who.name, why=decision.why, at=now
    )
