"""Brings reserves, in every run, a comparison with Stripe: a date compared, a break accepted, a date signed.

The traffic makes no break that a person could accept: what is young is a matter of timing. So Stripe's
balance gets rows of a type that nobody knows, and people agree to what is proposed for them.
"""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import asyncpg

from fleet.proofs import key_of_topic, with_proof
from hobbs.local.fleet_processes import Fleet
from hobbs.local.stripe_sim.control import Control
from tests.crash.approvals import decision
from tests.crash.decisions import REQUESTED
from tests.crash.traffic import publish

SERVICE: Final = "reserves"
COMPARED_WITHIN_S: Final = 60.0
AGAIN_AFTER_S: Final = 5.0  # the service may have been dead
UNKNOWN: Final = "fee_of_a_crash_run"
POINTS: Final = (
    "reserves.breaks_kept",
    "reserves.day_completed",
    "reserves.accepted",
    "reserves.signed",
    "reserves.taken_back",
)
_IN_THE_BOOKS: Final = """
    SELECT line.transaction_id, line.currency, line.net FROM reserves.stripe_line AS line
    JOIN reserves.line_match USING (transaction_id)
    WHERE type = 'charge' AND net = counted AND NOT is_before AND NOT EXISTS (
        SELECT FROM reserves.book_line WHERE source = 'stripe:' || line.transaction_id)
    ORDER BY line.made_at DESC LIMIT 1
"""
_OPEN: Final = "SELECT id FROM reserves.break WHERE state = 'open' AND class = 'unknown_type' ORDER BY id"
# What was at Stripe before that is no row of its own in the comparison.
_IS_LISTED: Final = "SELECT EXISTS (SELECT FROM reserves.stripe_line WHERE NOT is_before)"


_LISTED: Final = "SELECT count(*) FROM reserves.stripe_line WHERE type <> 'opening'"
_IS_COMPARED: Final = "SELECT EXISTS (SELECT FROM reserves.comparison WHERE completed_at > $1)"


async def compare(fleet: Fleet, point: str) -> None:
    """Ask, until it is cancelled, for what passes this point of reserves."""
    moved = False
    while True:
        if point == "reserves.taken_back":
            await stand_in(fleet)
        if point == "reserves.signed":
            await _ask(fleet, "sign", "yesterday", "ann")
        else:
            await _ask(fleet, "reconcile", "today", "ann")
        if point == "reserves.accepted":
            is_listed, numbers = await look(fleet)
            for number in numbers:
                await _ask(fleet, "accept", str(number), "ann", "bob")
            if is_listed and not moved and not numbers:
                await asyncio.to_thread(move_what_nobody_knows, fleet)
                moved = True
        await asyncio.sleep(AGAIN_AFTER_S)


def move_what_nobody_knows(fleet: Fleet) -> None:
    """Have Stripe take a little money by a row of a type that Hobbs does not know."""
    with Control(fleet.stripe_api_base) as stripe:
        stripe.trigger("balance.moved", type=UNKNOWN, amount=-123, description="of a crash run")


def rows_of_stripe(fleet: Fleet) -> int:
    """How many rows the balance has at Stripe."""
    with Control(fleet.stripe_api_base) as stripe:
        return len(stripe.transactions())


async def stand_in(fleet: Fleet) -> None:
    """Ask for what reserves asks for an accepted row, though the payment's own journals are there.

    In the traffic a row is a matter of timing for days, and then no webhook is late.
    """
    connection = await asyncpg.connect(fleet.owner_url)
    try:
        rows = await connection.fetch(_IN_THE_BOOKS)
    finally:
        await connection.close()
    for row in rows:
        entries = [
            {"wallet": "external:stripe", "amount": -row["net"]},
            {"wallet": "liability:unallocated", "amount": row["net"]},
        ]
        source = f"stripe:{row['transaction_id']}"
        body = {
            "source": source,
            "event_type": "stripe_reconciliation",
            "currency": row["currency"],
            "occurred_at": datetime.now(UTC).isoformat(),
            "entries": entries,
        }
        asked = "journal.requested"
        key, value = source.encode(), json.dumps(body).encode()
        headers = [("ce_source", b"hobbs/reserves"), ("ce_id", str(uuid4()).encode())]
        proved = with_proof(
            key_of_topic(fleet.publisher_keys["reserves"].encode(), asked), asked, headers, key, value
        )
        await publish(fleet, asked, [(key, value, proved)])


async def look(fleet: Fleet) -> tuple[bool, list[int]]:
    """Whether rows of Stripe's balance are listed by now, and the breaks that wait for a person."""
    connection = await asyncpg.connect(fleet.owner_url)
    try:
        numbers = [row["id"] for row in await connection.fetch(_OPEN)]
        return bool(await connection.fetchval(_IS_LISTED)), numbers
    finally:
        await connection.close()


async def compare_all(fleet: Fleet) -> list[str]:
    """Have a deployment at rest compared with Stripe once more; a violation when that does not end."""
    connection = await asyncpg.connect(fleet.owner_url)
    try:
        deadline = time.monotonic() + COMPARED_WITHIN_S
        while time.monotonic() < deadline:
            if await connection.fetchval(_LISTED) == await asyncio.to_thread(rows_of_stripe, fleet):
                break
            await asyncio.sleep(0.5)
        asked_at = datetime.now(UTC)
        await _ask(fleet, "reconcile", "today", "ann")
        while time.monotonic() < deadline:
            if await connection.fetchval(_IS_COMPARED, asked_at):
                return []
            await asyncio.sleep(0.2)
    finally:
        await connection.close()
    return [f"the books are not compared with Stripe after {COMPARED_WITHIN_S:.0f} s"]


async def _ask(fleet: Fleet, action: str, name: str, *persons: str) -> None:
    """Publish these persons' decisions at once: whoever dies by the first still finds the others."""
    asked = [decision(name, action, {}, who=who, identity=uuid4(), service=SERVICE) for who in persons]
    await publish(fleet, REQUESTED, asked)
