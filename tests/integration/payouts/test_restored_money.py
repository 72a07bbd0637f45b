"""Backups of a database in the middle of its work: nothing is paid twice, lost, or left for ever."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from fleet.database import Database
from fleet.invariants import service_invariants
from services.payouts.app import build
from services.payouts.steps import payments
from tests.integration.payouts.snapshots import Backup
from tests.integration.payouts.test_adoption import adoption, found
from tests.integration.payouts.world import World
from tests.support.databases import run_statement, service_url
from tests.support.payouts import SETTINGS
from tests.support.stripe import StripeSim

WALLET = "instructor:i1"


@pytest.fixture
async def backup(owner_url: str, db: Database) -> AsyncIterator[Backup]:
    """A test's end finds the invariants unbroken; one of them says what waits or is doubtful."""
    yield Backup(owner_url)
    async with db.transaction() as tx:
        for invariant in service_invariants("payouts"):
            if invariant.name != "what_stripe_made_is_recorded":
                assert await tx.all(invariant.sql) == [], invariant.name
    await run_statement(owner_url, "DROP SCHEMA IF EXISTS backup CASCADE")


async def close_day(world: World) -> None:
    async with world.db.transaction() as tx:
        await payments.close_period(tx, "daily", "daily:2026-05-22", world.clock())


async def settled(world: World, started: Any) -> None:
    """The comparison, the relay and adoption in turn, until nothing changes."""
    for _ in range(3):
        await started.step()
        await world.work()


async def owed(world: World) -> int:
    [row] = await world.rows(
        "SELECT coalesce(sum(amount), 0) AS total FROM payable WHERE transfer_id IS NULL"
    )
    return int(row.total)


async def test_a_part_of_a_day_decided_before_the_comparison_waits(world: World, backup: Backup) -> None:
    """A journal is read and its day closes before the others are read."""
    world.control.fund(1_000_000)
    await world.payee("i1", payout_schedule="daily")
    await backup.make()
    journals = [world.posted(WALLET, amount) for amount in (700, 800)]
    await world.hand(*journals)
    await close_day(world)
    await world.work()
    assert world.paid() == [1500]
    await backup.restore()
    await world.hand(journals[0])
    await close_day(world)
    started = adoption(world)
    await settled(world, started)
    assert world.paid() == [1500]
    await world.hand(journals[1])
    await settled(world, started)
    assert world.paid() == [1500]
    assert sorted(await world.states()) == ["cancelled", "sent"]
    assert [row.standing for row in await found(world)] == ["adopted"]


async def test_gathered_sums_decided_alone_before_it_are_not_sent(world: World, backup: Backup) -> None:
    """A debit was taken off one of two flights; read again one by one, the flights come whole."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    await backup.make()
    debit = world.posted(WALLET, -100, event_type="adjustment")
    flights = [world.posted(WALLET, 700), world.posted(WALLET, 800)]
    await world.hand(debit, *flights)
    await world.work()
    assert sorted(world.paid()) == [600, 800]
    await backup.restore()
    await world.hand(*flights)
    started = adoption(world)
    await settled(world, started)
    await world.hand(debit)
    await settled(world, started)
    assert sorted(world.paid()) == [600, 800]
    assert await owed(world) == 0


async def test_a_transfer_that_was_due_at_the_backup_and_merged_later_is_not_sent(
    world: World, backup: Backup
) -> None:
    """The debit that took it back is read again after the comparison."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    await world.journal(WALLET, 700)
    await backup.make()
    debit = await world.journal(WALLET, -100, event_type="adjustment")
    await world.work()
    assert world.paid() == [600]
    await backup.restore()
    started = adoption(world)
    await settled(world, started)
    assert world.paid() == [600]
    await world.hand(debit)
    await settled(world, started)
    assert world.paid() == [600]
    assert await owed(world) == 0


async def test_a_revert_after_the_backup_is_taken_off_once(world: World, backup: Backup) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    flight = await world.journal(WALLET, 700)
    await world.work()
    await backup.make()
    reverted, after = world.revert_of(flight), world.posted(WALLET, 900)
    await world.hand(reverted)
    await world.hand(after)
    await world.work()
    assert sorted(world.paid()) == [200, 700]
    await backup.restore()
    started = adoption(world)
    await started.step()
    await world.hand(after)
    await settled(world, started)
    assert sorted(world.paid()) == [200, 700]
    await world.hand(reverted)
    await settled(world, started)
    assert sorted(world.paid()) == [200, 700]
    assert await owed(world) == 0


