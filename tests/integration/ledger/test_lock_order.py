"""Balances are locked in the order of their wallets, whatever their names: two workers never deadlock."""

import asyncio

import asyncpg

from fleet.database import Database
from services.ledger.handlers import post_journals
from tests.integration.ledger.books import FLIGHT, Legs, balances, requested
from tests.integration.ledger.test_concurrency import until_waiting


async def test_who_waits_for_a_wallet_holds_none_that_comes_after_it(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute("SELECT open_balances('{student:z}', '{USD}')")
    await owner.execute(
        "SELECT open_balances('{instructor:a}', '{USD}')"
    )  # the later wallet, the earlier name
    legs: Legs = (("student:z", -5), ("instructor:a", 5))
    async with owner.transaction():
        await owner.execute("SELECT FROM lock_balances('{student:z}', '{USD}')")
        posting = asyncio.create_task(post_journals(ledger, [requested("flight:F1:1", legs)]))
        await until_waiting(owner)
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        await owner.execute("SELECT FROM lock_balances('{instructor:a}', '{USD}')")
    await posting
    assert await balances(ledger) == dict(legs)


async def test_who_waits_for_a_wallet_that_another_opens_holds_none(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute("SELECT open_balances('{platform:school}', '{USD}')")
    async with owner.transaction():
        await owner.execute("SELECT open_balances('{student:s-1}', '{USD}')")
        posting = asyncio.create_task(post_journals(ledger, [requested("flight:F1:1")]))
        await until_waiting(owner)
        await owner.execute("SET LOCAL lock_timeout = '5s'")
        await owner.execute("SELECT FROM lock_balances('{platform:school}', '{USD}')")
    await posting
    assert await balances(ledger) == dict(FLIGHT)
