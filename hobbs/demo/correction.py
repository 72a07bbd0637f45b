"""The demo's correction: a paid flight's hours were wrong, a person approves, and the money comes back."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.progress import Watcher
from hobbs.demo.school import CommandFailed, publish, run_hobbs
from hobbs.demo.story import STUDENT, Story
from hobbs.local.fleet_processes import Fleet
from schemas.flights import FlightCompleted, FlightCorrected

FLIGHT: Final = "demo-correction"
NAME: Final = f"{FLIGHT}:2"
MAKER, APPROVER = "dispatch", "finance"
WHY: Final = "digits swapped: 2.3 h were 1.3 h"
PAID_IN: Final = 100_000


async def correct_a_flight(fleet: Fleet, figures: Figures, story: Story, watcher: Watcher) -> None:
    """Fly, pay, correct, approve and claw back; each step waits until nothing is under way."""
    watcher.say("a flight of 2.3 h is flown, billed and paid")
    cashier = Cashier(fleet)
    accounts = [payee["stripe_account"] for payee in await figures.payees() if payee["stripe_account"]]
    await asyncio.to_thread(cashier.keep_at_stripe, accounts)  # what is in the bank cannot be taken back
    await asyncio.to_thread(cashier.pay_in, STUDENT, [PAID_IN])
    await publish(fleet, "flight.completed", FLIGHT, _flown("2.3"))
    await story.settle()
    watcher.say(f"{MAKER} corrects it to 1.3 h, and may not approve that")
    await publish(fleet, "flight.corrected", FLIGHT, _corrected("1.3"))
    await story.settle()
    await _refused_to_its_maker(fleet)
    watcher.say(f"{APPROVER} approves it, and claws back at Stripe what the payees got too much")
    await asyncio.to_thread(run_hobbs, fleet, "adjustments", "approve", NAME, *_by(APPROVER))
    await story.settle()
    await asyncio.to_thread(run_hobbs, fleet, "adjustments", "claw-back", NAME, *_by(APPROVER))
    await story.settle()


async def _refused_to_its_maker(fleet: Fleet) -> None:
    try:
        await asyncio.to_thread(run_hobbs, fleet, "adjustments", "approve", NAME, *_by(MAKER))
    except CommandFailed:
        return
    raise RuntimeError(f"{MAKER} approved {NAME}, which {MAKER} made")


def _by(who: str) -> tuple[str, ...]:
    return "--yes", "--who", who, "--why", WHY


def _flown(hours: str) -> FlightCompleted:
    out = Decimal("2000.0")
    return FlightCompleted(
        flight_id=FLIGHT,
        date=datetime.now(UTC).date(),
        aircraft="N364MA",
        student=STUDENT,
        instructor="instructor-03",
        hobbs_out=out,
        hobbs_in=out + Decimal(hours),
        flight_hours=Decimal(hours),
        dual_hours=Decimal(hours),
        ground_hours=Decimal("0.5"),
    )


def _corrected(hours: str) -> FlightCorrected:
    facts = _flown(hours).model_dump(exclude={"revision"})
    return FlightCorrected(**facts, revision=2, reason=WHY, corrected_by=MAKER)
