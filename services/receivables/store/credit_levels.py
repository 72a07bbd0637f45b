"""SQL of the levels at which students stand by their limits."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from fleet.database import Tx, json_parameter
from services.receivables.domain.credit import Credit
from services.receivables.domain.credit_levels import Change

# In their order, so that two who mark the same students wait for each other and never in a circle.
_MARK = """
    INSERT INTO credit_level (student)
    SELECT DISTINCT student FROM unnest(CAST(:students AS text[])) AS named (student) ORDER BY student
    ON CONFLICT (student) DO UPDATE SET stale = true WHERE NOT credit_level.stale
"""


async def mark(tx: Tx, students: Collection[str]) -> None:
    """Note that something happened that may have changed these students' level."""
    if students:
        await tx.execute(_MARK, students=sorted(students))


_NEW_DAY = """
    UPDATE school SET levels_on = :today, levels_version = read_version
    WHERE levels_on IS DISTINCT FROM :today OR levels_version <> read_version
"""
_MARK_ALL = """
    INSERT INTO credit_level (student)
    SELECT student FROM (
        SELECT substr(address, 9) AS student FROM ledger_public.wallets
        WHERE kind = 'student' AND currency = (SELECT currency FROM school)
        UNION SELECT student FROM credit_limit) AS everybody
    ORDER BY student
    ON CONFLICT (student) DO UPDATE SET stale = true WHERE NOT credit_level.stale
"""


async def mark_all_if_new(tx: Tx, today: date) -> bool:
    """Mark everybody once for each date of the school and each version of its book: limits are dated."""
    if not await tx.execute(_NEW_DAY, today=today):
        return False
    await tx.execute(_MARK_ALL)
    return True


_LOCK_STALE = """
    SELECT student FROM credit_level WHERE stale ORDER BY student LIMIT :most FOR UPDATE SKIP LOCKED
"""
# A statement of its own: what is read must be later than the lock.
_STAND = """
    SELECT stands.student, currency, posted, pending, available, disputed, credit_limit, room, used_percent,
           stands.level, frozen, own_limit, until, known.level AS was, known.changes
    FROM credit_level AS known
    JOIN receivables_public.credits_of(:day, CAST(:students AS text[])) AS stands
        ON stands.student = known.student
    ORDER BY known.student
"""


async def lock_stale(tx: Tx, most: int) -> list[str]:
    """Lock students whose level may have changed; no other process has them then."""
    return [row.student for row in await tx.all(_LOCK_STALE, most=most)]


async def changed(tx: Tx, students: Sequence[str], day: date) -> list[Change]:
    """Which locked students stand at another level than before."""
    rows = await tx.all(_STAND, students=list(students), day=day)
    return [
        Change(
            credit=Credit(**{name: row._mapping[name] for name in Credit.__slots__}),
            was=row.was,
            number=row.changes + 1,
        )
        for row in rows
        if row.level != row.was
    ]


_FRESH = """
    UPDATE credit_level SET stale = false, level = coalesce(said.level, credit_level.level),
        changes = coalesce(said.number, changes)
    FROM unnest(CAST(:students AS text[])) AS looked (student)
    LEFT JOIN jsonb_to_recordset(CAST(:changes AS jsonb)) AS said (student text, level text, number integer)
        USING (student)
    WHERE credit_level.student = looked.student
"""
_INSERT = """
    INSERT INTO credit_level_change (student, number, from_level, to_level, currency, posted, pending,
                                     disputed, credit_limit, sentence, changed_at)
    SELECT student, number, was, level, currency, posted, pending, disputed, credit_limit, sentence, :now
    FROM jsonb_to_recordset(CAST(:changes AS jsonb)) AS said (
        student text, number integer, was text, level text, currency text, posted bigint, pending bigint,
        disputed bigint, credit_limit bigint, sentence text)
"""


async def write(tx: Tx, students: Sequence[str], changes: Sequence[Change], now: datetime) -> None:
    """Write the level of locked students who were looked at, and their crossings."""
    said = [
        {
            "student": one.credit.student,
            "number": one.number,
            "was": one.was,
            "level": one.credit.level,
            "currency": one.credit.currency,
            "posted": one.credit.posted,
            "pending": one.credit.pending,
            "disputed": one.credit.disputed,
            "credit_limit": one.credit.credit_limit,
            "sentence": one.in_words(),
        }
        for one in changes
    ]
    await tx.execute(_FRESH, students=list(students), changes=json_parameter(said))
    if said:
        await tx.execute(_INSERT, changes=json_parameter(said), now=now)
