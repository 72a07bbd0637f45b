"""A request to notify a person, for a service that sends mail or messages."""

from typing import Literal

from pydantic import ConfigDict, Field

from schemas.fields import Event, Identifier, Sentence


class NotificationRequested(Event):
    """`kind` names the template, `about` the object, `facts` the values; no address, no personal data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recipient_kind": "instructor",
                    "recipient": "instructor-01",
                    "kind": "transfer_sent",
                    "about": "01890a5d-ac96-774b-bcce-b302099a8057",
                    "sentence": "87.50 USD is on its way to your Stripe account.",
                    "facts": {"amount": "8750", "currency": "USD"},
                }
            ]
        }
    )

    recipient_kind: Literal["student", "instructor", "aircraft_owner", "finance", "operator"]
    recipient: Identifier
    kind: Identifier
    about: Identifier
    sentence: Sentence
    facts: dict[str, str] = Field(default_factory=dict)
