"""Rules of students' open items, and of asking for what is overdue of them."""

from collections.abc import Iterator

from tests.checker.world import Row, World, grouped

STUDENT = "student:"


def entries_of_students_are_items(world: World) -> Iterator[str]:
    """Each journal's entries of a student are one line, of their sum, and no line is without them."""
    posted: dict[tuple[str, str, str], int] = {}
    for entry in world.rows("ledger.entry"):
        if entry["address"].startswith(STUDENT):
            place = (str(entry["journal_id"]), entry["address"].removeprefix(STUDENT), entry["currency"])
            posted[place] = posted.get(place, 0) + entry["amount"]
    lines = {
        (str(line["journal_id"]), line["student"], line["currency"]): line["amount"]
        for line in world.rows("receivables.item_line")
    }
    for place in posted.keys() | lines.keys():
        if posted.get(place) != lines.get(place):
            yield f"journal {place[0]} moved {posted.get(place)} of {place[1]}, items {lines.get(place)}"


def ageing_is_the_ledger(world: World) -> Iterator[str]:
    """What is open of a student's items is the ledger's balance, and the account says so too."""
    balances = {
        (row["address"].removeprefix(STUDENT), row["currency"]): row["amount"]
        for row in world.rows("ledger.balance")
        if row["address"].startswith(STUDENT)
    }
    items = grouped(world.rows("receivables.item"), _account)
    accounts = {_account(row): row["balance"] for row in world.rows("receivables.account")}
    for account in balances.keys() | items.keys() | accounts.keys():
        held = balances.get(account, 0)
        found = sum(item["open"] for item in items.get(account, []))
        if not held == found == accounts.get(account, 0):
            yield f"{account[0]} has {held} in the ledger, {found} open"


def payments_settle_what_is_due_first(world: World) -> Iterator[str]:
    """From the oldest on, as much of the bills is settled as there is credit, and the other way round.

    What a payment has for the bill that it names comes first.
    """
    words = grouped(world.rows("receivables.named_bill"), _account)
    lines = grouped(world.rows("receivables.item_line"), lambda row: (*_account(row), row["document"]))
    for account, items in grouped(world.rows("receivables.item"), _account).items():
        for item in items:
            if item["amount"] != sum(row["amount"] for row in lines.get((*account, item["document"]), [])):
                yield f"item {item['document']} of {account[0]} is not the sum of its lines"
        amounts = {item["document"]: item["amount"] for item in items}
        newest = {w["payment"]: w["bill"] for w in sorted(words.get(account, []), key=lambda w: w["place"])}
        named: dict[str, int] = {}
        for payment, bill in newest.items():
            has = named.get(bill, 0) + max(amounts.get(payment, 0), 0)
            named[bill] = min(has, max(-amounts.get(bill, 0), 0))
        for side in (-1, 1):
            left = sum(max(-side * item["amount"], 0) for item in items)
            left -= sum(named.values()) if side == -1 else 0
            for item in sorted(items, key=lambda item: (item["due_on"], item["document"])):
                first = named.get(item["document"], 0) if side == -1 else 0
                mine = max(side * item["amount"], 0)
                settled = min(mine - first, left)
                left -= settled
                settled += first
                if mine and item["open"] != side * (mine - settled):
                    yield f"of item {item['document']} of {account[0]} {item['open']} is open"


def overdue_bills_are_asked_for_once(world: World) -> Iterator[str]:
    """Each step has one request, is done once in a run, within its hours and while nothing holds it."""
    events = [record.body or {} for record in world.records("dunning.requested")]
    said = {(body["student"], body["run"], body["step"]): body["total"] for body in events}
    done: dict[tuple[str, int, str], int] = {}
    for student, rows in grouped(world.rows("receivables.dunning_history"), _student).items():
        open_run, held = 0, ("", "")
        for row in sorted(rows, key=lambda row: row["place"]):
            if row["what"] == "step":
                place = (student, row["run"], row["step"])
                if place in done or row["run"] != open_run:
                    yield f"step {place[2]} of {student} was done in run {place[1]}, open is run {open_run}"
                done[place] = row["total"]
                day, hour = row["local_at"][:10], int(row["local_at"][11:13])
                if held[0] == "paused" or (held[0] == "promised" and held[1] >= day):
                    yield f"step {place[2]} of {student} was done on {day} although it was {held[0]}"
                if not row["from_hour"] <= hour < row["until_hour"]:
                    yield f"step {place[2]} of {student} was done at {row['local_at']}"
            elif row["what"] in ("begins", "ends"):
                open_run = row["run"] if row["what"] == "begins" else 0
            else:
                held = (row["what"], row["until"] or "")
    for place in sorted(said.keys() | done.keys()):
        if said.get(place) != done.get(place):
            yield f"step {place[2]} of {place[0]} asked for {said.get(place)}, done is {done.get(place)}"


