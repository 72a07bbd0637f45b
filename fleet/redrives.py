"""Redriven letters come back on the service's own topic, to the handlers of the topics that they are of.

No service writes on a topic that it only reads, so nobody needs the right to. A record keeps its topic,
partition and offset, so that it is the same record to whoever handles it, and fails as the same letter.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

from fleet import inbox
from fleet.database import Database
from fleet.dead_letters import OF_PLACE, OF_TOPIC
from fleet.envelope import Record
from fleet.inbox import Unreadable
from fleet.shared_batches import Handler


def topic_of(service: str) -> str:
    """The topic that a service alone writes and reads."""
    return f"{service}.redrive"


async def take(db: Database, handlers: Mapping[str, Handler], batch: Sequence[Record]) -> None:
    """Hand each record to the handler of its own topic, in order; what names none of them is buried.

    Each run of one topic is handled in a transaction of its own. Read again, what was handled is a repeat.
    """
    for topic, run in groupby(map(as_it_was, batch), key=lambda record: record.topic):
        records = list(run)
        handler = handlers.get(topic) if topic != topic_of(db.schema) else None
        if handler is not None:
            await handler(records)
            continue
        problem = Unreadable("no_such_topic", f"{db.schema} reads no topic of the name that the record bears")
        async with db.transaction() as tx:
            await inbox.bury_unreadable(tx, records, problem)


def as_it_was(record: Record) -> Record:
    """The record as it was first read; one that does not say where that was stays as it is."""
    partition, _, offset = record.headers.get(OF_PLACE, "").partition(":")
    if not (partition.isdecimal() and offset.isdecimal() and OF_TOPIC in record.headers):
        return record
    headers = {name: value for name, value in record.headers.items() if name not in (OF_TOPIC, OF_PLACE)}
    topic = record.headers[OF_TOPIC]
    return record._replace(topic=topic, partition=int(partition), offset=int(offset), headers=headers)
