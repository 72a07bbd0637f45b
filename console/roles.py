"""Who a person is in the console, and what they may see and have decided. Pure."""

from dataclasses import dataclass
from typing import Final

VIEWER, PREPARER, APPROVER, ADMIN, OPERATIONS = "viewer", "preparer", "approver", "admin", "operations"
INSTRUCTOR, OWNER, STUDENT = "instructor", "owner", "student"
FINANCE: Final = frozenset({VIEWER, PREPARER, APPROVER, ADMIN})
STAFF: Final = FINANCE | {OPERATIONS}
# A holder's role, and how the wallets it may hold begin.
WALLET_KINDS: Final = {INSTRUCTOR: "instructor", OWNER: "aircraft_owner", STUDENT: "student"}
HOLDERS: Final = frozenset(WALLET_KINDS)
ROLES: Final = STAFF | HOLDERS
# The role that a service asks for (fleet/decisions.py), for each role here that may have something decided.
_ASKS_AS: Final = {PREPARER: "finance", APPROVER: "finance", ADMIN: "finance", OPERATIONS: "operations"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in. `name` is what the audit knows them by; `wallet` is whose money a holder sees."""

    name: str
    shown_name: str
    roles: frozenset[str]
    wallet: str | None = None

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF)

    @property
    def sees_money(self) -> bool:
        """Finance sees every amount; operations sees what stands still, amounts included."""
        return self.is_staff

    def has(self, roles: frozenset[str]) -> bool:
        return bool(self.roles & roles)

    @property
    def asks_as(self) -> list[str]:
        """The roles that a decision of this person names: of a holder, the wallet."""
        held = {self.wallet} if self.wallet and self.roles & HOLDERS else set()
        return sorted({_ASKS_AS[role] for role in self.roles if role in _ASKS_AS} | held)


def known_roles(claimed: object, wallet: object) -> tuple[frozenset[str], str | None]:
    """The roles of a claim that the console knows, and the wallet, if it is of a kind that the role may hold.

    A claim is a list of texts, or one text with blanks between roles. A holder's role without a wallet of its
    kind is dropped, and a wallet without such a role: nobody sees money because a claim was half filled in.
    """
    listed = claimed.split() if isinstance(claimed, str) else claimed if isinstance(claimed, list) else []
    roles = {role for role in listed if isinstance(role, str) and role in ROLES}
    address = wallet if isinstance(wallet, str) else ""
    kind, _, key = address.partition(":")
    fitting = {role for role in roles & HOLDERS if WALLET_KINDS[role] == kind and key}
    return frozenset(roles & STAFF | fitting), address if fitting else None
