"""Small data in which every rule about students holds: their cards, dispatches, holds and accounts."""

from typing import Any


def credit_rows() -> dict[str, list[dict[str, Any]]]:
    """The payment was a charge of a saved card, declined before; a dispatch is cleared, one refused."""
    charge = {"student": "s1", "currency": "USD", "amount": 17_000, "taken_back_at": None}
    charge["decided_at"] = "2026-05-26 09:00"
    asked = {"wallet": "student:s1", "currency": "USD", "amount": 17_000}
    first, again = "flight:F1:1", "flight:F1:1#2"
    fell = {"student": "s1", "book_limit": 500}
    return {
        "receivables.charge": [{"charge_id": "ch_1", "amount": 17_000}],
        "receivables.auto_charge": [
            {**charge, "request_id": "q1", "cause": first, "state": "declined"},
            {**charge, "request_id": "q2", "cause": again, "state": "succeeded"},
        ],
        "adjustments.in_question": [
            {"student": "s1", "flight_id": "F1", "since": "2026-05-25 12:01", "until": "2026-05-26 08:59"},
            {"student": "s2", "flight_id": "F9", "since": "2026-05-25 12:01", "until": None},
        ],
        "payouts.charge_request": [
            {**asked, "request_id": "q1", "operation_id": "o2", "cause": first, "outcome": "declined"},
            {**asked, "request_id": "q2", "operation_id": "o3", "cause": again, "outcome": "succeeded"},
        ],
        "receivables.dispatch": [
            {"flight_id": "F1", "revision": 1, "student": "s1", "held": None, "state": "refused"},
            {"flight_id": "F2", "revision": 1, "student": "s1", "held": 9_000, "state": "cleared"},
        ],
        "receivables.credit_level": [
            {"student": "s1", "level": "ok", "changes": 2},
            {"student": "s2", "level": "ok", "changes": 0},
        ],
        "receivables.credit_level_change": [
            {"student": "s1", "number": 1, "from_level": "ok", "to_level": "near"},
            {"student": "s1", "number": 2, "from_level": "near", "to_level": "ok"},
        ],
        "receivables.limit_change": [
            {**fell, "number": 1, "cause": "declined:flight:F1:1", "state": "in_force", **_from_to(500, 400)},
            {**fell, "number": 2, "cause": "rise:2026-05-22", "state": "lapsed", **_from_to(400, 600)},
            {**fell, "number": 3, "cause": "rise:2026-05-22", "state": "in_force", **_from_to(400, 600)},
        ],
        "ledger.hold": [
            {"name": "dispatch:F2:1", "address": "student:s1", "amount": 9_000, "state": "open"},
            {"name": "dispatch:F0:1", "address": "student:s1", "amount": 9_000, "state": "voided"},
        ],
    }


def _from_to(before: int, after: int) -> dict[str, int]:
    return {"from_limit": before, "to_limit": after}


def account_rows() -> dict[str, list[dict[str, Any]]]:
    """The student's account: the corrected bill is settled, half of the payment is left."""
    of = {"student": "s1", "currency": "USD"}
    items = (("flight:F1", -8_500, 0, "2026-05-23"), ("charge:ch_1", 17_000, 8_500, "2026-05-22"))
    lines = (("j1", "flight:F1", -17_000), ("j4", "flight:F1", 8_500), ("j3", "charge:ch_1", 17_000))
    hours = {"from_hour": 9, "until_hour": 18}
    plain: dict[str, Any] = {
        "run": 1,
        "step": None,
        "total": None,
        "until": None,
        "from_hour": None,
        "until_hour": None,
    }
    step = {"what": "step", "step": "first", "total": 8_500, "local_at": "2026-05-26 12:00:00", **hours}
    history: tuple[dict[str, Any], ...] = (
        {"what": "begins", "local_at": "2026-05-24 09:00:00"},
        {"what": "promised", "until": "2026-05-25", "local_at": "2026-05-24 10:00:00"},
        {"what": "lapsed", "local_at": "2026-05-26 09:00:00"},
        step,
        {"what": "ends", "local_at": "2026-05-27 09:00:00"},
    )
    return {
        "receivables.dunning_history": [
            {**plain, "student": "s1", "place": place, "at": row["local_at"], **row}
            for place, row in enumerate(history)
        ],
        "receivables.dispute": [
            {
                "dispute_id": "du_1",
                "student": "s1",
                "known_at": "2026-05-24 11:00:00",
                "ended_at": "2026-05-26 11:00:00",
            }
        ],
        "receivables.named_bill": [
            {**of, "place": 1, "payment": "charge:ch_1", "bill": None},
            {**of, "place": 2, "payment": "charge:ch_1", "bill": "flight:F1"},
        ],
        "receivables.account_note": [
            {"id": "n1", "kind": "refund", "student": "s1", "amount": 100, "state": "waits"},
        ],
        "receivables.recorded_payment": [
            {"id": "h1", "student": "s1", "method": "cash", "number": "1", "amount": 5, "state": "waits"},
            {"id": "h2", "student": "s1", "method": "cash", "number": "1", "amount": 5, "state": "reverted"},
        ],
        "receivables.account": [{**of, "balance": 8_500}],
        "receivables.item": [
            {**of, "document": document, "amount": amount, "open": left, "due_on": due}
            for document, amount, left, due in items
        ],
        "receivables.item_line": [
            {**of, "journal_id": journal, "document": document, "amount": amount}
            for journal, document, amount in lines
        ],
    }
