"""Reading Stripe's envelope and schedulers' flights: hostile bytes become a problem, never an error."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from stripe.v2.core import EventNotification

from fleet.envelope import Record, event_key_of
from schemas.flights import FlightCompleted, FlightCorrected
from schemas.stripe_webhooks import API_VERSION
from services.gateway import wire
from services.gateway.domain.flights import FlightOffered, decide_reception, flight_event_id
from services.gateway.domain.problems import TITLES, ProblemRaised
from services.gateway.domain.sightings import Reading, Verdict
from services.gateway.http.problems import STATUSES, problem_response

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.succeeded",
    "livemode": False,
    "created": 1_779_451_200,
    "data": {"object": {"id": "ch_1", "object": "charge"}},
}
FLIGHT = {"flight_id": "F1", "date": "2026-05-22", "student": "student-01", "flight_hours": "1.3"}


def read(document: object, endpoint: wire.Endpoint = "platform", livemode: bool = False) -> wire.ReadWebhook:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return wire.read_webhook(body, endpoint=endpoint, livemode=livemode, received_at=NOW)


def refusal_of(document: object, **expected: Any) -> str:
    with pytest.raises(ProblemRaised) as raised:
        read(document, **expected)
    return str(raised.value.problem.members.get("reason", raised.value.problem.kind))


def test_a_stripe_event_is_attested_and_keyed_by_its_object() -> None:
    webhook = read(EVENT)
    assert webhook.key == "ch_1"
    assert json.loads(webhook.event.body) == EVENT
    assert webhook.event.attested is True
    assert webhook.event.created_at == datetime(2026, 5, 22, 12, tzinfo=UTC)


def test_a_delivery_repeated_is_the_same_event() -> None:
    first, again = read(EVENT), read(EVENT | {"pending_webhooks": 3})
    assert (first.event_id, first.content) == (again.event_id, again.content)
    assert first.content != read(EVENT | {"data": {}}).content
    assert read(EVENT).event_id != read(EVENT | {"id": "evt_2"}).event_id


def test_one_event_rendered_in_two_api_versions_is_the_same_event() -> None:
    """Two endpoints may have two versions, /v1/events a third: docs.stripe.com/webhooks/versioning"""
    old = EVENT | {
        "api_version": "2020-08-27",
        "data": {"object": {"id": "ch_1", "object": "charge", "x": 1}},
    }
    assert read(old).content == read(EVENT | {"api_version": "2025-09-30.clover"}).content
    assert read(EVENT | {"type": "charge.updated"}).content != read(EVENT).content


def test_the_inbox_names_the_event_as_the_gateway_does() -> None:
    record = Record(
        topic="stripe.webhook",
        partition=0,
        offset=0,
        key=None,
        value=b"",
        headers={"ce_source": "stripe", "ce_id": "evt_1"},
        timestamp=NOW,
    )
    assert event_key_of(record, None) == read(EVENT).event_id


def test_an_event_is_taken_only_at_its_own_endpoint_and_in_its_own_mode() -> None:
    connect = EVENT | {"account": "acct_1"}
    assert read(connect, "connect").event.account == "acct_1"
    assert refusal_of(connect) == "wrong_endpoint"
    assert refusal_of(EVENT, endpoint="connect") == "wrong_endpoint"
    assert read(EVENT).verdict is Verdict.PUBLISHED
    assert read(EVENT | {"livemode": True}).verdict is Verdict.REFUSED
    assert read(EVENT, livemode=True).verdict is Verdict.DROPPED
    assert read(EVENT | {"livemode": True}, livemode=True).verdict is Verdict.PUBLISHED


THIN: dict[str, Any] = {
    "id": "evt_test_65RM8sQH9UqDGMBuG",
    "object": "v2.core.event",
    "type": "v2.core.account[requirements].updated",
    "livemode": False,
    "created": "2026-05-22T12:00:00.123Z",
    "context": "acct_1",
    "reason": {"type": "request", "request": {"id": "v2_r_1", "idempotency_key": "k"}},
    "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
}


def test_a_thin_event_is_kept_with_what_it_names() -> None:
    """Its shape: docs.stripe.com/api/v2/core/events/object, and the library's EventNotification."""
    webhook = read(THIN, "connect")
    event = webhook.event
    assert (event.event_type, event.account, event.context) == (THIN["type"], "acct_1", "acct_1")
    assert event.related_object is not None
    assert event.related_object.model_dump() == THIN["related_object"]
    assert event.created_at == datetime(2026, 5, 22, 12, 0, 0, 123_000, UTC)
    assert json.loads(event.body) == {name: value for name, value in THIN.items() if name != "reason"}
    assert (webhook.key, webhook.reading, event.api_version) == ("acct_1", Reading.THIN, None)


