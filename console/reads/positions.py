"""How far each service has handled each topic, as it writes it down itself."""

from typing import Any, Final

from fleet.database import Tx
from schemas.services import DECIDE

_EVERY: Final = " UNION ALL ".join(
    f"SELECT '{name}' AS service, topic, partition, next_offset, written_at FROM {name}_public.positions"  # noqa: S608 - registered names
    for name in DECIDE
)


async def positions(tx: Tx) -> list[dict[str, Any]]:
    """The place behind the last handled record, of each service, topic and partition."""
    return [dict(row._mapping) for row in await tx.all(_EVERY)]
