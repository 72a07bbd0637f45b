"""The stuck-session drill: somebody forgot a session that holds the school's wallet, and it is named."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from fleet import consumers, worker
from fleet.database import Database
from fleet.envelope import Message, first_cause
from fleet.kafka_client import create_topics, publish_once
from hobbs.doctor import sessions
from hobbs.local.ports import free_port
from hobbs.shell.topic_plans import topic_plans
from schemas.journals import JournalRequested
from services.ledger.app import build
from services.ledger.settings import LedgerSettings
from services.ledger.wire.journals import REQUESTED
from tests.integration.fleet.test_worker import until
from tests.integration.ledger.books import Hobbs, ask, balances, journals, requested
from tests.support.databases import service_url

SCHOOL = """
    SELECT FROM balance JOIN wallet ON wallet.id = balance.wallet_id
    WHERE address = 'platform:school' FOR UPDATE OF balance
"""


@pytest.fixture
async def settings(kafka: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> LedgerSettings:
    monkeypatch.setattr(worker, "MEASURE_S", 0.1)
    monkeypatch.setattr(consumers, "BATCH_AGE_MAX_S", 0.3)
    monkeypatch.setattr(sessions, "BLOCKS_S", 0)
    settings = LedgerSettings(
        database_url=SecretStr(service_url(database_url, "ledger")),
        kafka_bootstrap=kafka,
        topic_prefix=f"{secrets.token_hex(4)}.",
        ops_port=free_port(),
        log_format="console",
    )
    await create_topics(settings, topic_plans())
    return settings


@pytest.fixture
async def started(settings: LedgerSettings) -> AsyncIterator[None]:
    """The ledger's worker, in this process."""
    made = build(settings)
    task = asyncio.create_task(made.run())
    yield
    made._stopping.set()
    await asyncio.wait_for(task, 25)


async def publish(settings: LedgerSettings, source: str) -> None:
    event = JournalRequested.model_validate_json(requested(source).value or b"")
    message = Message(topic=REQUESTED, key=source, event=event, cause=first_cause())
    await publish_once(settings, [message], service="test")


async def metric(settings: LedgerSettings, name: str, **labels: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{settings.ops_port}/metrics")).text
    families = text_string_to_metric_families(text)
    (value,) = (
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
    return value


async def readiness(settings: LedgerSettings) -> str:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{settings.ops_port}/readyz", timeout=30)
    return f"{answer.status_code} {answer.text}"


async def ended_by(fix: str, owner: asyncpg.Connection) -> None:
    """Do what the doctor says."""
    (statement,) = re.findall(r"SELECT pg_terminate_backend\(\d+\)", fix)
    await owner.execute(statement)


@pytest.mark.usefixtures("started")
async def test_a_session_that_holds_the_schools_wallet_is_named_by_everyone_and_can_be_ended(
    settings: LedgerSettings, ledger: Database, owner: asyncpg.Connection, database_url: str, hobbs: Hobbs
) -> None:
    await ask(ledger, requested("flight:F1:1"))
    dba = {"search_path": "ledger", "application_name": "psql"}
    holder = await asyncpg.connect(database_url, server_settings=dba)
    pid = holder.get_server_pid()
    await holder.execute("BEGIN")
    await holder.execute(SCHOOL)
    await publish(settings, "flight:F2:1")

    async def rose(name: str, **labels: str) -> bool:
        return await metric(settings, name, service="ledger", **labels) > 0.3

    for name in ("fleet_batch_age_seconds", "fleet_oldest_record_age_seconds"):
        await until(lambda name=name: rose(name, topic=REQUESTED), True)  # type: ignore[misc]
    await until(lambda: rose("fleet_lock_wait_seconds"), True)
    said = await readiness(settings)
    assert said.startswith("503"), said
    assert f"no batch handled for over 0.3 s: {REQUESTED}" in said
    shown = json.loads((await hobbs("doctor", "-o", "json")).stdout)
    (finding,) = (row for row in shown if row["area"] == "sessions")
    assert finding["state"] == "WRONG"
    for words in (f"session {pid} of hobbs_owner (psql), idle in transaction", "blocks hobbs_ledger"):
        assert words in finding["found"]
    await ended_by(finding["fix"], owner)

    async def posted() -> list[str]:
        return await journals(ledger)

    await until(posted, ["flight:F1:1", "flight:F2:1"])
    assert (await balances(ledger))["platform:school"] == 80
    await until(lambda: rose("fleet_batch_age_seconds", topic=REQUESTED), False)
    await until(lambda: rose("fleet_lock_wait_seconds"), False)

    async def is_ready() -> bool:
        return (await readiness(settings)).startswith("200")

    await until(is_ready, True)  # the groups of other topics may be joining still
    await holder.close()


async def test_a_transaction_that_idles_is_named_although_nobody_waits_yet(
    ledger: Database, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator, who may not see other people's sessions, is told who it is and none of what they ask."""
    monkeypatch.setattr(sessions, "IDLE_S", 0)
    holder = await asyncpg.connect(database_url, server_settings={"application_name": "psql"})
    await holder.execute("BEGIN")
    await holder.execute("SELECT 'a secret'")
    result = await hobbs("doctor", "-o", "json")
    assert f"session {holder.get_server_pid()} of hobbs_owner (psql), idle in transaction" in result.stdout
    assert "a secret" not in result.stdout
    await holder.execute("ROLLBACK")
    assert "no session holds up the services" in (await hobbs("doctor", "-o", "json")).stdout
    await holder.close()


async def test_a_session_that_waits_itself_is_not_the_one_to_end(
    owner: asyncpg.Connection, database_url: str
) -> None:
    """Two workers queue behind a person: only the person is named, with whom it blocks."""
    lock = "SELECT pg_advisory_lock(1)"
    workers = [await asyncpg.connect(service_url(database_url, "ledger")) for _ in range(2)]
    operator = await asyncpg.connect(service_url(database_url, "operator"))
    await owner.execute(lock)
    waiting = [asyncio.create_task(one.execute(f"{lock}; SELECT pg_advisory_unlock(1)")) for one in workers]

    async def queued() -> int:
        return int(await operator.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async def named() -> list[tuple[int, list[str]]]:
        found = await operator.fetch("SELECT pid, blocked FROM ledger_public.sessions_in_the_way(0, 3600)")
        return [(row["pid"], row["blocked"]) for row in found]

    await until(queued, 2)
    assert await named() == [(owner.get_server_pid(), ["hobbs_ledger"])]
    await owner.execute("SELECT pg_advisory_unlock(1)")
    await asyncio.gather(*waiting)
    assert await named() == []
    for one in (*workers, operator):
        await one.close()
