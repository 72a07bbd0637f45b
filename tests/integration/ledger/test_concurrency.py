"""Several workers and a DBA at once: nobody waits forever, nothing is lost, nothing is posted twice."""

import asyncio
import random

import asyncpg
import pytest

from fleet.database import Database
from services.ledger.handlers import post_journals
from tests.integration.ledger.books import FLIGHT, Legs, ask, balances, journals, letters, requested, told

WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"  # pg_stat_activity is cached
WORKERS, BATCHES, JOURNALS = 4, 8, 60


async def until_waiting(owner: asyncpg.Connection, sessions: int = 1) -> None:
    """Until so many sessions wait for a lock."""
    async with asyncio.timeout(10):
        while await owner.fetchval(WAITING) < sessions:
            await owner.execute("SELECT pg_sleep(0.005)")


async def wallet_id(owner: asyncpg.Connection, address: str) -> int:
    found: int = await owner.fetchval("SELECT id FROM wallet WHERE address = $1", address)
    return found


async def test_a_batch_waits_for_a_locked_wallet_and_then_continues_its_balance(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await ask(ledger, requested("flight:F1:1"))
    async with owner.transaction():
        await owner.execute("SELECT FROM lock_balances('{platform:school}', '{USD}')")
        second = asyncio.create_task(post_journals(ledger, [requested("flight:F2:1")]))
        await until_waiting(owner)
        assert not second.done()
    await second
    assert await balances(ledger) == {wallet: 2 * amount for wallet, amount in FLIGHT}


async def test_a_dbas_wallet_lock_stops_posting_in_every_currency_until_it_ends(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await ask(ledger, requested("flight:F1:1"))
    async with owner.transaction():
        await owner.execute("SELECT acquire_wallet_lock($1)", await wallet_id(owner, "platform:school"))
        dollars = asyncio.create_task(post_journals(ledger, [requested("flight:F2:1")]))
        euros = asyncio.create_task(post_journals(ledger, [requested("flight:F3:1", currency="EUR")]))
        await until_waiting(owner, sessions=2)
        assert await journals(ledger) == ["flight:F1:1"]
    await asyncio.gather(dollars, euros)
    assert await journals(ledger) == ["flight:F1:1", "flight:F2:1", "flight:F3:1"]


async def test_two_workers_open_the_same_new_wallets_in_any_order(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    async with owner.transaction():
        await owner.execute("SELECT open_balances('{student:s-1,platform:school}', '{USD,USD}')")
        other = asyncio.create_task(post_journals(ledger, [requested("flight:F1:1")]))
        await until_waiting(owner)
    await other
    assert await balances(ledger) == dict(FLIGHT)


async def test_two_workers_with_crossed_batches_never_deadlock(ledger: Database) -> None:
    there: Legs = (("student:a", -1), ("student:b", 1))
    back: Legs = (("student:b", -1), ("student:a", 1))
    for n in range(20):
        await asyncio.gather(
            post_journals(ledger, [requested(f"flight:T{n}-{k}:1", there) for k in range(10)]),
            post_journals(ledger, [requested(f"flight:B{n}-{k}:1", back) for k in range(10)]),
        )
    assert await balances(ledger) == {}
    assert len(await journals(ledger)) == 400


async def test_a_source_another_worker_is_posting_is_answered_by_its_journal(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """Both looked and saw no journal; the second finds out when it inserts, and looks again."""
    await ask(ledger, requested("flight:F0:1"))
    async with owner.transaction():
        await owner.execute("SELECT acquire_wallet_lock($1)", await wallet_id(owner, "platform:school"))
        batches = [[requested(f"flight:F{n}:1") for n in range(1, 9)] for _ in range(2)]
        both = [asyncio.create_task(post_journals(ledger, batch)) for batch in batches]
        await until_waiting(owner, sessions=2)
    await asyncio.gather(*both)
    assert len(await journals(ledger)) == 9
    events = [event for event in await told(ledger) if event.key != "flight:F0:1"]
    assert len(events) == 16
    assert len({event.event_id for event in events}) == len({event.value for event in events}) == 8
    assert await balances(ledger) == {wallet: 9 * amount for wallet, amount in FLIGHT}


async def test_a_source_another_worker_is_posting_with_other_content_is_refused(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """Their wallets are strangers to each other, so only the unique source stands between them."""
    other: Legs = (("student:s-9", -7), ("instructor:i-9", 7))
    await ask(ledger, requested("flight:F0:1"), requested("flight:F0:2", other))
    async with owner.transaction():
        await owner.execute("SELECT acquire_wallet_lock($1)", await wallet_id(owner, "platform:school"))
        await owner.execute("SELECT acquire_wallet_lock($1)", await wallet_id(owner, "student:s-9"))
        both = [
            asyncio.create_task(post_journals(ledger, [requested("flight:F1:1", legs)]))
            for legs in (FLIGHT, other)
        ]
        await until_waiting(owner, sessions=2)
    await asyncio.gather(*both)
    assert await letters(ledger) == [("source_reused", "flight:F1:1")]
    assert len(await journals(ledger)) == 3


async def test_what_no_rule_foresaw_is_refused_alone(ledger: Database, owner: asyncpg.Connection) -> None:
    await owner.execute("ALTER TABLE journal ADD CONSTRAINT memo_is_not_cursed CHECK (memo <> 'cursed')")
    cursed = {3, 4, 11}
    batch = [requested(f"flight:F{n}:1", memo="cursed" if n in cursed else "") for n in range(16)]
    await post_journals(ledger, batch)
    assert sorted(await letters(ledger)) == [
        ("memo_is_not_cursed", "flight:F11:1"),
        ("memo_is_not_cursed", "flight:F3:1"),
        ("memo_is_not_cursed", "flight:F4:1"),
    ]
    assert len(await journals(ledger)) == 13
    assert await balances(ledger) == {wallet: 13 * amount for wallet, amount in FLIGHT}


async def test_an_outage_is_blamed_on_no_request(ledger: Database, owner: asyncpg.Connection) -> None:
    await owner.execute("REVOKE INSERT ON entry FROM hobbs_ledger")
    batch = [requested("flight:F1:1"), requested("flight:F2:1")]
    with pytest.raises(Exception, match="permission denied"):
        await post_journals(ledger, batch)
    assert await letters(ledger) == []
    await owner.execute("GRANT INSERT ON entry TO hobbs_ledger")
    assert [event.topic for event in await ask(ledger, *batch)] == ["journal.posted", "journal.posted"]


def random_legs(chance: random.Random) -> Legs:
    wallets = [f"student:s{chance.randrange(30)}", f"instructor:i{chance.randrange(5)}"]
    amounts = [chance.randrange(1, 1000) * chance.choice((-1, 1)) for _ in wallets]
    legs = list(zip(wallets, amounts, strict=True))
    return [*legs, ("platform:school", -sum(amounts))] if sum(amounts) else legs


BACK_IN_TIME = """
    SELECT address, version FROM (
        SELECT address, currency, version, recorded_at,
               lag(recorded_at) OVER (PARTITION BY wallet_id, currency ORDER BY version) AS before
        FROM ledger_public.entries
    ) AS line WHERE recorded_at < before
"""


async def test_several_workers_at_once_lose_nothing_and_never_deadlock(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    chance = random.Random(20260522)
    batches = [
        [requested(f"flight:{b}-{n}:1", random_legs(chance)) for n in range(JOURNALS)]
        for b in range(WORKERS * BATCHES)
    ]

    async def work(mine: list[int]) -> None:
        for b in mine:
            await post_journals(ledger, batches[b])

    everything = list(range(WORKERS * BATCHES))
    plans = [everything[w::WORKERS] for w in range(WORKERS)]
    zombie = chance.sample(everything, 6)  # a worker that was thought dead replays what others are at
    await asyncio.gather(*(work(plan) for plan in plans), work(zombie))
    assert len(await journals(ledger)) == WORKERS * BATCHES * JOURNALS
    assert await letters(ledger) == []
    assert sum((await balances(ledger)).values()) == 0
    assert await owner.fetch(BACK_IN_TIME) == []  # a wallet's versions are in the order they were recorded
