"""Disputes: the bank takes a payment back with a fee; a won dispute returns the payment, seldom the fee.

The test cards and the deciding evidence texts are Stripe's: docs.stripe.com/testing.
"""

from hobbs.local.stripe_sim import balances, effects, errors, fees, forms, lists, taking
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World

RESPOND_WITHIN_S = 7 * 86_400
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
REASONS = {"createDisputeProductNotReceived": "product_not_received"}


def open_for_card(world: World, charge_id: str) -> None:
    """Job: open the dispute of a createDispute test card."""
    charge = world.store.find(charge_id)
    assert charge is not None
    inquiry = charge["_card"] == "createDisputeInquiry"
    open_dispute(world, charge_id, reason=REASONS.get(charge["_card"], "fraudulent"), inquiry=inquiry)


def open_dispute(
    world: World,
    charge_id: str,
    *,
    reason: str = "fraudulent",
    amount: int | None = None,
    inquiry: bool = False,
) -> Doc:
    charge, account = world.store.find(charge_id), world.store.account_of(charge_id)
    if charge is None or account is None or charge["status"] != "succeeded" or charge["disputed"]:
        raise LookupError(f"no undisputed, successful charge {charge_id}")
    charge = taking.ensure_booked(world, charge, account)
    doc = _shape(world, charge, amount or charge["amount_captured"], reason, inquiry)
    if not inquiry:
        fee = world.settings.dispute_fee
        _move(world, doc, account, -doc["amount"], fee, f"Chargeback withdrawal for {charge_id}")
        effects.record(world, "dispute", doc, account=account, destination=charge_id)
    world.store.insert(doc, account)
    world.store.save(charge | {"disputed": True, "_funds_withdrawn": not inquiry})
    emit(world, "charge.dispute.created", doc, account=account)
    if not inquiry:
        emit(world, "charge.dispute.funds_withdrawn", doc, account=account)
    return doc


def _shape(world: World, charge: Doc, amount: int, reason: str, inquiry: bool) -> Doc:
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now + RESPOND_WITHIN_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def _move(world: World, doc: Doc, account: str, amount: int, fee: int, description: str) -> None:
    transaction = balances.post(
        world,
        type="adjustment",
        category="dispute" if amount < 0 else "dispute_reversal",
        account=account,
        currency=doc["currency"],
        amount=amount,
        fee=fee,
        fee_description="Dispute fee",
        source=doc["id"],
        description=description,
    )
    doc["balance_transactions"].append(transaction)


def withdraw(world: World, dispute_id: str, amount: int, *, fee: int = 0, currency: str | None = None) -> Doc:
    """Take more for a dispute, as a balance transaction of its own, perhaps in another currency."""
    doc, account = world.store.find(dispute_id), world.store.account_of(dispute_id)
    if doc is None or account is None:
        raise LookupError(f"no dispute {dispute_id}")
    _move(world, doc | {"currency": currency or doc["currency"]}, account, -amount, fee, "Dispute withdrawal")
    world.store.save(doc)
    emit(world, "charge.dispute.funds_withdrawn", doc, account=account)
    return doc


def decide(world: World, dispute_id: str, *, won: bool) -> Doc:
    """Close a dispute as won or lost; a won one returns the money and the fee for countering it."""
    doc, account = world.store.find(dispute_id), world.store.account_of(dispute_id)
    if doc is None or account is None or doc["status"] not in OPEN:
        raise LookupError(f"no open dispute {dispute_id}")
    previous = doc["status"]
    inquiry = doc["status"].startswith("warning")
    doc["status"] = "warning_closed" if inquiry else ("won" if won else "lost")
    if won and not inquiry:
        fee = world.settings.dispute_fee if world.settings.dispute_fee_returned else 0
        _move(world, doc, account, doc["amount"], -fee, f"Chargeback reversal for {doc['charge']}")
        fees.give_back_countering(world, doc, account)
        effects.record(
            world,
            "dispute_reversal",
            doc | {"id": f"{doc['id']}/won"},
            account=account,
            destination=doc["charge"],
        )
    world.store.save(doc)
    if won and not inquiry:
        emit(world, "charge.dispute.funds_reinstated", doc, account=account)
    emit(world, "charge.dispute.closed", doc, account=account, previous={"status": previous})
    return doc


# Endpoints


def retrieve(world: World, call: Call) -> Doc:
    doc = world.store.get("dispute", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("dispute", call.ids["id"])
    return doc


def update(world: World, call: Call) -> Doc:
    """Update; the evidence text winning_evidence or losing_evidence closes it, as in Stripe's test mode."""
    doc = retrieve(world, call)
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    evidence = forms.nested(call.params, "evidence")
    if evidence and doc["status"] not in OPEN:
        raise errors.refused("This dispute is already closed.")
    doc["evidence"] |= evidence
    doc["evidence_details"]["has_evidence"] |= bool(evidence)
    if evidence and forms.boolean(call.params, "submit", True):
        doc["evidence_details"]["submission_count"] += 1
        doc["evidence_details"]["submission_method"] = "manual"
        fees.charge_for_countering(world, doc, call.account)
        doc["status"] = "warning_under_review" if doc["status"].startswith("warning") else "under_review"
    world.store.save(doc)
    emit(world, "charge.dispute.updated", doc, account=call.account)
    verdict = evidence.get("uncategorized_text")
    if verdict in ("winning_evidence", "losing_evidence"):
        return decide(world, doc["id"], won=verdict == "winning_evidence")
    return doc


def close(world: World, call: Call) -> Doc:
    doc = retrieve(world, call)
    if doc["status"] not in OPEN:
        raise errors.refused("This dispute is already closed.")
    return decide(world, doc["id"], won=False)


def list_all(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "dispute")
