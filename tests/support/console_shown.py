"""Whether what the console's pages show is what the ledger says and what `hobbs` says, to the cent.

The application runs in this process, as its own database roles, over a deployment at rest. The other side is
added up here from the ledger's entries, which no page reads, and from the bills' own rows.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import asyncpg
import httpx
from pydantic import SecretStr

from console.app import HOLDER_ROLE
from console.context import Console
from console.settings import ConsoleSettings
from console.web import build_web, templates
from fleet.database import Database

SECRET: Final = "only-for-these-checks-0123456789"
ORIGIN: Final = "http://127.0.0.1:8090"
EXAMPLES: Final = 3  # of each kind of wallet that are opened
CURRENCY: Final = "USD"

_BALANCES: Final = """
    SELECT wallet.address, sum(entry.amount)::bigint AS balance
    FROM ledger.entry JOIN ledger.wallet ON wallet.id = entry.wallet_id
    WHERE entry.currency = 'USD' GROUP BY wallet.address
"""
# Of each flight the newest revision; cancelled flights are charged nothing.
_BILLED: Final = """
    SELECT count(*) AS flights, coalesce(sum(charge), 0)::bigint AS charge,
           coalesce(sum(margin), 0)::bigint AS margin
    FROM (SELECT DISTINCT ON (flight_id) kind, charge, margin FROM billing.bill
          ORDER BY flight_id, revision DESC) AS newest
    WHERE kind NOT IN ('cancelled', 'elsewhere')
"""
_TRANSFERS: Final = "SELECT id, state, amount FROM payouts.transfer"
_PAYMENTS: Final = "SELECT charge_id, amount FROM receivables.charge WHERE amount IS NOT NULL"

Rows = list[dict[str, str]]


def minor(text: str) -> int:
    """1,234.50 as a page or a file writes it, in minor units."""
    return round(float(text.replace(",", "")) * 100)


def tiles(page: str) -> dict[str, int]:
    """The amounts of a page's tiles, by what stands above each."""
    found = re.findall(
        r'class="card tile"[^>]*><span>(.*?)</span>\s*<span class="money[^"]*">([^<]+)</span>', page, re.S
    )
    return {re.sub(r"<[^>]+>|\s+", " ", title).strip(): minor(amount) for title, amount in found}


def differences(what: str, shown: Mapping[str, int], books: Mapping[str, int]) -> list[str]:
    """What is not the same on both sides, as sentences."""
    return [
        f"console: {what} {name}: the page says {shown.get(name)}, the books {books.get(name)}"
        for name in sorted({*shown, *books})
        if shown.get(name, 0) != books.get(name, 0)
    ]


def sums(balances: Mapping[str, int], of: Callable[[str, int], bool]) -> int:
    return sum(amount for address, amount in balances.items() if of(address, amount))


