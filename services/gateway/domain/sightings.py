"""What an event of Stripe's is for this deployment: its mode, its payload, and its API version. Pure.

A test-mode event at a live deployment is dropped: Stripe sends them to live Connect endpoints by design
(docs.stripe.com/connect/webhooks). A live event at a test deployment is refused: decision 0195 says why.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What becomes of a verified event."""

    PUBLISHED = "published"
    DROPPED = "dropped"  # of test mode, this deployment is live
    REFUSED = "refused"  # of live mode, this deployment is a test


class Reading(StrEnum):
    """How an event is read: a snapshot by its version beside the one whose shapes are known, or a thin event.

    Versions with the same name (2026-09-30.endive, 2026-10-28.endive) are compatible
    (docs.stripe.com/api/versioning).
    """

    PINNED = "pinned"
    SAME_RELEASE = "same_release"
    OLDER = "older"
    NEWER = "newer"
    NO_VERSION = "none"
    THIN = "thin"
    THIN_UNREAD = "thin_unread"  # no service acts on its type


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An event that came, without its content. api_version: "" of one that has none."""

    endpoint: str
    verdict: Verdict
    livemode: bool
    reading: Reading
    api_version: str
    event_id: str
    event_type: str
    seen_at: datetime


LIVE_AT_TEST: Final = "live_at_test"
OTHER_MODES: Final = (LIVE_AT_TEST, "test_at_live_platform", "test_at_live_connect")


def other_mode(verdict: Verdict, endpoint: str) -> str | None:
    """Name what an event of the other mode is: one of OTHER_MODES; None when it is of ours."""
    if verdict is Verdict.PUBLISHED:
        return None
    return LIVE_AT_TEST if verdict is Verdict.REFUSED else f"test_at_live_{endpoint}"


def decide_verdict(livemode: bool, *, ours: bool) -> Verdict:
    """Say what becomes of an event of this mode. ours: whether this deployment is live."""
    if livemode is ours:
        return Verdict.PUBLISHED
    return Verdict.DROPPED if ours else Verdict.REFUSED


def compare_versions(version: str | None, pinned: str) -> Reading:
    """Compare an event's version with the pinned one: `<date>.<name>`, or a date alone before 2024-09-30."""
    if version is None:
        return Reading.NO_VERSION
    if version == pinned:
        return Reading.PINNED
    date, _, name = version.partition(".")
    pinned_date, _, pinned_name = pinned.partition(".")
    if name and name == pinned_name:
        return Reading.SAME_RELEASE
    return Reading.OLDER if date < pinned_date else Reading.NEWER
