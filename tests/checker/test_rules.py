"""The checker finds nothing in consistent data, and each rule finds its violation."""

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.checker.given import (
    CORRECTION,
    FLIGHT,
    WEBHOOK,
    changed,
    consistent_world,
    record,
    revision,
    with_records,
    with_row,
    with_rows,
)
from tests.checker.rules import RULES, check
from tests.checker.world import World

Break = Callable[[World], World]


def test_consistent_world_has_no_violation() -> None:
    assert check(consistent_world()) == []


def test_what_was_not_compared_yet_is_no_violation() -> None:
    young = replace(nothing_matched(consistent_world()), is_compared=False)
    tables = {name: [] if name.startswith("reserves.") else rows for name, rows in young.tables.items()}
    assert check(young) == []
    assert not [found for found in check(replace(young, tables=tables)) if "inboxes" not in found.rule]


def test_a_letter_that_a_person_closed_may_stand_beside_its_flights_bill() -> None:
    """The flight was told again, corrected (`hobbs dead correct`) or as it was."""
    closed = row("billing.dead_letter", subject="flight:F1:1", state="discarded")
    assert check(closed(consistent_world())) == []


def effect_again(world: World) -> World:
    return replace(world, effects=[*world.effects, {**world.effects[0], "object_id": "tr_2"}])


def effect_changed(**changes: object) -> Break:
    return lambda world: replace(world, effects=[{**world.effects[0], **changes}, *world.effects[1:]])


def no_effects(world: World) -> World:
    return replace(world, effects=[])


def account_again(world: World) -> World:
    return replace(world, accounts=[*world.accounts, {**world.accounts[0], "id": "acct_2"}])


def row(table: str, *, place: int = 0, **changes: object) -> Break:
    return lambda world: with_row(world, table, place=place, **changes)


def no_rows(table: str) -> Break:
    return lambda world: with_rows(world, table, [])


def row_again(table: str) -> Break:
    return lambda world: with_rows(world, table, [*world.rows(table), world.rows(table)[0]])


def no_records(topic: str) -> Break:
    return lambda world: with_records(world, topic, [])


def more(topic: str, body: dict[str, object] | bytes, ce_id: str = "") -> Break:
    def add(world: World) -> World:
        return with_records(world, topic, [*world.records(topic), record(topic, 99, body, ce_id)])

    return add


def only(topic: str, body: dict[str, object], ce_id: str = "") -> Break:
    return lambda world: with_records(world, topic, [record(topic, 0, body, ce_id)])


def revised(**changes: object) -> Break:
    return only("flight.revised", {**revision(), **changes}, "v1")


def accepted_forgery(world: World) -> World:
    return replace(world, deliveries=[{**world.deliveries[0], "last_status": "200"}])


def stripe_has_another_amount(world: World) -> World:
    return replace(world, events=[{**WEBHOOK, "data": {"object": {"amount": 1}}}])


def nothing_matched(world: World) -> World:
    return with_rows(with_rows(world, "reserves.line_match", []), "reserves.book_match", [])


def charged_again(world: World) -> World:
    return replace(world, effects=[*world.effects, {**world.effects[1], "object_id": "ch_2"}])


def charge_changed(**changes: object) -> Break:
    return lambda world: replace(world, effects=[world.effects[0], {**world.effects[1], **changes}])


def more_bills(world: World) -> World:
    return with_rows(
        world,
        "billing.bill",
        [*world.rows("billing.bill"), {**world.rows("billing.bill")[0], "flight_id": "F2"}],
    )


def first_charge(state: str) -> Break:
    return row("receivables.auto_charge", state=state)


REFUSED = json.dumps({**FLIGHT, "aircraft": "N0SUCH"}).encode()


def mended(then: Break = lambda world: world, *, letter_of: bytes = REFUSED) -> Break:
    """The flight was refused first, and is billed by what was sent under its name after that."""

    def change(world: World) -> World:
        records = [record("flight.completed", 98, REFUSED), *world.records("flight.completed")]
        letter = {
            **world.rows("billing.dead_letter")[0],
            "subject": "flight:F1:1",
            "reason": "unknown_aircraft",
            "payload_hash": sha256(letter_of).hexdigest(),
        }
        letters = [*world.rows("billing.dead_letter"), letter]
        whole = with_rows(with_records(world, "flight.completed", records), "billing.dead_letter", letters)
        return then(whole)

    return change


def test_a_flight_that_was_refused_and_sent_again_has_its_letter_and_its_bill() -> None:
    assert check(mended()(consistent_world())) == []


