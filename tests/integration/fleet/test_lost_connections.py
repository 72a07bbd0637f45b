"""A connection that breaks while something is written to it costs a reader that request, and nothing more."""

import asyncio
import os
import secrets
import socket

import uvloop
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest
from pydantic import SecretStr

from fleet.kafka_client import TopicPlan, create_topics, open_producer
from fleet.reader import Reader
from fleet.settings import Settings


async def write_to_broken_connections(kafka: str) -> tuple[list[object], list[bytes]]:
    """Read in a group whose connections break: what writing to them answered, and what was read after."""
    prefix = f"{secrets.token_hex(4)}."
    topic = f"{prefix}a"
    settings = Settings(database_url=SecretStr(""), kafka_bootstrap=kafka, topic_prefix=prefix)
    await create_topics(settings, [TopicPlan(name="a", partitions=1, retention_ms=-1)])
    group = {"group_id": topic, "enable_auto_commit": False, "heartbeat_interval_ms": 50}
    async with (
        Reader(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", **group) as reader,
        open_producer(settings) as producer,
    ):
        while not reader.assignment():
            await reader.getmany(timeout_ms=50)
        client, answers = reader._client, []
        assert ConnectionGroup.COORDINATION in {kind for _, kind in client._conns}
        for (node, kind), connection in list(client._conns.items()):
            cut(connection._writer.get_extra_info("socket").fileno())
            asked = []
            for _ in range(5):  # in each turn of the loop: it is told of the first one's failure in between
                asked.append(asyncio.create_task(client.send(node, MetadataRequest([topic]), group=kind)))
                await asyncio.sleep(0)
            answers += await asyncio.gather(*asked, return_exceptions=True)
        await asyncio.sleep(0.2)  # heartbeats of the group
        await producer.send_and_wait(topic, b"afterwards")
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        while not found and not reader._coordinator._coordination_task.done():
            found = await reader.getmany(timeout_ms=100)
        return answers, [record.value for records in found.values() for record in records]


def cut(descriptor: int) -> None:
    """Have the next write fail."""
    with socket.socket(fileno=os.dup(descriptor)) as same:
        same.shutdown(socket.SHUT_WR)


async def test_what_a_loop_cannot_write_is_a_lost_connection(kafka: str) -> None:
    """On uvloop, which every worker runs on: asyncio drops the bytes, uvloop raises."""
    answers, records = await asyncio.to_thread(uvloop.run, write_to_broken_connections(kafka))
    failed = [answer for answer in answers if isinstance(answer, BaseException)]
    assert failed, "no connection broke"
    assert [error for error in failed if not isinstance(error, KafkaConnectionError)] == []
    assert records == [b"afterwards"]
