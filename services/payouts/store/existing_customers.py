"""SQL of customers at Stripe that a person said are a student's."""

from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.existing_customers import CustomerRequest

_REQUEST = """
    INSERT INTO customer_adoption (id, wallet, customer, who, why, requested_at)
    VALUES (:id, :wallet, :customer, :who, :why, :now)
"""


async def request(tx: Tx, asked: CustomerRequest, *, who: str, why: str, now: datetime) -> None:
    """Have a customer read from Stripe and taken for a student."""
    await tx.execute(
        _REQUEST, id=asked.id, wallet=asked.wallet, customer=asked.customer, who=who, why=why, now=now
    )


_OPEN = """
    SELECT id, wallet, customer FROM customer_adoption WHERE answered_at IS NULL
    ORDER BY requested_at LIMIT 20
"""


async def open_requests(tx: Tx) -> list[CustomerRequest]:
    """Customers that wait to be read, oldest first, at most 20."""
    return [CustomerRequest(**row._mapping) for row in await tx.all(_OPEN)]


_ANSWER = """
    UPDATE customer_adoption SET answered_at = :now, problem = :problem WHERE id = :id AND answered_at IS NULL
"""


async def answer(tx: Tx, request_id: UUID, problem: str | None, now: datetime) -> None:
    """Note that a customer was taken, or in `problem` why not."""
    await tx.execute(_ANSWER, id=request_id, problem=problem, now=now)


_CUSTOMER_OF = "SELECT customer FROM student_customer WHERE wallet = :wallet"
_WALLET_OF = "SELECT wallet FROM student_customer WHERE customer = :customer LIMIT 1"


async def customer_of(tx: Tx, wallet: str) -> str | None:
    """The customer that a student has."""
    row = await tx.first(_CUSTOMER_OF, wallet=wallet)
    return None if row is None else str(row.customer)


async def wallet_of(tx: Tx, customer: str) -> str | None:
    """The student who has a customer."""
    row = await tx.first(_WALLET_OF, customer=customer)
    return None if row is None else str(row.wallet)
