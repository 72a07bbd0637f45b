"""Fleets of real processes. The undisturbed run is made once; runs with faults are compared with it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hobbs.demo.figures import Figures, Row
from hobbs.demo.story import Story
from hobbs.demo.verdict import Verdict, check_books, nothing_changed
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import RunningFleet
from hobbs.local.stack import Simulator
from tests.support.databases import Cluster, Template, cloned
from tests.support.fleets import Silent, fleet_on, outcome
from tests.support.stripe import StripeSim, emptied


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The results of a whole run, and of every invariant after it.

    The fleet has stopped; its folder holds what every service logged.
    """

    fleet: Fleet
    outcome: dict[str, list[Row]]
    verdicts: Sequence[Verdict]


@pytest.fixture
async def fleet(
    tmp_path: Path, database_url: str, kafka: str, stripe_sim: StripeSim
) -> AsyncIterator[RunningFleet]:
    """Every service on empty tables: the gateway in a process of its own, the others in one."""
    async with fleet_on(tmp_path, owner_url=database_url, kafka=kafka, stripe_sim=stripe_sim) as running:
        yield running


@pytest.fixture
async def fleet_apart(
    tmp_path: Path, database_url: str, kafka: str, stripe_sim: StripeSim
) -> AsyncIterator[RunningFleet]:
    """Every service as a process of its own: for tests that end services one by one."""
    async with fleet_on(
        tmp_path, owner_url=database_url, kafka=kafka, stripe_sim=stripe_sim, together=()
    ) as running:
        yield running


@pytest.fixture
async def figures(fleet: RunningFleet) -> AsyncIterator[Figures]:
    async with Figures(fleet.fleet) as opened:
        yield opened


@pytest.fixture(scope="session")
async def undisturbed(
    tmp_path_factory: pytest.TempPathFactory,
    cluster: Cluster,
    template: Template,
    kafka: str,
    stripe_sim_process: Simulator,
) -> Run:
    """A whole run of the demo, with its flights published twice and no faults."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with emptied(stripe_sim_process) as stripe_sim:
        async with (
            cloned(cluster, template) as url,
            fleet_on(
                folder,
                owner_url=url,
                kafka=kafka,
                stripe_sim=stripe_sim,
                log_level="DEBUG",
                topics_stay=True,
            ) as running,
            Figures(running.fleet) as figures,
        ):
            story = Story(running.fleet, figures, Silent(), running.require_running)
            await story.open_school()
            await story.fly()
            await story.pay()
            before = await figures.fingerprint()
            await story.fly_again()
            after = await figures.fingerprint()
            verdicts = [*await check_books(running.fleet, figures), nothing_changed(before, after)]
            return Run(fleet=running.fleet, outcome=await outcome(figures), verdicts=verdicts)
