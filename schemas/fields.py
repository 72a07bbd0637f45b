"""Field types that every event shares: identifiers, money, hours, instants.

The limits refuse what PostgreSQL cannot store (NUL characters, integers over 64 bits, years it cannot
convert). Business rules are in the services.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

FIRST_YEAR, LAST_YEAR = 1900, 2200
FIRST_INSTANT, LAST_INSTANT = (
    datetime(FIRST_YEAR, 1, 1, tzinfo=UTC),
    datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC),
)
MINOR_UNITS_MAX = 1_000_000_000_000_000  # 10 trillion dollars: the sum of a million of them fits 64 bits


class Event(BaseModel):
    """An immutable event; readers ignore fields they do not know, errors never echo the input."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def _no_number(value: Any) -> Any:
    """Refuse numbers: pydantic would guess whether they are seconds or milliseconds since 1970."""
    if isinstance(value, str | bytes | int | float) and not (isinstance(value, str) and value[4:5] == "-"):
        raise ValueError("must be text such as 2026-05-22, or 2026-05-22T16:45:00Z")
    return value


def _within_calendar(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"the year must be between {FIRST_YEAR} and {LAST_YEAR}")
    return value


def _within_calendar_in_utc(value: datetime) -> datetime:
    if not FIRST_INSTANT <= value < LAST_INSTANT:
        raise ValueError(f"the year must be between {FIRST_YEAR} and {LAST_YEAR}, in UTC")
    return value


Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]$")
]
Sentence = Annotated[str, StringConstraints(max_length=2000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
MinorUnits = Annotated[int, Field(strict=True, ge=-MINOR_UNITS_MAX, le=MINOR_UNITS_MAX)]
PositiveMinorUnits = Annotated[int, Field(strict=True, gt=0, le=MINOR_UNITS_MAX)]
Instant = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_within_calendar_in_utc)]
CalendarDate = Annotated[date, BeforeValidator(_no_number), AfterValidator(_within_calendar)]
WalletAddress = Annotated[
    str, StringConstraints(max_length=130, pattern=r"^[a-z_]{1,20}:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]$")
]
