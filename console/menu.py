"""The menu: what each person finds, and nothing that they may not open. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.roles import HOLDERS, INSTRUCTOR, OWNER, STAFF, STUDENT, Person

# Pages that no line of the menu leads to, with the line they belong to.
UNDER: Final = {
    "journals": "/wallets",
    "acts": "/audit",
    "statements": "/wallets",
    "students": "/accounts",
    "margin": "/margin/aircraft",
    "rate-changes": "/rates",
}
PAID: Final = frozenset({INSTRUCTOR, OWNER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the menu."""

    title: str
    address: str
    roles: frozenset[str] = STAFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines that belong together."""

    title: str
    entries: Sequence[Entry]


GROUPS: Final = (
    Group(title="Every day", entries=(
        Entry(title="Overview", address="/"),
        Entry(title="Corrections", address="/corrections"),
        Entry(title="Settlements", address="/settlements"),
        Entry(title="Transfers", address="/transfers"),
        Entry(title="Payees", address="/payees"),
    )),
    Group(title="Money in", entries=(
        Entry(title="Payments", address="/payments"),
        Entry(title="Without a student", address="/payments/unallocated"),
        Entry(title="By hand", address="/payments/by-hand"),
        Entry(title="Deposits", address="/payments/deposits"),
        Entry(title="Disputes", address="/payments/disputes"),
        Entry(title="Unexplained rows", address="/movements"),
    )),
    Group(title="Students", entries=(
        Entry(title="Ageing", address="/accounts"),
        Entry(title="Open items", address="/accounts/items"),
        Entry(title="Dunning", address="/dunning"),
        Entry(title="Credit", address="/credit"),
        Entry(title="Limits crossed", address="/credit/crossings"),
        Entry(title="Allowances", address="/allowances"),
        Entry(title="Limit changes", address="/credit/changes"),
        Entry(title="Refunds, credits", address="/notes"),
        Entry(title="Saved cards", address="/cards"),
        Entry(title="Card charges", address="/charges"),
    )),
    Group(title="At Stripe", entries=(
        Entry(title="Reserve", address="/reserve"),
        Entry(title="Reconciliation", address="/reconciliation"),
        Entry(title="Breaks", address="/reconciliation/breaks"),
        Entry(title="Flights compared", address="/reconciliation/flights"),
    )),
    Group(title="Books", entries=(
        Entry(title="Flights", address="/flights"),
        Entry(title="Margin", address="/margin/aircraft"),
        Entry(title="Refused flights", address="/flights/refused"),
        Entry(title="Wallets", address="/wallets"),
        Entry(title="Rates", address="/rates"),
        Entry(title="Changes to approve", address="/rate-proposals"),
    )),
    Group(title="Watch", entries=(
        Entry(title="Dead letters", address="/dead"),
        Entry(title="Readers", address="/readers"),
        Entry(title="Questions", address="/questions"),
        Entry(title="Audit", address="/audit"),
        Entry(title="Refused accesses", address="/audit/refused"),
        Entry(title="Settings", address="/settings"),
    )),
    Group(title="Mine", entries=(
        Entry(title="My money", address="/own", roles=HOLDERS),
        Entry(title="My flights", address="/own/flights", roles=HOLDERS),
        Entry(title="My account", address="/own/statement", roles=HOLDERS),
        Entry(title="My statements", address="/own/statements", roles=HOLDERS),
        Entry(title="My transfers", address="/own/transfers", roles=PAID),
        Entry(title="My payments", address="/own/payments", roles=frozenset({STUDENT})),
        Entry(title="My open items", address="/own/items", roles=frozenset({STUDENT})),
        Entry(title="Pay, and my card", address="/own/card", roles=frozenset({STUDENT})),
        Entry(title="Charges of my card", address="/own/charges", roles=frozenset({STUDENT})),
        Entry(title="What I was asked", address="/own/requests", roles=frozenset({STUDENT})),
        Entry(title="My corrections", address="/own/corrections", roles=HOLDERS),
        Entry(title="My questions", address="/own/questions", roles=HOLDERS),
    )),
)  # fmt: skip


def menu(person: Person) -> list[Group]:
    """The groups of the menu with what this person may open."""
    groups = [
        Group(title=group.title, entries=[one for one in group.entries if person.has(one.roles)])
        for group in GROUPS
    ]
    return [group for group in groups if group.entries]


def here(groups: Sequence[Group], path: str) -> str:
    """The address of the menu's line that a page belongs to: the longest that its path begins with."""
    fitting = [
        one.address
        for group in groups
        for one in group.entries
        if path == one.address or (one.address != "/" and path.startswith(one.address + "/"))
    ]
    return max(fitting, key=len, default=UNDER.get(path.split("/")[1], ""))
