"""A payouts service without its process: its own database role, the real stripe library, a simulated Stripe.

One database for the whole folder, emptied before each test: cloning one costs more than most tests here.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from fleet.database import Database
from hobbs.local.stack import Simulator
from hobbs.local.stripe_sim.control import Control
from services.payouts.stripe.client import StripeClient
from tests.integration.payouts.snapshots import FORGET_BOOKS
from tests.integration.payouts.world import Clock, World
from tests.support.databases import Cluster, Template, cloned, run_statements, service_url
from tests.support.stripe import StripeSim

EMPTY_PAYOUTS = """
    DO $$ DECLARE filled oid[]; always record; BEGIN
        WITH RECURSIVE one(oid) AS (
            SELECT oid FROM pg_class
            WHERE relnamespace = 'payouts'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
              AND pg_relation_size(oid) > 0
            UNION SELECT conrelid FROM pg_constraint JOIN one ON confrelid = one.oid WHERE contype = 'f'
        )
        SELECT array_agg(oid) INTO filled FROM one;
        FOR always IN SELECT tgrelid::regclass AS named, tgname FROM pg_trigger
            WHERE tgrelid = ANY(filled) AND tgenabled = 'A' AND tgtype & 32 <> 0 LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', always.named, always.tgname);
        END LOOP;
        EXECUTE (SELECT 'TRUNCATE ' || string_agg(one::regclass::text, ', ') FROM unnest(filled) AS one);
        INSERT INTO payouts.school DEFAULT VALUES;
        INSERT INTO payouts.relay_stop DEFAULT VALUES;
        INSERT INTO payouts.event_listing DEFAULT VALUES;
        INSERT INTO payouts.movement_listing DEFAULT VALUES;
        INSERT INTO payouts.stripe_mode DEFAULT VALUES;
        FOR always IN SELECT tgrelid::regclass AS named, tgname FROM pg_trigger
            WHERE tgrelid = ANY(filled) AND tgenabled = 'D' AND tgtype & 32 <> 0 LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', always.named, always.tgname);
        END LOOP;
    END $$
"""
"""Only the tables that are not empty, and those that refer to them: to empty a table costs even if it is."""


async def empty(owner_url: str) -> None:
    """Forget everything that happened, in payouts and in the ledger.

    A module's worker (`prefix`) reads the same tables meanwhile: where the two wait for each other, again.
    """
    for _ in range(10):
        with contextlib.suppress(asyncpg.DeadlockDetectedError):
            return await run_statements(owner_url, EMPTY_PAYOUTS, FORGET_BOOKS)
    raise TimeoutError("somebody reads the tables whenever they are to be emptied")


@pytest.fixture(scope="package")
async def payouts_database(cluster: Cluster, template: Template) -> AsyncIterator[str]:
    """The owner's URL of the folder's database."""
    if "payouts" in template.broken:
        raise template.broken["payouts"]
    async with cloned(cluster, template) as url:
        yield url


@pytest.fixture
async def owner_url(payouts_database: str) -> str:
    """The owner's URL of the database, emptied."""
    await empty(payouts_database)
    return payouts_database


@pytest.fixture(scope="package")
async def folders_db(payouts_database: str) -> AsyncIterator[Database]:
    """The folder's connections: a new one plans and compiles what the last one knew."""
    database = Database(service_url(payouts_database, "payouts"), schema="payouts", pool_size=8)
    yield database
    await database.close()


@pytest.fixture(scope="package")
async def folders_ledger(payouts_database: str) -> AsyncIterator[Database]:
    database = Database(service_url(payouts_database, "ledger"), schema="ledger", pool_size=2)
    yield database
    await database.close()


@pytest.fixture
def db(owner_url: str, folders_db: Database) -> Database:
    return folders_db


@pytest.fixture
def ledger(owner_url: str, folders_ledger: Database) -> Database:
    """The ledger, whose books say what was posted."""
    return folders_ledger


@pytest.fixture
def control(stripe_sim: StripeSim) -> Iterator[Control]:
    with Control(stripe_sim.api_base) as control:
        yield control


@pytest.fixture(scope="package")
async def folders_client(stripe_sim_process: Simulator) -> AsyncIterator[StripeClient]:
    """The client of the whole folder: the TLS contexts of a new one take longer than many a test."""
    simulator = stripe_sim_process
    client = StripeClient(simulator.secret_key, api_base=simulator.api_base, timeout_s=2.0)
    yield client
    await client.close()


@pytest.fixture
def client(folders_client: StripeClient, stripe_sim: StripeSim) -> StripeClient:
    folders_client.instead = None
    return folders_client


@pytest.fixture
async def world(db: Database, ledger: Database, client: StripeClient, control: Control) -> World:
    return World(db=db, ledger=ledger, client=client, control=control, clock=Clock())