def test_a_thin_event_reads_as_stripes_library_reads_it() -> None:
    theirs = EventNotification.from_json(json.dumps(THIN), stripe.StripeClient("sk_test_1"))
    ours = read(THIN).event
    assert (ours.event_id, ours.event_type, ours.livemode) == (theirs.id, theirs.type, theirs.livemode)
    assert str(theirs.context) == ours.context
    assert ours.related_object is not None
    assert vars(theirs.related_object) == ours.related_object.model_dump()  # type: ignore[attr-defined]


def test_a_thin_event_may_come_to_either_endpoint_and_name_nothing() -> None:
    own = THIN | {"context": None, "related_object": None}
    assert read(own).key == own["id"]
    assert read(own, "connect").event.account is None
    assert read(THIN | {"context": "acct_platform/acct_2"}).event.account == "acct_2"


def test_a_thin_event_that_no_service_acts_on_is_told_apart() -> None:
    """Thin events of v1 objects: docs.stripe.com/changelog/endive/2026-09-30"""
    assert read(THIN | {"type": "v1.charge.succeeded"}).reading is Reading.THIN_UNREAD
    assert read(THIN | {"type": "v1.account.updated"}).reading is Reading.THIN


@pytest.mark.parametrize(
    ("version", "reading"),
    [
        (API_VERSION, Reading.PINNED),
        ("2026-09-30.endive", Reading.SAME_RELEASE),
        ("2026-11-25.endive", Reading.SAME_RELEASE),
        ("2026-08-26.dahlia", Reading.OLDER),
        ("2020-08-27", Reading.OLDER),
        ("2027-03-31.fuchsia", Reading.NEWER),
        (None, Reading.NO_VERSION),
        ({"odd": 1}, Reading.NO_VERSION),
        ("latest", Reading.NO_VERSION),
    ],
)
def test_an_events_version_is_told_from_the_pinned_one(version: object, reading: Reading) -> None:
    webhook = read(EVENT | {"api_version": version})
    assert webhook.reading is reading
    assert webhook.sighting().api_version == (version if isinstance(webhook.event.api_version, str) else "")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", "malformed_body"),
        (b"{", "malformed_body"),
        (b"", "malformed_body"),
        (b"[]", "malformed_body"),
        (b"null", "malformed_body"),
        (b"[" * 100_000, "malformed_body"),
        ({"object": "v2.core.event"}, "event_refused"),
        (THIN | {"context": {}}, "event_refused"),
        (THIN | {"related_object": "acct_1"}, "event_refused"),
        (EVENT | {"object": "v3.event"}, "event_refused"),
        (EVENT | {"id": None}, "event_refused"),
        (EVENT | {"id": "x" * 200}, "event_refused"),
        (EVENT | {"id": 7}, "event_refused"),
        (EVENT | {"type": ["x"]}, "event_refused"),
        (EVENT | {"livemode": "false"}, "event_refused"),
        (EVENT | {"account": {}}, "event_refused"),
    ],
)
def test_what_is_not_an_event_is_a_clean_refusal(body: object, kind: str) -> None:
    assert refusal_of(body) == kind


@pytest.mark.parametrize("created", [None, "soon", True, -1, 10**18])
def test_an_event_of_unknown_age_counts_as_made_when_it_came(created: object) -> None:
    assert read(EVENT | {"created": created}).event.created_at == NOW


@pytest.mark.parametrize("data", [None, [], {}, {"object": None}, {"object": {"id": 3}}])
def test_an_event_about_nothing_named_is_keyed_by_itself(data: object) -> None:
    assert read(EVENT | {"data": data}).key == "evt_1"


