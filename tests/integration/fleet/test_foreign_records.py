"""What others put into a topic, and what a disk makes of it: published = handled + dead, by partition."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from fleet import dead_letters, metrics, reader
from fleet.database import Database
from fleet.reader import Reader
from fleet.record_batches import Readable
from fleet.record_format import KEPT_BYTES
from fleet.settings import Settings
from hobbs.doctor.backlog import Backlog, look_at
from tests.integration.fleet.sample import effects
from tests.integration.fleet.test_offsets import committed
from tests.integration.fleet.test_worker import Running, running, settings, until  # noqa: F401 - fixtures
from tests.support.batches import CODECS, CRC_FROM, flipped, with_attributes

TOPIC = "thing.happened"
VERSION_AT = 16


@pytest.fixture
async def publish(settings: Settings) -> AsyncIterator["Publisher"]:  # noqa: F811
    publisher = Publisher(settings)
    yield publisher
    await publisher.close()


class Publisher:
    """Publishes things to partitions of its choice, with producers of any kind."""

    def __init__(self, settings: Settings) -> None:  # noqa: F811
        self.settings = settings
        self._open: list[AIOKafkaProducer] = []

    async def producer(self, **options: Any) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka_bootstrap, max_request_size=2**27, **options
        )
        await producer.start()
        self._open.append(producer)
        return producer

    async def transaction(self) -> AIOKafkaProducer:
        producer = await self.producer(transactional_id=secrets.token_hex(8))
        await producer.begin_transaction()
        return producer

    async def send(self, producer: AIOKafkaProducer, names: Sequence[str], partition: int) -> None:
        """Send things in one batch, and wait for them."""
        topic = self.settings.topic_prefix + TOPIC
        sent = [await producer.send(topic, thing(name), key=b"k", partition=partition) for name in names]
        await asyncio.gather(*sent)

    async def close(self) -> None:
        for producer in self._open:
            await producer.stop()


def thing(name: str) -> bytes:
    return b'{"name": "%s"}' % name.encode()


async def letters(database: Database) -> list[tuple[int, int, str]]:
    """(partition, offset, reason) of every letter."""
    async with database.transaction() as tx:
        rows = await tx.all('SELECT partition, "offset", reason FROM dead_letter ORDER BY 1, 2')
    return [(row.partition, row.offset, row.reason) for row in rows]


def lag_and_unread() -> tuple[float, float]:
    """What the metrics say of the topic."""
    of_topic = ("sample", TOPIC)
    return metrics.CONSUMER_LAG.labels(*of_topic)._value.get(), metrics.UNREAD.labels(*of_topic)._value.get()


async def measured(running: Running) -> tuple[float, float]:  # noqa: F811
    running.worker._consumers.measure()
    return lag_and_unread()


def change_on_disk(
    session_folder: Path,
    settings: Settings,  # noqa: F811
    partition: int,
    number: int,
    change: Callable[[bytes], bytes],
) -> None:
    """Change one batch of a partition in the broker's own file; it keeps its length."""
    segment = (
        session_folder / "kafka" / "data" / f"{settings.topic_prefix}{TOPIC}-{partition}" / f"{0:020}.log"
    )
    with segment.open("r+b") as file:
        data, at = file.read(), 0
        for _ in range(number):
            at += 12 + int.from_bytes(data[at + 8 : at + 12], "big")
        size = 12 + int.from_bytes(data[at + 8 : at + 12], "big")
        changed = change(data[at : at + size])
        assert len(changed) == size
        file.seek(at)
        file.write(changed)


async def waiting(settings: Settings, at: Mapping[int, int] | None = None) -> Backlog:  # noqa: F811
    """What the doctor finds in front of a group that stands at these offsets, else at the beginning."""
    places = {n: TopicPartition(settings.topic_prefix + TOPIC, n) for n in range(3)}
    stands = {place: (at or {}).get(n, 0) for n, place in places.items()}
    async with Reader(bootstrap_servers=settings.kafka_bootstrap) as looking:
        return await look_at(settings, stands, await looking.end_offsets(list(stands)))


async def test_damaged_batches_are_dead_letters_and_every_other_record_is_handled(
    running: Running,  # noqa: F811
    database: Database,
    publish: Publisher,
    session_folder: Path,
) -> None:
    producer = await publish.producer(linger_ms=50)
    good = []
    for partition in range(3):
        for batch in range(3):
            names = [f"p{partition}b{batch}r{n}" for n in range(2)]
            await publish.send(producer, names, partition)
            good += names if batch != 1 or partition == 2 else []
    change_on_disk(session_folder, running.settings, 0, 1, lambda raw: flipped(raw, CRC_FROM + 50))
    change_on_disk(session_folder, running.settings, 1, 1, lambda raw: with_attributes(raw, 5))
    running.start()
    await until(lambda: effects(database), dict.fromkeys(good, 1))
    assert await letters(database) == [(p, o, "unreadable") for p in (0, 1) for o in (2, 3)]
    await until(lambda: committed(running.settings), 18)
    assert await measured(running) == (0, 0)
    async with database.transaction() as tx:
        found = await tx.all("SELECT id, sentence, headers, value FROM dead_letter ORDER BY partition")
        ids = [row.id for row in found]
        assert await dead_letters.cut(tx, ids) == sorted(ids)
        assert await dead_letters.redrive(tx, ids, who="finance") == []
    assert found[0].sentence.startswith("its checksum is wrong; the batch has ")
    assert found[2].sentence.startswith("Kafka's codec number 5 is not known; the batch has ")
    assert found[0].headers == {"hobbs_cut": "bytes of the record: unknown; kept: 0"}


