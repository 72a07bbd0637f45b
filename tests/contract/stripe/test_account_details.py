"""What belongs to an account: balance settings, bank accounts, persons, sessions, and payouts taken back.

Sources: docs.stripe.com/api/balance-settings, docs.stripe.com/api/external_accounts,
docs.stripe.com/api/persons, docs.stripe.com/api/account_sessions, docs.stripe.com/connect/payout-reversals.
"""

from typing import Any

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.shapes import misfits
from tests.contract.stripe.test_payments import balance, types

Doc = dict[str, Any]
DAY_S = 86_400
BANK = {
    "object": "bank_account",
    "country": "US",
    "currency": "usd",
    "account_number": "000123456789",
    "routing_number": "110000000",
}


def payouts(client: stripe.StripeClient, **more: object) -> Doc:
    return {"payments": {"payouts": more}}


def test_the_platform_pays_nothing_out_until_its_settings_say_so(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/payouts: an automatic payout empties the balance and can be itemised."""
    control.fund(50_000)
    settings = client.v1.balance_settings.retrieve().to_dict()
    assert settings["payments"]["payouts"]["schedule"]["interval"] == "manual"
    assert misfits(settings, "balance_settings") == []
    control.advance(10 * DAY_S)
    assert client.v1.payouts.list().data == []
    changed = client.v1.balance_settings.update(payouts(client, schedule={"interval": "daily"}))  # type: ignore[arg-type]
    assert misfits(changed.to_dict(), "balance_settings") == []
    assert types(control)[-1] == "balance_settings.updated"
    control.fund(7_000)
    control.advance(4 * DAY_S)
    paid = client.v1.payouts.list().data
    assert [(one.amount, one.automatic, one.status) for one in paid] == [(57_000, True, "paid")]
    rows = client.v1.balance_transactions.list({"payout": paid[0].id}).data
    assert sorted(row.net for row in rows) == [-57_000, 7_000, 50_000]
    client.v1.balance_settings.update(payouts(client, schedule={"interval": "manual"}))  # type: ignore[arg-type]
    control.fund(1_000)
    control.advance(4 * DAY_S)
    assert balance(client) == (1_000, 0)


def test_a_minimum_balance_is_held_out_of_the_payout(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/changelog/acacia/2024-12-18/payout-minimum-balance: 1000 with 100 to keep pays 900."""
    theirs: Any = {"stripe_account": payee}
    wanted: Any = payouts(client, minimum_balance_by_currency={"usd": 10_000})
    kept = client.v1.balance_settings.update(wanted, theirs).to_dict()
    assert kept["payments"]["payouts"]["minimum_balance_by_currency"] == {"usd": 10_000}
    control.fund(100_000, account=payee)
    control.advance(2 * DAY_S)
    payout = client.v1.payouts.list({}, theirs).data[0]
    assert payout.amount == 90_000
    rows = client.v1.balance_transactions.list({"payout": payout.id}, theirs).data
    assert sorted((row.type, row.amount) for row in rows) == [
        ("payout", -90_000),
        ("payout_minimum_balance_hold", -10_000),
        ("topup", 100_000),
    ]
    released = client.v1.balance_transactions.list({"type": "payout_minimum_balance_release"}, theirs).data
    assert [row.amount for row in released] == [10_000]
    assert client.v1.balance.retrieve({}, theirs).available[0].amount == 10_000


def test_a_weekly_schedule_pays_out_on_its_day(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/balance-settings: weekly_payout_days; the account's own settings show it."""
    theirs: Any = {"stripe_account": payee}
    schedule = {"interval": "weekly", "weekly_payout_days": ["friday"]}
    client.v1.balance_settings.update(payouts(client, schedule=schedule), theirs)  # type: ignore[arg-type]
    account = client.v1.accounts.retrieve(payee).to_dict()
    assert account["settings"]["payouts"]["schedule"]["interval"] == "weekly"
    control.fund(5_000, account=payee)
    control.advance(9 * DAY_S)
    made = client.v1.payouts.list({}, theirs).data[0].created
    assert made // DAY_S % 7 == 1, "a Friday: day 0 of 1970 was a Thursday"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.balance_settings.update(payouts(client, schedule={"interval": "weekly"}))  # type: ignore[arg-type]


def test_platform_payouts_are_made_canceled_and_fail(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/payouts: manual payouts of one's own account."""
    control.fund(10_000)
    first = client.v1.payouts.create({"amount": 4_000, "currency": "usd"})
    assert client.v1.payouts.cancel(first.id).status == "canceled"
    second = client.v1.payouts.create({"amount": 6_000, "currency": "usd"})
    control.trigger("payout.failed", payout=second.id, code="account_closed")
    failed = client.v1.payouts.retrieve(second.id)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert [one.id for one in client.v1.payouts.list().data] == [second.id, first.id]
    assert balance(client) == (10_000, 0)


def test_a_payout_is_reversed_once(client: stripe.StripeClient, control: Control, payee: str) -> None:
    """docs.stripe.com/connect/payout-reversals, docs.stripe.com/api/payouts/reverse."""
    theirs: Any = {"stripe_account": payee}
    control.fund(10_000, account=payee)
    payout = client.v1.payouts.create({"amount": 8_000, "currency": "usd"}, theirs)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.reverse(payout.id, {}, theirs)
    control.advance(3 * DAY_S)
    seen = len(control.events())
    back = client.v1.payouts.reverse(payout.id, {"metadata": {"why": "wrong bank"}}, theirs)
    assert (back.amount, back.original_payout, back.status) == (-8_000, payout.id, "pending")
    assert misfits(back.to_dict(), "payout") == []
    assert client.v1.payouts.retrieve(payout.id, {}, theirs).reversed_by == back.id
    assert types(control)[seen:] == ["payout.updated", "payout.created"]
    control.advance(3 * DAY_S)
    assert client.v1.payouts.retrieve(back.id, {}, theirs).status == "paid"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.reverse(payout.id, {}, theirs)
    assert [row["amount"] for row in control.effects(kind="payout_reversal")] == [-8_000]


def test_a_reversal_is_canceled_when_its_payout_fails(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/payout-reversals, failures."""
    theirs: Any = {"stripe_account": payee}
    control.fund(8_000, account=payee)
    payout = client.v1.payouts.create({"amount": 8_000, "currency": "usd"}, theirs)
    control.advance(3 * DAY_S)
    back = client.v1.payouts.reverse(payout.id, {}, theirs)
    control.trigger("payout.failed", payout=payout.id)
    assert client.v1.payouts.retrieve(back.id, {}, theirs).status == "canceled"
    control.advance(3 * DAY_S)
    found = client.v1.balance.retrieve({}, theirs)
    assert (found.available[0].amount, found.pending[0].amount) == (8_000, 0)


def test_only_payouts_of_connected_accounts_are_reversed(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/api/payouts/reverse."""
    control.fund(10_000)
    payout = client.v1.payouts.create({"amount": 8_000, "currency": "usd"})
    control.advance(3 * DAY_S)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.reverse(payout.id)


def test_bank_accounts_are_added_chosen_and_deleted(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/external_accounts: one default a currency, which cannot be deleted."""
    banks = client.v1.accounts.external_accounts
    first = banks.list(payee).data[0]
    given: Any = {"external_account": BANK, "metadata": {"a": "b"}}
    second = banks.create(payee, given).to_dict()
    assert (second["default_for_currency"], second["last4"]) == (False, "6789")
    assert misfits(second, "bank_account") == []
    with pytest.raises(stripe.InvalidRequestError):
        banks.delete(payee, first.id)
    assert banks.update(payee, second["id"], {"default_for_currency": True}).to_dict()["default_for_currency"]
    assert banks.retrieve(payee, first.id).to_dict()["default_for_currency"] is False
    assert banks.delete(payee, first.id).deleted
    assert [one.id for one in banks.list(payee).data] == [second["id"]]
    shown = client.v1.accounts.retrieve(payee).to_dict()["external_accounts"]["data"]
    assert [one["id"] for one in shown] == [second["id"]]
    happened = [type for type in types(control) if type.startswith("account.external_account")]
    whats = ("created", "created", "updated", "deleted")  # the first one by the owner, who onboarded
    assert happened == [f"account.external_account.{what}" for what in whats]
    control.fund(5_000, account=payee)
    theirs: Any = {"stripe_account": payee}
    assert client.v1.payouts.create({"amount": 100, "currency": "usd"}, theirs).destination == second["id"]


def test_a_payout_to_a_test_account_fails_as_it_says(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/testing#account-numbers: 000111111116 fails with no_account."""
    given: Any = {"external_account": BANK | {"account_number": "000111111116"}, "default_for_currency": True}
    client.v1.accounts.external_accounts.create(payee, given)
    control.fund(5_000, account=payee)
    theirs: Any = {"stripe_account": payee}
    payout = client.v1.payouts.create({"amount": 5_000, "currency": "usd"}, theirs)
    control.advance(3 * DAY_S)
    assert client.v1.payouts.retrieve(payout.id, {}, theirs).failure_code == "no_account"


def test_a_debit_card_is_added_by_its_token(client: stripe.StripeClient, payee: str) -> None:
    """docs.stripe.com/connect/testing: tok_visa_debit_us_transferSuccess."""
    given: Any = {"external_account": "tok_visa_debit_us_transferSuccess"}
    card = client.v1.accounts.external_accounts.create(payee, given).to_dict()
    assert (card["object"], card["funding"]) == ("card", "debit")
    assert misfits(card, "card") == []
    listed = client.v1.accounts.external_accounts.list(payee, {"object": "card"}).data
    assert [one.id for one in listed] == [card["id"]]


def test_persons_are_kept(client: stripe.StripeClient, control: Control, payee: str) -> None:
    """docs.stripe.com/api/persons."""
    persons = client.v1.accounts.persons
    given: Any = {"first_name": "Ann", "relationship": {"representative": True, "title": "CFI"}}
    made = persons.create(payee, given).to_dict()
    assert (made["account"], made["relationship"]["representative"]) == (payee, True)
    assert "last_name" in made["requirements"]["currently_due"]
    rest: Any = {"last_name": "Abel", "dob": {"day": 1, "month": 2, "year": 1980}}
    done = persons.update(payee, made["id"], rest).to_dict()
    assert (done["verification"]["status"], done["requirements"]["currently_due"]) == ("verified", [])
    assert [*misfits(made, "person"), *misfits(done, "person")] == []
    assert [one.id for one in persons.list(payee, {"relationship": {"representative": True}}).data] == [
        made["id"]
    ]
    assert persons.list(payee, {"relationship": {"owner": True}}).data == []
    assert persons.delete(payee, made["id"]).deleted
    happened = [type for type in types(control) if type.startswith("person.")]
    assert happened[-3:] == ["person.created", "person.updated", "person.deleted"]


def test_an_account_session_has_a_secret(client: stripe.StripeClient, payee: str) -> None:
    """docs.stripe.com/api/account_sessions/create."""
    given: Any = {"account": payee, "components": {"payouts": {"enabled": True}}}
    session = client.v1.account_sessions.create(given).to_dict()
    assert session["client_secret"].startswith("accs_secret__")
    assert session["components"]["payouts"]["enabled"]
    assert not session["components"]["payments"]["enabled"]
    assert misfits(session, "account_session") == []


def test_a_pending_top_up_is_canceled_and_one_that_succeeded_is_not(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/api/topups/cancel: only pending ones."""
    control.set(topup_succeeds_after_s=3_600)
    first = client.v1.topups.create({"amount": 5_000, "currency": "usd"})
    assert (first.status, balance(client)) == ("pending", (0, 0))
    assert client.v1.topups.cancel(first.id).status == "canceled"
    second = client.v1.topups.create({"amount": 7_000, "currency": "usd"})
    control.advance(3_601)
    assert (client.v1.topups.retrieve(second.id).status, balance(client)) == ("succeeded", (7_000, 0))
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.topups.cancel(second.id)
    control.trigger("topup.reversed", topup=second.id)
    assert balance(client) == (0, 0)
    third = client.v1.topups.create({"amount": 9_000, "currency": "usd"})
    assert control.trigger("topup.failed", topup=third.id)["failure_code"] == "insufficient_funds"
    happened = [type for type in types(control) if type.startswith("topup.")]
    assert happened == [
        "topup.created",
        "topup.canceled",
        "topup.created",
        "topup.succeeded",
        "topup.reversed",
        "topup.created",
        "topup.failed",
    ]


def test_a_card_refund_cannot_be_canceled(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/refunds/cancel: only a refund with the status requires_action."""
    charge = control.trigger("payment_intent.succeeded", card="bypassPending")["latest_charge"]
    refund = client.v1.refunds.create({"charge": charge, "amount": 100})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.cancel(refund.id)
    control.trigger("object.changed", object=refund.id, fields={"status": "requires_action"})
    assert client.v1.refunds.cancel(refund.id).status == "canceled"
