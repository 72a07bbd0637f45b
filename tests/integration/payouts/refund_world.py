"""Students who paid by card and are owed money: what a test of refunds begins with, and looks at."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from fleet.database import Database
from fleet.envelope import Record, uuid7
from fleet.invariants import service_invariants
from schemas.payments import PaymentReceived
from schemas.refunds import RefundRequested
from services.payouts import handlers
from tests.integration.payouts.world import World
from tests.support.records import record

ANNA = "student:anna"
REFUNDS = "/v1/refunds"
ADJUSTMENT = "adjustment:F1:2"


@pytest.fixture
async def unbroken(db: Database) -> AsyncIterator[None]:
    """Whatever a test does, payouts' invariants hold at its end."""
    yield
    async with db.transaction() as tx:
        for invariant in service_invariants("payouts"):
            assert await tx.all(invariant.sql) == [], invariant.name


async def pays(world: World, *amounts: int, student: str = "anna", **how: Any) -> list[str]:
    """A student pays so much by card, one payment after the other; the charges, oldest first."""
    charges = []
    for amount in amounts:
        world.clock.advance(seconds=1)
        intent = world.control.trigger("payment_intent.succeeded", amount=amount, student=student, **how)
        charges.append(str(intent["latest_charge"]))
        await belongs_to(world, charges[-1], amount, student)
    return charges


async def belongs_to(world: World, charge: str, amount: int, student: str | None) -> None:
    """Receivables tells whose a payment is."""
    event = PaymentReceived(
        charge_id=charge, student=student, amount=amount, currency="USD", received_at=world.clock()
    )
    await handlers.know_payments(world.db, [record("payment.received", event, key=charge)])


def asked(amount: int, *, wallet: str = ANNA, settlement: UUID | None = None) -> Record:
    """A `refund.requested` record, as adjustments publishes it."""
    event = RefundRequested(
        settlement_id=settlement or uuid7(),
        wallet=wallet,
        currency="USD",
        amount=amount,
        source=ADJUSTMENT,
    )
    return record("refund.requested", event, key=wallet)


async def ask(world: World, amount: int, **how: Any) -> Record:
    sent = asked(amount, **how)
    await handlers.refund(world.db, [sent], clock=world.clock)
    return sent


async def answers(world: World) -> list[tuple[int, str]]:
    return [(a["refunded"], a["reason"]) for a in await world.published("refund.settled")]


def refunded(world: World) -> list[tuple[str, int]]:
    """What Stripe refunded: payment and amount, in order."""
    return [(e["destination"], int(e["amount"])) for e in world.control.effects(kind="refund")]


def later(world: World, **by: float) -> None:
    """Let the time pass here and at Stripe."""
    world.clock.advance(**by)
    world.control.advance(timedelta(**by).total_seconds())
