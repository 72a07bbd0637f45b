"""A fleet of its own with the console, for tests that people's work is done in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from hobbs.demo.figures import Figures
from hobbs.demo.story import Story
from hobbs.local.fleet_processes import not_ready, start_console, stop_services
from hobbs.local.stack import Simulator
from schemas.services import CONSOLE
from tests.support.console import SECRET, School, Visitor
from tests.support.databases import Cluster, Template, cloned
from tests.support.fleets import Silent, fleet_on
from tests.support.stripe import emptied


@asynccontextmanager
async def empty_school(
    folder: Path, cluster: Cluster, template: Template, kafka: str, simulator: Simulator
) -> AsyncIterator[School]:
    """A fleet with its console, and no school yet."""
    visitors: dict[str, Visitor] = {}
    with emptied(simulator) as stripe_sim:
        async with (
            cloned(cluster, template) as url,
            fleet_on(folder, owner_url=url, kafka=kafka, stripe_sim=stripe_sim) as running,
            Figures(running.fleet) as figures,
        ):
            fleet = replace(running.fleet, console_secret=SECRET)
            child = start_console(fleet)
            try:
                while not_ready(fleet.ops_url(CONSOLE)):
                    child.require_running()
                    await asyncio.sleep(0.1)
                parts = urlsplit(fleet.console_url)
                yield School(
                    fleet=fleet,
                    figures=figures,
                    story=Story(fleet, figures, Silent(), running.require_running),
                    origin=f"{parts.scheme}://{parts.netloc}",
                    visitors=visitors,
                )
            finally:
                for visitor in visitors.values():
                    await visitor.aclose()
                stop_services([child])
