"""SQL of journals by hand: who else has to agree, by the login of the session (functions/two_by_hand.sql)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fleet.database import Tx
from services.ledger.domain.journals import JournalRequest, content_hash

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # a second person's revert is of another instant
_UP_TO: Final = "SELECT by_hand_up_to() AS up_to, by_hand_alone(:currency) AS alone"
_ASK: Final = (
    "SELECT ask_by_hand(:source, :hash, :currency, :amount, :together, :why) AS waits_for_other_than"
)
_SET: Final = "INSERT INTO ledger.by_hand_limit (by_one_up_to) VALUES (:by_one_up_to)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByOne:
    """What the session's login may post alone within a day, and what it posted; None: any amount."""

    up_to: int | None
    alone: int


def amount_of(request: JournalRequest) -> int:
    """What a journal moves: the sum of what it gives, minor units."""
    return sum(entry.amount for entry in request.entries if entry.amount > 0)


async def by_one(tx: Tx, currency: str) -> ByOne:
    """What one login may post alone, and what this one did."""
    row = await tx.one(_UP_TO, currency=currency)
    return ByOne(up_to=row.up_to, alone=row.alone)


async def ask(tx: Tx, request: JournalRequest, together: int) -> str | None:
    """Ask for a journal, or agree with who asked; the login that another one has to agree with, or None.

    together: minor units of all that is posted with it.
    """
    row = await tx.one(
        _ASK,
        source=request.source,
        hash=content_hash(request.source, request.event_type, _EPOCH, request.entries),
        currency=request.entries[0].currency,
        amount=amount_of(request),
        together=together,
        why=request.memo,
    )
    found: str | None = row.waits_for_other_than
    return found


async def set_limit(tx: Tx, by_one_up_to: int | None) -> None:
    """What one login alone may post within a day from now on; as the database's owner."""
    await tx.execute(_SET, by_one_up_to=by_one_up_to)
