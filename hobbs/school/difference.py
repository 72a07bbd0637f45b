"""What a file changes in the school's book, card by card, and its text for people. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fleet.money import format_minor, percent_text
from hobbs.school.file import StatedCard, as_written, canonical
from services.billing.domain.rates import BEGINNING

_ORDER = (
    "school",
    "adjustments",
    "reserve",
    "credit",
    "tax",
    "student_rate",
    "instructor",
    "owner",
    "student",
    "credit_limit",
    "aircraft",
)
_WITHOUT_MONEY = (
    "payout_hold_hours",
    "hobbs_digits",
    "tach_digits",
    "approve_older_than_days",
    "expires_after_days",
    "offset_escalates_after_days",
    "offset_share_percent",
    "minimum_payout_days",
    "payout_days_measured",
    "warning_percent",
    "reopen_percent",
    "stale_after_minutes",
    "timing_days",
    "margin_percent",
    "hold_hours",
    "near_percent",
    "close_percent",
    "terms_days",
    "dunning_from_hour",
    "dunning_until_hour",
    "dunning_days_between",
    "raise_after_months",
    "raise_after_flights",
    "late_after_days",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One dated card that becomes another: None before it is added, None after it is withdrawn."""

    kind: str
    key: str
    effective_from: date
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None

    @property
    def what(self) -> str:
        """Added, changed or withdrawn."""
        return "added" if self.old is None else "withdrawn" if self.new is None else "changed"


def differences(stated: Sequence[StatedCard], standing: Iterable[Any]) -> list[Difference]:
    """Compare a file's cards with the book's: both have kind, key, effective_from and document."""
    new = {(card.kind, card.key, card.effective_from): card.document for card in stated}
    old = {(row.kind, row.key, row.effective_from): canonical(row.kind, row.document) for row in standing}
    changed = [place for place in {**old, **new} if old.get(place) != new.get(place)]
    return [
        Difference(kind=kind, key=key, effective_from=day, old=old.get(place), new=new.get(place))
        for place in sorted(changed, key=_by_kind)
        for kind, key, day in [place]
    ]


def _by_kind(place: tuple[str, str, date]) -> tuple[int, str, date]:
    kind, key, day = place
    return _ORDER.index(kind), key, day


def from_text(day: date) -> str:
    """An effective date for people."""
    return "the beginning" if day == BEGINNING else day.isoformat()


def settings_text(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, currency: str) -> str:
    """What changed, setting by setting: `rate_per_hour 165.00 -> 170.00`; a new card lists what it sets."""
    before, after = old or {}, new or {}
    if not before or not after:
        return ", ".join(
            f"{as_written(k)} {value_text(k, v, currency)}" for k, v in (before or after).items()
        )
    return ", ".join(
        f"{as_written(name)} {_side(name, before, currency)} -> {_side(name, after, currency)}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    )


def _side(name: str, card: Mapping[str, Any], currency: str) -> str:
    return value_text(name, card[name], currency) if name in card else "(default)"


def value_text(name: str, value: Any, currency: str) -> str:
    """A setting's value as the file would write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_ppm"):
        return percent_text(value)
    if name == "waterfall":
        return ", then ".join(value) or "nothing"
    if name == "tax":
        return "; ".join(f"{line} {percent_text(ppm)}" for line, ppm in value.items())
    if name == "airport_fees":
        return "; ".join(f"{fee['name']} {format_minor(fee['amount'], currency)}" for fee in value)
    if name == "dunning_steps":
        return "; ".join(_step_text(step, currency) for step in value) or "none"
    if name == "dunning_holidays":
        return ", ".join(value) or "none"
    if isinstance(value, int) and name not in _WITHOUT_MONEY:
        return format_minor(value, currency)
    return str(value)


def _step_text(step: Mapping[str, Any], currency: str) -> str:
    when = [f"from {step['days_overdue']} days"] if step.get("days_overdue") else []
    when += [f"from {format_minor(step['balance'], currency)}"] if step.get("balance") else []
    return f"{step['name']}: {step['action']} {' and '.join(when)}"
