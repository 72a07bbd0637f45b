"""Unreadable records stop no partition, and an operator finds each of them."""

from datetime import date

from aiokafka import AIOKafkaProducer

from fleet.decisions import REQUESTED
from fleet.envelope import OWN_SOURCES
from fleet.proofs import key_of_topic, with_proof
from fleet.redrives import topic_of
from hobbs.demo.figures import Figures, Row
from hobbs.demo.story import Story
from hobbs.local.running_fleet import RunningFleet
from schemas.flights import FlightCompleted
from schemas.proved import PROVED
from schemas.services import SERVICES
from schemas.topics import TOPICS
from tests.support.fleets import Silent
from tests.support.leaks import ANY_ADDRESS, leaks, names_in_the_school

UNREADABLE = {
    "null_value": None,
    "oversized": b'{"student": "Robin Whitaker", "flight_id": "'
    + b"x" * 8_000_000
    + b'"}',  # 700 bytes packed
    "not_utf8": b'{"student": "Robin Whitaker", "flight_id": "\xff\xfe"}',
    "not_json": b"{flight of robin@example.org",
    "not_an_object": b'["Robin Whitaker", 2, 3]',
    "invalid": b'{"student": "Robin Whitaker", "instructor": ["avery@example.org"]}',
}


async def test_unreadable_records_become_dead_letters_and_what_follows_is_processed(
    fleet: RunningFleet, figures: Figures
) -> None:
    story = Story(fleet.fleet, figures, Silent())
    await story.open_school()
    await publish(fleet, list(UNREADABLE.values()))
    await publish(fleet, [ground_lesson().model_dump_json().encode()], only="flight.completed")
    await story.settle()
    for topic in consumed_topics():
        for service in readers_without_key(topic):
            assert await buried(figures, service, topic) == expected(service, topic)
    bills = await figures.rows("SELECT flight_id FROM billing.bill")
    assert [bill["flight_id"] for bill in bills] == ["after-the-bad-ones"]
    for log in (fleet.fleet.folder / "logs").glob("*.log"):
        assert leaks(log.read_text(), set(names_in_the_school()), ANY_ADDRESS) == set()


def consumed_topics() -> list[str]:
    return [topic.name for topic in TOPICS.values() if set(topic.consumers) & set(SERVICES)]


def expected(service: str, topic: str) -> list[str]:
    """Why a service buries the records of a topic, in their reasons' order."""
    if topic == topic_of(service):
        return ["no_such_topic"] * len(UNREADABLE)
    if topic in PROVED and not PROVED[topic].by:  # nobody can prove them; what is cut off is not looked at
        return sorted("oversized" if reason == "oversized" else "not_proved" for reason in UNREADABLE)
    return sorted(UNREADABLE)


def readers_without_key(topic: str) -> tuple[str, ...]:
    """The services that bury a record without a key; of decisions, it is the gateway."""
    return ("gateway",) if topic == REQUESTED else TOPICS[topic].consumers


async def publish(running: RunningFleet, values: list[bytes | None], only: str | None = None) -> None:
    """Publish the values on one partition of each consumed topic, in order, with an undecodable header."""
    producer = AIOKafkaProducer(
        bootstrap_servers=running.fleet.kafka_bootstrap,
        max_request_size=2**24,
        acks="all",
        compression_type="zstd",
    )
    async with producer:
        for topic in [only] if only else consumed_topics():
            for value in values:
                await producer.send_and_wait(
                    running.fleet.topic_prefix + topic,
                    value=value,
                    key=b"key",
                    partition=0,
                    headers=headers(running, topic, value),
                )


def headers(running: RunningFleet, topic: str, value: bytes | None) -> list[tuple[str, bytes]]:
    """One that cannot be decoded, and on topics of services a proof: a bug of ours is proved as well."""
    said = [("trace", b"\xff\xfe"), ("nothing", b"")]
    if topic not in PROVED or PROVED[topic].others or not PROVED[topic].by:
        return said
    who = PROVED[topic].by[0]
    said.append(("ce_source", f"{OWN_SOURCES}{who}".encode()))
    key = key_of_topic(running.fleet.publisher_keys[who].encode(), topic)
    return with_proof(key, topic, said, b"key", value)


async def buried(figures: Figures, service: str, topic: str) -> list[str]:
    query = f"SELECT reason FROM {service}.dead_letter WHERE topic = $1"  # noqa: S608 - a name from our table
    letters: list[Row] = await figures.rows(query, topic)
    return sorted(letter["reason"] for letter in letters)


def ground_lesson() -> FlightCompleted:
    return FlightCompleted.model_validate(
        {
            "flight_id": "after-the-bad-ones",
            "date": date(2025, 6, 1),
            "student": "student-01",
            "instructor": "instructor-01",
            "ground_hours": "1.0",
        }
    )
