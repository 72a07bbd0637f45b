"""Workers that only take decisions, for tests of commands."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from fleet.decisions import Action
from fleet.kafka_client import TopicPlan, create_topics
from fleet.settings import Settings
from fleet.worker import Worker
from schemas.topics import TOPICS
from tests.support.databases import service_url


@asynccontextmanager
async def deciding(
    kafka: str, database_url: str, actions: Mapping[str, Mapping[str, Action]]
) -> AsyncIterator[str]:
    """Run a worker for each named service, with these actions; yields their topic prefix."""
    prefix = f"{secrets.token_hex(4)}."
    shared = {"kafka_bootstrap": kafka, "topic_prefix": prefix, "log_format": "console"}
    plans = [
        TopicPlan(name=name, partitions=1, retention_ms=-1) for name in TOPICS
    ]  # the outbox needs its topics too
    async with AsyncExitStack() as stack:
        for service, own in actions.items():
            url = SecretStr(service_url(database_url, service))
            settings = Settings.model_validate({**shared, "database_url": url})
            await create_topics(settings, plans)
            await stack.enter_async_context(_running(service, settings, own))
        yield prefix


@asynccontextmanager
async def _running(service: str, settings: Settings, actions: Mapping[str, Action]) -> AsyncIterator[None]:
    worker = Worker(service, settings)
    worker.decide(actions)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker._stopping.set()
        await asyncio.wait_for(task, 25)
