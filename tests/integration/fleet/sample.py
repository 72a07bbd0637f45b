"""A business for the machinery's tests: a thing happens, and its effect is a row."""

from collections.abc import Sequence

from pydantic import BaseModel

from fleet import inbox, outbox
from fleet.database import Database
from fleet.dead_letters import Refusal, bury
from fleet.envelope import Message, Record


class Thing(BaseModel):
    name: str
    refused: bool = False


def read_thing(record: Record) -> Thing:
    return inbox.read(record, Thing)


async def record_things(database: Database, batch: Sequence[Record]) -> int:
    """One row and one follow-up event for each new thing; how many were new."""
    async with database.transaction() as tx:
        things = await inbox.admit(tx, batch, read_thing, natural_key=lambda thing: thing.name)
        await bury(
            tx,
            [
                Refusal(
                    admitted=t, reason="refused", sentence=f"{t.event.name} is refused", subject=t.event.name
                )
                for t in things
                if t.event.refused
            ],
        )
        accepted = [t for t in things if not t.event.refused]
        for thing in accepted:
            await tx.execute(
                "INSERT INTO effect (name) VALUES (:name)"
                " ON CONFLICT (name) DO UPDATE SET times = effect.times + 1",
                name=thing.event.name,
            )
        await outbox.stage(
            tx,
            [Message(topic="thing.done", key=t.event.name, event=t.event, cause=t.cause) for t in accepted],
        )
    return len(things)


async def effects(database: Database) -> dict[str, int]:
    async with database.transaction() as tx:
        return {row.name: row.times for row in await tx.all("SELECT name, times FROM effect")}


async def letters(database: Database) -> list[tuple[str, str, int]]:
    """(reason, state, attempts) of every dead letter, in order."""
    async with database.transaction() as tx:
        rows = await tx.all("SELECT reason, state, attempts FROM dead_letter ORDER BY id")
    return [(row.reason, row.state, row.attempts) for row in rows]
