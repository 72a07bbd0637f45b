from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.envelope import first_cause, uuid7
from fleet.inbox import Admitted, Unreadable
from schemas.journals import JournalPosted, JournalRequested
from services.ledger import wire
from services.ledger.domain.journals import (
    EntryRequest,
    Journal,
    JournalRequest,
    PostedJournal,
    RefusedJournal,
)
from services.ledger.domain.posting import decide_posting
from services.ledger.domain.validation import ValidRequest, validate
from services.ledger.domain.wallets import BALANCE_MAX, WALLET_KINDS, Balance
from tests.support.records import record

GOOD: dict[str, object] = {
    "source": "flight:F1:1",
    "event_type": "flight",
    "currency": "USD",
    "occurred_at": "2026-05-22T07:00:00-05:00",
    "entries": [{"wallet": "student:s-1", "amount": -100}, {"wallet": "platform:school", "amount": 100}],
}


def read(document: dict[str, object]) -> JournalRequested | RefusedJournal:
    return wire.journals.journal_requested(record(wire.journals.REQUESTED, orjson.dumps(document)))


def asked(document: dict[str, object]) -> JournalRequest | RefusedJournal:
    event = read(document)
    key = uuid7()
    return wire.journals.journal_request(
        Admitted(event=event, record=record(wire.journals.REQUESTED, b""), event_key=key, cause=first_cause())
    )


def test_a_request_keeps_its_instant_in_utc_and_the_event_that_asked() -> None:
    request = asked(GOOD)
    assert isinstance(request, JournalRequest)
    assert request.occurred_at == datetime(2026, 5, 22, 12, tzinfo=UTC)
    assert request.occurred_at.utcoffset() == datetime.now(UTC).utcoffset()
    assert request.request_event_id is not None
    assert [(entry.wallet, entry.currency, entry.amount) for entry in request.entries] == [
        ("student:s-1", "USD", -100),
        ("platform:school", "USD", 100),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "usd"),
        ("occurred_at", "yesterday"),
        ("occurred_at", "2026-05-22T07:00:00"),
        ("entries", [{"wallet": "student:s-1", "amount": 10**15 + 1}]),
        ("entries", [{"wallet": "student:s-1", "amount": 1.5}]),
        ("entries", [{"wallet": "nowhere", "amount": 1}]),
        ("entries", None),
        ("memo", "m" * 2001),
    ],
)
def test_a_request_that_breaks_the_schema_but_names_its_source_is_refused(field: str, value: object) -> None:
    refused = asked(GOOD | {field: value})
    assert isinstance(refused, RefusedJournal)
    assert (refused.source, refused.event_type, refused.reason) == ("flight:F1:1", "flight", "invalid")
    assert refused.sentence.startswith("journal flight:F1:1: ")
    assert field in refused.sentence


@pytest.mark.parametrize("missing", ["source", "event_type"])
def test_a_request_nobody_can_be_answered_for_is_unreadable(missing: str) -> None:
    with pytest.raises(Unreadable):
        read({key: value for key, value in GOOD.items() if key != missing})


def test_bytes_that_are_no_request_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="not JSON"):
        wire.journals.journal_requested(record(wire.journals.REQUESTED, b"nonsense"))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
CONTROLS = [chr(code) for code in (*range(32), 127)]
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS), max_size=100).map(
    lambda text: text.rstrip(" ") or "x"
)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=365 * 299)).map(
    lambda after: datetime(1900, 1, 2, tzinfo=UTC) + after
)
AMOUNTS = st.integers(1, 10**15)


@st.composite
def anything_asked(draw: st.DrawFn) -> JournalRequest:
    amount, wallets = draw(AMOUNTS), st.builds("{}:{}".format, st.sampled_from(WALLET_KINDS), NAMES)
    legs = zip(draw(st.tuples(wallets, wallets)), (amount, -amount), strict=True)
    return JournalRequest(
        journal_id=uuid7(),
        source=draw(NAMES),
        event_type=draw(NAMES),
        occurred_at=draw(INSTANTS),
        entries=tuple(EntryRequest(wallet=wallet, currency="USD", amount=leg) for wallet, leg in legs),
        memo=draw(TEXT),
    )


@given(
    request=anything_asked().filter(
        lambda asked: isinstance(validate(asked), ValidRequest)
    ),  # nearly all are
    amount=st.integers(-BALANCE_MAX + 10**15, BALANCE_MAX - 10**15),
    recorded_at=INSTANTS,
)
def test_whatever_may_stand_is_said_as_the_schema_would_say_it(
    request: JournalRequest, amount: int, recorded_at: datetime
) -> None:
    item = validate(request)
    assert isinstance(item, ValidRequest)
    there = {
        (entry.wallet, "USD"): Balance(wallet_id=1, amount=amount, version=7) for entry in request.entries
    }
    (journal,) = decide_posting([item], {}, there)
    assert isinstance(journal, Journal)
    message = wire.journals.journal_posted(
        PostedJournal(journal=journal, recorded_at=recorded_at), first_cause()
    )
    read_back = JournalPosted.model_validate_json(message.body)
    assert message.body == read_back.model_dump_json().encode()
    assert (read_back.journal_id, read_back.recorded_at) == (journal.journal_id, recorded_at)
    assert [entry.balance_after for entry in read_back.entries] == [
        entry.balance_after for entry in journal.entries
    ]