async def test_a_partition_that_the_broker_cannot_read_stands_and_says_so(
    running: Running,  # noqa: F811
    database: Database,
    publish: Publisher,
    session_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr(reader, "ANSWERS_AGAIN_WITHIN_S", 0.1)
    producer = await publish.producer()
    for name in ("before", "damaged"):
        await publish.send(producer, [name], 0)
    await publish.send(producer, ["elsewhere"], 1)
    change_on_disk(session_folder, running.settings, 0, 1, lambda raw: flipped(raw, VERSION_AT))
    running.start()
    await until(lambda: effects(database), {"before": 1, "elsewhere": 1})
    await until(lambda: unread(running), True)
    said = running.worker._consumers.unread()
    assert said is not None
    # The broker may answer an error, or hand the batch out as it is.
    why = f"{running.settings.topic_prefix}{TOPIC} partition 0: offset 1: "
    assert why + "the broker cannot read it" in said or why + "a batch of version" in said
    assert (await measured(running))[1] == 1
    backlog = await waiting(running.settings, {0: 1})
    assert [one.split(":")[0] for one in backlog.troubles] == [
        f"{running.settings.topic_prefix}{TOPIC} partition 0"
    ]
    change_on_disk(session_folder, running.settings, 0, 1, lambda raw: flipped(raw, VERSION_AT))
    await publish.send(producer, ["after"], 0)
    await until(lambda: effects(database), dict.fromkeys(("before", "elsewhere", "damaged", "after"), 1))
    await until(lambda: unread(running), False)
    assert await measured(running) == (0, 0)


async def unread(running: Running) -> bool:  # noqa: F811
    return running.worker._consumers.unread() is not None


async def test_a_fetch_that_raises_takes_nothing_from_other_partitions(
    running: Running,  # noqa: F811
    database: Database,
    publish: Publisher,
    session_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever still raises inside the client: here it reads the damaged batch itself."""
    producer = await publish.producer()
    names = [f"p{partition}n{n}" for partition in range(3) for n in range(5)]
    for name in names:
        await publish.send(producer, [name], int(name[1]))
    change_on_disk(session_folder, running.settings, 1, 3, lambda raw: with_attributes(raw, 5))
    raised = asyncio.Event()

    def unexamined(data: bytes, *, wanted: int, end: int, quickly: bool = False) -> Readable:
        return Readable(data)

    polled = AIOKafkaConsumer.getmany

    async def watched(*args: Any, **options: Any) -> Any:
        try:
            return await polled(*args, **options)
        except Exception:
            monkeypatch.undo()
            raised.set()
            raise

    monkeypatch.setattr(reader, "make_readable", unexamined)
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", watched)
    running.start()
    await asyncio.wait_for(raised.wait(), 30)
    await until(lambda: effects(database), {name: 1 for name in names if name != "p1n3"})
    assert await letters(database) == [(1, 3, "unreadable")]


async def test_every_codec_is_read_and_of_a_huge_record_the_beginning_is_kept(
    running: Running,  # noqa: F811
    database: Database,
    publish: Publisher,
) -> None:
    for partition, codec in enumerate(name for name in CODECS if name != "none"):
        producer = await publish.producer(compression_type=codec, linger_ms=50)
        topic = running.settings.topic_prefix + TOPIC
        huge = b'{"name": "' + b"x" * (40_000_000 if codec == "gzip" else 2_000_000) + b'"}'
        await publish.send(producer, [f"{codec}-before", "x" * 900], partition % 3)
        await producer.send_and_wait(topic, huge, key=b"k", partition=partition % 3)
        await publish.send(producer, [f"{codec}-behind"], partition % 3)
    running.start()
    names = [f"{codec}-{when}" for codec in CODECS if codec != "none" for when in ("before", "behind")]
    await until(lambda: effects(database), dict.fromkeys([*names, "x" * 900], 1), within_s=60)
    async with database.transaction() as tx:
        found = await tx.all(
            "SELECT reason, octet_length(value) AS kept, sentence FROM dead_letter ORDER BY id"
        )
    assert {(row.reason, row.kept) for row in found} == {("oversized", KEPT_BYTES)}
    assert sorted(row.sentence for row in found) == sorted(
        f"the record has {size + 12} bytes; the limit is 1000000" for size in [40_000_000] + [2_000_000] * 3
    )


async def test_aborted_records_are_not_handled_open_ones_wait_and_markers_are_no_lag(
    running: Running,  # noqa: F811
    database: Database,
    publish: Publisher,
) -> None:
    commits, aborts, opens = [await publish.transaction() for _ in range(3)]
    await publish.send(commits, ["committed"], 0)
    await commits.commit_transaction()
    await publish.send(aborts, ["aborted", "aborted too"], 1)
    await aborts.abort_transaction()
    running.start()
    await until(lambda: effects(database), {"committed": 1})
    await until(
        lambda: committed(running.settings), 2 + 3
    )  # past both markers, though no record follows them
    assert await measured(running) == (0, 0)
    await publish.send(opens, ["waits"], 1)
    await publish.send(await publish.producer(), ["behind"], 1)
    await publish.send(await publish.producer(), ["elsewhere"], 2)
    await until(lambda: effects(database), {"committed": 1, "elsewhere": 1})
    assert (await measured(running))[0] == 0
    await opens.commit_transaction()
    await until(lambda: effects(database), dict.fromkeys(("committed", "elsewhere", "waits", "behind"), 1))
    await until(lambda: committed(running.settings), 2 + 6 + 1)
    assert await letters(database) == []
