"""Examines whether brokers that ask for a login also keep each login to its rights."""

from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest

from fleet import kafka_client
from fleet.settings import Settings
from hobbs.doctor.findings import Finding, wrong
from schemas.kafka_rights import reads, user_of
from schemas.services import KAFKA_USERS, OPERATOR
from schemas.topics import TOPICS

AREA: Final = "brokers"
FIX: Final = (
    "authorizer.class.name and allow.everyone.if.no.acl.found=false at the brokers, then the script of "
    "`hobbs kafka acls` (docs/operations/kafka.md, Users and rights)"
)


async def examine_brokers(settings: Settings) -> list[Finding]:
    """Ask for records that this login may not read; nothing is read where it may not. Raises KafkaError."""
    if not settings.kafka_security_protocol.startswith("SASL"):
        return []  # production.py says that nobody is asked who they are
    who = next(
        (one for one in KAFKA_USERS if user_of(one, settings.topic_prefix) == settings.kafka_username),
        OPERATOR,
    )
    foreign = [topic for topic in TOPICS if topic not in reads(who)]
    admin = AIOKafkaAdminClient(**kafka_client.connection(settings), request_timeout_ms=10_000)
    await admin.start()
    try:
        given = await _readable(admin, settings.topic_prefix, foreign)
    finally:
        await admin.close()
    if not given:
        return []
    some = ", ".join(given[:3]) + (f" and {len(given) - 3} more" if len(given) > 3 else "")
    found = f"the brokers let {settings.kafka_username} read what it has no right to: {some}"
    return [wrong(AREA, found, FIX)]


async def _readable(admin: AIOKafkaAdminClient, prefix: str, topics: list[str]) -> list[str]:
    """Asked of the broker itself: aiokafka's consumer says nothing of a topic that it may not see."""
    places = [(prefix + topic, [(0, 0, 1)]) for topic in topics]
    request = FetchRequest(max_wait_time=0, min_bytes=0, max_bytes=1, isolation_level=0, topics=places)
    answer = await admin._client.send(admin._client.get_random_node(), request)
    refused = TopicAuthorizationFailedError.errno
    return [name.removeprefix(prefix) for name, parts in answer.topics if parts[0][1] not in (refused, 3)]
