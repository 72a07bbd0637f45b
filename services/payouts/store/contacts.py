"""SQL of what people are called and where mail reaches them. Payees are locked before their contacts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.payouts.domain.contacts import Contact

# Of one person the newest statement stands, in whatever order they come. One that was made before a person
# was erased, or not anew after it, brings nothing back: the condition reads the row under its lock.
_KEEP = """
    WITH before AS (
        SELECT wallet, email FROM contact WHERE wallet = ANY (CAST(:wallets AS text[]))
    ), kept AS (
        INSERT INTO contact (wallet, full_name, email, stated_at)
        SELECT wallet, full_name, email, stated_at
        FROM jsonb_to_recordset(CAST(:contacts AS jsonb)) AS stated (
            wallet text, full_name text, email text, stated_at timestamptz)
        ORDER BY wallet
        ON CONFLICT (wallet) DO UPDATE SET
            full_name = excluded.full_name, email = excluded.email, stated_at = excluded.stated_at,
            erased_at = NULL
        WHERE coalesce(contact.stated_at <= excluded.stated_at, true)
          AND (contact.erased_at IS NULL OR contact.erased_at < (
              SELECT anew.at FROM jsonb_to_recordset(CAST(:contacts AS jsonb))
                  AS anew (wallet text, at timestamptz) WHERE anew.wallet = excluded.wallet))
        RETURNING wallet, email
    )
    SELECT kept.wallet FROM kept LEFT JOIN before USING (wallet)
    WHERE kept.email IS DISTINCT FROM before.email
    ORDER BY kept.wallet
"""


async def keep(tx: Tx, contacts: Sequence[Contact]) -> list[str]:
    """Keep what was stated, one statement for each wallet; the wallets whose address is another now."""
    rows = [
        {
            "wallet": one.wallet,
            "full_name": one.full_name or None,
            "email": one.email or None,
            "stated_at": one.stated_at,
            "at": one.anew_at,
        }
        for one in contacts
    ]
    wallets = [one.wallet for one in contacts]
    found = await tx.all(_KEEP, contacts=json_parameter(rows), wallets=wallets) if rows else []
    return [row.wallet for row in found]


_COUNT = """
    SELECT count(*) FILTER (WHERE erased_at IS NULL) AS kept,
           count(*) FILTER (WHERE erased_at IS NOT NULL) AS erased FROM contact
"""


async def count(tx: Tx) -> tuple[int, int]:
    """How many wallets something was stated of that is kept, and how many were erased."""
    row = await tx.one(_COUNT)
    return row.kept, row.erased


# A person of whom nothing was stated is erased too: what is stated later is not kept.
_ERASE = """
    WITH erased AS (
        INSERT INTO contact (wallet, erased_at)
        SELECT wallet, :now FROM unnest(CAST(:wallets AS text[])) AS person (wallet) ORDER BY wallet
        ON CONFLICT (wallet) DO UPDATE SET full_name = NULL, email = NULL, erased_at = excluded.erased_at
        WHERE contact.erased_at IS NULL
        RETURNING wallet
    ), noted AS (
        INSERT INTO erasure (decision_id, wallet, erased_at, who, why)
        SELECT :decision_id, wallet, :now, :who, :why FROM erased
    )
    SELECT wallet FROM erased ORDER BY wallet
"""


async def erase(
    tx: Tx, wallets: Sequence[str], *, decision_id: UUID, who: str, why: str, now: datetime
) -> list[str]:
    """Erase what is kept of these people, and note it; those of them that were not erased already."""
    rows = await tx.all(
        _ERASE, wallets=sorted(set(wallets)), decision_id=decision_id, who=who, why=why, now=now
    )
    return [row.wallet for row in rows]
