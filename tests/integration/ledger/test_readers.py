"""Row-level security: each role sees its own wallet and no other, and the policy costs once per statement."""

import asyncpg
import pytest

from fleet.database import Database
from tests.integration.ledger.books import ask, requested

BOTH = (
    ("student:s-1", -100),
    ("student:s-2", -50),
    ("instructor:i-1", 60),
    ("aircraft_owner:o-1", 30),
    ("platform:school", 60),
)
ROLES = [
    ("hobbs_student", "student:s-1", -100),
    ("hobbs_instructor", "instructor:i-1", 60),
    ("hobbs_aircraft_owner", "aircraft_owner:o-1", 30),
]
EACH_ROLE = pytest.mark.parametrize(("role", "actor", "amount"), ROLES)


@pytest.fixture
async def reader(ledger: Database, owner: asyncpg.Connection) -> asyncpg.Connection:
    """Two flights and a hold on each wallet; the connection becomes a reader by `become`."""
    await ask(ledger, requested("flight:F1:1", BOTH), requested("flight:F2:1", BOTH))
    for wallet, _ in BOTH:
        await owner.execute("SELECT place_hold('h ' || $1, $1, 5, 'USD', now() + interval '1 day')", wallet)
    return owner


async def become(connection: asyncpg.Connection, role: str, actor: str | None) -> None:
    await connection.execute("SELECT set_config('app.actor', $1, false)", actor or "")
    await connection.execute("SELECT set_config('role', $1, false)", role)


@EACH_ROLE
async def test_a_holder_sees_the_own_wallet_and_no_other(
    reader: asyncpg.Connection, role: str, actor: str, amount: int
) -> None:
    await become(reader, role, actor)
    [balance] = await reader.fetch("TABLE ledger_public.my_balances")
    assert (balance["address"], balance["balance"], balance["available"]) == (
        actor,
        2 * amount,
        2 * amount - 5,
    )
    lines = await reader.fetch("SELECT * FROM ledger_public.my_entries ORDER BY version")
    assert [(line["address"], line["amount"], line["source"]) for line in lines] == [
        (actor, amount, "flight:F1:1"),
        (actor, amount, "flight:F2:1"),
    ]
    [held] = await reader.fetch("TABLE ledger_public.my_holds")
    assert held["hold"] == f"h {actor}"
    assert await reader.fetchval("SELECT count(DISTINCT wallet_id) FROM ledger.entry") == 1


@EACH_ROLE
@pytest.mark.parametrize("someone", [None, "platform:school", "external:bank", "student:nobody"])
async def test_a_holder_who_is_nobody_or_of_another_kind_sees_nothing(
    reader: asyncpg.Connection, role: str, actor: str, amount: int, someone: str | None
) -> None:
    await become(reader, role, someone)
    for view in ("my_balances", "my_entries", "my_holds"):
        assert await reader.fetch(f"TABLE ledger_public.{view}") == []
    others = [address for other, address, _ in ROLES if other != role]
    for address in others:
        await reader.execute("SELECT set_config('app.actor', $1, false)", address)
        assert await reader.fetch("TABLE ledger_public.my_balances") == []


async def test_a_journal_nobody_of_mine_is_in_is_not_shown(
    ledger: Database, reader: asyncpg.Connection
) -> None:
    await ask(ledger, requested("flight:F3:1", (("student:s-2", -1), ("platform:school", 1))))
    await become(reader, "hobbs_student", "student:s-1")
    sources = await reader.fetch("SELECT source FROM ledger.journal ORDER BY source")
    assert [row["source"] for row in sources] == ["flight:F1:1", "flight:F2:1"]


async def test_finance_sees_everything_and_changes_nothing(reader: asyncpg.Connection) -> None:
    await become(reader, "hobbs_finance", None)
    assert len(await reader.fetch("TABLE ledger_public.my_balances")) == 5
    assert len(await reader.fetch("TABLE ledger_public.my_entries")) == 10
    assert len(await reader.fetch("TABLE ledger_public.my_holds")) == 5
    assert len(await reader.fetch("TABLE ledger_public.wallets")) == 5
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("SELECT ledger.set_limit('student:s-1', 'USD', 0)")


@pytest.mark.parametrize(
    "role", ["hobbs_student", "hobbs_instructor", "hobbs_aircraft_owner", "hobbs_finance"]
)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger.entry SELECT * FROM ledger.entry",
        "UPDATE ledger.balance SET amount = 0",
        "SELECT content_hash FROM ledger.journal",
        "SELECT ledger.place_hold('x', 'student:s-1', 1, 'USD', 'infinity')",
        "TABLE ledger.outbox",
    ],
)
async def test_a_reader_only_reads(reader: asyncpg.Connection, role: str, statement: str) -> None:
    await become(reader, role, "student:s-1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(statement)


@pytest.mark.parametrize("role", ["hobbs_student", "hobbs_instructor", "hobbs_aircraft_owner"])
async def test_only_finance_reads_the_views_that_show_everybody(
    reader: asyncpg.Connection, role: str
) -> None:
    await become(reader, role, "student:s-1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("TABLE ledger_public.wallets")


@EACH_ROLE
@pytest.mark.parametrize("view", ["my_balances", "my_entries", "my_holds"])
async def test_the_policy_reads_the_actor_once_per_statement(
    ledger: Database, reader: asyncpg.Connection, role: str, actor: str, amount: int, view: str
) -> None:
    """In a row's filter it would stand in a Filter or an Index Cond; in an init plan it runs once."""
    await ask(ledger, *(requested(f"flight:G{n}:1", BOTH) for n in range(200)))
    await reader.execute("ANALYZE")
    await become(reader, role, actor)
    plan = [row[0] for row in await reader.fetch(f"EXPLAIN (ANALYZE, VERBOSE) TABLE ledger_public.{view}")]
    reads = [line for line in plan if "current_setting" in line]
    assert reads
    assert all(line.strip().startswith("Output:") for line in reads), "\n".join(plan)
    for number, line in enumerate(plan):
        if "current_setting" in line:
            assert "InitPlan" in plan[number - 2], "\n".join(plan)
            assert "loops=1)" in plan[number - 1], "\n".join(plan)
