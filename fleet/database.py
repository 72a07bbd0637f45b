"""PostgreSQL, one pool per process. What writes is inside `Database.transaction()`, which commits.

SQL is constant text next to its caller; parameters are `:name`, arrays carry explicit casts, JSON goes in
as text and comes out decoded. While a transaction is open, `forbid_in_transaction` raises: no lock is ever
held across an HTTP call.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fleet.database_url import address
from fleet.driver import Connection
from fleet.faults import fault_point

_open_transaction: ContextVar[bool] = ContextVar("open_transaction", default=False)

STATEMENT_TIMEOUT_MS = 60_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
POOL_TIMEOUT_S = 30
CLOSED_WITHIN_S = 5


class InsideTransaction(RuntimeError):
    """Something slow or irreversible was tried while a transaction was open."""


def json_parameter(value: object) -> str:
    """JSON text for a parameter that is cast to jsonb. Raises TypeError for what JSON has no form of."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> str:
    if isinstance(value, UUID):  # orjson knows the class, not asyncpg's subclass
        return str(value)
    raise TypeError(type(value).__name__)


def forbid_in_transaction(what: str) -> None:
    """Raise InsideTransaction when the caller runs inside `Database.transaction()`."""
    if _open_transaction.get():
        raise InsideTransaction(f"{what} inside a database transaction; commit first")


class Tx:
    """One open transaction."""

    def __init__(self, connection: AsyncConnection, service: str) -> None:
        self._connection = connection
        self.service = service
        self.staged = False

    async def all(self, sql: str, /, **params: Any) -> list[Row[Any]]:
        return list((await self._connection.execute(_clause(sql), params)).all())

    async def one(self, sql: str, /, **params: Any) -> Row[Any]:
        return (await self._connection.execute(_clause(sql), params)).one()

    async def first(self, sql: str, /, **params: Any) -> Row[Any] | None:
        return (await self._connection.execute(_clause(sql), params)).first()

    async def execute(self, sql: str, /, **params: Any) -> int:
        """Run a statement; rows affected."""
        return (await self._connection.execute(_clause(sql), params)).rowcount

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        async with self._connection.begin_nested():
            yield

    def wake_outbox(self) -> None:
        """Have the relay look as soon as this commits; without it the row waits for the next poll."""
        self.staged = True


class Database:
    """A pool of connections that see one schema, as one role.

    `url` is postgresql://role:password@host:port/name, with the words of fleet/database_url.py; `role`
    switches to a role the login is a member of (the operator's command line acts as the service it works on).
    """

    def __init__(self, url: str, *, schema: str, pool_size: int, role: str | None = None) -> None:
        self.schema = schema
        self.on_staged: Callable[[], None] | None = None  # wakes this process's outbox relay
        # Of a rehearsal (fleet/rehearsal.py): sees what each transaction writes, and nothing is committed.
        self.watch: Callable[[Tx], AbstractAsyncContextManager[None]] | None = None
        self.url, self._way = address(url)
        self._pool_size, self._role = pool_size, role
        self._seen = schema
        self._engine = self._made()
        self._opening = asyncio.Lock()
        self._questions: asyncpg.Pool[asyncpg.Record] | None = (
            None  # of `ask`, open from its first question on
        )

    def stand_beside(self, name: str) -> None:
        """Before the first use: see the schema `name`, which has the same tables (fleet/beside.py)."""
        self._seen = name
        self._engine = self._made()

    def _made(self) -> AsyncEngine:
        return create_async_engine(
            self.url,
            pool_size=self._pool_size,
            max_overflow=0,
            pool_use_lifo=True,  # the connection used last knows its statements and has its pages at hand
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=False,
            hide_parameters=True,  # errors are logged, and parameters are people's data
            connect_args=self._connect_args(),
        )

    def _connect_args(self) -> dict[str, Any]:
        return {
            "timeout": 10,
            **self._way,
            "connection_class": Connection,
            "command_timeout": STATEMENT_TIMEOUT_MS / 1000 + 5,
            "server_settings": _server_settings(self._seen, self._role),
        }

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction; commit when the block ends, roll back when it raises."""
        forbid_in_transaction("a second transaction")
        token = _open_transaction.set(True)
        try:
            async with self._engine.begin() as connection:
                tx = Tx(connection, self.schema)
                if self.watch is not None:
                    async with self.watch(tx):
                        yield tx
                    await connection.rollback()
                    return
                yield tx
                await fault_point("transaction.before_commit")
        finally:
            _open_transaction.reset(token)
        await fault_point("transaction.committed")
        if tx.staged and self.on_staged:
            self.on_staged()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Tx]:
        """Lend a connection on which each statement is a transaction of its own: one round trip.

        For questions, and for a change that is one statement. What must agree goes into one statement, or
        into `transaction()`.
        """
        if self.watch is not None:
            raise InsideTransaction("a statement of its own in a rehearsal, which commits nothing")
        async with self._engine.connect() as connection:
            asking = await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield Tx(asking, self.schema)

    async def ask(self, sql: str, /, *values: Any) -> "asyncpg.Record | None":
        """The first row of one question, asked by the driver itself: its parameters are $1, $2 in order.

        For what is asked a hundred times a second: through SQLAlchemy a question takes twice the processor.
        """
        if self.watch is not None:
            raise InsideTransaction("a question by the driver in a rehearsal, which knows nothing of it")
        async with asyncio.timeout(POOL_TIMEOUT_S), (await self._asked()).acquire() as connection:
            return await connection.fetchrow(sql, *values)

    async def _asked(self) -> "asyncpg.Pool[asyncpg.Record]":
        async with self._opening:
            if self._questions is None:
                at = {"host": self.url.host, "port": self.url.port, "database": self.url.database}
                login = {"user": self.url.username, "password": self.url.password}
                self._questions = await asyncpg.create_pool(
                    **(at | login | self._connect_args()),
                    min_size=0,
                    max_size=self._pool_size,
                    reset=_as_it_is,
                )
            return self._questions

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection in autocommit mode, for session locks; they end with the block or the process."""
        async with self._engine.connect() as connection:
            session = await connection.execution_options(isolation_level="AUTOCOMMIT")
            try:
                yield session
            finally:
                await session.invalidate()  # a session lock must not return to the pool

    async def close(self) -> None:
        await self._engine.dispose()
        if self._questions is not None:
            with suppress(TimeoutError):  # the driver ends what does not end by itself
                async with asyncio.timeout(CLOSED_WITHIN_S):
                    await self._questions.close()
            self._questions = None


async def _as_it_is(_: object) -> None:
    """What the driver's pool does with a connection that is given back: a question leaves nothing behind."""


def _server_settings(schema: str, role: str | None) -> dict[str, str]:
    settings = {
        "search_path": schema,
        "application_name": f"hobbs-{schema}",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
        "timezone": "UTC",
    }
    return settings | {"role": role} if role else settings


@lru_cache(maxsize=1024)
def _clause(sql: str) -> TextClause:
    return text(sql)
