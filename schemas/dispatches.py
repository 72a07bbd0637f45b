"""Dispatches: a flight that is to begin, its estimated price, and whether the student may fly."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, PositiveMinorUnits, Sentence
from schemas.figures import HoursOrZero, OptionalHours
from schemas.identifiers import NewIdentifier

_Amount = Annotated[int, Field(strict=True, ge=0)]
Activity = Literal["solo", "dual", "ground"]
FlightId = Annotated[
    NewIdentifier, Field(max_length=75)
]  # so that its hold's name fits: dispatch:<id>:<revision>

_DISPATCH: dict[str, Any] = {
    "flight_id": "F124",
    "revision": 1,
    "departs_at": "2026-05-22T15:00:00Z",
    "aircraft": "N364MA",
    "student": "student-01",
    "instructor": "instructor-01",
    "flight_hours": "1.5",
    "dual_hours": "1.5",
    "ground_hours": "0.5",
}
_NAMED: dict[str, Any] = {"flight_id": "F124", "revision": 1, "student": "student-01"}


class FlightDispatched(Event):
    """A flight is about to begin: who, in what, and the hours that are planned.

    `revision` counts the dispatches of a flight from 1; a later one takes the place of those before it. It is
    answered by `dispatch.cleared` or `dispatch.refused`. `flight.cancelled` with revision 1 calls it off.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_DISPATCH]})

    flight_id: FlightId
    revision: int = Field(default=1, strict=True, ge=1, le=9_999)
    departs_at: Instant
    aircraft: NewIdentifier | None = None
    student: NewIdentifier
    instructor: NewIdentifier | None = None
    flight_hours: OptionalHours = None
    dual_hours: HoursOrZero = Decimal(0)
    ground_hours: HoursOrZero = Decimal(0)

    @property
    def activity(self) -> Activity:
        """What it is: with an instructor or without, or on the ground."""
        if self.aircraft is None:
            return "ground"
        return "solo" if self.instructor is None else "dual"

    def ends_at(self) -> Instant:
        """When it ends as planned."""
        return self.departs_at + timedelta(minutes=int((self.flight_hours or Decimal(0)) * 60))


class FlightEstimated(Event):
    """What a dispatched flight would be billed, flown as planned; `reason`: why it cannot be priced."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {**_NAMED, "ends_at": "2026-05-22T16:30:00Z", "currency": "USD", "estimate": 36151},
                {
                    **_NAMED,
                    "ends_at": "2026-05-22T16:30:00Z",
                    "reason": "unknown_aircraft",
                    "sentence": "flight F124: there is no aircraft N1",
                },
            ]
        }
    )

    flight_id: Identifier
    revision: int
    student: Identifier
    ends_at: Instant
    activity: Activity | None = None
    currency: Currency | None = None
    estimate: _Amount | None = None
    reason: Identifier | None = None
    sentence: Sentence = ""


class DispatchCleared(Event):
    """The student may fly: `held` is kept of their balance until the flight is billed or `expires_at`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_NAMED,
                    "currency": "USD",
                    "estimate": 36151,
                    "held": 39767,
                    "expires_at": "2026-05-23T16:30:00Z",
                    "available_balance": -8000,
                }
            ]
        }
    )

    flight_id: Identifier
    revision: int
    student: Identifier
    currency: Currency
    estimate: _Amount
    held: PositiveMinorUnits
    expires_at: Instant
    available_balance: int


class DispatchRefused(Event):
    """The student may not fly as planned: why, how much is missing, and what they can do.

    What was cleared before of the same flight stands until it is cancelled, flown or expired.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_NAMED,
                    "reason": "limit_exceeded",
                    "sentence": "397.67 USD more are 97.67 USD beyond what student-01 may owe",
                    "shortfall": 9767,
                    "ways": ["pay 97.67 USD or more first"],
                }
            ]
        }
    )

    flight_id: Identifier
    revision: int
    student: Identifier
    reason: Identifier
    sentence: Sentence
    shortfall: int | None = None
    ways: list[Sentence] = Field(default_factory=list)
