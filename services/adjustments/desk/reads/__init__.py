"""What people ask of adjustments, read from published views. Amounts are minor units of `currency`."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from fleet.zones import local_date
from services.adjustments.desk.reads import forgotten, recoveries
from services.adjustments.domain.policy import Policy

MONTH_DAYS: Final = 30
JUST_UNDER_PERCENT: Final = 80  # of the amount from which a person must approve

REVISION_DIGITS_MAX: Final = 9  # what fits into the column

_LIST: Final = """
    SELECT flight_id || ':' || revision AS adjustment, kind, state, currency, largest, made_by, reason,
           approvals_needed, proposed_at, changed_at, sentence
    FROM adjustments_public.adjustments
    WHERE (CAST(:states AS text[]) IS NULL OR state = ANY (CAST(:states AS text[])))
      AND (CAST(:flight AS text) IS NULL OR flight_id = :flight)
      AND (CAST(:made_by AS text) IS NULL OR made_by = :made_by)
      AND (CAST(:wallet AS text) IS NULL OR differences ? CAST(:wallet AS text))
    ORDER BY proposed_at DESC, id DESC LIMIT :most OFFSET :skip
"""


async def adjustments(
    tx: Tx,
    *,
    states: Sequence[str] | None = None,
    flight: str | None = None,
    made_by: str | None = None,
    wallet: str | None = None,
    most: int = 1000,
    skip: int = 0,
) -> list[dict[str, Any]]:
    """Adjustments, the newest first; wallet: only those that change something for it."""
    rows = await tx.all(
        _LIST, states=states, flight=flight, made_by=made_by, wallet=wallet, most=most, skip=skip
    )
    return [dict(row._mapping) for row in rows]


# A row value is compared, so that the next page begins in the index where the last one ended.
_QUEUE: Final = """
    WITH page AS MATERIALIZED (
        SELECT id, flight_id, revision, kind, currency, largest, differences, paid_by, made_by, reason, needs,
               approvals_needed, proposed_at, expires_at, content_hash
        FROM adjustments_public.adjustments
        WHERE state = 'waiting'
          AND (proposed_at, id) > (coalesce(:after, CAST('-infinity' AS timestamptz)),
                                   coalesce(:after_id, CAST('00000000-0000-0000-0000-000000000000' AS uuid)))
        ORDER BY proposed_at, id LIMIT :most OFFSET :skip)
    SELECT page.flight_id || ':' || page.revision AS adjustment, page.kind, page.currency, page.largest,
           page.made_by, page.reason, page.needs, page.approvals_needed, given.approvals,
           page.proposed_at AS waiting_since, page.expires_at, closing.clawback_until,
           coalesce(closing.could_be_taken_back, 0) AS could_be_taken_back,
           coalesce(month.moved_in_month, 0) AS moved_in_month, page.id
    FROM page
    CROSS JOIN LATERAL (
        SELECT count(*) AS approvals FROM adjustments_public.approvals
        WHERE adjustment_id = page.id AND counts) AS given
    CROSS JOIN LATERAL (
        SELECT min(transfers.clawback_until) AS clawback_until,
               sum(least(-party.amount, payables.amount)) AS could_be_taken_back
        FROM (SELECT key AS wallet, CAST(value AS bigint) AS amount
              FROM jsonb_each_text(page.differences)) AS party
        JOIN payouts_public.payables
            ON payables.wallet = party.wallet AND payables.source = ANY (page.paid_by) AND payables.amount > 0
        JOIN payouts_public.transfers ON transfers.id = payables.transfer_id
        WHERE party.amount < 0 AND transfers.clawback_until > now()) AS closing
    CROSS JOIN LATERAL (
        SELECT max(moved) AS moved_in_month FROM (
            SELECT sum(day.moved) AS moved FROM adjustments_public.moved_by_maker AS day
            WHERE day.made_by = page.made_by AND day.currency = page.currency
              AND day.wallet IN (SELECT jsonb_object_keys(page.differences))
              AND day.day > CAST(now() AS date) - CAST(:days AS integer)
            GROUP BY day.wallet) AS payee) AS month
    ORDER BY page.proposed_at, page.id
