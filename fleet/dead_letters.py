"""Records that could not be processed: kept, listed, redriven or discarded; never swallowed.

A letter keeps its record whole, except one that is too large or that Kafka's client cannot read: of that it
keeps the beginning, the size and the hash, and it cannot be redriven. Of a topic of people's contact data it
keeps the place and the hash, and so it does of a topic that others than our services write on, when the
table is full: garbage there must not fill the database. `forget` takes the content out of any other letter,
for a person who is erased.

A letter is one row for each subject (or event, or place in the topic). When a redriven record fails
again its row opens again with one attempt more. Another content under the same identity takes the place
of the one before, which the history keeps. The topic `<service>.dead` tells the rest of the world.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row

from fleet import outbox
from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from fleet.envelope import Message, Record, safe_text
from fleet.faults import fault_point
from fleet.record_format import VALUE_BYTES_MAX

CUT: Final = "hobbs_cut"  # the header that says what of the record the letter does not hold
REDRIVEN: Final = "hobbs_redriven"  # the header of a redriven record: which letter it was
OF_TOPIC: Final = "hobbs_redriven_topic"  # of which topic, and from where in it: partition:offset
OF_PLACE: Final = "hobbs_redriven_place"
# Topics whose records tell of people: a letter keeps no content of theirs. A test compares it with the table.
PERSONAL: Final = frozenset({"contact.changed"})
# Topics that others than our services write on. A test compares this with the table of topics.
OF_OTHERS: Final = frozenset(
    {"flight.cancelled", "flight.completed", "flight.corrected", "flight.dispatched"}
)
FULL_BYTES: Final = 2_000_000_000  # of a service's table of letters, with its indexes
WAS_BYTES: Final = 20_000_000  # of former contents in one letter; of later ones place and hash are kept
LEFT_OUT: Final = "the table of dead letters is full: nothing is kept of this record; its topic has it"
BURIED_BYTES: Final = 4_000_000  # of records in one statement: jsonb holds no more than 255 MB

STATES = ("open", "redriven", "discarded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A readable record that the rules refuse. `subject` is its natural key, such as "flight:F123:1"."""

    admitted: Admitted[Any]
    reason: str
    sentence: str
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What becomes a dead-letter row; `identity` makes it one row however often the record comes back."""

    record: Record
    event_key: UUID | None
    cause: Cause
    reason: str
    sentence: str
    subject: str | None
    identity: str


class DeadLetterEvent(BaseModel):
    """The body of `<service>.dead`; the bytes stay in the table."""

    dead_letter_id: UUID
    service: str
    topic: str
    partition: int
    offset: int
    reason: str
    sentence: str
    subject: str | None
    attempts: int
    last_seen_at: datetime


async def bury(tx: Tx, refusals: Sequence[Refusal]) -> None:
    """Keep refused records as dead letters, in the transaction that refused them."""
    await bury_letters(tx, [_letter(refusal) for refusal in refusals])


async def bury_letters(tx: Tx, letters: Sequence[Letter]) -> None:
    """Keep letters and stage one `<service>.dead` event for each row that is new or open again."""
    if not letters:
        return
    unique = {(letter.record.topic, letter.identity): letter for letter in letters}
    causes = {key: letter.cause for key, letter in unique.items()}
    rows: list[Row[Any]] = []
    full = any(letter.record.topic in OF_OTHERS for letter in letters) and await _is_full(tx)
    for some in _in_portions([unique[key] for key in sorted(unique)]):
        rows += await tx.all(
            _BURY, letters=json_parameter([_row(letter, full=full) for letter in some]), was_bytes=WAS_BYTES
        )
    await outbox.stage(tx, [_event(tx.service, row, causes[row.topic, row.identity]) for row in rows])
    await fault_point("dead_letters.buried")


async def _is_full(tx: Tx) -> bool:
    bytes_now = (await tx.one("SELECT pg_total_relation_size('dead_letter') AS bytes")).bytes
    return bool(bytes_now >= FULL_BYTES)


def _in_portions(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """The same letters in their order, in lists whose records have about BURIED_BYTES."""
    portion: list[Letter] = []
    held = 0
    for letter in letters:
        portion.append(letter)
        held += len(letter.record.value or b"") + len(letter.record.key or b"")
        if held >= BURIED_BYTES:
            yield portion
            portion, held = [], 0
    if portion:
        yield portion


_STILL_OPEN = """
    SELECT identity FROM dead_letter
    WHERE topic = :topic AND identity = ANY (CAST(:identities AS text[]))
      AND state = 'open' AND reason = :reason
