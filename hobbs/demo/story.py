"""The demo's steps. Each step ends when the fleet's state shows that it is done, never after a fixed time.

The system tests run the same steps while they break things.
"""

import asyncio
import csv
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier, onboard
from hobbs.demo.progress import Watcher
from hobbs.demo.school import FLIGHTS_FILE, SCHOOL_FILE, apply_school, publish_flights
from hobbs.local.fleet_processes import Fleet

STUDENT = "student-01"
LATE = "instructor-05"
FIRST_PAYMENTS = (120_000, 80_000)
LATER_PAYMENTS = (500_000, 500_000, 500_000)
POLL_S = 0.2
PATIENCE_S = 120.0


class Stalled(Exception):
    """The fleet did not reach the expected state in time."""


class Story:
    """The demo's steps, in their order."""

    def __init__(
        self,
        fleet: Fleet,
        figures: Figures,
        watcher: Watcher,
        alarm: Callable[[], None] = lambda: None,
        school: Path = SCHOOL_FILE,
        flights: Path = FLIGHTS_FILE,
    ) -> None:
        """`alarm` is called while waiting; it raises when waiting is pointless."""
        self._fleet = fleet
        self._figures = figures
        self._watcher = watcher
        self._alarm = alarm
        self._school = school
        self._cashier = Cashier(fleet)
        self._logbook = flights
        self._flights = count_flights(flights)

    async def open_school(self) -> None:
        """Apply the school's rates; payees get Stripe accounts and all but one finish onboarding."""
        self._watcher.say("applying the school: rates, aircraft, people")
        await asyncio.to_thread(apply_school, self._fleet, self._school)
        await self.until(self._payees_have_accounts, "payees without a Stripe account")
        self._watcher.say(f"payees finish Stripe's onboarding, all but {LATE}")
        await self.onboard(except_for={LATE})

    async def fly(self) -> None:
        """Publish the flights while the student has paid in too little for all transfers; wait."""
        await self.take_off()
        await self.settle()

    async def take_off(self) -> None:
        """Pay in a little and publish the flights, without waiting."""
        self._watcher.say(f"publishing {self._flights} flights; {STUDENT} pays in {dollars(FIRST_PAYMENTS)}")
        await asyncio.to_thread(self._cashier.pay_in, STUDENT, FIRST_PAYMENTS)
        await asyncio.to_thread(publish_flights, self._fleet, self._logbook)

    async def pay(self) -> None:
        """The student pays the rest, so held transfers go out; the late payee onboards and is paid too."""
        self._watcher.say(f"{STUDENT} has a card declined, then pays in {dollars(LATER_PAYMENTS)}")
        await asyncio.to_thread(self._cashier.decline, STUDENT, LATER_PAYMENTS[0])
        await asyncio.to_thread(self._cashier.pay_in, STUDENT, LATER_PAYMENTS)
        await self._release("balance_insufficient")
        self._watcher.say(f"{LATE} finishes onboarding, and the held transfers are sent")
        await self.onboard()
        await self._release("payee_not_ready")

    async def fly_again(self) -> None:
        """Publish the same file once more."""
        self._watcher.say("publishing the same flights again")
        await asyncio.to_thread(publish_flights, self._fleet, self._logbook)
        await self.settle()

    async def _release(self, reason: str) -> None:
        """Wait until no transfer is held for this reason, and then until all is done."""

        async def none_is_held() -> bool:
            self._watcher.show(await self._figures.progress(), self._flights)
            return await self._figures.held(reason) == 0

        await self.until(none_is_held, f"transfers held ({reason})")
        await self.settle()

    async def _payees_have_accounts(self) -> bool:
        payees = await self._figures.payees()
        return bool(payees) and all(payee["stripe_account"] for payee in payees)

    async def onboard(self, except_for: set[str] | None = None) -> None:
        """Payees finish Stripe's onboarding; wait until Hobbs knows."""
        payees = await self._figures.payees()
        done = set(await asyncio.to_thread(onboard, self._fleet, payees, except_for=except_for or set()))

        async def known_to_be_ready() -> bool:
            return done <= {payee["wallet"] for payee in await self._figures.payees() if payee["ready"]}

        await self.until(known_to_be_ready, "payees that are not ready")

    async def settle(self) -> None:
        """Wait until Hobbs, Kafka and the simulator have no pending work."""
        quiet, last, moved_at = 0, None, time.monotonic()
        while quiet < 2:  # a single look may fall between two steps of one chain
            self._alarm()
            under_way = await self._figures.busy()
            progress = await self._figures.progress()
            self._watcher.show(progress, self._flights)
            quiet = 0 if under_way else quiet + 1
            if progress != last:
                last, moved_at = progress, time.monotonic()
            if time.monotonic() - moved_at > PATIENCE_S:
                raise Stalled(f"nothing moved for {PATIENCE_S:.0f} s, with {', '.join(under_way)} pending")
            await asyncio.sleep(POLL_S)

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for a condition. Raises Stalled, saying what there still is, after PATIENCE_S."""
        deadline = time.monotonic() + PATIENCE_S
        while not await condition():
            self._alarm()
            if time.monotonic() > deadline:
                raise Stalled(f"after {PATIENCE_S:.0f} s there are still {what}")
            await asyncio.sleep(POLL_S)


def count_flights(file: Path) -> int:
    with file.open(newline="") as lines:
        return sum(1 for _ in csv.DictReader(lines))


def dollars(amounts: tuple[int, ...]) -> str:
    return f"{sum(amounts) / 100:,.0f} dollars"
