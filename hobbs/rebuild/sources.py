"""Which services can be made anew from topics, and what stands against the others. Derived, not listed."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from fleet.decisions import REQUESTED, Action
from fleet.folders import folder_of
from fleet.redrives import topic_of
from schemas.services import BY_NAME, SERVICES
from schemas.topics import FOREVER, TOPICS

READS: Final = "reads.sql"
DESK: Final = "desk"
DECISIONS: Final = (DESK, "decisions.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a service's tables come from. topics: those it is made anew from.

    against: why it cannot be, a sentence each. to_keep: topics that would have to be kept for ever for it.
    """

    service: str
    topics: tuple[str, ...]
    against: tuple[str, ...]
    to_keep: tuple[str, ...]


def sources_of(service: str) -> Sources:
    """What one service is made of."""
    again = {REQUESTED, topic_of(service)}  # decisions of a moment, and records that are in their topics too
    leaving_rows = [
        topic
        for topic in TOPICS.values()
        if service in topic.consumers and service not in topic.only_answered_by and topic.name not in again
    ]
    to_keep = tuple(topic.name for topic in leaving_rows if topic.retention_ms != FOREVER)
    return Sources(
        service=service,
        topics=tuple(topic.name for topic in leaving_rows),
        against=tuple(_against(service, to_keep)),
        to_keep=to_keep,
    )


def all_sources() -> list[Sources]:
    """Of every service."""
    return [sources_of(service) for service in SERVICES]


def _against(service: str, to_keep: tuple[str, ...]) -> list[str]:
    folder, registered = folder_of(service), BY_NAME[service]
    said = []
    if registered.stripe_key:
        said.append("Stripe's answers are in its tables only: what was sent must be known from there")
    if registered.http:
        said.append("what came over HTTP is in its tables only")
    if to_keep:
        said.append(f"not kept for ever: {', '.join(to_keep)}")
    if (folder / READS).exists() and _is_made_by_others(service, folder):
        said.append("it reads other services' views as they are now, not as they were")
    if _people_change(service, folder):
        said.append("people's decisions changed its tables, and each is valid for seconds only")
    return said


def _is_made_by_others(service: str, folder: Path) -> bool:
    """Whether more than people's decisions read what other services say."""
    names = [f"{other}_public." for other in SERVICES if other != service]
    code = [*(folder / "functions").glob("*.sql"), *folder.rglob("*.py")]
    return any(
        name in file.read_text()
        for file in code
        if DESK not in file.relative_to(folder).parts
        for name in names
    )


def _people_change(service: str, folder: Path) -> bool:
    """Whether people may decide something that changes the service's tables."""
    if not folder.joinpath(*DECISIONS).exists():
        return False
    actions: Mapping[str, Action] = import_module(f"services.{service}.desk.decisions").ACTIONS
    return any(action.changes_tables for action in actions.values())
