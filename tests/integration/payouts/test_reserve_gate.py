"""While the school keeps a reserve: what is let out, what is held, and when it goes."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from datetime import date, timedelta
from typing import Any

import pytest

from fleet.envelope import uuid7
from schemas.reserves import ReserveGate
from schemas.school import SchoolChange
from services.payouts import handlers, store
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
        self.readings = self.reading(apart_s=0)
        self._number = 0

    def reading(self, *, apart_s: int) -> BalanceReadings:
        """What reads the balance in one process."""
        return BalanceReadings(
            self.world.db,
            self.world.client,
            unhurried(),
            self.world.clock,
            Wait(first=timedelta(seconds=5), most=timedelta(minutes=10)),
            apart=timedelta(seconds=apart_s),
        )

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


async def test_a_relay_sends_nothing_that_was_not_let_out(world: World, reserve: Reserve) -> None:
    await reserve.begun("i1")
    world.control.fund(100_000)
    await reserve.judged()
    await world.earned("i1", 10_000)
    await world.work()
    assert world.paid() == []
    await reserve.work()
    assert world.paid() == [10_000]


async def test_two_processes_let_out_no_more_than_the_ceiling(world: World, reserve: Reserve) -> None:
    keys = [f"i{n}" for n in range(1, 7)]
    await world.payees(*keys)
    await reserve.begun()
    world.control.fund(100_000)
    await reserve.judged(minimum=35_000)
    for key in keys:
        await world.earned(key, 20_000)
    others = [ReserveGates(world.db, world.clock) for _ in range(3)]
    await asyncio.gather(*(gates.step() for gates in (reserve.gates, *others)))
    relays = [world.relay(), world.relay()]
    await asyncio.gather(*(world.once(relay) for relay in relays))
    await reserve.work()
    assert sum(world.paid()) == 60_000
    assert (await reserve.row()).allowed_total == 60_000


async def test_what_leaves_while_the_balance_is_read_is_not_free(world: World, reserve: Reserve) -> None:
    """The gate judges what Stripe held before the transfer; the count says that it left."""
    await reserve.begun("i1", "i2")
    world.control.fund(100_000)
    await reserve.judged(minimum=30_000)
    async with world.db.transaction() as tx:
        await store.balance_readings.plan(tx, world.clock())
    begun = await reserve.readings._begin(world.clock() + timedelta(seconds=1))
    before = world.control.state()["balance"]["available"]["usd"]
    await world.earned("i1", 50_000)
    await reserve.work()
    ceiling = begun["USD"].allowed_total + before - begun["USD"].under_way - 30_000
    await reserve.hear(ceiling=ceiling, balance_number=begun["USD"].number)
    await world.earned("i2", 20_001)
    await reserve.work()
    assert world.paid() == [50_000]
    assert await reasons(world) == [None, "reserve"]


async def test_a_transfer_under_way_is_taken_off_what_a_reading_finds(world: World, reserve: Reserve) -> None:
    await reserve.begun("i1")
    world.control.fund(100_000)
    await reserve.judged()
    await world.earned("i1", 60_000)
    while await reserve.gates.step():
        pass
    read = await reserve.read()
    assert (read["available"], read["under_way"], read["allowed_until_now"]) == (100_000, 60_000, 60_000)


async def test_a_transfer_that_is_sent_again_is_counted_once(world: World, reserve: Reserve) -> None:
    await reserve.begun("i1")
    world.control.fund(10_000)
    await reserve.judged()
    await reserve.hear(ceiling=50_000, balance_number=(await reserve.read())["number"])
    await world.earned("i1", 40_000)
    await reserve.work()  # Stripe refuses it: the balance is short
    assert await reasons(world) == ["balance_insufficient"]
    world.control.fund(30_000)
    await reserve.work()
    assert world.paid() == [40_000]
    assert [operation.generation for operation in await world.operations()] > [1]
    assert (await reserve.row()).allowed_total == 40_000


async def test_the_oldest_goes_first_and_small_ones_do_not_starve_it(world: World, reserve: Reserve) -> None:
    await reserve.begun("i1", "i2")
    world.control.fund(100_000)
    await reserve.judged(minimum=70_000)
    await world.earned("i1", 40_000)
    await reserve.work()
    await world.earned("i2", 1_000)
    await reserve.work()
    assert world.paid() == []
    await reserve.judged(minimum=60_000)
    await reserve.work()
    assert world.paid() == [40_000]
    await reserve.judged(minimum=0)
    await reserve.work()
    assert world.paid() == [40_000, 1_000]


async def test_what_the_policy_exempts_goes_and_is_counted(world: World, reserve: Reserve) -> None:
    await reserve.begun("i1", "i2")
    world.control.fund(100_000)
    await reserve.judged(minimum=100_000, exempt_below=5_000)
    await world.earned("i1", 5_000)
    await world.earned("i2", 4_999)
    await reserve.work()
    assert world.paid() == [4_999]
    await reserve.judged(minimum=100_000, state="closed", exempt_wallets=["instructor"])
    await reserve.work()
    assert world.paid() == [4_999, 5_000]
    assert (await reserve.row()).allowed_total == 9_999


@pytest.mark.parametrize(("when_over", "paid"), [("closed", []), ("open", [10_000])])
async def test_an_old_picture_closes_or_opens_by_policy(
    world: World, reserve: Reserve, when_over: str, paid: Sequence[int]
) -> None:
    await reserve.begun("i1")
    world.control.fund(100_000)
    await reserve.judged(minimum=95_000, when_over=when_over)
    world.clock.advance(minutes=16)
    await world.earned("i1", 10_000)
    await reserve.work()
    assert world.paid() == paid


async def test_before_the_first_gate_money_goes_until_the_policys_age_is_over(
    world: World, reserve: Reserve
) -> None:
    await reserve.begun("i1")
    world.control.fund(100_000)
    await world.earned("i1", 10_000)
    await reserve.work()
    world.clock.advance(minutes=16)
    await world.earned("i1", 20_000)
    await reserve.work()
    assert world.paid() == [10_000]
    assert await reasons(world) == [None, "reserve"]


async def test_an_older_gate_and_one_of_a_reading_nobody_knows_change_nothing(
    world: World, reserve: Reserve
) -> None:
    """After a restore reserves' gates judge readings that this database does not have."""
    await reserve.begun("i1")
    gate = await reserve.judged(minimum=0)
    number = gate.balance_number
    await reserve.hear(number=10, ceiling=5, balance_number=number)
    await reserve.hear(number=9, ceiling=9_000_000, balance_number=number)
    await reserve.hear(number=11, ceiling=9_000_000, balance_number=number + 1)
    assert ((await reserve.row()).number, (await reserve.row()).ceiling) == (10, 5)


