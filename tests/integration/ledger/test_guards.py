"""What the database itself refuses, to the tables' owner too."""

from typing import Any

import asyncpg
import pytest

from fleet.database import Database
from tests.integration.ledger.books import ask, requested
from tests.support.invariants import broken_invariants

PAIR = """
    WITH j AS (
        INSERT INTO journal (id, source, event_type, occurred_at, entry_count, content_hash)
        VALUES ('00000000-0000-7000-8000-000000000001', 'by:hand', 'by', now(), {count}, sha256('by hand'))
    )
    INSERT INTO entry (journal_id, position, wallet_id, currency, amount, balance_after, version)
    VALUES {lines}
"""


KEEP = """
    CREATE TABLE kept_entry AS TABLE entry;
    CREATE TABLE kept_journal AS TABLE journal;
    CREATE TABLE kept_balance AS TABLE balance;
    ALTER TABLE entry DISABLE TRIGGER USER;
    ALTER TABLE journal DISABLE TRIGGER USER;
    ALTER TABLE balance DISABLE TRIGGER USER;
"""

PUT_BACK = """
    DELETE FROM entry;
    DELETE FROM journal;
    DELETE FROM balance;
    INSERT INTO entry TABLE kept_entry;
    INSERT INTO journal TABLE kept_journal;
    INSERT INTO balance TABLE kept_balance;
"""


def insert(*lines: str, count: int = 2) -> str:
    """One statement for journal ...001; a line is (position, wallet, currency, amount, balance, version)."""
    rows = ", ".join(f"('00000000-0000-7000-8000-000000000001', {line})" for line in lines)
    return PAIR.format(count=count, lines=rows)


