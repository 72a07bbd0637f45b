"""What is refused through Kafka is refused by hand, and nothing in a call is guessed or ignored."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import uuid7
from services.ledger.domain.currencies import CURRENCIES
from services.ledger.domain.validation import ENTRIES_MAX
from tests.integration.ledger.books import ask, requested
from tests.integration.ledger.test_concurrency import until_waiting

MAY, JUNE, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 8))
TEN = [{"wallet": "student:s-1", "amount": -10}, {"wallet": "platform:school", "amount": 10}]
POST = "SELECT post_journal_with_locks(uuidv7(), 'manual', $1, $2, $3, CAST(CAST($4 AS text) AS timestamptz))"


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "ledger"})
    yield connection
    await connection.close()


async def post(
    dba: asyncpg.Connection,
    entries: Any = None,
    *,
    name: str = "1",
    currency: str = "USD",
    at: str | None = None,
) -> None:
    await dba.execute(POST, name, currency, json.dumps(TEN if entries is None else entries), at)


async def refused(dba: asyncpg.Connection, rule: str, statement: str, *arguments: Any) -> str:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await dba.execute(statement, *arguments)
    assert caught.value.constraint_name == rule
    return str(caught.value)


@pytest.mark.parametrize(
    "at",
    ["infinity", "-infinity", "20260-05-22", "2026-10-22 BC", "1899-12-31T23:59:59Z", "2200-12-31T23:00-05"],
)
async def test_a_journal_occurs_in_a_year_that_events_can_say(
    ledger: Database, owner: asyncpg.Connection, at: str
) -> None:
    sentence = await refused(
        owner, "journal_occurred_within_the_calendar", POST, "1", "USD", json.dumps(TEN), at
    )
    assert "not between 1900 and 2200" in sentence


@pytest.mark.parametrize("at", ["infinity", "20260-05-22", "2200-12-31T23:00-05"])
async def test_a_hold_expires_in_a_year_that_events_can_say(
    ledger: Database, owner: asyncpg.Connection, at: str
) -> None:
    place = "SELECT place_hold('h', 'student:s-1', 1, 'USD', CAST(CAST($1 AS text) AS timestamptz))"
    await refused(owner, "hold_expires_within_the_calendar", place, at)


async def test_the_first_and_the_last_instant_of_the_calendar_are_in_it(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await post(owner, at="1900-01-01T00:00:00Z")
    await post(owner, name="2", at="2200-12-31T23:59:59.999999Z")
    assert await owner.fetchval("SELECT count(*) FROM journal") == 2


async def test_a_repeat_in_another_era_is_no_repeat(ledger: Database, owner: asyncpg.Connection) -> None:
    await post(owner, at="2026-10-22")
    await refused(
        owner,
        "journal_occurred_within_the_calendar",
        POST,
        "1",
        "USD",
        json.dumps(TEN),
        "2026-10-22 BC",
    )


async def test_currencies_are_those_of_the_worker(ledger: Database, owner: asyncpg.Connection) -> None:
    assert {row["code"] for row in await owner.fetch("SELECT code FROM iso_currency")} == CURRENCIES
    rule = "balance_currency_is_iso_4217"
    sentence = await refused(owner, rule, POST, "1", "ZZZ", json.dumps(TEN), None)
    assert "'ZZZ' is not an ISO 4217 code such as USD" in sentence
    await refused(owner, rule, "SELECT place_hold('h', 'student:s-1', 1, 'ZZZ', '2199-01-01')")
    await refused(owner, rule, "SELECT set_limit('student:s-1', 'ZZZ', 0)")
    await refused(owner, rule, "SELECT set_monitor('m', 'student:s-1', 'ZZZ', 'below', 0)")
    await refused(owner, rule, "SELECT get_total_student_balances('usd')")
    wallet = await owner.fetchval("INSERT INTO wallet (address) VALUES ('student:s-9') RETURNING id")
    await refused(owner, rule, "INSERT INTO balance (wallet_id, currency) VALUES ($1, 'ZZZ')", wallet)


@pytest.mark.parametrize(
    "entry",
    [
        {"amount": "10"},
        {"amount": "0x10"},
        {"amount": " 10 "},
        {"amount": 10.5},
        {"amount": 10**17},
        {"amount": True},
        {"amount": None},
        {"amount": 10, "currency": "EUR"},
        {"amount": 10, "wallet_id": 1},
        {"amount": 10, "Wallet": "student:s-2"},
    ],
)
async def test_nothing_in_an_entry_is_guessed_or_ignored(
    ledger: Database, owner: asyncpg.Connection, entry: dict[str, Any]
) -> None:
    entries = json.dumps([{"wallet": "platform:school"} | entry, TEN[0]])
    sentence = await refused(owner, "entry_is_complete", POST, "1", "USD", entries, None)
    assert "a whole number of minor units, and nothing else" in sentence
    assert await owner.fetchval("SELECT count(*) FROM wallet") == 0


@pytest.mark.parametrize("entries", [[5, 6], [[], []], [None, None], ["a", "b"]])
async def test_what_is_no_entry_is_refused(
    ledger: Database, owner: asyncpg.Connection, entries: list[Any]
) -> None:
    await refused(owner, "entry_is_complete", POST, "1", "USD", json.dumps(entries), None)


async def test_amounts_and_entries_have_the_workers_limits(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    most = 10**15
    await post(owner, [TEN[0] | {"amount": -most}, TEN[1] | {"amount": most}])
    over = json.dumps([TEN[0] | {"amount": -most - 1}, TEN[1] | {"amount": most + 1}])
    await refused(owner, "entry_amount_fits_the_ledger", POST, "2", "USD", over, None)
    await post(owner, TEN * (ENTRIES_MAX // 2), name="3")
    many = json.dumps([*TEN * (ENTRIES_MAX // 2), *TEN])
    sentence = await refused(owner, "journal_has_at_most_200_entries", POST, "4", "USD", many, None)
    assert "has 202 entries, the limit is 200; split it" in sentence


async def test_a_balance_is_asked_for_completely(ledger: Database, owner: asyncpg.Connection) -> None:
    await post(owner)
    for arguments in ("NULL, 'USD', now()", "'student:s-1', NULL, now()", "'student:s-1', 'USD', NULL"):
        await refused(owner, "balance_is_asked_for_completely", f"SELECT balance_at({arguments})")
    known_by_nobody = "SELECT balance_at('student:s-1', 'USD', now(), NULL)"
    await refused(owner, "balance_is_asked_for_completely", known_by_nobody)
    assert await owner.fetchval("SELECT balance_at('student:s-1', 'USD', now())") == -10


@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_an_old_snapshot_posts_into_no_closed_period(
    ledger: Database, owner: asyncpg.Connection, second: asyncpg.Connection, isolation: str
) -> None:
    await post(owner, at="2026-05-10")
    before = second.transaction(isolation=isolation)
    await before.start()
    await second.fetchval("SELECT count(*) FROM journal")
    await owner.execute("SELECT close_period($1)", AUGUST)
    with pytest.raises(asyncpg.SerializationError):
        await post(second, name="2", at="2026-07-15")
    await before.rollback()
    async with second.transaction(isolation=isolation):
        await post(second, name="2", at="2026-07-15")
    assert await owner.fetchval("SELECT occurred_at FROM journal WHERE source = 'manual:2'") == AUGUST


async def test_of_two_who_close_at_once_the_second_sees_what_the_first_closed(
    ledger: Database, owner: asyncpg.Connection, second: asyncpg.Connection
) -> None:
    async with owner.transaction():
        await owner.execute("SELECT close_period($1)", JUNE)
        earlier = asyncio.create_task(second.execute("SELECT close_period($1)", MAY))
        await until_waiting(owner)
    with pytest.raises(asyncpg.CheckViolationError, match="closed until 2026-06-01"):
        await earlier
    await refused(owner, "periods_are_closed_in_order", "SELECT close_period($1)", JUNE)


async def test_who_closes_waits_a_few_seconds_and_lets_the_others_post(
    ledger: Database, owner: asyncpg.Connection, second: asyncpg.Connection
) -> None:
    async with second.transaction():
        await post(second)
        sentence = await refused(owner, "nobody_is_posting", "SELECT close_period($1)", JUNE)
        assert "nothing was closed, try again" in sentence
        await ask(ledger, requested("flight:F1:1", (("student:s-2", -5), ("external:bank", 5))))


async def test_a_period_ends_within_the_calendar(ledger: Database, owner: asyncpg.Connection) -> None:
    await refused(owner, "closed_period_is_within_the_calendar", "SELECT close_period('-infinity')")


@pytest.mark.parametrize(
    "then",
    [
        "SELECT place_hold('h', 'student:s-1', 1, 'USD', '2199-01-01')",
        "SELECT set_limit('student:s-1', 'USD', -100)",
        "SELECT set_monitor('m', 'student:s-1', 'USD', 'below', 0)",
    ],
)
async def test_who_acquires_a_wallet_waits_for_who_holds_its_balance_and_not_he_for_him(
    ledger: Database, owner: asyncpg.Connection, second: asyncpg.Connection, then: str
) -> None:
    await post(owner)
    wallet = await owner.fetchval("SELECT id FROM wallet WHERE address = 'student:s-1'")
    async with owner.transaction():
        await post(owner, name="2")
        acquiring = asyncio.create_task(second.execute("SELECT acquire_wallet_lock($1)", wallet))
        await until_waiting(owner)
        await owner.execute(then)
    await acquiring


async def test_an_acquired_wallet_is_not_opened_in_another_currency(
    ledger: Database, owner: asyncpg.Connection, second: asyncpg.Connection
) -> None:
    await post(owner)
    wallet = await owner.fetchval("SELECT id FROM wallet WHERE address = 'student:s-1'")
    async with owner.transaction():
        await owner.execute("SELECT acquire_wallet_lock($1)", wallet)
        opening = asyncio.create_task(post(second, name="2", currency="EUR"))
        await until_waiting(owner)
        assert not opening.done()
    await opening


async def test_a_revert_asked_again_by_hand_is_the_one_that_stands_whenever_it_is_dated(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await post(owner)
    once = await owner.fetchval("SELECT revert_journal('manual:1', 'why', '2026-05-01')")
    assert await owner.fetchval("SELECT revert_journal('manual:1', 'again', '2026-06-01')") == once
    assert await owner.fetchval(
        "SELECT post_journal_with_locks($1, 'x', '1', 'USD', $2)", uuid7(), json.dumps(TEN)
    )
