"""The ledger shows rights that nobody's code gave, and logins that came and went."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from fleet.database import Database
from services.ledger import metrics
from services.ledger.handlers import look_at_roles

LAST = "SELECT may_act_as, at_first FROM ledger.login_seen WHERE login = $1 ORDER BY id"


@pytest.fixture
async def stranger(owner: asyncpg.Connection) -> AsyncIterator[str]:
    name = f"stranger_{secrets.token_hex(4)}"
    yield name
    await owner.execute(f"DROP ROLE IF EXISTS {name}")


async def test_a_right_that_the_owner_gave_is_shown_until_it_is_taken_back(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await look_at_roles(ledger)
    before = metrics.RIGHTS_BEYOND._value.get()
    await owner.execute("GRANT SELECT ON payouts.payee TO hobbs_gateway")
    await look_at_roles(ledger)
    assert metrics.RIGHTS_BEYOND._value.get() == before + 1
    await owner.execute("REVOKE SELECT ON payouts.payee FROM hobbs_gateway")
    await look_at_roles(ledger)
    assert metrics.RIGHTS_BEYOND._value.get() == before


async def test_a_login_that_the_owner_made_is_shown_with_what_it_may_act_as(
    ledger: Database, owner: asyncpg.Connection, stranger: str
) -> None:
    await look_at_roles(ledger)
    assert metrics.LOGINS_CHANGED._value.get() == 0, "the first look knows nothing of before"
    database = await owner.fetchval("SELECT quote_ident(current_database())")
    await owner.execute(f"CREATE ROLE {stranger} LOGIN; GRANT CONNECT ON DATABASE {database} TO {stranger}")
    await owner.execute(f"GRANT hobbs_operator TO {stranger}")
    await look_at_roles(ledger)
    await look_at_roles(ledger)
    [seen] = await owner.fetch(LAST, stranger)
    assert {"hobbs_ledger", "hobbs_operator"} <= set(seen["may_act_as"].split(", "))
    assert metrics.LOGINS_CHANGED._value.get() >= 1
    assert metrics.RIGHTS_BEYOND._value.get() >= 1, "it may act as any service"
    await owner.execute(f"REVOKE CONNECT ON DATABASE {database} FROM {stranger}; DROP ROLE {stranger}")
    await look_at_roles(ledger)
    assert [row["may_act_as"] for row in await owner.fetch(LAST, stranger)][-1] is None
