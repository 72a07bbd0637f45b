"""Exactly once in effect: a record is admitted in the transaction that carries its effect, or not at all.

A record nobody can read becomes a dead letter in the same transaction and never raises: with
NACK_ON_ERROR one raising record would come back at once, forever.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError

from fleet import dead_letters, metrics
from fleet.admitted import Admitted as Admitted
from fleet.database import Tx
from fleet.dead_letters import REDRIVEN, Letter
from fleet.envelope import (
    CONTENT_HEADER,
    OWN_SOURCES,
    Message,
    Record,
    cause_of,
    derived_key,
    event_key_of,
)
from fleet.faults import fault_point
from fleet.record_format import VALUE_BYTES_MAX

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Unreadable(Exception):
    """A record that cannot be understood: `reason` is its class, `sentence` is for people."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class _Reading(NamedTuple, Generic[T]):
    admitted: Admitted[T]
    payload_hash: bytes


def read(record: Record, model: type[M]) -> M:
    """Decode and validate a record's body. Raises Unreadable, with a sentence that shows no input."""
    value = record.value
    if record.cut:
        raise Unreadable(record.cut.reason, record.cut.sentence)
    if value is None:
        raise Unreadable("null_value", "the record has no value")
    if len(value) > VALUE_BYTES_MAX:
        raise Unreadable("oversized", f"the record has {len(value)} bytes; the limit is {VALUE_BYTES_MAX}")
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise _not_json(value, error) from None
    if not isinstance(document, dict):
        raise Unreadable("not_an_object", "the record is JSON but not an object")
    if has_nul(value, document):
        raise Unreadable("nul_character", "the record contains a NUL character, which cannot be stored")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Unreadable("invalid", describe(error)) from None


def has_nul(body: bytes, document: Any) -> bool:
    """Whether a text of the JSON document has a NUL, which PostgreSQL cannot store.

    `body` is the document's JSON: a backslash, u and four zeros as six characters of a text are no NUL.
    """
    if b"\\u0000" not in body:
        return False
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            if "\x00" in node:
                return True
        elif isinstance(node, dict):
            waiting += [*node.keys(), *node.values()]
        elif isinstance(node, list):
            waiting += node
    return False


def describe(error: ValidationError) -> str:
    """One sentence naming each bad field and what is wrong with it, without echoing its value."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = (
        f"{'.'.join(map(str, e['loc'])) or 'record'}: {e['msg'].removeprefix('Value error, ')}"
        for e in found[:10]
    )
    return "; ".join(problems)[:1900]


async def admit(
    tx: Tx,
    batch: Sequence[Record],
    parse: Callable[[Record], T],
    *,
    natural_key: Callable[[T], str] | None = None,
) -> list[Admitted[T]]:
    """Admit the new and readable records of a batch, in its order.

    Duplicates are dropped; unreadable records, and an event id that comes back with another payload,
    become dead letters in this transaction.
    """
    readings, letters = _read_all(batch, parse, natural_key)
    first = _first_of_each(readings)
    known = await _known_hashes(tx, first)
    fresh = [r for r in first.values() if r.admitted.event_key not in known]
    if known or len(first) < len(readings):
        letters += _reused_ids(readings, {k: r.payload_hash for k, r in first.items()} | known)
    letters = await _news(tx, await _as_redriven(tx, letters))
    await dead_letters.bury_letters(tx, letters)
    await fault_point("inbox.admitted")
    metrics.RECORDS.labels(tx.service, "admitted").inc(len(fresh))
    metrics.RECORDS.labels(tx.service, "dead").inc(len(letters))
    metrics.RECORDS.labels(tx.service, "duplicate").inc(len(batch) - len(fresh) - len(letters))
    return [r.admitted for r in fresh]


async def remember(tx: Tx, message: Message) -> None:
    """Admit an event that this transaction publishes, and whose effect it has already had here.

    Its record is a repeat when it comes, in the place of this instant for whoever reads the topic again.
    """
    await tx.all(_ADMIT, keys=[message.event_id], hashes=[sha256(message.body).digest()])


async def not_admitted(tx: Tx, records: Sequence[Record]) -> list[Record]:
    """Those whose own id was not admitted before with this content."""
    keys = [event_key_of(record, None) for record in records]
    rows = await tx.all(_KNOWN, keys=[key for key in keys if key is not None])
    known = {row.event_key: row.payload_hash for row in rows}
    return [
        record for record, key in zip(records, keys, strict=True) if known.get(key) != payload_hash(record)
    ]


async def bury_unreadable(tx: Tx, records: Sequence[Record], problem: Unreadable) -> None:
    """Keep records as dead letters; their events are not admitted."""
    await dead_letters.bury_letters(tx, await unreadable_letters(tx, records, problem))
    metrics.RECORDS.labels(tx.service, "dead").inc(len(records))


def _read_all(
    batch: Sequence[Record], parse: Callable[[Record], T], natural_key: Callable[[T], str] | None
) -> tuple[list[_Reading[T]], list[Letter]]:
    readings: list[_Reading[T]] = []
    letters: list[Letter] = []
    for record in batch:
        try:
            if record.cut:
                raise Unreadable(record.cut.reason, record.cut.sentence)
            event = parse(record)
        except (Unreadable, ValidationError) as error:
            letters.append(_unreadable_letter(record, error))
        else:
            readings.append(_reading(record, event, natural_key(event) if natural_key else None))
    return readings, letters


def _reading(record: Record, event: T, natural_key: str | None) -> _Reading[T]:
    digest = payload_hash(record)
    key = event_key_of(record, natural_key) or derived_key(record.topic, "", digest.hex())
    return _Reading(Admitted(event, record, key, cause_of(record, key)), digest)


def payload_hash(record: Record) -> bytes:
    """Hash what the event says: its body, unless our publisher named its content (see Message.content)."""
    if record.cut:
        return record.cut.digest
    named = record.headers.get(CONTENT_HEADER, "")
    if named and record.headers.get("ce_source", "").startswith(OWN_SOURCES):
        return sha256(named.encode()).digest()
    return sha256(record.value or b"").digest()


def _first_of_each(readings: Sequence[_Reading[T]]) -> dict[UUID, _Reading[T]]:
    first: dict[UUID, _Reading[T]] = {}
    for reading in readings:
        first.setdefault(reading.admitted.event_key, reading)
    return first


_ADMIT = """
    INSERT INTO inbox (event_key, payload_hash)
    SELECT event_key, payload_hash
    FROM unnest(CAST(:keys AS uuid[]), CAST(:hashes AS bytea[])) AS batch (event_key, payload_hash)
    ORDER BY event_key  -- one order for everybody: two members never deadlock on the same keys
    ON CONFLICT ON CONSTRAINT event_is_admitted_once DO NOTHING
    RETURNING event_key
