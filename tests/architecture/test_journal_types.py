"""Every journal that a service asks for is of a type and source that schemas/journal_types.py lists."""

import ast
import re
from collections.abc import Iterator
from typing import get_args

from schemas.journal_types import REGISTERED
from schemas.proved import PROVED
from services.payouts.domain.movements import MovementEventType
from services.receivables.domain.postings import EventType
from tests.architecture.test_house_rules import tracked

WALLETS = {"student", "instructor", "aircraft_owner"}
NO_SOURCES = {
    "clawback",
    "school",
    "dispatch",
    "group",
    "limit",
    "balance",
    "daily",
    "weekly",
    "operator",
    "op",
    # causes of charges
    "day",
    "threshold",
    "dunning",
    # causes of changes of a limit
    "rise",
    # what a break is of
    "line",
    "journal",
    "match",
    "opening",
    # what a mismatch is of
    "meter",
    "payee",
    "source",
}  # names of other things
BEGINNING = re.compile(r'f"([a-z][a-z_-]*):\{')
PREFIXES = {one.prefix for one in REGISTERED}


def test_every_source_begins_as_it_is_registered() -> None:
    found = {
        prefix
        for path in tracked("services/*.py")
        if "stripe" not in path.parts
        for prefix in BEGINNING.findall(path.read_text(encoding="utf-8"))
    }
    assert found - WALLETS - NO_SOURCES <= PREFIXES
    unused = PREFIXES - found
    assert unused == {"revert"}, "the ledger names its reverts itself"


def test_who_has_journals_may_ask_the_ledger() -> None:
    assert {one.service for one in REGISTERED} == {*PROVED["journal.requested"].by, "ledger"}


def event_types() -> Iterator[str]:
    """What the modules that write journals name as event types, in a call."""
    yield from (*get_args(EventType), *get_args(MovementEventType))
    for path in tracked("services/*.py"):
        text = path.read_text(encoding="utf-8")
        if not ("JournalRequested" in text and "wire" in path.parts):
            continue
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.keyword)
                and node.arg == "event_type"
                and isinstance(node.value, ast.Constant)
            ):
                yield str(node.value.value)


def test_every_event_type_is_registered() -> None:
    found = set(event_types())
    assert {"flight", "transfer", "payment"} <= found
    assert found <= {one.event_type for one in REGISTERED}