"""


async def queue(
    tx: Tx, *, after: tuple[datetime, UUID] | None = None, most: int = 50, skip: int = 0
) -> list[dict[str, Any]]:
    """What waits for approval, the oldest first.

    after: `waiting_since` and `id` of the last row of the page before. clawback_until: when the first window
    closes in which could_be_taken_back can be taken back of payees who would owe; None: none is open.
    recovered_about: an estimate of when it would be taken off, from the payees' mean payouts; None: not at
    that pace, or nobody would owe. moved_in_month: the most that the maker's posted corrections moved for
    one of these payees in 30 days.
    """
    at, last = after or (None, None)
    rows = await tx.all(_QUEUE, after=at, after_id=last, most=most, skip=skip, days=MONTH_DAYS)
    about = await recoveries.of_queue(tx, [row.id for row in rows if row.largest])
    return [dict(row._mapping) | {"recovered_about": about.get(row.id)} for row in rows]


_ONE: Final = """
    SELECT id, flight_id || ':' || revision AS adjustment, flight_id, revision, kind, state, sentence,
           currency, largest, student_before, student, flown_on, occurred_at, priced_by, reason, made_by,
           makers, needs,
           approvals_needed, proposed_at, expires_at, changed_at, paid_by, journal_id, correlation_id
    FROM adjustments_public.adjustments
    WHERE flight_id = :flight_id AND revision = :revision
"""
_PARTIES: Final = """
    SELECT party.wallet, party.before, party.after, party.difference, party.currency,
           (SELECT sum(moved) FROM adjustments_public.moved_by_maker AS day
            WHERE day.made_by = :made_by AND day.wallet = party.wallet AND day.currency = party.currency
              AND day.day > CAST(now() AS date) - CAST(:days AS integer)) AS moved_in_month
    FROM adjustments_public.differences AS party
    WHERE party.adjustment_id = :id ORDER BY party.wallet
"""
_HISTORY: Final = """
    SELECT at, from_state, to_state, who, why FROM adjustments_public.history
    WHERE adjustment_id = :id ORDER BY id
"""
_APPROVALS: Final = """
    SELECT approved_at, approver, why, counts FROM adjustments_public.approvals
    WHERE adjustment_id = :id ORDER BY approved_at, decision_id
"""


_SETTLEMENTS: Final = """
    SELECT id, wallet, number, amount, currency, method, state, instead_of, decided_by, cheque_number,
           paid_on, proof, sentence, changed_at
    FROM adjustments_public.settlements WHERE adjustment_id = :id ORDER BY wallet, number
"""
_SETTLEMENT_STEPS: Final = """
    SELECT at, wallet, number, method, from_state, to_state, who, why
    FROM adjustments_public.settlement_history AS step
    JOIN adjustments_public.settlements AS settlement ON settlement.id = step.settlement_id
    WHERE adjustment_id = :id ORDER BY step.id
"""


async def whole(tx: Tx, name: str) -> dict[str, Any] | None:
    """One adjustment, by `<flight>:<revision>`: parties, history, approvals, settlements, computations."""
    parts = _parts(name)
    if parts is None:
        return None
    flight_id, revision = parts
    row = await tx.first(_ONE, flight_id=flight_id, revision=revision)
    if row is None:
        return None
    found: dict[str, Any] = dict(row._mapping)
    parties = await tx.all(_PARTIES, id=row.id, made_by=row.made_by, days=MONTH_DAYS)
    settlements = await _settlements(tx, row.id)
    wallets = [party.wallet for party in parties]
    return found | {
        "parties": [dict(party._mapping) for party in parties],
        "history": [dict(step._mapping) for step in await tx.all(_HISTORY, id=row.id)],
        "approvals": [dict(one._mapping) for one in await tx.all(_APPROVALS, id=row.id)],
        "settlements": settlements,
        "forgotten": await forgotten.of_adjustment(tx, row.id, row.currency, wallets, settlements),
        "settlement_steps": [dict(step._mapping) for step in await tx.all(_SETTLEMENT_STEPS, id=row.id)],
        "computations": await computations(tx, flight_id, _stood(row.paid_by), revision),
        "next_flights": await _next_flights(tx, flight_id, revision),
    }


async def _settlements(tx: Tx, adjustment: UUID) -> list[dict[str, Any]]:
    """Its settlements; `left`: what is still owed of one; recovered_about: an estimate, as in the queue."""
    rows = [dict(row._mapping) for row in await tx.all(_SETTLEMENTS, id=adjustment)]
    about = await recoveries.of_settlements(tx, [row for row in rows if row["state"] == "waiting"])
    return [
        {name: value for name, value in row.items() if name != "id"}
        | {
            "left": -row["amount"] if row["amount"] < 0 and row["state"] in ("waiting", "asked") else None,
            "recovered_about": about.get(row["id"]),
        }
        for row in rows
    ]


def _stood(paid_by: Sequence[str]) -> int | None:
    """The revision of the newest journal that stood: the last part of its source."""
    number = paid_by[-1].rpartition(":")[2] if paid_by else ""
    return int(number) if number.isdecimal() else None


_BILLS: Final = """
    SELECT revision, billed_on, student, instructor, aircraft, currency, charge, facts, lines
    FROM billing_public.bills
    WHERE flight_id = :flight_id AND revision = ANY (CAST(:revisions AS integer[])) ORDER BY revision
