"""What the gateway refuses, and why: a kind, a sentence that says the way out, and members of its own.

Pure; http/problems.py answers with them (RFC 9457). Nothing internal (no stack, no SQL, no secret) belongs
in a problem: a stranger reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# The kind's title. The kind itself is a problem's `type` and an anchor on the documentation page.
TITLES: Final[Mapping[str, str]] = {
    "malformed_body": "The body cannot be read",
    "signature_refused": "The webhook's signature is refused",
    "event_refused": "This endpoint does not take that event",
    "key_missing": "An API key is needed",
    "key_refused": "The API key is unknown or revoked",
    "scope_missing": "The API key may not do this",
    "not_found": "There is nothing here",
    "method_not_allowed": "This address takes another method",
    "too_slow": "The body did not arrive in time",
    "content_differs": "This revision was accepted with other content",
    "too_large": "The body is too large",
    "not_json": "The body must be plain JSON",
    "invalid_flight": "A flight is not valid",
    "invalid_check": "The request is not valid",
    "not_priced": "The planned flight cannot be priced",
    "internal": "Something went wrong here",
    "too_many": "This key makes too many requests",
    "try_again": "Not now; send it again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One refusal. `kind` is one of TITLES; `members` are the kind's own, as JSON values."""

    kind: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)


class ProblemRaised(Exception):
    """Carries a Problem from where it was found to the response."""

    def __init__(self, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.problem = Problem(kind=kind, detail=detail, members=members)
