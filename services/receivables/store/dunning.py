"""SQL of asking students for what is overdue."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.receivables.domain.auto_charges import ASKED_IN, DECLINES_IN, RETURNS_IN, declines_max
from services.receivables.domain.dunning import Decision, Policy, Standing, policy_of, standing_of

BILLS_SHOWN = 50

_POLICY = "SELECT effective_from, version, policy FROM receivables_public.dunning_policy_on(:day)"
# Of a large school only those for whom something may follow: whoever was asked today rests until tomorrow.
_ASKABLE = """
    SELECT owing.student FROM (
        SELECT DISTINCT item.student FROM item
        WHERE item.open <> 0 AND item.open < 0 AND item.due_on < :day AND item.student > :after
          AND item.currency = (SELECT currency FROM school)) AS owing
    LEFT JOIN dunning_case AS known ON known.student = owing.student
    WHERE known.stepped_on IS DISTINCT FROM :day
    ORDER BY owing.student LIMIT :most
"""
_ENDING = """
    SELECT known.student FROM dunning_case AS known
    WHERE (known.overdue_since IS NOT NULL OR known.hold IS NOT NULL) AND known.student > :after
      AND (known.until < :day
           OR known.overdue_since IS NOT NULL AND NOT EXISTS (
               SELECT FROM item
               WHERE item.student = known.student AND item.currency = (SELECT currency FROM school)
                 AND item.open <> 0 AND item.open < 0 AND item.due_on < :day))
    ORDER BY known.student LIMIT :most
"""
_OF = """
    SELECT student, currency, total, oldest_due, bills, disputed, in_question, charge_under_way, declines,
           is_bank_account, run, running, hold, until, done
    FROM receivables_public.dunning_of(:day, :declines_began, :returns_began, :asked_since,
                                        CAST(:students AS text[]))
"""


async def policy(tx: Tx, day: date) -> Policy:
    """The book's policy of a day of the school's calendar."""
    row = await tx.first(_POLICY, day=day)
    return policy_of(row.policy, row.effective_from, row.version) if row else Policy()


async def askable(tx: Tx, day: date, after: str, most: int) -> list[str]:
    """Students of whom something is overdue and who had no step today, by name from `after` on."""
    return [row.student for row in await tx.all(_ASKABLE, day=day, after=after, most=most)]


async def ending(tx: Tx, day: date, after: str, most: int) -> list[str]:
    """Students whose run is open with nothing overdue, or whose promise has passed, from `after` on."""
    return [row.student for row in await tx.all(_ENDING, day=day, after=after, most=most)]


async def standings(tx: Tx, students: Collection[str], day: date, at: datetime) -> dict[str, Standing]:
    """What decides about these students, by name."""
    rows = await tx.all(
        _OF,
        students=sorted(students),
        day=day,
        declines_began=at - DECLINES_IN,
        returns_began=at - RETURNS_IN,
        asked_since=at - ASKED_IN,
    )
    return {row.student: standing_of({**row._mapping, "chargeable": _chargeable(row)}) for row in rows}


def _chargeable(row: Row[Any]) -> bool:
    return row.declines is not None and row.declines < declines_max(is_bank_account=row.is_bank_account)


_OPEN_CASES = """
    INSERT INTO dunning_case (student)
    SELECT student FROM unnest(CAST(:students AS text[])) AS named (student) ORDER BY student
    ON CONFLICT DO NOTHING
"""
_LOCK = """
    SELECT count(*) FROM (
        SELECT FROM dunning_case WHERE student = ANY (CAST(:students AS text[]))
        ORDER BY student FOR UPDATE) AS locked
"""
# A statement of its own: its snapshot must be later than the wait for the locks. Only who changed comes back.
_CHANGED = """
    SELECT known.student
    FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS seen (
        student text, run integer, running boolean, hold text, until date, steps integer)
    JOIN dunning_case AS known USING (student)
    WHERE (known.run, known.overdue_since IS NOT NULL, known.hold, known.until)
              IS DISTINCT FROM (seen.run, seen.running, seen.hold, seen.until)
       OR seen.running AND seen.steps <> (
              SELECT count(*) FROM dunning_history AS history
              WHERE history.student = known.student AND history.run = known.run AND history.what = 'step')
"""


async def open_and_lock(tx: Tx, students: Collection[str]) -> None:
    """Lock students' cases in their order; those that are new are opened."""
    await tx.execute(_OPEN_CASES, students=sorted(students))
    await tx.one(_LOCK, students=sorted(students))


async def lock(tx: Tx, standings: Sequence[Standing]) -> set[str]:
    """Lock the cases of these students; those about whom somebody decided since they were read."""
    await open_and_lock(tx, [standing.student for standing in standings])
    seen = [
        {
            "student": one.student,
            "run": one.run,
            "running": one.running,
            "hold": one.hold,
            "until": one.until,
            "steps": len(one.done),
        }
        for one in standings
    ]
    return {row.student for row in await tx.all(_CHANGED, seen=json_parameter(seen))}


# A row for each student, as JSON that goes into the event as it is.
_BILLS = """
    SELECT named.student,
           '[' || string_agg(format('{"document":%s,"due_on":"%s","open":%s}', to_json(document),
                                    to_char(due_on, 'YYYY-MM-DD'), amount),
                             ',' ORDER BY due_on, document) || ']' AS bills
    FROM unnest(CAST(:students AS text[])) AS named (student) CROSS JOIN school
    CROSS JOIN LATERAL (
        SELECT document, due_on, -open AS amount FROM item
        WHERE item.student = named.student AND item.currency = school.currency
          AND item.open <> 0 AND item.open < 0 AND item.due_on < :day
        ORDER BY due_on, document LIMIT :most) AS each
    GROUP BY named.student
"""


