"""The school's book: dated, versioned cards, and which version is in force on a day.

Pure. Money is minor units, per hour where the name says so; `_ppm` is parts per million.
Knows nothing of flights, events or tables.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeVar

BEGINNING = date(1900, 1, 1)
LINE_KINDS = ("rental", "instruction", "ground", "surcharge", "airport_fee", "convenience_fee", "fuel")
MODELS_WITH_SHARE = ("owned", "bundled")
MODELS_WITH_OWNER = ("leased", "third_party")

_PRICES: Mapping[str, tuple[str, ...]] = {
    "owned": ("rate_per_hour",),
    "leased": ("cost_per_hour", "margin_per_hour"),
    "third_party": ("rate_per_hour",),
    "passthrough": ("cost_per_hour",),
    "bundled": ("bundle_per_hour", "aircraft_per_hour", "instruction_per_hour", "fuel_per_hour"),
}
_SHARES = ("owner_share_ppm", "owner_share_per_hour")
_MINIMUMS = ("owner_minimum_per_hour", "owner_minimum_per_flight")
_FEES = ("convenience_fee_per_flight", "convenience_fee_per_hour", "convenience_fee_ppm")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolCard:
    """Who bills, in which time zone and currency."""

    name: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCard:
    """The tax a student pays on one kind of line, in millionths."""

    tax_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentRateCard:
    """What a student pays for instruction, per hour. None: the next more general card decides."""

    flight_per_hour: int | None = None
    ground_per_hour: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructorCard:
    """What the school pays an instructor, per hour."""

    flight_per_hour: int
    ground_per_hour: int
    instant_payout: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerCard:
    """An aircraft's owner or lessor: billing only needs to know that there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentCard:
    """A student. `also_*` is the id of the same person as an instructor or an owner."""

    also_instructor: str | None = None
    also_owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirportFee:
    """A flat amount on every flight with hours."""

    name: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AircraftCard:
    """How an aircraft is billed, and its owner's share; prices that its model does not use are None."""

    model: str
    meter: str
    fuel: str = "wet"
    owner: str | None = None
    rate_per_hour: int | None = None
    cost_per_hour: int | None = None
    margin_per_hour: int | None = None
    bundle_per_hour: int | None = None
    aircraft_per_hour: int | None = None
    instruction_per_hour: int | None = None
    fuel_per_hour: int | None = None
    owner_share_ppm: int | None = None
    owner_share_per_hour: int | None = None
    owner_minimum_per_hour: int | None = None
    owner_minimum_per_flight: int | None = None
    convenience_fee_per_flight: int | None = None
    convenience_fee_per_hour: int | None = None
    convenience_fee_ppm: int | None = None
    surcharge_per_hour: int = 0
    reserve_per_hour: int = 0
    hobbs_digits: int | None = None
    tach_digits: int | None = None
    airport_fees: tuple[AirportFee, ...] = ()
    tax: Mapping[str, int] = field(default_factory=dict)

    def digits(self, meter: Literal["hobbs", "tach"]) -> int | None:
        """Figures that a meter shows before the decimal point; None: the card does not say."""
        return self.hobbs_digits if meter == "hobbs" else self.tach_digits

    def price(self, name: str) -> int:
        """The price called `name`. Raises AssertionError when the card's model does not have it."""
        value: int | None = getattr(self, name)
        if value is None:
            raise AssertionError(f"a {self.model} card was admitted without {name}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentsCard:
    """The school's policy on corrections, which billing only checks. Amounts are minor units."""

    approve_above: int = 5_000
    second_approver_above: int = 50_000
    waterfall: tuple[str, ...] = ("future_payout_offset",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveCard:
    """The school's policy on its reserve, which billing only checks."""

    minimum_payout_days: int = 0
    warning_percent: int = 150
    reopen_percent: int = 110
    exempt_wallets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCard:
    """The school's policy on flying on credit, which billing only checks."""

    near_percent: int = 80
    close_percent: int = 95
    dunning_from_hour: int = 9
    dunning_until_hour: int = 18
    limit: int | None = None
    raises: str = "off"
    raise_by: int = 0
    raise_up_to: int = 0
    falls: str = "off"
    fall_by: int = 0
    fall_down_to: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLimitCard:
    """A student's own limit, which billing only checks."""

    limit: int | None = None
    until: str | None = None
    frozen: bool = False


BookCard = (
    AdjustmentsCard
    | ReserveCard
    | CreditCard
    | CreditLimitCard
    | SchoolCard
    | TaxCard
    | StudentRateCard
    | InstructorCard
    | OwnerCard
    | StudentCard
    | AircraftCard
)
C = TypeVar("C", bound=BookCard)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedCard:
    """A card as it is from a date on, and the version of the book that made it so."""

    kind: str
    key: str
    effective_from: date
    version: int
    card: BookCard

    def named(self) -> dict[str, Any]:
        """What a bill keeps of it, as JSON values: history finds this version of the card by it."""
        return {
            "kind": self.kind,
            "key": self.key,
            "effective_from": self.effective_from.isoformat(),
            "version": self.version,
        }


class Book:
    """The cards that matter for a batch. `version` is the school's version they were read at."""

    def __init__(self, cards: Iterable[DatedCard], *, version: int) -> None:
        self.version = version
        self._cards: dict[tuple[str, str], list[DatedCard]] = {}
        for one in cards:
            self._cards.setdefault((one.kind, one.key), []).append(one)
        for dated in self._cards.values():
            dated.sort(key=lambda one: one.effective_from)

    def __iter__(self) -> Iterator[DatedCard]:
        return (one for dated in self._cards.values() for one in dated)

    def knows(self, kind: str, key: str) -> bool:
        """Whether there is any card of this kind and key, in force or not."""
        return (kind, key) in self._cards

    def in_force(self, kind: str, key: str, on: date) -> DatedCard | None:
        """The card with the latest effective_from that is not after `on`."""
        dated = self._cards.get((kind, key), ())
        return next((one for one in reversed(dated) if one.effective_from <= on), None)

    def first_day(self, kind: str, key: str) -> date:
        """The first day any card of this kind and key is in force. Raises KeyError when there is none."""
        return self._cards[(kind, key)][0].effective_from

    def school(self) -> SchoolCard | None:
        """The school's own card; not dated."""
        found = self.in_force("school", "school", date.max)
        return found.card if found and isinstance(found.card, SchoolCard) else None


def aircraft_problems(card: AircraftCard) -> list[str]:
    """What is wrong with an aircraft's card, as sentences; empty when flights can be priced by it."""
    return [
        *_price_problems(card),
        *_owner_problems(card),
        *_fee_problems(card),
        *_bundle_problems(card),
    ]


def _set(card: AircraftCard, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(card, name) is not None]


def _price_problems(card: AircraftCard) -> list[str]:
    wanted = _PRICES[card.model]
    every = dict.fromkeys(name for names in _PRICES.values() for name in names)
    missing = [f"model {card.model} needs {name}" for name in wanted if getattr(card, name) is None]
    extra = [f"model {card.model} does not use {name}" for name in _set(card, every) if name not in wanted]
    return missing + extra


def _owner_problems(card: AircraftCard) -> list[str]:
    shares, minimums = _set(card, _SHARES), _set(card, _MINIMUMS)
    problems = []
    if card.owner is None:
        if card.model in MODELS_WITH_OWNER:
            problems.append(f"model {card.model} needs an owner")
        problems += [f"{name} needs an owner" for name in shares + minimums]
    elif card.model in MODELS_WITH_SHARE and len(shares) != 1:
        problems.append("an owner needs one of owner_share_percent and owner_share_per_hour, not both")
    if card.model not in MODELS_WITH_SHARE:
        problems += [f"model {card.model} does not use {name}" for name in shares]
    if card.model in ("third_party", "passthrough"):
        problems += [f"model {card.model} does not use {name}" for name in minimums]
    return problems


def _fee_problems(card: AircraftCard) -> list[str]:
    fees = _set(card, _FEES)
    if card.model != "third_party":
        return [f"model {card.model} does not use {name}" for name in fees]
    return [] if len(fees) <= 1 else ["set only one of " + ", ".join(fees)]


def _bundle_problems(card: AircraftCard) -> list[str]:
    parts = (card.aircraft_per_hour, card.instruction_per_hour, card.fuel_per_hour)
    if card.model != "bundled" or card.bundle_per_hour is None or None in parts:
        return []
    if sum(part for part in parts if part is not None) != card.bundle_per_hour:
        return ["aircraft_per_hour, instruction_per_hour and fuel_per_hour must add up to bundle_per_hour"]
    return []


def policy_problems(card: AdjustmentsCard) -> list[str]:
    """What is wrong with a policy on corrections, as sentences."""
    problems = []
    if card.second_approver_above < card.approve_above:
        problems.append("second_approver_above must not be less than approve_above")
    if len(set(card.waterfall)) < len(card.waterfall):
        problems.append("waterfall names a way twice")
    return problems


def reserve_problems(card: ReserveCard) -> list[str]:
    """What is wrong with a policy on the reserve, as sentences."""
    problems = []
    if card.reopen_percent > card.warning_percent:
        problems.append("reopen_percent must not be more than warning_percent")
    if len(set(card.exempt_wallets)) < len(card.exempt_wallets):
        problems.append("exempt_wallets names a kind twice")
    return problems


def credit_problems(card: CreditCard) -> list[str]:
    """What is wrong with a policy on credit, as sentences."""
    if card.near_percent > card.close_percent:
        return ["near_percent must not be more than close_percent"]
    if card.dunning_from_hour >= card.dunning_until_hour:
        return ["dunning_from_hour must be before dunning_until_hour"]
    return _moving_limit_problems(card)


def _moving_limit_problems(card: CreditCard) -> list[str]:
    problems = []
    if card.raises != "off" and card.raise_by == 0:
        problems.append(f"raises is {card.raises}, so raise_by must be more than nothing")
    if card.raises != "off" and card.raise_up_to <= (card.limit or 0):
        problems.append("raise_up_to must be more than limit, or no limit ever rises")
    if card.falls != "off" and card.fall_by == 0:
        problems.append(f"falls is {card.falls}, so fall_by must be more than nothing")
    if card.falls != "off" and card.limit is not None and card.fall_down_to >= card.limit > 0:
        problems.append("fall_down_to must be less than limit, or no limit ever falls")
    return problems


def credit_limit_problems(card: CreditLimitCard, effective_from: date) -> list[str]:
    """What is wrong with a student's own limit, as sentences."""
    if card.until is not None and date.fromisoformat(card.until) < effective_from:
        return [f"until {card.until} is before the limit is in force, {effective_from}"]
    return []


def book_problems(book: Book) -> list[tuple[DatedCard, str]]:
    """Each card that names a card which is not in the book, with a sentence that says which."""
    return [(dated, sentence) for dated in book for sentence in _dangling(dated, book)]


def _dangling(dated: DatedCard, book: Book) -> list[str]:
    return [
        f"{setting} names {kind} {key}, which is not in the book"
        for setting, kind, key in _references(dated)
        if key is not None and not book.knows(kind, key)
    ]


def _references(dated: DatedCard) -> list[tuple[str, str, str | None]]:
    card = dated.card
    if isinstance(card, AircraftCard):
        return [("owner", "owner", card.owner)]
    if isinstance(card, StudentCard):
        return [
            ("also_instructor", "instructor", card.also_instructor),
            ("also_owner", "owner", card.also_owner),
        ]
    if isinstance(card, CreditLimitCard):
        return [("id", "student", dated.key)]
    if isinstance(card, StudentRateCard) and dated.key != "default":
        kind, _, key = dated.key.partition(":")
        return [(kind, kind, key)]
    return []