async def test_rests_that_a_currency_carries_are_paid_once(world: World, backup: Backup) -> None:
    """Read again in another order: the transfer that was sent last carries what it did."""
    world.control.set(settlement_currencies=["kwd"])
    world.control.fund(10_000_000, currency="kwd")
    await world.payee("i1")
    await backup.make()
    flights = [world.posted(WALLET, amount, currency="KWD") for amount in (15_057, 20_086, 30_013)]
    for flight in flights:
        await world.hand(flight)
        await world.work()
    before, rest = sorted(world.paid()), await owed(world)
    assert sum(before) + rest == 65_156
    await backup.restore()
    started = adoption(world)
    await started.step()
    for flight in reversed(flights):
        await world.hand(flight)
        await settled(world, started)
    assert sorted(world.paid()) == before
    assert await owed(world) == rest
    await world.earned("i1", 10_064, currency="KWD")
    await settled(world, started)
    assert sum(world.paid()) + await owed(world) == 75_220


@pytest.mark.parametrize("again", [(650, 850), (750, 750), (100, 100), (900, 1000)])
async def test_repriced_flights_of_several_found_transfers(
    world: World, backup: Backup, again: tuple[int, int]
) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    await backup.make()
    for number, amount in enumerate((700, 800)):
        await world.journal(WALLET, amount, source=f"flight:P{number}:1")
        await world.work()
    await backup.restore()
    started = adoption(world)
    await started.step()
    for number, amount in enumerate(again):
        await world.hand(world.posted(WALLET, amount, source=f"flight:P{number}:1"))
        await settled(world, started)
    await world.earned("i1", 5000)
    await settled(world, started)
    assert sum(world.paid()) == sum(again) + 5000
    assert await owed(world) == 0


async def test_an_instant_payout_is_made_once(world: World, backup: Backup) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1", instant_payout=True)
    await backup.make()
    flight = await world.journal(WALLET, 70_000)
    await world.work()
    before = made(world)
    await backup.restore()
    world.clock.advance(days=2)
    world.control.advance(2 * 86_400)
    started = adoption(world)
    await started.step()
    await world.hand(flight)
    for _ in range(4):
        await settled(world, started)
        world.clock.advance(minutes=5)
    assert made(world) == before


def made(world: World) -> list[tuple[str, int]]:
    return sorted((e["kind"], e["amount"]) for e in world.control.effects() if e["kind"] != "account")


@pytest.mark.parametrize("hours", [-7, 7])
async def test_a_clock_that_is_wrong_by_hours(world: World, backup: Backup, hours: int) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    first = await world.journal(WALLET, 600)
    await world.work()
    await backup.make()
    world.clock.advance(hours=hours)
    flight = await world.journal(WALLET, 700)
    await world.work()
    await backup.restore()
    world.clock.advance(hours=-2 * hours)
    started = adoption(world)
    await started.step()
    await world.hand(first, flight)
    await settled(world, started)
    assert sorted(world.paid()) == [600, 700]


async def test_two_processes_compare_and_adopt_at_once(world: World, backup: Backup) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    await backup.make()
    flights = [world.posted(WALLET, amount) for amount in range(100, 110)]
    await world.hand(*flights)
    await world.work()
    before = sorted(world.paid())
    await backup.restore()
    both = [adoption(world), adoption(world)]
    await asyncio.gather(*(one.step() for one in both))
    await asyncio.gather(world.hand(*flights[:5]), world.hand(*flights[5:]), *(one.step() for one in both))
    await asyncio.gather(*(one.step() for one in both))
    await world.work()
    assert sorted(world.paid()) == before
    assert set(await world.states()) == {"sent"}


async def test_a_short_balance_at_the_backup(world: World, backup: Backup) -> None:
    """Held for the balance at the backup, sent under a new key after it."""
    await world.payee("i1")
    await world.journal(WALLET, 700)
    await world.work()
    assert await world.states() == ["held"]
    await backup.make()
    world.control.fund(1_000_000)
    world.clock.advance(minutes=10)
    await world.work()
    assert world.paid() == [700]
    await backup.restore()
    world.clock.advance(minutes=10)
    await settled(world, adoption(world))
    assert world.paid() == [700]
    assert await world.states() == ["sent"]


async def test_a_held_transfer_without_an_operation_is_found_sent(world: World, backup: Backup) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1", payout_hold_hours=72)
    await world.journal(WALLET, 700)
    assert await world.states() == ["held"]
    await backup.make()
    world.clock.advance(days=4)
    async with world.db.transaction() as tx:
        await payments.pay(tx, [WALLET], world.clock())
    await world.work()
    assert world.paid() == [700]
    await backup.restore()
    world.clock.advance(days=-4)
    started = adoption(world)
    await settled(world, started)
    assert await world.states() == ["sent"]
    world.clock.advance(days=4)
    await settled(world, started)
    assert world.paid() == [700]


