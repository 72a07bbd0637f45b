"""Small data in which every rule holds: one flight, billed, posted, paid by card, paid out and corrected."""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from tests.checker.event_rules import SERVICES
from tests.checker.given_accounts import account_rows, credit_rows
from tests.checker.world import Record, World

SCHOOL = """
[school]
name = "S"
time_zone = "UTC"
currency = "USD"

[[student]]
id = "s1"

[[student_rate]]
flight_per_hour = 70.00
ground_per_hour = 60.00

[[instructor]]
id = "i1"
flight_per_hour = 45.00
ground_per_hour = 40.00

[[aircraft]]
tail = "N1"
model = "owned"
meter = "hobbs"
rate_per_hour = 100.00
"""
FLIGHT = {
    "flight_id": "F1", "revision": 1, "date": "2026-05-22", "aircraft": "N1", "student": "s1",
    "instructor": "i1", "hobbs_out": "10.0", "hobbs_in": "11.0", "dual_hours": "1.0",
}  # fmt: skip
# 100.00 rental and 70.00 instruction; 45.00 to the instructor.
ENTRIES = {"student:s1": -17_000, "instructor:i1": 4_500, "platform:school": 12_500}
CORRECTION = {
    **FLIGHT, "revision": 2, "hobbs_in": "10.5", "dual_hours": "0.5",
    "reason": "digits", "corrected_by": "ann",
}  # fmt: skip
# Half of each; what changes is posted by itself.
REVISED_ENTRIES = {"student:s1": -8_500, "instructor:i1": 2_250, "platform:school": 6_250}
DIFFERENCES = {"student:s1": 8_500, "instructor:i1": -2_250, "platform:school": -6_250}
BAD = b"not json"
WEBHOOK = {"id": "evt_1", "data": {"object": {"amount": 17_000}}}


def revision() -> dict[str, Any]:
    """What billing says of the correction: both sides whole."""
    return {
        "flight_id": "F1",
        "revision": 2,
        "first_source": "flight:F1:1",
        "first_entries": [{"wallet": wallet, "amount": amount} for wallet, amount in ENTRIES.items()],
        "entries": [{"wallet": wallet, "amount": amount} for wallet, amount in REVISED_ENTRIES.items()],
    }


def changed(state: str) -> dict[str, Any]:
    return {"flight_id": "F1", "revision": 2, "state": state}


DUNNED = {"student": "s1", "run": 1, "step": "first", "total": 8_500}


def crossing(number: int, before: str, level: str) -> dict[str, Any]:
    return {"student": "s1", "number": number, "from_level": before, "to_level": level}


def record(topic: str, offset: int, body: Mapping[str, Any] | bytes, ce_id: str = "") -> Record:
    value = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"ce_id": ce_id, "ce_source": "hobbs/test"} if ce_id else {}
    return Record(topic=topic, partition=0, offset=offset, value=value, headers=headers)


def sha(value: bytes) -> str:
    return sha256(value).hexdigest()


