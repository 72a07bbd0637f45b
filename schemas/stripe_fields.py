"""Which fields of Stripe's events and objects are kept; all others are left out before anything keeps them.

Stripe tells more of people than money needs: billing details, receipts, cards, persons, addresses. What no
reader of ours reads goes no further than the process that received it (decision 0313). A name is kept only
where every name above it is kept; of metadata only what Hobbs itself writes there, which is ids.
"""

from collections.abc import Mapping
from typing import Any, Final

OURS: Final = "hobbs_"
DEPTH_MAX: Final = 12  # of a transaction of a refund of a charge of an intent there are eleven

_EVENT: Final = (
    "account api_version context created data id livemode object previous_attributes related_object type url"
)
_MONEY: Final = (
    "amount amount_captured amount_received amount_refunded amount_reversed automatic balance_transaction "
    "balance_transactions captured charge charges currency destination fee latest_charge method net paid "
    "payment_intent refunds refunded reversed source status transfer"
)
_REASONS: Final = (
    "code decline_code failure_balance_transaction failure_code failure_message last_payment_error"
)
# What payouts itself writes of a row that is not as it was before (services/payouts/wire/movements.py).
_ROWS: Final = "available_at balance_type category made_at source_id transaction_id"

# Of a saved card whose it is and when it expires: no digit of its number (decision 0351).
_SAVED: Final = "card customer exp_month exp_year payment_method"

KEPT: Final = frozenset(" ".join((_EVENT, _MONEY, _REASONS, _ROWS, _SAVED)).split())


def reduced(document: Any, depth: int = 0) -> Any:
    """The same document without the fields that nobody reads; what is nested too deep becomes null."""
    if depth > DEPTH_MAX and isinstance(document, Mapping | list | tuple):
        return None
    if isinstance(document, Mapping):
        return {
            name: _ours(value) if name == "metadata" else reduced(value, depth + 1)
            for name, value in document.items()
            if name in KEPT or name == "metadata" or _is_disputes_reason(document, name)
        }
    if isinstance(document, list | tuple):
        return [reduced(value, depth + 1) for value in document]
    return document


def _is_disputes_reason(document: Mapping[Any, Any], name: Any) -> bool:
    """A dispute's reason is one of Stripe's words; a refund's may be what somebody wrote."""
    return name == "reason" and document.get("object") == "dispute"


def _ours(metadata: Any) -> Any:
    """Metadata is flat text; of what is no map nothing is kept, as nobody reads it."""
    if not isinstance(metadata, Mapping):
        return None
    return {
        name: value
        for name, value in metadata.items()
        if name.startswith(OURS) and not isinstance(value, Mapping | list | tuple)
    }
