"""Keeps what Stripe tells of students' saved payment methods. The caller commits."""

from collections.abc import Sequence

from fleet.database import Tx
from services.receivables import store
from services.receivables.domain.saved_methods import MethodFact


async def learn(tx: Tx, facts: Sequence[MethodFact]) -> None:
    """Keep facts about payment methods, in whatever order they come."""
    if facts:
        await store.saved_methods.learn(tx, facts)
