"""SQL of the school's policies on its reserve, its time zone and currency, and how far its book was read."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fleet.database import Tx, json_parameter
from services.reserves.domain.policy import Policy

_FOLLOW = """
    UPDATE school SET read_version = greatest(read_version, :version),
        time_zone = CASE WHEN :named_in >= time_zone_version THEN :time_zone ELSE time_zone END,
        currency = CASE WHEN :named_in >= time_zone_version THEN :currency ELSE currency END,
        time_zone_version = greatest(time_zone_version, :named_in)
"""


async def follow_school(tx: Tx, *, version: int, named: tuple[int, str, str] | None) -> None:
    """Note how far the book was read; `named`: the newest version with a school's card, zone and currency."""
    named_in, zone, currency = named or (-1, "", "")
    await tx.execute(_FOLLOW, version=version, named_in=named_in, time_zone=zone, currency=currency)


_KEEP = """
    INSERT INTO policy_card (effective_from, version, policy)
    SELECT effective_from, version, policy
    FROM jsonb_to_recordset(CAST(:cards AS jsonb)) 
        AS card (effective_from date, version integer, policy jsonb)
    ORDER BY effective_from
    ON CONFLICT (effective_from) DO UPDATE SET version = excluded.version, policy = excluded.policy
    WHERE policy_card.version <= excluded.version
"""


async def keep(tx: Tx, cards: Sequence[tuple[int, date, Mapping[str, Any] | None]]) -> None:
    """Keep cards: version, first day, settings (None: withdrawn). A card's newest version stands."""
    newest = {day: (version, settings) for version, day, settings in sorted(cards, key=lambda card: card[0])}
    rows = [
        {"effective_from": day.isoformat(), "version": version, "policy": settings}
        for day, (version, settings) in newest.items()
    ]
    await tx.execute(_KEEP, cards=json_parameter(rows))


_SCHOOL = "SELECT time_zone, currency FROM school"


async def school(tx: Tx) -> tuple[str, str | None]:
    """The school's time zone, as an IANA name, and its currency; None before the book names it."""
    row = await tx.one(_SCHOOL)
    return row.time_zone, row.currency


_IN_FORCE = """
    SELECT policy FROM policy_card WHERE effective_from <= :day AND policy IS NOT NULL
    ORDER BY effective_from DESC LIMIT 1
"""


async def in_force(tx: Tx, day: date) -> Policy | None:
    """The policy of a day of the school's calendar; None: it keeps no reserve."""
    row = await tx.first(_IN_FORCE, day=day)
    if row is None:
        return None
    return Policy(**{**row.policy, "exempt_wallets": tuple(row.policy["exempt_wallets"])})
