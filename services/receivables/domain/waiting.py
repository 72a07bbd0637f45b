"""What waits for a payment or for a person, as the gauges show it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many wait, and for how many seconds the oldest has waited; 0 when nothing waits.

    charges: known only by a refund, a dispute or a fee. students: payments that name nobody.
    unexplained_refunds: charges of which more was refunded than by the refunds that Stripe told of, those
    that still wait for the balance included.
    """

    charges: int
    students: int
    unexplained_refunds: int
    charge_age_s: int
    student_age_s: int
