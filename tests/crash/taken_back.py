"""Brings payouts, in every run, money to take back: a flight is paid, cancelled, approved and clawed back.

What the student is owed then goes back to the card.

Left to chance it would hardly happen: what a payee owes is deducted from the next flight within seconds. So
this payee earns nothing else, and Stripe keeps its money. What a dead service left is gone on with.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import asyncpg
import stripe

from hobbs.demo.money import Cashier
from hobbs.local.fleet_processes import Fleet
from tests.crash.approvals import OWN_FLIGHTS, decision
from tests.crash.decisions import REQUESTED
from tests.crash.traffic import CANCELLED, COMPLETED, MAKER, NOT_FLOWN_WITH, publish

LOOK_S: Final = 0.3
AGAIN_AFTER_S: Final = 8.0  # a step is asked for again: a service may have been dead
# Old, so that a person approves it, and cheap: one person is enough.
FLIGHT: Final[Mapping[str, Any]] = {
    "revision": 1,
    "date": "2026-01-05",
    "aircraft": "N740SP",
    "student": "student-01",
    "instructor": NOT_FLOWN_WITH,
    "hobbs_out": "1000.0",
    "hobbs_in": "1001.0",
    "flight_hours": "1.0",
    "dual_hours": "1.0",
}

_STEPS: Final = """
    SELECT flight_id, 'approve' AS step FROM adjustments.adjustment
    WHERE starts_with(flight_id, $1) AND state = 'waiting'
    UNION ALL
    SELECT flight_id, 'claw_back' FROM adjustments.adjustment AS adjustment
    JOIN adjustments.settlement ON adjustment_id = adjustment.id
    WHERE starts_with(flight_id, $1) AND settlement.state = 'waiting' AND wallet = $2
    UNION ALL
    SELECT flight_id, 'refund' FROM adjustments.adjustment AS adjustment
    JOIN adjustments.settlement ON adjustment_id = adjustment.id
    WHERE starts_with(flight_id, $1) AND settlement.state = 'settled' AND wallet = $3 AND method = 'credit'
    UNION ALL
    SELECT split_part(source, ':', 2), 'cancel' FROM payouts.payable
    JOIN payouts.transfer ON transfer.id = transfer_id
    WHERE starts_with(source, 'flight:' || $1) AND stripe_transfer_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM adjustments.adjustment WHERE flight_id = split_part(source, ':', 2))
"""
_UNDER_WAY: Final = """
    SELECT flight_id FROM billing.bill
    WHERE starts_with(flight_id, $1) AND corrects IS NULL AND billed_at > now() - interval '30 seconds'
      AND NOT EXISTS (SELECT FROM adjustments.adjustment AS adjustment
                      WHERE adjustment.flight_id = bill.flight_id AND adjustment.state = 'settled')
"""
REFUND: Final = {"method": "refund", "wallet": f"student:{FLIGHT['student']}"}
_ACCOUNT: Final = "SELECT stripe_account FROM payouts.payee WHERE wallet = $1 AND ready"


async def take_money_back(fleet: Fleet) -> None:
    """Have the money of one flight after the other taken back and refunded; ends when it is cancelled."""
    claws = _ClawBacks(fleet)
    while True:
        try:
            await claws.go_on_until_it_is_lost()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, stripe.StripeError):
            await asyncio.sleep(LOOK_S)  # the database is killed, too, and Stripe refuses some


@dataclass(slots=True)
class _ClawBacks:
    """Takes the next step of each flight of this payee.

    kept: Stripe pays the payee out only when somebody asks. asked_at: when which step was last asked for.
    """

    fleet: Fleet
    kept: bool = False
    asked_at: dict[tuple[str, str], float] = field(default_factory=dict)

    async def go_on_until_it_is_lost(self) -> None:
        connection = await asyncpg.connect(self.fleet.owner_url)
        try:
            while True:
                await self._go_on(connection)
                await asyncio.sleep(LOOK_S)
        finally:
            await connection.close()

    async def _go_on(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        wallet = f"instructor:{NOT_FLOWN_WITH}"
        if not self.kept:
            account = await connection.fetchval(_ACCOUNT, wallet)
            if account is None:
                return  # the payee is not onboarded yet
            await asyncio.to_thread(Cashier(self.fleet).keep_at_stripe, [account])
            self.kept = True
        for row in await connection.fetch(_STEPS, OWN_FLIGHTS, wallet, REFUND["wallet"]):
            if self._is_due(row["flight_id"], row["step"]):
                await self._take(row["flight_id"], row["step"])
        if not await connection.fetch(_UNDER_WAY, OWN_FLIGHTS) and self._is_due("", "fly"):
            flight = f"{OWN_FLIGHTS}{uuid4()}"
            await self._publish(COMPLETED, {"flight_id": flight, **FLIGHT})

    def _is_due(self, flight: str, step: str) -> bool:
        now, before = time.monotonic(), self.asked_at.get((flight, step))
        if before is not None and now - before < AGAIN_AFTER_S:
            return False
        self.asked_at[(flight, step)] = now
        return True

    async def _take(self, flight: str, step: str) -> None:
        if step == "cancel":
            said = {"revision": 2, "reason": "a crash run", "cancelled_by": MAKER}
            await self._publish(CANCELLED, {"flight_id": flight, **said})
        else:
            action, told = ("settle", REFUND) if step == "refund" else (step, {})
            asked = decision(f"{flight}:2", action, told, who="ann", identity=uuid4())
            await publish(self.fleet, REQUESTED, [asked])

    async def _publish(self, topic: str, body: Mapping[str, Any]) -> None:
        await publish(self.fleet, topic, [(body["flight_id"].encode(), json.dumps(body).encode(), [])])
