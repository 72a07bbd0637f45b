"""What a file says of people's names and addresses, compared with what is kept of them. Pure.

They are in no card: they go out on `contact.changed` and are kept where they can be erased (decision 0314).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from schemas.contacts import ContactChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedContact:
    """What one card of the file says of a person; an empty text: nothing."""

    wallet: str
    effective_from: date
    full_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptContact:
    """What is kept of a person; an empty text: nothing."""

    full_name: str = ""
    email: str = ""
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDifference:
    """A person of whom the file says something else than what is kept. `anew`: although they were erased."""

    wallet: str
    old: KeptContact
    new: KeptContact
    anew: bool = False

    @property
    def what(self) -> str:
        """Added or changed."""
        return "changed" if self.old.full_name or self.old.email else "added"


def contact_differences(
    stated: Iterable[StatedContact], kept: Mapping[str, KeptContact], *, anew: Collection[str] = ()
) -> tuple[list[ContactDifference], list[str]]:
    """What is to be published, and who is left out because they were erased; both by wallet.

    Of several cards of one person the latest one that says a name (an address) says it. A person of whom the
    file says nothing any more loses what is kept; one who is not in the file keeps it. anew: wallets of
    erased people who are stated again on purpose.
    """
    found, left_out = [], []
    for wallet, new in sorted(_newest(stated).items()):
        old = kept.get(wallet, KeptContact())
        if (old.full_name, old.email) == (new.full_name, new.email):
            continue
        if old.erased_at is not None and wallet not in anew:
            left_out.append(wallet)
            continue
        found.append(ContactDifference(wallet=wallet, old=old, new=new, anew=old.erased_at is not None))
    return found, left_out


def _newest(stated: Iterable[StatedContact]) -> dict[str, KeptContact]:
    newest: dict[str, KeptContact] = {}
    for one in sorted(stated, key=lambda contact: contact.effective_from):
        before = newest.get(one.wallet, KeptContact())
        newest[one.wallet] = KeptContact(
            full_name=one.full_name.strip() or before.full_name, email=one.email.strip() or before.email
        )
    return newest


def contact_events(changed: Sequence[ContactDifference], at: datetime) -> list[ContactChanged]:
    """The differences as events."""
    return [
        ContactChanged(
            wallet=one.wallet, full_name=one.new.full_name, email=one.new.email, stated_at=at, anew=one.anew
        )
        for one in changed
    ]


def contact_text(one: ContactDifference) -> str:
    """What changed, as `hobbs school apply` shows it."""
    sides = [("name", one.old.full_name, one.new.full_name), ("email", one.old.email, one.new.email)]
    return ", ".join(
        f"{what} {new or '(none)'}" if not old else f"{what} {old} -> {new or '(none)'}"
        for what, old, new in sides
        if old != new
    )
