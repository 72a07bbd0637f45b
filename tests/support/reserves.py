"""The demo's school with a reserve, and events of reserves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fleet.envelope import Record
from hobbs.demo.school import school_with
from schemas.reserves import ReserveGate
from schemas.stripe_balance import AmountHeld, StripeBalanceRead, StripeTransaction
from tests.support.records import record

# What runs with faults keep. Instructors are exempt: what they earn still meets a balance that is too small.
# And students whose saved cards are charged; of each at most three charges in ten minutes. Who is dunned
# is charged by a step only. The limit is one that some students cross.
SAVERS = tuple(f"saver-{number:02}" for number in range(1, 17))
DUNNED = tuple(f"dunned-{number:02}" for number in range(1, 13))
KEPT_IN_RUNS = """
[[reserve]]
minimum = 1.00
exempt_wallets = ["instructor"]

[credit]
limit = 600.00
falls = "automatic"
fall_by = 0.01
fall_down_to = 590.00
dunning_from_hour = 0
dunning_until_hour = 24
dunning_on_weekends = true
dunning_steps = [
  { name = "card", days_overdue = 2, action = "charge_card" },
  { name = "reminder", days_overdue = 3, action = "remind" },
]
""" + "".join(f'\n[[student]]\nid = "{student}"\n' for student in (*SAVERS, *DUNNED))


def school_with_a_reserve(folder: Path, reserve: str = KEPT_IN_RUNS) -> Path:
    """A file of the demo's school that keeps a reserve."""
    return school_with(folder, reserve)


def gate(number: int, **given: Any) -> Record:
    """How much payouts may let out, as reserves publishes it."""
    now = datetime.now(UTC)
    usual = {
        "currency": "USD",
        "number": number,
        "state": "open",
        "ceiling": 0,
        "balance_number": 1,
        "sentence": "a test",
        "judged_at": now,
        "valid_until": now + timedelta(minutes=15),
        "when_over": "closed",
    }
    return record("reserve.gate", ReserveGate.model_validate(usual | given), key="USD")


def balance_read(number: int, available: int, **held: Any) -> Record:
    """A reading of the balance, as payouts publishes it."""
    amounts = AmountHeld(**{"currency": "USD", "available": available, "pending": 0, **held})
    event = StripeBalanceRead(number=number, read_at=datetime.now(UTC), held=[amounts])
    return record("stripe.balance", event, key="balance")


def row_shown(nth: int) -> Record:
    """A row of the balance, as payouts publishes it."""
    now = datetime.now(UTC)
    event = StripeTransaction(
        transaction_id=f"txn_{nth}",
        version=1,
        type="stripe_fee",
        amount=-100,
        fee=0,
        net=-100,
        currency="USD",
        made_at=now,
        available_at=now,
        standing="waiting",
        noted_at=now,
    )
    return record("stripe.transaction", event, key=event.transaction_id)
