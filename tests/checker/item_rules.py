"""Rules of students' open items: they are the ledger's entries, and payments settle what is due first."""

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
    """From the oldest on, as much of the bills is settled as there is credit, and the other way round."""
    lines = grouped(world.rows("receivables.item_line"), lambda row: (*_account(row), row["document"]))
    for account, items in grouped(world.rows("receivables.item"), _account).items():
        for item in items:
            if item["amount"] != sum(row["amount"] for row in lines.get((*account, item["document"]), [])):
                yield f"item {item['document']} of {account[0]} is not the sum of its lines"
        for side in (-1, 1):
            left = sum(max(-side * item["amount"], 0) for item in items)
            for item in sorted(items, key=lambda item: (item["due_on"], item["document"])):
                mine = max(side * item["amount"], 0)
                settled = min(mine, left)
                left -= settled
                if mine and item["open"] != side * (mine - settled):
                    yield f"of item {item['document']} of {account[0]} {item['open']} is open"


def _account(row: Row) -> tuple[str, str]:
    return row["student"], row["currency"]


ITEM_RULES = (entries_of_students_are_items, ageing_is_the_ledger, payments_settle_what_is_due_first)
