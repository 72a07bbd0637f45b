"""What each role may do: the worker posts and cannot tamper, readers read the views, others see nothing."""

import asyncpg
import pytest

from fleet.database import Database
from services.ledger.desk.reads.statements import BACKWARDS, ONWARDS
from tests.integration.ledger.books import ask, requested


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET memo = 'other'",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "UPDATE balance SET amount = 0",
        "INSERT INTO balance (wallet_id, currency) VALUES (1, 'EUR')",
        "INSERT INTO wallet (address) VALUES ('student:x')",
        "SELECT FROM balance FOR UPDATE",
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "INSERT INTO journal (source, event_type, occurred_at, entry_count, content_hash, recorded_at)"
        " VALUES ('s', 't', now(), 2, sha256(''), '2020-01-01')",
        "INSERT INTO journal (source, event_type, occurred_at, entry_count, content_hash, recorded_by)"
        " VALUES ('s', 't', now(), 2, sha256(''), 'somebody else')",
        "SELECT refuse('a', 'b')",
        "CREATE TABLE mine ()",
    ],
)
async def test_the_worker_may_add_to_the_books_and_nothing_else(
    ledger: Database, owner: asyncpg.Connection, statement: str
) -> None:
    await ask(ledger, requested())
    await owner.execute("SET SESSION AUTHORIZATION hobbs_ledger")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(statement)


@pytest.mark.parametrize("view", ["wallets", "journals", "entries", "holds"])
async def test_readers_see_the_published_views(
    ledger: Database, owner: asyncpg.Connection, view: str
) -> None:
    await ask(ledger, requested())
    await owner.execute("SELECT place_hold('h', 'student:s-1', 1, 'USD', now() + interval '1 day')")
    await owner.execute("SET ROLE hobbs_reader")
    assert len(await owner.fetch(f"TABLE ledger_public.{view}")) > 0


@pytest.mark.parametrize("role", ["hobbs_reader", "hobbs_payouts", "hobbs_billing"])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM ledger.entry",
        "SELECT ledger.get_total_student_balances()",
        "SELECT ledger.post_journal_with_locks(uuidv7(), 'a', 'b', 'USD', '[]')",
        "DELETE FROM ledger_public.journals",
    ],
)
async def test_no_other_service_reaches_into_the_ledger(
    ledger: Database, owner: asyncpg.Connection, role: str, statement: str
) -> None:
    await owner.execute("SELECT set_config('role', $1, false)", role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(statement)


async def test_a_session_may_not_slip_its_own_tables_under_the_functions(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """The functions run with the owner's rights, so their search_path must not be the caller's."""
    rows = await owner.fetch(
        "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace AND prosecdef"
    )
    assert len(rows) >= 6
    assert all("search_path=ledger, pg_temp" in (row["proconfig"] or []) for row in rows)


@pytest.mark.parametrize(
    ("statement", "scan"),
    [
        (BACKWARDS, "Index Scan Backward using entry_version_is_taken_once"),
        (ONWARDS, "Index Scan using entry_version_is_taken_once"),
    ],
)
async def test_a_statement_page_is_one_index_range(
    ledger: Database, owner: asyncpg.Connection, statement: str, scan: str
) -> None:
    for batch in range(4):
        await ask(ledger, *(requested(f"flight:{batch}-{n}:1") for n in range(500)))
    await owner.execute("ANALYZE")
    query = (
        statement.replace(":wallet", "'platform:school'")
        .replace(":currency", "'USD'")
        .replace(":before", "1000")
        .replace(":after", "500")
        .replace(":most", "20")
    )
    plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {query}"))
    assert scan in plan
    assert not {"Sort", "WindowAgg"} & set(plan.replace(":", " ").split())
