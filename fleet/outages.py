"""Who is to blame for an error: the world around us, what is deployed, or the record at hand.

One rule for everybody who must tell them apart: a batch is read again or its record is buried, a client is
told to come back or sees a bug, a command waits or gives up.
"""

from asyncio import CancelledError
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy import exc

from fleet.database import InsideTransaction


class Blame(StrEnum):
    """What has to change before the same work can succeed."""

    OUTAGE = "outage"  # nothing: trying again may help
    DEPLOYMENT = "deployment"  # a migration, a grant, a password or the program
    RECORD = "record"  # what was asked for


class TryAgain(Exception):
    """Raised by whoever lost too many races in a row: the batch is read again later."""


# SQLSTATE classes. What is in neither set (42: a missing grant or table; 28: a password) is the deployment's.
_OUTAGES: Final = frozenset(
    {
        "08",  # connection exception
        "25",  # invalid transaction state: ended by a time-out, or the server only reads now
        "40",  # serialization failure, deadlock
        "53",  # insufficient resources
        "55",  # lock not available
        "57",  # operator intervention: starting, stopping, a statement cancelled by its time-out
        "58",  # system error
        "XX",  # internal error
    }
)
_RECORDS: Final = frozenset(
    {
        "21",  # cardinality violation
        "22",  # data exception
        "23",  # integrity constraint violation
        "44",  # WITH CHECK OPTION violation
        "54",  # program limit exceeded: a value too large for an index, a document too deep
        "P0",  # raised by a function of ours
    }
)
_ALWAYS_OUTAGES: Final = (
    TryAgain,
    OSError,  # TimeoutError and fleet.faults.InjectedFault are OSErrors
    MemoryError,
    CancelledError,
    KafkaError,
    exc.TimeoutError,  # no connection of the pool became free
    exc.DisconnectionError,
    exc.PendingRollbackError,
    exc.ResourceClosedError,
)
_ALWAYS_DEPLOYMENT: Final = (InsideTransaction, ImportError, SystemError)


def blame(error: BaseException) -> Blame:
    """Judge an error together with what it was raised from: an outage anywhere in the chain is an outage."""
    found = {_judged(link) for link in _chain(error)}
    return next((one for one in (Blame.OUTAGE, Blame.DEPLOYMENT) if one in found), Blame.RECORD)


def is_outage(error: BaseException) -> bool:
    """Whether the same work may succeed by itself later."""
    return blame(error) is Blame.OUTAGE


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting += link.exceptions
        before = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        if before is not None:
            waiting.append(before)


def _judged(error: BaseException) -> Blame:
    if isinstance(error, _ALWAYS_OUTAGES):
        return Blame.OUTAGE
    if isinstance(error, _ALWAYS_DEPLOYMENT):
        return Blame.DEPLOYMENT
    if isinstance(error, exc.DBAPIError):
        return Blame.OUTAGE if error.connection_invalidated else _judged_driver(error.orig)
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return _judged_driver(error)
    if isinstance(error, exc.SQLAlchemyError):
        ours = isinstance(error, exc.StatementError | exc.NoResultFound | exc.MultipleResultsFound)
        return Blame.RECORD if ours else Blame.DEPLOYMENT
    return Blame.RECORD


def _judged_driver(error: BaseException | None) -> Blame:
    """Judge the driver's error, or SQLAlchemy's wrapper of it.

    Without an SQLSTATE it is a parameter that cannot be encoded (an InterfaceError of asyncpg's that is a
    ValueError too), or a session that has ended.
    """
    state = sqlstate(error)
    if state is None:
        driver = error if isinstance(error, asyncpg.InterfaceError) else getattr(error, "__cause__", None)
        unencodable = isinstance(driver, asyncpg.InterfaceError) and isinstance(driver, ValueError)
        return Blame.RECORD if unencodable else Blame.OUTAGE
    if state[:2] in _OUTAGES:
        return Blame.OUTAGE
    return Blame.RECORD if state[:2] in _RECORDS else Blame.DEPLOYMENT


def sqlstate(error: BaseException | None) -> str | None:
    """The five characters the server gave an error; None when it did not come from the server."""
    for link in (error, getattr(error, "orig", None), getattr(error, "__cause__", None)):
        if state := getattr(link, "sqlstate", None):
            return str(state)
    return None


def constraint(error: BaseException | None) -> str | None:
    """The name of the constraint that refused the statement; None when it was not a constraint."""
    for link in (error, getattr(error, "orig", None)):
        if name := getattr(getattr(link, "__cause__", None), "constraint_name", None):
            return str(name)
    return None


def first_line(error: BaseException) -> str:
    """The first line of what the server said, else the error's class."""
    cause = getattr(error, "orig", None) or error
    lines = str(getattr(cause, "__cause__", None) or cause).splitlines()
    return lines[0] if lines else type(error).__name__
