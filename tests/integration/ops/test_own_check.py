"""A service asks its own invariants: every process shows what was found, also after a restart."""

import pytest
from prometheus_client import REGISTRY

from fleet.database import Database
from fleet.own_check import NotAsked, OwnCheck
from tests.conftest import OpenDatabase
from tests.integration.ops.test_check import spoil_a_balance

BROKEN = "balances_equal_their_entries"


def shown(name: str = BROKEN) -> float | None:
    return REGISTRY.get_sample_value("fleet_invariants_broken", {"service": "ledger", "invariant": name})


def age() -> float:
    value = REGISTRY.get_sample_value("fleet_check_age_seconds", {"service": "ledger"})
    assert value is not None
    return value


def a_process(open_db: OpenDatabase) -> OwnCheck:
    return OwnCheck(open_db("ledger"), "ledger", every_s=3_600, lease_s=300)


async def test_a_broken_invariant_is_shown_by_every_process_until_it_holds_again(
    owner: Database, open_db: OpenDatabase
) -> None:
    check, another = a_process(open_db), a_process(open_db)
    await spoil_a_balance(owner)
    await check.ask()
    await owner_runs(owner, "UPDATE invariant_outcome SET asked_at = now() - interval '1 hour'")
    assert shown() == 1
    await owner_runs(owner, "UPDATE invariant_outcome SET rows = 7 WHERE broken_since IS NOT NULL")
    await another.show()
    assert (shown(), age() > 3_500) == (7, True)
    await owner_runs(owner, "ALTER TABLE balance DISABLE TRIGGER USER")
    await owner_runs(owner, "DELETE FROM balance")
    await another.ask()
    assert (shown(), age() < 60, await broken_since(owner)) == (0, True, None)


async def test_it_is_asked_when_it_is_time_and_by_one_process(owner: Database, open_db: OpenDatabase) -> None:
    check, another = a_process(open_db), a_process(open_db)
    await check.declare()
    assert not await check.step()  # a new database is asked after five minutes
    await owner_runs(owner, "UPDATE timer SET due_at = now() WHERE name = 'own_check'")
    assert [await check.step(), await another.step()] == [True, False]
    assert age() < 60


async def test_what_cannot_be_asked_keeps_its_outcome_grows_old_and_fails_the_loop(
    owner: Database, open_db: OpenDatabase
) -> None:
    check = a_process(open_db)
    await spoil_a_balance(owner)
    await check.ask()
    await owner_runs(owner, "UPDATE invariant_outcome SET asked_at = now() - interval '4 hours'")
    await owner_runs(owner, "ALTER TABLE balance RENAME TO balance_elsewhere")
    with pytest.raises(NotAsked, match=f"{BROKEN} could not be asked: relation .* does not exist"):
        await check.ask()
    assert (shown(), age() > 3 * 3_600) == (1, True)
    assert shown("outbox_rows_reach_their_topic") == 0


async def owner_runs(owner: Database, sql: str) -> None:
    async with owner.transaction() as tx:
        await tx.execute(sql)


async def broken_since(owner: Database) -> object:
    async with owner.transaction() as tx:
        row = await tx.one("SELECT broken_since FROM invariant_outcome WHERE name = :name", name=BROKEN)
    return row.broken_since
