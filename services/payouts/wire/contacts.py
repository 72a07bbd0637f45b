"""What is stated of people, into payouts' terms."""

from fleet.envelope import Record
from fleet.inbox import read
from schemas.contacts import ContactChanged
from services.payouts.domain.contacts import Contact


def contact_changed(record: Record) -> Contact:
    """Read what was stated of a person."""
    event = read(record, ContactChanged)
    return Contact(
        wallet=event.wallet,
        full_name=event.full_name.strip(),
        email=event.email.strip(),
        stated_at=event.stated_at,
        anew_at=event.stated_at if event.anew else None,
    )
