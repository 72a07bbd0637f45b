"""A stop of the relay: Stripe refuses our key, and nothing is sent until it accepts it again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayStop:
    """Why the relay may not call Stripe, and when it asks Stripe again whether the key is accepted."""

    since: datetime
    sentence: str
    probe_at: datetime
