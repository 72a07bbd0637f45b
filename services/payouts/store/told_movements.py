"""SQL of what other services were told of the rows of Stripe's balance: which version of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from fleet.database import Tx
from services.payouts.domain.movements import Movement, ShownMovement, Unlisted

_TAKE = """
    UPDATE movement SET published = version
    WHERE transaction_id = ANY (CAST(:ids AS text[])) AND published < version
    RETURNING transaction_id, version, type, category, balance_type, amount, fee, net, currency, source_id,
              description, made_at, available_at, expected, standing, sentence, noted_at, shown
"""


async def take(tx: Tx, transaction_ids: Sequence[str]) -> list[ShownMovement]:
    """Note that these rows are told as they are shown now; those that were not told so yet, by their time."""
    if not transaction_ids:
        return []
    told = [_shown(row) for row in await tx.all(_TAKE, ids=list(transaction_ids))]
    return sorted(told, key=lambda row: (row.movement.made_at, row.movement.transaction_id))


_LEFT = """
    SELECT transaction_id FROM movement WHERE published < version
    ORDER BY transaction_id LIMIT :most FOR UPDATE SKIP LOCKED
"""


async def left(tx: Tx, most: int) -> list[str]:
    """Lock some rows that were not told as they are shown now."""
    return [row.transaction_id for row in await tx.all(_LEFT, most=most)]


_OPENINGS = """
    UPDATE movement_opening SET version = version + 1, told = unlisted
    WHERE told IS DISTINCT FROM unlisted AND (unlisted <> 0 OR told IS NOT NULL)
    RETURNING currency, version, unlisted, since
"""


async def take_openings(tx: Tx) -> list[Unlisted]:
    """What of the opening no listed row is, where it is another amount than was told."""
    return [
        Unlisted(currency=row.currency, version=row.version, amount=row.unlisted, since=row.since)
        for row in await tx.all(_OPENINGS)
    ]


def _shown(row: Row[Any]) -> ShownMovement:
    """The row as it was first noted, or as Stripe showed it since."""
    seen: Mapping[str, Any] = row.shown or dict(row._mapping)
    fields = {name: seen[name] for name in Movement.__slots__}
    fields["made_at"] = _instant(fields["made_at"])
    fields["available_at"] = _instant(fields["available_at"] or fields["made_at"])
    return ShownMovement(
        movement=Movement(**fields),
        version=row.version,
        expected=tuple(seen["expected"]),
        standing=row.standing,
        sentence=row.sentence,
        noted_at=_instant(seen["noted_at"]),
    )


def _instant(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
