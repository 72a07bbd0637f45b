"""Rules about the comparison with Stripe: both sides are whole, pairs are matched, the rest has a name."""

from collections.abc import Iterator, Mapping

from tests.checker.world import Row, World, grouped

CASH = "external:stripe"
PAYMENTS = "payments"
OPENING = "opening"  # stands for all that was there before rows were listed
# Type of a row -> the begin of its journal's source, which goes on with the id of the row's source.
NAMED_AFTER_THE_SOURCE = {
    "charge": "charge:",
    "payment": "charge:",
    "refund": "refund:",
    "payment_refund": "refund:",
    "transfer_refund": "reversal:",
}


def cash_of_journals(world: World) -> dict[str, dict[str, int]]:
    """What each journal moves of the cash at Stripe: by its source, by currency."""
    entries = world.entries()
    moved: dict[str, dict[str, int]] = {}
    for journal in world.rows("ledger.journal"):
        for entry in entries.get(str(journal["id"]), []):
            if entry["address"] == CASH:
                sums = moved.setdefault(journal["source"], {})
                sums[entry["currency"]] = sums.get(entry["currency"], 0) - entry["amount"]
    return moved


def rows_of_stripe_are_kept(world: World) -> Iterator[str]:
    """Each row of Stripe's balance is kept as Stripe shows it, and no other."""
    stripes = {row["id"]: row for row in world.transactions}
    kept = {row["transaction_id"]: row for row in world.rows("reserves.stripe_line")}
    for id in kept.keys() - stripes.keys():
        if kept[id]["type"] != OPENING:
            yield f"row {id} is kept, Stripe has none"
    for id, row in stripes.items():
        here = kept.get(id)
        if here is None:
            if world.is_compared:
                yield f"row {id} of {row['net']} is at Stripe and not kept"
            continue
        wanted = (row["type"], row["net"], row["currency"].upper(), row["source"])
        found = (here["type"], here["net"], here["currency"], here["source_id"])
        if found != wanted:
            yield f"row {id} is {wanted} at Stripe and {found} here"


def journals_at_stripe_are_kept(world: World) -> Iterator[str]:
    """Each journal that moves the cash at Stripe is kept with what it moves, and no other."""
    books = cash_of_journals(world)
    kept = grouped(world.rows("reserves.book_line"), lambda row: str(row["source"]))
    for source in kept.keys() - books.keys():
        yield f"journal {source} is kept for the comparison, the ledger has none that moves cash at Stripe"
    for source, moved in books.items():
        here = {row["currency"]: -row["amount"] for row in kept.get(source, [])}
        if here != moved and (here or world.is_compared):
            yield f"journal {source} moves {moved} at Stripe, kept is {here or 'nothing'}"


def pairs(world: World) -> Iterator[tuple[Row, list[str]]]:
    """Rows with the journals that name them, where both together are the same money."""
    books = cash_of_journals(world)
    transfers = {t["stripe_transfer_id"]: f"transfer:{t['id']}" for t in world.rows("payouts.transfer")}
    for row in world.transactions:
        begins = NAMED_AFTER_THE_SOURCE.get(row["type"])
        named = transfers.get(row["source"]) if row["type"] == "transfer" else None
        named = f"{begins}{row['source']}" if begins else named
        sources = [source for source in (named, f"charge-fee:{row['id']}") if source in books]
        cash = sum(books[source].get(row["currency"].upper(), 0) for source in sources)
        if sources and cash == row["net"]:
            yield row, sources


def what_belongs_together_is_matched(world: World) -> Iterator[str]:
    """A row and the journals that name it are in one match when their money is the same."""
    of_rows = {row["transaction_id"]: row["match_id"] for row in world.rows("reserves.line_match")}
    of_journals = _matches_of_journals(world)
    for row, sources in pairs(world):
        found = {of_rows.get(row["id"]), *(of_journals.get(source) for source in sources)}
        if found == {None} and not world.is_compared:
            continue
        if len(found) != 1 or None in found:
            yield f"row {row['id']} and {' and '.join(sources)} are in matches {found} instead of one"


def _matches_of_journals(world: World) -> dict[str, str]:
    source_of = {str(row["journal_id"]): row["source"] for row in world.rows("reserves.book_line")}
    matches = world.rows("reserves.book_match")
    return {source_of.get(str(row["journal_id"]), ""): row["match_id"] for row in matches}


def what_is_left_is_a_break(world: World) -> Iterator[str]:
    """What has no other half is an open break of its amount; nothing else is one."""
    if not world.is_compared:
        return
    left = _left(world)
    shown = {
        row["subject"]: row["amount"]
        for row in world.rows("reserves.break")
        if row["state"] != "closed" and row["subject"].startswith(("line:", "journal:"))
    }
    for subject in sorted(left.keys() | shown.keys()):
        if left.get(subject) != shown.get(subject):
            yield f"{subject}: open is {left.get(subject)}, the break says {shown.get(subject)}"


def _left(world: World) -> Mapping[str, int]:
    """What is in no match: rows with what they count in the books, journals with what they take from it."""
    matched = {row["transaction_id"] for row in world.rows("reserves.line_match")}
    booked = {str(row["journal_id"]) for row in world.rows("reserves.book_match")}
    rows = {
        f"line:{row['transaction_id']}": row["net"] if row["balance_type"] == PAYMENTS else 0
        for row in world.rows("reserves.stripe_line")
        if row["transaction_id"] not in matched and not row["is_before"] and row["type"] != OPENING
    }
    return rows | {
        f"journal:{row['journal_id']}": row["amount"]
        for row in world.rows("reserves.book_line")
        if str(row["journal_id"]) not in booked
    }


RESERVE_RULES = (
    rows_of_stripe_are_kept,
    journals_at_stripe_are_kept,
    what_belongs_together_is_matched,
    what_is_left_is_a_break,
)
