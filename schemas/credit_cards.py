"""The book's cards about flying on credit: the school's policy, and students' own limits."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from schemas.card import Card, Rate
from schemas.dunning_steps import DunningStep
from schemas.fields import CalendarDate

LimitMoves = Literal["off", "proposed", "automatic"]


class CreditCard(Card):
    """Key `credit`: how far students may fly on credit, and what a dispatch holds of it.

    `limit`: how far below zero a student's available balance may go who has no card of their own; None: as
    far as they like. After a flight of a kind (`limit_solo`, `limit_dual`, `limit_ground`) nobody owes more
    than that, whatever their own limit is. A dispatch holds its estimate and `margin_percent` more, until
    `hold_hours` after its planned end. From `near_percent` and `close_percent` of the limit on a student is
    warned. `allowed_by_one_up_to`: up to this amount one person may allow a flight beyond the limit; above,
    a second must agree. What is billed is due `terms_days` after the day (`net`) or after the end of its
    month. `dunning_steps`, in their order: what is done about what is overdue, once each until nothing is;
    none: nothing. Less than `dunning_minimum` is not asked for. Only from `dunning_from_hour` to before
    `dunning_until_hour` of the school's day, on weekends if `dunning_on_weekends`, never on
    `dunning_holidays`, and at least `dunning_days_between` days after the step before. A cheque that a
    person records is the student's `at_receipt` or `when_cleared`; above `recorded_by_one_up_to` a second
    person must agree to what one records for a student within a day (None: never).

    Above `given_by_one_up_to` a second person must agree to what one refunds, credits or writes off for a
    student within a day. A bounced cheque costs the student `bounced_cheque_fee`.

    A limit rises by `raise_by` up to `raise_up_to` after so many months without a late payment and so many
    flights, falls by `fall_by` down to `fall_down_to` for each payment that is declined or disputed. Late is
    what is open for more than `late_after_days` days after its due date.
    """

    limit: Rate | None = None
    limit_solo: Rate | None = None
    limit_dual: Rate | None = None
    limit_ground: Rate | None = None
    margin_percent: Annotated[int, Field(strict=True, ge=0, le=100)] = 10
    hold_hours: Annotated[int, Field(strict=True, ge=1, le=720)] = 24
    near_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = 80
    close_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = 95
    allowed_by_one_up_to: Rate = 0
    terms: Literal["net", "end_of_month"] = "net"
    terms_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 0
    dunning_steps: Annotated[list[DunningStep], Field(max_length=20)] = Field(default_factory=list)
    dunning_minimum: Rate = 0
    dunning_from_hour: Annotated[int, Field(strict=True, ge=0, le=23)] = 9
    dunning_until_hour: Annotated[int, Field(strict=True, ge=1, le=24)] = 18
    dunning_on_weekends: Annotated[bool, Field(strict=True)] = False
    dunning_holidays: Annotated[list[CalendarDate], Field(max_length=200)] = Field(default_factory=list)
    dunning_days_between: Annotated[int, Field(strict=True, ge=1, le=90)] = 1
    cheques_count: Literal["at_receipt", "when_cleared"] = "when_cleared"
    recorded_by_one_up_to: Rate | None = None
    given_by_one_up_to: Rate = 0
    bounced_cheque_fee: Rate = 0
    raises: LimitMoves = "off"
    raise_by: Rate = 0
    raise_up_to: Rate = 0
    raise_after_months: Annotated[int, Field(strict=True, ge=1, le=120)] = 6
    raise_after_flights: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 10
    late_after_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 7
    falls: LimitMoves = "off"
    fall_by: Rate = 0
    fall_down_to: Rate = 0

    @field_validator("dunning_steps")
    @classmethod
    def steps_have_names_of_their_own(cls, steps: list[DunningStep]) -> list[DunningStep]:
        if len({step.name for step in steps}) < len(steps):
            raise ValueError("two steps have the same name")
        return steps


class CreditLimitCard(Card):
    """Key: the student's id. Stands instead of the school's limit, until the day `until`, that day included.

    `frozen`: no flight of the student is cleared, whatever the balance is.
    """

    limit: Rate | None = None
    until: CalendarDate | None = None
    frozen: Annotated[bool, Field(strict=True)] = False
