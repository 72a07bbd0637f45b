"""What services say to each other is proved: all of it, by those whom the table of topics names."""

from fleet.folders import ROOT
from schemas.proved import PROVED, Proved
from schemas.services import SCHEDULING, SERVICES
from schemas.topics import TOPICS

# Webhooks carry a proof in their body (schemas/attestation.py).
PROVED_OTHERWISE = {"stripe.webhook"}
# Journals and limits of people are by their login (docs/decisions/0326, 0332): nobody asks for them here.
OF_NOBODY = dict.fromkeys(("group.requested", "limit.requested"), Proved(by=(), read_by=("ledger",)))


def test_each_topic_from_service_to_service_is_proved() -> None:
    expected: dict[str, Proved] = {}
    for topic in TOPICS.values():
        publishers = (topic.owner, *topic.also_from)
        by = tuple(who for who in publishers if who in SERVICES)
        to_itself = topic.name == f"{topic.owner}.redrive"
        if by and topic.consumers and not to_itself and topic.name not in PROVED_OTHERWISE:
            expected[topic.name] = Proved(
                by=by,
                read_by=topic.consumers,
                others=len(by) < len(publishers),
                foreign=SCHEDULING in publishers,
            )
    assert expected | OF_NOBODY == PROVED


def test_each_service_asks_for_proofs() -> None:
    """A shadow's payouts (deciding.py) has no keys and asks nobody."""
    for service in SERVICES:
        text = (ROOT / "services" / service / "app.py").read_text(encoding="utf-8")
        assert text.count("Worker(") == text.count("proved=PROVED)") == 1, service
