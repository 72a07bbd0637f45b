"""Each role has exactly what the code says: every deviation that somebody plants is named and taken back."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from fleet.database import Database
from fleet.excess import excess_rights
from fleet.grants import wanted_grants
from fleet.migrate import migrate
from fleet.revisions import migrated, services
from tests.integration.ops.conftest import Hobbs
from tests.support.databases import PASSWORDS, service_url

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def beyond(url: str) -> dict[str, str]:
    """Sentence -> statement of what the operator's login sees."""
    database = Database(service_url(url, "operator"), schema="public", pool_size=1)
    try:
        async with database.transaction() as tx:
            return {one.sentence: one.statement for one in await excess_rights(tx, migrated())}
    finally:
        await database.close()


async def test_a_fresh_database_has_exactly_what_is_wanted(database_url: str) -> None:
    assert await beyond(database_url) == {}


# What is planted, what is said of it, and what takes it away where `hobbs migrate` cannot.
PLANTED = [
    ("GRANT SELECT (wallet) ON payouts.payee TO hobbs_gateway", "hobbs_gateway may SELECT (wallet) ON TABLE"),
    ("GRANT SELECT ON payouts.payee TO hobbs_gateway", "hobbs_gateway may SELECT ON TABLE payouts.payee"),
    (
        "GRANT SELECT ON payouts_public.payees TO hobbs_gateway",
        "hobbs_gateway may SELECT ON TABLE payouts_pub",
    ),
    (
        "GRANT USAGE ON SCHEMA payouts_public TO hobbs_gateway",
        "hobbs_gateway may USAGE ON SCHEMA payouts_pub",
    ),
    (
        "GRANT UPDATE ON payouts.transfer TO hobbs_payouts",
        "hobbs_payouts may UPDATE ON TABLE payouts.transfer",
    ),
    (
        "GRANT UPDATE (wallet) ON payouts.transfer TO hobbs_payouts",
        "hobbs_payouts may UPDATE (wallet) ON TABLE",
    ),
    ("GRANT TRIGGER ON ledger.entry TO hobbs_ledger", "hobbs_ledger may TRIGGER ON TABLE ledger.entry"),
    ("GRANT SELECT ON ledger.entry TO PUBLIC", "PUBLIC may SELECT ON TABLE ledger.entry"),
    ("GRANT SELECT (amount) ON ledger.entry TO PUBLIC", "PUBLIC may SELECT (amount) ON TABLE ledger.entry"),
    ("GRANT USAGE ON SCHEMA ledger TO PUBLIC", "PUBLIC may USAGE ON SCHEMA ledger"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "PUBLIC may CREATE ON SCHEMA public"),
    ("GRANT CREATE ON SCHEMA billing TO hobbs_billing", "hobbs_billing may CREATE ON SCHEMA billing"),
    ("GRANT CREATE ON SCHEMA public TO hobbs_billing", "hobbs_billing may CREATE ON SCHEMA public"),
    (
        "GRANT EXECUTE ON FUNCTION ledger.void_hold(text) TO hobbs_gateway",
        "hobbs_gateway may EXECUTE ON FUNCTION",
    ),
    (
        "GRANT EXECUTE ON FUNCTION ledger.void_hold(text) TO PUBLIC",
        "PUBLIC may EXECUTE ON FUNCTION ledger.void",
    ),
    (
        "GRANT SELECT ON payouts.operation_order TO hobbs_gateway",
        "hobbs_gateway may SELECT ON SEQUENCE payouts",
    ),
    ("GRANT SELECT ON ledger_public.journals TO hobbs_reader WITH GRANT OPTION", "and give it to others"),
    ("GRANT TEMPORARY ON DATABASE {db} TO PUBLIC", "PUBLIC may TEMPORARY ON DATABASE"),
    ("GRANT TEMPORARY ON DATABASE {db} TO hobbs_ledger", "hobbs_ledger may TEMPORARY ON DATABASE"),
    ("GRANT CREATE ON DATABASE {db} TO hobbs_ledger", "hobbs_ledger may CREATE ON DATABASE"),
    (
        "CREATE TABLE public.mine (x int); GRANT SELECT ON public.mine TO hobbs_ledger",
        "hobbs_ledger may SELECT ON",
    ),
    ("SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO hobbs_ledger", "ON LARGE OBJECT 4711"),
]
# Of the whole server: taken back in any case, for the other tests' sake.
PLANTED_ON_ROLES = [
    ("ALTER ROLE hobbs_gateway SUPERUSER", "hobbs_gateway is a superuser"),
    ("ALTER ROLE hobbs_gateway CREATEDB", "hobbs_gateway is allowed to make databases"),
    ("ALTER ROLE hobbs_gateway CREATEROLE", "hobbs_gateway is allowed to make roles"),
    ("ALTER ROLE hobbs_gateway REPLICATION", "hobbs_gateway is allowed to copy the whole server"),
    ("ALTER ROLE hobbs_gateway BYPASSRLS", "hobbs_gateway is bound by no policy on rows"),
    ("ALTER ROLE hobbs_gateway CONNECTION LIMIT 1", "hobbs_gateway is limited to 1 connections"),
    ("ALTER ROLE hobbs_gateway VALID UNTIL '2099-01-01'", "hobbs_gateway is valid until 2099-01-01"),
    ("ALTER ROLE hobbs_gateway SET session_replication_role = replica", "session_replication_role=replica"),
    ("ALTER ROLE hobbs_gateway IN DATABASE {db} SET row_security = off", "row_security=off"),
    ("GRANT pg_read_all_data TO hobbs_gateway", "hobbs_gateway may act as pg_read_all_data"),
    (
        "GRANT pg_execute_server_program TO hobbs_operator",
        "hobbs_operator may act as pg_execute_server_program",
    ),
    ("GRANT hobbs_reader TO hobbs_gateway", "hobbs_gateway may act as hobbs_reader"),
    ("GRANT hobbs_payouts TO hobbs_gateway", "hobbs_gateway may act as hobbs_payouts"),
    ("GRANT hobbs_payouts TO hobbs_operator WITH INHERIT TRUE", "hobbs_operator may act as hobbs_payouts"),
    ("GRANT hobbs_holder TO hobbs_console WITH INHERIT TRUE", "hobbs_console may act as hobbs_holder"),
    ("GRANT hobbs_holder TO hobbs_gateway", "hobbs_gateway may act as hobbs_holder"),
    ("GRANT hobbs_reader TO hobbs_console WITH ADMIN TRUE", "hobbs_console may act as hobbs_reader"),
    ("GRANT hobbs_payouts TO pg_monitor", "pg_monitor may act as hobbs_payouts"),
    ("GRANT hobbs_operator TO pg_monitor", "pg_monitor may act as hobbs_operator"),
    ("GRANT hobbs_finance TO pg_monitor", "pg_monitor may act as hobbs_finance"),
]


