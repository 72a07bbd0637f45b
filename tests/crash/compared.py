"""Brings reserves, in every run, a comparison with Stripe: a date compared, a break accepted, a date signed.

The traffic makes no break that a person could accept: what is young is a matter of timing. So Stripe's
balance gets rows of a type that nobody knows, and people agree to what is proposed for them.
"""

import asyncio
from typing import Final
from uuid import uuid4

import asyncpg

from hobbs.local.fleet_processes import Fleet
from hobbs.local.stripe_sim.control import Control
from tests.crash.approvals import decision
from tests.crash.decisions import REQUESTED
from tests.crash.traffic import publish

SERVICE: Final = "reserves"
AGAIN_AFTER_S: Final = 5.0  # the service may have been dead
UNKNOWN: Final = "fee_of_a_crash_run"
POINTS: Final = ("reserves.breaks_kept", "reserves.day_completed", "reserves.accepted", "reserves.signed")
_OPEN: Final = "SELECT id FROM reserves.break WHERE state = 'open' AND class = 'unknown_type' ORDER BY id"


async def compare(fleet: Fleet, point: str) -> None:
    """Ask, until it is cancelled, for what passes this point of reserves."""
    if point == "reserves.accepted":
        await asyncio.to_thread(move_what_nobody_knows, fleet)
    while True:
        if point == "reserves.signed":
            await _ask(fleet, "sign", "yesterday", "ann")
        else:
            await _ask(fleet, "reconcile", "today", "ann")
        if point == "reserves.accepted":
            for number in await open_breaks(fleet):
                await _ask(fleet, "accept", str(number), "ann", "bob")
        await asyncio.sleep(AGAIN_AFTER_S)


def move_what_nobody_knows(fleet: Fleet) -> None:
    """Have Stripe take a little money by a row of a type that Hobbs does not know."""
    with Control(fleet.stripe_api_base) as stripe:
        stripe.trigger("balance.moved", type=UNKNOWN, amount=-123, description="of a crash run")


async def open_breaks(fleet: Fleet) -> list[int]:
    """The breaks of such rows that wait for a person."""
    connection = await asyncpg.connect(fleet.owner_url)
    try:
        return [row["id"] for row in await connection.fetch(_OPEN)]
    finally:
        await connection.close()


async def _ask(fleet: Fleet, action: str, name: str, *persons: str) -> None:
    """Publish these persons' decisions at once: whoever dies by the first still finds the others."""
    asked = [decision(name, action, {}, who=who, identity=uuid4(), service=SERVICE) for who in persons]
    await publish(fleet, REQUESTED, asked)