"""


async def computations(tx: Tx, flight_id: str, before: int | None, after: int) -> list[dict[str, Any]]:
    """What the two bills were computed from, and their lines, side by side: rows of what, before, after.

    Meters and hours are tenths, as billing keeps them. Amounts have a currency, and how each was computed:
    computed_before, computed_after. Equal facts are left out.
    """
    rows = await tx.all(_BILLS, flight_id=flight_id, revisions=[n for n in (before, after) if n is not None])
    bills = {row.revision: row for row in rows}
    old, new = bills.get(before) if before else None, bills.get(after)
    facts = _side_by_side(_facts(old), _facts(new))
    lines = _side_by_side(_lines(old), _lines(new))
    return [row for row in facts if row["before"] != row["after"]] + [
        _amounts(line, rows[0].currency) for line in lines
    ]


def _side_by_side(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    names = [*old, *(name for name in new if name not in old)]
    return [{"what": name, "before": old.get(name), "after": new.get(name)} for name in names]


def _facts(bill: Any) -> dict[str, Any]:
    if bill is None:
        return {}
    parties = {"date": bill.billed_on, "aircraft": bill.aircraft, "student": bill.student}
    read = {
        name: value
        for name, value in (bill.facts or {}).items()
        if name != "revision" and not isinstance(value, dict | list)
    }
    return {**read, **parties, "instructor": bill.instructor}


def _lines(bill: Any) -> dict[str, tuple[int, str]]:
    """Amount and computation of each line, by its kind: the second of a kind is `rental 2`."""
    if bill is None:
        return {}
    found: dict[str, tuple[int, str]] = {}
    seen: Counter[str] = Counter()
    for line in bill.lines:
        seen[line["kind"]] += 1
        number = seen[line["kind"]]
        name = line["kind"] if number == 1 else f"{line['kind']} {number}"
        found[name] = line["amount"], line["description"]
    return {**found, "charge": (bill.charge, "")}


def _amounts(line: dict[str, Any], currency: str) -> dict[str, Any]:
    before, computed_before = line["before"] or (None, None)
    after, computed_after = line["after"] or (None, None)
    return {
        "what": line["what"],
        "before": before,
        "after": after,
        "currency": currency,
        "computed_before": computed_before,
        "computed_after": computed_after,
    }


_NEXT: Final = """
    SELECT chain.meter, chain.flight_id, chain.revision, chain.student, chain.out_tenths
    FROM billing_public.bills AS bill
    JOIN billing_public.meter_chain AS chain
        ON chain.aircraft = bill.aircraft AND chain.previous_flight_id = bill.flight_id
    WHERE bill.flight_id = :flight_id AND bill.revision = :revision
    ORDER BY chain.meter
"""


async def _next_flights(tx: Tx, flight_id: str, revision: int) -> list[dict[str, Any]]:
    """The flights of the aircraft that began where this one ended: a changed meter may be theirs, too."""
    rows = await tx.all(_NEXT, flight_id=flight_id, revision=revision)
    return [dict(row._mapping) for row in rows]


_MAKERS: Final = """
    SELECT made_by, wallet, currency, sum(moved) AS moved, sum(adjustments) AS adjustments,
           max(day) AS last_day
    FROM adjustments_public.moved_by_maker
    WHERE day > CAST(now() AS date) - CAST(:days AS integer)
      AND (CAST(:made_by AS text) IS NULL OR made_by = :made_by)
    GROUP BY made_by, wallet, currency
    ORDER BY sum(moved) DESC, made_by, wallet LIMIT :most
"""


async def makers(tx: Tx, *, made_by: str | None = None, most: int = 1000) -> list[dict[str, Any]]:
    """What each maker's posted corrections moved for each payee in 30 days, in absolute amounts."""
    rows = await tx.all(_MAKERS, days=MONTH_DAYS, made_by=made_by, most=most)
    return [dict(row._mapping) for row in rows]


