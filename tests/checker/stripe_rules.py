"""Rules about Hobbs and Stripe: every operation has one effect with its values; no webhook is forged."""

import json
from collections.abc import Iterator, Sequence

from tests.checker.world import Row, World, grouped

OURS = ("transfer", "reversal", "payout")  # effects that only Hobbs may cause
OF_KIND = {"transfer": "transfer", "reversal": "reversal", "instant_payout": "payout"}
AT_REST = ("succeeded", "held", "refused", "parked", "cancelled")


def one_effect_per_operation(world: World) -> Iterator[str]:
    """However often it was tried, an operation moved money once or not at all."""
    ours = [effect for effect in world.effects if effect["kind"] in OURS]
    for effect in ours:
        if not effect["operation_id"]:
            yield f"{effect['kind']} {effect['object_id']} names no operation"
    for operation, effects in grouped(ours, lambda e: e["operation_id"]).items():
        if operation and len(effects) > 1:
            objects = ", ".join(e["object_id"] for e in effects)
            yield f"operation {operation} moved money {len(effects)} times: {objects}"


def one_account_per_operation(world: World) -> Iterator[str]:
    """However often it was tried, a payee has one account, and Hobbs has its id."""
    decided = {str(o["id"]): o for o in world.rows("payouts.operation") if o["kind"] == "account"}
    made = grouped(world.accounts, lambda a: a["metadata"].get("hobbs_operation_id"))
    for operation, accounts in made.items():
        if operation not in decided or [decided[operation]["stripe_id"]] != [a["id"] for a in accounts]:
            yield f"operation {operation} made {', '.join(a['id'] for a in accounts)}"


def effects_are_what_was_decided(world: World) -> Iterator[str]:
    """Amount, currency and destination at Stripe are the operation's; each side has the other's row."""
    effects = {e["operation_id"]: e for e in world.effects if e["kind"] in OURS and e["operation_id"]}
    operations = {str(row["id"]): row for row in world.rows("payouts.operation") if row["kind"] in OF_KIND}
    for unknown in effects.keys() - operations.keys():
        yield f"{effects[unknown]['object_id']} was made for operation {unknown}, which nobody decided"
    for id, operation in operations.items():
        effect = effects.get(id)
        if effect is None:
            if operation["state"] == "succeeded":
                yield f"operation {id} succeeded here, and nothing happened at Stripe"
            continue
        if operation["state"] != "succeeded":
            yield f"operation {id} is {operation['state']}, but {effect['object_id']} moved money for it"
        yield from _differences(operation, effect)


def _differences(operation: Row, effect: Row) -> Iterator[str]:
    decided = {
        "kind": OF_KIND[operation["kind"]],
        "amount": operation["amount"],
        "currency": operation["currency"].lower(),
        "object_id": operation["stripe_id"],
    }
    if operation["kind"] == "transfer":
        decided["destination"] = operation["params"]["destination"]
    if operation["kind"] == "instant_payout":
        decided["account"] = operation["stripe_account"]
    for what, wanted in decided.items():
        if effect[what] != wanted and not (what == "object_id" and wanted is None):
            yield f"operation {operation['id']}: {what} is {effect[what]} at Stripe and {wanted} here"


def operations_finish_or_wait_with_a_reason(world: World) -> Iterator[str]:
    """At rest every operation is finished, or waits with a reason."""
    for row in world.rows("payouts.operation"):
        if row["state"] not in AT_REST:
            waits_behind = row["state"] == "due" and _is_behind(row, world.rows("payouts.operation"))
            if not waits_behind:
                yield f"operation {row['id']} is {row['state']} although the deployment is at rest"
        elif row["state"] != "succeeded" and not row["sentence"]:
            yield f"operation {row['id']} is {row['state']} without a reason"


def _is_behind(row: Row, operations: Sequence[Row]) -> bool:
    return any(
        ahead["wallet"] == row["wallet"]
        and ahead["sequence"] < row["sequence"]
        and ahead["state"] in ("held", "parked")
        for ahead in operations
    )


def payees_got_what_they_were_owed(world: World) -> Iterator[str]:
    """Each credit of a flight is one payable; a transfer is the sum of its payables, and so is its effect."""
    flights = {str(row["id"]) for row in world.rows("ledger.journal") if row["event_type"] == "flight"}
    owed = {
        (str(e["journal_id"]), e["address"]): e["amount"]
        for e in world.rows("ledger.entry")
        if e["amount"] > 0
        and e["address"].startswith(("instructor:", "aircraft_owner:"))
        and str(e["journal_id"]) in flights
    }
    payables = [p for p in world.rows("payouts.payable") if p["event_type"] == "flight"]
    kept = grouped(payables, lambda p: (str(p["journal_id"]), p["wallet"]))
    for key, amount in owed.items():
        if [p["amount"] for p in kept.get(key, [])] != [amount]:
            yield f"journal {key[0]} owes {key[1]} {amount}; payouts keeps {kept.get(key, 'nothing')}"
    for key in kept.keys() - owed.keys():
        yield f"payouts keeps a payable for {key[1]} of journal {key[0]}, which owes nothing"
    in_transfer = grouped(world.rows("payouts.payable"), lambda p: str(p["transfer_id"]))
    for transfer in world.rows("payouts.transfer"):
        total = sum(p["amount"] for p in in_transfer.get(str(transfer["id"]), []))
        if transfer["state"] != "cancelled" and total != transfer["amount"]:
            yield f"transfer {transfer['id']} is of {transfer['amount']}, its payables are {total}"


