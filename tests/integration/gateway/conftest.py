"""The gateway's real application over HTTP, in this process, with real Kafka and real Postgres."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest
from pydantic import SecretStr

from fleet.database import Database
from fleet.kafka_client import TopicPlan, create_topics
from fleet.worker import Worker
from hobbs.flights import api_keys
from services.billing.desk.reads import dated_card, estimates
from services.gateway import store
from services.gateway.domain.api_keys import SCOPES
from services.gateway.domain.cards import Prices
from services.gateway.http.web import build_web
from services.gateway.settings import GatewaySettings
from tests.conftest import OpenDatabase
from tests.integration.ops.conftest import hobbs  # noqa: F401 - the fixture

PLATFORM_OLD, PLATFORM_NEW, CONNECT = "whsec_platform_old", "whsec_platform_new", "whsec_connect"
PRICES = Prices(read=dated_card, estimate=estimates.price)
NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/nothing"


@dataclass(slots=True, kw_only=True)
class Door:
    """The gateway as Stripe and schedulers reach it."""

    settings: GatewaySettings
    client: httpx.AsyncClient


def gateway_settings(bootstrap: str, **changed: object) -> GatewaySettings:
    known = {
        "database_url": SecretStr(NOWHERE),
        "kafka_bootstrap": bootstrap,
        "topic_prefix": f"{secrets.token_hex(4)}.",
        "stripe_webhook_secrets": SecretStr(f"{PLATFORM_NEW}, {PLATFORM_OLD}"),
        "stripe_connect_webhook_secrets": SecretStr(CONNECT),
        "log_format": "console",
    }
    return GatewaySettings.model_validate(known | changed)


def client_of(settings: GatewaySettings, database: Database, worker: Worker) -> httpx.AsyncClient:
    web = build_web(settings, database, worker.publish_now, prices=PRICES)
    transport = httpx.ASGITransport(web, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


@pytest.fixture(scope="module")
async def door(kafka: str) -> AsyncIterator[Door]:
    """The webhook's side: Kafka is there, Postgres is not, and must not be needed."""
    settings = gateway_settings(kafka)
    await create_topics(settings, [TopicPlan(name="stripe.webhook", partitions=3, retention_ms=-1)])
    worker = Worker("gateway", settings)
    async with client_of(settings, worker.database, worker) as client:
        yield Door(settings=settings, client=client)
    if worker._producer:
        await worker._producer.stop()
    await worker.database.close()


@pytest.fixture
async def gateway_db(open_db: OpenDatabase) -> Database:
    return open_db("gateway", pool_size=8)


@pytest.fixture
async def scheduler(gateway_db: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The scheduler's side: Postgres is there, Kafka is not, and must not be needed to accept."""
    settings = gateway_settings("127.0.0.1:1")
    worker = Worker("gateway", settings)
    key = await new_key(gateway_db, "scheduler", SCOPES)
    async with client_of(settings, gateway_db, worker) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client
    await worker.database.close()


async def new_key(
    db: Database, name: str, scopes: tuple[str, ...], *, expires_at: datetime | None = None
) -> str:
    made = api_keys.new_key()
    async with db.transaction() as tx:
        added = await store.api_keys.insert(
            tx,
            name=name,
            key_hash=made.key_hash,
            hint=made.hint,
            scopes=scopes,
            created_by="test",
            expires_at=expires_at,
        )
    assert added is not None
    return made.key
