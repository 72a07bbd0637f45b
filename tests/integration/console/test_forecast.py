"""What can be sent in the next two weeks, day by day, and with what is supposed."""

import re

import pytest

from tests.conftest import OpenDatabase
from tests.integration.console.conftest import Desk
from tests.integration.console.test_clicks import one_of_each  # noqa: F401 - a fixture


@pytest.mark.usefixtures("one_of_each")
async def test_the_next_two_weeks_are_shown_by_day_and_with_what_is_supposed(desk: Desk) -> None:
    vera = await desk.browser("vera")
    assert "/reserve/forecast" in (await vera.get("/reserve")).text
    page = (await vera.get("/reserve/forecast")).text
    assert len(re.findall(r'data-title="Free at its end"', page)) in (14, 15)
    free = re.findall(r'data-title="Free at its end"[^>]*>(.*?)</td>', page, re.DOTALL)
    supposed = (await vera.get("/reserve/forecast?top_up=500.00&without=yes")).text
    raised = re.findall(r'data-title="Free at its end"[^>]*>(.*?)</td>', supposed, re.DOTALL)
    assert _cents(raised[0]) == _cents(free[0]) + 50_000
    for odd in ("top_up=much", "top_up=-1", "top_up=1&on=2999-01-01", "top_up=1&on=soon"):
        answer = await vera.get(f"/reserve/forecast?{odd}")
        assert answer.status_code == 200
        assert 'role="alert"' in answer.text


def _cents(cell: str) -> int:
    return round(float(re.sub(r"<[^>]+>|[,\s]", "", cell)) * 100)


async def test_a_school_without_a_reserve_is_told_what_one_is(desk: Desk) -> None:
    vera = await desk.browser("vera")
    assert "nothing can be foreseen" in (await vera.get("/reserve/forecast")).text


@pytest.mark.usefixtures("one_of_each")
async def test_a_reserve_that_is_switched_off_forecasts_nothing(desk: Desk, open_db: OpenDatabase) -> None:
    vera = await desk.browser("vera")
    assert "Must stay at Stripe" in (await vera.get("/reserve/forecast")).text
    async with open_db("reserves").transaction() as tx:
        await tx.execute("UPDATE judgement SET gate = 'off'")
    assert "The school keeps no reserve" in (await vera.get("/reserve/forecast")).text
