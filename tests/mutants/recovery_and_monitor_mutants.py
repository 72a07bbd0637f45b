"""Mutants of the recovery of lost webhooks, of lookups, of monitors, and of a consumer's polls."""

from tests.mutants.mutant import Edit, Mutant

RECOVERY = "tests/integration/payouts/test_missed_events.py"
MONITORS = "tests/integration/ledger/test_monitors.py"
CROSSINGS = "services/ledger/functions/crossings.sql"

RECOVERY_AND_MONITOR_MUTANTS = (
    Mutant(
        name="lookup-trusts-the-clock",
        breaks="A lookup reaches back 5 minutes before the first sending, however wrong the clock is.",
        edits=(
            Edit(
                path="services/payouts/domain/outcomes.py",
                old="CLOCK_SKEW = timedelta(hours=12)",
                new="CLOCK_SKEW = timedelta(minutes=5)",
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_relay.py"
            "::test_a_clock_that_is_hours_wrong_does_not_hide_an_effect",
        ),
    ),
    Mutant(
        name="a-403-proves-that-nothing-happened",
        breaks="A 403 for an account ends an operation of which an earlier attempt went unanswered.",
        edits=(
            Edit(
                path="services/payouts/domain/outcomes.py",
                old="if answer.status == 403 and operation.attempts > 1:",
                new="if answer.status == 403 and operation.attempts > 1_000:",
            ),
        ),
        catchers=("tests/unit/payouts/test_operations.py::test_an_answer_makes_of_an_operation",),
    ),
    Mutant(
        name="second-poll-forgets-the-first",
        breaks="Records taken before a consumer's second poll failed are dropped, their offsets committed.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old='"error": str(error)})\n                break\n',
                new='"error": str(error)})\n                return {}\n',
            ),
        ),
        catchers=(
            "tests/integration/fleet/test_batches.py"
            "::test_what_was_taken_is_handled_when_the_second_poll_fails",
        ),
    ),
    Mutant(
        name="second-poll-replaces-the-first",
        breaks="Of a partition that brings records in both polls, only the later ones are handled.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old="                found.setdefault(place, []).extend(records)\n",
                new="                found[place] = records\n",
            ),
        ),
        catchers=("tests/unit/fleet/test_polls.py",),
    ),
    Mutant(
        name="recovered-without-grace",
        breaks="An event is published as lost while Stripe may still be delivering it.",
        edits=(
            Edit(
                path="services/payouts/store/events.py",
                old=" AND noted_at <= :noted_before\n",
                new=" AND noted_at <> :noted_before\n",
            ),
        ),
        catchers=(f"{RECOVERY}::test_nothing_is_published_within_the_grace",),
    ),
    Mutant(
        name="recovery-reads-one-page",
        breaks="Of a long list of events only the first hundred are read.",
        edits=(
            Edit(
                path="services/payouts/stripe/missed_events.py",
                old='            if not page.get("has_more"):\n',
                new="            if True:\n",
            ),
        ),
        catchers=(f"{RECOVERY}::test_a_thousand_events_come_over_many_pages_each_once",),
    ),
    Mutant(
        name="recovery-does-not-look-back",
        breaks="A listing begins where the last one ended, and misses events that Stripe recorded late.",
        edits=(
            Edit(
                path="services/payouts/stripe/missed_events.py",
                old="listing.listed_until - self._policy.overlap,",
                new="listing.listed_until,",
            ),
        ),
        catchers=(f"{RECOVERY}::test_a_listing_looks_back_behind_the_one_before",),
    ),
    Mutant(
        name="delivered-events-published-again",
        breaks="An event that arrived by webhook after it was noted as missing is published all the same.",
        edits=(
            Edit(
                path="services/payouts/stripe/missed_events.py",
                old="            await store.events.forget_arrived(tx)\n",
                new="            pass\n",
            ),
        ),
        catchers=(RECOVERY,),
    ),
    Mutant(
        name="removed-monitor-says-nothing",
        breaks="A monitor removed while its balance is beyond the threshold publishes no crossing back.",
        edits=(
            Edit(
                path=CROSSINGS,
                old="CASE WHEN tell_crossings.because = 'removal' THEN false\n",
                new="CASE WHEN tell_crossings.because = 'removal' THEN NULL\n",
            ),
        ),
        catchers=(f"{MONITORS}::test_a_removed_monitor_says_that_it_is_over_and_then_nothing",),
    ),
    Mutant(
        name="monitor-without-distance",
        breaks="A balance that comes back to its threshold but not to recovers_at counts as recovered.",
        edits=(
            Edit(
                path=CROSSINGS,
                old="WHEN NOT ledger.is_beyond(comparison, amount, recovers_at) THEN false END;",
                new="WHEN NOT ledger.is_beyond(comparison, amount, threshold) THEN false END;",
            ),
        ),
        catchers=(f"{MONITORS}::test_around_a_threshold_with_a_distance_only_real_recoveries_count",),
    ),
    Mutant(
        name="monitor-judges-the-last-balance",
        breaks="A crossing and its return within one batch are not published.",
        edits=(
            Edit(
                path=CROSSINGS,
                old="CASE watches WHEN 'posted' THEN lowest WHEN 'pending' THEN pending\n",
                new="CASE watches WHEN 'posted' THEN highest WHEN 'pending' THEN pending\n",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_monitor_promises.py"
            "::test_workers_at_once_tell_exactly_what_the_running_balances_say",
        ),
    ),
    Mutant(
        name="a-hold-posted-in-silence",
        breaks="A hold that a person posts moves money and no event says so: nobody else books it.",
        edits=(
            Edit(
                path="services/ledger/desk/decisions.py",
                old="wire.holds.changed_messages(reply, journals, first_cause())",
                new="[]",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_hold_decisions.py"
            "::test_a_hold_is_placed_posted_in_part_and_announced",
        ),
    ),
    Mutant(
        name="a-limit-cleared-that-is-not-there",
        breaks="Clearing a limit that no wallet has succeeds, and opens a wallet for a misspelt name.",
        edits=(
            Edit(
                path="services/ledger/desk/decisions.py",
                old="    if clears and (new or",
                new="    if False and (new or",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_hold_decisions.py"
            "::test_what_cannot_be_decided_is_refused_and_changes_nothing",
        ),
    ),
)
