"""Every worker may be killed at any moment, and the books end the same."""

import asyncio
import random

from hobbs.demo.figures import Figures
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.local.fleet_processes import start_process, wait_until_ready
from hobbs.local.running_fleet import RunningFleet
from tests.support.fleets import Silent, outcome
from tests.system.conftest import Run

DEATHS_EACH = 2


async def test_workers_killed_at_random_end_in_the_same_state(
    undisturbed: Run, fleet_apart: RunningFleet
) -> None:
    fleet = fleet_apart.fleet
    async with Figures(fleet) as figures:
        story = Story(fleet, figures, Silent())
        await story.open_school()
        killing = asyncio.create_task(kill_at_random(fleet_apart))
        await story.fly()
        await story.pay()
        await killing
        await story.fly_again()
        assert await outcome(figures) == undisturbed.outcome
        assert [verdict for verdict in await check_books(fleet, figures) if not verdict.holds] == []


async def kill_at_random(running: RunningFleet) -> None:
    """Kill each service a few times with SIGKILL, and start it again at once."""
    chance = random.Random()
    victims = [service for service in running.services for _ in range(DEATHS_EACH)]
    chance.shuffle(victims)
    for victim in victims:
        await asyncio.sleep(chance.uniform(0.1, 1.5))
        running.services[victim].kill()
        running.services[victim] = start_process(running.fleet, victim)
    await asyncio.to_thread(wait_until_ready, running.fleet, running.services)
