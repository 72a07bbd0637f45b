"""The statements about the school's book: its cards, its versions, and which version is in force."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.billing.domain.card_documents import read_card
from services.billing.domain.flights import Flight
from services.billing.domain.rates import Book, DatedCard
from services.billing.domain.versions import CardChange, ChangeSet

_LOCK_SHARED = "SELECT version FROM book FOR SHARE"

# Each part compares kind and key with constants or arrays: only that is pushed into the view, to its index.
_CARDS = """
    SELECT kind, key, effective_from, version, document FROM card WHERE kind IN ('school', 'tax')
    UNION ALL
    SELECT kind, key, effective_from, version, document FROM card
    WHERE kind = ANY (CAST(:kinds AS text[])) AND key = ANY (CAST(:keys AS text[]))
    UNION ALL
    SELECT kind, key, effective_from, version, document FROM card
    WHERE kind = 'owner' AND key = ANY (ARRAY(
        SELECT document ->> 'owner' FROM card WHERE kind = 'aircraft' AND key = ANY (CAST(:keys AS text[]))))
"""


async def read(tx: Tx, flights: Iterable[Flight]) -> Book:
    """The cards the flights may need, all at one version: until commit nobody changes the book."""
    version = (await tx.one(_LOCK_SHARED)).version
    wanted = {place for flight in flights for place in _places(flight)}
    kinds, keys = {kind for kind, _ in wanted}, {key for _, key in wanted}
    rows = await tx.all(_CARDS, kinds=sorted(kinds), keys=sorted(keys))
    return Book((_dated(row) for row in rows), version=version)


_CARDS_AT = """
    SELECT kind, key, effective_from, version, document
    FROM (SELECT DISTINCT ON (kind, key, effective_from) kind, key, effective_from, version, new AS document
          FROM card_version
          WHERE version <= :version
            AND (kind IN ('school', 'tax', 'owner')
                 OR kind = ANY (CAST(:kinds AS text[])) AND key = ANY (CAST(:keys AS text[])))
          ORDER BY kind, key, effective_from, version DESC) AS newest
    WHERE document IS NOT NULL
"""


async def read_at(tx: Tx, flights: Iterable[Flight], version: int) -> Book:
    """The cards the flights may need, as the book was at an earlier version: nobody changes that."""
    wanted = {place for flight in flights for place in _places(flight)}
    kinds, keys = {kind for kind, _ in wanted}, {key for _, key in wanted}
    rows = await tx.all(_CARDS_AT, version=version, kinds=sorted(kinds), keys=sorted(keys))
    return Book((_dated(row) for row in rows), version=version)


def _places(flight: Flight) -> list[tuple[str, str]]:
    places = [
        ("student", flight.student),
        ("student_rate", "default"),
        ("student_rate", f"student:{flight.student}"),
    ]
    if flight.aircraft is not None:
        places.append(("aircraft", flight.aircraft))
    if flight.instructor is not None:
        places += [
            ("instructor", flight.instructor),
            ("student_rate", f"instructor:{flight.instructor}"),
        ]
    return places


def _dated(row: Any) -> DatedCard:
    return DatedCard(
        kind=row.kind,
        key=row.key,
        effective_from=row.effective_from,
        version=row.version,
        card=read_card(row.kind, row.document),
    )


_LOCK = "SELECT version FROM book FOR UPDATE"


async def lock(tx: Tx) -> int:
    """Take the book for writing; its version."""
    return int((await tx.one(_LOCK)).version)


_CURRENCY = """
    SELECT (SELECT document ->> 'currency' FROM card WHERE kind = 'school') AS currency,
           EXISTS (SELECT FROM bill) AS has_bills
"""


async def currency(tx: Tx) -> tuple[str | None, bool]:
    """The school's currency so far, and whether anything was billed in it."""
    row = await tx.one(_CURRENCY)
    return row.currency, row.has_bills


_VERSION_OF_EVENT = "SELECT version FROM school_version WHERE event_key = :key"


async def version_of_event(tx: Tx, event_key: UUID) -> int | None:
    """The version an event made, when it was applied before."""
    row = await tx.first(_VERSION_OF_EVENT, key=event_key)
    return row.version if row else None


_KNOWN_CARDS = "SELECT DISTINCT kind, key FROM card_version"


async def known_cards(tx: Tx) -> set[tuple[str, str]]:
    """Kind and key of every card that the book has or had."""
    return {(row.kind, row.key) for row in await tx.all(_KNOWN_CARDS)}


_STANDING = """
    SELECT kind, key, effective_from, document FROM card
    WHERE (kind, key, effective_from) IN (
        SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS text[]), CAST(:days AS date[])))
"""


async def standing(tx: Tx, changes: ChangeSet) -> dict[tuple[str, str, date], Mapping[str, Any]]:
    """The cards that a change set would replace, by kind, key and day."""
    rows = await tx.all(
        _STANDING,
        kinds=[change.kind for change in changes.changes],
        keys=[change.key for change in changes.changes],
        days=[change.effective_from for change in changes.changes],
    )
    return {(row.kind, row.key, row.effective_from): row.document for row in rows}


_VERSIONS = """
    SELECT version, base_version, who, why, at, event_key, kind, key, effective_from, new
    FROM school_version JOIN card_version USING (version)
    ORDER BY version, kind, key, effective_from
"""


async def versions(tx: Tx) -> list[tuple[ChangeSet, UUID]]:
    """Every version of the book as it was accepted, oldest first, with the key of the event that made it."""
    rows = await tx.all(_VERSIONS)
    return [_change_set(list(of_one)) for _, of_one in groupby(rows, key=lambda row: row.version)]


def _change_set(rows: list[Any]) -> tuple[ChangeSet, UUID]:
    first = rows[0]
    changes = tuple(
        CardChange(kind=r.kind, key=r.key, effective_from=r.effective_from, document=r.new, card=None)
        for r in rows
    )
    made = {name: getattr(first, name) for name in ("version", "base_version", "who", "why", "at")}
    return ChangeSet(**made, changes=changes), first.event_key


_INSERT_VERSION = """
    INSERT INTO school_version (version, base_version, who, why, at, event_key)
    VALUES (:version, :base_version, :who, :why, :at, :event_key)
"""
# `old` is what this database had, not what the publisher believed.
_INSERT_CARDS = """
    INSERT INTO card_version (kind, key, effective_from, version, old, new)
    SELECT change.kind, change.key, change.effective_from, :version, card.document, change.new
    FROM jsonb_to_recordset(CAST(:changes AS jsonb))
         AS change (kind text, key text, effective_from date, new jsonb)
    LEFT JOIN card USING (kind, key, effective_from)
"""
_ADVANCE = "UPDATE book SET version = :version"


async def apply(tx: Tx, changes: ChangeSet, event_key: UUID) -> None:
    """Write one version of the book: who and why, every card old and new, and the version in force."""
    await tx.execute(
        _INSERT_VERSION,
        version=changes.version,
        base_version=changes.base_version,
        who=changes.who,
        why=changes.why,
        at=changes.at,
        event_key=event_key,
    )
    rows = [
        {"kind": c.kind, "key": c.key, "effective_from": c.effective_from, "new": c.document}
        for c in changes.changes
    ]
    await tx.execute(_INSERT_CARDS, version=changes.version, changes=json_parameter(rows))
    await tx.execute(_ADVANCE, version=changes.version)
