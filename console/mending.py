"""What a person does about a refused record, by its reason (docs/operations/dead-letters.md). Pure."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What to do, and the page where one begins."""

    says: str
    link: str | None = None
    link_title: str = ""


_BROKEN: Final = Mend(
    says="Whoever published it sent no valid event. Have them send a correct one, then discard this."
)
_LOST: Final = Mend(
    says="Its content is not kept. Have it sent again, then discard this: it cannot be sent from here."
)
_FORGED: Final = Mend(says="Nobody who may has signed it. Find who can publish there, then discard it.")
_BOOK: Final = Mend(
    says="The school's book lacks what this needs. Put it there, then send this again: it is billed as it "
    "came. If the record itself is wrong, correct it here (a flight), or have a corrected one published and "
    "discard this.",
    link="/rates",
    link_title="The book's cards",
)
_FACTS: Final = Mend(
    says="A rule refused what it says. Where the record is wrong, correct it here (a flight), or have a "
    "corrected one published and discard this. Where the rule's cause is mended, send this again."
)
_BY_REASON: Final = {
    **dict.fromkeys(
        ("null_value", "not_utf8", "not_json", "not_an_object", "nul_character", "invalid", "invalid_event"),
        _BROKEN,
    ),
    **dict.fromkeys(("oversized", "unreadable"), _LOST),
    **dict.fromkeys(
        (
            *("not_in_the_ledger", "not_as_in_the_ledger", "no_such_topic", "not_attested", "not_proved"),
            "not_vouched",
            "belongs_to_a_service",
        ),
        _FORGED,
    ),
    "event_id_reused": Mend(
        says="One id came with two contents, and the first counts. Ask the publisher which is right: a "
        "correction is a new revision. Then discard this."
    ),
    "unforeseen": Mend(
        says="No rule foresaw it: report it with the line of the service's log. Send it again once a release "
        "handles it."
    ),
}


def mend_of(reason: str) -> Mend:
    """What to do about a refusal for this reason."""
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    return _BOOK if reason.startswith(("unknown_", "no_")) else _FACTS