def topics() -> dict[str, list[Record]]:
    return {
        "flight.completed": [
            record("flight.completed", 0, FLIGHT),
            record("flight.completed", 1, FLIGHT),
            record("flight.completed", 2, BAD),
        ],
        "flight.corrected": [record("flight.corrected", 0, CORRECTION)],
        "flight.billed": [record("flight.billed", 0, {"flight_id": "F1", "revision": 1}, "b1")],
        "flight.revised": [record("flight.revised", 0, revision(), "v1")],
        "adjustment.changed": [
            record("adjustment.changed", 0, changed("waiting"), "c1"),
            record("adjustment.changed", 1, changed("settling"), "c2"),
            record("adjustment.changed", 2, changed("waiting"), "c1"),
        ],
        "journal.requested": [
            record("journal.requested", 0, {"source": "flight:F1:1"}, "r1"),
            record("journal.requested", 1, {"source": "transfer:t1"}, "r2"),
            record("journal.requested", 2, {"source": "charge:ch_1"}, "r3"),
            record("journal.requested", 3, {"source": "adjustment:F1:2"}, "r4"),
            record("journal.requested", 4, {"source": "settlement:x3"}, "r5"),
        ],
        "journal.posted": [
            record("journal.posted", 0, {"source": "flight:F1:1"}, "p1"),
            record("journal.posted", 1, {"source": "transfer:t1"}, "p2"),
            record("journal.posted", 2, {"source": "charge:ch_1"}, "p3"),
            record("journal.posted", 3, {"source": "adjustment:F1:2"}, "p4"),
            record("journal.posted", 4, {"source": "settlement:x3"}, "p5"),
        ],
        "decision.requested": [
            record("decision.requested", 0, {"decision_id": "d1", "service": "ledger"}, "d1"),
            record("decision.requested", 1, BAD),
        ],
        "decision.taken": [record("decision.taken", 0, {"decision_id": "d1", "service": "ledger"}, "a1")],
        "transfer.sent": [record("transfer.sent", 0, {"transfer_id": "t1"}, "s1")],
        "payment.received": [record("payment.received", 0, {"charge_id": "ch_1"}, "m1")],
        "flight.dispatched": [
            record("flight.dispatched", 0, {"flight_id": flight, "revision": revision}, f"d-{flight}")
            for flight, revision in (("F1", 1), ("F2", 1))
        ],
        "flight.estimated": [],
        "dispatch.cleared": [record("dispatch.cleared", 0, {"flight_id": "F2", "revision": 1}, "k1")],
        "dunning.requested": [record("dunning.requested", 0, DUNNED, "y1")],
        "credit.level_changed": [
            record("credit.level_changed", 0, crossing(1, "ok", "near"), "x1"),
            record("credit.level_changed", 1, crossing(2, "near", "ok"), "x2"),
        ],
        "dispatch.refused": [record("dispatch.refused", 0, {"flight_id": "F1", "revision": 1}, "k2")],
        "stripe.webhook": [
            record("stripe.webhook", 0, {"event_id": "evt_1", "body": json.dumps(WEBHOOK)}, "w1")
        ],
    }


def tables() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {
        f"{service}.{table}": [] for service in SERVICES for table in ("inbox", "outbox", "dead_letter")
    }
    published = topics()
    found["billing.inbox"] = [
        {"event_key": topic, "payload_hash": published[topic][0].digest}
        for topic in ("flight.completed", "flight.corrected")
    ] + [{"event_key": f"d-{flight}", "payload_hash": ""} for flight in ("F1", "F2")]
    found["ledger.inbox"] = [
        {"event_key": key, "payload_hash": ""} for key in ("r1", "r2", "r3", "d1", "r4", "r5")
    ]
    found["payouts.inbox"] = [
        {"event_key": key, "payload_hash": ""} for key in ("p1", "p2", "p3", "w1", "p4", "p5", "m1", "y1")
    ]
    found["adjustments.inbox"] = [{"event_key": key, "payload_hash": ""} for key in ("v1", "p4", "p5")]
    found["reserves.inbox"] = [
        {"event_key": key, "payload_hash": ""} for key in ("p1", "p2", "p3", "p4", "p5", "s1")
    ]
    found["receivables.inbox"] = [{"event_key": "w1", "payload_hash": ""}]
    found["billing.dead_letter"] = [
        {
            "topic": "flight.completed", "partition": 0, "offset": 2, "identity": "0:2", "subject": None,
            "payload_hash": sha(BAD), "reason": "not_json", "state": "open",
        }
    ]  # fmt: skip
    found["gateway.dead_letter"] = [
        {
            "topic": "decision.requested", "partition": 0, "offset": 1, "identity": "0:1", "subject": None,
            "payload_hash": sha(BAD), "reason": "not_json", "state": "open",
        }
    ]  # fmt: skip
    found["billing.bill"] = [
        {
            "flight_id": "F1", "revision": 1, "corrects": None, "student": "s1", "charge": 17_000,
            "margin": 12_500, "legs": [{"wallet": "instructor:i1", "amount": 4_500}], "currency": "USD",
        },
        {
            "flight_id": "F1", "revision": 2, "corrects": "b1", "student": "s1", "charge": 8_500,
            "margin": 6_250, "legs": [{"wallet": "instructor:i1", "amount": 2_250}], "currency": "USD",
        },
    ]  # fmt: skip
    found |= books()
    found |= correction_rows()
    found |= payout_rows()
    found |= compared_rows()
    found |= credit_rows()
    found |= account_rows()
    return found


