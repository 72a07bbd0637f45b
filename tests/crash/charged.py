"""Brings receivables and payouts, in every run, saved cards to charge: their students pay nothing otherwise.

Each time it is the next student: one is charged three times in ten minutes at most. The card is set up at
Stripe, the choice is a person's decision, and each flight that is billed is a cause. What a dead service left
is gone on with.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final
from uuid import uuid4

import asyncpg
import stripe

from hobbs.local.fleet_processes import Fleet
from tests.crash.approvals import decision
from tests.crash.decisions import REQUESTED
from tests.crash.traffic import COMPLETED, publish
from tests.support.reserves import SAVERS

LOOK_S: Final = 0.5
_NEXT: Final = cycle(SAVERS)
FLIGHT: Final[Mapping[str, Any]] = {
    "revision": 1,
    "date": "2026-01-05",
    "aircraft": "N740SP",
    "instructor": "instructor-01",
    "hobbs_out": "1000.0",
    "hobbs_in": "1001.0",
    "flight_hours": "1.0",
    "dual_hours": "1.0",
}
_STANDS: Final = """
    SELECT EXISTS (SELECT FROM receivables.saved_method WHERE student = $1) AS saved,
           EXISTS (SELECT FROM receivables.charge_choice WHERE student = $1) AS chosen,
           EXISTS (SELECT FROM billing.bill
                   WHERE student = $1 AND billed_at > now() - interval '4 seconds') AS flying
"""


async def charge_cards(fleet: Fleet) -> None:
    """Have one flight after the other charged to a saved card; ends when it is cancelled."""
    charges = _Charges(fleet, next(_NEXT))
    while True:
        try:
            await charges.go_on_until_it_is_lost()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, stripe.StripeError):
            await asyncio.sleep(LOOK_S)  # the database is killed, too, and Stripe refuses some


@dataclass(slots=True)
class _Charges:
    """Sees to it that there is a card, a choice and something owed."""

    fleet: Fleet
    student: str
    set_up: bool = field(default=False)

    async def go_on_until_it_is_lost(self) -> None:
        connection = await asyncpg.connect(self.fleet.owner_url)
        try:
            while True:
                await self._go_on(connection)
                await asyncio.sleep(LOOK_S)
        finally:
            await connection.close()

    async def _go_on(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        stands = await connection.fetchrow(_STANDS, self.student)
        if stands is None:
            return
        if not stands["saved"] and not self.set_up:
            await asyncio.to_thread(save_a_card, self.fleet, self.student)
            self.set_up = True
        if not stands["chosen"]:
            told = {"occasion": "each_flight", "most": 1_000_00, "most_a_day": 90_000_000}
            asked = decision(
                self.student, "choose_charges", told, who="ann", identity=uuid4(), service="receivables"
            )
            await publish(self.fleet, REQUESTED, [asked])
        if not stands["flying"]:
            await fly(self.fleet, self.student)


async def fly(fleet: Fleet, student: str) -> None:
    """Publish a flight of an hour that the student completed."""
    body = {"flight_id": f"charged-{uuid4()}", "student": student, **FLIGHT}
    await publish(fleet, COMPLETED, [(body["flight_id"].encode(), json.dumps(body).encode(), [])])


def save_a_card(fleet: Fleet, student: str) -> None:
    """Set up a card of the student's at Stripe, as its own page does."""
    client = stripe.StripeClient(fleet.stripe_secret_key, base_addresses={"api": fleet.stripe_api_base})
    customer = client.v1.customers.create({})
    client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "usage": "off_session",
            "allowed_payment_method_types": ["card"],
            "metadata": {"hobbs_student": student},
        }
    )
