"""A topic's handler is handed what is proved; the rest is buried, or counts as a stranger's (proofs.py).

It stands before the handler, so that no handler can forget it. Nothing here changes what a repeat is: a
record that was admitted before its reader had keys stays a repeat.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fleet import inbox
from fleet.database import Database, Tx
from fleet.envelope import OWN_SOURCES, Record, event_key_of
from fleet.inbox import Unreadable
from fleet.proofs import NAME, Proved, Publishers
from fleet.shared_batches import Handler

NOT_PROVED: Final = "not_proved"
UNPROVED: Final = "unproved:"  # before a source that is a service's name without its proof
_PROBLEM: Final = Unreadable(
    NOT_PROVED,
    f"no key of {NAME} made the record's proof: the service that it names did not write it, or wrote it "
    "before it had the key; docs/operations/secrets.md says how to read such records again",
)
_BURIED: Final = """
    SELECT topic, identity FROM dead_letter
    WHERE reason = :reason AND identity = ANY (CAST(:identities AS text[]))
"""


async def hand_proved(db: Database, publishers: Publishers, handle: Handler, batch: Sequence[Record]) -> None:
    """Hand a batch to its handler without what no publisher of its topic proves to have written."""
    doubted = [
        record
        for record in batch
        if publishers.asked(record.topic) and not record.cut and publishers.writer(record) is None
    ]
    if doubted:
        batch = await _believed(db, publishers, batch, doubted)
    if batch:
        await handle(batch)


async def not_believed(tx: Tx, records: Sequence[Record]) -> list[Record]:
    """Of a topic's records those that were buried as not proved here, and not admitted since."""
    new = await inbox.not_admitted(tx, records)
    letters = await inbox.unreadable_letters(tx, new, _PROBLEM)
    rows = await tx.all(_BURIED, reason=NOT_PROVED, identities=[letter.identity for letter in letters])
    buried = {(row.topic, row.identity) for row in rows}
    return [letter.record for letter in letters if (letter.record.topic, letter.identity) in buried]


async def bury(tx: Tx, records: Sequence[Record]) -> None:
    """Keep records as letters that nobody proves."""
    await inbox.bury_unreadable(tx, records, _PROBLEM)


async def _believed(
    db: Database, publishers: Publishers, batch: Sequence[Record], doubted: Sequence[Record]
) -> list[Record]:
    """The batch without what is buried; strangers' records are under no service's name."""
    async with db.transaction() as tx:
        new = await inbox.not_admitted(tx, doubted)
        refused = [record for record in new if not publishers.topics[record.topic].others]
        await bury(tx, refused)
    buried, strangers = {id(one) for one in refused}, {id(one) for one in new}
    return [
        _as_a_strangers(record, publishers.topics[record.topic]) if id(record) in strangers else record
        for record in batch
        if id(record) not in buried
    ]


def _as_a_strangers(record: Record, topic: Proved) -> Record:
    """The record under a name that is no service's: so its id counts, and the content that it names."""
    source = record.headers.get("ce_source", "")
    if not source.startswith(OWN_SOURCES):
        return record
    if not topic.foreign and source.removeprefix(OWN_SOURCES) not in topic.by:
        return record
    return record._replace(headers={**record.headers, "ce_source": UNPROVED + source})


def keys_in_inbox(record: Record) -> Sequence[UUID]:
    """Under which names an inbox may know a record: its own id, and what it is called without a proof."""
    source = record.headers.get("ce_source", "")
    unproved = record._replace(headers={**record.headers, "ce_source": UNPROVED + source})
    named = (record, unproved) if source.startswith(OWN_SOURCES) else (record,)
    return [key for one in named if (key := event_key_of(one, None)) is not None]


_READS_WITH_KEYS: Final = """
    SELECT EXISTS (SELECT FROM inbox WHERE event_key = ANY (CAST(:keys AS uuid[])))
        OR EXISTS (SELECT FROM dead_letter WHERE topic = ANY (CAST(:topics AS text[])) AND reason = :reason)
        AS with_keys
"""


async def lacks_keys(db: Database, publishers: Publishers, batch: Sequence[Record]) -> bool:
    """Whether the service has read such records with keys that this process does not have.

    Without them it would believe whatever the service buried, and call known records by another name.
    """
    proved = [] if publishers.keys else [record for record in batch if record.topic in publishers.topics]
    if not proved:
        return False
    keys = [key for record in proved for key in keys_in_inbox(record)[1:]]
    topics = sorted({record.topic for record in proved})
    async with db.transaction() as tx:
        row = await tx.one(_READS_WITH_KEYS, keys=keys, topics=topics, reason=NOT_PROVED)
    return bool(row.with_keys)
