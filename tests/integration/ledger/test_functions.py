"""The documented database functions, for DBAs: on the same rules, balances and idempotency."""

import json
from uuid import UUID

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import uuid7
from tests.integration.ledger.books import FLIGHT, ask, balances, journals, only, requested

POST = "SELECT post_journal_with_locks($1, $2, $3, $4, $5)"


def legs(*pairs: tuple[str, int]) -> str:
    return json.dumps([{"wallet": wallet, "amount": amount} for wallet, amount in pairs or FLIGHT])


async def post(dba: asyncpg.Connection, entries: str, event_id: str = "1") -> UUID:
    posted: UUID = await dba.fetchval(POST, uuid7(), "manual", event_id, "USD", entries)
    return posted


@pytest.fixture
async def dba(owner: asyncpg.Connection) -> asyncpg.Connection:
    """A person at a console, with the ledger's own rights."""
    await owner.execute("SET ROLE hobbs_ledger")
    return owner


async def test_a_journal_by_hand_stands_like_any_other(ledger: Database, dba: asyncpg.Connection) -> None:
    await ask(ledger, requested("flight:F1:1"))
    journal_id = await post(dba, legs())
    assert await balances(ledger) == {wallet: 2 * amount for wallet, amount in FLIGHT}
    assert await journals(ledger) == ["flight:F1:1", "manual:1"]
    rows = await dba.fetch(
        "SELECT address, balance_after, version FROM ledger_public.entries WHERE journal_id = $1"
        " ORDER BY position",
        journal_id,
    )
    assert [tuple(row) for row in rows] == [(wallet, 2 * amount, 2) for wallet, amount in FLIGHT]


async def test_wallets_may_be_named_by_id_and_twice(ledger: Database, dba: asyncpg.Connection) -> None:
    await post(dba, legs())
    student = await dba.fetchval("SELECT id FROM wallet WHERE address = 'student:s-1'")
    entries = [
        {"wallet_id": student, "amount": -5},
        {"wallet": "student:s-1", "amount": -6},
        {"wallet": "platform:school", "amount": 11},
    ]
    await post(dba, json.dumps(entries), event_id="2")
    assert (await balances(ledger))["student:s-1"] == -111


