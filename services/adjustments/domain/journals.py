"""The ledger's answers about journals of adjustments. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.adjustments.domain.adjustments import PREFIX, Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedJournal:
    """A journal `adjustment:<flight>:<revision>` as the ledger posted it."""

    source: str
    journal_id: UUID
    currency: str
    entries: Amounts
    recorded_at: datetime

    @property
    def flight_id(self) -> str:
        return flight_of(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedJournal:
    """A journal that the ledger did not post; the sentence says why."""

    source: str
    reason: str
    sentence: str

    @property
    def flight_id(self) -> str:
        return flight_of(self.source)


def flight_of(source: str) -> str:
    """The flight whose adjustment a source names."""
    return source.removeprefix(PREFIX).rpartition(":")[0]
