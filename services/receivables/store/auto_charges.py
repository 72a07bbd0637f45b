"""SQL of what students allow, and of the charges of their saved methods."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx
from services.receivables.domain.auto_charges import (
    ASKED_IN,
    BURST_IN,
    DECLINES_IN,
    RETURNS_IN,
    ChargeAnswer,
    Choice,
    DeclineClass,
    KnownCharge,
    LastCharge,
    MethodUse,
    NewCharge,
    Standing,
    State,
)
from services.receivables.domain.saved_methods import SavedMethod

_CHOOSE = """
    INSERT INTO charge_choice (student, occasion, threshold, day, most, most_a_day, chosen_on, chosen_at,
                               chosen_by)
    VALUES (:student, :occasion, :threshold, :day, :most, :most_a_day, :chosen_on, :now, :who)
    ON CONFLICT (student) DO UPDATE SET occasion = excluded.occasion, threshold = excluded.threshold,
        day = excluded.day, most = excluded.most, most_a_day = excluded.most_a_day,
        chosen_on = excluded.chosen_on, chosen_at = excluded.chosen_at, chosen_by = excluded.chosen_by
"""


async def choose(tx: Tx, choice: Choice, who: str, now: datetime) -> None:
    """Keep what a student allows from now on."""
    await tx.execute(
        _CHOOSE,
        student=choice.student,
        occasion=choice.occasion,
        threshold=choice.threshold,
        day=choice.day,
        most=choice.most,
        most_a_day=choice.most_a_day,
        chosen_on=choice.chosen_on,
        now=now,
        who=who,
    )


# Only students who owe something and have no charge under way. Each process takes others.
_LOCK_OWING = """
    SELECT choice.student FROM charge_choice AS choice CROSS JOIN school
    JOIN ledger_public.wallets AS wallet
        ON wallet.address = 'student:' || choice.student AND wallet.currency = school.currency
    WHERE choice.occasion <> 'off' AND wallet.balance < 0
      AND choice.student > :after
      AND NOT EXISTS (SELECT FROM auto_charge AS open
                      WHERE open.student = choice.student AND open.state IN ('asked', 'processing'))
      AND EXISTS (SELECT FROM saved_method AS saved
                  WHERE saved.student = choice.student AND saved.detached_at IS NULL
                    AND saved.stopped_at IS NULL)
    ORDER BY choice.student LIMIT :most FOR UPDATE OF choice SKIP LOCKED
