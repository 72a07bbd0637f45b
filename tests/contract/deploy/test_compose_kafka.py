"""The broker starts with the compose file's settings, here on the embedded Kafka 4.3.1.

The image turns each KAFKA_X_Y variable into a property x.y; so does this test. Only ports, the container's
host name and the data folder are replaced.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from hobbs.local.kafka import Kafka, format_storage, start_kafka, wait_for_kafka
from hobbs.local.ports import free_ports
from tests.contract.deploy.conftest import load_compose

NOT_PROPERTIES = {"KAFKA_HEAP_OPTS"}


def properties(replacements: dict[str, str]) -> str:
    environment = load_compose()["services"]["kafka"]["environment"]
    lines = []
    for name, value in environment.items():
        if name.startswith("KAFKA_") and name not in NOT_PROPERTIES:
            for old, new in replacements.items():
                value = value.replace(old, new)
            lines.append(f"{name.removeprefix('KAFKA_').lower().replace('_', '.')}={value}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Kafka]:
    internal, host, controller = free_ports(3)
    replaced = {
        "kafka:9092": f"127.0.0.1:{internal}",
        "0.0.0.0:9092": f"127.0.0.1:{internal}",
        "0.0.0.0:29092": f"127.0.0.1:{host}",
        "${HOBBS_KAFKA_PORT:-29092}": str(host),
        ":9093": f":{controller}",
        "/var/lib/kafka/data": str(tmp_path / "data"),
    }
    (tmp_path / "server.properties").write_text(properties(replaced))
    format_storage(tmp_path / "server.properties", tmp_path / "kafka.log")
    running = start_kafka(tmp_path, port=host, log=tmp_path / "kafka.log")
    try:
        wait_for_kafka(running)
        yield running
    finally:
        running.child.kill()


async def test_the_composed_broker_starts_and_answers_on_the_hosts_listener(broker: Kafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    assert [(b["host"], b["port"]) for b in cluster["brokers"]] == [("127.0.0.1", broker.port)]
    assert cluster["controller_id"] == 1
