"""What people ask of the gateway, read from its published views."""

from dataclasses import dataclass
from datetime import datetime

from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyListed:
    """An API key as people see it; `hint` is the beginning of the key itself."""

    key_id: int
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    expires_at: datetime | None


_LIST_KEYS = """
    SELECT key_id, name, hint, scopes, created_at, created_by, last_used_at, revoked_at, revoked_by,
           expires_at
    FROM gateway_public.api_key ORDER BY key_id
"""


async def list_keys(tx: Tx) -> list[KeyListed]:
    """Every key, revoked ones too, in the order in which they were made."""
    return [KeyListed(**row._mapping) for row in await tx.all(_LIST_KEYS)]
