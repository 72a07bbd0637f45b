"""Who decided what, when and why; who was refused; what holders asked."""

from typing import Any, Final
from uuid import UUID

from console.reads.tables import Column, Listing
from fleet.database import Tx
from schemas.services import DECIDE

DECISIONS: Final = Listing(
    name="audit",
    title="Audit",
    sql="""
        SELECT decision_id, at, coalesce(taken_as, person, '') AS person, coalesce(login, '') AS login,
               coalesce(channel, '') AS channel, service, action, object,
               coalesce(why, '') AS why, outcome, sentence
        FROM console_public.decisions WHERE dry_run IS NOT TRUE
    """,
    columns=(
        Column(name="at", title="When", kind="instant", filtered="between", link="/audit/{decision_id}"),
        Column(name="person", title="Who", kind="who", filtered="has"),
        Column(name="login", title="Login", filtered="has", export_only=True),
        Column(name="channel", title="By", kind="state", filtered="is", export_only=True),
        Column(name="service", title="Service", kind="state", choices=DECIDE, export_only=True),
        Column(name="action", title="What", kind="state", filtered="is"),
        Column(name="object", title="About", filtered="is"),
        Column(name="why", title="Why", kind="long", unsorted=True),
        Column(name="outcome", title="Outcome", kind="state", choices=("done", "refused"), empty=True),
        Column(name="sentence", title="Answer", kind="long", unsorted=True),
        Column(name="decision_id", title="Decision", kind="id", export_only=True),
    ),
    key="decision_id",
    key_kind="uuid",
    order="-at",
    empty="Nobody has decided anything yet.",
)

REFUSALS: Final = Listing(
    name="refused-accesses",
    title="Refused accesses",
    sql="""
        SELECT id, at, coalesce(person, '') AS person, method, path, why
        FROM console_public.refused_accesses
    """,
    columns=(
        Column(name="at", title="When", kind="instant", filtered="between"),
        Column(name="person", title="Who", filtered="has"),
        Column(name="method", title="Method", choices=("GET", "POST")),
        Column(name="path", title="Page", filtered="has"),
        Column(name="why", title="Why", kind="long"),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-at",
    empty="Nobody was refused anything.",
)

QUESTIONS: Final = Listing(
    name="questions",
    title="Questions of holders",
    sql="""
        SELECT id, asked_at, person, wallet, about, words, answered_at,
               CASE WHEN answered_at IS NULL THEN 'open' ELSE 'answered' END AS state,
               coalesce(answered_by, '') AS answered_by,
               coalesce(answer, '') AS answer
        FROM console_public.questions
    """,
    columns=(
        Column(name="asked_at", title="Asked", kind="instant", filtered="between", link="/questions/{id}"),
        Column(name="wallet", title="Whose", kind="wallet", filtered="has"),
        Column(name="about", title="About", kind="source", filtered="has"),
        Column(name="words", title="Question", kind="long", unsorted=True),
        Column(name="state", title="State", kind="state", choices=("open", "answered")),
        Column(name="answered_at", title="Answered", kind="instant", empty=True, export_only=True),
        Column(name="answered_by", title="By"),
        Column(name="answer", title="Answer", kind="long", unsorted=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-asked_at",
    empty="No instructor, owner or student has asked anything.",
)

_ONE: Final = """
    SELECT decision_id, at, coalesce(taken_as, person) AS person, person AS named, login, roles, channel,
           service, action, object, parameters, why, preview_hash, requested_at, outcome, sentence, effects,
           taken_at
    FROM console_public.decisions WHERE decision_id = :id AND dry_run IS NOT TRUE
"""
_QUESTION: Final = """
    SELECT id, asked_at, person, wallet, about, words, answered_at, answered_by, answer
    FROM console_public.questions WHERE id = :id
"""


async def decision(tx: Tx, decision_id: UUID) -> dict[str, Any] | None:
    """One decision whole, of whatever channel; None: there is none."""
    row = await tx.first(_ONE, id=decision_id)
    return dict(row._mapping) if row else None


async def question(tx: Tx, question_id: UUID) -> dict[str, Any] | None:
    """One question of a holder, with its answer if it has one."""
    row = await tx.first(_QUESTION, id=question_id)
    return dict(row._mapping) if row else None
