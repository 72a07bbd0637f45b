"""What people are shown of transfers, payees and links. It reads published views only (`payouts_public`)."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.operations import STOPPED, Kind, State
from services.payouts.domain.refusals import todo

_LIST = """
    SELECT id, wallet, amount, currency, state, reason, sentence, cause, stripe_transfer_id, amount_reversed,
           created_at, sent_at, clawback_until, in_bank_at
    FROM payouts_public.transfers
    WHERE (CAST(:states AS text[]) IS NULL OR state = ANY (CAST(:states AS text[])))
      AND (CAST(:wallet AS text) IS NULL OR wallet = :wallet)
      AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    ORDER BY created_at DESC, id DESC LIMIT :most OFFSET :skip
"""


async def list_transfers(
    tx: Tx, *, states: Sequence[str] | None, wallet: str | None, reason: str | None, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Transfers, newest first; amounts in minor units. None: whatever the state, wallet or reason."""
    rows = await tx.all(
        _LIST, states=list(states) if states else None, wallet=wallet, reason=reason, most=most, skip=skip
    )
    return [dict(row._mapping) for row in rows]


_ONE = """
    SELECT id, wallet, amount, currency, state, reason, sentence, cause, due_at, stripe_transfer_id,
           stripe_account, sent_at, clawback_until, in_bank_at, amount_reversed, created_at, correlation_id
    FROM payouts_public.transfers WHERE id = :id
"""
_HISTORY = """
    SELECT at, from_state, to_state, reason, sentence, actor
    FROM payouts_public.transfer_history WHERE transfer_id = :id ORDER BY step
"""
_ON_A_WORD = """
    SELECT asked_at, act, amount, asked_by, why, needs_second, approved_by, approved_at
    FROM payouts_public.forced_acts WHERE subject = :id ORDER BY asked_at
"""
_ATTEMPTS = """
    SELECT kind, generation, phase, idempotency_key, started_at, finished_at, verdict, http_status, code,
           request_id, sentence
    FROM payouts_public.attempts WHERE transfer_id = :id ORDER BY started_at
"""
_PAYABLES = """
    SELECT journal_id, coalesce(stands_for, source) AS source, event_type, amount, currency, accrued_at
    FROM payouts_public.payables WHERE transfer_id = :id ORDER BY payables.id
"""
_PAYABLES_OF = """
    SELECT payable.journal_id, payable.source, payable.wallet, payable.currency, payable.amount,
           payable.transfer_id, transfer.state, transfer.reason, transfer.sentence,
           transfer.stripe_transfer_id, payable.clawback_id, clawback.sentence AS clawback
    FROM payouts_public.payables AS payable
    LEFT JOIN payouts_public.transfers AS transfer ON transfer.id = payable.transfer_id
    LEFT JOIN payouts_public.clawbacks AS clawback ON clawback.settlement_id = payable.clawback_id
    WHERE payable.journal_id = ANY (CAST(:journal_ids AS uuid[])) ORDER BY payable.id
"""


