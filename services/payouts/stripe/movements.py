"""List the rows of the platform's Stripe balance, book those that nothing else tells of, and show the rest.

The first run reads what Stripe holds: what was before is not listed. Later runs list what was made since the
newest row less an overlap, one page a call. The place in the list moves in the transaction that notes a page
and stages its journals, so each page is either noted or read again; a row is noted once, and its journal has
the row's source.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from fleet import outbox
from fleet.database import Database, Tx
from fleet.envelope import first_cause
from fleet.faults import fault_point
from services.payouts import metrics, store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.movements import Judged, MovementListing, decide_movement, overdue_sentence
from services.payouts.store.backfills import Backfill
from services.payouts.stripe import odd_objects, telling
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace

PAGES_AT_ONCE: Final = 30  # of 100 rows, in one run; the next run goes on
OPENINGS_AT_ONCE: Final = 3
SHOWN_AT_ONCE: Final = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementPolicy:
    """overlap: how far a listing reaches back behind the newest row; grace: how long the books may take."""

    overlap: timedelta
    grace: timedelta


class Movements:
    """Lists the platform's balance transactions; its timer runs `run`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pace: Pace,
        clock: Callable[[], datetime],
        policy: MovementPolicy,
    ) -> None:
        self._db = db
        self._client = client
        self._pace = pace
        self._clock = clock
        self._policy = policy

    async def run(self) -> None:
        """List new rows, compare them with the books, show what the books do not explain in time."""
        listing = await self.begin()
        for _ in range(PAGES_AT_ONCE):
            if listing is None:
                break
            listing = await self._read_page(listing)
        await telling.tell_all_left(self._db, self._clock())
        await self.compare()

    async def begin(self) -> MovementListing | None:
        """Begin a listing or go on with the one before; None at the opening, or while the key is refused."""
        async with self._db.transaction() as tx:
            if await store.relay_stop.current(tx) is not None:
                return None
            listing = await store.movements.begin_listing(tx, self._clock())
        if listing is None:
            await self._open()
        return listing

    # The opening

    async def _open(self) -> None:
        """Read what Stripe holds between two readings of the newest rows that show the same."""
        for _ in range(OPENINGS_AT_ONCE):
            before = await self._pace.read(
                Endpoint.BALANCE_ROWS, lambda: self._client.balance_transactions(None, None)
            )
            balance = await self._pace.read(Endpoint.BALANCE, self._client.balance)
            after = await self._pace.read(
                Endpoint.BALANCE_ROWS, lambda: self._client.balance_transactions(None, None)
            )
            for answer in (before, balance, after):
                if classify(answer) is not StripeVerdict.DONE:
                    return self._put_off(answer)
            rows = _rows_of(before)
            if rows is not None and _ids(rows) == _ids(_rows_of(after)):
                return await self._note_opening(rows, balance.body)
        _log.warning("money moves at Stripe all the time: the opening is read at the next run")

    async def _note_opening(self, rows: list[Any], balance: Mapping[str, Any]) -> None:
        now = self._clock()
        judged, odd = wire.stripe_objects.read_each("balance transaction", rows, _judged)
        newest = max((one.movement.made_at for one in judged), default=now - timedelta(days=1))
        amounts = wire.stripe_objects.held(balance)
        async with self._db.transaction() as tx:
            if await store.movements.open_listing(tx, amounts, newest, now):
                await store.movements.note_before(tx, judged, now)
                await telling.tell_left(tx, now)
                await odd_objects.keep(tx, odd, now, first_cause())

    # Pages

    async def _read_page(self, listing: MovementListing) -> MovementListing | None:
        """Read and note one page; the place after it, None at the end or when Stripe did not answer."""
        since = max(listing.listed_until - self._policy.overlap, listing.opened_after)
        answer = await self._pace.read(
            Endpoint.BALANCE_ROWS, lambda: self._client.balance_transactions(since, listing.page_after)
        )
        if classify(answer) is not StripeVerdict.DONE:
            if classify(answer) is StripeVerdict.REFUSED and listing.page_after is not None:
                async with self._db.transaction() as tx:
                    await store.movements.start_over(tx, listing)
            self._put_off(answer)
            return None
        await fault_point("movements.listed")
        return await self.note(listing, answer.body)

    async def note(self, listing: MovementListing, page: Mapping[str, Any]) -> MovementListing | None:
        """Note the rows of a page, ask for the journals that they need, and move the place, in one commit."""
        now, rows = self._clock(), page.get("data")
        judged, odd = wire.stripe_objects.read_each("balance transaction", rows, _judged)
        last = next((named for row in reversed(rows or ()) if (named := _id_of(row))), listing.page_after)
        newest = max((one.movement.made_at for one in judged), default=None)
        async with self._db.transaction() as tx:
            if not await store.movements.turn_page(tx, listing, last, newest):
                return None
            await self._note_rows(tx, judged, now)
            await odd_objects.keep(tx, odd, now, first_cause())
            if not isinstance(rows, list):
                await store.movements.start_over(tx, listing)
                return None
            if not page.get("has_more"):
                await store.movements.complete_listing(tx, now)
            await fault_point("movements.noted")
        return replace(listing, page_after=last) if page.get("has_more") else None

    # What was before, or was lost, from a date that a person names

    async def backfill(self) -> int:
        """List one page again of what a person asked for; 1 while there is more."""
        async with self._db.transaction() as tx:
            wanted = await store.backfills.under_way(tx)
        if wanted is None:
            return 0
        answer = await self._pace.read(
            Endpoint.BALANCE_ROWS, lambda: self._client.balance_transactions(wanted.since, wanted.page_after)
        )
        if classify(answer) is not StripeVerdict.DONE or not isinstance(answer.body.get("data"), list):
            self._put_off(answer)
            return 0
        await fault_point("movements.listed")
        return await self._note_again(wanted, answer.body)

    async def _note_again(self, wanted: Backfill, page: Mapping[str, Any]) -> int:
        now, rows = self._clock(), page["data"]
        judged, odd = wire.stripe_objects.read_each("balance transaction", rows, _judged)
        last = next((named for row in reversed(rows) if (named := _id_of(row))), wanted.page_after)
        before = [one for one in judged if one.movement.made_at <= wanted.opened_after]
        later = [one for one in judged if one.movement.made_at > wanted.opened_after]
        async with self._db.transaction() as tx:
            if not await store.backfills.turn_page(tx, wanted, last):
                return 0
            noted = await store.movements.note_before(tx, before, now)
            await telling.tell(tx, noted.told)
            await store.backfills.add_found(
                tx, wanted, len(noted.new) + await self._note_rows(tx, later, now)
            )
            await telling.tell_left(tx, now)
            await odd_objects.keep(tx, odd, now, first_cause())
            more = bool(page.get("has_more")) and bool(rows)
            if not more:
                await store.backfills.end(tx, wanted, now)
            await fault_point("movements.noted")
        return int(more)

    async def _note_rows(self, tx: Tx, judged: list[Judged], now: datetime) -> int:
        noted = await store.movements.note(tx, judged, now)
        journals = [message for one in noted.new if (message := wire.movements.movement_journal(one))]
        await outbox.stage(tx, journals)
        await telling.tell(tx, noted.told)
        for one in noted.new:
            metrics.MOVEMENTS.labels(one.standing).inc()
        await self._tell(tx, {o.movement.transaction_id: o.sentence for o in noted.new if o.sentence})
        await odd_objects.keep(tx, [wire.movements.odd_change(row) for row in noted.odd], now, first_cause())
        return len(noted.new)

    async def _tell(self, tx: Tx, unexplained: Mapping[str, str]) -> None:
        """Tell finance of each row that the books do not explain."""
        for transaction_id, sentence in unexplained.items():
            _log.warning(
                "a movement at Stripe is not explained",
                extra={"transaction": transaction_id, "sentence": sentence},
            )
            told = f"Stripe's balance transaction {transaction_id} is not in the books: {sentence}"
            await outbox.stage(
                tx,
                [
                    wire.notifications.finance_notification(
                        "movement_unexplained", transaction_id, told, first_cause()
                    )
                ],
            )

    # The comparison with the books

    async def compare(self) -> None:
        """Note which rows the books have by now, and show those that they lack after the grace."""
        now = self._clock()
        async with self._db.transaction() as tx:
            await store.movements.explain(tx, now)
        while await self._show_some(now):
            continue

    async def _show_some(self, now: datetime) -> int:
        async with self._db.transaction() as tx:
            shown = await store.movements.show_overdue(tx, now - self._policy.grace, SHOWN_AT_ONCE)
            await self._tell(tx, {name: overdue_sentence(row) for name, row in shown.items()})
            await store.rereads.request(tx, wire.movements.lost_payments(shown.values(), now), now)
        return len(shown)

    def _put_off(self, answer: StripeAnswer) -> None:
        level = logging.ERROR if classify(answer) is StripeVerdict.MISCONFIGURED else logging.INFO
        details = {"status": answer.status, "answer": answer.sentence}
        _log.log(level, "listing Stripe's balance transactions put off", extra=details)


def _judged(row: Mapping[str, Any]) -> Judged:
    return decide_movement(wire.movements.movement(row))


def _rows_of(answer: StripeAnswer) -> list[Any] | None:
    rows = answer.body.get("data")
    return rows if isinstance(rows, list) else None


def _ids(rows: list[Any] | None) -> list[str | None] | None:
    return None if rows is None else [_id_of(row) for row in rows]


def _id_of(row: Any) -> str | None:
    named = row.get("id") if isinstance(row, Mapping) else None
    return named if isinstance(named, str) and 0 < len(named) <= 100 and named.isprintable() else None
