"""A few days of a season, in which a declined card is tried again: `make season` plays weeks."""

from tests.season.run import run_season
from tests.support.stripe import StripeSim


async def test_a_few_days_end_as_calculated(database_url: str, stripe_sim: StripeSim) -> None:
    report = await run_season(
        202, database_url, stripe_sim.api_base, stripe_sim.secret_key, days=4, students=3, acts=3
    )
    assert report.differences == []
    assert report.acts == 4 * 2 * 3
