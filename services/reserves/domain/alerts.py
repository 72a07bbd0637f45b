"""Which alert a health has. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.reserves.domain.health import CRITICAL, UNKNOWN, WARNING, Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a person has to know of the reserve."""

    kind: str
    severity: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The gate is opened by an amount until an instant. needs_second: it is not before a second agrees."""

    id: UUID
    currency: str
    amount: int
    until: datetime
    asked_by: str
    needs_second: bool
    approved_by: str | None
    closed: bool


_KINDS = {WARNING: ("low", "warning"), CRITICAL: ("short", "critical"), UNKNOWN: ("stale", "critical")}


def alert_of(judged: Judgement, *, read: bool) -> Alert | None:
    """The alert that stands while the reserve is judged so. read: the balance was read once at least."""
    if judged.health not in _KINDS or (judged.health == UNKNOWN and not read):
        return None
    kind, severity = _KINDS[judged.health]
    return Alert(kind=kind, severity=severity, sentence=judged.sentence)
