"""Topics that are kept for ever, in files beside the backups: what a lost Kafka cannot give back by itself.

`keep` adds what came since the last time, a file for each topic. `fill` writes the files into the topics of a
new Kafka: same partitions, keys, bytes, headers and times. Offsets begin at nought again, so each consumer is
told by the service's own positions from which of these records on it has not handled them.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from fleet.database import Tx
from fleet.envelope import Record
from fleet.kafka_client import connection, open_producer
from fleet.reader import Reader
from fleet.revisions import migrated
from fleet.settings import Settings
from hobbs.put_back.sent_rows import NotPutBack, refuse_unless_alone
from hobbs.replay import file as records
from hobbs.replay import reading
from hobbs.replay.span import Part
from schemas.kafka_rights import group_of, readers
from schemas.topics import FOREVER, TOPICS

STATE: Final = "kept.json"
BATCH: Final = 500
_POSITIONS: Final = "SELECT partition, next_offset FROM {schema}.topic_position WHERE topic = :topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTopic:
    """How many records of a topic were written: to files, or to a new Kafka."""

    topic: str
    records: int


def kept_for_ever() -> list[str]:
    """The topics of which a folder has the records."""
    return [topic.name for topic in TOPICS.values() if topic.retention_ms == FOREVER]


async def keep(settings: Settings, folder: Path) -> list[KeptTopic]:
    """Write what came since the last time to new files in `folder`; a file counts once all are written.

    Raises NotPutBack when Kafka has less than the folder: it was lost, or is another one.
    """
    before = _state(folder)
    files, ends = list(before["files"]), dict(before["ends"])
    done = []
    async with reading.open_reader(settings) as reader:
        for topic in kept_for_ever():
            parts = await _since(reader, settings.topic_prefix + topic, ends.get(topic, {}))
            if not parts:
                continue
            name = f"{topic}.{len(files):06}.jsonl"
            (folder / name).unlink(missing_ok=True)  # of a run that was killed
            done.append(KeptTopic(topic=topic, records=await _write(reader, folder / name, topic, parts)))
            files.append({"name": name, "sha256": _digest(folder / name)})
            ends[topic] = ends.get(topic, {}) | {str(part.place.partition): part.end for part in parts}
    _write_state(folder, {"files": files, "ends": ends})
    return done


async def _since(reader: Reader, topic: str, kept: Mapping[str, int]) -> list[Part]:
    ends = await reader.ends_of(topic)
    places = [TopicPartition(topic, number) for number in sorted(ends)]
    firsts = await reader.beginning_offsets(places)
    parts = [
        Part(place=at, begin=kept.get(str(at.partition), firsts[at]), end=ends[at.partition]) for at in places
    ]
    if any(part.begin > part.end for part in parts):
        raise NotPutBack(f"Kafka has less of {topic} than the folder: it was lost, or it is another one")
    return [part for part in parts if part.begin < part.end]


async def _write(reader: Reader, path: Path, topic: str, parts: Sequence[Part]) -> int:
    written = 0
    with records.create(path, topic) as file:
        async for batch in reading.of_topic(reader, parts[0].place.topic, parts, reading.Choice()):
            file.writelines(records.line(record) for record in batch)
            written += len(batch)
        file.flush()
        os.fsync(file.fileno())
    return written


def _state(folder: Path) -> dict[str, Any]:
    path = folder / STATE
    return orjson.loads(path.read_bytes()) if path.exists() else {"files": [], "ends": {}}


def _write_state(folder: Path, state: Mapping[str, Any]) -> None:
    beside = folder / f"{STATE}.new"
    with beside.open("wb") as file:
        file.write(orjson.dumps(state))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / STATE)


async def fill(tx: Tx, settings: Settings, folder: Path) -> list[KeptTopic]:
    """Write the folder's records into the empty topics of a new Kafka, before the sent rows are put back.

    `tx`: the database owner's, which holds every relay's lock meanwhile. Raises NotPutBack when a service is
    running, or a topic is missing, has other partitions, or has records already.
    """
    await tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    await refuse_unless_alone(tx)
    files = _state(folder)["files"]
    if not files:
        raise NotPutBack(f"{folder} has no records: `hobbs kafka keep` writes them")
    of_topic = _by_topic(folder, files)
    await _refuse_unless_empty(settings, list(of_topic))
    done = []
    async with open_producer(settings) as producer:
        for topic, paths in of_topic.items():
            places = await _publish(producer, settings.topic_prefix + topic, paths)
            for service in set(readers(TOPICS[topic])) & set(migrated()):
                await _begin(settings, service, topic, places, await _handled(tx, service, topic))
            done.append(KeptTopic(topic=topic, records=sum(len(offsets) for offsets in places.values())))
    return done


def _by_topic(folder: Path, files: Sequence[Mapping[str, str]]) -> dict[str, list[Path]]:
    """Each topic's files in their order; before anything is written, each is what `keep` wrote."""
    found: dict[str, list[Path]] = {}
    for file in files:
        path = folder / file["name"]
        if not path.is_file() or _digest(path) != file["sha256"]:
            raise NotPutBack(f"{path} is not what `hobbs kafka keep` wrote: take the folder's copy")
        topic = records.topic_of(path)
        if topic not in kept_for_ever():
            raise NotPutBack(f"{path} is of {topic}, which is not kept for ever")
        found.setdefault(topic, []).append(path)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _refuse_unless_empty(settings: Settings, topics: Sequence[str]) -> None:
    async with reading.open_reader(settings) as reader:
        for topic in topics:
            ends = await reader.ends_of(settings.topic_prefix + topic)
            if not ends:
                raise NotPutBack(f"this Kafka has no topic {settings.topic_prefix}{topic}: hobbs migrate")
            if any(ends.values()):
                raise NotPutBack(f"{settings.topic_prefix}{topic} has records: make the topics anew")


