"""A school's book, wallets and dispatches as credit sees them."""

from datetime import UTC, datetime
from typing import Any

from fleet.database import Database
from fleet.envelope import Record
from schemas.school import SchoolAccepted, SchoolChange
from services.ledger.handlers import post_journals
from services.receivables.desk import reads
from tests.integration.ledger.books import requested
from tests.support.records import record

SCHOOL = {"name": "A school", "time_zone": "America/New_York", "currency": "USD"}
NOON = datetime(2026, 6, 10, 16, tzinfo=UTC)  # 12:00 at the school


def book(version: int, *changes: tuple[str, str, str, dict[str, Any] | None]) -> Record:
    """A version of the book; each change is kind, key, first day and card."""
    event = SchoolAccepted(
        version=version,
        base_version=version - 1,
        who="finance",
        why="test",
        at=NOON,
        changes=[
            SchoolChange.model_validate({"kind": kind, "key": key, "effective_from": day, "new": card})
            for kind, key, day, card in changes
        ],
    )
    return record("school.accepted", event, key="school")


def a_school(**policy: Any) -> Record:
    """Version 1: the school, and a policy on credit."""
    return book(1, ("school", "school", "1900-01-01", SCHOOL), ("credit", "credit", "2026-01-01", policy))


async def owes(ledger: Database, amount: int, *, student: str = "anna", source: str = "flight:F0:1") -> None:
    """Bill a student so much in the ledger; negative: a payment."""
    other = "platform:school" if amount > 0 else "external:bank"
    legs = ((f"student:{student}", -amount), (other, amount))
    await post_journals(ledger, [requested(source, legs)])


async def stands(db: Database, student: str = "anna", at: datetime = NOON) -> dict[str, Any]:
    """How a student stands."""
    async with db.transaction() as tx:
        [row] = await reads.credits(tx, at, student=student)
    return row