BREAKS: list[tuple[str, Break]] = [
    ("flights_have_one_bill_or_one_dead_letter", mended(letter_of=json.dumps(FLIGHT).encode())),
    ("flights_have_one_bill_or_one_dead_letter", mended(letter_of=b"another")),
    ("refused_flights_may_not_be_billed", mended(no_rows("billing.bill"))),
    ("bills_are_what_the_rate_card_says", mended(row("billing.bill", charge=17_001, margin=12_501))),
    ("one_effect_per_operation", effect_again),
    ("one_effect_per_operation", effect_changed(operation_id=None)),
    ("one_account_per_operation", account_again),
    ("effects_are_what_was_decided", effect_changed(amount=4_501)),
    ("effects_are_what_was_decided", effect_changed(destination="acct_2")),
    ("effects_are_what_was_decided", effect_changed(currency="eur")),
    ("effects_are_what_was_decided", effect_changed(operation_id="o9")),
    ("effects_are_what_was_decided", no_effects),
    ("effects_are_what_was_decided", row("payouts.operation", state="refused", sentence="no")),
    ("operations_finish_or_wait_with_a_reason", row("payouts.operation", state="in_flight")),
    ("operations_finish_or_wait_with_a_reason", row("payouts.operation", state="due")),
    ("operations_finish_or_wait_with_a_reason", row("payouts.operation", state="parked")),
    ("payees_got_what_they_were_owed", no_rows("payouts.payable")),
    ("payees_got_what_they_were_owed", row_again("payouts.payable")),
    ("payees_got_what_they_were_owed", row("payouts.payable", journal_id="j9")),
    ("payees_got_what_they_were_owed", row("payouts.transfer", amount=4_499)),
    ("sent_transfers_left_the_wallet", row("payouts.transfer", stripe_transfer_id=None)),
    ("sent_transfers_left_the_wallet", row("ledger.journal", place=1, event_type="adjustment")),
    ("payments_are_posted_once", row("ledger.journal", place=2, source="charge:ch_2")),
    ("cash_is_what_stripe_holds", lambda world: replace(world, balance={"USD": 1})),
    ("nothing_forged_was_accepted", lambda world: replace(world, events=[])),
    ("nothing_forged_was_accepted", accepted_forgery),
    ("nothing_forged_was_accepted", stripe_has_another_amount),
    ("flights_have_one_bill_or_one_dead_letter", no_rows("billing.bill")),
    ("flights_have_one_bill_or_one_dead_letter", row_again("billing.bill")),
    ("flights_have_one_bill_or_one_dead_letter", no_rows("billing.dead_letter")),
    ("flights_have_one_bill_or_one_dead_letter", row_again("billing.dead_letter")),
    ("flights_have_one_bill_or_one_dead_letter", no_records("flight.completed")),
    ("flights_have_one_bill_or_one_dead_letter", row("billing.dead_letter", subject="flight:F1:1")),
    ("flights_have_one_bill_or_one_dead_letter", more("flight.completed", {**FLIGHT, "flight_id": "F2"})),
    ("bills_are_what_the_rate_card_says", row("billing.bill", charge=17_001, margin=12_501)),
    ("bills_are_what_the_rate_card_says", row("billing.bill", margin=12_499)),
    ("bills_are_what_the_rate_card_says", row("ledger.entry", amount=-16_999)),
    ("flights_have_one_bill_or_one_dead_letter", row("billing.bill", place=1, corrects=None)),
    ("refused_flights_may_not_be_billed", more("flight.completed", {**FLIGHT, "flight_id": "F2"})),
    ("corrections_are_priced_once_or_refused_once", no_records("flight.corrected")),
    ("corrections_are_priced_once_or_refused_once", no_records("flight.revised")),
    (
        "corrections_are_priced_once_or_refused_once",
        more("flight.cancelled", {"flight_id": "F1", "revision": 3, "reason": "x", "cancelled_by": "ann"}),
    ),
    ("revisions_are_what_the_rate_card_says", revised(entries=[{"wallet": "student:s1", "amount": -8_501}])),
    ("revisions_are_what_the_rate_card_says", revised(first_entries=[])),
    ("revisions_are_what_the_rate_card_says", only("flight.corrected", {**CORRECTION, "hobbs_in": "10.4"})),
    ("the_ledger_has_the_revision_in_force", row("ledger.journal", place=3, event_type="correction")),
    ("the_ledger_has_the_revision_in_force", row("ledger.entry", place=7, amount=8_501)),
    ("the_ledger_has_the_revision_in_force", more("adjustment.changed", changed("rejected"), "c3")),
    ("adjustments_end_or_wait_for_a_person", no_records("adjustment.changed")),
    ("adjustments_end_or_wait_for_a_person", no_records("flight.revised")),
    ("adjustments_end_or_wait_for_a_person", more("adjustment.changed", changed("approved"), "c3")),
    ("nobody_approves_their_own", no_rows("adjustments.approval")),
    ("nobody_approves_their_own", row("adjustments.approval", approver=" Ann")),
    ("nobody_approves_their_own", row("adjustments.approval", content_hash="bb")),
    ("nobody_approves_their_own", row("adjustments.adjustment", approvals_needed=2)),
    ("settlements_sum_to_the_difference", row("adjustments.settlement", place=3, amount=-2_001)),
    ("settlements_sum_to_the_difference", row("adjustments.settlement", place=4, state="settled")),
    ("settlements_sum_to_the_difference", row("adjustments.adjustment", state="waiting")),
    ("settlements_by_journal_are_posted", row("adjustments.settlement", place=2, amount=-251)),
    ("settlements_by_journal_are_posted", row("adjustments.settlement", place=2, state="failed")),
    ("settlements_by_journal_are_posted", row("ledger.journal", place=4, event_type="manual")),
    ("journals_sum_to_zero", row("ledger.entry", amount=-16_999)),
    ("journals_sum_to_zero", row("ledger.balance", amount=1)),
    ("journals_are_whole", row("ledger.journal", entry_count=4)),
    ("journals_are_whole", row("ledger.journal", id="j9")),
    ("journals_are_whole", row("ledger.journal", place=1, source="flight:F1:1")),
    ("balances_equal_entries", row("ledger.balance", amount=1)),
    ("balances_equal_entries", row("ledger.balance", version=7)),
    ("balances_equal_entries", row("ledger.entry", balance_after=1)),
    ("entries_of_students_are_items", no_rows("receivables.item_line")),
    ("entries_of_students_are_items", row("receivables.item_line", amount=-16_999)),
    ("entries_of_students_are_items", row("receivables.item_line", journal_id="j9")),
    ("ageing_is_the_ledger", row("receivables.account", balance=8_499)),
    ("ageing_is_the_ledger", row("receivables.item", place=1, open=8_499)),
    ("ageing_is_the_ledger", no_rows("receivables.item")),
    ("payments_settle_what_is_due_first", row("receivables.item", amount=-8_499)),
    ("payments_settle_what_is_due_first", row("receivables.item", open=-1)),
    ("payments_settle_what_is_due_first", row("receivables.item", place=1, open=0)),
    ("rows_of_stripe_are_kept", no_rows("reserves.stripe_line")),
    ("rows_of_stripe_are_kept", row("reserves.stripe_line", net=16_999)),
    ("rows_of_stripe_are_kept", row("reserves.stripe_line", transaction_id="txn_9")),
    ("journals_at_stripe_are_kept", no_rows("reserves.book_line")),
    ("journals_at_stripe_are_kept", row("reserves.book_line", amount=-16_999)),
    ("journals_at_stripe_are_kept", row("reserves.book_line", source="charge:ch_9")),
    ("what_belongs_together_is_matched", row("reserves.book_match", match_id="txn_2")),
    ("what_belongs_together_is_matched", no_rows("reserves.book_match")),
    ("what_belongs_together_is_matched", nothing_matched),
    ("what_is_left_is_a_break", no_rows("reserves.break")),
    ("what_is_left_is_a_break", row("reserves.break", amount=1)),
    ("what_is_left_is_a_break", row("reserves.break", subject="line:txn_1")),
    ("what_is_left_is_a_break", nothing_matched),
    ("saved_methods_are_charged_as_decided", charged_again),
    ("saved_methods_are_charged_as_decided", charge_changed(amount=17_001)),
    ("saved_methods_are_charged_as_decided", charge_changed(metadata={"hobbs_student": "s2"})),
    ("saved_methods_are_charged_as_decided", charge_changed(operation_id="o2")),
    ("saved_methods_are_charged_as_decided", charge_changed(operation_id="o9")),
    ("charges_are_known_alike", first_charge("not_made")),
    ("charges_are_known_alike", first_charge("asked")),
    ("charges_are_known_alike", no_rows("payouts.charge_request")),
    ("charges_are_known_alike", no_rows("receivables.auto_charge")),
    ("charges_are_known_alike", row("payouts.charge_request", amount=1)),
    ("charges_are_known_alike", row("receivables.auto_charge", taken_back_at="2026-05-26")),
    ("no_cause_is_charged_twice", first_charge("succeeded")),
    ("no_cause_is_charged_twice", first_charge("processing")),
    (
        "nobody_is_charged_while_a_correction_is_undecided",
        row("receivables.auto_charge", place=1, decided_at="2026-05-26 08:00"),
    ),
    (
        "nobody_is_charged_while_a_correction_is_undecided",
        row("adjustments.in_question", until=None),
    ),
    ("no_more_is_charged_than_was_owed", row("ledger.entry", amount=-16_999)),
    ("dispatches_are_answered_once", no_records("dispatch.cleared")),
    ("dispatches_are_answered_once", more("dispatch.refused", {"flight_id": "F2", "revision": 1}, "k3")),
    ("dispatches_are_answered_once", more("flight.dispatched", {"flight_id": "F3"}, "d-F1")),
    ("overdue_bills_are_asked_for_once", no_records("dunning.requested")),
    ("overdue_bills_are_asked_for_once", row("receivables.dunning_history", place=3, total=1)),
    ("overdue_bills_are_asked_for_once", row("receivables.dunning_history", place=3, run=2)),
    ("overdue_bills_are_asked_for_once", row("receivables.dunning_history", place=2, what="paused")),
    (
        "overdue_bills_are_asked_for_once",
        row("receivables.dunning_history", place=3, local_at="2026-05-26 18:00:00"),
    ),
    ("accounts_change_as_people_said", row("receivables.account_note", state="posted")),
    ("payments_by_hand_count_once", row("receivables.recorded_payment", state="received")),
    ("payments_by_hand_count_once", row("receivables.recorded_payment", place=1, state="waits")),
    ("nobody_is_asked_in_a_dispute", row("receivables.dispute", ended_at=None)),
    ("limits_change_once_for_a_cause", row("receivables.limit_change", place=0, cause="declined:F9")),
    ("limits_change_once_for_a_cause", row("receivables.limit_change", place=1, state="refused")),
    ("limits_change_once_for_a_cause", row("receivables.limit_change", place=2, from_limit=300)),
    ("limits_change_once_for_a_cause", row("receivables.limit_change", place=2, number=4)),
    ("crossings_are_said_once", no_records("credit.level_changed")),
    ("crossings_are_said_once", row("receivables.credit_level", level="near")),
    ("crossings_are_said_once", row("receivables.credit_level_change", place=1, to_level="close")),
    ("holds_end_with_their_flights", no_rows("ledger.hold")),
    ("holds_end_with_their_flights", row("ledger.hold", amount=9_001)),
    ("holds_end_with_their_flights", row("ledger.hold", name="dispatch:F1:1")),
    ("holds_end_with_their_flights", row("receivables.dispatch", place=1, state="closed")),
    ("holds_end_with_their_flights", more_bills),
    ("outboxes_are_empty", lambda world: with_rows(world, "ledger.outbox", [{"id": 1}])),
    ("every_record_is_in_its_consumers_inboxes", row("payouts.inbox", event_key="p9")),
    ("every_record_is_in_its_consumers_inboxes", no_rows("billing.inbox")),
    ("every_record_is_in_its_consumers_inboxes", row("reserves.inbox", event_key="p9")),
    ("every_record_is_in_its_consumers_inboxes", row("adjustments.inbox", place=1, event_key="p9")),
    (
        "every_record_is_in_its_consumers_inboxes",
        more("transfer.sent", {"transfer_id": "t1", "sources": ["flight:F1:1", "adjustment:F1:2"]}, "s1"),
    ),
    (
        "every_record_is_in_its_consumers_inboxes",
        more("journal.posted", {"source": "cash:1", "entries": [{"wallet": "student:s1"}]}, "p1"),
    ),
    ("the_ledger_admitted_only_published_events", row("ledger.inbox", event_key="r9")),
    ("decisions_are_answered_once", no_records("decision.taken")),
    ("decisions_are_answered_once", no_records("decision.requested")),
    ("decisions_are_answered_once", no_rows("gateway.dead_letter")),
    ("decisions_are_answered_once", row("ledger.inbox", place=3, event_key="d9")),
    (
        "decisions_are_answered_once",
        more("decision.taken", {"decision_id": "d1", "service": "billing"}, "a2"),
    ),
    ("one_event_id_has_one_content", more("journal.requested", {"source": "flight:F1:2"}, "r1")),
    ("every_fact_has_its_event", no_records("flight.billed")),
    ("every_fact_has_its_event", no_records("transfer.sent")),
    ("every_fact_has_its_event", more("revert.requested", {"reverts": "flight:F1:1"}, "v1")),
    ("every_fact_has_its_event", more("journal.posted", {"source": "flight:F1:1"}, "p9")),
    ("every_fact_has_its_event", more("transfer.sent", {"transfer_id": "t9"}, "s9")),
]


@pytest.mark.parametrize(
    ("rule", "broken"), BREAKS, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(BREAKS)]
)
def test_each_rule_finds_its_violation(rule: str, broken: Break) -> None:
    assert rule in {violation.rule for violation in check(broken(consistent_world()))}


def test_every_rule_was_tried() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, _ in BREAKS}


def test_the_checker_shares_no_code_with_what_it_checks() -> None:
    for file in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {m.split(".")[0] for m in modules} & {"services", "schemas", "fleet", "hobbs"}, file
