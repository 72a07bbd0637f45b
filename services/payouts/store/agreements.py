"""SQL of payees' agreements with Stripe, and of what the school's book asks for against them."""

from collections.abc import Collection, Mapping

from fleet.database import Tx
from services.payouts.domain.accounts import Agreement, AgreementCard

_CARDS = """
    SELECT wallet, coalesce(country, 'US') AS country, instant, agreement, stripe_account IS NOT NULL AS
    has_account FROM payee WHERE wallet = ANY (CAST(:wallets AS text[])) ORDER BY wallet
"""


async def cards(tx: Tx, wallets: Collection[str]) -> list[AgreementCard]:
    """What decides about payees' agreements; the payees are locked."""
    return [
        AgreementCard(
            wallet=row.wallet,
            country=row.country,
            instant=row.instant,
            agreement=Agreement(row.agreement),
            has_account=row.has_account,
        )
        for row in await tx.all(_CARDS, wallets=sorted(wallets))
    ]


_WRITE = """
    UPDATE payee SET agreement = noted.agreement, conflict = noted.conflict
    FROM unnest(CAST(:wallets AS text[]), CAST(:agreements AS text[]), CAST(:conflicts AS text[]))
        AS noted (wallet, agreement, conflict)
    WHERE payee.wallet = noted.wallet
      AND (payee.agreement, payee.conflict) IS DISTINCT FROM (noted.agreement, noted.conflict)
    RETURNING payee.wallet, new.conflict AS conflict, old.conflict IS DISTINCT FROM new.conflict AS is_news
"""


async def write(
    tx: Tx, agreements: Mapping[str, Agreement], conflicts: Mapping[str, str | None]
) -> dict[str, str]:
    """Write agreements and conflicts; wallet -> sentence of the conflicts that are new."""
    wallets = sorted(conflicts)
    rows = await tx.all(
        _WRITE,
        wallets=wallets,
        agreements=[str(agreements[wallet]) for wallet in wallets],
        conflicts=[conflicts[wallet] for wallet in wallets],
    )
    return {row.wallet: row.conflict for row in rows if row.is_news and row.conflict is not None}
