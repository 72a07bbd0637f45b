"""SQL of limits that rise and fall by the book's policy."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.database import Tx, json_parameter
from fleet.zones import local_date
from services.receivables.domain.limit_changes import (
    RECENT_DAYS,
    Change,
    Policy,
    Setback,
    Standing,
    policy_of,
)

_POLICY = "SELECT effective_from, version, policy FROM receivables_public.dunning_policy_on(:day)"


async def policy(tx: Tx, day: date) -> Policy:
    """The book's policy of a day of the school's calendar."""
    row = await tx.first(_POLICY, day=day)
    return policy_of(row.policy, row.effective_from, row.version) if row else Policy()


_OPEN_ROWS = """
    INSERT INTO credit_level (student)
    SELECT DISTINCT student FROM receivables_public.setbacks_of(:since, NULL) ORDER BY student
    ON CONFLICT DO NOTHING
"""
_LOCK_UNREVIEWED = """
    SELECT student FROM credit_level WHERE reviewed_on < :today
    ORDER BY reviewed_on, student LIMIT :most FOR UPDATE SKIP LOCKED
"""
_LOCK_SET_BACK = """
    SELECT student FROM credit_level
    WHERE student IN (
        SELECT setback.student FROM receivables_public.setbacks_of(:since, NULL) AS setback
        WHERE NOT EXISTS (SELECT FROM limit_change AS used
                          WHERE (used.student, used.cause) = (setback.student, setback.cause)))
    ORDER BY student FOR UPDATE SKIP LOCKED
"""
_LOCK_OPEN = """
    SELECT student FROM credit_level
    WHERE student IN (SELECT student FROM limit_change WHERE state IN ('proposed', 'waits'))
    ORDER BY student FOR UPDATE SKIP LOCKED
"""


async def lock_unreviewed(tx: Tx, today: date, most: int) -> list[str]:
    """Lock students whose limits were not looked at today, but for rows that somebody else has."""
    return [row.student for row in await tx.all(_LOCK_UNREVIEWED, today=today, most=most)]


async def lock_set_back(tx: Tx, now: datetime) -> list[str]:
    """Lock students whose payment was declined or disputed within a day and has changed no limit yet."""
    since = now - timedelta(days=1)
    await tx.execute(_OPEN_ROWS, since=since)
    return [row.student for row in await tx.all(_LOCK_SET_BACK, since=since)]


async def lock_open(tx: Tx) -> list[str]:
    """Lock students of whose limits a change waits for a person."""
    return [row.student for row in await tx.all(_LOCK_OPEN)]


_LOCK = """
    INSERT INTO credit_level (student) VALUES (:student)
    ON CONFLICT (student) DO UPDATE SET stale = credit_level.stale
"""


async def lock(tx: Tx, student: str) -> None:
    """Let a student's limit be decided about by one transaction at a time."""
    await tx.execute(_LOCK, student=student)


_EVIDENCE = """
    SELECT student, currency, credit_limit, book_limit, card_from, card_version, fixed, known_from,
           late_until, flights, disputes_open, set_back_at, changed_on, risen_at, changes, setbacks, open
    FROM receivables_public.limit_evidence_of(:day, :late_after, CAST(:students AS text[]))
"""


async def standings(
    tx: Tx, students: Collection[str], policy: Policy, day: date, now: datetime, zone: str
) -> list[Standing]:
    """What decides about the limits of locked students; a statement of its own, later than the lock."""
    rows = await tx.all(_EVIDENCE, day=day, late_after=policy.late_after_days, students=sorted(students))
    return [_standing(dict(row._mapping), policy, now, zone) for row in rows]


def _standing(row: Mapping[str, Any], policy: Policy, now: datetime, zone: str) -> Standing:
    begins = max(
        (policy.effective_from, row["card_from"] or date.min, local_date(now, zone) - timedelta(RECENT_DAYS))
    )
    told = [(cause, datetime.fromisoformat(at)) for cause, at in row["setbacks"]]
    waiting = _change(row["open"]) if row["open"] else None
    setbacks = [
        Setback(cause=cause, on=local_date(at, zone))
        for cause, at in told
        if (row["risen_at"] is None or at > row["risen_at"]) and (waiting is None or cause != waiting.cause)
    ]
    return Standing(
        student=row["student"],
        currency=row["currency"],
        limit=row["credit_limit"],
        book_limit=row["book_limit"],
        card_from=row["card_from"],
        card_version=row["card_version"],
        fixed=row["fixed"],
        known_from=row["known_from"],
        late_until=row["late_until"],
        flights=row["flights"],
        disputes_open=row["disputes_open"],
        set_back_on=row["set_back_at"] and local_date(row["set_back_at"], zone),
        changed_on=row["changed_on"],
        changes=row["changes"],
        setbacks=tuple(one for one in setbacks if one.on >= begins),
        open=waiting,
        said_since=waiting is not None and _said(row["open"]) != _said(row),
        still_set_back=waiting is not None and waiting.cause in {cause for cause, _ in told},
    )


