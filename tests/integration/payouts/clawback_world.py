"""Payees who were sent money and owe some of it: what a test of claw-backs begins with, and looks at."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from fleet.database import Database
from fleet.invariants import service_invariants
from tests.integration.payouts.world import World

WALLET = "instructor:i1"
REVERSALS = "/v1/transfers/*/reversals"
DEBT = "adjustment:A1:2"


@pytest.fixture
async def unbroken(db: Database) -> AsyncIterator[None]:
    """Whatever a test does, payouts' invariants hold at its end."""
    yield
    async with db.transaction() as tx:
        for invariant in service_invariants("payouts"):
            assert await tx.all(invariant.sql) == [], invariant.name


async def paid(world: World, *amounts: int) -> None:
    """A payee to whom these flights' money was sent: flight:A1:1, flight:A2:1, ..."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    for number, amount in enumerate(amounts, 1):
        await world.journal(WALLET, amount, source=f"flight:A{number}:1")
        await world.work()


async def owes(world: World, amount: int, source: str = DEBT) -> None:
    await world.journal(WALLET, -amount, source=source, event_type="adjustment")


async def answers(world: World) -> list[tuple[int, str]]:
    return [(a["reversed"], a["reason"]) for a in await world.published("reversal.settled")]


def taken_back(world: World) -> list[int]:
    return [int(e["amount"]) for e in world.control.effects(kind="reversal")]


async def debts(world: World) -> list[int]:
    """What is deducted from what the payee is paid next."""
    rows = await world.rows(
        "SELECT amount FROM payable WHERE transfer_id IS NULL AND clawback_id IS NULL ORDER BY id"
    )
    return [row.amount for row in rows]


async def clawbacks(world: World) -> list[Any]:
    return await world.rows("SELECT * FROM payouts_public.clawbacks ORDER BY requested_at, settlement_id")


async def later(world: World, **by: float) -> None:
    """Let the time pass here and at Stripe; the payee's balance there stays what it was."""
    account = await world.account_of("i1")
    world.clock.advance(**by)
    world.control.advance(timedelta(**by).total_seconds())
    world.control.fund(1_000_000, account=account)
