"""What a person may decide about listing Stripe's rows again."""

from datetime import UTC, date, datetime, time
from typing import Final

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from services.payouts import store

EARLIEST: Final = date(2011, 1, 1)  # Stripe has no older rows


async def backfill_movements(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """List the rows of the school's Stripe balance again from a date (UTC). Object: the date.

    Rows of before the first listing become known; rows that a listing lost, or that changed later, too.
    """
    try:
        day = date.fromisoformat(decision.object)
    except ValueError:
        return refused(f"{decision.object} is no date such as {now.date()}")
    if not EARLIEST <= day <= now.date():
        return refused(f"{day} is not between {EARLIEST} and today")
    since = datetime.combine(day, time(), UTC)
    if not await store.backfills.begin(tx, decision.decision_id, since, decision.who.name, now):
        return refused("a backfill goes on already; it is over when the log of payouts says so")
    return Ruling(done=True, sentence=f"the rows of the Stripe balance since {day} are listed again")
