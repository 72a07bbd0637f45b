"""SQL of the school's policy on credit, students' own limits, and how students stand."""

from collections.abc import Sequence
from datetime import date

from fleet.database import Tx, json_parameter
from services.receivables.domain.credit import Credit, CreditPolicy, LimitCard, PolicyCard

_FOLLOW = """
    UPDATE school SET read_version = greatest(read_version, :version),
        time_zone = CASE WHEN :named_in >= named_version THEN :time_zone ELSE time_zone END,
        currency = CASE WHEN :named_in >= named_version THEN :currency ELSE currency END,
        named_version = greatest(named_version, :named_in)
"""


async def follow_school(tx: Tx, *, version: int, named: tuple[int, str, str] | None) -> None:
    """Note how far the book was read; `named`: the newest version with a school's card, zone and currency."""
    named_in, zone, currency = named or (-1, "", "")
    await tx.execute(_FOLLOW, version=version, named_in=named_in, time_zone=zone, currency=currency)


_KEEP_POLICIES = """
    INSERT INTO credit_policy (effective_from, version, policy)
    SELECT effective_from, version, policy
    FROM jsonb_to_recordset(CAST(:cards AS jsonb))
        AS card (effective_from date, version integer, policy jsonb)
    ORDER BY effective_from
    ON CONFLICT (effective_from) DO UPDATE SET version = excluded.version, policy = excluded.policy
    WHERE credit_policy.version <= excluded.version
"""


async def keep_policies(tx: Tx, cards: Sequence[PolicyCard]) -> None:
    """Keep cards of the policy. A card's newest version stands."""
    newest = {card.effective_from: card for card in sorted(cards, key=lambda card: card.version)}
    rows = [
        {"effective_from": day.isoformat(), "version": card.version, "policy": card.policy}
        for day, card in newest.items()
    ]
    await tx.execute(_KEEP_POLICIES, cards=json_parameter(rows))


_KEEP_LIMITS = """
    INSERT INTO credit_limit (student, effective_from, version, withdrawn, amount, until, frozen)
    SELECT student, effective_from, version, withdrawn, amount, until, frozen
    FROM jsonb_to_recordset(CAST(:cards AS jsonb))
        AS card (student text, effective_from date, version integer, withdrawn boolean, amount bigint,
                 until date, frozen boolean)
    ORDER BY student, effective_from
    ON CONFLICT (student, effective_from) DO UPDATE SET version = excluded.version,
        withdrawn = excluded.withdrawn, amount = excluded.amount, until = excluded.until,
        frozen = excluded.frozen
    WHERE credit_limit.version <= excluded.version
"""


async def keep_limits(tx: Tx, cards: Sequence[LimitCard]) -> None:
    """Keep students' own limits. A card's newest version stands."""
    newest = {
        (card.student, card.effective_from): card for card in sorted(cards, key=lambda card: card.version)
    }
    rows = [
        {
            "student": student,
            "effective_from": day.isoformat(),
            "version": card.version,
            "withdrawn": card.withdrawn,
            "amount": card.amount,
            "until": card.until and card.until.isoformat(),
            "frozen": card.frozen,
        }
        for (student, day), card in newest.items()
    ]
    await tx.execute(_KEEP_LIMITS, cards=json_parameter(rows))


_SCHOOL = "SELECT time_zone, currency FROM school"


async def school(tx: Tx) -> tuple[str, str | None]:
    """The school's time zone, as an IANA name, and its currency; None before the book names it."""
    row = await tx.one(_SCHOOL)
    return row.time_zone, row.currency


_POLICY = """
    SELECT default_limit, margin_percent, hold_hours, near_percent, close_percent, allowed_by_one_up_to
    FROM credit_policy_on(:day)
"""


async def policy(tx: Tx, day: date) -> CreditPolicy:
    """The policy of a day of the school's calendar; its defaults where the book has none."""
    row = await tx.first(_POLICY, day=day)
    return CreditPolicy(**row._mapping) if row else CreditPolicy()


_CREDIT_OF = """
    SELECT student, currency, posted, pending, available, disputed, credit_limit, room, used_percent, level,
           frozen, own_limit, until
    FROM receivables_public.credit_of(:day, CAST(:student AS text))
"""


async def of_student(tx: Tx, student: str, day: date) -> Credit | None:
    """How a student stands; None before the book names the school's currency."""
    row = await tx.first(_CREDIT_OF, day=day, student=student)
    return Credit(**row._mapping) if row else None