def sent_transfers_left_the_wallet(world: World) -> Iterator[str]:
    """Each transfer at Stripe is one journal of that amount from the payee's wallet; no other journal is."""
    entries = world.entries()
    posted = {
        j["source"]: entries.get(str(j["id"]), [])
        for j in world.rows("ledger.journal")
        if j["event_type"] == "transfer"
    }
    sent = {f"transfer:{t['id']}": t for t in world.rows("payouts.transfer") if t["stripe_transfer_id"]}
    for source in posted.keys() - sent.keys():
        yield f"journal {source} posts a transfer that was not sent"
    for source, transfer in sent.items():
        moved = {e["address"]: e["amount"] for e in posted.get(source, [])}
        wanted = {transfer["wallet"]: -transfer["amount"], "external:stripe": transfer["amount"]}
        if moved != wanted:
            yield f"{source} should have posted {wanted}, the ledger has {moved or 'nothing'}"


def payments_are_posted_once(world: World) -> Iterator[str]:
    """Each card payment at Stripe is one journal of its gross amount; there is no other payment journal.

    A bank debit that failed is in the books twice: as the credit that it was, and taken back.
    """
    entries = world.entries()
    posted = {
        j["source"]: -sum(
            e["amount"] for e in entries.get(str(j["id"]), []) if e["address"] == "external:stripe"
        )
        for j in world.rows("ledger.journal")
        if j["event_type"] == "payment"
    }
    failed = {
        str(j["source"]).replace("payment-failed:", "charge:")
        for j in world.rows("ledger.journal")
        if j["event_type"] == "payment_failed"
    }
    paid = {f"charge:{e['object_id']}": e["amount"] for e in world.effects if e["kind"] == "charge"}
    posted = {source: amount for source, amount in posted.items() if source in paid or source not in failed}
    for source in sorted(posted.keys() | paid.keys()):
        if posted.get(source) != paid.get(source):
            yield f"{source}: Stripe took {paid.get(source)}, the ledger has {posted.get(source)}"


def cash_is_what_stripe_holds(world: World) -> Iterator[str]:
    """-(external:stripe) equals the platform's balance at Stripe."""
    ledger: dict[str, int] = {}
    for entry in world.rows("ledger.entry"):
        if entry["address"] == "external:stripe":
            ledger[entry["currency"]] = ledger.get(entry["currency"], 0) - entry["amount"]
    for currency in sorted(ledger.keys() | world.balance.keys()):
        here, there = ledger.get(currency, 0), world.balance.get(currency, 0)
        if here != there:
            yield f"the ledger has {here} {currency} at Stripe, Stripe holds {there}"


def nothing_forged_was_accepted(world: World) -> Iterator[str]:
    """Every webhook on the topic is an event of Stripe with its amount; no forged or stale copy got a 2xx."""
    made = {event["id"]: event for event in world.events}
    for record in world.records("stripe.webhook"):
        envelope = record.body or {}
        event = made.get(str(envelope.get("event_id")))
        if event is None:
            yield f"{record}: event {envelope.get('event_id')} was never made by Stripe"
        elif _money_in(envelope.get("body")) != _object_of(event).get("amount"):
            yield f"{record}: event {envelope['event_id']} has another amount than at Stripe"
    for delivery in world.deliveries:
        answered = str(delivery["last_status"] or "")
        if delivery["variant"] in ("forged", "stale") and answered.startswith("2"):
            yield f"a {delivery['variant']} copy of {delivery['event_id']} was accepted with {answered}"


def _money_in(body: object) -> object:
    return _object_of(json.loads(str(body))).get("amount")


def _object_of(event: Row) -> Row:
    """The object in an event; a thin one only names it."""
    return dict(event["data"]["object"]) if "data" in event else {}


STRIPE_RULES = (
    one_effect_per_operation,
    one_account_per_operation,
    effects_are_what_was_decided,
    operations_finish_or_wait_with_a_reason,
    payees_got_what_they_were_owed,
    sent_transfers_left_the_wallet,
    payments_are_posted_once,
    cash_is_what_stripe_holds,
    nothing_forged_was_accepted,
)
