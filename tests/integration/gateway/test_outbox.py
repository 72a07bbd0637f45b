"""What the gateway's own login may have published: its topics, and nothing that others believe."""

import asyncpg
import pytest

from schemas.kafka_rights import writes
from schemas.topics import TOPICS
from tests.support.databases import service_url

STAGE = "INSERT INTO gateway.outbox (topic, key, value, raw_headers) VALUES ($1, 'k', '{}', '{}')"
STAGED = set(writes("gateway")) - {"stripe.webhook"}  # which is published at once, with its proof


async def test_the_outbox_takes_the_gateways_own_topics_and_no_other(database_url: str) -> None:
    gateway = await asyncpg.connect(service_url(database_url, "gateway"))
    try:
        for topic in (*TOPICS, "unheard.of"):
            if topic in STAGED:
                await gateway.execute(STAGE, topic)
                continue
            with pytest.raises(asyncpg.CheckViolationError, match="outbox_takes_own_topics_only"):
                await gateway.execute(STAGE, topic)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await gateway.execute("ALTER TABLE gateway.outbox DROP CONSTRAINT outbox_takes_own_topics_only")
        assert {row["topic"] for row in await gateway.fetch("SELECT topic FROM gateway.outbox")} == STAGED
    finally:
        await gateway.close()
