from datetime import timedelta, timezone
from hashlib import sha256

import pytest

from services.ledger.domain.journals import (
    ExistingJournal,
    Journal,
    JournalRequest,
    RefusedJournal,
    Repeated,
    content_hash,
)
from services.ledger.domain.posting import balances_to_lock, decide_posting
from services.ledger.domain.validation import AMOUNT_MAX, ENTRIES_MAX, ValidRequest, validate
from services.ledger.domain.wallets import BALANCE_MAX
from tests.unit.ledger.requests import FLIGHT, NOON, Legs, balances, request, valid

NOBODY = request().journal_id
EMPTY = balances({"student:s-1": 0, "instructor:i-1": 0, "platform:school": 0})


def said(asked: JournalRequest) -> bytes:
    return content_hash(asked.source, asked.event_type, asked.occurred_at, asked.entries)


@pytest.mark.parametrize(
    ("legs", "currency", "reason", "sentence"),
    [
        (
            [],
            "USD",
            "no_entries",
            "journal flight:F1:1: has no entries; a journal moves money between wallets",
        ),
        ([("student:s", 5)], "USD", "not_balanced", "has one entry; name the wallet on the other side too"),
        ([("student:s", -5), ("platform:p", 6)], "USD", "not_balanced", "entries in USD sum to 1, not zero"),
        ([("student:s", 0), ("platform:p", 0)], "USD", "amount_is_zero", "the entry on student:s is zero"),
        (
            [("pilot:s", -5), ("platform:p", 5)],
            "USD",
            "unknown_wallet_kind",
            "wallet 'pilot:s' is of no known",
        ),
        ([("student", -5), ("platform:p", 5)], "USD", "bad_wallet_name", "wallet 'student' names nobody"),
        ([("student:", -5), ("platform:p", 5)], "USD", "bad_wallet_name", "wallet 'student:' names nobody"),
        ([("student:a\nb", -5), ("platform:p", 5)], "USD", "bad_wallet_name", "names nobody one can read"),
        ([("student:" + "a" * 130, -5), ("platform:p", 5)], "USD", "bad_wallet_name", "names nobody"),
        (FLIGHT, "ZZZ", "unknown_currency", "'ZZZ' is not an ISO 4217 code such as USD"),
        (FLIGHT, "usd", "unknown_currency", "'usd' is not an ISO 4217 code such as USD"),
        (
            [("student:s", -AMOUNT_MAX - 1), ("platform:p", AMOUNT_MAX + 1)],
            "USD",
            "amount_too_large",
            f"-{AMOUNT_MAX + 1} on student:s is over the limit of {AMOUNT_MAX}",
        ),
        (
            [("student:s", -1), ("platform:p", 1)] * (ENTRIES_MAX // 2 + 1),
            "USD",
            "too_many_entries",
            f"has {ENTRIES_MAX + 2} entries, the limit is {ENTRIES_MAX}; split it",
        ),
    ],
)
def test_a_faulty_request_is_refused_with_a_sentence(
    legs: Legs, currency: str, reason: str, sentence: str
) -> None:
    refused = validate(request(legs, currency=currency))
    assert isinstance(refused, RefusedJournal)
    assert refused.reason == reason
    assert refused.sentence.startswith("journal flight:F1:1: ")
    assert sentence in refused.sentence


@pytest.mark.parametrize("source", ["", " ", "a\tb", "a" * 101, "trailing "])
def test_a_source_is_one_printable_line(source: str) -> None:
    refused = validate(request(source=source))
    assert isinstance(refused, RefusedJournal)
    assert refused.reason == "bad_name"


def test_the_largest_journal_is_sound() -> None:
    legs = [("student:s", -AMOUNT_MAX), ("platform:p", AMOUNT_MAX)] * (ENTRIES_MAX // 2)
    assert isinstance(validate(request(legs)), ValidRequest)


def test_entries_carry_the_balance_and_version_they_leave() -> None:
    before = balances({"student:s-1": 500, "instructor:i-1": -7, "platform:school": 1}, version=3)
    [journal] = decide_posting([valid(request())], {}, before)
    assert isinstance(journal, Journal)
    assert [(entry.wallet_id, entry.balance_after, entry.version) for entry in journal.entries] == [
        (1, 400, 4),
        (2, 53, 4),
        (3, 41, 4),
    ]


def test_each_journal_continues_the_balances_of_the_one_before() -> None:
    results = decide_posting([valid(request(source=f"flight:F{n}:1")) for n in range(3)], {}, EMPTY)
    students = [result.entries[0] for result in results if isinstance(result, Journal)]
    assert [(entry.balance_after, entry.version) for entry in students] == [(-100, 1), (-200, 2), (-300, 3)]


def test_a_wallet_named_twice_in_a_journal_has_two_entries() -> None:
    legs = [("student:s-1", -70), ("student:s-1", -30), ("platform:school", 100)]
    [journal] = decide_posting([valid(request(legs))], {}, EMPTY)
    assert isinstance(journal, Journal)
    assert [(entry.balance_after, entry.version) for entry in journal.entries[:2]] == [(-70, 1), (-100, 2)]


def test_the_same_request_again_is_answered_by_the_journal_that_stands() -> None:
    asked = valid(request())
    existing = {asked.request.source: ExistingJournal(journal_id=NOBODY, content_hash=asked.content_hash)}
    assert decide_posting([asked], existing, {}) == [Repeated(journal_id=NOBODY)]
    assert balances_to_lock([asked], existing) == []


def test_the_same_source_with_other_content_is_refused() -> None:
    existing = {"flight:F1:1": ExistingJournal(journal_id=NOBODY, content_hash=b"other")}
    [refused] = decide_posting([valid(request())], existing, {})
    assert isinstance(refused, RefusedJournal)
    assert refused.reason == "source_reused"
    assert "already posted with other content" in refused.sentence


def test_two_requests_of_one_source_in_a_batch_post_once() -> None:
    first, again = valid(request(memo="first")), valid(request(memo="again"))
    other = valid(request([("student:s-1", -1), ("platform:school", 1)], memo="other"))
    journal, repeated, refused = decide_posting([first, again, other], {}, EMPTY)
    assert isinstance(journal, Journal)
    assert repeated == Repeated(journal_id=journal.journal_id)
    assert isinstance(refused, RefusedJournal)
    assert refused.reason == "source_reused"


WAITING: Legs = [("external:stripe", -70), ("liability:unallocated", 70)]
TO_STUDENT: Legs = [("external:stripe", -70), ("student:s-1", 70)]
ALLOCATED: Legs = [("liability:unallocated", -70), ("student:s-1", 70)]
CASH = balances({"external:stripe": 0, "liability:unallocated": 0, "student:s-1": 0})


def allocation() -> ValidRequest:
    return valid(request(ALLOCATED, source="allocation:ch_1")._replace(moves="charge:ch_1"))


def test_money_is_moved_on_from_where_it_came_in_the_same_batch() -> None:
    results = decide_posting([valid(request(WAITING, source="charge:ch_1")), allocation()], {}, CASH)
    assert [type(one) for one in results] == [Journal, Journal]


def test_what_money_came_by_may_still_come() -> None:
    (result,) = decide_posting([allocation()], {}, CASH)
    assert isinstance(result, Journal)


def test_money_is_moved_on_from_where_a_posted_journal_put_it() -> None:
    (result,) = decide_posting([allocation()], {}, CASH, {"charge:ch_1": {"liability:unallocated"}})
    assert isinstance(result, Journal)


@pytest.mark.parametrize(
    ("before", "posted", "sentence"),
    [
        ([TO_STUDENT], {}, "that one put nothing there"),
        ([], {"charge:ch_1": {"student:s-1"}}, "takes from liability:unallocated what charge:ch_1 put there"),
    ],
)
def test_money_is_not_moved_on_from_where_it_never_was(
    before: list[Legs], posted: dict[str, set[str]], sentence: str
) -> None:
    first = [valid(request(legs, source="charge:ch_1")) for legs in before]
    *_, refused = decide_posting([*first, allocation()], {}, CASH, posted)
    assert isinstance(refused, RefusedJournal)
    assert refused.reason == "nothing_to_move"
    assert sentence in refused.sentence


def test_a_balance_over_64_bits_is_refused_and_leaves_no_trace() -> None:
    full = balances({"student:s-1": 0, "instructor:i-1": BALANCE_MAX, "platform:school": 0})
    refused, posted = decide_posting(
        [
            valid(request(source="flight:F1:1")),
            valid(request([("student:s-1", -1), ("platform:school", 1)], source="flight:F2:1")),
        ],
        {},
        full,
    )
    assert isinstance(refused, RefusedJournal)
    assert refused.reason == "balance_too_large"
    assert "the balance of instructor:i-1 would be 9223372036854775867" in refused.sentence
    assert isinstance(posted, Journal)
    assert [(entry.balance_after, entry.version) for entry in posted.entries] == [(-1, 1), (1, 1)]


def test_after_a_refusal_for_its_balance_the_same_source_may_be_asked_again() -> None:
    full = balances({"student:s-1": 0, "instructor:i-1": BALANCE_MAX, "platform:school": 0})
    small: Legs = [("student:s-1", -1), ("platform:school", 1)]
    refused, posted = decide_posting([valid(request()), valid(request(small))], {}, full)
    assert isinstance(refused, RefusedJournal)
    assert isinstance(posted, Journal)


def test_locks_are_asked_for_in_one_order_and_once() -> None:
    both = [valid(request(source="flight:F2:1")), valid(request(source="flight:F1:1"))]
    assert balances_to_lock(both, {}) == [
        ("instructor:i-1", "USD"),
        ("platform:school", "USD"),
        ("student:s-1", "USD"),
    ]


def test_content_is_money_place_and_time_not_order_or_words() -> None:
    asked = request()
    chicago = timezone(timedelta(hours=-5))
    same = [
        request(list(reversed(FLIGHT))),
        request(memo="other words"),
        request(occurred_at=NOON.astimezone(chicago)),
    ]
    other = [
        request(source="flight:F1:2"),
        request(currency="EUR"),
        request(occurred_at=NOON + timedelta(microseconds=1)),
        request([("student:s-1", -101), ("instructor:i-1", 61), ("platform:school", 40)]),
        asked._replace(event_type="adjustment"),
    ]
    assert {said(item) for item in same} == {said(asked)}
    assert said(asked) not in {said(item) for item in other}


def test_the_content_hash_is_that_of_a_text_one_can_read() -> None:
    """Journals posted years ago must still be recognised: this text may never change."""
    text = (
        "journal 1\tflight:F1:1\tflight\t2026-05-22T12:00:00.000000+00:00\n"
        "instructor:i-1\tUSD\t60\n"
        "platform:school\tUSD\t40\n"
        "student:s-1\tUSD\t-100"
    )
    assert said(request()) == sha256(text.encode()).digest()
