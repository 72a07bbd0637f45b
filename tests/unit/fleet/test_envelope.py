from uuid import UUID

import pytest

from fleet.envelope import cause_of, event_key_of, safe_text, uuid7
from tests.support.records import record


def test_uuid7_is_version_7_and_ordered_in_time() -> None:
    first, later = uuid7(), uuid7()
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first.int >> 80 <= later.int >> 80


def test_our_own_id_is_taken_as_it_is() -> None:
    event_id = uuid7()
    assert event_key_of(record("t", b"{}", ce_id=event_id, ce_source="hobbs/ledger"), None) == event_id


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (("t", "a", "1", None), ("t", "a", "1", None), True),
        (("t", "a", "1", None), ("t", "b", "1", None), False),
        (("t", "a", "1", None), ("u", "a", "1", None), False),
        (("t", "a", "", "F1:1"), ("t", "b", "", "F1:1"), True),
        (("t", "a", "", "F1:1"), ("t", "a", "", "F1:2"), False),
        (("t", "hobbs/x", "no uuid", None), ("t", "hobbs/x", "no uuid", None), True),
    ],
)
def test_identity_is_source_and_id_or_else_the_natural_key(
    left: tuple[str, str, str, str | None], right: tuple[str, str, str, str | None], same: bool
) -> None:
    def key(case: tuple[str, str, str, str | None]) -> UUID | None:
        topic, source, event_id, natural = case
        return event_key_of(record(topic, b"{}", ce_source=source, ce_id=event_id), natural)

    assert key(left) is not None
    assert (key(left) == key(right)) is same


def test_nothing_to_go_by_has_no_identity() -> None:
    assert event_key_of(record("t", b"{}", ce_id=""), None) is None


def test_correlation_and_trace_go_on_only_when_they_are_sane() -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    good = record("t", b"{}", headers={"ce_correlationid": "flight-1", "traceparent": trace})
    cause = cause_of(good, uuid7())
    assert (cause.correlation_id, cause.traceparent) == ("flight-1", trace)
    key = uuid7()
    bad = record("t", b"{}", headers={"ce_correlationid": "x" * 101, "traceparent": "nonsense"})
    cause = cause_of(bad, key)
    assert cause.correlation_id == str(key)
    assert cause.traceparent.startswith("00-")


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"ok", "ok"), (b"\xff", "\\xff"), (None, ""), ("a\x00b", "a\\x00b"), (b"x" * 9999, "x" * 2000)],
)
def test_any_bytes_become_text_that_a_database_can_hold(value: bytes | str | None, text: str) -> None:
    assert safe_text(value) == text
