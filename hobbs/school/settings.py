"""The tables of a school.toml: what identifies each, and how the value of each setting is read. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fleet.money import format_minor, parse_minor
from schemas.card import RATE_MAX
from services.billing.domain.rates import LINE_KINDS

DIGITS_MAX = 30
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,30})?")


class Misread(ValueError):
    """A setting has a value of a wrong kind; the message says what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a setting of the file becomes one of the card."""

    name: str
    read: Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How a table of the file becomes a card. `identity` are the settings that make the key.

    dated: it may say effective_from. repeats: without identity, and as [name] or, dated, as [[name]].
    """

    identity: tuple[str, ...]
    key: Callable[[Mapping[str, Any]], str]
    settings: Mapping[str, Setting]
    dated: bool = True
    repeats: bool = False


def _money(value: Any, currency: str) -> int:
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) > DIGITS_MAX:
        raise Misread(f"{value} is out of range")
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    written = f"{Decimal(value):f}" if number else value
    try:
        amount = parse_minor(written, currency) if isinstance(written, str) else None
    except ValueError:
        amount = None
    if amount is None:
        example = format_minor(parse_minor("165", currency), currency)
        raise Misread(
            f"{written if number else repr(value)} is not an amount of {currency} such as {example}"
        )
    if not 0 <= amount <= RATE_MAX:
        raise Misread(f"{written} is negative" if amount < 0 else f"{written} is too large")
    return amount


def _percent(value: Any, currency: str) -> int:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    written = isinstance(value, str) and _PERCENT.fullmatch(value)
    percent = Decimal(value) if number or written else None
    if percent is None or not percent.is_finite() or not 0 <= percent <= 100:
        raise Misread(f"{value!s} is not a percentage from 0 to 100")
    if percent * 10_000 != int(percent * 10_000):
        raise Misread(f"{value} has more than 4 decimals")
    return int(percent * 10_000)


def _as_is(value: Any, currency: str) -> Any:
    """Leave the value to the card's model, which checks it; a decimal becomes text, which it refuses."""
    return str(value) if isinstance(value, Decimal) else value


def _day(value: Any, currency: str) -> Any:
    """A date of TOML, or its text; the card's model checks text."""
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _fees(value: Any, currency: str) -> list[dict[str, Any]]:
    wanted = 'must be a list such as [{ name = "KLOU landing", amount = 12.00 }]'
    if not isinstance(value, list) or not all(
        isinstance(x, dict) and set(x) == {"name", "amount"} for x in value
    ):
        raise Misread(wanted)
    return [{"name": fee["name"], "amount": _money(fee["amount"], currency)} for fee in value]


def _steps(value: Any, currency: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(step, dict) for step in value):
        raise Misread('must be a list such as [{ name = "first", days_overdue = 3, action = "remind" }]')
    return [
        step | ({"balance": _money(step["balance"], currency)} if "balance" in step else {}) for step in value
    ]


def _days(value: Any, currency: str) -> Any:
    return [_day(one, currency) for one in value] if isinstance(value, list) else value


def _taxes(value: Any, currency: str) -> dict[str, int]:
    if not isinstance(value, dict) or not set(value) <= set(LINE_KINDS):
        raise Misread(f"must be a table such as {{ rental = 5.6 }}; lines: {', '.join(LINE_KINDS)}")
    return {line: _percent(percent, currency) for line, percent in value.items()}


def _one(setting: str) -> Callable[[Mapping[str, Any]], str]:
    def key(table: Mapping[str, Any]) -> str:
        if setting not in table:
            raise Misread(f"{setting} is missing")
        value: str = table[setting]
        return value

    return key


def _rate_key(table: Mapping[str, Any]) -> str:
    scopes = [scope for scope in ("instructor", "student") if scope in table]
    if len(scopes) == 2:
        raise Misread("set instructor or student, not both")
    if not {"flight_per_hour", "ground_per_hour"} & set(table):
        raise Misread("set flight_per_hour, ground_per_hour or both")
    if not scopes:
        return "default"
    name: Any = table[scopes[0]]
    if not isinstance(name, str):
        raise Misread(f"{scopes[0]} must be text in quotes")
    return f"{scopes[0]}:{name}"