"""


async def lock_owing(tx: Tx, after: str, most: int) -> list[str]:
    """Lock what students allow who owe something, by name from `after` on; no other process has them then."""
    return [row.student for row in await tx.all(_LOCK_OWING, after=after, most=most)]


# A statement of its own: what is read must be later than the lock. The method that was set up last is
# charged and no other (decision 0384). What the ledger was asked to post and is not posted yet counts, if the
# student owes less by it.
_STANDING = """
    WITH in_question AS MATERIALIZED (
        SELECT of.student FROM students_in_question() AS of (student)
    )
    SELECT choice.student, choice.occasion, choice.threshold, choice.day, choice.most, choice.most_a_day,
           choice.chosen_on, school.currency, method.payment_method, method.customer, method.method_type,
           method.set_up_at, greatest(-(wallet.balance + greatest(coming.amount, 0)), 0)::bigint AS owed,
           disputed.amount AS disputed, today.amount AS charged_today, counted.recent,
           declines_of(choice.student, method.payment_method, :declines_began, :returns_began) AS declines,
           counted.thresholds, flown.source AS newest_flight, last.cause AS last_cause,
           last.attempt AS last_attempt, last.state AS last_state, last.kind AS last_kind,
           last.answered_at AS last_answered_at, last.retry_at AS last_retry_at,
           overdue.amount AS overdue, dunned.cause AS dunning,
           EXISTS (SELECT FROM in_question WHERE in_question.student = choice.student) AS in_question
    FROM charge_choice AS choice CROSS JOIN school
    JOIN ledger_public.wallets AS wallet
        ON wallet.address = 'student:' || choice.student AND wallet.currency = school.currency
    JOIN LATERAL (
        SELECT newest.payment_method, newest.customer, coalesce(newest.method_type, 'card') AS method_type,
               newest.set_up_at
        FROM (SELECT * FROM saved_method WHERE saved_method.student = choice.student
              ORDER BY set_up_at DESC, payment_method LIMIT 1) AS newest
        WHERE newest.detached_at IS NULL AND newest.stopped_at IS NULL
          AND (newest.expires_on IS NULL OR newest.expires_on > :today)
          AND coalesce(newest.method_type, 'card') IN ('card', 'us_bank_account')) AS method ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(entry.amount), 0)::bigint AS amount
        FROM (SELECT posting.* FROM charge JOIN posting USING (charge_id)
              WHERE charge.student = choice.student
              UNION ALL
              SELECT posting.* FROM recorded_payment AS recorded
              JOIN posting ON posting.payment_id = recorded.id
              WHERE recorded.student = choice.student AND recorded.state <> 'reverted'
              UNION ALL
              SELECT posting.* FROM account_note AS note JOIN posting ON posting.note_id = note.id
              WHERE note.student = choice.student) AS posting
        CROSS JOIN LATERAL jsonb_to_recordset(posting.entries) AS entry (wallet text, amount bigint)
        WHERE posting.requested_at > :asked_since
          AND posting.currency = school.currency AND entry.wallet = 'student:' || choice.student
          AND NOT EXISTS (SELECT FROM ledger_public.journals AS posted WHERE posted.source = posting.source)
        ) AS coming
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(dispute.amount), 0)::bigint AS amount FROM dispute JOIN charge USING (charge_id)
        WHERE dispute.withdrawn AND dispute.outcome IS NULL AND charge.student = choice.student) AS disputed
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0)::bigint AS amount FROM auto_charge AS made
        WHERE made.student = choice.student AND made.decided_at >= :today_began
          AND made.state IN ('asked', 'processing', 'succeeded')) AS today
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE made.decided_at > :burst_began) AS recent,
               count(*) FILTER (WHERE made.attempt = 1 AND made.cause LIKE 'threshold:%') AS thresholds
        FROM auto_charge AS made WHERE made.student = choice.student) AS counted
    LEFT JOIN LATERAL (
        SELECT posted.source FROM (
            SELECT 'flight:' || bill.flight_id || ':' || bill.revision AS source
            FROM billing_public.bills AS bill
            WHERE bill.student = choice.student AND bill.corrects IS NULL
              AND bill.billed_on >= choice.chosen_on - 366
            ORDER BY bill.billed_on DESC LIMIT 100) AS billed
        JOIN ledger_public.journals AS posted USING (source)
        WHERE posted.recorded_at >= choice.chosen_at
        ORDER BY posted.recorded_at DESC, posted.source LIMIT 1) AS flown ON true
    LEFT JOIN LATERAL (
        SELECT cause, attempt, state, kind, answered_at, retry_at FROM auto_charge AS made
        WHERE made.student = choice.student
        ORDER BY greatest(decided_at, taken_back_at) DESC, request_id LIMIT 1) AS last ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(-sum(item.open), 0)::bigint AS amount FROM item
        WHERE item.student = choice.student AND item.currency = school.currency
          AND item.open <> 0 AND item.open < 0 AND item.due_on < :today) AS overdue
    LEFT JOIN LATERAL (
        SELECT 'dunning:' || history.run || ':' || history.step AS cause
        FROM dunning_case AS known JOIN dunning_history AS history USING (student, run)
        WHERE known.student = choice.student AND known.overdue_since IS NOT NULL AND known.hold IS NULL
          AND history.action = 'charge_card'
        ORDER BY history.place DESC LIMIT 1) AS dunned ON true
    WHERE choice.student = ANY (CAST(:students AS text[]))
    ORDER BY choice.student
"""
_USED = """
    SELECT student, cause FROM auto_charge
    WHERE (student, cause) IN (
        SELECT student, cause
        FROM unnest(CAST(:students AS text[]), CAST(:causes AS text[])) AS named (student, cause))
"""


async def standing(
    tx: Tx, students: Collection[str], now: datetime, today: date, today_began: datetime
) -> list[tuple[Choice, SavedMethod, Standing]]:
    """What decides on charging locked students; those without a usable method are left out."""
    rows = await tx.all(
        _STANDING,
        students=sorted(students),
        asked_since=now - ASKED_IN,
        today=today,
        today_began=today_began,
        burst_began=now - BURST_IN,
        declines_began=now - DECLINES_IN,
        returns_began=now - RETURNS_IN,
    )
    return [(_choice(row), _method(row), _standing(row)) for row in rows]


async def used(tx: Tx, named: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these causes, each with its student, have their charge."""
    students, causes = [student for student, _ in named], [cause for _, cause in named]
    return {(row.student, row.cause) for row in await tx.all(_USED, students=students, causes=causes)}


def _choice(row: Row[Any]) -> Choice:
    return Choice(
        student=row.student,
        occasion=row.occasion,
        threshold=row.threshold,
        day=row.day,
        most=row.most,
        most_a_day=row.most_a_day,
        chosen_on=row.chosen_on,
    )


def _method(row: Row[Any]) -> SavedMethod:
    return SavedMethod(
        payment_method=row.payment_method,
        customer=row.customer,
        method_type=row.method_type,
        set_up_at=row.set_up_at,
    )


