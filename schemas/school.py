"""The school's configuration, published as one change set at a time.

A change names one dated card (kind, key, effective_from), its old and its new settings; each service keeps
the kinds it needs and reads `new` with `read_card`. Money is minor units, per hour where the name says so;
`_ppm` is parts per million (5.6 % is 56000). Cards hold ids and money; names and addresses of people are in
`contact.changed` (schemas/contacts.py).
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal, Self, get_args, get_type_hints

from pydantic import ConfigDict, Field, model_validator

from schemas.card import Card, Rate, Share
from schemas.credit_cards import CreditCard, CreditLimitCard
from schemas.fields import CalendarDate, Currency, Event, Identifier, Instant, Sentence
from schemas.identifiers import identifier_problem

ChangeKind = Literal[
    "school",
    "tax",
    "aircraft",
    "instructor",
    "owner",
    "student",
    "student_rate",
    "adjustments",
    "reserve",
    "credit",
    "credit_limit",
]
LineKind = Literal["rental", "instruction", "ground", "surcharge", "airport_fee", "convenience_fee", "fuel"]
PayoutSchedule = Literal["per_flight", "daily", "weekly"]
CHANGES_MAX = 1_000

MeterDigits = Annotated[int, Field(strict=True, ge=3, le=6)]
Text = Annotated[Sentence, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class SchoolCard(Card):
    """Key `school`; not dated: one school has one time zone and one currency."""

    name: Text
    time_zone: Identifier
    currency: Currency


class TaxCard(Card):
    """Key: the kind of line. What the student pays on such a line."""

    tax_ppm: Share


class StudentRateCard(Card):
    """Key `default`, `instructor:<id>` or `student:<id>`. None: the next more general card decides."""

    flight_per_hour: Rate | None = None
    ground_per_hour: Rate | None = None


class PayeeCard(Card):
    """How the school pays a payee: the transfer schedule, the minimum amount, the hold time."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "US"
    instant_payout: Annotated[bool, Field(strict=True)] = False
    payout_schedule: PayoutSchedule = "per_flight"
    payout_minimum: Rate = 0
    payout_hold_hours: Annotated[int, Field(strict=True, ge=0, le=8760)] = 0


class OwnerCard(PayeeCard):
    """Key: the owner's id. Wallet `aircraft_owner:<id>`."""


class InstructorCard(PayeeCard):
    """Key: the instructor's id. Wallet `instructor:<id>`; the rates are what the school pays."""

    flight_per_hour: Rate
    ground_per_hour: Rate


class StudentCard(Card):
    """Key: the student's id. `also_*` names the same person in another part."""

    also_instructor: Identifier | None = None
    also_owner: Identifier | None = None


def _offset_alone() -> list[Literal["stripe_reversal", "future_payout_offset"]]:
    return ["future_payout_offset"]


class AdjustmentsCard(Card):
    """Key `adjustments`: who must approve which corrections, and how what payees owe comes back.

    Amounts are compared with the largest absolute difference of any one party. `waterfall`: the ways tried
    for a payee who owes, in their order. `offset_share_percent`: at most so much of each
    payment is taken off for what a payee owes. `recover_lost_disputes`: whether a lost dispute proposes that
    instructors and owners give back their share. Without a card the defaults are in force.
    """

    approve_above: Rate = 5_000
    second_approver_above: Rate = 50_000
    approve_older_than_days: Annotated[int, Field(strict=True, ge=0, le=3_650)] = 30
    expires_after_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 14
    offset_escalates_after_days: Annotated[int, Field(strict=True, ge=1, le=3_650)] = 60
    offset_share_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = 100
    recover_lost_disputes: bool = False
    waterfall: Annotated[list[Literal["stripe_reversal", "future_payout_offset"]], Field(max_length=2)] = (
        Field(default_factory=_offset_alone)
    )


