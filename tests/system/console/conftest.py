"""One fleet with the demo's flights for all tests of the console (tests/support/sharing.py)."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from hobbs.local.stack import Simulator
from tests.support.a_school import empty_school
from tests.support.browsing import chromium
from tests.support.console import School
from tests.support.corrections import lesson, publish_in_order
from tests.support.databases import Cluster, Template

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
    async with empty_school(folder, cluster, template, kafka, stripe_sim_process) as school:
        await school.story.open_school()
        await school.story.take_off()
        await publish_in_order(school.fleet, FLOWN)
        await school.story.settle()
        await school.given_waiting(CORRECTED, corrected_by="ann")
        yield school


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Any]:
    async with chromium() as opened:
        yield opened
