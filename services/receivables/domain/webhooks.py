"""A webhook of a type that receivables does not know. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWebhook:
    """A webhook as it came; `body` is Stripe's event, whole, as JSON text."""

    event_id: str
    event_type: str
    received_at: datetime
    body: str