"""

_KNOWN = """
    SELECT event_key, payload_hash FROM inbox WHERE event_key = ANY (CAST(:keys AS uuid[]))
"""


async def _known_hashes(tx: Tx, first: dict[UUID, _Reading[T]]) -> dict[UUID, bytes]:
    """Admit what is new; the stored payload hash of each event that was admitted before."""
    if not first:
        return {}
    hashes = [r.payload_hash for r in first.values()]
    rows = await tx.all(_ADMIT, keys=list(first), hashes=hashes)
    if len(rows) == len(first):
        return {}
    seen = set(first) - {row.event_key for row in rows}
    return {row.event_key: row.payload_hash for row in await tx.all(_KNOWN, keys=list(seen))}


async def _news(tx: Tx, letters: list[Letter]) -> list[Letter]:
    """Leave out records that were admitted before: a repeat stays one when a later rule would refuse it."""
    keys = [letter.event_key for letter in letters if letter.event_key is not None]
    if not keys:
        return letters
    known = {row.event_key: row.payload_hash for row in await tx.all(_KNOWN, keys=keys)}
    return [letter for letter in letters if known.get(letter.event_key) != payload_hash(letter.record)]


def _reused_ids(readings: Sequence[_Reading[T]], accepted: dict[UUID, bytes]) -> list[Letter]:
    return [
        Letter(
            record=r.admitted.record,
            event_key=r.admitted.event_key,
            cause=r.admitted.cause,
            reason="event_id_reused",
            sentence=f"event {r.admitted.event_key} was already received with another content",
            subject=None,
            identity=f"{r.admitted.event_key}:{r.payload_hash.hex()[:16]}",
        )
        for r in readings
        if accepted[r.admitted.event_key] != r.payload_hash
    ]


async def unreadable_letters(tx: Tx, records: Sequence[Record], problem: Unreadable) -> list[Letter]:
    """The letters of records whose bodies say nothing; the same ones however often the records come."""
    return await _as_redriven(tx, [_unreadable_letter(record, problem) for record in records])


def _unreadable_letter(record: Record, error: Unreadable | ValidationError) -> Letter:
    key = event_key_of(record, None)
    place = f"{record.partition}:{record.offset}"
    readable = isinstance(error, Unreadable)
    return Letter(
        record=record,
        event_key=key,
        cause=cause_of(record, key or derived_key(record.topic, "", place)),
        reason=error.reason if readable else "invalid",  # type: ignore[union-attr]
        sentence=error.sentence if readable else describe(error),  # type: ignore[union-attr,arg-type]
        subject=None,
        identity=place if key is None else f"{key}:{payload_hash(record).hex()[:16]}",
    )


async def _as_redriven(tx: Tx, letters: list[Letter]) -> list[Letter]:
    """Give letters of redriven records the identity of the letter that was redriven, where that is proven.

    Anybody can write the header. It counts when the letter it names holds this very record; otherwise a
    stranger's record would take the place of the evidence in that letter.
    """
    claims = {
        number: letter.record.headers[REDRIVEN]
        for number, letter in enumerate(letters)
        if letter.event_key is None and REDRIVEN in letter.record.headers
    }
    if not claims:
        return letters
    claimed = {number: replace(letters[number], identity=claim) for number, claim in claims.items()}
    proven = await dead_letters.holding_their_record(tx, list(claimed.values()))
    for number, claim in claims.items():
        if (letters[number].record.topic, claim) in proven:
            cause = cause_of(letters[number].record, derived_key(letters[number].record.topic, "", claim))
            letters[number] = replace(claimed[number], cause=cause)
    return letters


def _not_json(value: bytes, error: orjson.JSONDecodeError) -> Unreadable:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as problem:
        return Unreadable("not_utf8", f"the record is not UTF-8: bad byte at position {problem.start}")
    return Unreadable("not_json", f"the record is not JSON: {error.msg} at position {error.pos}")


_COUNT_ADMITTED = (
    "SELECT count(*) AS admitted FROM admitted_events WHERE event_key = ANY (CAST(:keys AS uuid[]))"
)


async def count_admitted(tx: Tx, event_keys: Sequence[UUID]) -> int:
    """How many of these events a service has admitted and not yet forgotten, from its published view.

    `tx` sees the schema `<service>_public`.
    """
    return int((await tx.one(_COUNT_ADMITTED, keys=list(event_keys))).admitted)
