"""SQL of links that people asked for. A link's URL is a secret that lives for minutes."""

from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.payees import LinkRequest

_REQUEST = """
    INSERT INTO link_request (id, wallet, kind, requested_at) VALUES (:id, :wallet, :kind, :now)
"""


async def request(tx: Tx, request_id: UUID, wallet: str, kind: str, now: datetime) -> None:
    """Have a link made, of kind "onboarding" or "dashboard"."""
    await tx.execute(_REQUEST, id=request_id, wallet=wallet, kind=kind, now=now)


_OPEN = """
    SELECT link_request.id, link_request.kind, payee.wallet, payee.stripe_account
    FROM link_request JOIN payee USING (wallet)
    WHERE answered_at IS NULL ORDER BY requested_at LIMIT 20
"""


async def open_requests(tx: Tx) -> list[LinkRequest]:
    """Links that people wait for, oldest first, at most 20. When two processes make one, the first counts."""
    return [
        LinkRequest(id=row.id, kind=row.kind, wallet=row.wallet, stripe_account=row.stripe_account)
        for row in await tx.all(_OPEN)
    ]


_ANSWER = """
    UPDATE link_request SET answered_at = :now, url = :url, expires_at = :expires_at, problem = :problem
    WHERE id = :id AND answered_at IS NULL
"""


async def answer(
    tx: Tx,
    request_id: UUID,
    *,
    now: datetime,
    url: str | None = None,
    expires_at: datetime | None = None,
    problem: str | None = None,
) -> None:
    """Note the link that was made, or in `problem` why there is none."""
    await tx.execute(_ANSWER, id=request_id, now=now, url=url, expires_at=expires_at, problem=problem)
