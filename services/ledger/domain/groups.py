"""Groups: journals that are posted together or not at all."""

from collections.abc import Collection, Sequence

from services.ledger.domain.journals import Answer, JournalRequest, Refused, refuse


def refuse_reused_name(
    name: str, requests: Sequence[JournalRequest], posted: Collection[str]
) -> list[Refused]:
    """Refuse each request, when the group's name stands for other journals; empty: it does not.

    posted: the sources of the journals that were posted under this name.
    """
    if not posted or set(posted) == {request.source for request in requests}:
        return []
    why = f"group {name} is already posted with other journals: {', '.join(sorted(posted))}"
    return [refuse(request, "group_reused", why) for request in requests]


def refuse_all(requests: Sequence[JournalRequest], answers: Sequence[Answer]) -> list[Refused]:
    """Refuse a whole group of which a journal is refused: that one says why, the others name it."""
    blamed = next(answer for answer in answers if isinstance(answer, Refused))
    return [
        answer
        if isinstance(answer, Refused)
        else refuse(request, "group_refused", f"was asked together with another: {blamed.sentence}")
        for request, answer in zip(requests, answers, strict=True)
    ]