"""


async def still_open(tx: Tx, topic: str, identities: Sequence[str], reason: str) -> set[str]:
    """Which of these letters are open for this reason."""
    rows = await tx.all(_STILL_OPEN, topic=topic, identities=list(identities), reason=reason)
    return {row.identity for row in rows}


_HOLDING = """
    SELECT letter.topic, letter.identity
    FROM jsonb_to_recordset(CAST(:letters AS jsonb)) AS claim (
        topic text, identity text, key text, payload_hash text, headers jsonb)
    JOIN dead_letter AS letter ON letter.topic = claim.topic AND letter.identity = claim.identity
    -- In any state: when the topic is read again, the letter may be open or discarded long since.
    WHERE letter.payload_hash = decode(claim.payload_hash, 'base64')
      AND letter.key IS NOT DISTINCT FROM decode(claim.key, 'base64')
      AND letter.headers - CAST(:mark AS text) = claim.headers - CAST(:mark AS text)
"""


async def holding_their_record(tx: Tx, letters: Sequence[Letter]) -> set[tuple[str, str]]:
    """Topic and identity of those rows that hold the very record of the letter given for them."""
    claims = [{name: value for name, value in _row(letter).items() if name != "value"} for letter in letters]
    rows = await tx.all(_HOLDING, letters=json_parameter(claims), mark=REDRIVEN)
    return {(row.topic, row.identity) for row in rows}


def _letter(refusal: Refusal) -> Letter:
    admitted = refusal.admitted
    return Letter(
        record=admitted.record,
        event_key=admitted.event_key,
        cause=admitted.cause,
        reason=refusal.reason,
        sentence=refusal.sentence,
        subject=refusal.subject,
        identity=refusal.subject or str(admitted.event_key),
    )


# A replay of the topic finds the same payload in an open letter and changes nothing. Another content takes
# its place; the one before stays in the step that replaced it (`was`), whole while those are under WAS_BYTES.
_BURY = """
    INSERT INTO dead_letter (topic, partition, "offset", identity, subject, key, value, headers, payload_hash,
                             event_key, correlation_id, reason, sentence, history)
    SELECT topic, partition, "offset", identity, subject, decode(key, 'base64'), decode(value, 'base64'),
           headers, decode(payload_hash, 'base64'), event_key, correlation_id, reason, sentence,
           jsonb_build_array(jsonb_build_object('at', now(), 'what', 'refused', 'reason', reason,
                                                'sentence', sentence))
    FROM jsonb_to_recordset(CAST(:letters AS jsonb)) AS letter (
        topic text, partition integer, "offset" bigint, identity text, subject text, key text, value text,
        headers jsonb, payload_hash text, event_key uuid, correlation_id text, reason text, sentence text)
    ORDER BY topic, identity
    ON CONFLICT ON CONSTRAINT one_dead_letter_for_each_subject DO UPDATE SET
        partition = excluded.partition, "offset" = excluded."offset", key = excluded.key,
        value = excluded.value, headers = excluded.headers, payload_hash = excluded.payload_hash,
        event_key = excluded.event_key, correlation_id = excluded.correlation_id,
        reason = excluded.reason, sentence = excluded.sentence, state = 'open',
        attempts = dead_letter.attempts + 1, last_seen_at = now(),
        history = dead_letter.history || CASE
            WHEN dead_letter.payload_hash = excluded.payload_hash THEN excluded.history
            ELSE jsonb_set(excluded.history, '{0,was}', jsonb_build_object(
                'partition', dead_letter.partition, 'offset', dead_letter."offset",
                'payload_hash', encode(dead_letter.payload_hash, 'hex'), 'event_key', dead_letter.event_key)
                || CASE WHEN octet_length(dead_letter.history::text) > :was_bytes THEN '{}'
                   ELSE jsonb_build_object('key', encode(dead_letter.key, 'base64'),
                        'value', encode(dead_letter.value, 'base64'), 'headers', dead_letter.headers) END) END
    WHERE dead_letter.state = 'redriven' OR dead_letter.payload_hash <> excluded.payload_hash
    RETURNING id, topic, partition, "offset", identity, subject, reason, sentence, attempts, last_seen_at
