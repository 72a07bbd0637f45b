"""Whatever a DBA calls in one transaction, in whatever order: no deadlock, or a refusal that says how to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import uuid7
from services.ledger.handlers import post_journals
from tests.integration.ledger.books import Legs, ask, journals, requested
from tests.integration.ledger.test_concurrency import until_waiting

WALLETS = ("platform:school", "student:s-1", "student:s-2", "instructor:i-1")  # in the order of their ids
POST = "SELECT post_journal_with_locks($1, 'manual', $2, 'USD', $3)"


@pytest.fixture
async def dba(owner: asyncpg.Connection) -> asyncpg.Connection:
    """A DBA's session; four wallets are open, in a known order."""
    for wallet in WALLETS:
        await owner.execute("SELECT open_balances($1, '{USD}')", [wallet])
    return owner


@pytest.fixture
async def watch(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "ledger"})
    yield connection
    await connection.close()


async def by_hand(dba: asyncpg.Connection, name: str, legs: Legs) -> None:
    entries = json.dumps([{"wallet": wallet, "amount": amount} for wallet, amount in legs])
    await dba.execute(POST, uuid7(), name, entries)


FIRST: Legs = (("student:s-2", -5), ("instructor:i-1", 5))
Call = Callable[[asyncpg.Connection], Awaitable[object]]
EARLIER: dict[str, Call] = {
    "another journal": lambda dba: by_hand(dba, "2", (("student:s-1", -7), ("instructor:i-1", 7))),
    "a hold": lambda dba: dba.execute("SELECT place_hold('h', 'student:s-1', 1, 'USD', '2199-01-01')"),
    "a limit": lambda dba: dba.execute("SELECT set_limit('student:s-1', 'USD', -100)"),
    "a monitor": lambda dba: dba.execute("SELECT set_monitor('m', 'student:s-1', 'USD', 'below', 0)"),
    "a wallet lock": lambda dba: dba.execute(
        "SELECT acquire_wallet_lock((SELECT id FROM wallet WHERE address = 'student:s-1'))"
    ),
    "a balance": lambda dba: dba.execute("SELECT FROM lock_balances('{student:s-1}', '{USD}')"),
}


@pytest.mark.parametrize("then", EARLIER)
async def test_who_needs_an_earlier_wallet_that_a_worker_holds_is_told_how_to_and_the_worker_goes_on(
    ledger: Database, dba: asyncpg.Connection, watch: asyncpg.Connection, then: str
) -> None:
    legs: Legs = (("student:s-1", -100), ("instructor:i-1", 60), ("platform:school", 40))
    transaction = dba.transaction()
    await transaction.start()
    await by_hand(dba, "1", FIRST)  # holds instructor:i-1
    worker = asyncio.create_task(post_journals(ledger, [requested("flight:F1:1", legs)]))
    await until_waiting(watch)  # the worker holds student:s-1, and waits for instructor:i-1
    with pytest.raises(asyncpg.LockNotAvailableError, match="begin with lock_wallets") as caught:
        await EARLIER[then](dba)
    assert "lock_wallets" in (caught.value.hint or "")
    await transaction.rollback()
    await worker
    assert await journals(ledger) == ["flight:F1:1"]


@pytest.mark.parametrize("then", EARLIER)
async def test_who_locks_every_wallet_first_calls_in_whatever_order(
    ledger: Database, dba: asyncpg.Connection, watch: asyncpg.Connection, then: str
) -> None:
    legs: Legs = (("student:s-1", -100), ("instructor:i-1", 60), ("platform:school", 40))
    async with dba.transaction():
        await dba.execute("SELECT lock_wallets($1, 'USD')", list(reversed(WALLETS)))
        await by_hand(dba, "1", FIRST)
        worker = asyncio.create_task(post_journals(ledger, [requested("flight:F1:1", legs)]))
        await until_waiting(watch)
        await EARLIER[then](dba)
    await worker
    assert {"manual:1", "flight:F1:1"} <= set(await journals(ledger))


async def test_an_earlier_wallet_that_nobody_keeps_is_simply_taken(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    async with dba.transaction():
        await by_hand(dba, "1", FIRST)
        for then in EARLIER.values():
            await then(dba)
    await ask(ledger, requested("flight:F1:1"))


async def test_who_opens_a_wallet_late_does_not_wait_for_who_opens_it_too(
    dba: asyncpg.Connection, watch: asyncpg.Connection
) -> None:
    transaction = dba.transaction()
    await transaction.start()
    await by_hand(dba, "1", FIRST)
    async with watch.transaction():
        await watch.execute("SELECT open_balances('{student:new}', '{USD}')")
        other = asyncio.create_task(watch.execute("SELECT FROM lock_balances('{instructor:i-1}', '{USD}')"))
        await until_waiting(dba)
        with pytest.raises(asyncpg.LockNotAvailableError, match="a wallet that is opened"):
            await by_hand(dba, "2", (("student:new", -1), ("instructor:i-1", 1)))
        await transaction.rollback()
        await other


async def test_what_a_savepoint_undid_is_no_longer_counted_as_locked(dba: asyncpg.Connection) -> None:
    async with dba.transaction():
        savepoint = dba.transaction()
        await savepoint.start()
        await by_hand(dba, "1", FIRST)
        assert await dba.fetchval("SELECT locked_to()") > 0
        await savepoint.rollback()
        assert await dba.fetchval("SELECT locked_to()") == 0
        await by_hand(dba, "1", FIRST)
    assert await dba.fetchval("SELECT locked_to()") == 0


async def test_a_period_is_not_closed_behind_a_journal_while_others_post(
    dba: asyncpg.Connection, watch: asyncpg.Connection
) -> None:
    async with watch.transaction():
        await watch.execute("LOCK TABLE journal IN ROW EXCLUSIVE MODE")
        transaction = dba.transaction()
        await transaction.start()
        await by_hand(dba, "1", FIRST)
        with pytest.raises(asyncpg.CheckViolationError, match="in a transaction of its own"):
            await dba.execute("SELECT close_period('2026-06-01')")
        await transaction.rollback()
    async with dba.transaction():
        await by_hand(dba, "1", FIRST)
        await dba.execute("SELECT close_period('2026-06-01')")