async def test_errors_in_the_middle_of_the_comparison(world: World, backup: Backup) -> None:
    world.control.fund(1_000_000)
    await world.payee("i1")
    await backup.make()
    flights = [world.posted(WALLET, 1) for _ in range(105)]
    await world.hand(*flights)
    await world.work(rounds=150)
    await backup.restore()
    for fault in ("rate_limit", "unavailable", "reset"):
        world.control.add_fault(fault, method="GET", path="/v1/transfers", count=1)
        started = adoption(world)
        for _ in range(4):
            await started.step()
        assert started.compared
        world.control.clear_faults()
    await world.hand(*flights)
    await started.step()
    await world.work(rounds=150)
    assert len(world.paid()) == 105


async def test_nothing_is_decided_before_the_comparison(owner_url: str, stripe_sim: StripeSim) -> None:
    """Decided again and merged with a debit, a transfer would not be found as the one that was sent."""
    there = {
        "database_url": SecretStr(service_url(owner_url, "payouts")),
        "stripe_secret_key": SecretStr(stripe_sim.secret_key),
        "stripe_api_base": stripe_sim.api_base,
    }
    worker = build(SETTINGS.model_copy(update=there))
    ready, may_begin = worker.ready_checks["compared"], worker._consumers.may_begin
    assert not may_begin()
    assert await ready() is not None
    [adopt] = [job for name, job in worker._jobs if name == "adoption"]
    task = asyncio.create_task(adopt())
    while not may_begin():  # noqa: ASYNC110 - a loop of the worker
        await asyncio.sleep(0.05)
    assert await ready() is None
    worker._stopping.set()
    await task
    for stop in worker._stop:
        await stop()
    await worker.database.close()


async def test_a_payee_without_an_account_at_the_backup_is_not_paid_again(
    world: World, backup: Backup
) -> None:
    world.control.fund(1_000_000)
    await backup.make()
    await world.payee("i1")
    flight = await world.journal(WALLET, 700)
    await world.work()
    debit = await world.journal(WALLET, -100, event_type="adjustment")
    await world.work()
    assert world.paid() == [700]
    await backup.restore()
    await world.configured("i1")
    await world.hand(flight)
    await world.hand(debit)
    started = adoption(world)
    await settled(world, started)
    account = await world.account_of("i1")
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await settled(world, started)
    assert world.paid() == [700]
    assert await owed(world) == -100


async def test_what_a_doubtful_effect_may_have_paid_is_not_sent(
    world: World, backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More sources than metadata holds; some of its journals were decided without the others."""
    monkeypatch.setattr("services.payouts.domain.orders.SOURCES_KEYS_MAX", 1)
    world.control.fund(1_000_000)
    await world.payee("i1", payout_schedule="daily")
    await backup.make()
    journals = [world.posted(WALLET, 10, source=f"flight:{'X' * 80}{n}:1") for n in range(9)]
    await world.hand(*journals)
    await close_day(world)
    await world.work()
    assert world.paid() == [90]
    await backup.restore()
    await world.hand(*journals[:3])
    await close_day(world)
    await settled(world, adoption(world))
    assert world.paid() == [90]
    assert [row.standing for row in await found(world)] == ["doubtful"]


@pytest.mark.parametrize("again", [700, 750])
async def test_a_restore_of_a_restore(world: World, backup: Backup, again: int) -> None:
    """The rest of a difference was paid after the first restore; the second one forgets that too."""
    world.control.fund(1_000_000)
    await world.payee("i1")
    await backup.make()
    await world.journal(WALLET, 700, source="flight:R:1")
    await world.work()
    await backup.restore()
    started = adoption(world)
    await started.step()
    await world.hand(world.posted(WALLET, 750, source="flight:R:1"))
    await settled(world, started)
    other = await world.journal(WALLET, 300)
    await settled(world, started)
    assert sorted(world.paid()) == [50, 300, 700]
    await backup.restore()
    started = adoption(world)
    await started.step()
    await world.hand(world.posted(WALLET, again, source="flight:R:1"), other)
    await settled(world, started)
    assert sorted(world.paid()) == [50, 300, 700]
    assert {row.standing for row in await found(world)} == {"adopted"}
    assert await owed(world) == again - 750
