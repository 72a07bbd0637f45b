"""Transfers from the platform to connected accounts, and their reversals. Both succeed or fail at once.

A transfer shows at the destination as a `payment` (py_…) with its own balance transaction.
Sources: docs.stripe.com/connect/separate-charges-and-transfers, docs.stripe.com/api/transfers.
"""

from hobbs.local.stripe_sim import (
    account_rules,
    accounts,
    agreements,
    balances,
    charges,
    currencies,
    effects,
    errors,
    forms,
    lists,
    pending_reversals,
    settlement,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World


def create(world: World, call: Call) -> Doc:
    params = call.params
    currency = forms.currency(params)
    amount = forms.amount(params)
    destination = forms.required_text(params, "destination")
    source = forms.text(params, "source_transaction")
    if amount is None and source is None:
        raise errors.missing_param("amount")
    metadata = forms.metadata(params)
    account = _payable(world, destination)
    charge = _source_charge(world, source, currency, amount) if source else None
    if amount is None:
        assert charge is not None
        amount = charge["amount"]
    currencies.check(currency, amount)
    if charge is None:
        balances.require(world, call.account, currency, amount)
    transfer = _transfer(world, call, amount, currency, account["id"], charge, metadata)
    _move(world, transfer, charge)
    world.store.insert(transfer)
    effects.record(world, "transfer", transfer, destination=destination)
    emit(world, "transfer.created", transfer)
    return transfer


def _payable(world: World, destination: str) -> Doc:
    account = accounts.connected(world, destination)
    if account is None:
        raise errors.no_such("destination", destination, "destination", status=400)
    if account["capabilities"].get("transfers") != "active":
        raise errors.refused(
            "Your destination account needs to have at least one of the following capabilities enabled: "
            "transfers, crypto_transfers, legacy_payments",
            "insufficient_capabilities_for_transfer",
        )
    agreements.check_destination(world, account)
    return account


def _source_charge(world: World, source: str, currency: str, amount: int | None) -> Doc:
    """A charge to take the money from: available when the charge is, and never more than the charge."""
    charge = world.store.get("charge", source)
    if charge is None:
        raise errors.no_such("charge", source, "source_transaction", status=400)
    if charge["status"] not in ("succeeded", "pending"):  # a bank debit may be pending for days
        raise errors.refused("Can't create a transfer from a failed charge.", param="source_transaction")
    money = settlement.settled(world, "", charge["currency"], charge["amount"])
    if money.rate is not None:
        raise errors.not_simulated("a transfer from a charge that was converted", "source_transaction")
    if charge["currency"] != currency:
        raise errors.refused(
            "The currency of source_transaction's balance transaction must match.", param="currency"
        )
    wanted = charge["amount"] if amount is None else amount
    if charge.get("_transferred", 0) + wanted > charge["amount"]:
        raise errors.refused(
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{charge['amount']}. (There is already a transfer using this source, amounting to a total of "
            f"{charge.get('_transferred', 0)}.)",
            param="amount",
        )
    return charge


def _transfer(
    world: World, call: Call, amount: int, currency: str, destination: str, charge: Doc | None, metadata: Doc
) -> Doc:
    transfer_id = new_id("tr")
    group = forms.text(call.params, "transfer_group")
    return {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": world.now,
        "currency": currency,
        "description": forms.text(call.params, "description"),
        "destination": destination,
        "destination_payment": new_id("py"),
        "livemode": False,
        "metadata": metadata,
        "reversals": lists.as_list(f"/v1/transfers/{transfer_id}/reversals", []),
        "reversed": False,
        "source_transaction": charge["id"] if charge else None,
        "source_type": "card",
        "transfer_group": charges.group(world, charge) if charge else group,
    }


def _move(world: World, transfer: Doc, charge: Doc | None) -> None:
    amount, currency, destination = transfer["amount"], transfer["currency"], transfer["destination"]
    available_on = charges.available_on(world, charge) if charge else None
    out = balances.post(
        world,
        type="transfer",
        account="",
        currency=currency,
        amount=-amount,
        source=transfer["id"],
        available_on=available_on,
        description=transfer["description"],
    )
    transfer["balance_transaction"] = out["id"]
    payment = charges.destination_payment(world, transfer)
    arrived = balances.post(
        world,
        type="payment",
        account=destination,
        currency=currency,
        amount=amount,
        source=payment["id"],
        available_on=agreements.available_on(world, destination, available_on),
    )
    payment["balance_transaction"] = arrived["id"]
    world.store.insert(payment, destination)
    emit(world, "payment.created", payment, account=destination)
    if charge:
        world.store.save(charge | {"_transferred": charge.get("_transferred", 0) + amount})


def retrieve(world: World, call: Call) -> Doc:
    return _found(world, call.ids["id"])


def _found(world: World, id: str) -> Doc:
    doc = world.store.get("transfer", id)
    if doc is None:
        raise errors.no_such("transfer", id)
    return doc


def update(world: World, call: Call) -> Doc:
    doc = _found(world, call.ids["id"])
    previous = {"metadata": doc["metadata"]}
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    if "description" in call.params:
        doc["description"] = forms.text(call.params, "description")
    world.store.save(doc)
    emit(world, "transfer.updated", doc, previous=previous)
    return doc


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "transfer")


def create_reversal(world: World, call: Call) -> Doc:
    """Take money back: at most what is left of the transfer, and only what the account has available."""
    amount = forms.amount(call.params)
    metadata = forms.metadata(call.params)
    transfer = _found(world, call.ids["id"])
    account_rules.refuse_reversal(world, transfer["destination"])
    left = transfer["amount"] - transfer["amount_reversed"] - pending_reversals.reserved(transfer)
    if left == 0:
        raise errors.refused(f"Transfer {transfer['id']} is already fully reversed.")
    amount = left if amount is None else amount
    currencies.check(transfer["currency"], amount)
    if amount > left:
        raise errors.refused(
            f"Transfer reversal amount ({_dollars(amount)}) is greater than unreversed amount on transfer "
            f"({_dollars(left)})",
            param="amount",
        )
    owed = settlement.settled(world, transfer["destination"], transfer["currency"], amount)
    if pending_reversals.waits(world, transfer, amount):
        return pending_reversals.queue(world, transfer, _reversal(world, call, transfer, amount, metadata))
    balances.require(
        world,
        transfer["destination"],
        owed.currency,
        owed.amount,
        "The connected account has insufficient available funds for this transfer reversal.",
    )
    reversal = _reversal(world, call, transfer, amount, metadata)
    if world.settings.pending_reversals:
        reversal["status"] = "succeeded"
    world.store.insert(reversal)
    carry_out(world, transfer, reversal)
    return reversal


def carry_out(world: World, transfer: Doc, reversal: Doc) -> None:
    """Move the money of a stored reversal back to the platform."""
    _move_back(world, transfer, reversal)
    world.store.save(reversal)
    _apply(world, transfer, reversal)
    effects.record(world, "reversal", reversal, destination=transfer["destination"])
    before = {"amount_reversed": transfer["amount_reversed"] - reversal["amount"]}
    emit(world, "transfer.reversed", transfer, previous=before)


def _dollars(amount: int) -> str:
    return f"${amount // 100:,}.{amount % 100:02}"


def _reversal(world: World, call: Call, transfer: Doc, amount: int, metadata: Doc) -> Doc:
    return {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": world.now,
        "currency": transfer["currency"],
        "destination_payment_refund": new_id("pyr"),
        "metadata": metadata,
        "source_refund": None,
        "transfer": transfer["id"],
    }


def _move_back(world: World, transfer: Doc, reversal: Doc) -> None:
    account, currency, amount = transfer["destination"], transfer["currency"], reversal["amount"]
    reversal["destination_payment_refund"] = reversal["destination_payment_refund"] or new_id("pyr")
    returned = balances.post(
        world, type="transfer_refund", account="", currency=currency, amount=amount, source=reversal["id"]
    )
    reversal["balance_transaction"] = returned["id"]
    taken = balances.post(
        world,
        type="payment_refund",
        account=account,
        currency=currency,
        amount=-amount,
        source=reversal["destination_payment_refund"],
    )
    refund = charges.destination_refund(world, transfer, reversal) | {"balance_transaction": taken["id"]}
    world.store.insert(refund, account)


def _apply(world: World, transfer: Doc, reversal: Doc) -> None:
    transfer["amount_reversed"] += reversal["amount"]
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"] = [reversal, *transfer["reversals"]["data"]][:10]
    world.store.save(transfer)


def list_reversals(world: World, call: Call) -> Doc:
    _found(world, call.ids["id"])
    return lists.listing(
        world, call, "transfer_reversal", extra=("transfer_reversal.transfer", call.ids["id"])
    )


def retrieve_reversal(world: World, call: Call) -> Doc:
    doc = world.store.get("transfer_reversal", call.ids["reversal"])
    if doc is None or doc["transfer"] != call.ids["id"]:
        raise errors.no_such("transfer reversal", call.ids["reversal"])
    return doc


def update_reversal(world: World, call: Call) -> Doc:
    doc = retrieve_reversal(world, call)
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    return world.store.save(doc)
