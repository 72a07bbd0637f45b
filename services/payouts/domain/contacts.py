"""What people are called and where mail reaches them: which of several statements stands. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

_PERSON: Final = re.compile(r"(?:student|instructor|aircraft_owner):[^\x00-\x1f\x7f]{1,100}")


def is_person(wallet: object) -> bool:
    """Whether a wallet is a person's."""
    return isinstance(wallet, str) and _PERSON.fullmatch(wallet) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What was stated of a person. `anew_at`: when it was stated although they were erased, on purpose."""

    wallet: str
    full_name: str
    email: str
    stated_at: datetime
    anew_at: datetime | None = None


def newest(contacts: Iterable[Contact]) -> list[Contact]:
    """The newest statement of each person, by wallet; it is anew when it, or one before it, was."""
    standing: dict[str, Contact] = {}
    for one in sorted(contacts, key=lambda contact: contact.stated_at):
        before = standing.get(one.wallet)
        anew_at = one.anew_at or (before.anew_at if before else None)
        standing[one.wallet] = replace(one, anew_at=anew_at)
    return [standing[wallet] for wallet in sorted(standing)]
