"""SQL of what payouts sent: the adjustments it carried, and the money that it may take back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from fleet.database import Tx, json_parameter
from services.adjustments.domain.settlements_sent import Carried, PartCarried, Window

_KEEP_PARTS: Final = """
    INSERT INTO partly_carried (source, wallet, transfer_id, amount, sent_at)
    SELECT source, wallet, transfer_id, amount, sent_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        source text, wallet text, transfer_id uuid, amount bigint, sent_at timestamptz)
    ORDER BY source, wallet, transfer_id
    ON CONFLICT DO NOTHING
"""


async def keep_parts(tx: Tx, parts: Sequence[PartCarried]) -> None:
    """Keep which transfers took parts of which debts off; the flights are locked."""
    rows = [
        {
            "source": one.source,
            "wallet": one.wallet,
            "transfer_id": one.transfer_id,
            "amount": one.amount,
            "sent_at": one.sent_at.isoformat(),
        }
        for one in parts
    ]
    await tx.execute(_KEEP_PARTS, rows=json_parameter(rows))


_PARTS: Final = """
    SELECT source, wallet, CAST(transfer_id AS text) AS transfer_id, amount FROM partly_carried
    WHERE source = ANY (CAST(:sources AS text[])) ORDER BY source, wallet, sent_at, transfer_id
"""


async def parts(tx: Tx, sources: Collection[str]) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """By adjustment's source and wallet: the transfers that took something of the debt off, with amounts."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for row in await tx.all(_PARTS, sources=sorted(sources)) if sources else []:
        found.setdefault((row.source, row.wallet), []).append((row.transfer_id, row.amount))
    return found


_KEEP_CARRIED: Final = """
    INSERT INTO carried_adjustment (source, wallet, transfer_id, sent_at)
    SELECT source, wallet, transfer_id, sent_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        source text, wallet text, transfer_id uuid, sent_at timestamptz)
    ORDER BY source, wallet
    ON CONFLICT DO NOTHING
"""


async def keep_carried(tx: Tx, carried: Sequence[Carried]) -> None:
    """Keep which transfer was the first to carry an adjustment to, or deduct it from, each payee."""
    rows = [
        {
            "source": one.source,
            "wallet": one.wallet,
            "transfer_id": one.transfer_id,
            "sent_at": one.sent_at,
        }
        for one in carried
    ]
    await tx.execute(_KEEP_CARRIED, rows=json_parameter(rows))


_CARRIED: Final = """
    SELECT source, wallet, transfer_id FROM carried_adjustment WHERE source = ANY (CAST(:sources AS text[]))
"""


async def carried(tx: Tx, sources: Collection[str]) -> dict[str, dict[str, str]]:
    """By the source of an adjustment's journal: payees that a transfer carried it to, and the transfer."""
    found: dict[str, dict[str, str]] = {source: {} for source in sources}
    for row in await tx.all(_CARRIED, sources=sorted(sources)):
        found[row.source][row.wallet] = str(row.transfer_id)
    return found


_KEEP_WINDOWS: Final = """
    INSERT INTO clawback_window (transfer_id, wallet, currency, amount, sources, clawback_until)
    SELECT transfer_id, wallet, currency, amount, sources, clawback_until
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        transfer_id uuid, wallet text, currency text, amount bigint, sources text[],
        clawback_until timestamptz)
    ORDER BY transfer_id
    ON CONFLICT DO NOTHING
"""


async def keep_windows(tx: Tx, windows: Sequence[Window]) -> None:
    """Keep transfers of which money can still be taken back."""
    rows = [
        {
            "transfer_id": one.transfer_id,
            "wallet": one.wallet,
            "currency": one.currency,
            "amount": one.amount,
            "sources": list(one.sources),
            "clawback_until": one.clawback_until,
        }
        for one in windows
    ]
    await tx.execute(_KEEP_WINDOWS, rows=json_parameter(rows))


_OPEN_UNTIL: Final = """
    SELECT max(clawback_until) AS until FROM clawback_window
    WHERE wallet = :wallet AND currency = :currency AND clawback_until > :now
"""


async def open_until(tx: Tx, wallet: str, currency: str, now: datetime) -> datetime | None:
    """Until when money can be taken back of what was sent to a payee; None when nothing can."""
    until: datetime | None = (await tx.one(_OPEN_UNTIL, wallet=wallet, currency=currency, now=now)).until
    return until


_FORGET: Final = "DELETE FROM clawback_window WHERE clawback_until <= :now"


async def forget_closed(tx: Tx, now: datetime) -> int:
    """Forget windows that are closed; how many."""
    return await tx.execute(_FORGET, now=now)
