"""Who is to blame for an error: one table, of the errors handlers meet."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import BaseModel
from sqlalchemy import exc

from fleet.database import InsideTransaction
from fleet.faults import InjectedFault
from fleet.outages import Blame, blame

OUTAGES: list[BaseException] = [
    InjectedFault("a fault"),
    ConnectionResetError(),
    TimeoutError(),
    asyncio.CancelledError(),
    MemoryError(),
    KafkaConnectionError(),
    exc.TimeoutError("the pool is exhausted"),
    exc.PendingRollbackError("the session is gone"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.exceptions.InternalClientError("the protocol broke"),
    asyncpg.DeadlockDetectedError("x"),
    asyncpg.SerializationError("x"),
    asyncpg.LockNotAvailableError("x"),
    asyncpg.QueryCanceledError("x"),
    asyncpg.TooManyConnectionsError("x"),
    asyncpg.OutOfMemoryError("x"),
    asyncpg.IdleInTransactionSessionTimeoutError("x"),
    asyncpg.CannotConnectNowError("x"),
    asyncpg.ReadOnlySQLTransactionError("x"),
    ExceptionGroup("both", [ValueError(), ConnectionResetError()]),
]
DEPLOYMENTS: list[BaseException] = [
    InsideTransaction("x"),
    ModuleNotFoundError("x"),
    exc.InvalidRequestError("x"),
    asyncpg.InsufficientPrivilegeError("x"),
    asyncpg.UndefinedTableError("x"),
    asyncpg.UndefinedColumnError("x"),
    asyncpg.InvalidPasswordError("x"),
    asyncpg.InvalidCatalogNameError("x"),
]
RECORDS: list[BaseException] = [
    AssertionError(),
    AttributeError(),
    ArithmeticError(),
    KeyError("x"),
    IndexError(),
    TypeError(),
    ValueError(),
    RecursionError(),
    NotImplementedError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    exc.NoResultFound("x"),
    exc.MultipleResultsFound("x"),
    exc.StatementError("x", None, None, TypeError("x")),
    asyncpg.exceptions._base.DataError("a parameter that cannot be encoded"),
    asyncpg.NumericValueOutOfRangeError("x"),
    asyncpg.UniqueViolationError("x"),
    asyncpg.CheckViolationError("x"),
    asyncpg.CardinalityViolationError("x"),
    asyncpg.ProgramLimitExceededError("x"),
    asyncpg.RaiseError("x"),
]


class Body(BaseModel):
    number: int


def kind(error: BaseException) -> str:
    return type(error).__name__


@pytest.mark.parametrize("error", OUTAGES, ids=kind)
def test_an_outage_is_nobodys_fault(error: BaseException) -> None:
    assert blame(error) is Blame.OUTAGE


@pytest.mark.parametrize("error", DEPLOYMENTS, ids=kind)
def test_what_is_deployed_wrongly_is_no_records_fault(error: BaseException) -> None:
    assert blame(error) is Blame.DEPLOYMENT


@pytest.mark.parametrize("error", RECORDS, ids=kind)
def test_what_a_record_causes_is_its_fault(error: BaseException) -> None:
    assert blame(error) is Blame.RECORD


def test_a_body_that_is_not_valid_is_the_records_fault() -> None:
    with pytest.raises(ValueError, match="number") as raised:
        Body.model_validate({"number": "x"})
    assert blame(raised.value) is Blame.RECORD


def raised(work: Callable[[], None]) -> BaseException:
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_what_an_outage_led_to_is_an_outage() -> None:
    def gives_up() -> None:
        try:
            raise ConnectionResetError
        except ConnectionResetError as error:
            raise ValueError("no answer") from error

    def stumbles() -> None:
        try:
            raise ConnectionResetError
        finally:
            raise KeyError("rollback")

    def replaces() -> None:
        try:
            raise ConnectionResetError
        except ConnectionResetError:
            raise ValueError("a rule of ours") from None

    assert [blame(raised(work)) for work in (gives_up, stumbles, replaces)] == [
        Blame.OUTAGE,
        Blame.OUTAGE,
        Blame.RECORD,
    ]


def test_an_error_that_is_its_own_cause_is_judged() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert blame(one) is Blame.RECORD