class ReserveCard(Card):
    """Key `reserve`: what must stay at Stripe, and what happens when less does.

    The minimum is the largest of `minimum`, `minimum_payout_days` days of payouts (their mean over
    `payout_days_measured`), and `minimum_share_ppm` of what is owed. Below `warning_percent` of it a person
    is warned. A closed gate opens at `reopen_percent` of it. A balance older than `stale_after_minutes` is
    not believed; then `when_stale` holds. `opened_by_one_up_to`, `accepted_by_one_up_to`: up to this amount
    one person may open the gate, or accept what reconciliation proposes; above, a second must agree.
    Without a card there is no gate.
    """

    minimum: Rate = 0
    minimum_payout_days: Annotated[int, Field(strict=True, ge=0, le=90)] = 0
    payout_days_measured: Annotated[int, Field(strict=True, ge=1, le=365)] = 28
    minimum_share_ppm: Share = 0
    warning_percent: Annotated[int, Field(strict=True, ge=100, le=1_000)] = 150
    reopen_percent: Annotated[int, Field(strict=True, ge=100, le=1_000)] = 110
    count_student_deposits: bool = True
    count_tax: bool = True
    count_aircraft_reserves: bool = True
    stale_after_minutes: Annotated[int, Field(strict=True, ge=1, le=10_080)] = 15
    when_stale: Literal["closed", "open"] = "closed"
    exempt_below: Rate = 0
    exempt_wallets: Annotated[list[Literal["instructor", "aircraft_owner"]], Field(max_length=2)] = Field(
        default_factory=list
    )
    opened_by_one_up_to: Rate = 0
    accepted_by_one_up_to: Rate = 0
    drift_alert_above: Rate = 1_000
    timing_days: Annotated[int, Field(strict=True, ge=0, le=30)] = 3


