"""Billing reads a card's document by plain code, as the published model would read it."""

from dataclasses import asdict, fields
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.card import RATE_MAX, Card
from schemas.school import (
    CARDS,
    PEOPLE,
    AircraftCard,
    ChangeKind,
    LineKind,
    PayoutSchedule,
    SchoolChange,
)
from schemas.school import read_card as read_published_card
from services.billing.domain.card_documents import read_card

RATES = st.integers(0, RATE_MAX)
SHARES = st.integers(0, 1_000_000)
TEXTS = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8"), max_size=20)
IDS = st.from_regex(r"[A-Za-z0-9 -]{0,10}[A-Za-z0-9]", fullmatch=True)
FEES = st.lists(st.fixed_dictionaries({"name": TEXTS, "amount": RATES}), max_size=3)
DUNNING = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.from_regex(r"[a-z]{1,8}", fullmatch=True),
            "action": st.just("remind"),
            "days_overdue": st.integers(1, 90),
        }
    ),
    max_size=3,
    unique_by=lambda step: step["name"],
)
WATERFALLS = st.lists(st.sampled_from(["stripe_reversal", "future_payout_offset"]), max_size=2)
EXEMPT = st.lists(st.sampled_from(["instructor", "aircraft_owner"]), max_size=2)
TAXES = st.dictionaries(st.sampled_from(get_args(LineKind)), SHARES)
PAYEE: dict[str, st.SearchStrategy[Any]] = {
    "country": st.sampled_from(["US", "DE"]),
    "instant_payout": st.booleans(),
    "payout_schedule": st.sampled_from(get_args(PayoutSchedule)),
    "payout_minimum": RATES,
    "payout_hold_hours": st.integers(0, 8760),
}
AIRCRAFT: dict[str, st.SearchStrategy[Any]] = {
    name: SHARES if name.endswith("_ppm") else RATES
    for name in AircraftCard.model_fields
    if name.endswith(("_per_hour", "_per_flight", "_ppm"))
} | {"fuel": st.sampled_from(["wet", "dry"]), "owner": IDS, "airport_fees": FEES, "tax": TAXES}
# Settings that a document must have, and those that it may leave out.
DOCUMENTS: dict[ChangeKind, st.SearchStrategy[dict[str, Any]]] = {
    "school": st.fixed_dictionaries({"name": TEXTS, "time_zone": IDS, "currency": st.just("USD")}),
    "adjustments": st.fixed_dictionaries(
        {}, optional={"approve_above": RATES, "second_approver_above": RATES, "waterfall": WATERFALLS}
    ),
    "reserve": st.fixed_dictionaries(
        {},
        optional={
            "minimum_payout_days": st.integers(0, 90),
            "warning_percent": st.integers(100, 1_000),
            "reopen_percent": st.integers(100, 1_000),
            "exempt_wallets": EXEMPT,
        },
    ),
    "credit": st.fixed_dictionaries(
        {},
        optional={
            "limit": RATES,
            "near_percent": st.integers(1, 90),
            "close_percent": st.integers(90, 100),
            "terms": st.sampled_from(["net", "end_of_month"]),
            "terms_days": st.integers(0, 365),
            "dunning_from_hour": st.integers(0, 10),
            "dunning_until_hour": st.integers(11, 24),
            "dunning_steps": DUNNING,
        },
    ),
    "credit_limit": st.fixed_dictionaries(
        {}, optional={"limit": RATES, "until": st.just("2026-12-31"), "frozen": st.booleans()}
    ),
    "tax": st.fixed_dictionaries({"tax_ppm": SHARES}),
    "student_rate": st.fixed_dictionaries({}, optional={"flight_per_hour": RATES, "ground_per_hour": RATES}),
    "instructor": st.fixed_dictionaries({"flight_per_hour": RATES, "ground_per_hour": RATES}, optional=PAYEE),
    "owner": st.fixed_dictionaries({}, optional=PAYEE),
    "student": st.fixed_dictionaries({}, optional={"also_instructor": IDS, "also_owner": IDS}),
    "aircraft": st.fixed_dictionaries(
        {
            "model": st.sampled_from(["owned", "leased", "third_party", "passthrough", "bundled"]),
            "meter": st.sampled_from(["hobbs", "tach", "none"]),
        },
        optional=AIRCRAFT,
    ),
}
KINDS_AND_DOCUMENTS = st.one_of(
    *(st.tuples(st.just(kind), documents) for kind, documents in DOCUMENTS.items())
)


def published(kind: ChangeKind, document: dict[str, Any]) -> Card:
    """The document as the published model reads it."""
    return read_published_card(kind, document)


@given(KINDS_AND_DOCUMENTS, st.booleans())
def test_any_valid_card_is_read_as_the_published_model_reads_it(
    written: tuple[ChangeKind, dict[str, Any]], with_defaults: bool
) -> None:
    kind, document = written
    model = published(kind, document)
    stored = model.model_dump(mode="json") if with_defaults else document
    card = read_card(kind, stored)
    expected = {field.name: getattr(model, field.name) for field in fields(card)}
    if "airport_fees" in expected:
        expected["airport_fees"] = tuple(fee.model_dump() for fee in expected["airport_fees"])
    for name in {"waterfall", "exempt_wallets"} & set(expected):
        expected[name] = tuple(expected[name])
    if kind == "credit_limit" and expected["until"] is not None:
        expected["until"] = expected["until"].isoformat()
    assert asdict(card) == expected


@given(KINDS_AND_DOCUMENTS)
def test_a_card_of_an_earlier_release_is_read_without_its_name_and_address(
    written: tuple[ChangeKind, dict[str, Any]],
) -> None:
    kind, document = written
    if kind in PEOPLE:
        old = document | {"name": "Jo Doe", "email": "jo@example.org"}
        change = SchoolChange(kind=kind, key="x", effective_from=date(2026, 1, 1), old=old, new=old)
        assert (change.old, change.new) == (document, document)
        assert published(kind, old) == published(kind, document)


def test_every_kind_of_card_that_is_published_is_tried() -> None:
    assert set(DOCUMENTS) == set(CARDS)


@pytest.mark.parametrize(
    ("kind", "document", "raised"),
    [
        ("tax", {"tax_ppm": 56_000.0}, TypeError),
        ("tax", {}, TypeError),
        ("aircraft", {"model": "owned", "meter": "hobbs", "rate_per_hour": [1]}, TypeError),
        ("aircraft", {"model": "owned", "meter": "hobbs", "airport_fees": [{"name": "X"}]}, KeyError),
        ("aircraft", {"model": "owned", "meter": "hobbs", "tax": {"rental": 5.6}}, TypeError),
        ("hangar", {}, KeyError),
    ],
)
def test_a_document_that_somebody_changed_by_hand_is_not_read_as_a_card(
    kind: str, document: dict[str, Any], raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        read_card(kind, document)
