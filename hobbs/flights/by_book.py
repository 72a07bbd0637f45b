"""Asks billing's rules what they would refuse of a file, by the school's book as it is now."""

from pydantic import ValidationError

from fleet.settings import Settings
from hobbs.flights.file import FlightsFile, ReadFlight, Rejected
from hobbs.shell.connections import DATABASE_ERRORS, reading
from hobbs.shell.output import say
from services.billing.desk import preview


async def judge_by_book(found: FlightsFile) -> None:
    """Move what the book refuses to the rejected rows; say why when nobody could be asked."""
    flights = [read.flight for read in found.flights]
    if not flights:
        return
    try:
        async with reading(Settings()) as database, database.transaction() as tx:
            refusals = await preview.refusals(tx, flights)
    except ValidationError:
        say("not checked against the school's book: no database is named (HOBBS_DATABASE_URL)")
        return
    except (OSError, *DATABASE_ERRORS) as error:
        say(f"not checked against the school's book: the database does not answer ({type(error).__name__})")
        return
    kept: list[ReadFlight] = []
    for read, refusal in zip(found.flights, refusals, strict=True):
        if refusal is None:
            kept.append(read)
            continue
        found.rejected.append(
            Rejected(
                line=read.line,
                flight_id=read.flight.flight_id,
                reason=refusal.reason,
                sentence=refusal.sentence,
            )
        )
    found.flights = kept
    found.rejected.sort(key=lambda row: row.line)
