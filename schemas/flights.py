"""Flights as scheduling systems publish them, and bills."""

from decimal import Decimal
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from schemas.fields import (
    CalendarDate,
    Currency,
    Event,
    Identifier,
    Instant,
    MinorUnits,
    Sentence,
    WalletAddress,
)
from schemas.figures import HoursOrZero, OptionalHours
from schemas.identifiers import NewIdentifier

_FLIGHT_EXAMPLE: dict[str, Any] = {
    "flight_id": "F123",
    "revision": 1,
    "date": "2026-05-22",
    "departed_at": "2026-05-22T15:10:00Z",
    "arrived_at": "2026-05-22T16:45:00Z",
    "aircraft": "N364MA",
    "student": "student-01",
    "instructor": "instructor-01",
    "hobbs_out": "1253.6",
    "hobbs_in": "1254.9",
    "flight_hours": "1.3",
    "dual_hours": "1.5",
    "ground_hours": "0.5",
}


class FlightCompleted(Event):
    """A flight or lesson is over: meters, logged hours and who took part, as the school recorded them.

    Hours are decimals with one digit; a number or a string is accepted, and null or an empty string is no
    figure. 0.0 twice is a meter that nobody read. Without `departed_at`, `date` is the school-local date.
    Without `aircraft` it is a ground lesson; without `instructor`, solo. `billed_by`: the software that
    billed it before the school came here; it is kept, and nobody owes anything for it here.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_FLIGHT_EXAMPLE]})

    flight_id: NewIdentifier
    revision: int = Field(default=1, strict=True, ge=1, le=10_000)
    date: CalendarDate | None = None
    departed_at: Instant | None = None
    arrived_at: Instant | None = None
    aircraft: NewIdentifier | None = None
    student: NewIdentifier
    instructor: NewIdentifier | None = None
    hobbs_out: OptionalHours = None
    hobbs_in: OptionalHours = None
    tach_out: OptionalHours = None
    tach_in: OptionalHours = None
    flight_hours: OptionalHours = None
    dual_hours: HoursOrZero = Decimal(0)
    ground_hours: HoursOrZero = Decimal(0)
    # Left out where it says nothing: a flight published again after an upgrade is the same bytes.
    billed_by: NewIdentifier | None = Field(default=None, exclude_if=lambda said: said is None)

    @model_validator(mode="after")
    def has_a_date(self) -> Self:
        if self.date is None and self.departed_at is None:
            raise ValueError("a flight needs a date or departed_at")
        return self


class FlightCorrected(FlightCompleted):
    """The corrected facts of a completed flight: its next revision, with all fields.

    `priced_by`: the version of the book that priced the flight's first bill, or the newest one.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _FLIGHT_EXAMPLE | {"revision": 2, "reason": "digits swapped", "corrected_by": "dispatch"}
            ]
        }
    )

    revision: int = Field(strict=True, ge=2, le=10_000)
    reason: Sentence
    corrected_by: NewIdentifier
    priced_by: Literal["bill", "book"] = "bill"

    @model_validator(mode="after")
    def is_billed_here(self) -> Self:
        if self.billed_by is not None:
            raise ValueError(
                "billed_by is of flight.completed only: what was billed elsewhere is corrected there"
            )
        return self


class FlightCancelled(Event):
    """A flight that did not take place: its next revision, on which nobody owes anything.

    Revision 1 calls off a flight that was dispatched and never completed.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "flight_id": "F123",
                    "revision": 2,
                    "reason": "entered twice",
                    "cancelled_by": "dispatch",
                }
            ]
        }
    )

    flight_id: NewIdentifier
    revision: int = Field(strict=True, ge=1, le=10_000)
    reason: Sentence
    cancelled_by: NewIdentifier


class BillLine(Event):
    """One line the student reads: hours in tenths at a rate per hour, or a flat amount."""

    kind: Identifier
    description: Sentence
    amount: MinorUnits
    tenths: int | None = None
    rate: MinorUnits | None = None


class BillLeg(Event):
    """Where a part of the charge goes: a wallet, and what of."""

    wallet: WalletAddress
    kind: Identifier
    amount: MinorUnits


class BillFlag(Event):
    """Something that a person should check; the bill is valid."""

    kind: Identifier
    sentence: Sentence


class FlightBilled(Event):
    """A flight was priced: charge - legs = margin, to the cent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "bill_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                    "flight_id": "F123",
                    "revision": 1,
                    "billed_on": "2026-05-22",
                    "student": "student-01",
                    "currency": "USD",
                    "charge": 36151,
                    "margin": 10600,
                    "hours_from": "hobbs",
                    "lines": [
                        {
                            "kind": "rental",
                            "description": "N364MA 1.3 h",
                            "amount": 21450,
                            "tenths": 13,
                            "rate": 16500,
                        }
                    ],
                    "legs": [{"wallet": "instructor:instructor-01", "kind": "instruction", "amount": 8750}],
                    "flags": [],
                }
            ]
        }
    )

    bill_id: UUID
    flight_id: Identifier
    revision: int
    billed_on: CalendarDate
    student: Identifier
    currency: Currency
    charge: MinorUnits
    margin: MinorUnits
    hours_from: Literal["hobbs", "tach", "logged", "none"]
    lines: list[BillLine]
    legs: list[BillLeg]
    flags: list[BillFlag] = Field(default_factory=list)


class BilledEntry(Event):
    """What a bill leaves on one wallet, in minor units, credit positive."""

    wallet: WalletAddress
    amount: MinorUnits


class FlightRevised(Event):
    """A correction or a cancellation was priced. `entries` are the whole revision, never a difference.

    `first_source`, `first_entries`: the journal of the flight's first bill, and what it put on each wallet;
    no entries when nobody owed anything. `entries` is empty when nobody owes anything now. `flown_on`: the
    school-local date of the first bill. `made_by`: who corrected or cancelled the flight.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "flight_id": "F123",
                    "revision": 2,
                    "kind": "corrected",
                    "bill_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                    "currency": "USD",
                    "first_source": "flight:F123:1",
                    "first_entries": [
                        {"wallet": "student:student-01", "amount": -20000},
                        {"wallet": "instructor:instructor-01", "amount": 8750},
                        {"wallet": "platform:school", "amount": 11250},
                    ],
                    "entries": [
                        {"wallet": "student:student-01", "amount": -16000},
                        {"wallet": "instructor:instructor-01", "amount": 7000},
                        {"wallet": "platform:school", "amount": 9000},
                    ],
                    "student_before": "student-01",
                    "student": "student-01",
                    "flown_on": "2026-05-22",
                    "occurred_at": "2026-05-22T16:45:00Z",
                    "priced_by": "bill",
                    "reason": "digits swapped",
                    "made_by": "dispatch",
                }
            ]
        }
    )

    flight_id: Identifier
    revision: int = Field(strict=True, ge=2, le=10_000)
    kind: Literal["corrected", "cancelled"]
    bill_id: UUID
    currency: Currency
    first_source: Identifier
    first_entries: list[BilledEntry]
    entries: list[BilledEntry]
    student_before: Identifier
    student: Identifier
    flown_on: CalendarDate
    occurred_at: Instant
    priced_by: Literal["bill", "book"]
    reason: Sentence
    made_by: Identifier
