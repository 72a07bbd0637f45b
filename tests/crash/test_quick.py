"""A quick crash run, with the replay of every topic from offset zero at its end.

It runs on the session's servers; starting its own would take ten seconds.
"""

from pathlib import Path

from hobbs.local.stack import Simulator
from tests.crash.drill import plan_run
from tests.crash.run import run_on
from tests.crash.servers import deployment
from tests.support.databases import PASSWORDS


async def test_workers_killed_at_fault_points_lose_nothing_and_a_replay_changes_nothing(
    tmp_path: Path, database_url: str, kafka: str, stripe_sim_process: Simulator
) -> None:
    fleet = await deployment(
        tmp_path / "quick",
        owner_url=database_url,
        kafka=kafka,
        simulator=stripe_sim_process,
        passwords=PASSWORDS,
    )
    outcome = await run_on(fleet, 1, quick=True)
    assert outcome.violations == []
    assert {died.death.service for died in outcome.deaths} == {
        service for service, deaths in plan_run(1, quick=True).items() if deaths
    }
    assert outcome.effects > 0