async def _publish(producer: AIOKafkaProducer, topic: str, paths: Sequence[Path]) -> dict[int, list[int]]:
    """Publish the files' records, each in its partition; of each partition the old offsets in order."""
    places: dict[int, list[int]] = {}
    async for batch in _of_files(paths):
        sent = [await _send(producer, topic, record) for record in batch]
        for record, future in zip(batch, sent, strict=True):
            await future
            places.setdefault(record.partition, []).append(record.offset)
    return places


async def _of_files(paths: Sequence[Path]) -> AsyncIterator[Sequence[Record]]:
    for path in paths:
        async for batch in records.of_file(path, BATCH):
            yield batch


async def _send(producer: AIOKafkaProducer, topic: str, record: Record) -> Any:
    try:
        return await producer.send(
            topic,
            record.value,
            record.key,
            partition=record.partition,
            timestamp_ms=int(record.timestamp.timestamp() * 1000),
            headers=[(name, value.encode()) for name, value in record.headers.items()],
        )
    except AssertionError:
        raise NotPutBack(f"{topic} has no partition {record.partition}, as it had before") from None


async def _handled(tx: Tx, service: str, topic: str) -> dict[int, int]:
    rows = await tx.all(_POSITIONS.format(schema=service), topic=topic)
    return {row.partition: row.next_offset for row in rows}


async def _begin(
    settings: Settings,
    service: str,
    topic: str,
    places: Mapping[int, Sequence[int]],
    handled: Mapping[int, int],
) -> None:
    """Have a service begin at the first of these records that it had not handled."""
    begin = {
        number: sum(offset < handled.get(number, 0) for offset in offsets)
        for number, offsets in places.items()
    }
    name = settings.topic_prefix + topic
    places_of = {TopicPartition(name, number): OffsetAndMetadata(at, "") for number, at in begin.items()}
    member = AIOKafkaConsumer(
        **connection(settings),
        group_id=group_of(service, topic, settings.topic_prefix),
        enable_auto_commit=False,
    )
    member.assign(list(places_of))
    await member.start()
    try:
        await member.commit(places_of)
    finally:
        await member.stop()
