"""For whom the database is asked: the functions of console_public show one wallet's rows."""

from typing import Final

from fleet.database import Tx

_SPEAK_FOR: Final = "SELECT set_config('app.actor', :wallet, true)"


async def speak_for(tx: Tx, wallet: str | None) -> None:
    """Until the transaction ends, its rows are this wallet's; None: nobody's."""
    await tx.execute(_SPEAK_FOR, wallet=wallet or "")
