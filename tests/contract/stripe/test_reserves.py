"""Reserved funds, and reversals that wait: what the reserves and adjustments services meet at Stripe.

Sources: docs.stripe.com/changelog/clover/2026-01-28/monitor-reserve-activity-on-balance-transactions,
docs.stripe.com/api/reserve/hold/object, docs.stripe.com/connect/pending-transfer-reversals.
"""

from typing import Any

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control, SimulatorRefused
from tests.contract.stripe.shapes import misfits
from tests.contract.stripe.test_payments import balance, types

Doc = dict[str, Any]
DAY_S = 86_400


def sums(client: stripe.StripeClient) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in client.v1.balance_transactions.list({"limit": 100}).data:
        assert misfits(row.to_dict(), "balance_transaction") == [] or row.balance_type == "risk_reserved"
        found[str(row.balance_type)] = found.get(str(row.balance_type), 0) + row.net
    return found


def test_a_hold_moves_money_into_the_risk_reserve_and_a_release_back(
    client: stripe.StripeClient, control: Control
) -> None:
    """monitor-reserve-activity…; docs.stripe.com/changelog/dahlia/2026-03-25: the balance's risk_reserved."""
    control.fund(50_000)
    hold = control.trigger("reserve.hold.created", amount=20_000, days=30)
    assert set(hold) == set(stripe.reserve.Hold.__annotations__) - {"OBJECT_NAME"}
    assert hold["release_schedule"]["scheduled_release"] % DAY_S == 0
    assert balance(client) == (30_000, 0)
    assert sums(client) == {"payments": 30_000, "risk_reserved": 20_000}
    reserved = client.v1.balance.retrieve().to_dict()["risk_reserved"]["available"]
    assert [(part["amount"], part["currency"]) for part in reserved] == [(20_000, "usd")]
    release = control.trigger("reserve.release.created", reserve_hold=hold["id"], amount=5_000)
    assert set(release) == set(stripe.reserve.Release.__annotations__) - {"OBJECT_NAME"}
    control.trigger("reserve.release.created", reserve_hold=hold["id"])
    assert balance(client) == (50_000, 0)
    assert "risk_reserved" not in client.v1.balance.retrieve().to_dict()
    kinds = [row.type for row in client.v1.balance_transactions.list().data]
    assert (kinds.count("reserve_hold"), kinds.count("reserve_release")) == (2, 4)
    assert types(control).count("reserve.release.created") == 2
    with pytest.raises(SimulatorRefused):
        control.trigger("reserve.release.created", reserve_hold=hold["id"], amount=1)


def test_the_older_rows_move_the_balance_alone(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/reports/balance-transaction-types: reserve_transaction, reserved_funds."""
    control.fund(50_000)
    for type in ("reserve_transaction", "reserved_funds"):
        row = control.trigger("balance.reserved", type=type, amount=-10_000)
        assert (row["type"], row["reporting_category"]) == (type, "risk_reserved_funds")
        assert misfits(row, "balance_transaction") == []
    assert balance(client) == (30_000, 0)
    found = client.v1.balance_transactions.list(
        {"type": "reserve_transaction", "expand": ["data.source"]}
    ).data
    source = found[0].to_dict()["source"]
    assert misfits(source, "reserve_transaction") == []


# Pending reversals


def paid(client: stripe.StripeClient, control: Control, payee: str) -> str:
    """A transfer whose money the account has paid out already."""
    control.fund(50_000)
    transfer = client.v1.transfers.create({"amount": 30_000, "currency": "usd", "destination": payee}).id
    control.advance(4 * DAY_S)
    return str(transfer)


def test_without_the_preview_a_reversal_the_account_cannot_pay_is_refused(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/pending-transfer-reversals: only for platforms that Stripe enabled."""
    transfer = paid(client, control, payee)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.reversals.create(transfer, {"amount": 10_000})
    assert refused.value.code == "balance_insufficient"


def test_a_reversal_waits_for_the_balance_and_is_carried_out_oldest_first(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/pending-transfer-reversals: pending, succeeded."""
    control.set(pending_reversals=True)
    transfer = paid(client, control, payee)
    first = client.v1.transfers.reversals.create(transfer, {"amount": 10_000}).to_dict()
    second = client.v1.transfers.reversals.create(transfer, {"amount": 15_000}).to_dict()
    assert (first["status"], first["balance_transaction"], second["status"]) == ("pending", None, "pending")
    assert client.v1.transfers.retrieve(transfer).amount_reversed == 0
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.reversals.create(transfer, {"amount": 5_001})
    control.fund(12_000, account=payee)
    control.advance(1)
    states = {one.id: one.to_dict()["status"] for one in client.v1.transfers.reversals.list(transfer).data}
    assert states == {first["id"]: "succeeded", second["id"]: "pending"}
    assert client.v1.transfers.retrieve(transfer).amount_reversed == 10_000
    assert balance(client) == (30_000, 0)
    assert [row["object_id"] for row in control.effects(kind="reversal")] == [first["id"]]
    control.fund(13_000, account=payee)
    control.advance(1)
    assert client.v1.transfers.retrieve(transfer).amount_reversed == 25_000


def test_a_covered_reversal_succeeds_at_once(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """The same page: it transitions directly to succeeded."""
    control.set(pending_reversals=True)
    control.fund(10_000)
    transfer = client.v1.transfers.create({"amount": 10_000, "currency": "usd", "destination": payee}).id
    assert client.v1.transfers.reversals.create(transfer, {}).to_dict()["status"] == "succeeded"


def test_a_reversal_fails_after_45_days_or_is_canceled(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """The same page: failed after more than 45 days, canceled by the platform."""
    control.set(pending_reversals=True)
    transfer = paid(client, control, payee)
    first = client.v1.transfers.reversals.create(transfer, {"amount": 30_000}).id
    control.advance(46 * DAY_S)
    assert client.v1.transfers.reversals.retrieve(transfer, first).to_dict()["status"] == "failed"
    second = client.v1.transfers.reversals.create(transfer, {"amount": 30_000}).id
    assert control.trigger("transfer_reversal.canceled", reversal=second)["status"] == "canceled"
    control.fund(30_000, account=payee)
    control.advance(1)
    assert control.effects(kind="reversal") == []
