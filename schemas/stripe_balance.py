"""What payouts observed of the platform's balance at Stripe: how much is there, and each row that moved it.

Payouts alone holds Stripe's key; the reserves service hears these events. Amounts are minor units of the
books (decision 0161), not of Stripe where the two differ.
"""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from schemas.fields import Currency, Event, Identifier, Instant, MinorUnits

_ROW: dict[str, Any] = {
    "transaction_id": "txn_123",
    "version": 1,
    "type": "transfer",
    "category": "transfer",
    "balance_type": "payments",
    "amount": -8750,
    "fee": 0,
    "net": -8750,
    "currency": "USD",
    "source_id": "tr_123",
    "made_at": "2026-05-22T16:51:00Z",
    "available_at": "2026-05-22T16:51:00Z",
    "standing": "waiting",
    "noted_at": "2026-05-22T17:00:00Z",
}


class AmountHeld(Event):
    """What the platform's balance holds in one currency.

    available: can be sent now. pending: will be available later. connect_reserved: held back for negative
    balances of connected accounts. under_way: transfers that payouts had begun and Stripe had not answered
    when the reading began. allowed_until_now: what payouts had let out in all when the reading began, see
    `ReserveGate.ceiling`.
    """

    currency: Currency
    available: MinorUnits
    pending: MinorUnits
    connect_reserved: MinorUnits = 0
    under_way: MinorUnits = 0
    allowed_until_now: MinorUnits = 0


class StripeBalanceRead(Event):
    """The platform's balance as Stripe answered; `number` grows with each reading."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 12,
                    "read_at": "2026-05-22T17:00:00Z",
                    "held": [
                        {"currency": "USD", "available": 250000, "pending": 40000, "allowed_until_now": 91250}
                    ],
                }
            ]
        }
    )

    number: int = Field(strict=True, ge=1)
    read_at: Instant
    held: list[AmountHeld] = Field(max_length=200)


class StripeTransaction(Event):
    """One row of the platform's balance: amount less fee is net; positive amounts come in.

    version: 1 when the row is first read, one more each time Stripe shows it with other content. expected:
    the sources of the journals that move Stripe's cash by the row's net, as far as the row says them; a
    transfer's journal is found by `source_id`, which `transfer.sent` names. sentence: why nobody can book
    the row. standing: `before` is what was there when payouts began to list; `waiting` for its journals;
    `explained` moves nothing; `unexplained` has a sentence.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    transaction_id: Identifier
    version: int = Field(strict=True, ge=1)
    type: Identifier
    category: Identifier | None = None
    balance_type: Identifier = "payments"
    amount: MinorUnits
    fee: MinorUnits
    net: MinorUnits
    currency: Currency
    source_id: Identifier | None = None
    made_at: Instant
    available_at: Instant
    expected: list[Identifier] = Field(default_factory=list)
    standing: Literal["before", "waiting", "explained", "unexplained"]
    sentence: str | None = Field(default=None, max_length=2000)
    noted_at: Instant
