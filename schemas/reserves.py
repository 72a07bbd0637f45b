"""What the reserves service says: how the school's money stands to what it owes, and what may be sent."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from schemas.fields import CalendarDate, Currency, Event, Identifier, Instant, MinorUnits, Sentence

Health = Literal["healthy", "warning", "critical", "unknown"]

_GATE: dict[str, Any] = {
    "currency": "USD",
    "number": 4,
    "state": "open",
    "ceiling": 341250,
    "balance_number": 12,
    "exempt_below": 0,
    "exempt_wallets": [],
    "sentence": "2,500.00 are available, 0.00 must stay",
    "judged_at": "2026-05-22T17:00:01Z",
    "valid_until": "2026-05-22T17:15:01Z",
    "when_over": "closed",
}


class ReserveGate(Event):
    """How much payouts may let out: it sends while all it ever let out is within `ceiling`.

    Payouts counts what it lets out, under a lock, and each reading of the balance says the count when the
    reading began (`AmountHeld.allowed_until_now`). The ceiling is that count plus what the balance can
    spare, so that money that left since the reading is counted against it and no race lets out more. A
    number that is not above the last one is old. After `valid_until` the picture is stale and `when_over`
    holds: `closed` lets out nothing new, `open` everything. exempt_below: transfers of smaller amounts
    always go; exempt_wallets: so do those of wallets with these kinds (`instructor`). state `off`: the
    school has no reserve, all go.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_GATE]})

    currency: Currency
    number: int = Field(strict=True, ge=1)
    state: Literal["open", "closed", "off"]
    ceiling: MinorUnits
    balance_number: int = Field(strict=True, ge=0)
    exempt_below: MinorUnits = 0
    exempt_wallets: list[Identifier] = Field(default_factory=list, max_length=10)
    sentence: Sentence
    judged_at: Instant
    valid_until: Instant
    when_over: Literal["open", "closed"]


class ReserveTerm(Event):
    """One term of the sum: what it is, how much (negative: it must be covered), whether it counts."""

    name: Identifier
    amount: MinorUnits
    counts: bool = True


class ReserveChanged(Event):
    """The school's reserve has another health than before, with each term of the sum."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "currency": "USD",
                    "health": "warning",
                    "was": "healthy",
                    "blocks_transfers": False,
                    "free": 110000,
                    "minimum": 100000,
                    "terms": [{"name": "available", "amount": 250000}],
                    "sentence": "1,100.00 are free, the minimum is 1,000.00",
                    "judged_at": "2026-05-22T17:00:01Z",
                }
            ]
        }
    )

    currency: Currency
    health: Health
    was: Health
    blocks_transfers: bool
    free: MinorUnits
    minimum: MinorUnits
    terms: list[ReserveTerm] = Field(max_length=50)
    sentence: Sentence
    judged_at: Instant


class ReconciliationCompleted(Event):
    """The comparison of a business date: both sides' closing, and what of the difference has no name.

    run: 1 for the first comparison of the date. drift = stripe_closing - books_closing; explained: the part
    that open breaks name; unexplained = drift - explained.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "business_date": "2026-05-22",
                    "currency": "USD",
                    "run": 1,
                    "stripe_closing": 250000,
                    "books_closing": 250000,
                    "drift": 0,
                    "explained": 0,
                    "unexplained": 0,
                    "breaks_open": 0,
                    "completed_at": "2026-05-23T08:00:00Z",
                }
            ]
        }
    )

    business_date: CalendarDate
    currency: Currency
    run: int = Field(strict=True, ge=1)
    stripe_closing: MinorUnits
    books_closing: MinorUnits
    drift: MinorUnits
    explained: MinorUnits
    unexplained: MinorUnits
    breaks_open: int = Field(strict=True, ge=0)
    completed_at: Instant
