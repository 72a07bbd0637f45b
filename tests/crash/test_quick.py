"""The quick form of `make crash`, and the replay of every topic from offset zero that ends each run."""

from pathlib import Path

from tests.crash.run import run_seed
from tests.crash.servers import running_servers


async def test_workers_killed_at_named_places_lose_nothing_and_a_replay_changes_nothing(
    tmp_path: Path,
) -> None:
    with running_servers(tmp_path) as servers:
        outcome = await run_seed(servers, 1, quick=True)
    assert outcome.violations == []
    assert len(outcome.deaths) == 10
    assert outcome.effects > 0