class AirportFee(Event):
    """A flat amount on every flight of the aircraft that has hours."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    amount: Rate


class AircraftCard(Card):
    """Key: the tail. Which prices go with which model: services/billing/README.md.

    `hobbs_digits`, `tach_digits`: figures before the decimal point, to read a meter that rolled over.
    """

    model: Literal["owned", "leased", "third_party", "passthrough", "bundled"]
    meter: Literal["hobbs", "tach", "none"]
    fuel: Literal["wet", "dry"] = "wet"
    owner: Identifier | None = None
    rate_per_hour: Rate | None = None
    cost_per_hour: Rate | None = None
    margin_per_hour: Rate | None = None
    bundle_per_hour: Rate | None = None
    aircraft_per_hour: Rate | None = None
    instruction_per_hour: Rate | None = None
    fuel_per_hour: Rate | None = None
    owner_share_ppm: Share | None = None
    owner_share_per_hour: Rate | None = None
    owner_minimum_per_hour: Rate | None = None
    owner_minimum_per_flight: Rate | None = None
    convenience_fee_per_flight: Rate | None = None
    convenience_fee_per_hour: Rate | None = None
    convenience_fee_ppm: Share | None = None
    surcharge_per_hour: Rate = 0
    reserve_per_hour: Rate = 0
    hobbs_digits: MeterDigits | None = None
    tach_digits: MeterDigits | None = None
    airport_fees: Annotated[list[AirportFee], Field(max_length=20)] = Field(default_factory=list)
    tax: dict[LineKind, Share] = Field(default_factory=dict)


CARDS: dict[ChangeKind, type[Card]] = {
    "school": SchoolCard,
    "tax": TaxCard,
    "aircraft": AircraftCard,
    "instructor": InstructorCard,
    "owner": OwnerCard,
    "student": StudentCard,
    "student_rate": StudentRateCard,
    "adjustments": AdjustmentsCard,
    "reserve": ReserveCard,
    "credit": CreditCard,
    "credit_limit": CreditLimitCard,
}


@cache
def amounts_of(kind: str) -> frozenset[str]:
    """The settings of a kind of card that are amounts of money, by its model; none of a kind there is not."""
    card = CARDS.get(kind)  # type: ignore[call-overload]  # a kind that is no longer published
    hints = get_type_hints(card, include_extras=True) if card else {}
    return frozenset(name for name, hint in hints.items() if hint == Rate or Rate in get_args(hint))


PEOPLE: Final = {"instructor": "instructor", "owner": "aircraft_owner", "student": "student"}  # their wallets
CONTACT: Final = frozenset({"name", "email"})


def without_contact(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """A card as it is published now: the releases before 0314 had names and addresses of people in it."""
    left_out = CONTACT if kind in PEOPLE else frozenset()
    return {name: value for name, value in document.items() if name not in left_out}


def read_card(kind: ChangeKind, document: Mapping[str, Any]) -> Card:
    """Read a card of this kind. Raises pydantic.ValidationError."""
    return CARDS[kind].model_validate(without_contact(kind, document))


class SchoolChange(Event):
    """The change of one card: old and new settings from a date on (None: no card)."""

    kind: ChangeKind
    key: Identifier
    effective_from: CalendarDate
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def a_card_names_nobody(cls, change: Any) -> Any:
        """Leave out the contact data that records of earlier releases have: nobody keeps or passes it on."""
        if not isinstance(change, Mapping):
            return change
        cards = {side: change[side] for side in ("old", "new") if isinstance(change.get(side), Mapping)}
        kind = str(change.get("kind"))
        return {**change, **{side: without_contact(kind, card) for side, card in cards.items()}}

    @model_validator(mode="after")
    def new_is_a_card_of_its_kind(self) -> Self:
        if self.new is not None:
            read_card(self.kind, self.new)
        return self


class SchoolVersion(Event):
    """Version `version` of the school's book, made from `base_version`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 2,
                    "base_version": 1,
                    "who": "finance",
                    "why": "fuel price",
                    "at": "2026-05-22T12:00:00Z",
                    "changes": [
                        {
                            "kind": "student",
                            "key": "student-02",
                            "effective_from": "2026-06-01",
                            "new": {"also_instructor": "instructor-01"},
                        },
                        {
                            "kind": "instructor",
                            "key": "instructor-01",
                            "effective_from": "2026-06-01",
                            "old": {"flight_per_hour": 4500, "ground_per_hour": 4000},
                            "new": {"flight_per_hour": 4800, "ground_per_hour": 4000},
                        },
                    ],
                }
            ]
        }
    )

    version: int = Field(strict=True, ge=1, le=1_000_000)
    base_version: int = Field(strict=True, ge=0, le=1_000_000)
    who: Identifier
    why: Sentence
    at: Instant
    changes: list[SchoolChange] = Field(min_length=1, max_length=CHANGES_MAX)

    def schools(self) -> list[SchoolCard]:
        """The school's own card as these changes write it, the one that stands last; empty: they do not."""
        return [
            SchoolCard.model_validate(change.new)
            for change in self.changes
            if change.kind == "school" and change.new is not None
        ]


class SchoolConfigured(SchoolVersion):
    """Version `version` of the school's book, made from `base_version`; refused when that is stale.

    A large change is published as several versions in a row, of at most CHANGES_MAX entries each.
    """

    @model_validator(mode="after")
    def new_cards_have_plain_ids(self) -> Self:
        """A card that is withdrawn may have any id: it was accepted once."""
        for change in self.changes:
            for name, value in _ids(change):
                if problem := identifier_problem(value):
                    raise ValueError(f"{name} of {change.kind}: {problem}")
        return self


def _ids(change: SchoolChange) -> list[tuple[str, str]]:
    """The ids that a change brings in: its key, and whom its card names."""
    if change.new is None:
        return []
    scope, _, rest = change.key.partition(":")
    key = rest if change.kind == "student_rate" and rest else change.key
    named = [(name, change.new.get(name)) for name in ("owner", "also_instructor", "also_owner")]
    return [
        ("the key", key),
        ("the key", scope),
        *((n, value) for n, value in named if isinstance(value, str)),
    ]


class SchoolAccepted(SchoolVersion):
    """A version of the school's book that is in force: billing accepted the change set, whole.

    Every service but billing follows the book by this event. It has the change set's version and cards; `old`
    is left out. A card's newest version stands, in whatever order the versions are read.
    """
