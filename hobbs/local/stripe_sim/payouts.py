"""Payouts to a bank: automatic and standard ones that arrive days later, instant ones with a fee, failures.

For a connected account call with the Stripe-Account header. An automatic payout takes all available funds and
can be itemised (`balance_transactions?payout=`); manual and instant ones cannot, as at Stripe.
Sources: docs.stripe.com/payouts, docs.stripe.com/connect/instant-payouts, docs.stripe.com/api/payouts.
"""

from hobbs.local.stripe_sim import (
    account_events,
    account_rules,
    accounts,
    balance_settings,
    balances,
    currencies,
    effects,
    errors,
    external_accounts,
    forms,
    instant,
    jobs,
    lists,
    onboarding,
    settlement,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World

INSUFFICIENT = (
    "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. "
    "You can use the the /v1/balance endpoint to view your Stripe balance (for more details, see "
    "stripe.com/docs/api#balance)."
)
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account could not be located.",
    "debit_not_authorized": "Debit transactions are not approved on the bank account.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
    "could_not_process": "The bank could not process this payout.",
}


def create(world: World, call: Call) -> Doc:
    params = call.params
    currency = forms.currency(params)
    amount = forms.required_amount(params)
    method = forms.choice(params, "method", ("standard", "instant"), "standard")
    metadata = forms.metadata(params)
    currencies.check(currency, amount, payout=True)
    account = _able(world, call.account)
    bank = _destination(world, call, account, currency)
    if method == "instant":
        instant.check(world, account, bank, currency, amount)
    fee = balances.instant_fee(world, amount) if method == "instant" else 0
    balances.require(world, call.account, currency, amount + fee, INSUFFICIENT)
    if method == "instant" and call.account:
        instant.count(world, currency, amount)
    payout = _shape(world, account, amount, currency, method, automatic=False) | {
        "destination": bank["id"],
        "metadata": metadata,
        "description": forms.text(params, "description"),
        "statement_descriptor": forms.text(params, "statement_descriptor"),
    }
    _send(world, payout, call.account, fee)
    effects.record(world, "payout", payout, account=call.account, destination=payout["destination"])
    return payout


def _able(world: World, account_id: str) -> Doc:
    if not account_id:
        return onboarding.platform_account(world)
    account = accounts.required(world, account_id)
    if not account["payouts_enabled"]:
        raise errors.refused("Payouts are not currently enabled on this account.", "payouts_not_allowed")
    return account


def _destination(world: World, call: Call, account: Doc, currency: str) -> Doc:
    """The external account that was named, else the one for this currency.

    The sentences are quoted in public repositories; an account that was given a further settlement currency
    stands for one that has a bank account in it.
    """
    banks = account["external_accounts"]["data"]
    named = forms.text(call.params, "destination")
    if named is not None:
        found = next((bank for bank in banks if bank["id"] == named), None)
        if found is None:
            raise errors.no_such("external account", named, "destination", status=400)
        return dict(found)
    fitting = [bank for bank in banks if bank["currency"] == currency]
    if not fitting and settlement.holds(world, call.account, currency):
        fitting = banks
    if not fitting:
        raise errors.refused(
            f"Sorry, you don't have any external accounts in that currency ({currency}).", param="currency"
        )
    return dict(fitting[0])


def _shape(world: World, account: Doc, amount: int, currency: str, method: str, *, automatic: bool) -> Doc:
    wait = (
        world.settings.instant_payout_arrives_after_s
        if method == "instant"
        else world.settings.payout_arrives_after_s
    )
    banks = account["external_accounts"]["data"]
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": int(world.now + wait),
        "automatic": automatic,
        "balance_transaction": None,
        "created": world.now,
        "currency": currency,
        "description": "STRIPE PAYOUT" if automatic else None,
        "destination": banks[0]["id"] if banks else account_rules.PLATFORM_BANK,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": method,
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending" if method == "standard" else "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
        "_wait": wait,
    }


def _send(world: World, payout: Doc, account: str, fee: int) -> None:
    transaction = balances.post(
        world,
        type="payout",
        account=account,
        currency=payout["currency"],
        amount=-payout["amount"],
        source=payout["id"],
        fee=fee,
        fee_description="Instant Payout fee",
        description=payout["description"],
    )
    payout["balance_transaction"] = transaction["id"]
    world.store.insert(payout, account)
    emit(world, "payout.created", payout, account=account)
    jobs.schedule(world, "payout_arrives", payout["id"], payout["_wait"])