def payments_by_hand_count_once(world: World) -> Iterator[str]:
    """A payment by hand has one number, and its journals leave on each wallet what its state says."""
    entries = world.entries()
    moved: dict[str, dict[str, int]] = {}
    for journal in world.rows("ledger.journal"):
        kind, _, payment = str(journal["source"]).partition(":")
        if kind.partition("-")[0] == "recorded":
            held = moved.setdefault(payment, {})
            for entry in entries.get(str(journal["id"]), []):
                held[entry["address"]] = held.get(entry["address"], 0) + entry["amount"]
    recorded = {str(row["id"]): row for row in world.rows("receivables.recorded_payment")}
    for payment in moved.keys() - recorded.keys():
        yield f"journals name the payment {payment}, which nobody recorded"
    for payment, row in recorded.items():
        held = moved.get(payment, {})
        counts = {"received": f"{STUDENT}{row['student']}", "held": "liability:cheques"}.get(row["state"])
        wanted = {counts: row["amount"]} if counts else {}
        inside = {w: amount for w, amount in held.items() if amount and not w.startswith("external:")}
        if inside != wanted:
            yield f"payment {payment} is {row['state']} and left {inside} in the books"
    standing = [row for row in recorded.values() if row["state"] not in ("reverted", "bounced")]
    for name, same in grouped(standing, lambda row: (row["student"], row["method"], row["number"])).items():
        if len(same) > 1:
            yield f"{name[1]} {name[2]} of {name[0]} was recorded {len(same)} times"


def nobody_is_asked_in_a_dispute(world: World) -> Iterator[str]:
    """No step while a dispute of the student is known and not decided: the school may owe the money back."""
    disputes = grouped(world.rows("receivables.dispute"), _student)
    for row in world.rows("receivables.dunning_history"):
        for dispute in disputes.get(row["student"], []) if row["what"] == "step" else ():
            if dispute["known_at"] < row["at"] < (dispute["ended_at"] or "9999"):
                yield f"step {row['step']} of {row['student']} was done in dispute {dispute['dispute_id']}"


def _student(row: Row) -> str:
    return str(row["student"])


def _account(row: Row) -> tuple[str, str]:
    return row["student"], row["currency"]


GIVES = {"credit_note": 1, "write_off": 1, "refund": -1, "cheque_fee": -1}
NOTES = ("paid-out", "credit-note", "write-off", "cheque-fee", "note-reverted")


def accounts_change_as_people_said(world: World) -> Iterator[str]:
    """What people refunded, credited and wrote off is on the account while it stands, and of them alone."""
    entries = world.entries()
    notes = {str(row["id"]): row for row in world.rows("receivables.account_note")}
    moved: dict[str, int] = {}
    for journal in world.rows("ledger.journal"):
        kind, _, note = str(journal["source"]).partition(":")
        if kind in NOTES:
            of_students = [e for e in entries.get(str(journal["id"]), []) if e["address"].startswith(STUDENT)]
            moved[note] = moved.get(note, 0) + sum(entry["amount"] for entry in of_students)
    for note in moved.keys() - notes.keys():
        yield f"journals name {note}, which nobody asked for"
    for note, row in notes.items():
        stands = GIVES[row["kind"]] * row["amount"] if row["state"] == "posted" else 0
        if moved.get(note, 0) != stands:
            yield f"{row['kind']} {note} is {row['state']} and left {moved.get(note, 0)} on the account"


ITEM_RULES = (
    entries_of_students_are_items,
    ageing_is_the_ledger,
    payments_settle_what_is_due_first,
    overdue_bills_are_asked_for_once,
    nobody_is_asked_in_a_dispute,
    payments_by_hand_count_once,
    accounts_change_as_people_said,
)
