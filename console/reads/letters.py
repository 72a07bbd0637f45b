"""Dead letters of every service as one list, and questions of holders."""

from typing import Any, Final
from uuid import UUID

from console.reads.tables import Column, Listing
from fleet.database import Tx
from schemas.services import DECIDE

# A line for each service, from the registry.
_EVERY: Final = " UNION ALL ".join(
    f"SELECT '{name}' AS service, id, topic, subject, reason, sentence, attempts, state, first_seen_at,"  # noqa: S608 - registered names
    f" last_seen_at FROM {name}_public.dead_letters"
    for name in DECIDE
)

# A refused flight is a dead letter of billing's, and has a list of its own.
_OF: Final = f"""
    SELECT letter.*, CASE WHEN service = 'billing' AND id IN (
        SELECT dead_letter_id FROM billing_public.refused_flights) THEN 'flight' ELSE 'other' END AS what
    FROM ({_EVERY}) AS letter
"""  # noqa: S608 - as above
LETTERS: Final = Listing(
    name="dead-letters",
    title="Dead letters",
    sql=_OF,
    columns=(
        Column(
            name="last_seen_at",
            title="Last seen",
            kind="instant",
            filtered="between",
            link="/dead/{service}/{id}",
        ),
        Column(name="service", title="Service", kind="state", choices=DECIDE),
        Column(name="topic", title="Topic", filtered="is"),
        Column(name="subject", title="About", filtered="has", empty=True, link="/dead/{service}/{id}"),
        Column(name="reason", title="Reason", kind="state", filtered="is"),
        Column(name="sentence", title="What is wrong", kind="long", unsorted=True),
        Column(name="attempts", title="Tries", kind="number"),
        Column(name="state", title="State", kind="state", choices=("open", "redriven", "discarded")),
        Column(name="what", title="What", kind="state", choices=("flight", "other"), export_only=True),
        Column(name="id", title="Letter", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-last_seen_at",
    empty="No dead letter: every record that came could be processed.",
)

_WAITING: Final = f"""
    SELECT count(*) AS number, min(first_seen_at) AS oldest FROM ({_OF}) AS listed
    WHERE state = 'open' AND what = 'other'
"""  # noqa: S608 - as above
_QUESTIONS: Final = """
    SELECT count(*) AS number, min(asked_at) AS oldest FROM console_public.questions WHERE answered_at IS NULL
"""


async def waiting(tx: Tx) -> dict[str, Any]:
    """How many dead letters are open that are no refused flight, and since when the oldest."""
    return dict((await tx.one(_WAITING))._mapping)


async def questions_waiting(tx: Tx) -> dict[str, Any]:
    """How many questions have no answer, and since when the oldest."""
    return dict((await tx.one(_QUESTIONS))._mapping)


_GROUPS: Final = f"""
    SELECT service, topic, reason, count(*) AS number, min(first_seen_at) AS oldest
    FROM ({_EVERY}) AS letter WHERE state = 'open'
    GROUP BY service, topic, reason ORDER BY number DESC, service, topic, reason LIMIT 20
"""  # noqa: S608 - as above


async def groups(tx: Tx) -> list[dict[str, Any]]:
    """Open letters by what they have in common, the most first: one cause mended, all of them sent again."""
    return [dict(row._mapping) for row in await tx.all(_GROUPS)]


_ONE: Final = f"SELECT * FROM ({_EVERY}) AS letter WHERE service = :service AND id = :id"  # noqa: S608 - as above


async def letter(tx: Tx, service: str, letter_id: UUID) -> dict[str, Any] | None:
    """One dead letter without its payload, which may hold people's data; None: there is none."""
    row = await tx.first(_ONE, service=service, id=letter_id)
    return dict(row._mapping) if row else None


_RECORD: Final = "SELECT billing_public.refused_record(:id) AS record"


async def record_of_flight(tx: Tx, letter_id: UUID) -> dict[str, Any] | None:
    """What the record of a refused flight says, for who may correct it; None: nothing that can be read."""
    found: dict[str, Any] | None = (await tx.one(_RECORD, id=letter_id)).record
    return found