MEMBERS = """
    SELECT roleid::regrole::text AS role, member::regrole::text AS member,
           inherit_option, set_option, admin_option
    FROM pg_auth_members ORDER BY 1, 2
"""


async def test_what_somebody_gave_or_made_of_a_role_is_named_and_taken_back(
    owner: asyncpg.Connection, database_url: str
) -> None:
    """All at once, because to migrate takes a second; roles are the server's, so it must come to that."""
    name, before = await owner.fetchval("SELECT quote_ident(current_database())"), await owner.fetch(MEMBERS)
    unseen, known = [], await beyond(database_url)
    try:
        for plant, said in (*PLANTED, *PLANTED_ON_ROLES):
            await owner.execute(plant.format(db=name))
            found = await beyond(database_url)
            if not any(said in sentence for sentence in found.keys() - known.keys()):
                unseen.append(plant)
            known = found
    finally:
        await migrate(database_url, PASSWORDS)
    assert unseen == []
    assert await beyond(database_url) == {}
    assert await owner.fetch(MEMBERS) == before, "what a role should be a member of, it is again"


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (
            "CREATE TABLE public.left_over (x int); ALTER TABLE public.left_over OWNER TO hobbs_ledger",
            "left_over",
        ),
        ("SELECT lo_create(4712); ALTER LARGE OBJECT 4712 OWNER TO hobbs_ledger", "owns large object 4712"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO hobbs_ledger", "objects that will be made"),
    ],
)
async def test_what_only_a_person_can_mend_is_named(
    owner: asyncpg.Connection, database_url: str, hobbs: Hobbs, plant: str, said: str
) -> None:
    await owner.execute(plant)
    assert [
        statement for sentence, statement in (await beyond(database_url)).items() if said in sentence
    ] == [""]
    assert said in (await hobbs("doctor", "-o", "json")).stdout


async def test_the_doctor_names_it_with_the_statement_that_takes_it_back(
    owner: asyncpg.Connection, hobbs: Hobbs
) -> None:
    await owner.execute("GRANT SELECT ON payouts_public.payees TO hobbs_gateway")
    told = (await hobbs("doctor", "-o", "json")).stdout
    assert "REVOKE SELECT ON TABLE payouts_public.payees FROM hobbs_gateway" in told


async def test_the_gateway_reads_nothing_that_others_publish(
    database_url: str, owner: asyncpg.Connection
) -> None:
    """It answers the internet."""
    views = await owner.fetch(
        "SELECT schemaname || '.' || viewname AS name FROM pg_views"
        " WHERE schemaname LIKE '%\\_public' AND schemaname <> 'gateway_public'"
    )
    gateway = await asyncpg.connect(service_url(database_url, "gateway"))
    try:
        for view in views:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await gateway.execute(f"SELECT FROM {view['name']} LIMIT 1")
    finally:
        await gateway.close()
    assert len(views) > 50


PUBLISHED = re.compile(rf"\b({'|'.join(services())})_public\.(\w+)")
WAITED_FOR = re.compile(r'after_others=\{"(\w+)"')
"""A consumer that waits for another service reads how far that one is (fleet/positions.py)."""


@pytest.mark.parametrize("service", services())
def test_what_a_service_reads_of_others_is_in_its_list_and_nothing_else(service: str) -> None:
    """What is missing there is `permission denied` in the worker: add it to the service's reads.sql."""
    folder = ROOT / "services" / service
    files = [*folder.rglob("*.py"), folder / "invariants.sql", *folder.glob("functions/*.sql")]
    texts = [
        path.read_text(encoding="utf-8") for path in files if path.exists() and "migrations" not in path.parts
    ]
    named = {(of, view) for text in texts for of, view in PUBLISHED.findall(text) if of != service}
    named |= {(of, "positions") for text in texts for of in WAITED_FOR.findall(text)}
    listed = {
        (grant.schema.removesuffix("_public"), grant.name)
        for grant in wanted_grants(service)
        if grant.role == f"hobbs_{service}"
        and grant.name
        and grant.schema.endswith("_public")
        and grant.schema != f"{service}_public"
    }
    assert listed == named
