"""Reads what students are asked for, as far as a page to pay by follows from it."""

from fleet.envelope import Record
from fleet.inbox import read
from fleet.stripe_amounts import PAYMENT_MAX, sendable
from schemas.dunning import DunningRequested
from services.payouts.domain.student_links import STUDENT, StudentLink


def dunning_requested(record: Record) -> DunningRequested:
    return read(record, DunningRequested)


def page_of(asked: DunningRequested) -> StudentLink | None:
    """The page by which a student pays what is overdue; None: none is wanted, or Stripe takes no such sum."""
    if asked.link is None or asked.total > PAYMENT_MAX:
        return None
    amount = sendable(asked.total, asked.currency)
    if amount == 0:
        return None
    wallet = STUDENT + asked.student
    return StudentLink(id=asked.link, wallet=wallet, currency=asked.currency, amount=amount, customer=None)
