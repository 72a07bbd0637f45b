"""`hobbs check`: silent on books that are right, exit 1 and the guilty rows on books that are not."""

import json

from fleet.database import Database
from fleet.invariants import ask_all, parse
from schemas.services import SERVICES
from tests.conftest import OpenDatabase
from tests.integration.ops.conftest import Hobbs

ONE_ASKS_NOWHERE = """
-- name: asks_nowhere
-- Never.
SELECT 1 FROM no_such_table;
-- name: fine
-- Fine.
SELECT 1 WHERE false;
"""


async def test_books_that_are_right_have_nothing_to_report(hobbs: Hobbs) -> None:
    result = await hobbs("check", "-o", "json")
    rows = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, f"all {len(rows)} invariants hold\n")
    assert {row["state"] for row in rows} == {"holds"}
    assert set(SERVICES) <= {row["service"] for row in rows}


async def test_a_balance_that_is_not_its_entries_is_found_and_shown(hobbs: Hobbs, owner: Database) -> None:
    await spoil_a_balance(owner)
    result = await hobbs("check")
    assert result.exit_code == 1
    assert "BROKEN" in result.stdout
    assert "balances_equal_their_entries: 1 of 1 rows" in result.stdout
    broken = json.loads((await hobbs("check", "--service", "ledger", "-o", "json")).stdout)
    row = next(row for row in broken if row["invariant"] == "balances_equal_their_entries")
    assert row["examples"][0]["balance"] == 500


async def test_other_services_can_be_left_out(hobbs: Hobbs, owner: Database) -> None:
    await spoil_a_balance(owner)
    assert (await hobbs("check", "--service", "billing")).exit_code == 0


async def test_an_unknown_service_is_a_usage_error(hobbs: Hobbs) -> None:
    assert (await hobbs("check", "--service", "leger")).exit_code == 2


async def test_an_invariant_that_cannot_be_asked_is_no_comfort(open_db: OpenDatabase) -> None:
    nowhere, fine = await ask_all(open_db("ledger"), list(parse("ledger", ONE_ASKS_NOWHERE)))
    assert (nowhere.holds, fine.holds) == (False, True)
    assert nowhere.failure == 'could not be asked: relation "no_such_table" does not exist'


async def test_a_check_cannot_write(open_db: OpenDatabase) -> None:
    file = "-- name: writes\n-- Never.\nDELETE FROM timer RETURNING name"
    (outcome,) = await ask_all(open_db("ledger"), list(parse("ledger", file)))
    assert "read-only transaction" in (outcome.failure or "")


async def spoil_a_balance(owner: Database) -> None:
    """Do what the database refuses; a broken disk, or an owner at a prompt, does not ask it."""
    async with owner.transaction() as tx:
        await tx.execute("ALTER TABLE balance DISABLE TRIGGER USER")
        wallet = await tx.one(SPOILED_WALLET)
        await tx.execute(SPOILED_BALANCE, wallet=wallet.id)
        await tx.execute("ALTER TABLE balance ENABLE TRIGGER USER")


SPOILED_WALLET = "INSERT INTO wallet (address) VALUES ('student:student-01') RETURNING id"
SPOILED_BALANCE = "INSERT INTO balance (wallet_id, currency, amount, version) VALUES (:wallet, 'USD', 500, 1)"
