"""Mutants of the ledger's balances at past instants, and of journals posted by SQL."""

from tests.mutants.mutant import Edit, Mutant

HISTORY = "services/ledger/functions/time.sql"
JOURNALS = "services/ledger/functions/journals.sql"
TIME = "tests/integration/ledger/test_time.py"
BY_HAND = "tests/integration/ledger/test_rules_by_hand.py"
GUARDS = "tests/integration/ledger/test_guards.py"

LEDGER_HISTORY_MUTANTS = (
    Mutant(
        name="history-one-instant-early",
        breaks="An entry recorded at exactly the instant asked for is left out.",
        edits=(
            Edit(
                path=HISTORY,
                old="AND entry.recorded_at <= least(balance_at.occurred_by, balance_at.known_by)",
                new="AND entry.recorded_at < least(balance_at.occurred_by, balance_at.known_by)",
            ),
        ),
        catchers=(f"{TIME}::test_a_balance_at_an_instant_is_found_however_unevenly_entries_came",),
    ),
    Mutant(
        name="history-takes-any-entry-of-an-instant",
        breaks="Of entries recorded at one instant the first one's running balance is taken.",
        edits=(
            Edit(
                path=HISTORY,
                old="ORDER BY entry.recorded_at DESC, entry.version DESC LIMIT 1",
                new="ORDER BY entry.recorded_at DESC, entry.version LIMIT 1",
            ),
        ),
        catchers=(f"{TIME}::test_a_balance_at_an_instant_is_found_however_unevenly_entries_came",),
    ),
    Mutant(
        name="entries-of-any-instant",
        breaks="An entry may have another recorded_at than its journal.",
        edits=(
            Edit(
                path=JOURNALS,
                old="        OR n.first_at <> journal.recorded_at OR n.last_at <> journal.recorded_at\n",
                new="",
            ),
        ),
        catchers=(f"{GUARDS}::test_entries_have_the_instants_of_their_journal",),
    ),
    Mutant(
        name="entries-that-occurred-at-any-instant",
        breaks="An entry may have another occurred_at than its journal.",
        edits=(
            Edit(
                path=JOURNALS,
                old="OR n.first_occurred <> journal.occurred_at OR n.last_occurred <> journal.occurred_at",
                new="",
            ),
        ),
        catchers=(f"{GUARDS}::test_entries_have_the_instants_of_their_journal",),
    ),
    Mutant(
        name="by-hand-planned-for-an-empty-ledger",
        breaks="A session that posts by SQL on a new ledger reads every balance in each later call.",
        edits=(
            Edit(
                path="services/ledger/functions/by_hand.sql",
                old="SET enable_seqscan = off SET plan_cache_mode",
                new="SET plan_cache_mode",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_functions.py"
            "::test_a_session_that_began_on_an_empty_ledger_reads_no_more_on_a_full_one",
        ),
    ),
    Mutant(
        name="history-without-entries-that-lack-occurred-at",
        breaks="Entries without occurred_at (before migration 0012) are missing from balances in their hour.",
        edits=(
            Edit(
                path=HISTORY,
                old="(SELECT occurred_at FROM journal WHERE journal.id = entry.journal_id)",
                new="NULL",
            ),
        ),
        catchers=(f"{TIME}::test_any_balance_at_any_instant_is_the_sum_of_what_counts",),
    ),
    Mutant(
        name="history-keeps-what-was-dated-ahead",
        breaks="A balance at an instant counts twice an entry recorded before it and dated after it.",
        edits=(
            Edit(
                path=HISTORY,
                old="sum(CASE WHEN occurred_at > recorded_at THEN -amount ELSE amount END)",
                new="sum(amount)",
            ),
        ),
        catchers=(f"{TIME}::test_any_balance_at_any_instant_is_the_sum_of_what_counts",),
    ),
    Mutant(
        name="history-overlooks-what-came-hours-late",
        breaks="Entries up to three hours late are not listed, and missing from balances at instants.",
        edits=(
            Edit(
                path=HISTORY,
                old="WHERE new_journal.recorded_at - new_journal.occurred_at > interval '1 hour'",
                new="WHERE new_journal.recorded_at - new_journal.occurred_at > interval '3 hours'",
            ),
        ),
        catchers=(f"{TIME}::test_any_balance_at_any_instant_is_the_sum_of_what_counts",),
    ),
    Mutant(
        name="closed-unseen-by-an-old-snapshot",
        breaks="A transaction whose snapshot is older than a close posts into the closed period.",
        edits=(
            Edit(
                path=JOURNALS,
                old="current_setting('transaction_isolation') <> 'read committed'",
                new="false",
            ),
        ),
        catchers=(f"{BY_HAND}::test_an_old_snapshot_posts_into_no_closed_period",),
    ),
    Mutant(
        name="acquired-wallet-deadlocks-with-holds",
        breaks="A transaction that acquires a wallet and one that places a hold on it may deadlock.",
        edits=(
            Edit(
                path="services/ledger/functions/wallets.sql",
                old="WHERE id = acquire_wallet_lock.wallet_id FOR NO KEY UPDATE",
                new="WHERE id = acquire_wallet_lock.wallet_id FOR UPDATE",
            ),
        ),
        catchers=(
            f"{BY_HAND}::test_who_acquires_a_wallet_waits_for_who_holds_its_balance_and_not_he_for_him",
        ),
    ),
    Mutant(
        name="second-revert-is-another",
        breaks="A revert requested again with another date is refused instead of answered.",
        edits=(
            Edit(
                path="services/ledger/domain/reverts.py",
                old="occurred_at=dates.setdefault(there.journal.journal_id, asked.occurred_at)",
                new="occurred_at=asked.occurred_at",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_reverts_and_groups.py"
            "::test_a_second_revert_is_answered_by_the_first_whenever_it_is_dated",
        ),
    ),
)