async def test_a_payee_who_may_not_be_paid_by_now_waits_for_that_instead(
    world: World, reserve: Reserve
) -> None:
    account = await world.payee("i1")
    await reserve.begun()
    world.control.fund(100_000)
    await reserve.judged(minimum=100_000)
    await world.earned("i1", 10_000)
    await reserve.work()
    world.control.onboard(account, "restrict")
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    await reserve.judged(minimum=0)
    await reserve.work()
    assert world.paid() == []
    assert await reasons(world) != ["reserve"]


async def test_the_first_gate_waits_for_claims_that_saw_none(world: World, reserve: Reserve) -> None:
    """A transfer that is claimed while the reserve begins is under way for the first reading."""
    await world.payee("i1")
    await world.configure([SCHOOL, RESERVE])
    await world.earned("i1", 10_000)
    world.clock.advance(seconds=6)
    async with world.db.transaction() as tx:
        now = world.clock()
        [claimed] = await store.claims.claim(tx, 10, now, timedelta(seconds=30))
        begins = asyncio.create_task(reserve.gates.step(), context=Context())
        await asyncio.sleep(0.2)
        assert not begins.done()
    await begins
    [operation] = await world.operations()
    assert (claimed.id, operation.let_out_at is not None) == (operation.id, True)
    assert (await reserve.row()).allowed_total == 10_000


async def test_money_that_moves_while_a_process_looks_whether_to_read_is_read(
    world: World, reserve: Reserve
) -> None:
    await reserve.begun()
    await reserve.read()
    world.clock.advance(seconds=2)
    async with world.db.transaction() as tx:
        await tx.execute("LOCK TABLE relay_stop IN ACCESS EXCLUSIVE MODE")
        looks = asyncio.create_task(reserve.readings.step(), context=Context())
        await asyncio.sleep(0.2)
        reserve.readings.look_now()
    assert await looks == 0
    assert await reserve.readings.step() == 1


async def test_money_that_moves_while_another_process_reads_is_read_again(
    world: World, reserve: Reserve
) -> None:
    """Stripe answered the other process before the money moved."""
    await reserve.begun()
    first, second = reserve.reading(apart_s=10), reserve.reading(apart_s=10)
    begun_at = world.clock()
    begun = await first._begin(begun_at)
    answer = await world.client.balance()
    world.control.fund(500)
    second.look_now()
    assert await second.step() == 0
    await first._publish(begun, answer.body, begun_at)
    world.clock.advance(seconds=10)
    assert await second.step() == 1
    read = (await world.published("stripe.balance"))[-1]
    assert [one["available"] for one in read["held"] if one["currency"] == "USD"] == [500]


async def test_what_another_process_holds_is_not_passed_and_is_looked_at_again(
    world: World, reserve: Reserve
) -> None:
    await reserve.begun("i1", "i2")
    world.control.fund(100_000)
    await reserve.judged(minimum=100_000)
    await world.earned("i1", 10_000)
    await world.earned("i2", 20_000)
    await reserve.work()
    await reserve.judged(minimum=75_000)
    async with world.db.transaction() as tx:
        await tx.execute("SELECT FROM operation WHERE kind = 'transfer' AND amount = 10000 FOR UPDATE")
        assert await asyncio.create_task(reserve.gates.step(), context=Context()) == 0
    await reserve.work()
    assert world.paid() == [10_000]


async def test_without_the_card_everything_goes_again(world: World, reserve: Reserve) -> None:
    await reserve.begun("i1")
    world.control.fund(100_000)
    await reserve.judged(minimum=100_000)
    await world.earned("i1", 10_000)
    await reserve.work()
    world.version += 1
    await world.configure([RESERVE.model_copy(update={"old": RESERVE.new, "new": None})])
    await reserve.follow()
    await reserve.work()
    assert world.paid() == [10_000]


async def test_a_debt_is_taken_off_what_is_held_for_the_reserve(world: World, reserve: Reserve) -> None:
    await reserve.begun("i1")
    world.control.fund(100_000)
    await reserve.judged(minimum=100_000)
    await world.earned("i1", 10_000)
    await reserve.work()
    await world.journal("instructor:i1", -4_000, event_type="adjustment")
    await reserve.judged(minimum=0)
    await reserve.work()
    assert world.paid() == [6_000]
