"""What a person is called and where mail reaches them: kept for a week in a topic, and in one table.

No other event holds a name or an address of a person (docs/data-inventory.md, decision 0314).
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from schemas.fields import Event, Instant

Wallet = Annotated[
    str, Field(pattern=r"^(student|instructor|aircraft_owner):[^\x00-\x1f\x7f]{0,99}[^\x00-\x20\x7f]$")
]
Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ContactChanged(Event):
    """What the school's book says of a person since `stated_at`; an empty text: it says nothing.

    The newest statement stands. A person who was erased stays so, unless this is stated `anew`, on purpose.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "wallet": "instructor:instructor-01",
                    "full_name": "Robin Example",
                    "email": "robin@example.org",
                    "stated_at": "2026-05-22T12:00:00Z",
                }
            ]
        }
    )

    wallet: Wallet
    full_name: Text = ""
    email: Text = ""
    stated_at: Instant
    anew: Annotated[bool, Field(strict=True)] = False