async def oldest_bills(tx: Tx, students: Collection[str], day: date) -> dict[str, str]:
    """The overdue bills of students as JSON: document, due_on and open; of many bills the oldest."""
    if not students:
        return {}
    rows = await tx.all(_BILLS, students=sorted(students), day=day, most=BILLS_SHOWN)
    return {row.student: row.bills for row in rows}


# In one statement each, for as many students as there are.
_SET_CASES = """
    UPDATE dunning_case SET
        run = dunning_case.run + CASE WHEN said.run = 'begins' THEN 1 ELSE 0 END,
        overdue_since = CASE said.run WHEN 'begins' THEN said.since WHEN 'ends' THEN NULL
                                      ELSE dunning_case.overdue_since END,
        stepped_on = CASE WHEN said.steps THEN :day WHEN said.run IN ('begins', 'ends') THEN NULL
                          ELSE dunning_case.stepped_on END,
        hold = CASE WHEN said.clears THEN NULL ELSE dunning_case.hold END,
        until = CASE WHEN said.clears THEN NULL ELSE dunning_case.until END
    FROM jsonb_to_recordset(CAST(:cases AS jsonb))
        AS said (student text, run text, since date, clears boolean, steps boolean)
    WHERE dunning_case.student = said.student
"""
_ADD = """
    INSERT INTO dunning_history (student, run, what, step, action, currency, total, oldest_due, policy_from,
                                 policy_version, from_hour, until_hour, sentence, local_at, at)
    SELECT said.student, known.run, what, step, action, currency, total, oldest_due, policy_from,
           policy_version, from_hour, until_hour, coalesce(sentence, ''), :local, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS said (
        student text, what text, step text, action text, currency text, total bigint, oldest_due date,
        policy_from date, policy_version integer, from_hour integer, until_hour integer, sentence text)
    JOIN dunning_case AS known USING (student)
    ORDER BY said.student, array_position(ARRAY['lapsed', 'ends', 'begins', 'step'], what)
"""


async def write(
    tx: Tx,
    decided: Sequence[tuple[Standing, Decision]],
    sentences: Mapping[str, str],
    policy: Policy,
    local: datetime,
    at: datetime,
) -> None:
    """Write what was decided about locked students; sentences: of those who have a step."""
    cases = [
        {
            "student": standing.student,
            "run": decision.run,
            "since": standing.oldest_due and standing.oldest_due.isoformat(),
            "steps": decision.step is not None,
            "clears": decision.lapses or (decision.run == "ends" and standing.hold == "promised"),
        }
        for standing, decision in decided
        if decision.changes_something
    ]
    if cases:
        await tx.execute(_SET_CASES, cases=json_parameter(cases), day=local.date())
    rows = [row for one in decided for row in _rows(*one, sentences, policy)]
    if rows:
        await tx.execute(_ADD, rows=json_parameter(rows), local=local, at=at)


def _rows(
    standing: Standing, decision: Decision, sentences: Mapping[str, str], policy: Policy
) -> list[dict[str, Any]]:
    of = {"student": standing.student}
    rows: list[dict[str, Any]] = [of | {"what": "lapsed"}] if decision.lapses else []
    if decision.run in ("begins", "ends"):
        rows.append(of | {"what": decision.run})
    if decision.step is not None:
        rows.append(of | _step_row(standing, decision, sentences, policy))
    return rows


def _step_row(
    standing: Standing, decision: Decision, sentences: Mapping[str, str], policy: Policy
) -> dict[str, Any]:
    if decision.step is None or standing.oldest_due is None or policy.effective_from is None:
        raise AssertionError(f"a step for {standing.student} without anything overdue, or without a policy")
    return {
        "what": "step",
        "step": decision.step.name,
        "action": decision.step.action,
        "currency": standing.currency,
        "total": standing.total,
        "oldest_due": standing.oldest_due.isoformat(),
        "policy_from": policy.effective_from.isoformat(),
        "policy_version": policy.version,
        "from_hour": policy.from_hour,
        "until_hour": policy.until_hour,
        "sentence": sentences[standing.student],
    }


_HOLD = "UPDATE dunning_case SET hold = :hold, until = :until WHERE student = :student"
_SAY = """
    INSERT INTO dunning_history (student, run, what, until, who, why, local_at, at)
    SELECT student, run, :what, CAST(:until AS date), :who, :why, :local, :at
    FROM dunning_case WHERE student = :student
"""


async def hold(
    tx: Tx,
    student: str,
    what: str,
    *,
    until: date | None = None,
    who: str,
    why: str,
    local: datetime,
    at: datetime,
) -> None:
    """Keep a person's decision about a locked student: paused, promised (until) or resumed."""
    standing = None if what == "resumed" else what
    await tx.execute(_HOLD, student=student, hold=standing, until=until)
    await tx.execute(_SAY, student=student, what=what, until=until, who=who, why=why, local=local, at=at)


_COUNT = """
    SELECT count(*) FILTER (WHERE overdue_since IS NOT NULL) AS running,
           count(*) FILTER (WHERE hold = 'paused') AS paused,
           count(*) FILTER (WHERE hold = 'promised') AS promised
    FROM dunning_case WHERE overdue_since IS NOT NULL OR hold IS NOT NULL
"""


async def count(tx: Tx) -> dict[str, int]:
    """How many students have an open run, are paused, or promised to pay."""
    row = await tx.one(_COUNT)
    return {"running": row.running, "paused": row.paused, "promised": row.promised}