_JUST_UNDER: Final = """
    SELECT flight_id || ':' || revision AS adjustment, made_by, currency, largest, limits.amount AS "limit",
           limits.asks_for, state, proposed_at, reason
    FROM adjustments_public.adjustments AS adjustment
    CROSS JOIN LATERAL (VALUES
        (approve_above, 'an approval', approvals_needed = 0),
        (second_approver_above, 'a second approver', approvals_needed < 2)
    ) AS limits (amount, asks_for, passed_by)
    WHERE proposed_at > now() - make_interval(days => CAST(:days AS integer))
      AND (CAST(:made_by AS text) IS NULL OR made_by = :made_by)
      AND limits.passed_by AND limits.amount > 0 AND largest <= limits.amount
      AND largest * 100 >= limits.amount * CAST(:percent AS bigint)
    ORDER BY made_by, proposed_at, adjustment.id LIMIT :most
"""


async def just_under(tx: Tx, *, made_by: str | None = None, most: int = 1000) -> list[dict[str, Any]]:
    """Adjustments of 30 days that needed no approval, or no second one, by a fifth of the limit or less.

    By maker; asks_for: what an amount above the limit needs.
    """
    rows = await tx.all(_JUST_UNDER, days=MONTH_DAYS, percent=JUST_UNDER_PERCENT, made_by=made_by, most=most)
    return [dict(row._mapping) for row in rows]


# clawback_until: of the transfer to this payee whose window closes last.
_OPEN_SETTLEMENTS: Final = """
    SELECT s.id, flight_id || ':' || revision AS adjustment, wallet, amount, currency, method, state,
           begun_at AS waits_since,
           CASE WHEN amount < 0 THEN (
               SELECT max(clawback_until) FROM adjustments_public.clawback_windows AS w
               WHERE (w.wallet, w.currency) = (s.wallet, s.currency) AND clawback_until > now())
           END AS clawback_until,
           decided_by, sentence
    FROM adjustments_public.settlements AS s
    WHERE state IN ('waiting', 'asked')
      AND (CAST(:wallet AS text) IS NULL OR wallet = :wallet)
      AND (CAST(:before AS timestamptz) IS NULL OR begun_at < :before)
    ORDER BY begun_at, s.id LIMIT :most OFFSET :skip
"""


async def open_settlements(
    tx: Tx, *, wallet: str | None = None, late: bool = False, most: int = 1000, skip: int = 0
) -> list[dict[str, Any]]:
    """What is not settled yet, the oldest first; late: only what waits longer than today's policy says."""
    before = datetime.now(UTC) - await _patience(tx) if late else None
    found = await tx.all(_OPEN_SETTLEMENTS, wallet=wallet, before=before, most=most, skip=skip)
    rows = [dict(row._mapping) for row in found]
    about = await recoveries.of_settlements(tx, [one for one in rows if one["state"] == "waiting"])
    return [
        {name: value for name, value in one.items() if name != "id"}
        | {"recovered_about": about.get(one["id"])}
        for one in rows
    ]


_ZONE: Final = "SELECT time_zone FROM adjustments_public.school"
_POLICY: Final = """
    SELECT policy FROM adjustments_public.policy_cards
    WHERE effective_from <= :day AND policy IS NOT NULL ORDER BY effective_from DESC LIMIT 1
"""


async def _patience(tx: Tx) -> timedelta:
    today = local_date(datetime.now(UTC), (await tx.one(_ZONE)).time_zone)
    row = await tx.first(_POLICY, day=today)
    days = Policy().offset_escalates_after_days if row is None else row.policy["offset_escalates_after_days"]
    return timedelta(days=days)


_CURRENCY: Final = """
    SELECT currency FROM adjustments_public.adjustments WHERE flight_id = :flight_id AND revision = :revision
"""


async def currency_of(tx: Tx, name: str) -> str | None:
    """The currency of an adjustment, by `<flight>:<revision>`; None when there is none."""
    parts = _parts(name)
    if parts is None:
        return None
    row = await tx.first(_CURRENCY, flight_id=parts[0], revision=parts[1])
    return None if row is None else str(row.currency)


def _parts(name: str) -> tuple[str, int] | None:
    """Flight and revision of `<flight>:<revision>`; None for what names no adjustment."""
    flight_id, _, revision = name.rpartition(":")
    if not revision.isdecimal() or len(revision) > REVISION_DIGITS_MAX:
        return None
    return flight_id, int(revision)
