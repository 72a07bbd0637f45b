"""Why the relay may not call Stripe."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why the relay may not call Stripe, and when to try again whether it may."""

    since: datetime
    sentence: str
    probe_at: datetime