async def differs(owner_url: str, database_url: str, said: str) -> list[str]:
    """Every amount that a page shows otherwise than the books; empty when none does.

    owner_url: to the books; database_url: as the console's own login. said: by `hobbs balances -o json`.
    """
    owner = await asyncpg.connect(owner_url)
    try:
        balances = {row["address"]: row["balance"] for row in await owner.fetch(_BALANCES)}
        [billed] = await owner.fetch(_BILLED)
        transfers = await owner.fetch(_TRANSFERS)
        payments = await owner.fetch(_PAYMENTS)
    finally:
        await owner.close()
    db = Database(database_url, schema="console", pool_size=2)
    holders = Database(database_url, schema="console_public", role=HOLDER_ROLE, pool_size=2)
    settings = ConsoleSettings.model_validate(
        {
            "database_url": SecretStr(database_url),
            "kafka_bootstrap": "127.0.0.1:1",
            "console_login": "local",
            "console_local_secret": SecretStr(SECRET),
        }
    )
    web = build_web(Console(settings=settings, db=db, holders=holders, templates=templates()))
    transport = httpx.ASGITransport(web, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as ada:
            entered = await ada.post("/login/local", data={"key": SECRET, "person": "ada"})
            assert entered.status_code == 303, entered.text
            return [
                *await _overview(ada, balances),
                *await _wallets(ada, balances),
                *await _students(ada, balances),
                *await _flights(ada, dict(billed)),
                *await _lists(ada, transfers, payments),
                *_hobbs(said, balances),
            ]
    finally:
        await db.close()
        await holders.close()


async def _page(ada: httpx.AsyncClient, address: str, **asked: str) -> str:
    answer = await ada.get(address, params=asked or None)
    assert answer.status_code == 200, f"{address} answered {answer.status_code}"
    return answer.text


async def _file(ada: httpx.AsyncClient, address: str, **asked: str) -> Rows:
    return list(csv.DictReader(io.StringIO(await _page(ada, address, **asked, **{"as": "csv"}))))


async def _overview(ada: httpx.AsyncClient, balances: Mapping[str, int]) -> list[str]:
    """What students owe and have paid ahead, what payees are owed, and what is at Stripe by the books."""

    def is_student(address: str, _: int) -> bool:
        return address.startswith("student:")

    def is_payee(address: str, _: int) -> bool:
        return address.startswith(("instructor:", "aircraft_owner:"))

    shown = tiles(await _page(ada, "/"))
    books = {
        "Students owe": -sums(balances, lambda address, n: is_student(address, n) and n < 0),
        "Students paid ahead": sums(balances, lambda address, n: is_student(address, n) and n > 0),
        "Owed to instructors and owners": sums(balances, lambda address, n: is_payee(address, n) and n > 0),
        "At Stripe, by the books": -balances.get("external:stripe", 0),
    }
    return differences("overview", {name: shown[name] for name in books if name in shown}, books)


async def _wallets(ada: httpx.AsyncClient, balances: Mapping[str, int]) -> list[str]:
    """Every balance of the list; and of some wallets the page, and their statement's newest line."""
    listed = {row["Wallet"]: minor(row["Balance"]) for row in await _file(ada, "/wallets")}
    found = differences("wallets", listed, balances)
    opened = Counter[str]()
    for address in sorted(balances):
        kind = address.partition(":")[0]
        if opened[kind] >= EXAMPLES:
            continue
        opened[kind] += 1
        path = f"/wallets/{address.replace(':', '%3A')}"
        shown = {address: tiles(await _page(ada, path))["Balance"]}
        found += differences("the page of wallet", shown, {address: balances[address]})
        [newest, *_] = lines = await _file(ada, path)
        found += differences(
            "the newest line of", {address: minor(newest["Balance"])}, {address: balances[address]}
        )
        added = sum(minor(line["Amount"]) for line in lines)
        found += differences("all lines of", {address: added}, {address: balances[address]})
    return found


async def _students(ada: httpx.AsyncClient, balances: Mapping[str, int]) -> list[str]:
    """What each student owes by ageing is the ledger's balance; and a student's own page says the same."""
    aged = {
        f"student:{row['Student']}": (minor(row["Owed"]), minor(row["Credit"]))
        for row in await _file(ada, "/accounts")
    }
    books = {address: amount for address, amount in balances.items() if address.startswith("student:")}
    left = {address: credit - owed for address, (owed, credit) in aged.items()}
    found = differences("ageing of", left, books)
    for address, (owed, credit) in sorted(aged.items())[:EXAMPLES]:
        shown = tiles(await _page(ada, f"/students/{address.partition(':')[2]}"))
        wanted = {"Owes": owed} if owed else {"Has paid ahead": credit}
        found += differences(f"{address}:", {name: shown.get(name, 0) for name in wanted}, wanted)
    return found


async def _flights(ada: httpx.AsyncClient, billed: Mapping[str, Any]) -> list[str]:
    """The flights in force: how many, what was charged and what is left; by the list and by the margins."""
    rows = [row for row in await _file(ada, "/flights") if row["Bill"] not in ("cancelled", "elsewhere")]
    listed = {
        "flights": len(rows),
        "charge": sum(minor(row["Charged"]) for row in rows),
        "margin": sum(minor(row["To the school"]) for row in rows),
    }
    years = {"since": "2000-01-01", "until": "2100-01-01"}
    by_student = await _file(ada, "/margin/student", **years)
    summed = {
        "flights": sum(int(row["Flights"]) for row in by_student),
        "charge": sum(minor(row["Charged"]) for row in by_student),
        "margin": sum(minor(row["To the school"]) for row in by_student),
    }
    return [*differences("flights", listed, billed), *differences("margins", summed, billed)]


async def _lists(ada: httpx.AsyncClient, transfers: list[Any], payments: list[Any]) -> list[str]:
    """Each transfer and payment with its amount, and transfers with their states."""
    sent = await _file(ada, "/transfers")
    shown = {f"{row['Transfer']} {row['State']}": minor(row["Amount"]) for row in sent}
    books = {f"{row['id']} {row['state']}": row["amount"] for row in transfers}
    came = {row["Charge"]: minor(row["Amount"]) for row in await _file(ada, "/payments")}
    paid = {row["charge_id"]: row["amount"] for row in payments}
    return [*differences("transfer", shown, books), *differences("payment", came, paid)]


def _hobbs(said: str, balances: Mapping[str, int]) -> list[str]:
    rows = [row for row in json.loads(said) if row["currency"] == CURRENCY]
    return [
        line.replace("console: ", "hobbs: ").replace("the page", "the command")
        for line in differences("balances", {row["wallet"]: row["balance"] for row in rows}, balances)
    ]
