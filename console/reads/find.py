"""What a person may mean by a few words: somebody, a flight, a payment, a transfer, an amount."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from fleet.money import parse_minor

MOST: Final = 10  # of each kind
AMOUNT_MAX: Final = 10**15  # as the ledger has it
_BEGIN_OF_ID: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.IGNORECASE)
_UUID_DIGITS: Final = 32

_BY_NAME: Final = """
    SELECT 'flight' AS what, flight_id AS name, billed_on::timestamptz AS at, 'student:' || student AS wallet,
           currency, charge AS amount, revision::text AS told
    FROM (SELECT DISTINCT ON (flight_id) * FROM billing_public.bills WHERE flight_id = :q
          ORDER BY flight_id, revision DESC) AS bill
    UNION ALL
    SELECT 'correction', flight_id || ':' || revision, proposed_at, NULL, currency, NULL, state
    FROM adjustments_public.adjustments WHERE flight_id = :flight AND revision::text = :revision
    UNION ALL
    SELECT 'payment', charge_id, received_at, 'student:' || student, currency, amount, NULL
    FROM receivables_public.payments WHERE charge_id = :q
    UNION ALL
    (SELECT 'payment by hand', id::text, recorded_at, 'student:' || student, currency, amount, state
     FROM receivables_public.recorded_payments WHERE number = :q ORDER BY recorded_at DESC LIMIT :most)
    UNION ALL
    SELECT 'transfer', id::text, created_at, wallet, currency, amount, state
    FROM payouts_public.transfers WHERE stripe_transfer_id = :q
"""
_BY_ID: Final = """
    SELECT 'transfer' AS what, id::text AS name, created_at AS at, wallet, currency, amount, state AS told
    FROM payouts_public.transfers WHERE id BETWEEN :first AND :last ORDER BY created_at DESC LIMIT :most
"""
_BY_AMOUNT: Final = """
    (SELECT 'payment' AS what, charge_id AS name, received_at AS at, 'student:' || student AS wallet,
            currency, amount, NULL AS told
     FROM receivables_public.payments WHERE amount = :amount ORDER BY received_at DESC LIMIT :most)
    UNION ALL
    (SELECT 'payment by hand', id::text, recorded_at, 'student:' || student, currency, amount, state
     FROM receivables_public.recorded_payments WHERE amount = :amount ORDER BY recorded_at DESC LIMIT :most)
    UNION ALL
    (SELECT 'transfer', id::text, created_at, wallet, currency, amount, state
     FROM payouts_public.transfers WHERE amount = :amount ORDER BY created_at DESC LIMIT :most)
"""
_WALLETS: Final = """
    SELECT DISTINCT address AS wallet FROM ledger_public.wallets WHERE address = ANY (CAST(:names AS text[]))
"""
KINDS: Final = ("student", "instructor", "aircraft_owner")


def people_called(q: str, people: Mapping[str, str]) -> list[str]:
    """The wallets of people whose name or id has these words, whole words first."""
    asked = q.casefold()
    found = [
        wallet
        for wallet, name in people.items()
        if asked in name.casefold() or asked in wallet.partition(":")[2].casefold()
    ]
    return sorted(found, key=lambda wallet: (people[wallet].casefold() != asked, people[wallet]))


async def wallets(tx: Tx, q: str) -> list[str]:
    """The wallets of this address, or of people with this id."""
    names = [q, *(f"{kind}:{q}" for kind in KINDS)]
    return [row.wallet for row in await tx.all(_WALLETS, names=names)]


async def things(tx: Tx, q: str, currency: str) -> list[dict[str, Any]]:
    """Flights, corrections, payments and transfers of this name, of an id that begins so, of this amount."""
    flight, _, revision = q.rpartition(":")
    rows = list(await tx.all(_BY_NAME, q=q, flight=flight, revision=revision, most=MOST))
    if _BEGIN_OF_ID.fullmatch(q):
        digits = q.replace("-", "")[:_UUID_DIGITS]
        first, last = (UUID(digits.ljust(_UUID_DIGITS, filling)) for filling in "0f")
        rows += await tx.all(_BY_ID, first=first, last=last, most=MOST)
    try:
        amount = parse_minor(q.replace(",", ""), currency)
    except ValueError:
        amount = 0
    if 0 < abs(amount) <= AMOUNT_MAX:
        rows += await tx.all(_BY_AMOUNT, amount=abs(amount), most=MOST)
    return list({(row.what, row.name): dict(row._mapping) for row in rows}.values())
