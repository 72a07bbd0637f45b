"""Rows of the school's Stripe balance are listed again from a date that a person names."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from fleet import faults
from services.payouts.desk.decisions import ACTIONS
from tests.integration.payouts.balance_rows import broken, journals, listed, opened, standings
from tests.integration.payouts.world import World
from tests.support.decisions import answered, decision

TODAY = datetime.now(UTC).date().isoformat()


async def ask(world: World, day: str = TODAY) -> tuple[str, str]:
    answer = await answered(world.db, ACTIONS, decision("payouts", "backfill_movements", day))
    return answer.outcome, answer.sentence


async def list_again(world: World) -> list[dict[str, Any]]:
    """List until it is over; the backfills as they are kept."""
    while await world.movements().backfill():
        pass
    async with world.db.transaction() as tx:
        rows = await tx.all("SELECT pages, found, ended_at IS NOT NULL AS ended FROM movement_backfill")
    return [dict(row._mapping) for row in rows]


async def test_without_a_wish_nothing_is_listed_again(world: World) -> None:
    await opened(world)
    assert await world.movements().backfill() == 0


async def test_a_row_that_no_listing_saw_is_found_and_booked_once(world: World) -> None:
    await opened(world)
    world.control.trigger("balance.moved", type="stripe_fee", amount=-200)
    assert (await ask(world))[0] == "done"
    assert (await ask(world)) == (
        "refused",
        "a backfill goes on already; it is over when the log of payouts says so",
    )
    assert await list_again(world) == [{"pages": 1, "found": 1, "ended": True}]
    await listed(world)
    assert len(await standings(world)) == 1
    assert Counter(await journals(world)) == {"stripe_account_fee": 1}
    assert await broken(world) == set()


@pytest.mark.parametrize("point", ["movements.listed", "movements.noted"])
async def test_who_dies_while_listing_again_goes_on(
    world: World, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(world)
    world.control.trigger("balance.moved", type="stripe_fee", amount=-200)
    await ask(world)
    with monkeypatch.context() as broken_off:
        broken_off.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@1"), None))
        with pytest.raises(faults.InjectedFault):
            await world.movements().backfill()
    assert await list_again(world) == [{"pages": 1, "found": 1, "ended": True}]
    assert Counter(await journals(world)) == {"stripe_account_fee": 1}


@pytest.mark.parametrize("day", ["yesterday", "2010-12-31", "2999-01-01"])
async def test_a_date_that_is_none_is_refused(world: World, day: str) -> None:
    assert (await ask(world, day))[0] == "refused"