async def refused(owner: asyncpg.Connection, statement: str, *args: Any) -> str:
    """The rule a statement breaks."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await owner.execute(statement, *args)
    return str(caught.value.constraint_name)


@pytest.fixture
async def wallets(ledger: Database, owner: asyncpg.Connection) -> tuple[int, int]:
    """A student at -100 and the platform at 100, both at version 1."""
    await ask(ledger, requested(legs=(("student:s-1", -100), ("platform:school", 100))))
    found = {row["address"]: row["id"] for row in await owner.fetch("SELECT address, id FROM wallet")}
    return found["student:s-1"], found["platform:school"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET memo = 'other'",
        "UPDATE journal SET memo = 'other' WHERE false",
        "UPDATE entry SET amount = 1",
        "UPDATE wallet SET address = 'student:other'",
        "DELETE FROM journal",
        "DELETE FROM entry",
        "DELETE FROM wallet",
        "DELETE FROM balance",
        "TRUNCATE journal",
        "TRUNCATE entry",
        "TRUNCATE balance",
        "TRUNCATE wallet CASCADE",
        "INSERT INTO wallet (address) VALUES ('student:a') ON CONFLICT (address) DO UPDATE SET address = ''",
        "MERGE INTO entry USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
    ],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_nobody_changes_or_removes_what_was_written(
    owner: asyncpg.Connection, wallets: tuple[int, int], statement: str, role: str
) -> None:
    await owner.execute(f"SET session_replication_role = {role}")
    assert (await refused(owner, statement)).endswith("_is_append_only")


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE balance SET amount = amount + 1", "balance_follows_entries"),
        ("UPDATE balance SET version = 9", "balance_follows_entries"),
        ("INSERT INTO balance VALUES ((SELECT min(id) FROM wallet), 'EUR', 1, 0)", "balance_starts_at_zero"),
        ("INSERT INTO balance VALUES ((SELECT min(id) FROM wallet), 'EUR', 0, 1)", "balance_starts_at_zero"),
        (
            "INSERT INTO balance VALUES ((SELECT min(id) FROM wallet), 'eur', 0, 0)",
            "balance_currency_is_three_capital_letters",
        ),
        ("INSERT INTO wallet (address) VALUES ('pilot:s-1')", "wallet_kind_is_known"),
        ("INSERT INTO wallet (address) VALUES ('student:')", "wallet_address_names_a_holder"),
        ("INSERT INTO wallet (address) VALUES (E'student:a\\nb')", "wallet_address_names_a_holder"),
        ("INSERT INTO wallet (address) VALUES ('student:s-1')", "wallet_address_is_unique"),
    ],
)
async def test_a_wallet_and_its_balance_only_do_what_entries_make_them_do(
    owner: asyncpg.Connection, wallets: tuple[int, int], statement: str, rule: str
) -> None:
    assert await refused(owner, statement) == rule


async def test_a_journal_by_hand_that_keeps_every_rule_is_taken(
    owner: asyncpg.Connection, wallets: tuple[int, int]
) -> None:
    """Shows that the refusals below are about what they say; rolled back, for its hash is made up."""
    student, platform = wallets
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(insert(f"1, {student}, 'USD', -5, -105, 2", f"2, {platform}, 'USD', 5, 105, 2"))
    assert await owner.fetchval("SELECT amount FROM balance WHERE wallet_id = $1", student) == -105
    await transaction.rollback()


@pytest.mark.parametrize(
    ("student", "platform", "rule"),
    [
        ("1, {}, 'USD', -5, -105, 2", "2, {}, 'USD', 6, 106, 2", "journal_sums_to_zero"),
        ("1, {}, 'USD', 0, -100, 2", "2, {}, 'USD', 0, 100, 2", "entry_amount_is_not_zero"),
        ("1, {}, 'USD', -5, -104, 2", "2, {}, 'USD', 5, 105, 2", "entries_continue_their_wallets_balance"),
        ("1, {}, 'USD', -5, -105, 3", "2, {}, 'USD', 5, 105, 2", "entries_continue_their_wallets_balance"),
        ("1, {}, 'USD', -5, -105, 1", "2, {}, 'USD', 5, 105, 2", "entry_version_is_taken_once"),
        ("1, {}, 'EUR', -5, -5, 1", "2, {}, 'EUR', 5, 5, 1", "entries_continue_their_wallets_balance"),
        ("1, {}, 'USD', -5, -105, 2", "3, {}, 'USD', 5, 105, 2", "journal_and_entries_arrive_together"),
        ("0, {}, 'USD', -5, -105, 2", "2, {}, 'USD', 5, 105, 2", "entry_position_starts_at_one"),
        ("1, {}, 'USD', -5, -105, 2", "2, -{}, 'USD', 5, 5, 1", "entries_continue_their_wallets_balance"),
    ],
)
async def test_entries_that_break_a_rule_are_refused(
    owner: asyncpg.Connection, wallets: tuple[int, int], student: str, platform: str, rule: str
) -> None:
    statement = insert(student.format(wallets[0]), platform.format(wallets[1]))
    assert await refused(owner, statement) == rule


async def test_a_journal_balances_in_each_currency(
    owner: asyncpg.Connection, wallets: tuple[int, int]
) -> None:
    student, platform = wallets
    await owner.execute("INSERT INTO balance (wallet_id, currency) VALUES ($1, 'EUR')", platform)
    statement = insert(f"1, {student}, 'USD', -5, -105, 2", f"2, {platform}, 'EUR', 5, 5, 1")
    assert await refused(owner, statement) == "journal_sums_to_zero"


@pytest.mark.parametrize("after", [(-999, -110, -115), (-105, -999, -115), (-105, -110, -999)])
async def test_running_balances_inside_one_statement_must_be_unbroken(
    owner: asyncpg.Connection, wallets: tuple[int, int], after: tuple[int, int, int]
) -> None:
    student, platform = wallets
    lines = (
        f"1, {student}, 'USD', -5, {after[0]}, 2",
        f"2, {student}, 'USD', -5, {after[1]}, 3",
        f"3, {student}, 'USD', -5, {after[2]}, 4",
        f"4, {platform}, 'USD', 15, 115, 2",
    )
    assert await refused(owner, insert(*lines, count=4)) == "entries_continue_their_wallets_balance"


@pytest.mark.parametrize("instants", [("now()", "now() - interval '1 s'"), ("now() + interval '1 s'",) * 2])
@pytest.mark.parametrize("column", ["occurred_at", "recorded_at"])
async def test_entries_have_the_instants_of_their_journal(
    owner: asyncpg.Connection, wallets: tuple[int, int], column: str, instants: tuple[str, str]
) -> None:
    student, platform = wallets
    statement = insert(
        f"1, {student}, 'USD', -5, -105, 2, {instants[0]}", f"2, {platform}, 'USD', 5, 105, 2, {instants[1]}"
    ).replace("balance_after, version)", f"balance_after, version, {column})")
    assert await refused(owner, statement) == "entries_have_their_journals_instants"


@pytest.mark.parametrize("count", [1, 3])
async def test_a_journal_announces_how_many_entries_it_has(
    owner: asyncpg.Connection, wallets: tuple[int, int], count: int
) -> None:
    student, platform = wallets
    lines = (f"1, {student}, 'USD', -5, -105, 2", f"2, {platform}, 'USD', 5, 105, 2")
    assert await refused(owner, insert(*lines, count=count)) in {
        "journal_has_entries",
        "journal_and_entries_arrive_together",
    }


async def test_a_journal_without_entries_is_impossible(owner: asyncpg.Connection) -> None:
    statement = """
        INSERT INTO journal (source, event_type, occurred_at, entry_count, content_hash)
        VALUES ('empty', 'by', now(), 2, sha256('empty'))
    """
    assert await refused(owner, statement) == "journal_has_entries"


async def test_nobody_adds_to_a_journal_that_stands(
    owner: asyncpg.Connection, wallets: tuple[int, int]
) -> None:
    student, platform = wallets
    journal = await owner.fetchval("SELECT id FROM journal")
    add = """
        INSERT INTO entry (journal_id, position, wallet_id, currency, amount, balance_after, version)
        VALUES ($1, {0}, {student}, 'USD', -5, -105, 2), ($1, {1}, {platform}, 'USD', 5, 105, 2)
    """
    again = add.format(1, 2, student=student, platform=platform)
    more = add.format(3, 4, student=student, platform=platform)
    assert await refused(owner, again, journal) == "entry_position_is_taken_once"
    assert await refused(owner, more, journal) == "journal_and_entries_arrive_together"


async def test_entries_without_a_journal_are_refused(
    owner: asyncpg.Connection, wallets: tuple[int, int]
) -> None:
    student, platform = wallets
    statement = insert(f"1, {student}, 'USD', -5, -105, 2", f"2, {platform}, 'USD', 5, 105, 2")
    orphans = statement[statement.index("INSERT INTO entry") :]
    assert await refused(owner, orphans) == "journal_and_entries_arrive_together"


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE entry SET amount = amount - 1 WHERE amount < 0", "journals_sum_to_zero"),
        ("UPDATE entry SET amount = amount * 2", "journals_match_their_hash"),
        ("UPDATE entry SET balance_after = 7 WHERE amount < 0", "running_balances_are_unbroken"),
        ("UPDATE balance SET amount = amount + 1 WHERE amount > 0", "balances_equal_their_entries"),
        ("UPDATE balance SET amount = amount + 1 WHERE amount > 0", "currencies_sum_to_zero"),
        ("DELETE FROM entry", "journals_have_their_entries"),
        ("UPDATE journal SET occurred_at = now()", "journals_match_their_hash"),
        ("UPDATE entry SET occurred_at = now()", "entries_have_their_journals_instants"),
        ("UPDATE entry SET recorded_at = now()", "entries_have_their_journals_instants"),
    ],
)
async def test_the_invariants_find_what_a_superuser_changed(
    ledger: Database, owner: asyncpg.Connection, wallets: tuple[int, int], statement: str, broken: str
) -> None:
    await owner.execute(KEEP)
    await owner.execute(statement)
    assert broken in await broken_invariants(ledger)
    await owner.execute(PUT_BACK)