"""


def _row(letter: Letter, *, full: bool = False) -> dict[str, Any]:
    """The letter as a row. full: no more content of records that others wrote is kept."""
    record = letter.record
    left_out = full and record.topic in OF_OTHERS
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "identity": letter.identity,
        "subject": letter.subject,
        "key": None if left_out else _base64(record.key),
        "value": None if left_out or record.topic in PERSONAL else _base64(record.value),
        "headers": {CUT: LEFT_OUT} if left_out else _headers(record),
        "payload_hash": _base64(record.cut.digest if record.cut else sha256(record.value or b"").digest()),
        "event_key": letter.event_key,
        "correlation_id": letter.cause.correlation_id,
        "reason": letter.reason,
        "sentence": safe_text(letter.sentence),
    }


def _headers(record: Record) -> dict[str, str]:
    kept = {name: value for name, value in record.headers.items() if name != CUT}
    if record.topic in PERSONAL:
        kept |= {CUT: "the record tells of a person: nothing of it is kept; state it anew"}
    elif record.cut:
        size = "unknown" if record.cut.size is None else str(record.cut.size)
        kept |= {CUT: f"bytes of the record: {size}; kept: {len(record.value or b'')}"}
    return kept


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _event(service: str, row: Row[Any], cause: Cause) -> Message:
    event = DeadLetterEvent(
        dead_letter_id=row.id,
        service=service,
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        reason=row.reason,
        sentence=row.sentence,
        subject=row.subject,
        attempts=row.attempts,
        last_seen_at=row.last_seen_at,
    )
    return Message(topic=f"{service}.dead", key=str(row.id), event=event, cause=cause)


_LIST = """
    SELECT id, topic, partition, "offset", subject, reason, sentence, attempts, state, first_seen_at,
           last_seen_at, correlation_id
    FROM dead_letters
    WHERE (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:reason AS text) IS NULL OR reason = :reason)
      AND (CAST(:topic AS text) IS NULL OR topic = :topic)
    ORDER BY CASE WHEN :newest_first THEN NULL ELSE id END, id DESC LIMIT :most OFFSET :skip
"""


async def list_letters(
    tx: Tx,
    *,
    state: str | None = "open",
    reason: str | None = None,
    topic: str | None = None,
    most: int = 1000,
    skip: int = 0,
    newest_first: bool = False,
) -> list[Row[Any]]:
    """Letters in the order they came, or in the opposite one, without their payload.

    They are read from the published view of one service: `tx` sees the schema `<service>_public`.
    """
    return await tx.all(
        _LIST, state=state, reason=reason, topic=topic, most=most, skip=skip, newest_first=newest_first
    )


async def show(tx: Tx, letter_id: UUID) -> Row[Any] | None:
    """One letter, whole; `headers` and `history` are JSON documents, `key` and `value` bytes."""
    return await tx.first("SELECT * FROM dead_letter WHERE id = :id", id=letter_id)


_REDRIVE = """
    WITH letter AS (
        UPDATE dead_letter
        SET state = 'redriven', last_seen_at = now(),
            history = history || jsonb_build_array(
                jsonb_build_object('at', now(), 'what', 'redriven', 'who', CAST(:who AS text)))
        WHERE id = ANY (CAST(:ids AS uuid[])) AND state IN ('open', 'discarded')
          AND NOT jsonb_exists(headers, :cut) AND coalesce(octet_length(value), 0) <= :most
        RETURNING id, topic, partition, "offset", identity, key, value, headers, event_key
    ), forgotten AS (
        DELETE FROM inbox USING letter WHERE inbox.event_key = letter.event_key
    ), staged AS (
        INSERT INTO outbox (topic, key, value, raw_headers)
        SELECT :to, key, value, headers || jsonb_build_object(CAST(:mark AS text), identity,
            CAST(:of_topic AS text), topic, CAST(:of_place AS text), partition || ':' || "offset")
        FROM letter ORDER BY id
    )
    SELECT id FROM letter
