"""Rules of journals and balances, added up again from the entries."""

from collections.abc import Iterator

from tests.checker.world import World, grouped


def journals_sum_to_zero(world: World) -> Iterator[str]:
    """Every journal, and all wallets together, sum to zero in each currency."""
    for (journal, currency), entries in grouped(
        world.rows("ledger.entry"), lambda e: (str(e["journal_id"]), e["currency"])
    ).items():
        if total := sum(e["amount"] for e in entries):
            yield f"journal {journal} sums to {total} {currency}"
    for currency, balances in grouped(world.rows("ledger.balance"), lambda b: b["currency"]).items():
        if total := sum(b["amount"] for b in balances):
            yield f"all wallets together hold {total} {currency}; it should be nothing"


def journals_are_whole(world: World) -> Iterator[str]:
    """A journal has the entries it announced, one journal for each source; no entry is without a journal."""
    entries = world.entries()
    journals = {str(row["id"]): row for row in world.rows("ledger.journal")}
    for orphan in entries.keys() - journals.keys():
        yield f"there are entries of journal {orphan}, which is not there"
    for id, journal in journals.items():
        if len(entries.get(id, [])) != journal["entry_count"]:
            yield f"journal {journal['source']} announced {journal['entry_count']} entries"
    for source, same in grouped(journals.values(), lambda j: j["source"]).items():
        if len(same) > 1:
            yield f"{source} was posted {len(same)} times"


def balances_equal_entries(world: World) -> Iterator[str]:
    """A balance is the sum of its entries and its version their number; running balances have no break."""
    by_wallet = grouped(world.rows("ledger.entry"), lambda e: (e["address"], e["currency"]))
    balances = {(b["address"], b["currency"]): b for b in world.rows("ledger.balance")}
    for wallet in by_wallet.keys() | balances.keys():
        entries = sorted(by_wallet.get(wallet, []), key=lambda e: e["version"])
        total = 0
        running: list[tuple[int, int]] = []
        for entry in entries:
            total += entry["amount"]
            running.append((len(running) + 1, total))
        if [(e["version"], e["balance_after"]) for e in entries] != running:
            yield f"{wallet[0]}: the running balance has a break"
        balance = balances.get(wallet, {"amount": 0, "version": 0})
        if (balance["amount"], balance["version"]) != (total, len(entries)):
            yield (
                f"{wallet[0]} holds {balance['amount']} {wallet[1]} after {balance['version']} entries; "
                f"its {len(entries)} entries sum to {total}"
            )


LEDGER_RULES = (journals_sum_to_zero, journals_are_whole, balances_equal_entries)