def _said(row: Mapping[str, Any]) -> tuple[int | None, str, int | None]:
    """What the book says of a limit, now or when a change was found."""
    return row["book_limit"], str(row["card_from"]), row["card_version"]


def _change(row: Mapping[str, Any]) -> Change:
    named = {name: row[name] for name in Change.__slots__}
    return Change(**{**named, "id": UUID(str(row["id"]))})


_INSERT = """
    INSERT INTO limit_change (id, student, number, cause, currency, from_limit, to_limit, book_limit,
        card_from, card_version, policy_from, policy_version, evidence, sentence, state, needs_second,
        proposed_at, decided_at, effective_from)
    SELECT id, student, number, cause, currency, from_limit, to_limit, book_limit, card_from, card_version,
           :policy_from, :policy_version, evidence, sentence, state, false, :now,
           CASE state WHEN 'in_force' THEN CAST(:now AS timestamptz) END,
           CASE state WHEN 'in_force' THEN CAST(:today AS date) END
    FROM jsonb_to_recordset(CAST(:changes AS jsonb)) AS found (
        id uuid, student text, number integer, cause text, currency text, from_limit bigint, to_limit bigint,
        book_limit bigint, card_from date, card_version integer, evidence jsonb, sentence text, state text)
    ORDER BY student, number
"""


async def insert(
    tx: Tx, found: Sequence[tuple[Standing, Change]], policy: Policy, now: datetime, today: date
) -> None:
    """Keep changes that were found. An automatic one is in force from today on."""
    rows = [
        {
            "id": str(uuid5(NAMESPACE_URL, f"hobbs:limit:{one.student}:{one.number}:{now.isoformat()}")),
            "student": one.student,
            "number": one.number,
            "cause": one.cause,
            "currency": one.currency,
            "from_limit": one.from_limit,
            "to_limit": one.to_limit,
            "book_limit": standing.book_limit,
            "card_from": standing.card_from and standing.card_from.isoformat(),
            "card_version": standing.card_version,
            "evidence": one.evidence,
            "sentence": one.sentence,
            "state": one.state,
        }
        for standing, one in found
    ]
    if rows:
        named = {"policy_from": policy.effective_from, "policy_version": policy.version}
        await tx.execute(_INSERT, changes=json_parameter(rows), now=now, today=today, **named)


_REVIEWED = "UPDATE credit_level SET reviewed_on = :today WHERE student = ANY (CAST(:students AS text[]))"


async def reviewed(tx: Tx, students: Collection[str], today: date) -> None:
    """Note that the limits of locked students were looked at on a day."""
    await tx.execute(_REVIEWED, today=today, students=sorted(students))


_OF_ID = """
    SELECT id, student, number, cause, currency, from_limit, to_limit, evidence, sentence, state,
           needs_second, accepted_by
    FROM limit_change WHERE id = :id
"""


async def of_id(tx: Tx, id: UUID) -> Change | None:
    """A change; whoever decides about it locks its student first."""
    row = await tx.first(_OF_ID, id=id)
    return Change(**row._mapping) if row else None


_WRITE = """
    UPDATE limit_change SET state = :state, needs_second = :needs_second, accepted_by = :accepted_by,
        approved_by = :approved_by, decided_by = :decided_by, decided_at = :decided_at,
        effective_from = :effective_from, why = :why
    WHERE id = :id
"""


async def write(
    tx: Tx, change: Change, *, who: str | None, why: str, second: bool, now: datetime, today: date
) -> None:
    """Write what somebody said of a change, and when it counts. second: they are the one who agrees."""
    decided = change.state != "waits"
    await tx.execute(
        _WRITE,
        id=change.id,
        state=change.state,
        needs_second=change.needs_second,
        accepted_by=change.accepted_by,
        approved_by=who if second else None,
        decided_by=who if decided else None,
        decided_at=now if decided else None,
        effective_from=today if change.state in ("in_force", "refused") else None,
        why=why,
    )


_OPEN = "SELECT count(*)::integer AS n FROM limit_change WHERE state IN ('proposed', 'waits')"


async def count_open(tx: Tx) -> int:
    """How many changes wait for a person."""
    return int((await tx.one(_OPEN)).n)
