"""Top-ups: the school adds money to its Stripe balance from its bank.

They succeed at once unless `topup_succeeds_after_s` says otherwise; a pending one can be canceled, one that
succeeded may be reversed by the bank (a trigger). Source: docs.stripe.com/connect/top-ups,
docs.stripe.com/api/topups.
"""

from collections.abc import Callable

from hobbs.local.stripe_sim import balances, currencies, effects, errors, forms, jobs, lists
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World


def create(world: World, call: Call) -> Doc:
    params = call.params
    currency, amount = forms.currency(params), forms.required_amount(params)
    currencies.check(currency, amount)
    wait = world.settings.topup_succeeds_after_s
    doc: Doc = {
        "id": new_id("tu"),
        "object": "topup",
        "amount": amount,
        "balance_transaction": None,
        "created": world.now,
        "currency": currency,
        "description": forms.text(params, "description"),
        "expected_availability_date": world.now + int(wait),
        "failure_code": None,
        "failure_message": None,
        "initiated_by": "user",
        "livemode": False,
        "metadata": forms.metadata(params),
        "source": None,
        "statement_descriptor": forms.text(params, "statement_descriptor"),
        "status": "pending",
        "transfer_group": forms.text(params, "transfer_group"),
    }
    world.store.insert(doc, call.account)
    emit(world, "topup.created", doc, account=call.account)
    if wait > 0:
        jobs.schedule(world, "topup_succeeds", doc["id"], wait)
        return doc
    return succeed(world, doc["id"])


def succeed(world: World, topup_id: str) -> Doc:
    """Job: the bank was debited."""
    doc, account = _pending(world, topup_id)
    _move(world, doc, account, "topup", doc["amount"])
    doc["status"] = "succeeded"
    world.store.save(doc)
    effects.record(world, "topup", doc, account=account)
    emit(world, "topup.succeeded", doc, account=account)
    return doc


def _move(world: World, doc: Doc, account: str, type: str, amount: int) -> None:
    transaction = balances.post(
        world,
        type=type,
        account=account,
        currency=doc["currency"],
        amount=amount,
        source=doc["id"],
        description=doc["description"],
    )
    doc["balance_transaction"] = transaction["id"]


def _pending(world: World, topup_id: str) -> tuple[Doc, str]:
    doc, account = world.store.find(topup_id), world.store.account_of(topup_id)
    if doc is None or account is None or doc["object"] != "topup" or doc["status"] != "pending":
        raise LookupError(f"no pending top-up {topup_id}")
    return doc, account


def _failed(world: World, given: Doc) -> Doc:
    """The bank refuses the debit of a pending top-up: `topup`, `code`."""
    doc, account = _pending(world, str(given["topup"]))
    jobs.cancel(world, "topup_succeeds", doc["id"])
    code = str(given.get("code", "insufficient_funds"))
    doc |= {"status": "failed", "failure_code": code, "failure_message": "The bank refused the debit."}
    world.store.save(doc)
    emit(world, "topup.failed", doc, account=account)
    return doc


def _reversed(world: World, given: Doc) -> Doc:
    """The bank takes back a top-up that succeeded: `topup`."""
    doc, account = world.store.find(str(given["topup"])), world.store.account_of(str(given["topup"]))
    if doc is None or account is None or doc["status"] != "succeeded":
        raise LookupError(f"no top-up {given['topup']} that succeeded")
    _move(world, doc, account, "topup_reversal", -doc["amount"])
    doc["status"] = "reversed"
    world.store.save(doc)
    emit(world, "topup.reversed", doc, account=account)
    return doc


CAUSES: dict[str, Callable[[World, Doc], Doc]] = {"topup.failed": _failed, "topup.reversed": _reversed}


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("topup", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("topup", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    if "description" in call.params:
        doc["description"] = forms.text(call.params, "description")
    return world.store.save(doc)


def cancel(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    if doc["status"] != "pending":
        raise errors.refused(f"Only pending top-ups can be canceled; this is {doc['status']}.")
    jobs.cancel(world, "topup_succeeds", doc["id"])
    doc["status"] = "canceled"
    world.store.save(doc)
    emit(world, "topup.canceled", doc, account=call.account)
    return doc


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "topup")
