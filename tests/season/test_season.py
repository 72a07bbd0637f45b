"""A few days of seasons: a declined card is tried again, limits move. `make season` plays weeks."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.season.run import MOVES, run_season
from tests.support.stripe import StripeSim

BY_SEED: Final[Mapping[int, set[str]]] = {
    302: {"rises, in_force", "falls, automatic", "falls, in_force"},  # in force: a person accepted it
    326: {"rises, automatic", "falls, automatic", "falls, in_force"},
}


async def test_a_few_days_end_as_calculated(database_url: str, stripe_sim: StripeSim) -> None:
    report = await run_season(
        202, database_url, stripe_sim.api_base, stripe_sim.secret_key, days=4, students=3, acts=3
    )
    assert report.differences == []
    assert report.acts == 4 * 2 * 3


@pytest.mark.parametrize("seed", BY_SEED)
async def test_limits_rise_and_fall_as_calculated(
    database_url: str, stripe_sim: StripeSim, seed: int
) -> None:
    report = await run_season(
        seed, database_url, stripe_sim.api_base, stripe_sim.secret_key, days=5, students=3, acts=4
    )
    assert report.differences == []
    assert set(report.moved) >= BY_SEED[seed]
    assert set().union(*BY_SEED.values()) == set(MOVES)
