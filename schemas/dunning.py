"""Dunning: what a student is asked for of what is overdue. Amounts are minor units and positive."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.dunning_steps import DunningAction
from schemas.fields import CalendarDate, Currency, Event, Identifier, Instant, PositiveMinorUnits, Sentence

_ASKED: dict[str, Any] = {
    "student": "student-01",
    "run": 1,
    "step": "first-reminder",
    "action": "remind",
    "currency": "USD",
    "total": 31500,
    "oldest_due": "2026-05-22",
    "days_overdue": 3,
    "bills": [{"document": "flight:F123", "due_on": "2026-05-22", "open": 31500}],
    "bills_in_all": 1,
    "sentence": "315.00 USD of 1 bill are overdue, the oldest since 3 days: please pay it",
    "requested_at": "2026-05-25T15:00:00Z",
    "link": "7f9c5b3a-4a0e-5c57-9a3d-1f4f0b9d6a21",
}


class OverdueBill(Event):
    """What is open of an overdue item of the account."""

    document: Identifier
    due_on: CalendarDate
    open: PositiveMinorUnits


class DunningRequested(Event):
    """A student is asked for all that is overdue, by one step of the book, once in a run of it.

    A run lasts from the first overdue day until nothing is overdue. Whoever delivers this (mail, telephone)
    is another service: no address is in it. `link` names the one page to pay `total` by, which payouts makes
    at Stripe: `payouts_public.student_links` has its address, for a day; later the decision `student_link`
    makes another one. None where a card is charged for it. `bills`: the oldest of `bills_in_all`. action:
    `charge_card`: a charge of the saved method follows by itself; `block_dispatch`: from now on dispatches
    are refused as `overdue`; `remind`, `call`, `collection`: nothing follows but what the receiver does.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ASKED]})

    student: Identifier
    run: Annotated[int, Field(strict=True, ge=1)]
    step: Identifier
    action: DunningAction
    currency: Currency
    total: PositiveMinorUnits
    oldest_due: CalendarDate
    days_overdue: Annotated[int, Field(strict=True, ge=1)]
    bills: list[OverdueBill] = Field(max_length=50)
    bills_in_all: Annotated[int, Field(strict=True, ge=1)]
    sentence: Sentence
    requested_at: Instant
    link: UUID | None = None
