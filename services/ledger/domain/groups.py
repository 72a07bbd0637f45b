"""Groups: journals that are posted together or not at all."""

from collections.abc import Collection, Sequence

from services.ledger.domain.journals import JournalReply, JournalRequest, RefusedJournal, refuse


def refuse_reused_name(
    name: str, requests: Sequence[JournalRequest | RefusedJournal], posted: Collection[str]
) -> list[RefusedJournal]:
    """Refuse each request if the group's name is used for other journals; empty: it is not.

    posted: the sources of the journals that were posted under this name.
    """
    if not posted or set(posted) == {request.source for request in requests}:
        return []
    why = f"group {name} is already posted with other journals: {', '.join(sorted(posted))}"
    return [refuse(request, "group_reused", why) for request in requests]


def refuse_all(
    requests: Sequence[JournalRequest | RefusedJournal], replies: Sequence[JournalReply]
) -> list[RefusedJournal]:
    """Refuse every request of a group, since one is refused: its own refusal stays, the others quote it."""
    blamed = next(reply for reply in replies if isinstance(reply, RefusedJournal))
    return [
        reply
        if isinstance(reply, RefusedJournal)
        else refuse(request, "group_refused", f"was asked together with another: {blamed.sentence}")
        for request, reply in zip(requests, replies, strict=True)
    ]
