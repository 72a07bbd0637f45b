"""Credit: how much of a limit a student uses, said at each crossing. Minor units, credit positive."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, Sentence

CreditLevel = Literal["ok", "near", "close", "exceeded"]
Crossing = Literal["near", "close", "exceeded", "recovered"]

_CHANGED: dict[str, Any] = {
    "student": "student-01",
    "number": 1,
    "from_level": "ok",
    "to_level": "near",
    "crossing": "near",
    "currency": "USD",
    "posted": -42000,
    "pending": 0,
    "available": -42000,
    "disputed": 0,
    "credit_limit": 50000,
    "used_percent": 84,
    "sentence": "84 % of the limit of 500.00 USD is used; beyond it no further flight is cleared",
    "changed_at": "2026-05-22T15:00:00Z",
}


class CreditLevelChanged(Event):
    """A student crossed a level of their limit; `number` counts the crossings of a student from 1.

    Levels: `near` and `close` from the book's percentages on, `exceeded` beyond the limit, else `ok`.
    crossing: the level that was reached, or `recovered` when it is a lower one. posted, pending and available
    (posted - pending) are the ledger's at that moment. credit_limit None: there is none any more.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_CHANGED]})

    student: Identifier
    number: Annotated[int, Field(strict=True, ge=1)]
    from_level: CreditLevel
    to_level: CreditLevel
    crossing: Crossing
    currency: Currency
    posted: int
    pending: int
    available: int
    disputed: int
    credit_limit: int | None = None
    used_percent: int | None = None
    sentence: Sentence
    changed_at: Instant
