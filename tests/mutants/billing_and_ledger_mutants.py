"""Mutants of billing, ledger, receivables and gateway: sums, signs, locks, and verified signatures."""

from tests.mutants.mutant import Edit, Mutant

ONE_COMMIT = (
    "tests/integration/promises/test_one_commit.py"
    "::test_whichever_commit_fails_the_batch_read_again_has_its_effect"
)
GUARDS = "tests/integration/ledger/test_guards.py"
SIGNATURES = "tests/unit/gateway/test_signature.py"
WEBHOOKS = "tests/integration/gateway/test_webhooks.py"

BILLING_AND_LEDGER_MUTANTS = (
    Mutant(
        name="anything-by-hand",
        breaks="Journals of services may be posted by hand: payouts pays them.",
        edits=(
            Edit(
                path="services/ledger/wire/journals.py",
                old="    service = service_of_journal(request.event_type, request.source)\n",
                new="    service = None\n",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_cli_post.py::test_what_belongs_to_a_service_is_not_posted_by_hand",
        ),
    ),
    Mutant(
        name="inbox-outside-the-transaction",
        breaks="Billing admits flights in one commit and bills them in another: a crash between loses them.",
        edits=(
            Edit(
                path="services/billing/handlers.py",
                old="""\
            if not admitted:
                return
            book = await store.book.read(tx, [a.event for a in admitted])
""",
                new="""\
            if not admitted:
                return
        async with db.transaction() as tx:
            book = await store.book.read(tx, [a.event for a in admitted])
""",
            ),
        ),
        catchers=(f"{ONE_COMMIT}[bill_flights]",),
    ),
    Mutant(
        name="ledger-inbox-outside-the-transaction",
        breaks="The ledger admits requests in one commit and posts them in another.",
        edits=(
            Edit(
                path="services/ledger/handlers.py",
                old="""\
        admitted = await inbox.admit(tx, batch, asked)
        with""",
                new="""\
        admitted = await inbox.admit(tx, batch, asked)
    async with db.transaction() as tx:
        with""",
            ),
        ),
        catchers=(f"{ONE_COMMIT}[post_journals]",),
    ),
    Mutant(
        name="unordered-locks",
        breaks="Balances are locked in the order of the requests: two workers may deadlock.",
        edits=(
            Edit(
                path="services/ledger/functions/wallets.sql",
                old="""\
     ORDER BY balance.wallet_id, balance.currency
       FOR NO KEY UPDATE OF balance;
""",
                new="""\
       FOR NO KEY UPDATE OF balance;
""",
            ),
        ),
        catchers=("tests/integration/ledger/test_lock_order.py",),
    ),
    Mutant(
        name="half-even",
        breaks="Halves are rounded to the even cent instead of up.",
        edits=(
            Edit(
                path="fleet/money.py",
                old="    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))\n",
                new="    return sign * round(Fraction(abs(numerator), denominator))\n",
            ),
            Edit(
                path="fleet/money.py",
                old="from collections.abc import Sequence\n",
                new="from collections.abc import Sequence\nfrom fractions import Fraction\n",
            ),
        ),
        catchers=("tests/unit/fleet/test_money.py::test_halves_round_away_from_zero",),
    ),
    Mutant(
        name="remainder-lost",
        breaks="A split drops its last remainder: parts no longer sum to the whole.",
        edits=(
            Edit(
                path="fleet/money.py",
                old="    for i in by_remainder[: amount - sum(parts)]:\n",
                new="    for i in by_remainder[: amount - sum(parts) - 1]:\n",
            ),
        ),
        catchers=(
            "tests/unit/fleet/test_money.py"
            "::test_parts_sum_to_the_whole_and_are_within_one_unit_of_their_share",
        ),
    ),
    Mutant(
        name="owner-s-share-is-the-school-s",
        breaks="A leg of the bill is left out of its journal, and its money stays with the school.",
        edits=(
            Edit(
                path="services/billing/domain/bills.py",
                old="        amounts[wallet] = amounts.get(wallet, 0) + amount\n",
                new="""\
        to = PLATFORM if wallet.startswith("aircraft_owner:") else wallet
        amounts[to] = amounts.get(to, 0) + amount
""",
            ),
        ),
        catchers=(
            "tests/integration/billing/test_bills.py::test_a_flight_is_billed_and_its_journal_requested",
        ),
    ),
    Mutant(
        name="balance-forgets-its-first-entry",
        breaks="Two entries of one journal on one wallet both continue the balance from before it.",
        edits=(
            Edit(
                path="services/ledger/domain/posting.py",
                old="        before = touched.get(key) or running[key]\n",
                new="        before = running[key]\n",
            ),
        ),
        catchers=(
            "tests/unit/ledger/test_domain.py::test_a_wallet_named_twice_in_a_journal_has_two_entries",
        ),
    ),
    Mutant(
        name="totals-over-every-kind",
        breaks="The total of students' balances adds up the wallets of every kind.",
        edits=(
            Edit(
                path="services/ledger/functions/totals.sql",
                old="     WHERE wallet.kind = total_balances.kind\n",
                new="     WHERE wallet.kind IS NOT NULL\n",
            ),
        ),
        catchers=("tests/integration/ledger/test_functions.py::test_totals_add_up_each_kind_of_wallet",),
    ),
    Mutant(
        name="journals-need-not-balance",
        breaks="The database takes a journal whose entries do not sum to zero.",
        edits=(
            Edit(
                path="services/ledger/functions/journals.sql",
                old="GROUP BY journal_id, currency HAVING sum(amount) <> 0 LIMIT 1;",
                new="GROUP BY journal_id, currency HAVING sum(amount) < 0 LIMIT 1;",
            ),
        ),
        catchers=(f"{GUARDS}::test_entries_that_break_a_rule_are_refused",),
    ),
    Mutant(
        name="entries-may-be-deleted",
        breaks="The database lets its owner delete entries.",
        edits=(
            Edit(
                path="services/ledger/migrations/versions/0001_guards.sql",
                old="create trigger entry_is_append_only before update or delete or truncate on entry",
                new="create trigger entry_is_append_only before update or truncate on entry",
            ),
        ),
        catchers=(f"{GUARDS}::test_nobody_changes_or_removes_what_was_written",),
    ),
    Mutant(
        name="limit-only-in-the-worker",
        breaks="The database lets a DBA take a wallet below its limit.",
        edits=(
            Edit(
                path="services/ledger/functions/journals.sql",
                old="                OR balance.amount - balance.pending + moved.total >= balance.floor)\n",
                new="                OR balance.amount IS NOT NULL)\n",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_holds.py::test_a_dba_is_held_to_the_same_limit_and_told_the_same",
        ),
    ),
    Mutant(
        name="repeat-answered-as-new",
        breaks="A repeated request for a journal is answered under a new event id, as if it were new.",
        edits=(
            Edit(
                path="services/ledger/wire/journals.py",
                old="    event_id = restamped(journal.journal_id, reply.recorded_at)\n",
                new="    event_id = named_uuid(str(id(reply)), reply.recorded_at)\n",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_posting.py::test_who_asks_again_is_told_the_same_event_again",
        ),
    ),
    Mutant(
        name="journal-posted-says-another-balance",
        breaks="journal.posted, written without its model, says an entry's amount where its balance belongs.",
        edits=(
            Edit(
                path="services/ledger/wire/journals.py",
                old='"balance_after": entry.balance_after,',
                new='"balance_after": entry.amount,',
            ),
        ),
        catchers=(
            "tests/unit/ledger/test_wire.py::test_whatever_may_stand_is_said_as_the_schema_would_say_it",
        ),
    ),
    Mutant(
        name="billed-on-greenwich-s-date",
        breaks="A flight in the evening is billed on the next day, at that day's rates.",
        edits=(
            Edit(
                path="services/billing/domain/flights.py",
                old="            return self.departed_at.astimezone(zone).date()\n",
                new="            return self.departed_at.astimezone(UTC).date()\n",
            ),
        ),
        catchers=("tests/unit/billing/test_refusals.py::test_the_bills_date_is_the_school_local_date",),
    ),
    Mutant(
        name="other-content-taken-over-http",
        breaks="A flight sent again with other content is answered as accepted, and dropped.",
        edits=(
            Edit(
                path="services/gateway/http/flights.py",
                old="""\
        if reception.differing:
            raise _differing(offered, reception.differing)
""",
                new="",
            ),
        ),
        catchers=(
            "tests/integration/gateway/test_flights_over_http.py"
            "::test_a_repeat_with_other_content_is_refused_whole",
        ),
    ),
    Mutant(
        name="fee-with-the-wrong-sign",
        breaks="Stripe's fee of a card payment is posted as the school's income.",
        edits=(
            Edit(
                path="services/receivables/domain/postings.py",
                old="            {SCHOOL: -fee.amount, STRIPE: fee.amount},\n",
                new="            {SCHOOL: fee.amount, STRIPE: -fee.amount},\n",
            ),
        ),
        catchers=(
            "tests/unit/receivables/test_postings.py::test_each_story_of_a_charge_ends_in_these_wallets",
        ),
    ),
    Mutant(
        name="unknown-payment-webhook-ignored",
        breaks="Receivables does not keep a webhook of an unknown type.",
        edits=(
            Edit(
                path="services/receivables/handlers.py",
                old="""\
        await store.webhooks.keep(tx, [s.event.kept() for s in events if s.event.kind is Kind.UNKNOWN])
""",
                new="",
            ),
        ),
        catchers=("tests/integration/receivables/test_payments.py::test_an_unknown_type_is_kept_whole",),
    ),
    Mutant(
        name="forged-webhook-accepted",
        breaks="Any signature is accepted, whatever secret it was made with.",
        edits=(
            Edit(
                path="services/gateway/domain/signatures.py",
                old="    return any(matches)\n",
                new="    return bool(matches)\n",
            ),
        ),
        catchers=(f"{SIGNATURES}::test_what_stripe_signs_is_accepted_and_only_with_its_secret",),
    ),
    Mutant(
        name="webhook-of-any-age",
        breaks="A webhook is accepted however long ago it was signed.",
        edits=(
            Edit(
                path="services/gateway/domain/signatures.py",
                old="    if timestamp < now - tolerance_s:\n",
                new="    if timestamp < 0:\n",
            ),
        ),
        catchers=(f"{SIGNATURES}::test_a_signature_counts_for_300_seconds_either_way",),
    ),
    Mutant(
        name="accepted-before-kafka-has-it",
        breaks="Stripe gets a 200 although Kafka did not acknowledge the event.",
        edits=(
            Edit(
                path="services/gateway/http/webhooks.py",
                old="""\
        raise ProblemRaised("try_again", "the event could not be published; send it again") from error
""",
                new="""\
        return
""",
            ),
        ),
        catchers=(f"{WEBHOOKS}::test_stripe_is_told_to_come_back_when_kafka_does_not_answer",),
    ),
    Mutant(
        name="a-refused-book-is-told-of",
        breaks="Payouts pays by a change set that billing refused.",
        edits=(
            Edit(
                path="services/billing/handlers.py",
                old="        await outbox.stage_named(tx, [wire.events.school_accepted(",
                new="    await outbox.stage_named(tx, [wire.events.school_accepted(",
            ),
        ),
        catchers=(
            "tests/integration/ops/test_the_accepted_book.py::test_a_refused_change_set_is_in_force_nowhere",
        ),
    ),
    Mutant(
        name="a-meter-nobody-read-bills-nothing",
        breaks="A flight of 1.3 logged hours costs 0.00 when its export writes 0.00 for an empty meter.",
        edits=(
            Edit(
                path="services/billing/domain/flights.py",
                old="        return Meter() if meter.is_unread and not self.zero_is_a_reading else meter\n",
                new="        return meter\n",
            ),
        ),
        catchers=("tests/unit/billing/test_meters.py::test_a_meter_nobody_read_bills_the_logged_hours",),
    ),
    Mutant(
        name="time-zones-of-the-host",
        breaks="Two machines bill one flight on two dates, each by its own files.",
        edits=(
            Edit(
                path="fleet/zones.py",
                old="zoneinfo.reset_tzpath(to=())",
                new="zoneinfo.TZPATH",
            ),
        ),
        catchers=("tests/unit/fleet/test_zones.py::test_a_flight_is_billed_on_the_date_by_this_years_rules",),
    ),
    Mutant(
        name="misspelt-student-gets-a-wallet",
        breaks="A payment is booked to whatever name its metadata has: a typing error makes a wallet.",
        edits=(
            Edit(
                path="services/receivables/steps/charges.py",
                old="    believed = [(_believed(fact, known), admitted) for fact, admitted in facts]\n",
                new="    believed = [(fact, admitted) for fact, admitted in facts]\n",
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_wrong_student.py"
            "::test_a_misspelt_student_is_nobody_and_finance_hears_who_is_closest",
        ),
    ),
)
