"""Card payments of students."""

from pydantic import ConfigDict

from schemas.fields import Currency, Event, Identifier, Instant, MinorUnits, PositiveMinorUnits


class PaymentReceived(Event):
    """A student's card payment, gross of Stripe's fee; unallocated when it names no student."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "charge_id": "ch_123",
                    "student": "student-01",
                    "amount": 40000,
                    "currency": "USD",
                    "received_at": "2026-05-22T12:00:00Z",
                }
            ]
        }
    )

    charge_id: Identifier
    student: Identifier | None = None
    amount: PositiveMinorUnits
    currency: Currency
    received_at: Instant


class ChargeSettled(Event):
    """Stripe's balance transaction of a charge is known: gross - fee = net."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "charge_id": "ch_123",
                    "balance_transaction_id": "txn_123",
                    "gross": 40000,
                    "fee": 1190,
                    "net": 38810,
                    "currency": "USD",
                    "available_at": "2026-05-24T00:00:00Z",
                }
            ]
        }
    )

    charge_id: Identifier
    balance_transaction_id: Identifier
    gross: MinorUnits
    fee: MinorUnits
    net: MinorUnits
    currency: Currency
    available_at: Instant
