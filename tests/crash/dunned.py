"""Brings receivables, in every run, students with overdue bills whose saved card a step of dunning charges.

A bill is overdue the day after at the earliest, and timers run each minute: days pass for a student's
account, and the timer is due at once. The student's own choice never charges anything, so each charge of them
is a step's; one who was asked today is asked again once everything is paid.
"""

import asyncio
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final
from uuid import uuid4

import asyncpg
import stripe

from hobbs.local.fleet_processes import Fleet
from tests.crash.approvals import decision
from tests.crash.charged import LOOK_S, fly, save_a_card
from tests.crash.decisions import REQUESTED
from tests.crash.traffic import publish
from tests.support.reserves import DUNNED

DAYS: Final = 5
LOOKS_MAX: Final = 40  # at one student: its charge may wait for payouts, which is dead
_NEXT: Final = cycle(DUNNED)
_STANDS: Final = """
    SELECT EXISTS (SELECT FROM receivables.saved_method WHERE student = $1) AS saved,
           EXISTS (SELECT FROM receivables.charge_choice WHERE student = $1) AS chosen,
           EXISTS (SELECT FROM billing.bill WHERE student = $1) AS flown,
           EXISTS (SELECT FROM receivables.item WHERE student = $1 AND open < 0) AS owes,
           (SELECT count(*) FROM receivables.dunning_history WHERE student = $1 AND what = 'step') AS steps
"""


async def have_dunned(fleet: Fleet) -> None:
    """Have one student after the other charged by a step; ends when it is cancelled."""
    while True:
        try:
            await _Dunned(fleet, next(_NEXT)).go_on_until_asked()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, stripe.StripeError):
            await asyncio.sleep(LOOK_S)  # the database is killed, too, and Stripe refuses some


@dataclass(slots=True)
class _Dunned:
    fleet: Fleet
    student: str
    set_up: bool = field(default=False)
    flown: bool = field(default=False)

    async def go_on_until_asked(self) -> None:
        connection = await asyncpg.connect(self.fleet.owner_url)
        try:
            before = None
            for _ in range(LOOKS_MAX):
                steps = await self._go_on(connection)
                before = steps if before is None else before
                if steps > before:
                    return
                await asyncio.sleep(LOOK_S)
        finally:
            await connection.close()

    async def _go_on(self, connection: "asyncpg.Connection[asyncpg.Record]") -> int:
        """Do what is missing next; how many steps were done for this student."""
        stands = await connection.fetchrow(_STANDS, self.student)
        assert stands is not None
        if not stands["saved"] and not self.set_up:
            await asyncio.to_thread(save_a_card, self.fleet, self.student)
            self.set_up = True
        if not stands["chosen"]:
            told = {
                "occasion": "threshold",
                "threshold": 80_000_000,
                "most": 1_000_00,
                "most_a_day": 90_000_000,
            }
            asked = decision(
                self.student, "choose_charges", told, who="ann", identity=uuid4(), service="receivables"
            )
            await publish(self.fleet, REQUESTED, [asked])
        elif stands["saved"] and stands["owes"]:
            await _let_days_pass(connection, self.student)
        elif stands["saved"] and not self.flown:
            await fly(self.fleet, self.student)
            self.flown = True
        return int(stands["steps"])


async def _let_days_pass(connection: "asyncpg.Connection[asyncpg.Record]", student: str) -> None:
    """Whatever is on a student's account is some days older, and who is to be asked is looked at now."""
    async with connection.transaction():
        await connection.execute("SELECT FROM receivables.account WHERE student = $1 FOR UPDATE", student)
        for change in (
            "UPDATE receivables.item_line SET booked_on = booked_on - $2::integer WHERE student = $1",
            "UPDATE receivables.item SET booked_on = booked_on - $2::integer, due_on = due_on - $2::integer"
            " WHERE student = $1",
        ):
            await connection.execute(change, student, DAYS)
        await connection.execute("UPDATE receivables.timer SET due_at = now() WHERE name = 'dun'")
