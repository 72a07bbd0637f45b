"""One fleet with the demo's flights for all tests of the console (tests/support/sharing.py)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from hobbs.demo.figures import Figures
from hobbs.demo.story import Story
from hobbs.local.fleet_processes import not_ready, start_console, stop_services
from hobbs.local.stack import Simulator
from schemas.services import CONSOLE
from tests.support.browsing import chromium
from tests.support.console import SECRET, School, Visitor
from tests.support.corrections import lesson, publish_in_order
from tests.support.databases import Cluster, Template, cloned
from tests.support.fleets import Silent, fleet_on
from tests.support.stripe import emptied

FLOWN: Final = lesson("k-first"), lesson("k-second", instructor="instructor-03")
CORRECTED: Final = lesson("k-waiting")  # its correction waits as long as the fleet lives


@pytest.fixture(scope="package")
async def school(
    tmp_path_factory: pytest.TempPathFactory,
    cluster: Cluster,
    template: Template,
    kafka: str,
    stripe_sim_process: Simulator,
) -> AsyncIterator[School]:
    folder = tmp_path_factory.mktemp("console")
    visitors: dict[str, Visitor] = {}
    with emptied(stripe_sim_process) as stripe_sim:
        async with (
            cloned(cluster, template) as url,
            fleet_on(folder, owner_url=url, kafka=kafka, stripe_sim=stripe_sim) as running,
            Figures(running.fleet) as figures,
        ):
            fleet = replace(running.fleet, console_secret=SECRET)
            child = start_console(fleet)
            try:
                story = Story(fleet, figures, Silent(), running.require_running)
                await story.open_school()
                await story.take_off()
                await publish_in_order(fleet, FLOWN)
                await story.settle()
                while not_ready(fleet.ops_url(CONSOLE)):
                    child.require_running()
                    await asyncio.sleep(0.1)
                parts = urlsplit(fleet.console_url)
                origin = f"{parts.scheme}://{parts.netloc}"
                school = School(fleet=fleet, figures=figures, story=story, origin=origin, visitors=visitors)
                await school.given_waiting(CORRECTED, corrected_by="ann")
                yield school
            finally:
                for visitor in visitors.values():
                    await visitor.aclose()
                stop_services([child])


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Any]:
    async with chromium() as opened:
        yield opened
