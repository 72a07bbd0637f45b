"""What of a flight does not agree between its meters, its bill, the books and its payees. Pure.

Amounts are minor units, hours are tenths.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from fleet.money import half_up

LOOKED_AT: Final = timedelta(days=60)  # flights of so many days are compared each night
SETTLES_WITHIN: Final = timedelta(hours=1)  # a bill, its journal and what is owed by it follow each other
PAID_WITHIN: Final = timedelta(days=7)


class Mismatch(StrEnum):
    """What does not agree."""

    UNBILLED = "unbilled"
    BILLED_TWICE = "billed_twice"
    NOT_IN_THE_BOOKS = "not_in_the_books"
    NOT_BILLED = "not_billed"
    BOOKS_DIFFER = "books_differ"
    NOT_OWED = "not_owed"
    PAID_TWICE = "paid_twice"
    NOT_PAID = "not_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A mismatch as it is kept. subject: the same one has the same; amount: the money that it is about."""

    subject: str
    kind: Mismatch
    flight_id: str
    day: date
    amount: int
    currency: str
    sentence: str
    aircraft: str | None = None
    wallet: str | None = None
    tenths: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A flight that does not begin where its aircraft's meter was. per_hour: what its bill takes an hour."""

    aircraft: str
    meter: str
    flight_id: str
    previous_flight_id: str
    day: date
    out_tenths: int
    in_tenths: int
    reached_tenths: int
    per_hour: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A bill without its journal, or a journal of a flight without its bill."""

    flight_id: str
    source: str
    aircraft: str | None
    day: date
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What a bill, the books and payouts say that a payee gets for a flight; None: they say nothing.

    waits: why it is not sent, empty when it is; overdue: it was owed long enough.
    """

    flight_id: str
    source: str
    wallet: str
    aircraft: str | None
    day: date
    currency: str
    billed: int
    booked: int | None
    owed: int | None
    waits: str
    unsent: int
    overdue: bool


def of_reading(read: Reading) -> Found:
    """Tenths that no bill has, or that two bills have, at the rate of the flight that shows it."""
    tenths = read.out_tenths - read.reached_tenths
    kind = Mismatch.UNBILLED if tenths > 0 else Mismatch.BILLED_TWICE
    tenths = tenths if tenths > 0 else min(read.reached_tenths, read.in_tenths) - read.out_tenths
    between = f"between flights {read.previous_flight_id} and {read.flight_id}"
    says = "are on no bill" if kind is Mismatch.UNBILLED else "are on two bills"
    return Found(
        subject=f"meter:{read.aircraft}:{read.meter}:{read.flight_id}",
        kind=kind,
        flight_id=read.flight_id,
        aircraft=read.aircraft,
        day=read.day,
        tenths=tenths,
        amount=half_up(tenths * read.per_hour, 10),
        currency=read.currency,
        sentence=f"{tenths // 10}.{tenths % 10} h of {read.aircraft} by its {read.meter} {between} {says}",
    )


def of_bill(bill: Unmatched) -> Found:
    """A bill of which the ledger knows nothing."""
    return _unmatched(bill, Mismatch.NOT_IN_THE_BOOKS, f"the bill of {bill.flight_id} has no journal")


def of_journal(journal: Unmatched) -> Found:
    """A journal of a flight that was never billed."""
    return _unmatched(journal, Mismatch.NOT_BILLED, f"journal {journal.source} has no bill")


def _unmatched(one: Unmatched, kind: Mismatch, sentence: str) -> Found:
    return Found(
        subject=f"source:{one.source}",
        kind=kind,
        flight_id=one.flight_id,
        aircraft=one.aircraft,
        day=one.day,
        amount=one.amount,
        currency=one.currency,
        sentence=sentence,
    )


def of_owed(one: Owed) -> Found | None:
    """The first place where a payee's money of a flight differs: bill, books, payouts or Stripe."""
    booked, owed = one.booked or 0, one.owed or 0
    if one.booked is None:
        return None  # said of the whole bill
    if booked != one.billed:
        return _of(
            one,
            Mismatch.BOOKS_DIFFER,
            abs(booked - one.billed),
            "the books have another amount than the bill",
        )
    if owed > booked:
        return _of(one, Mismatch.PAID_TWICE, owed - booked, "payouts owes more than the books")
    if owed < booked:
        return _of(one, Mismatch.NOT_OWED, booked - owed, "payouts knows of less than the books owe")
    if one.unsent and one.overdue:
        return _of(
            one, Mismatch.NOT_PAID, one.unsent, f"it is not sent after {PAID_WITHIN.days} days: {one.waits}"
        )
    return None


def _of(one: Owed, kind: Mismatch, amount: int, sentence: str) -> Found:
    return Found(
        subject=f"payee:{one.source}:{one.wallet}",
        kind=kind,
        flight_id=one.flight_id,
        aircraft=one.aircraft,
        wallet=one.wallet,
        day=one.day,
        amount=amount,
        currency=one.currency,
        sentence=f"{one.wallet} and flight {one.flight_id}: {sentence}",
    )
