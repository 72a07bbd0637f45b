"""`hobbs demo`: 98 real flights become bills, journals and transfers, and the books are checked.

Everything runs for real on this machine; only Stripe is simulated. Nothing is waited for by the clock: each
step ends when the fleet's own state says so.
"""

import asyncio
import csv
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from hobbs.demo_figures import Figures
from hobbs.demo_money import Cashier, onboard
from hobbs.demo_progress import Watcher, watching
from hobbs.demo_report import show_tables
from hobbs.demo_school import FLIGHTS_FILE, apply_school, publish_flights
from hobbs.demo_verdict import Verdict, check_books, show_verdicts
from hobbs.local.running_fleet import RunningFleet, running_fleet

STUDENT = "student-01"
LATE = "instructor-05"
FIRST_PAYMENTS = (120_000, 80_000)
LATER_PAYMENTS = (500_000, 500_000, 500_000)
POLL_S = 0.2
PATIENCE_S = 120.0


class Stalled(Exception):
    """The fleet did not get where it should within its time."""


def run_demo(folder: Path, started: float) -> bool:
    """Tell the whole story in `folder`; True when every check holds."""
    with watching(started=started) as watcher, running_fleet(folder, keep=False, tell=watcher.say) as running:
        verdicts = asyncio.run(tell_story(running, watcher))
    show_verdicts(verdicts)
    return all(verdict.holds for verdict in verdicts)


async def tell_story(running: RunningFleet, watcher: Watcher) -> list[Verdict]:
    async with Figures(running.fleet) as figures:
        story = Story(running, watcher, figures)
        await story.open_school()
        await story.fly()
        await story.pay()
        before = await figures.fingerprint()
        await story.fly_again()
        after = await figures.fingerprint()
        return [*await check_books(running.fleet, figures), repeated(before, after)]


class Story:
    """The demo's steps, in their order."""

    def __init__(self, running: RunningFleet, watcher: Watcher, figures: Figures) -> None:
        self._running = running
        self._watcher = watcher
        self._figures = figures
        self._cashier = Cashier(running.fleet.stack.simulator)
        self._flights = count_flights(FLIGHTS_FILE)

    async def open_school(self) -> None:
        """Apply the school's rates; payees get Stripe accounts and all but one finish onboarding."""
        self._watcher.say("applying the school: rates, aircraft, people")
        await asyncio.to_thread(apply_school, self._running.fleet)
        await self._until(self._payees_have_accounts, "payees without a Stripe account")
        self._watcher.say(f"payees finish Stripe's onboarding, all but {LATE}")
        await self._onboard(except_for={LATE})

    async def fly(self) -> None:
        """Publish the flights while the student has paid in too little for everybody."""
        self._watcher.say(f"publishing {self._flights} flights; {STUDENT} pays in {dollars(FIRST_PAYMENTS)}")
        await asyncio.to_thread(self._cashier.pay_in, STUDENT, FIRST_PAYMENTS)
        await asyncio.to_thread(publish_flights, self._running.fleet)
        await self._settle()

    async def pay(self) -> None:
        """The student pays the rest, so held transfers go out; the late payee onboards and is paid too."""
        self._watcher.say(f"{STUDENT} has a card declined, then pays in {dollars(LATER_PAYMENTS)}")
        await asyncio.to_thread(self._cashier.decline, STUDENT, LATER_PAYMENTS[0])
        await asyncio.to_thread(self._cashier.pay_in, STUDENT, LATER_PAYMENTS)
        await self._settle()
        self._watcher.say(f"{LATE} finishes onboarding, and the money that waited goes out by itself")
        await self._onboard()
        await self._settle()
        await show_tables(self._figures)

    async def fly_again(self) -> None:
        """Publish the same file once more."""
        self._watcher.say("publishing the same flights again")
        await asyncio.to_thread(publish_flights, self._running.fleet)
        await self._settle()

    async def _payees_have_accounts(self) -> bool:
        payees = await self._figures.payees()
        return bool(payees) and all(payee["stripe_account"] for payee in payees)

    async def _onboard(self, except_for: set[str] | None = None) -> None:
        payees = await self._figures.payees()
        simulator = self._running.fleet.stack.simulator
        done = set(await asyncio.to_thread(onboard, simulator, payees, except_for=except_for or set()))

        async def known_to_be_ready() -> bool:
            return done <= {payee["wallet"] for payee in await self._figures.payees() if payee["ready"]}

        await self._until(known_to_be_ready, "payees that are not ready")

    async def _settle(self) -> None:
        """Wait until nothing is under way any more, at Hobbs, in Kafka and at Stripe."""
        quiet = 0
        deadline = time.monotonic() + PATIENCE_S
        while quiet < 2:  # once may fall between two steps of the same chain
            self._running.require_running()
            under_way = await self._figures.busy()
            self._watcher.show(await self._figures.progress(), self._flights)
            quiet = 0 if under_way else quiet + 1
            if time.monotonic() > deadline:
                raise Stalled(f"after {PATIENCE_S:.0f} s there are still {', '.join(under_way)}")
            await asyncio.sleep(POLL_S)

    async def _until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not await condition():
            self._running.require_running()
            if time.monotonic() > deadline:
                raise Stalled(f"after {PATIENCE_S:.0f} s there are still {what}")
            await asyncio.sleep(POLL_S)


def repeated(before: dict[str, str], after: dict[str, str]) -> Verdict:
    changed = [table for table in before if before[table] != after[table]]
    return Verdict(
        name="the same file again changes nothing",
        holds=not changed,
        detail=f"changed: {', '.join(changed)}" if changed else f"{len(before)} tables compared",
    )


def count_flights(file: Path) -> int:
    with file.open(newline="") as lines:
        return sum(1 for _ in csv.DictReader(lines))


def dollars(amounts: tuple[int, ...]) -> str:
    return f"{sum(amounts) / 100:,.0f} dollars"
