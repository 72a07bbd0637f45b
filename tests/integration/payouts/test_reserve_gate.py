"""While the school keeps a reserve: what is let out, what is held, and when it goes."""

from datetime import date, timedelta
from typing import Any

import pytest

from fleet.envelope import uuid7
from schemas.reserves import ReserveGate
from schemas.school import SchoolChange
from services.payouts import handlers
from services.payouts.domain.reading import Wait
from services.payouts.stripe.balance_readings import BalanceReadings
from services.payouts.stripe.reserve_gate import ReserveGates
from tests.integration.payouts.world import World
from tests.support.payouts import unhurried
from tests.support.records import record

SCHOOL = SchoolChange(
    kind="school",
    key="school",
    effective_from=date(2020, 1, 1),
    new={"name": "A school", "time_zone": "UTC", "currency": "USD"},
)
RESERVE = SchoolChange(
    kind="reserve", key="reserve", effective_from=date(2020, 1, 1), new={"minimum": 30_000}
)


class Reserve:
    """A school with a reserve: its gate as payouts hears it, and readings of the balance."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gates = ReserveGates(world.db, world.clock, apart=timedelta())
        self.readings = BalanceReadings(
            world.db,
            world.client,
            unhurried(),
            world.clock,
            Wait(first=timedelta(seconds=5), most=timedelta(minutes=10)),
            apart=timedelta(),
        )
        self._number = 0

    async def begun(self, *keys: str, settings: dict[str, Any] | None = None) -> "Reserve":
        """Payees that can be paid, and a reserve from now on."""
        for key in keys:
            await self.world.payee(key)
        await self.world.configure([SCHOOL, RESERVE])
        await self.follow()
        return self

    async def follow(self) -> None:
        self.world.clock.advance(seconds=6)
        await self.gates.step()

    async def read(self) -> dict[str, Any]:
        """Read the balance now; what was published of dollars, with the reading's number."""
        self.readings.look_now()
        self.world.clock.advance(seconds=2)
        assert await self.readings.step() == 1
        event = (await self.world.published("stripe.balance"))[-1]
        [held] = [one for one in event["held"] if one["currency"] == "USD"]
        return {**held, "number": event["number"]}

    async def judged(self, minimum: int = 0, **given: Any) -> ReserveGate:
        """A gate of the balance as it is, of which `minimum` must stay, heard by payouts."""
        read = await self.read()
        ceiling = read["allowed_until_now"] + read["available"] - read["under_way"] - minimum
        return await self.hear(ceiling=ceiling, balance_number=read["number"], **given)

    async def hear(self, **given: Any) -> ReserveGate:
        self._number += 1
        gate = ReserveGate.model_validate(
            {
                "currency": "USD",
                "number": self._number,
                "state": "open",
                "sentence": "a test",
                "judged_at": self.world.clock(),
                "valid_until": self.world.clock() + timedelta(minutes=15),
                "when_over": "closed",
                **given,
            }
        )
        await handlers.heed_gate(self.world.db, [record("reserve.gate", gate, ce_id=str(uuid7()))])
        return gate

    async def work(self) -> None:
        """Let out and send until nothing moves."""
        while await self.gates.step():
            pass
        await self.world.work()

    async def row(self) -> Any:
        [row] = await self.world.rows("SELECT * FROM reserve_gate")
        return row


@pytest.fixture
def reserve(world: World) -> Reserve:
    return Reserve(world)


async def reasons(world: World) -> list[str | None]:
    return [row.reason for row in await world.transfers()]


async def test_a_school_with_a_reserve_stops_at_its_limit_to_the_cent_and_resumes(
    world: World, reserve: Reserve
) -> None:
    await reserve.begun("i1")
    world.control.fund(100_000)
    await reserve.judged(minimum=30_000)
    await world.earned("i1", 40_000, 30_000, 1)
    await reserve.work()
    assert world.paid() == [40_000, 30_000]
    assert await reasons(world) == [None, None, "reserve"]
    world.control.fund(1)
    await reserve.judged(minimum=30_000)
    await reserve.work()
    assert world.paid() == [40_000, 30_000, 1]


async def test_without_a_reserve_nothing_is_let_out_or_read(world: World, reserve: Reserve) -> None:
    await world.payee("i1")
    world.control.fund(50_000)
    await world.earned("i1", 10_000)
    assert await reserve.gates.step() == 0
    assert await reserve.readings.step() == 0
    await world.work()
    assert world.paid() == [10_000]
    assert await world.published("stripe.balance") == []
    assert [op.let_out_at for op in await world.operations()] == [None]