async def test_a_wallet_that_is_there_is_not_opened_to_find_that_out(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    for number in range(5):
        await post(dba, legs(), event_id=str(number))
    await post(dba, legs(("student:new", -1), ("platform:school", 1)), event_id="new")
    numbers = await dba.fetch("SELECT id FROM wallet ORDER BY id")
    # Opening is of what is missing: no number was drawn for the school.
    assert [row["id"] for row in numbers] == [1, 2, 3, 4]


TUPLES_READ = """
    SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables
    WHERE relname IN ('wallet', 'balance', 'journal', 'late_journal')
"""


async def test_a_session_that_began_on_an_empty_ledger_reads_no_more_on_a_full_one(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    """The function's statements are planned once: the plan must be right for what is yet to come."""
    await post(dba, legs(), event_id="first")
    await dba.execute("RESET ROLE")
    await dba.execute("ANALYZE wallet, balance, journal, late_journal")
    await dba.execute("SET ROLE hobbs_ledger")
    await post(dba, legs(), event_id="second")
    others = [f"student:other-{number}" for number in range(2_000)]
    await dba.execute("SELECT open_balances($1, array_fill('USD'::text, array[2000]))", others)
    async with dba.transaction():
        before = await dba.fetchval(TUPLES_READ)
        await post(dba, legs(), event_id="later")
        assert 0 < await dba.fetchval(TUPLES_READ) - before < 100


async def test_the_same_journal_again_is_the_one_that_stands(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    first = await post(dba, legs())
    assert await post(dba, legs(*reversed(FLIGHT))) == first
    assert await balances(ledger) == dict(FLIGHT)


async def test_other_content_for_the_same_event_is_refused(ledger: Database, dba: asyncpg.Connection) -> None:
    await post(dba, legs())
    with pytest.raises(asyncpg.CheckViolationError, match="already posted with other content") as caught:
        await post(dba, legs(("student:s-1", -1), ("platform:school", 1)))
    assert caught.value.constraint_name == "journal_repeats_with_the_same_content"
    assert await balances(ledger) == dict(FLIGHT)


async def test_a_journal_posted_by_hand_is_recognised_when_it_is_requested(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    event = requested("manual:F1:1", event_type="manual")
    at = "2026-05-22T12:00:00Z"
    journal_id = await dba.fetchval(
        "SELECT post_journal_with_locks($1, 'manual', 'F1:1', 'USD', $2, $3::text::timestamptz)",
        uuid7(),
        legs(),
        at,
    )
    [told] = await ask(ledger, event)
    assert told.body["journal_id"] == str(journal_id)
    assert await balances(ledger) == dict(FLIGHT)


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ("[]", "journal_has_entries"),
        (legs(("student:s-1", 5)), "journal_has_entries"),
        (legs(("student:s-1", -5), ("platform:school", 6)), "journal_sums_to_zero"),
        (legs(("student:s-1", 0), ("platform:school", 0)), "entry_amount_is_not_zero"),
        (legs(("pilot:s-1", -5), ("platform:school", 5)), "wallet_kind_is_known"),
        (
            '[{"wallet_id": 99, "amount": -5}, {"wallet": "platform:school", "amount": 5}]',
            "entry_is_complete",
        ),
        ('[{"wallet": "student:s-1"}, {"wallet": "platform:school", "amount": 5}]', "entry_is_complete"),
    ],
)
async def test_a_journal_by_hand_keeps_the_same_rules(
    ledger: Database, dba: asyncpg.Connection, entries: str, rule: str
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await post(dba, entries)
    assert caught.value.constraint_name == rule
    assert await journals(ledger) == []


async def test_what_is_posted_by_hand_can_be_told_as_an_event(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    """A memo no event may carry would stop the worker at the first request that repeats the journal."""
    statement = "SELECT post_journal_with_locks($1, 'manual', '1', 'USD', $2, now(), repeat('m', $3))"
    with pytest.raises(asyncpg.CheckViolationError, match="journal_memo_is_short"):
        await dba.execute(statement, uuid7(), legs(), 2001)
    await dba.execute(statement, uuid7(), legs(), 2000)


async def almost_all_there_is(dba: asyncpg.Connection) -> None:
    """The student owes, and the school has, nearly as much as a balance can hold."""
    most = 10**15
    entries = legs(*[("student:s-1", -most), ("platform:school", most)] * 100)
    for number in range(92):
        await post(dba, entries, event_id=f"most-{number}")
    rest = 2**63 - 1 - 92 * 100 * most
    pairs = [("student:s-1", -most), ("platform:school", most)] * (rest // most)
    await post(
        dba, legs(*pairs, ("student:s-1", -(rest % most)), ("platform:school", rest % most)), event_id="rest"
    )


async def test_balances_by_hand_fit_64_bits(ledger: Database, dba: asyncpg.Connection) -> None:
    await almost_all_there_is(dba)
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await post(dba, legs(("student:s-1", -1), ("platform:school", 1)), event_id="2")
    assert (await balances(ledger))["platform:school"] == 2**63 - 1


async def test_the_worker_refuses_what_no_longer_fits_a_balance_set_by_hand(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    await almost_all_there_is(dba)
    told = await ask(
        ledger,
        requested("flight:F1:1"),
        requested("flight:F2:1", (("student:s-2", -1), ("external:bank", 1))),
    )
    assert only(told, "journal.refused").body["reason"] == "balance_too_large"
    assert only(told, "journal.posted").body["source"] == "flight:F2:1"


async def test_totals_add_up_each_kind_of_wallet(ledger: Database, dba: asyncpg.Connection) -> None:
    await ask(
        ledger,
        requested("flight:F1:1"),
        requested("flight:F2:1", (("student:s-2", -50), ("liability:tax", 20), ("instructor:i-2", 30))),
    )
    totals = await dba.fetchrow(
        "SELECT get_total_student_balances(), get_total_instructor_balances(), get_total_liability_balances()"
    )
    assert tuple(totals) == (-150, 90, 20)


async def test_a_total_over_several_currencies_must_name_one(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    assert await dba.fetchval("SELECT get_total_student_balances()") == 0
    await ask(ledger, requested("flight:F1:1"), requested("flight:F2:1", currency="EUR"))
    with pytest.raises(asyncpg.CardinalityViolationError, match="student balances are in EUR, USD"):
        await dba.fetchval("SELECT get_total_student_balances()")
    assert await dba.fetchval("SELECT get_total_student_balances('EUR')") == -100


async def test_a_wallet_that_does_not_exist_cannot_be_locked(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    with pytest.raises(asyncpg.NoDataFoundError, match="wallet 99 does not exist"):
        await dba.execute("SELECT acquire_wallet_lock(99)")


async def test_python_and_the_database_hash_the_same_content(
    ledger: Database, dba: asyncpg.Connection
) -> None:
    """Also of names that sort differently by locale; the fixture's invariants compare every hash."""
    names = ("student:Zoë", "student:a b", "student:_", "student:Ä", "student:10", "student:9")
    await ask(ledger, requested(legs=[*((name, -1) for name in names), ("platform:school", len(names))]))
    assert await journals(ledger) == ["flight:F1:1"]