def transactions() -> list[dict[str, Any]]:
    """Stripe's balance: the payment, the transfer, and what is in a balance that the books do not have."""
    rows = (
        ("txn_1", "charge", 17_000, "ch_1"),
        ("txn_2", "transfer", -4_500, "tr_1"),
        ("txn_3", "x", 5, None),
    )
    return [
        {"id": id, "type": kind, "net": net, "currency": "usd", "source": source}
        for id, kind, net, source in rows
    ]


def compared_rows() -> dict[str, list[dict[str, Any]]]:
    """What reserves keeps of them: two matched, one a break."""
    return {
        "reserves.stripe_line": [
            {
                "transaction_id": row["id"],
                "type": row["type"],
                "balance_type": "issuing" if row["type"] == "x" else "payments",
                "net": row["net"],
                "currency": "USD",
                "source_id": row["source"],
                "is_before": False,
            }
            for row in transactions()
        ],
        "reserves.book_line": [
            {"journal_id": "j3", "source": "charge:ch_1", "currency": "USD", "amount": -17_000},
            {"journal_id": "j2", "source": "transfer:t1", "currency": "USD", "amount": 4_500},
        ],
        "reserves.line_match": [{"transaction_id": id, "match_id": id} for id in ("txn_1", "txn_2")],
        "reserves.book_match": [
            {"journal_id": "j3", "match_id": "txn_1"},
            {"journal_id": "j2", "match_id": "txn_2"},
        ],
        "reserves.break": [{"subject": "line:txn_3", "amount": 0, "state": "open"}],
    }


def payout_rows() -> dict[str, list[dict[str, Any]]]:
    """The payee's account, the transfer that paid it, and what it is owed and owes."""
    found: dict[str, list[dict[str, Any]]] = {}
    found["payouts.operation"] = [
        {
            "id": "o1", "sequence": 1, "kind": "transfer", "wallet": "instructor:i1", "amount": 4_500,
            "currency": "USD", "params": {"destination": "acct_1"}, "stripe_account": None,
            "state": "succeeded", "sentence": None, "stripe_id": "tr_1",
        },
        {
            "id": "o0", "sequence": 0, "kind": "account", "wallet": "instructor:i1", "amount": None,
            "currency": None, "params": {}, "stripe_account": None, "state": "succeeded", "sentence": None,
            "stripe_id": "acct_1",
        },
    ]  # fmt: skip
    found["payouts.transfer"] = [
        {
            "id": "t1",
            "wallet": "instructor:i1",
            "amount": 4_500,
            "state": "sent",
            "stripe_transfer_id": "tr_1",
        }
    ]
    found["payouts.payable"] = [
        {
            "journal_id": "j1",
            "wallet": "instructor:i1",
            "amount": 4_500,
            "event_type": "flight",
            "transfer_id": "t1",
        },
        {
            "journal_id": "j4",
            "wallet": "instructor:i1",
            "amount": -2_250,
            "event_type": "adjustment",
            "transfer_id": None,
        },
    ]
    return found