def pay_out_automatically(world: World, subject: str) -> None:
    """Job: pay out an account's available funds, if its schedule is automatic and payouts are enabled."""
    account_id, _, currency = subject.partition("/")
    account = accounts.connected(world, account_id) if account_id else onboarding.platform_account(world)
    if account is None or not account["payouts_enabled"] or balance_settings.is_manual(world, account_id):
        return
    wait = balance_settings.wait_s(world, account_id)
    if wait > 0:
        jobs.schedule(world, "automatic_payout", subject, wait)
        return
    kept = balance_settings.minimum_of(world, account_id, currency)
    amount = balances.available(world, account_id, currency) - kept
    amount -= amount % currencies.step_of(currency, payout=True)
    if amount <= 0:
        return
    balance_settings.keep_back(world, account_id, currency, -kept)
    payout = _shape(world, account, amount, currency, "standard", automatic=True)
    swept = world.store.rows(
        "SELECT transaction_id FROM unswept WHERE account = :account AND currency = :currency",
        account=account_id,
        currency=currency,
    )
    _send(world, payout, account_id, 0)
    world.store.write(
        "DELETE FROM unswept WHERE account = :account AND currency = :currency",
        account=account_id,
        currency=currency,
    )
    for (transaction_id,) in [*swept, (payout["balance_transaction"],)]:
        world.store.mark(transaction_id, "balance_transaction.payout", payout["id"])
    effects.record(world, "automatic_payout", payout, account=account_id, destination=payout["destination"])
    balance_settings.keep_back(world, account_id, currency, kept)


def debit(world: World, account_id: str, amount: int, currency: str) -> Doc:
    """Take a negative balance from the account's bank: a payout with a negative amount."""
    account = accounts.required(world, account_id)
    payout = _shape(world, account, -amount, currency, "standard", automatic=True)
    _send(world, payout, account_id, 0)
    return payout


def arrive(world: World, payout_id: str) -> None:
    """Job: the payout arrives at the bank, or the bank refuses it."""
    payout = world.store.find(payout_id)
    account_id = world.store.account_of(payout_id)
    if payout is None or account_id is None or payout["status"] not in ("pending", "in_transit"):
        return
    account = world.store.get("account", account_id) if account_id else None
    failure = (account or {}).get("_bank_refuses") or external_accounts.failure_of(account, payout)
    if failure:
        fail(world, payout_id, failure)
        return
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": payout_id[-12:]}
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
    world.store.save(payout)
    emit(world, "payout.paid", payout, account=account_id, previous={"status": "pending"})
    if payout["automatic"]:
        emit(world, "payout.reconciliation_completed", payout, account=account_id)


def fail(world: World, payout_id: str, code: str = "account_closed") -> Doc:
    """The bank returns the money, even after payout.paid; payouts of the account stop until `complete`."""
    payout = world.store.find(payout_id)
    account = world.store.account_of(payout_id)
    if payout is None or account is None:
        raise LookupError(f"no payout {payout_id}")
    if payout["status"] in ("failed", "canceled"):
        raise ValueError(f"payout {payout_id} is already {payout['status']}")
    jobs.cancel(world, "payout_arrives", payout_id)
    reversal = world.store.get("payout", payout["reversed_by"] or "", account)
    if reversal is not None and reversal["status"] == "pending":
        _call_off(world, reversal, account)
    _return(world, payout, account, "payout_failure")
    payout["failure_balance_transaction"] = payout.pop("_returned")
    previous = payout["status"]
    payout |= {
        "status": "failed",
        "failure_code": code,
        "failure_message": FAILURES.get(code, "The payout failed."),
    }
    world.store.save(payout)
    emit(world, "payout.failed", payout, account=account, previous={"status": previous})
    if account:
        account_events.bank_refused(world, account, payout["destination"])
        onboarding.pause_payouts(world, account)
    return payout


def _return(world: World, payout: Doc, account: str, type: str) -> None:
    back = balances.post(
        world,
        type=type,
        account=account,
        currency=payout["currency"],
        amount=payout["amount"],
        source=payout["id"],
    )
    payout["_returned"] = back["id"]


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("payout", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("payout", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    world.store.save(doc)
    emit(world, "payout.updated", doc, account=call.account)
    return doc


def cancel(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    if doc["status"] != "pending" or doc["automatic"]:
        raise errors.refused(
            f"Only manual payouts that are pending can be canceled; this is {doc['status']}."
        )
    _call_off(world, doc, call.account)
    return doc


def _call_off(world: World, doc: Doc, account: str) -> None:
    jobs.cancel(world, "payout_arrives", doc["id"])
    _return(world, doc, account, "payout_cancel")
    doc |= {"status": "canceled", "failure_balance_transaction": doc.pop("_returned")}
    world.store.save(doc)
    emit(world, "payout.canceled", doc, account=account)


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "payout")
