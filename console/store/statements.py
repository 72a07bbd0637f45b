"""What statements were when they were issued, and how far the issue of a month came."""

from datetime import datetime
from typing import Final

from console.statements import Issued
from fleet.database import Tx

_BEGIN: Final = "INSERT INTO issue (month) VALUES (:month) ON CONFLICT DO NOTHING"
_LATEST: Final = "SELECT max(month) AS month FROM issue WHERE done_at IS NOT NULL"
_LOCK: Final = "SELECT last_wallet FROM issue WHERE month = :month AND done_at IS NULL FOR UPDATE"
_ADVANCE: Final = """
    UPDATE issue SET last_wallet = coalesce(CAST(:last_wallet AS text), last_wallet),
                     done_at = CASE WHEN CAST(:last_wallet AS text) IS NULL THEN CAST(:now AS timestamptz) END
    WHERE month = :month
"""
_INSERT: Final = """
    INSERT INTO issued_statement (wallet, month, currency, ends_at, known_at, opening, closing, lines,
                                  content_hash, issued_at)
    VALUES (:wallet, :month, :currency, :ends_at, :known_at, :opening, :closing, :lines, :content_hash, :now)
    ON CONFLICT ON CONSTRAINT statement_is_issued_once DO NOTHING
"""


async def latest(tx: Tx) -> str | None:
    """The newest month of which every statement is issued; None: none yet."""
    month: str | None = (await tx.one(_LATEST)).month
    return month


async def begin(tx: Tx, month: str) -> None:
    """Begin to issue a month, if nobody has."""
    await tx.execute(_BEGIN, month=month)


async def lock(tx: Tx, month: str) -> str | None:
    """The last wallet of a month whose statement is issued, while nobody else goes on; None: it is done."""
    row = await tx.first(_LOCK, month=month)
    return row.last_wallet if row else None


async def advance(tx: Tx, month: str, last_wallet: str | None, now: datetime) -> None:
    """Note how far the issue came; None: every wallet's is issued."""
    await tx.execute(_ADVANCE, month=month, last_wallet=last_wallet, now=now)


async def insert(tx: Tx, issued: Issued, now: datetime) -> None:
    """Keep what a statement is; the first that is kept counts."""
    await tx.execute(
        _INSERT,
        wallet=issued.wallet,
        month=issued.month,
        currency=issued.currency,
        ends_at=issued.ends_at,
        known_at=issued.known_at,
        opening=issued.opening,
        closing=issued.closing,
        lines=issued.lines,
        content_hash=issued.content_hash,
        now=now,
    )
