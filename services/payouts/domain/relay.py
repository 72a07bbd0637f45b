"""A stop of the relay: Stripe refuses our key, and nothing is sent until it accepts it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.payouts.domain.operations import Kind, Phase

Room = Mapping[tuple[Kind, Phase], int]  # how many operations of a kind and phase may be claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayStop:
    """Why the relay may not call Stripe, and when it asks Stripe again whether the key is accepted."""

    since: datetime
    sentence: str
    probe_at: datetime
