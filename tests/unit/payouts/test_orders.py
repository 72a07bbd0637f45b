"""What is asked of Stripe, and what an instant payout leaves after its fee."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cause import Cause
from services.payouts.domain.accounts import AccountPolicy, AccountsApi
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import (
    MoneyToMove,
    instant_amount,
    instant_fee,
    order_account,
    order_instant_payout,
    order_reversal,
    order_transfer,
    sources_named,
    transfer_id,
    within_instant_bounds,
)

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
TRACE = Cause(correlation_id="c", traceparent="t", event_id=ID)
MONEY = MoneyToMove(transfer_id=ID, wallet="instructor:i1", amount=700, currency="USD", trace=TRACE)
V1 = AccountPolicy(api=AccountsApi.V1, country="US", recipient_alone=True)


def test_a_transfer_names_its_operation_payee_and_source() -> None:
    order = order_transfer(MONEY, destination="acct_1", source="flight:F1:1", sources=["flight:F1:1"])
    assert order.params == {
        "amount": 700,
        "currency": "usd",
        "destination": "acct_1",
        "metadata": {
            "hobbs_operation_id": str(order.id),
            "hobbs_payee": "instructor:i1",
            "hobbs_source": "flight:F1:1",
            "hobbs_transfer_id": str(ID),
            "hobbs_sources": "1",
            "hobbs_sources_1": '["flight:F1:1"]',
        },
    }


def test_what_is_decided_again_is_the_same_operation_with_the_same_key() -> None:
    first, again = (
        order_transfer(MONEY, destination=account, source="flight:F1:1", sources=["flight:F1:1"])
        for account in ("acct_1", "acct_2")
    )
    assert first.id == again.id
    assert first.id != order_instant_payout(MONEY, stripe_account="acct_1").id
    of = transfer_id("instructor:i1", "USD", "weekly:2026-05-22", ["flight:F1:1", "flight:F2:1"])
    assert of == transfer_id("instructor:i1", "USD", "weekly:2026-05-22", ["flight:F2:1", "flight:F1:1"])
    others = (
        transfer_id("instructor:i2", "USD", "weekly:2026-05-22", ["flight:F1:1", "flight:F2:1"]),
        transfer_id("instructor:i1", "EUR", "weekly:2026-05-22", ["flight:F1:1", "flight:F2:1"]),
        transfer_id("instructor:i1", "USD", "weekly:2026-05-15", ["flight:F1:1", "flight:F2:1"]),
        transfer_id("instructor:i1", "USD", "weekly:2026-05-22", ["flight:F1:1"]),
    )
    assert of not in others


@given(st.lists(st.text(min_size=1, max_size=100), max_size=300))
def test_stripe_can_say_what_a_transfer_pays(sources: list[str]) -> None:
    order = order_transfer(MONEY, destination="acct_1", source="weekly:2026-05-22", sources=sources)
    metadata = order.params["metadata"]
    assert len(metadata) <= 50
    assert all(len(name) <= 40 and len(value) <= 500 for name, value in metadata.items())
    assert sources_named(metadata) in (tuple(sources), None)
    if len(sources) <= 40:
        assert sources_named(metadata) == tuple(sources)


def test_what_stripe_does_not_say_whole_is_not_guessed() -> None:
    many = [f"flight:{number:080}:1" for number in range(1000)]
    order = order_transfer(MONEY, destination="acct_1", source="weekly:2026-05-22", sources=many)
    assert sources_named(order.params["metadata"]) is None
    assert sources_named({"hobbs_source": "flight:F1:1"}) == ("flight:F1:1",)  # a release before 0.2
    assert sources_named({"hobbs_source": "weekly:2026-05-22"}) is None
    assert sources_named({"hobbs_source": "x", "hobbs_sources": "1", "hobbs_sources_1": "[1"}) is None


def test_an_account_of_api_v1_is_express_and_may_receive_transfers() -> None:
    order = order_account(V1, wallet="instructor:i1", country="US", trace=TRACE)
    assert order.params["type"] == "express"
    assert order.params["capabilities"] == {"transfers": {"requested": True}}


def test_a_reversal_is_one_operation_for_each_cause() -> None:
    order = order_reversal(MONEY, stripe_transfer_id="tr_1", cause="adjustment:7")
    assert (order.cause, order.parent_id) == ("adjustment:7", "tr_1")
    assert order.params["amount"] == 700
    assert "currency" not in order.params  # Stripe takes back in the transfer's own


def test_an_instant_payout_is_asked_for_on_the_payees_own_account() -> None:
    order = order_instant_payout(MONEY, stripe_account="acct_1")
    assert (order.kind, order.stripe_account, order.parent_id) == (Kind.INSTANT_PAYOUT, "acct_1", None)
    assert (order.params["method"], order.params["currency"]) == ("instant", "usd")
    assert order.params["metadata"]["hobbs_source"] == f"transfer:{ID}"


@pytest.mark.parametrize(
    ("amount", "paid"),
    [(0, 0), (49, 0), (50, 50), (999_900, 999_900), (999_901, 999_900), (5_000_000, 999_900)],
)
def test_an_instant_payout_stays_within_stripes_bounds(amount: int, paid: int) -> None:
    assert within_instant_bounds(amount) == paid


@given(st.integers(1, 10_000_000), st.integers(0, 500), st.integers(0, 100))
def test_an_instant_payout_and_its_fee_never_exceed_the_transfer(
    transferred: int, basis_points: int, least: int
) -> None:
    amount = instant_amount(transferred, basis_points, least)
    if amount:
        assert amount + instant_fee(amount, basis_points, least) <= transferred
        more = amount + 1
        assert more + instant_fee(more, basis_points, least) > transferred
    else:
        assert 1 + instant_fee(1, basis_points, least) > transferred