"""


async def redrive(tx: Tx, ids: Sequence[UUID], *, who: str) -> list[UUID]:
    """Send letters to the service's own topic, as they came: it reads them anew (fleet/redrives.py).

    Other consumers of their topics never see them. Letters already redriven stay, and those that do not hold
    their record whole (see `cut`).
    """
    tx.wake_outbox()
    names = {"to": f"{tx.service}.redrive", "mark": REDRIVEN, "of_topic": OF_TOPIC, "of_place": OF_PLACE}
    rows = await tx.all(_REDRIVE, ids=list(ids), who=who, cut=CUT, most=VALUE_BYTES_MAX, **names)
    redriven = [row.id for row in rows]
    await fault_point("redrive.staged")
    return redriven


_CUT = """
    SELECT id FROM dead_letter
    WHERE id = ANY (CAST(:ids AS uuid[]))
      AND (jsonb_exists(headers, :cut) OR coalesce(octet_length(value), 0) > :most)
    ORDER BY id
"""


async def cut(tx: Tx, ids: Sequence[UUID]) -> list[UUID]:
    """Which of these letters hold no record that could be sent again."""
    return [row.id for row in await tx.all(_CUT, ids=list(ids), cut=CUT, most=VALUE_BYTES_MAX)]


_DISCARD = """
    UPDATE dead_letter
    SET state = 'discarded', last_seen_at = now(),
        history = history || jsonb_build_array(jsonb_build_object(
            'at', now(), 'what', 'discarded', 'who', CAST(:who AS text), 'why', CAST(:why AS text)))
    WHERE id = ANY (CAST(:ids AS uuid[])) AND state = 'open'
    RETURNING id
"""


async def discard(tx: Tx, ids: Sequence[UUID], *, who: str, why: str) -> list[UUID]:
    """Close letters without processing them, with a reason; they stay readable."""
    return [row.id for row in await tx.all(_DISCARD, ids=list(ids), who=who, why=why)]


# The hash stays, so that the same record is no news when its topic is read again; identity and reason too.
_FORGET = """
    UPDATE dead_letter
    SET value = NULL, key = NULL,
        headers = jsonb_build_object(CAST(:cut AS text), CAST(:said AS text)),
        state = CASE state WHEN 'open' THEN 'discarded' ELSE state END, last_seen_at = now(),
        history = without_former_contents(history) || jsonb_build_array(jsonb_build_object(
            'at', now(), 'what', 'forgotten', 'who', CAST(:who AS text), 'why', CAST(:why AS text)))
    WHERE id = ANY (CAST(:ids AS uuid[])) AND (value IS NOT NULL OR history @? '$[*].was.value')
    RETURNING id
"""
FORGOTTEN: Final = "the content was forgotten: it told of a person"


async def forget(tx: Tx, ids: Sequence[UUID], *, who: str, why: str) -> list[UUID]:
    """Take the content out of letters, for good; which of them had one. An open one is discarded."""
    rows = await tx.all(_FORGET, ids=list(ids), who=who, why=why, cut=CUT, said=FORGOTTEN)
    return [row.id for row in rows]


_SENTENCE = "SELECT sentence FROM dead_letters WHERE event_key = ANY (CAST(:keys AS uuid[])) LIMIT 1"


async def sentence_of(tx: Tx, event_keys: Sequence[UUID]) -> str | None:
    """Why one of these events became a dead letter of a service; None when none of them did.

    `tx` sees the schema `<service>_public`.
    """
    row = await tx.first(_SENTENCE, keys=list(event_keys))
    return row.sentence if row else None