async def payables_of(tx: Tx, journal_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What journals owe payees, each with its transfer: its id, state, reason, sentence and Stripe's id.

    `clawback`: what became of the request that takes it back, None when none does.
    """
    return [dict(row._mapping) for row in await tx.all(_PAYABLES_OF, journal_ids=list(journal_ids))]


_OPERATIONS = """
    SELECT kind, at, what, reason, sentence, actor
    FROM payouts_public.operation_history WHERE transfer_id = :id ORDER BY step
"""
_PAYOUTS = """
    SELECT stripe_payout_id, status, instant, part.amount, fee
    FROM payouts_public.payout_parts AS part JOIN payouts_public.payouts USING (stripe_payout_id)
    WHERE part.transfer_id = :id ORDER BY made_at
"""
_REVERSALS = """
    SELECT stripe_reversal_id, amount, reversed_at, operation_id, cause
    FROM payouts_public.reversals WHERE transfer_id = :id ORDER BY reversed_at, stripe_reversal_id
"""


async def whole_transfer(tx: Tx, transfer_id: UUID) -> dict[str, Any] | None:
    """One transfer, with what a person does (`todo`) while Stripe refuses it or it is parked, and its parts.

    `history`: its states; `operations`: what was refused, parked, tried again or closed, with who and why;
    `on_a_word`: who asked that it be sent all the same, and who agreed; `attempts`: requests to
    Stripe; `payables`; `payouts`; `reversals`: what was taken back, by hand without a `cause`.
    """
    one = await tx.first(_ONE, id=transfer_id)
    if one is None:
        return None
    parts = {
        "history": _HISTORY,
        "operations": _OPERATIONS,
        "on_a_word": _ON_A_WORD,
        "attempts": _ATTEMPTS,
        "payables": _PAYABLES,
        "payouts": _PAYOUTS,
        "reversals": _REVERSALS,
    }
    rows = {name: await tx.all(sql, id=transfer_id) for name, sql in parts.items()}
    waits = one.state in STOPPED
    what_to_do = todo(Kind.TRANSFER, State(one.state), one.reason, one.sentence) if waits else None
    return {
        **one._mapping,
        "todo": what_to_do,
        **{name: [dict(row._mapping) for row in found] for name, found in rows.items()},
    }


_PAYEES = """
    SELECT wallet, ready, status, schedule, minimum_amount, hold_hours, instant, stripe_account,
           payouts_enabled, CAST(requirements AS text) AS requirements, checked_at, parked,
           (SELECT conflict FROM payouts_public.payee_accounts AS at WHERE at.wallet = payee.wallet) AS
           conflict,
           (SELECT string_agg(claw.sentence, '; ' ORDER BY claw.requested_at)
            FROM payouts_public.clawbacks AS claw
            WHERE claw.wallet = payee.wallet AND claw.state <> 'settled') AS claw_back,
           stopped.kind AS stopped, stopped.reason, stopped.sentence, stopped.stopped_at, stopped.retry_at
    FROM payouts_public.payees AS payee
    LEFT JOIN LATERAL (
        SELECT kind, reason, sentence, stopped_at, retry_at FROM payouts_public.stopped_operations
        WHERE stopped_operations.wallet = payee.wallet AND (state = 'parked' OR kind = 'account')
        ORDER BY state <> 'parked', stopped_at LIMIT 1) AS stopped ON true
    WHERE (CAST(:wallet AS text) IS NULL OR wallet = :wallet) AND (:removed OR removed_at IS NULL OR parked
       OR EXISTS (SELECT FROM payouts_public.payables
                   WHERE payables.wallet = payee.wallet AND transfer_id IS NULL AND clawback_id IS NULL)
       OR EXISTS (SELECT FROM payouts_public.clawbacks AS claw
                   WHERE claw.wallet = payee.wallet AND claw.state <> 'settled')
       OR EXISTS (SELECT FROM payouts_public.transfers
                   WHERE transfers.wallet = payee.wallet
                     AND state NOT IN ('sent', 'in_bank', 'partly_reversed', 'reversed')))
    ORDER BY wallet
"""


async def list_payees(tx: Tx, *, removed: bool = False, wallet: str | None = None) -> list[dict[str, Any]]:
    """Payees with their status: "ready", or what keeps them from being paid.

    `stopped`: the kind of the operation that keeps all of a payee's money back, with its reason and sentence,
    and when it is tried again by itself; `claw_back`: where what is taken back of the payee's money stands.
    removed: also those who are no longer in the school's book and to whom nothing is left to be paid.
    wallet: of this payee only.
    """
    rows = await tx.all(_PAYEES, removed=removed, wallet=wallet)
    return [{**row._mapping, "requirements": json.loads(row.requirements)} for row in rows]


_ADOPTION = """
    SELECT stripe_account, problem FROM payouts_public.account_adoptions
    WHERE id = :id AND answered_at IS NOT NULL
"""


async def find_adoption(tx: Tx, decision_id: UUID) -> dict[str, Any] | None:
    """What became of an account that a person named, with the `problem`; None while it is not read yet."""
    row = await tx.first(_ADOPTION, id=decision_id)
    return None if row is None else dict(row._mapping)


_CUSTOMER_ADOPTION = """
    SELECT customer, problem FROM payouts_public.customer_adoptions
    WHERE id = :id AND answered_at IS NOT NULL
"""


async def find_customer_adoption(tx: Tx, decision_id: UUID) -> dict[str, Any] | None:
    """What became of a customer that a person named, as `find_adoption` of an account."""
    row = await tx.first(_CUSTOMER_ADOPTION, id=decision_id)
    return None if row is None else dict(row._mapping)


_REFUSED_ACCOUNTS = """
    SELECT wallet, reason, sentence, api FROM payouts_public.payee_accounts
    WHERE state = 'refused' AND stripe_account IS NULL AND removed_at IS NULL ORDER BY wallet
"""


async def refused_accounts(tx: Tx) -> list[dict[str, Any]]:
    """Payees for whom Stripe refused to make an account: its code and sentence, and the API asked."""
    return [dict(row._mapping) for row in await tx.all(_REFUSED_ACCOUNTS)]


_CONFLICTS = """
    SELECT wallet, conflict FROM payouts_public.payee_accounts
    WHERE conflict IS NOT NULL AND removed_at IS NULL ORDER BY wallet
"""


async def conflicts(tx: Tx) -> list[dict[str, Any]]:
    """Payees whose agreement with Stripe does not allow what the school's book asks for."""
    return [dict(row._mapping) for row in await tx.all(_CONFLICTS)]


_STOPPED = """
    SELECT id, kind, wallet, state, amount, currency, reason, sentence, stopped_at, retry_at, tries,
           transfer_id, request_id
    FROM payouts_public.stopped_operations
    WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:kind AS text) IS NULL OR kind = :kind)
      AND (CAST(:wallet AS text) IS NULL OR wallet = :wallet)
      AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    ORDER BY stopped_at, id
"""


async def list_stopped(
    tx: Tx,
    *,
    state: str | None = None,
    kind: str | None = None,
    wallet: str | None = None,
    reason: str | None = None,
) -> list[dict[str, Any]]:
    """Refused and parked operations that nobody dealt with, oldest first, each with what to do (`todo`).

    Amounts in minor units; `retry_at`: when it is tried again by itself, None: only when somebody asks.
    """
    rows = await tx.all(_STOPPED, state=state, kind=kind, wallet=wallet, reason=reason)
    return [
        {**row._mapping, "todo": todo(Kind(row.kind), State(row.state), row.reason, row.sentence)}
        for row in rows
    ]


_STEPS = """
    SELECT kind, wallet, at, what, reason, sentence, actor
    FROM payouts_public.operation_history WHERE operation_id = :id ORDER BY step
"""
_ATTEMPTS_OF = """
    SELECT generation, phase, idempotency_key, started_at, finished_at, verdict, http_status, code,
           request_id, sentence
    FROM payouts_public.attempts WHERE operation_id = :id ORDER BY started_at
"""


async def whole_operation(tx: Tx, operation_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """What became of one operation (`history`, with who and why) and its requests to Stripe (`attempts`)."""
    parts = {"history": _STEPS, "attempts": _ATTEMPTS_OF}
    return {
        name: [dict(row._mapping) for row in await tx.all(sql, id=operation_id)]
        for name, sql in parts.items()
    }


_ODD = """
    SELECT kind, object_id, stripe_account, sentence, first_seen_at, last_seen_at, times, closed_at, closed_by
    FROM payouts_public.odd_objects WHERE :closed OR closed_at IS NULL ORDER BY first_seen_at DESC, object_id
"""


async def list_odd(tx: Tx, *, closed: bool) -> list[dict[str, Any]]:
    """Objects of Stripe's that could not be read, newest first; `closed`: also those that a person closed."""
    return [dict(row._mapping) for row in await tx.all(_ODD, closed=closed)]


_FOUND = """
    SELECT stripe_id, kind, wallet, amount, currency, made_at, standing, sentence, sources, settled_by,
           adopted_at
    FROM payouts_public.found_effects WHERE :adopted OR adopted_at IS NULL ORDER BY made_at DESC, stripe_id
"""


async def list_found(tx: Tx, *, adopted: bool) -> list[dict[str, Any]]:
    """What Stripe made and the database did not know, newest first; `adopted`: also what is written since."""
    return [dict(row._mapping) for row in await tx.all(_FOUND, adopted=adopted)]


_MOVEMENTS = """
    SELECT transaction_id, type, category, amount, fee, net, currency, source_id, standing, sentence,
           description, made_at, noted_at, closed_at, closed_by
    FROM payouts_public.movements
    WHERE :every OR standing = 'unexplained' AND (:closed OR closed_at IS NULL)
    ORDER BY made_at DESC, transaction_id OFFSET :skip LIMIT :most
"""


async def list_movements(
    tx: Tx, *, every: bool, closed: bool, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Rows of the school's Stripe balance that are unexplained, newest first.

    closed: also those that a person closed; every: all rows.
    """
    rows = await tx.all(_MOVEMENTS, every=every, closed=closed, most=most, skip=skip)
    return [dict(row._mapping) for row in rows]


# What Stripe holds, and the rows and journals of which its difference to the books consists. A cash journal's
# amount is credit positive: the books' cash falls by it.
_CASH = """
    WITH rows AS (
        SELECT currency, sum(net) AS net,
               sum(net) FILTER (WHERE standing = 'waiting') AS waiting,
               sum(net) FILTER (WHERE standing = 'unexplained' AND closed_at IS NULL) AS unexplained,
               sum(net) FILTER (WHERE closed_at IS NOT NULL) AS closed
        FROM payouts_public.movements
        WHERE standing <> 'before' AND balance_type = 'payments' GROUP BY currency
    ), journals AS (
        SELECT journal.currency,
               sum(journal.amount) FILTER (WHERE movement.transaction_id IS NULL AND at_stripe) AS not_listed,
               sum(journal.amount) FILTER (WHERE movement.closed_at IS NOT NULL
                                              OR movement.transaction_id IS NULL AND NOT at_stripe)
                   AS by_people
        FROM payouts_public.cash_journals AS journal
        LEFT JOIN payouts_public.movements AS movement USING (transaction_id)
        WHERE journal.recorded_at > (SELECT opened_at FROM payouts_public.movement_listing)
        GROUP BY journal.currency
    )
    SELECT currency, coalesce(opening.amount, 0) + coalesce(net, 0) AS stripe,
           coalesce(not_listed, 0) AS not_listed, coalesce(waiting, 0) AS not_booked,
           coalesce(unexplained, 0) AS unexplained,
           coalesce(closed, 0) + coalesce(by_people, 0) AS by_people
    FROM payouts_public.movement_openings AS opening FULL JOIN rows USING (currency)
    FULL JOIN journals USING (currency)
    ORDER BY currency
"""
_LISTED = "SELECT opened_at, listed_until, completed_at FROM payouts_public.movement_listing"


async def cash_at_stripe(tx: Tx) -> list[dict[str, Any]]:
    """For each currency what `stripe` holds by its rows, and what of it is not, or not so, in the books."""
    return [{**row._mapping} for row in await tx.all(_CASH)]


async def movement_listing(tx: Tx) -> dict[str, Any]:
    """Since when rows are listed (None: not yet), up to which of Stripe's times, and when last to the end."""
    return dict((await tx.one(_LISTED))._mapping)


_ENDED = """
    SELECT kind, object_id, stripe_account, asked_at, ended_at, sentence
    FROM payouts_public.ended_rereads ORDER BY ended_at DESC, object_id LIMIT :most OFFSET :skip
"""


async def list_ended(tx: Tx, *, most: int, skip: int = 0) -> list[dict[str, Any]]:
    """Objects of Stripe's that nobody reads any more, and why, newest first."""
    return [dict(row._mapping) for row in await tx.all(_ENDED, most=most, skip=skip)]


_FIND_PAYEE = "SELECT wallet FROM payouts_public.payees WHERE wallet = :name OR key = :name ORDER BY 1"


async def find_payee(tx: Tx, name: str) -> list[str]:
    """Wallets that a name means: a wallet itself, or a payee's id alone."""
    return [row.wallet for row in await tx.all(_FIND_PAYEE, name=name)]


_STUDENT_LINK = "SELECT url, expires_at, problem FROM payouts_public.student_links WHERE id = :id"
_LINK = "SELECT url, expires_at, problem FROM payouts_public.links WHERE id = :id"


async def find_link(tx: Tx, request_id: UUID) -> dict[str, Any] | None:
    """A link with its `url` and when it expires, or the `problem`; None while Stripe was not asked yet.

    Only the role hobbs_operator may read it.
    """
    row = await tx.first(_LINK, id=request_id)
    return None if row is None else dict(row._mapping)


async def find_student_link(tx: Tx, request_id: UUID) -> dict[str, Any] | None:
    """A student's page as `find_link` shows a payee's."""
    row = await tx.first(_STUDENT_LINK, id=request_id)
    return dict(row._mapping) if row and (row.url or row.problem) else None
