"""Whether a journal that was announced is the one in the ledger's books."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

NOT_THERE = "not_in_the_ledger"
OTHERWISE = "not_as_in_the_ledger"


class Booked(NamedTuple):
    """What payouts uses of a journal. lines: `<wallet> <currency> <amount>` of each entry, sorted."""

    source: str
    event_type: str
    occurred_at: datetime
    lines: tuple[str, ...]


class Doubt(NamedTuple):
    """Why a journal is not believed."""

    reason: str
    sentence: str


def booked(source: str, event_type: str, occurred_at: datetime, lines: Sequence[str]) -> Booked:
    """A journal as it is compared: the order of its entries says nothing."""
    return Booked(source, event_type, occurred_at, tuple(sorted(lines)))


def doubt(journal_id: UUID, announced: Booked, books: Mapping[UUID, Booked]) -> Doubt | None:
    """Why what was announced is not believed; None when the books say the same.

    The ledger announces what it has written, in one commit: what is not in the books was announced by
    somebody else, or the database was restored from a backup since.
    """
    written = books.get(journal_id)
    if written == announced:
        return None
    journal = f"journal {announced.source} ({journal_id})"
    if written is None:
        return Doubt(NOT_THERE, f"{journal} is not in the ledger: it owes nobody anything; {_WAY_OUT}")
    fields = zip(Booked._fields, announced, written, strict=True)
    differing = ", ".join(_NAMES[name] for name, said, kept in fields if said != kept)
    return Doubt(
        OTHERWISE, f"{journal} has other {differing} in the ledger: it owes nobody anything; {_WAY_OUT}"
    )


_NAMES = {"source": "source", "event_type": "type", "occurred_at": "date", "lines": "entries"}
_WAY_OUT = "find out who published it (docs/operations/dead-letters.md), and discard it"
