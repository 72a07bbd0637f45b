"""What is asked of Stripe, and what an instant payout leaves after its fee."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fleet.cause import Cause
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import (
    MoneyToMove,
    instant_amount,
    instant_fee,
    order_account,
    order_instant_payout,
    order_reversal,
    order_transfer,
)

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
TRACE = Cause(correlation_id="c", traceparent="t", event_id=ID)
MONEY = MoneyToMove(transfer_id=ID, wallet="instructor:i1", amount=700, currency="USD", trace=TRACE)


def test_a_transfer_names_its_operation_payee_and_source() -> None:
    order = order_transfer(ID, MONEY, destination="acct_1", source="flight:F1:1")
    assert order.params == {
        "amount": 700,
        "currency": "usd",
        "destination": "acct_1",
        "metadata": {
            "hobbs_operation_id": str(ID),
            "hobbs_payee": "instructor:i1",
            "hobbs_source": "flight:F1:1",
        },
    }


def test_an_account_is_express_and_may_receive_transfers() -> None:
    order = order_account(ID, wallet="instructor:i1", email="a@example.org", country="US", trace=TRACE)
    assert order.params["type"] == "express"
    assert order.params["capabilities"] == {"transfers": {"requested": True}}
    assert order.params["email"] == "a@example.org"
    without = order_account(ID, wallet="instructor:i1", email=None, country="US", trace=TRACE)
    assert "email" not in without.params


def test_a_reversal_is_one_operation_for_each_cause() -> None:
    order = order_reversal(ID, MONEY, stripe_transfer_id="tr_1", cause="adjustment:7")
    assert (order.cause, order.parent_id) == ("adjustment:7", "tr_1")
    assert order.params["amount"] == 700
    assert "currency" not in order.params  # Stripe takes back in the transfer's own


def test_an_instant_payout_is_asked_for_on_the_payees_own_account() -> None:
    order = order_instant_payout(ID, MONEY, stripe_account="acct_1")
    assert (order.kind, order.stripe_account, order.parent_id) == (Kind.INSTANT_PAYOUT, "acct_1", None)
    assert (order.params["method"], order.params["currency"]) == ("instant", "usd")
    assert order.params["metadata"]["hobbs_source"] == f"transfer:{ID}"


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
