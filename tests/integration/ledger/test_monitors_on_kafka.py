"""What the database writes into the outbox leaves it like any other event: order, key and headers."""

import asyncio
import secrets

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from fleet.database import Database
from fleet.envelope import event_key_of
from fleet.inbox import read
from fleet.outbox import OutboxRelay
from schemas.monitors import BalanceCrossed
from schemas.topics import TOPICS
from tests.integration.ledger.books import ask, requested
from tests.integration.ledger.watching import CROSSED, STUDENT, low, watch
from tests.support.records import record


async def test_crossings_reach_their_topic_in_order_keyed_by_the_wallet(ledger: Database, kafka: str) -> None:
    prefix = f"{secrets.token_hex(4)}."
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    topics = [NewTopic(prefix + name, TOPICS[name].partitions, 1) for name in (CROSSED, "journal.posted")]
    await admin.create_topics(topics)
    await admin.close()
    await watch(ledger, low(0))
    legs = [((STUDENT, amount), ("external:bank", -amount)) for amount in (-1, +1, -1)]
    await ask(ledger, *(requested(f"payment:{n}", one) for n, one in enumerate(legs)))
    relay = asyncio.create_task(OutboxRelay(ledger, {"bootstrap_servers": kafka}, prefix, kept_days=1).run())
    consumer = AIOKafkaConsumer(prefix + CROSSED, bootstrap_servers=kafka, auto_offset_reset="earliest")
    try:
        async with consumer, asyncio.timeout(30):
            found = [await consumer.getone() for _ in legs]
    finally:
        relay.cancel()
    assert {one.key for one in found} == {STUDENT.encode()}
    async with ledger.transaction() as tx:
        rows = await tx.all("SELECT event_id FROM ledger_public.crossings ORDER BY nr")
    for nr, (one, row) in enumerate(zip(found, rows, strict=True), start=1):
        headers = {name: value.decode() for name, value in one.headers}
        seen = record(CROSSED, one.value, headers=headers, ce_id=headers["ce_id"])
        event = read(seen, BalanceCrossed)
        assert (event.crossing, event.beyond) == (nr, nr % 2 == 1)
        assert event_key_of(seen, None) == row.event_id
