"""Who was refused what: part of the audit."""

from typing import Final

from fleet.database import Tx

PATH_CHARS_MAX: Final = 300

_NOTE: Final = """
    INSERT INTO refused_access (person, method, path, why) VALUES (:person, :method, :path, :why)
"""


async def note(tx: Tx, *, person: str | None, method: str, path: str, why: str) -> None:
    """Keep a refusal. `path` has no query: a sign-in's code and a link's key are secrets."""
    await tx.execute(_NOTE, person=person, method=method[:10], path=path[:PATH_CHARS_MAX], why=why)
