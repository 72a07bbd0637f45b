"""The compose file's broker asks everybody but itself who they are, and lets each do what was granted."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError

from deploy.make_secrets import make_secrets
from schemas.kafka_rights import Right
from tests.contract.deploy.conftest import load_compose
from tests.support.composed_kafka import ComposedKafka, composed_kafka
from tests.support.guarded_kafka import grant

WRITER, OTHER = "hobbs_ledger", "hobbs_console"
TOPIC = "journal.posted"


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ComposedKafka]:
    environment = load_compose()["services"]["kafka"]["environment"]
    passwords = {name: f"password of {name}" for name in (WRITER, OTHER)}
    folder = tmp_path_factory.mktemp("composed")
    make_secrets(folder / "secrets")
    with composed_kafka(folder / "kafka", environment, passwords, folder / "secrets") as broker:
        within = {"bootstrap_servers": broker.within}
        admin = AIOKafkaAdminClient(**within)
        await admin.start()
        await admin.create_topics([NewTopic(TOPIC, 1, 1)])
        await admin.close()
        await grant(within, [Right(user=WRITER, operation="Write", resource="topic", name=TOPIC)])
        yield broker


def login(name: str, ca: Path, password: str | None = None) -> dict[str, Any]:
    """As fleet/kafka_client.py logs in, with the CA that `make secrets` made."""
    return {
        "security_protocol": "SASL_SSL",
        "ssl_context": ssl.create_default_context(cafile=ca),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": name,
        "sasl_plain_password": password or f"password of {name}",
    }


async def publish(bootstrap: str, **user: Any) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", request_timeout_ms=5_000, **user)
    try:
        await producer.start()
        await producer.send_and_wait(TOPIC, b"{}")
    finally:
        await producer.stop()


@pytest.mark.parametrize("door", ["containers", "machine"])
async def test_who_logs_in_publishes_where_it_may(kafka: ComposedKafka, door: str) -> None:
    await publish(getattr(kafka, door), **login(WRITER, kafka.ca))
    with pytest.raises(TopicAuthorizationFailedError):
        await publish(getattr(kafka, door), **login(OTHER, kafka.ca))


@pytest.mark.parametrize("door", ["containers", "machine"])
async def test_who_does_not_log_in_reaches_nothing(kafka: ComposedKafka, door: str) -> None:
    with pytest.raises(KafkaConnectionError):
        await publish(getattr(kafka, door))
    with pytest.raises(KafkaError):
        await publish(getattr(kafka, door), **login(WRITER, kafka.ca, "guessed"))


@pytest.mark.parametrize("door", ["containers", "machine"])
async def test_nobody_between_reads_a_password_or_a_record(
    kafka: ComposedKafka, door: str, tmp_path: Path
) -> None:
    """The door speaks TLS only, and a broker with another installation's certificate gets no login."""
    in_clear = {**login(WRITER, kafka.ca), "security_protocol": "SASL_PLAINTEXT"}
    with pytest.raises(KafkaError):
        await publish(getattr(kafka, door), **in_clear)
    make_secrets(tmp_path / "others")
    with pytest.raises(KafkaConnectionError):
        await publish(getattr(kafka, door), **login(WRITER, tmp_path / "others" / "kafka_ca"))


def test_only_who_shares_its_network_needs_no_login() -> None:
    """The listeners without one are the container's own loopback's, and one container shares that."""
    services = load_compose()["services"]
    environment = services["kafka"]["environment"]
    protocols = dict(
        pair.split(":") for pair in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    )
    for listener in environment["KAFKA_LISTENERS"].split(","):
        name, address = listener.split("://")
        assert protocols[name] == "SASL_SSL" or address.startswith("127.0.0.1:")
    sharing = {name for name, c in services.items() if c.get("network_mode") == "service:kafka"}
    assert sharing == {"kafka-rights"}
    assert not any(":909" in str(port) for port in services["kafka"]["ports"])
