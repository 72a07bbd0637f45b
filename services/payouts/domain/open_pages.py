"""Pages by which a student may be paying while they are charged, or asked anew. Pure (decision 0385).

A page is open, or paid, or over. One that is open is closed before a charge is sent, or another page is made
for the same bills; one that was paid stands against both until its payment is in the account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

BILL: Final = "hobbs_bill"  # in the metadata of a page: the flight that it pays first
PAID_BY_PAGE: Final = "paid_by_page"  # why a charge is not sent
# A page is open for a day; a bank debit that was begun on it may take a week.
LOOKED_BACK: Final = timedelta(days=9)
_PAYS: Final = ("succeeded", "processing", "requires_capture")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """A student's pages to pay by. open: their ids; paid: the charges that were made on others, by Stripe's
    ids, of what is being debited the payment intents.
    """

    open: Sequence[str]
    paid: Sequence[str]


def pages_in(sessions: Sequence[Mapping[str, Any]], bill: str | None = None) -> Pages:
    """Read a customer's sessions. bill: only those that may pay this flight, None: all."""
    paying = [one for one in sessions if one.get("mode") == "payment" and _may_pay(one, bill)]
    paid = [_paid(one.get("payment_intent")) for one in paying if one.get("status") == "complete"]
    return Pages(
        open=[str(one.get("id")) for one in paying if one.get("status") == "open"],
        paid=[charge for charge in paid if charge is not None],
    )


def _may_pay(session: Mapping[str, Any], bill: str | None) -> bool:
    metadata = session.get("metadata")
    named = metadata.get(BILL) if isinstance(metadata, Mapping) else None
    return bill is None or named is None or named == bill


def _paid(intent: object) -> str | None:
    """What was made on a page that is complete; None: its payment failed since."""
    if not isinstance(intent, Mapping):
        return None if intent is None else str(intent)
    if intent.get("status") not in _PAYS:
        return None
    charge = intent.get("latest_charge")
    made = charge.get("id") if isinstance(charge, Mapping) else charge
    return str(made or intent.get("id"))
