"""Top-ups: the school adds money to its Stripe balance from its bank. They succeed at once here."""

from hobbs.local.stripe_sim import balances, effects, errors, forms, lists
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World


def create(world: World, call: Call) -> Doc:
    params = call.params
    currency, amount = forms.currency(params), forms.required_amount(params)
    doc: Doc = {
        "id": new_id("tu"),
        "object": "topup",
        "amount": amount,
        "balance_transaction": None,
        "created": world.now,
        "currency": currency,
        "description": forms.text(params, "description"),
        "expected_availability_date": world.now,
        "failure_code": None,
        "failure_message": None,
        "initiated_by": "user",
        "livemode": False,
        "metadata": forms.metadata(params),
        "source": None,
        "statement_descriptor": forms.text(params, "statement_descriptor"),
        "status": "succeeded",
        "transfer_group": forms.text(params, "transfer_group"),
    }
    transaction = balances.post(
        world,
        type="topup",
        account=call.account,
        currency=currency,
        amount=amount,
        source=doc["id"],
        description=doc["description"],
    )
    doc["balance_transaction"] = transaction["id"]
    world.store.insert(doc, call.account)
    effects.record(world, "topup", doc, account=call.account)
    emit(world, "topup.created", doc | {"status": "pending"}, account=call.account)
    emit(world, "topup.succeeded", doc, account=call.account)
    return doc


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("topup", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("topup", call.ids["id"])
    return doc


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "topup")