def _standing(row: Row[Any]) -> Standing:
    last = None
    if row.last_cause is not None:
        last = LastCharge(
            cause=row.last_cause,
            attempt=row.last_attempt,
            state=row.last_state,
            kind=row.last_kind and DeclineClass(row.last_kind),
            answered_at=row.last_answered_at,
            retry_at=row.last_retry_at,
        )
    return Standing(
        currency=row.currency,
        owed=row.owed,
        disputed=row.disputed,
        charged_today=row.charged_today,
        recent=row.recent,
        declines=row.declines,
        thresholds=row.thresholds,
        newest_flight=row.newest_flight,
        last=last,
        used=frozenset(),
        overdue=row.overdue,
        dunning=row.dunning,
        in_question=row.in_question,
    )


_INSERT = """
    INSERT INTO auto_charge (request_id, student, cause, attempt, currency, amount, payment_method, state,
                             decided_at)
    VALUES (:request_id, :student, :cause, :attempt, :currency, :amount, :payment_method, 'asked', :now)
"""


async def insert(tx: Tx, charge: NewCharge, now: datetime) -> None:
    """Write a charge as it was decided."""
    await tx.execute(
        _INSERT,
        request_id=charge.request_id,
        student=charge.student,
        cause=charge.cause,
        attempt=charge.attempt,
        currency=charge.currency,
        amount=charge.amount,
        payment_method=charge.method.payment_method,
        now=now,
    )


_LOCK = """
    SELECT request_id, student, cause, attempt, currency, amount, payment_method, payment_intent, state
    FROM auto_charge WHERE request_id = ANY (CAST(:ids AS uuid[])) ORDER BY request_id FOR UPDATE
"""
_TAKE_OVER = """
    INSERT INTO auto_charge (request_id, student, cause, attempt, currency, amount, state, decided_at)
    VALUES (:request_id, :student, :cause, :attempt, :currency, :amount, 'asked', :at)
    ON CONFLICT DO NOTHING
"""


async def lock(tx: Tx, ids: Collection[UUID]) -> dict[UUID, KnownCharge]:
    """Lock charges; those that are known."""
    return {row.request_id: KnownCharge(**row._mapping) for row in await tx.all(_LOCK, ids=list(ids))}


async def take_over(tx: Tx, answer: ChargeAnswer, attempt: int) -> None:
    """Keep a charge that this database does not know: it was restored from a backup since it was decided."""
    await tx.execute(
        _TAKE_OVER,
        request_id=answer.request_id,
        student=answer.student,
        cause=answer.cause,
        attempt=attempt,
        currency=answer.currency,
        amount=answer.amount,
        at=answer.at,
    )


_ANSWER = """
    UPDATE auto_charge SET state = :state, amount = :amount, answered_at = :at,
        payment_intent = :payment_intent, charge_id = :charge_id, kind = :kind, code = :code,
        sentence = :sentence, retry_at = :retry_at
    WHERE request_id = :request_id
"""


async def answer(
    tx: Tx, told: ChargeAnswer, state: State, kind: DeclineClass | None, retry_at: datetime | None
) -> None:
    """Write what became of a locked charge. The amount is what Stripe was asked for, as payouts says it."""
    await tx.execute(
        _ANSWER,
        request_id=told.request_id,
        state=state,
        amount=told.amount,
        at=told.at,
        payment_intent=told.payment_intent,
        charge_id=told.charge,
        kind=kind and str(kind),
        code=told.code,
        sentence=told.sentence,
        retry_at=retry_at,
    )


_METHOD_USE = """
    SELECT coalesce(declines_of(saved.student, saved.payment_method, :declines_began, :returns_began), 0)
               AS declines,
           coalesce(saved.method_type = 'us_bank_account', false) AS is_bank_account
    FROM (VALUES (true)) AS always LEFT JOIN saved_method AS saved ON saved.payment_method = :payment_method
"""


async def method_use(tx: Tx, payment_method: str | None, now: datetime) -> MethodUse:
    """How often a method was declined lately, and what it is."""
    row = await tx.one(
        _METHOD_USE,
        payment_method=payment_method,
        declines_began=now - DECLINES_IN,
        returns_began=now - RETURNS_IN,
    )
    return MethodUse(**row._mapping)


_UNDER_WAY = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM auto_charge
    WHERE student = :student AND state IN ('asked', 'processing')
"""


async def under_way(tx: Tx, student: str) -> int:
    """What is being charged to a student's saved method."""
    return int((await tx.one(_UNDER_WAY, student=student)).amount)


_AGES = """
    SELECT coalesce(extract(epoch FROM max(now() - decided_at) FILTER (WHERE state = 'asked')), 0) AS asked,
           coalesce(extract(epoch FROM max(now() - decided_at) FILTER (WHERE state = 'processing')), 0)
               AS processing
    FROM auto_charge WHERE state IN ('asked', 'processing')
"""


async def ages(tx: Tx) -> dict[str, timedelta]:
    """How long ago the oldest charge under way was decided, by state."""
    row = await tx.one(_AGES)
    return {
        "asked": timedelta(seconds=float(row.asked)),
        "processing": timedelta(seconds=float(row.processing)),
    }