def _settings(money: str = "", percent: str = "", plain: str = "") -> dict[str, Setting]:
    """Settings by how they are read; the card keeps a percentage as `_ppm`, in millionths."""
    return (
        {name: Setting(name=name, read=_money) for name in money.split()}
        | {
            name: Setting(name=f"{name.removesuffix('percent')}ppm", read=_percent)
            for name in percent.split()
        }
        | {name: Setting(name=name, read=_as_is) for name in plain.split()}
    )


_PAYEE = _settings(
    "payout_minimum", plain="name email country instant_payout payout_schedule payout_hold_hours"
)
_AIRCRAFT = _settings(
    """rate_per_hour cost_per_hour margin_per_hour bundle_per_hour aircraft_per_hour instruction_per_hour
    fuel_per_hour owner_share_per_hour owner_minimum_per_hour owner_minimum_per_flight
    convenience_fee_per_flight convenience_fee_per_hour surcharge_per_hour reserve_per_hour""",
    "owner_share_percent convenience_fee_percent",
    "model meter fuel owner hobbs_digits tach_digits",
)
TABLES: Mapping[str, Table] = {
    "school": Table(
        identity=(),
        key=lambda table: "school",
        settings=_settings(plain="name time_zone currency"),
        dated=False,
    ),
    "adjustments": Table(
        identity=(),
        key=lambda table: "adjustments",
        settings=_settings(
            "approve_above second_approver_above",
            plain="approve_older_than_days expires_after_days offset_escalates_after_days "
            "offset_share_percent recover_lost_disputes waterfall",
        ),
        repeats=True,
    ),
    "reserve": Table(
        identity=(),
        key=lambda table: "reserve",
        settings=_settings(
            "minimum exempt_below opened_by_one_up_to accepted_by_one_up_to drift_alert_above",
            "minimum_share_percent",
            "minimum_payout_days payout_days_measured warning_percent reopen_percent count_student_deposits "
            "count_tax count_aircraft_reserves stale_after_minutes when_stale exempt_wallets timing_days",
        ),
        repeats=True,
    ),
    "credit": Table(
        identity=(),
        key=lambda table: "credit",
        settings=_settings(
            "limit limit_solo limit_dual limit_ground "
            "allowed_by_one_up_to dunning_minimum recorded_by_one_up_to raise_by raise_up_to fall_by "
            "fall_down_to given_by_one_up_to bounced_cheque_fee",
            plain="margin_percent hold_hours near_percent close_percent terms terms_days dunning_from_hour "
            "dunning_until_hour dunning_on_weekends dunning_days_between cheques_count "
            "raises raise_after_months raise_after_flights late_after_days falls",
        )
        | {
            "dunning_steps": Setting(name="dunning_steps", read=_steps),
            "dunning_holidays": Setting(name="dunning_holidays", read=_days),
        },
        repeats=True,
    ),
    "credit_limit": Table(
        identity=("id",),
        key=_one("id"),
        settings=_settings("limit", plain="frozen") | {"until": Setting(name="until", read=_day)},
    ),
    "tax": Table(
        identity=("line",),
        key=_one("line"),
        settings={"percent": Setting(name="tax_ppm", read=_percent)},
    ),
    "student_rate": Table(
        identity=("student", "instructor"),
        key=_rate_key,
        settings=_settings("flight_per_hour ground_per_hour"),
    ),
    "instructor": Table(
        identity=("id",), key=_one("id"), settings=_PAYEE | _settings("flight_per_hour ground_per_hour")
    ),
    "owner": Table(identity=("id",), key=_one("id"), settings=_PAYEE),
    "student": Table(
        identity=("id",), key=_one("id"), settings=_settings(plain="name email also_instructor also_owner")
    ),
    "aircraft": Table(
        identity=("tail",),
        key=_one("tail"),
        settings=_AIRCRAFT
        | {"airport_fees": Setting(name="airport_fees", read=_fees), "tax": Setting(name="tax", read=_taxes)},
    ),
}  # fmt: skip
