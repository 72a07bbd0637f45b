"""Dead letters as a service's own tables have them."""

from typing import Any

from sqlalchemy import Row

from fleet.database import Tx


async def open_letters(tx: Tx) -> list[Row[Any]]:
    """Open letters in the order they came, whole."""
    return await tx.all("SELECT * FROM dead_letter WHERE state = 'open' ORDER BY id")
