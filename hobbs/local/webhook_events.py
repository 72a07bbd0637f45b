"""The events Stripe is asked to send, as in docs/operations/stripe.md.

Other types would do no harm, but `payment.created`, one for each transfer, would double the traffic.
"""

from typing import Final

from services.payouts.stripe.missed_events import TYPES
from services.payouts.stripe.webhooks import ACCOUNT_EVENTS, PAYOUT_EVENTS, PROVING, REVERSAL_EVENTS

EVENTS: Final = {
    "platform": sorted({*TYPES, *PROVING, *REVERSAL_EVENTS, "charge.failed", "topup.succeeded"}),
    "connect": sorted(ACCOUNT_EVENTS | PAYOUT_EVENTS),
}