def test_flights_come_alone_or_in_hundreds() -> None:
    assert len(wire.read_flights(json.dumps(FLIGHT).encode(), FlightCompleted)) == 1
    many = [FLIGHT | {"flight_id": f"F{n}"} for n in range(500)]
    assert len(wire.read_flights(json.dumps(many).encode(), FlightCompleted)) == 500
    for wrong in ([*many, FLIGHT], []):
        with pytest.raises(ProblemRaised, match="1 to 500"):
            wire.read_flights(json.dumps(wrong).encode(), FlightCompleted)


def test_each_fault_is_pointed_at_and_nothing_sent_is_echoed() -> None:
    wrong = [FLIGHT, FLIGHT | {"hobbs_in": "secret words"}, {"student": "x"}, 7]
    with pytest.raises(ProblemRaised) as raised:
        wire.read_flights(json.dumps(wrong).encode(), FlightCompleted)
    errors = raised.value.problem.members["errors"]
    assert {e["pointer"] for e in errors} == {"#/1/hobbs_in", "#/2/flight_id", "#/3"}
    assert b"secret" not in problem_response(raised.value.problem, "r").body


def test_a_correction_names_its_revision_reason_and_author() -> None:
    body = json.dumps(FLIGHT).encode()
    with pytest.raises(ProblemRaised) as raised:
        wire.read_flights(body, FlightCorrected)
    assert {e["pointer"] for e in raised.value.problem.members["errors"]} == {
        "#/revision",
        "#/reason",
        "#/corrected_by",
    }


def test_a_nul_character_is_refused_at_the_door() -> None:
    with pytest.raises(ProblemRaised, match="NUL"):
        wire.read_flights(json.dumps(FLIGHT | {"note": "a\x00b"}).encode(), FlightCompleted)


def offered_of(**changed: Any) -> FlightOffered:
    return wire.offered([FlightCompleted.model_validate(FLIGHT | changed)])[0]


def test_a_flight_written_differently_is_the_same_event_saying_the_same() -> None:
    spaced = json.dumps(dict(reversed(FLIGHT.items())), indent=4).encode()
    assert wire.offered(wire.read_flights(spaced, FlightCompleted)) == [offered_of()]
    assert offered_of(revision=1) == offered_of()
    assert offered_of(unknown_field=1) == offered_of()


def test_each_revision_of_a_flight_is_its_own_event() -> None:
    ids = {flight_event_id(t, f, r) for t in ("a", "b") for f in ("F1", "F11") for r in (1, 11)}
    assert len(ids) == 8


def test_repeats_are_told_from_contradictions() -> None:
    one, again, changed = offered_of(), offered_of(), offered_of(flight_hours="1.4")
    other = offered_of(flight_id="F2")
    fresh = decide_reception([one, again, other], {})
    assert (fresh.new, fresh.repeated, fresh.differing) == ((0, 2), (1,), ())
    known = decide_reception([changed, other], {one.event_id: one.content_hash})
    assert (known.new, known.repeated, known.differing) == ((1,), (), (0,))
    assert decide_reception([one, changed], {}).differing == (1,)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_problem(body: bytes) -> None:
    for attempt in (read, lambda b: wire.read_flights(b, FlightCompleted)):
        with pytest.raises(ProblemRaised) as refused:
            attempt(body)
        assert STATUSES[refused.value.problem.kind] in {400, 422}


def test_every_kind_of_problem_has_a_title_and_a_status() -> None:
    assert set(STATUSES) == set(TITLES)


def test_what_was_billed_elsewhere_is_not_taken_over_http() -> None:
    """The other flights of the request are named by nobody: nothing is accepted."""
    body = json.dumps([FLIGHT, FLIGHT | {"flight_id": "F2", "billed_by": "Old Planner"}]).encode()
    with pytest.raises(ProblemRaised) as raised:
        wire.read_flights(body, FlightCompleted)
    assert [error["pointer"] for error in raised.value.problem.members["errors"]] == ["#/1/billed_by"]
