"""Questions of holders about a line, and finance's answers."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fleet.database import Tx

_ASK: Final = """
    INSERT INTO question (id, person, wallet, about, words) VALUES (:id, :person, :wallet, :about, :words)
    ON CONFLICT ON CONSTRAINT question_has_an_id DO NOTHING
"""
_ANSWER: Final = """
    UPDATE question SET answered_at = now(), answered_by = :person, answer = :answer
    WHERE id = :id AND answered_at IS NULL
"""


async def ask(tx: Tx, question_id: UUID, *, person: str, wallet: str, about: str, words: str) -> None:
    """Keep a question; the form's own id makes it one however often it is sent."""
    await tx.execute(_ASK, id=question_id, person=person, wallet=wallet, about=about, words=words)


async def answer(tx: Tx, question_id: UUID, *, person: str, words: str) -> bool:
    """Answer a question, once; False: somebody did already, or there is none."""
    return await tx.execute(_ANSWER, id=question_id, person=person, answer=words) > 0


_ERASE: Final = """
    UPDATE question SET words = :erased, answer = CASE WHEN answered_at IS NOT NULL THEN :erased END
    WHERE wallet = ANY (CAST(:wallets AS text[])) AND words <> :erased
"""
ERASED: Final = "(erased)"


async def erase(tx: Tx, wallets: Sequence[str]) -> int:
    """Take the words out of these holders' questions and the answers; of how many."""
    return await tx.execute(_ERASE, wallets=list(wallets), erased=ERASED)
