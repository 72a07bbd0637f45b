"""SQL of students' customers at Stripe, and of the pages that people asked for."""

from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.student_links import StudentLink

_REQUEST = """
    INSERT INTO student_link (id, wallet, currency, amount, bill, requested_at)
    VALUES (:id, :wallet, :currency, :amount, :bill, :now)
    ON CONFLICT (id) DO NOTHING
"""


async def request(tx: Tx, link: StudentLink, now: datetime) -> None:
    """Have a page made; asked for again it is the same one."""
    await tx.execute(
        _REQUEST,
        id=link.id,
        wallet=link.wallet,
        currency=link.currency,
        amount=link.amount,
        bill=link.bill,
        now=now,
    )


_OPEN = """
    SELECT id, wallet, currency, amount, customer, bill
    FROM student_link LEFT JOIN student_customer USING (wallet)
    WHERE answered_at IS NULL ORDER BY requested_at LIMIT 20
"""


async def open_requests(tx: Tx) -> list[StudentLink]:
    """Pages that people wait for, oldest first. When two processes make one, the first counts."""
    return [StudentLink(**row._mapping) for row in await tx.all(_OPEN)]


_KEEP_CUSTOMER = """
    INSERT INTO student_customer (wallet, customer, made_at) VALUES (:wallet, :customer, :now)
    ON CONFLICT (wallet) DO NOTHING
"""


async def keep_customer(tx: Tx, wallet: str, customer: str, now: datetime) -> None:
    """Keep a student's customer; the first one stays."""
    await tx.execute(_KEEP_CUSTOMER, wallet=wallet, customer=customer, now=now)


_ANSWER = """
    UPDATE student_link SET answered_at = :now, url = :url, expires_at = :expires_at, problem = :problem
    WHERE id = :id AND answered_at IS NULL
"""


async def answer(
    tx: Tx,
    link_id: UUID,
    *,
    now: datetime,
    url: str | None = None,
    expires_at: datetime | None = None,
    problem: str | None = None,
) -> None:
    """Note the page that was made, or in `problem` why there is none."""
    await tx.execute(_ANSWER, id=link_id, now=now, url=url, expires_at=expires_at, problem=problem)
