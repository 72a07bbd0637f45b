"""A savepoint that turns a constraint's name into a refusal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError

from fleet import outages
from fleet.database import Tx

# A journal's id follows from its source: which of the two indexes is looked at first makes no difference.
POSTED_ONCE: Final = frozenset({"journal_source_is_posted_once", "journal_pkey"})
PERIOD_IS_OPEN: Final = "journal_is_dated_in_an_open_period"
LIMIT_EXCEEDED: Final = "limit_exceeded"
_DATA_ERRORS: Final = ("22", "23")  # SQLSTATE classes: data exception, integrity constraint violation


class ConstraintViolated(Exception):
    """The database refused a row; `rule` is the constraint's name, or the SQLSTATE.

    shortfall: the missing minor units, if a limit is the reason.
    """

    def __init__(self, rule: str, sentence: str, shortfall: int | None = None) -> None:
        super().__init__(sentence)
        self.rule = rule
        self.sentence = sentence
        self.shortfall = shortfall


@asynccontextmanager
async def savepoint(tx: Tx) -> AsyncIterator[None]:
    """Undo the block and raise ConstraintViolated if its data breaks a rule; other errors are not caught."""
    try:
        async with tx.savepoint():
            yield
    except DBAPIError as error:
        sqlstate = outages.sqlstate(error) or ""
        if not sqlstate.startswith(_DATA_ERRORS):
            raise
        cause = getattr(error.orig, "__cause__", None)
        rule = outages.constraint(error) or f"sqlstate_{sqlstate}"
        short = int(getattr(cause, "detail", "")) if rule == LIMIT_EXCEEDED else None
        raise ConstraintViolated(rule, getattr(cause, "message", None) or rule, short) from error
