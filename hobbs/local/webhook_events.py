"""The events Stripe is asked to send, as in docs/operations/stripe.md.

Other types would do no harm, but `payment.created`, one for each transfer, would double the traffic.
"""

from typing import Final

from services.payouts.domain.event_types import (
    ACCOUNT_SNAPSHOTS,
    LISTED_TYPES,
    PAYOUT_EVENTS,
    PROVING,
    REVERSAL_EVENTS,
    V2_SUBSCRIBED,
)

EVENTS: Final = {
    "platform": sorted(
        {*LISTED_TYPES, *PROVING, *REVERSAL_EVENTS, "charge.refund.updated", "topup.succeeded"}
    ),
    "connect": sorted(ACCOUNT_SNAPSHOTS | PAYOUT_EVENTS),
}
THIN_EVENTS: Final = list(V2_SUBSCRIBED)