def correction_rows() -> dict[str, list[dict[str, Any]]]:
    """The adjustment of the correction: approved by another, its payee's debt partly paid by cheque."""
    of = {"adjustment_id": "a1", "state": "settled"}
    return {
        "adjustments.adjustment": [
            {
                "id": "a1", "flight_id": "F1", "revision": 2, "state": "settling", "made_by": "ann",
                "makers": ["ann"], "differences": DIFFERENCES, "approvals_needed": 1, "content_hash": "aa",
            }
        ],
        "adjustments.approval": [{"adjustment_id": "a1", "approver": "bob", "content_hash": "aa"}],
        "adjustments.settlement": [
            {**of, "id": "x1", "wallet": "student:s1", "amount": 8_500, "method": "credit"},
            {**of, "id": "x2", "wallet": "platform:school", "amount": -6_250, "method": "books"},
            {**of, "id": "x3", "wallet": "instructor:i1", "amount": -250, "method": "manual_check"},
            {
                **of, "id": "x4", "wallet": "instructor:i1", "amount": -2_000, "state": "waiting",
                "method": "future_payout_offset",
            },
            {
                **of, "id": "x0", "wallet": "instructor:i1", "amount": -2_250, "state": "replaced",
                "method": "future_payout_offset",
            },
        ],
    }  # fmt: skip


def books() -> dict[str, list[dict[str, Any]]]:
    """The flight, the transfer that paid the instructor, the student's card payment, the correction."""
    journals = {
        "j1": ("flight:F1:1", "flight", ENTRIES),
        "j2": ("transfer:t1", "transfer", {"instructor:i1": -4_500, "external:stripe": 4_500}),
        "j3": ("charge:ch_1", "payment", {"student:s1": 17_000, "external:stripe": -17_000}),
        "j4": ("adjustment:F1:2", "adjustment", DIFFERENCES),
        "j5": ("settlement:x3", "settlement", {"instructor:i1": 250, "external:bank": -250}),
    }
    entries, held = [], dict[str, tuple[int, int]]()
    for id, (_, _, moved) in journals.items():
        for address, amount in moved.items():
            balance, version = held.get(address, (0, 0))
            held[address] = (balance + amount, version + 1)
            entries.append(
                {
                    "journal_id": id, "address": address, "currency": "USD", "amount": amount,
                    "balance_after": balance + amount, "version": version + 1,
                }
            )  # fmt: skip
    return {
        "ledger.journal": [
            {"id": id, "source": source, "event_type": kind, "entry_count": len(moved)}
            for id, (source, kind, moved) in journals.items()
        ],
        "ledger.entry": entries,
        "ledger.balance": [
            {"address": address, "currency": "USD", "amount": amount, "version": version}
            for address, (amount, version) in held.items()
        ],
    }


def consistent_world() -> World:
    return World(
        school=SCHOOL,
        topics=topics(),
        tables=tables(),
        effects=[
            {
                "kind": "transfer", "object_id": "tr_1", "operation_id": "o1", "amount": 4_500,
                "currency": "usd", "destination": "acct_1", "account": "",
            },
            {
                "kind": "charge", "object_id": "ch_1", "operation_id": "o3", "amount": 17_000,
                "currency": "usd", "metadata": {"hobbs_student": "s1"},
            },
        ],
        events=[WEBHOOK],
        deliveries=[{"event_id": "evt_1", "variant": "forged", "last_status": "400"}],
        accounts=[{"id": "acct_1", "metadata": {"hobbs_operation_id": "o0"}}],
        balance={"USD": 12_500},
        transactions=transactions(),
        is_compared=True,
    )  # fmt: skip


def with_row(world: World, table: str, *, place: int = 0, **changes: Any) -> World:
    """The same world with one row changed."""
    rows = [dict(row) for row in world.rows(table)]
    rows[place] |= changes
    return replace(world, tables={**world.tables, table: rows})


def with_rows(world: World, table: str, rows: list[Mapping[str, Any]]) -> World:
    return replace(world, tables={**world.tables, table: rows})


def with_records(world: World, topic: str, records: list[Record]) -> World:
    return replace(world, topics={**world.topics, topic: records})
