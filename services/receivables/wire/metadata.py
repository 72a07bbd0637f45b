"""Whom and what the metadata of a payment name."""

import re
from typing import Final

from schemas.identifiers import identifier_problem
from services.receivables.wire.saved_methods import STUDENT_KEY
from services.receivables.wire.shapes import StripeObject

BILL_KEY: Final = "hobbs_bill"
_STUDENT: Final = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,98}[^\x00-\x20\x7f])?")


def student_of(named: StripeObject) -> str | None:
    """The student whom the metadata name; None when a wallet cannot have that name."""
    student = (named.metadata or {}).get(STUDENT_KEY)
    return student if isinstance(student, str) and _STUDENT.fullmatch(student) else None


def bill_of(named: StripeObject) -> str | None:
    """The flight whose bill the metadata name; None when none can have that name."""
    bill = (named.metadata or {}).get(BILL_KEY)
    return bill if isinstance(bill, str) and identifier_problem(bill) is None else None
