"""Charge objects: their fields, fee and group, and the payment that a transfer makes at a connected account.

payment_intents.py takes the money; refunds and disputes have their own modules.
"""

from hobbs.local.stripe_sim import details, errors, forms, lists
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World

NULLS = (
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "calculated_statement_descriptor",
    "customer",
    "description",
    "failure_balance_transaction",
    "failure_code",
    "failure_message",
    "on_behalf_of",
    "outcome",
    "payment_intent",
    "payment_method",
    "payment_method_details",
    "receipt_email",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)


def charge(world: World, *, amount: int, currency: str, prefix: str = "ch", **fields: object) -> Doc:
    """A charge with every field of the API version; `fields` override the defaults."""
    charge_id = new_id(prefix)
    return {
        **dict.fromkeys(NULLS),
        "id": charge_id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "billing_details": details.billing_details({}),
        "captured": True,
        "created": world.now,
        "currency": currency,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "paid": True,
        "refunded": False,
        "status": "succeeded",
        **fields,
    }


def fee(world: World, amount: int) -> int:
    """The fee in minor units: a percentage, rounded half-up once, plus a fixed part."""
    settings = world.settings
    return (amount * settings.charge_fee_basis_points + 5_000) // 10_000 + settings.charge_fee_fixed


def available_on(world: World, charge: Doc) -> int:
    return int(charge["_available_on"])


def group(world: World, charge: Doc) -> str:
    """The charge's transfer_group; a charge without one gets one when a transfer names it as its source."""
    if charge["transfer_group"] is None:
        name = f"group_{charge['payment_intent'] or charge['id']}"
        charge["transfer_group"] = name
        world.store.save(charge)
        world.store.mark(charge["id"], "charge.transfer_group", name)
    return str(charge["transfer_group"])


def destination_payment(world: World, transfer: Doc) -> Doc:
    """The charge object of a transfer at the account that receives it."""
    doc = charge(
        world,
        amount=transfer["amount"],
        currency=transfer["currency"],
        payment_method_details={"stripe_account": {}, "type": "stripe_account"},
        source_transfer=transfer["id"],
        transfer_group=transfer["transfer_group"],
    )
    return doc | {"id": transfer["destination_payment"]}


def destination_refund(world: World, transfer: Doc, reversal: Doc) -> Doc:
    return {
        "id": reversal["destination_payment_refund"],
        "object": "refund",
        "amount": reversal["amount"],
        "balance_transaction": None,
        "charge": transfer["destination_payment"],
        "created": world.now,
        "currency": transfer["currency"],
        "metadata": {},
        "payment_intent": None,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": reversal["id"],
        "status": "succeeded",
        "transfer_reversal": None,
    }


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("charge", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("charge", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    previous = {"metadata": doc["metadata"]}
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    for name in ("description", "receipt_email", "transfer_group"):
        if name in call.params:
            doc[name] = forms.text(call.params, name)
    world.store.save(doc)
    emit(world, "charge.updated", doc, account=call.account, previous=previous)
    return doc


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "charge")
