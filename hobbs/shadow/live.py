"""Hands the live books, page by page, to a comparison that runs in a thread and knows no event loop."""

import asyncio
import gc
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
    Set,
)
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fleet.settings import Settings
from hobbs.shadow.books import RatesOfTheBook
from hobbs.shell.connections import reading
from services.billing.desk import reads
from services.billing.desk.reads.in_order import (
    FiledFlight,
    FlightDetails,
    billed_elsewhere,
    billed_since,
    details,
    flights_in_order,
)

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One deployment's books in one snapshot: for a thread that knows no event loop."""

    flights: Iterator[FiledFlight]  # every one, in the order of their ids
    rates: RatesOfTheBook
    details: "Details"
    billed_since: Callable[[datetime], Set[str]]
    billed_elsewhere: Callable[[Collection[str]], Set[str]]  # of these flights


async def over_live_books(settings: Settings, compare: Callable[[Books], R]) -> R:
    """Run `compare` in a thread, over the books that this login reads."""
    async with _opened(settings) as books:
        with _seldom_collected():
            return await asyncio.to_thread(compare, books)


async def over_both_books(live: Settings, other: Settings, compare: Callable[[Books, Books], R]) -> R:
    """The same over two deployments' books, the live ones first."""
    async with _opened_apart(live) as there, _opened_apart(other) as here:
        with _seldom_collected():
            return await asyncio.to_thread(compare, there, here)


@asynccontextmanager
async def _opened_apart(settings: Settings) -> AsyncIterator[Books]:
    """In a task of its own: in one there is at most one open transaction (fleet/database.py)."""
    opened: list[Books] = []
    ready, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with _opened(settings) as books:
            opened.append(books)
            ready.set()
            await done.wait()

    holding = asyncio.create_task(hold())
    holding.add_done_callback(lambda _: ready.set())
    await ready.wait()
    try:
        if holding.done():
            holding.result()
        yield opened[0]
    finally:
        done.set()
        await asyncio.wait([holding])


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Books]:
    loop = asyncio.get_running_loop()
    async with reading(settings) as database, database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rates = RatesOfTheBook(await reads.card_history(tx))
        pages, one_at_a_time = flights_in_order(tx), asyncio.Lock()

        async def alone(asked: Coroutine[Any, Any, T]) -> T:
            async with one_at_a_time:  # a page is read ahead, and a connection does one thing at a time
                return await asked

        def soon(asked: Coroutine[Any, Any, T]) -> Future[T]:
            return asyncio.run_coroutine_threadsafe(alone(asked), loop)

        def flights() -> Iterator[FiledFlight]:
            coming = soon(_next(pages))
            while page := coming.result():
                coming = soon(_next(pages))
                yield from page

        yield Books(
            flights=flights(),
            rates=rates,
            details=Details(lambda flight_ids: soon(details(tx, flight_ids)).result()),
            billed_since=lambda moment: soon(billed_since(tx, moment)).result(),
            billed_elsewhere=lambda flight_ids: soon(billed_elsewhere(tx, flight_ids)).result(),
        )


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A thousand flights are many objects and no cycle: a sixth of the time went into finding none."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class Details:
    """Lines and facts of flights: of those that were expected they are asked for at once."""

    def __init__(self, ask: Callable[[Collection[str]], Mapping[str, FlightDetails]]) -> None:
        self._ask = ask
        self._known: Mapping[str, FlightDetails] = {}

    def expect(self, flight_ids: Collection[str]) -> None:
        """Ask for those of these flights, and forget the others'. Of one that is not here there are none."""
        self._known = self._ask(flight_ids) if flight_ids else {}

    def of(self, flight_id: str) -> FlightDetails:
        """Those of a flight that was expected."""
        return self._known[flight_id]


async def _next(pages: AsyncIterator[Sequence[FiledFlight]]) -> Sequence[FiledFlight]:
    try:
        return await anext(pages)
    except StopAsyncIteration:
        return ()
