"""Transfers, reversals and per-account balances.

Sources: docs.stripe.com/connect/separate-charges-and-transfers, docs.stripe.com/api/transfers,
docs.stripe.com/api/transfer_reversals, docs.stripe.com/connect/account-balances.
"""

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.conftest import new_payee

DAY_S = 86_400


def transfer(client: stripe.StripeClient, payee: str, amount: int = 1_000, **more: object) -> stripe.Transfer:
    given = {"amount": amount, "currency": "usd", "destination": payee, **more}
    return client.v1.transfers.create(given)  # type: ignore[arg-type]


def available(client: stripe.StripeClient, account: str | None = None) -> int:
    balance = client.v1.balance.retrieve({}, {"stripe_account": account} if account else {})
    return balance.available[0].amount


def charge(
    client: stripe.StripeClient, amount: int = 10_000, card: str = "pm_card_visa", **more: object
) -> str:
    given = {"amount": amount, "currency": "usd", "payment_method": card, "confirm": True, **more}
    return str(client.v1.payment_intents.create(given).latest_charge)  # type: ignore[arg-type]


def test_a_transfer_moves_money_between_two_balances(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/account-balances."""
    control.fund(5_000)
    made = transfer(client, payee, 1_200, metadata={"hobbs_operation_id": "7"})
    assert (available(client), available(client, payee)) == (3_800, 1_200)
    assert not made.reversed
    effect = control.effects(operation_id="7")[0]
    assert (effect["object_id"], effect["amount"], effect["currency"], effect["destination"]) == (
        made.id,
        1_200,
        "usd",
        payee,
    )


def test_a_transfer_needs_available_funds(client: stripe.StripeClient, control: Control, payee: str) -> None:
    """docs.stripe.com/error-codes#balance-insufficient."""
    control.fund(999)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(client, payee, 1_000)
    assert (refused.value.http_status, refused.value.code) == (400, "balance_insufficient")
    assert control.effects() == []


def test_card_money_is_not_available_until_it_settles(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/payouts: two days in the United States."""
    charge(client)
    control.advance(1)
    with pytest.raises(stripe.InvalidRequestError):
        transfer(client, payee)
    control.advance(2 * DAY_S)
    assert transfer(client, payee).amount == 1_000


def test_an_unknown_destination_is_refused(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/error-codes#resource-missing."""
    control.fund(5_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(client, "acct_nobody")
    assert (refused.value.code, refused.value.param) == ("resource_missing", "destination")


def test_a_destination_without_the_transfers_capability_is_refused(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/error-codes#insufficient-capabilities-for-transfer."""
    control.fund(5_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(client, new_payee(client))
    assert refused.value.code == "insufficient_capabilities_for_transfer"


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"amount": -5}, "parameter_invalid_integer", "amount"),
        ({"amount": "ten"}, "parameter_invalid_integer", "amount"),
        ({"amount": ""}, "parameter_missing", "amount"),
        ({"currency": ""}, "parameter_missing", "currency"),
        ({"destination": ""}, "parameter_missing", "destination"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
    ],
)
def test_a_malformed_transfer_is_refused_before_it_executes(
    client: stripe.StripeClient,
    control: Control,
    payee: str,
    wrong: dict[str, object],
    code: str | None,
    param: str,
) -> None:
    """docs.stripe.com/error-codes, docs.stripe.com/api/metadata."""
    control.fund(5_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(client, payee, **wrong)  # type: ignore[arg-type]
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)
    assert control.effects() == []


def test_a_connected_account_cannot_act_as_the_platform(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """It is not simulated, so it is refused; it must not move the platform's money."""
    control.fund(5_000)
    with pytest.raises(stripe.InvalidRequestError, match="does not simulate"):
        client.v1.transfers.create(
            {"amount": 100, "currency": "usd", "destination": payee}, {"stripe_account": payee}
        )
    assert control.effects() == []


def test_lists_filter_by_destination_group_and_time_and_page_newest_first(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/pagination."""
    control.fund(100_000)
    other = new_payee(client)
    control.onboard(other)
    made = [transfer(client, payee, 100 + n, transfer_group=f"g{n % 2}").id for n in range(7)]
    transfer(client, other)
    listed = [
        found.id for found in client.v1.transfers.list({"destination": payee, "limit": 2}).auto_paging_iter()
    ]
    assert listed == made[::-1]
    grouped = client.v1.transfers.list({"transfer_group": "g1", "destination": payee})
    assert [found.id for found in grouped.data] == made[5::-2]
    since = client.v1.transfers.retrieve(made[0]).created
    assert len(client.v1.transfers.list({"created": {"gte": since}}).data) == 8
    assert client.v1.transfers.list({"created": {"lt": since}}).data == []
    back = client.v1.transfers.list({"destination": payee, "ending_before": made[3], "limit": 2})
    assert ([found.id for found in back.data], back.has_more) == ([made[5], made[4]], True)


def test_metadata_merges_and_an_empty_value_removes(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/metadata."""
    control.fund(5_000)
    made = transfer(client, payee, metadata={"a": "1", "b": "2"})
    changed = client.v1.transfers.update(made.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}


def test_a_source_transaction_gives_its_group_to_the_transfer_and_delays_the_money(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/separate-charges-and-transfers."""
    source = charge(client, transfer_group="flight-7")
    made = transfer(client, payee, 4_000, source_transaction=source, transfer_group="mine")
    assert made.transfer_group == "flight-7"
    pending = client.v1.balance.retrieve({}, {"stripe_account": payee}).pending[0].amount
    assert (available(client, payee), pending) == (0, 4_000)
    control.advance(2 * DAY_S)
    assert available(client, payee) == 4_000


def test_transfers_from_one_charge_never_exceed_it(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/separate-charges-and-transfers."""
    source = charge(client, 1_000)
    transfer(client, payee, 700, source_transaction=source)
    with pytest.raises(stripe.InvalidRequestError):
        transfer(client, payee, 301, source_transaction=source)
    assert transfer(client, payee, 300, source_transaction=source).amount == 300


def test_a_negative_connected_balance_reduces_the_next_transfer(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/account-balances."""
    control.fund(5_000)
    control.fund(-800, account=payee)
    transfer(client, payee, 1_000)
    assert available(client, payee) == 200


def test_partial_reversals_add_up_and_reversed_is_true_only_at_the_end(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """`reversed`: "Whether the transfer has been fully reversed": docs.stripe.com/api/transfers/object."""
    control.fund(5_000)
    made = transfer(client, payee, 1_000)
    for amount, total, whole in ((300, 300, False), (200, 500, False), (500, 1_000, True)):
        client.v1.transfers.reversals.create(made.id, {"amount": amount})
        now = client.v1.transfers.retrieve(made.id)
        assert (now.amount_reversed, now.reversed) == (total, whole)
    assert [found.amount for found in client.v1.transfers.reversals.list(made.id).data] == [500, 200, 300]
    assert (available(client), available(client, payee)) == (5_000, 0)


def test_a_reversal_is_bounded_by_what_is_left(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/transfer_reversals."""
    control.fund(5_000)
    made = transfer(client, payee, 1_000)
    client.v1.transfers.reversals.create(made.id, {"amount": 400})
    control.fund(5_000, account=payee)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unreversed"):
        client.v1.transfers.reversals.create(made.id, {"amount": 601})
    assert client.v1.transfers.reversals.create(made.id).amount == 600
    with pytest.raises(stripe.InvalidRequestError, match="already fully reversed"):
        client.v1.transfers.reversals.create(made.id)


def test_a_reversal_needs_the_accounts_available_balance(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/separate-charges-and-transfers."""
    control.fund(5_000)
    made = transfer(client, payee, 1_000)
    control.fund(-600, account=payee)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.reversals.create(made.id, {"amount": 401})
    assert refused.value.code == "balance_insufficient"
    assert client.v1.transfers.reversals.create(made.id, {"amount": 400}).amount == 400


def test_a_refund_leaves_the_transfer_alone(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/separate-charges-and-transfers."""
    source = charge(client, 1_000)
    made = transfer(client, payee, 700, source_transaction=source)
    client.v1.refunds.create({"charge": source})
    assert client.v1.transfers.retrieve(made.id).amount_reversed == 0


def test_balance_transactions_of_an_account_add_up_to_its_balance(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/reports/balance-transaction-types."""
    charge(client, 9_999, "pm_card_bypassPending")
    control.advance(1)
    made = transfer(client, payee, 3_333)
    client.v1.transfers.reversals.create(made.id, {"amount": 1_111})
    client.v1.refunds.create({"charge": charge(client, 777, "pm_card_bypassPending"), "amount": 77})
    control.advance(1)
    for account in (None, payee):
        options: stripe.RequestOptions = {"stripe_account": account} if account else {}
        listed = client.v1.balance_transactions.list({"limit": 3}, options).auto_paging_iter()
        assert sum(transaction.net for transaction in listed) == available(client, account)


def test_expand_replaces_ids_by_objects(client: stripe.StripeClient, control: Control, payee: str) -> None:
    """docs.stripe.com/api/expanding_objects."""
    control.fund(5_000)
    made = transfer(client, payee, 1_000)
    found = client.v1.transfers.retrieve(
        made.id, {"expand": ["balance_transaction", "destination_payment.balance_transaction"]}
    ).to_dict()
    assert found["balance_transaction"]["net"] == -1_000
    assert found["destination_payment"]["balance_transaction"]["net"] == 1_000
    assert found["destination_payment"]["source_transfer"] == made.id
