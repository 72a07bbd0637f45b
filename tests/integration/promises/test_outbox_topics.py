"""What a service's own login may have published: its topics, and nothing that others believe."""

import asyncpg
import pytest

from schemas.kafka_rights import writes
from schemas.services import DECIDE
from schemas.topics import TOPICS
from tests.support.databases import service_url

STAGE = "INSERT INTO outbox (topic, key, value, raw_headers) VALUES ($1, 'k', '{}', '{}')"
AT_ONCE = {"gateway": {"stripe.webhook"}}  # what is published at once, with its proof


@pytest.mark.parametrize("service", DECIDE)
async def test_the_outbox_takes_its_services_own_topics_and_no_other(service: str, database_url: str) -> None:
    staged = set(writes(service)) - AT_ONCE.get(service, set())
    login = await asyncpg.connect(
        service_url(database_url, service), server_settings={"search_path": service}
    )
    try:
        for topic in (*TOPICS, "unheard.of"):
            if topic in staged:
                await login.execute(STAGE, topic)
                continue
            with pytest.raises(asyncpg.CheckViolationError, match="outbox_takes_own_topics_only"):
                await login.execute(STAGE, topic)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await login.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_takes_own_topics_only")
        assert {row["topic"] for row in await login.fetch("SELECT topic FROM outbox")} == staged
    finally:
        await login.close()
