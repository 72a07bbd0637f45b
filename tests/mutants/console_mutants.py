"""Mutants of the console: forms, roles, wallets, previews, sessions, sign-ins."""

from tests.mutants.mutant import Edit, Mutant

ASKING = "tests/integration/console/test_asking.py"
DOORS = "tests/integration/console/test_doors.py"
OIDC = "tests/integration/console/test_oidc.py"
ADDRESSES = "tests/unit/console/test_addresses.py"
STATEMENTS = "tests/integration/console/test_statements.py"
PROPOSALS = "tests/integration/billing/test_proposals.py"
ROWS = "tests/system/console/test_rows.py"
CORRECTING = "tests/integration/billing/test_correcting_letters.py"
RECENT = "tests/unit/console/test_recent.py"

CONSOLE_MUTANTS = (
    Mutant(
        name="console-form-token-unchecked",
        breaks="A form of any session, or of none, is taken.",
        edits=(
            Edit(
                path="console/guard.py",
                old='if not hmac.compare_digest(form.get("form_token", "").encode(),',
                new='if hmac.compare_digest(b"x",',
            ),
        ),
        catchers=(f"{ASKING}::test_a_form_without_its_session_s_token_asks_for_nothing",),
    ),
    Mutant(
        name="console-role-unchecked",
        breaks="Everybody in the office may have everything decided; only the buttons are missing.",
        edits=(
            Edit(
                path="console/pages/acts.py",
                old="    if not visit.person.has(act.roles):",
                new="    if not visit.person.is_staff:",
            ),
        ),
        catchers=(f"{ASKING}::test_a_role_is_asked_for_when_a_form_is_sent",),
    ),
    Mutant(
        name="console-preview-hash-ignored",
        breaks="What is decided may be something else than what its person saw.",
        edits=(Edit(path="console/asking.py", old="shown=one.preview.preview_hash", new="shown=None"),),
        catchers=(f"{ASKING}::test_a_decision_names_what_its_preview_showed_and_is_asked_for_once",),
    ),
    Mutant(
        name="console-form-decides-each-time",
        breaks="A second click asks for the decision again.",
        edits=(
            Edit(
                path="console/store/acts.py",
                old="act.person = :person AND act.decided_at IS NULL\n",
                new="act.person = :person\n",
            ),
        ),
        catchers=(f"{ASKING}::test_a_decision_names_what_its_preview_showed_and_is_asked_for_once",),
    ),
    Mutant(
        name="console-session-outlives-its-sign-out",
        breaks="A cookie of a session that was ended still opens every page.",
        edits=(
            Edit(
                path="console/store/sessions.py",
                old="WHERE cookie_hash = :cookie_hash AND ended_at IS NULL AND ends_at > now()",
                new="WHERE cookie_hash = :cookie_hash AND ends_at > now()",
            ),
        ),
        catchers=(f"{DOORS}::test_a_session_ends_with_the_sign_out_and_when_it_is_idle",),
    ),
    Mutant(
        name="console-oidc-nonce-unchecked",
        breaks="An ID token of another sign-in is believed.",
        edits=(
            Edit(
                path="console/signin/provider.py",
                old='if claims.get("nonce") != nonce:',
                new="if not nonce:",
            ),
        ),
        catchers=(f"{OIDC}::test_a_token_that_is_not_right_lets_nobody_in",),
    ),
    Mutant(
        name="console-stranger-chooses-an-address",
        breaks="X-Forwarded-For of anybody is believed: each guess comes from somebody else.",
        edits=(
            Edit(
                path="console/addresses.py",
                old="while named and _is_in(nearest, trusted):",
                new="while named:",
            ),
        ),
        catchers=(f"{ADDRESSES}::test_the_nearest_stranger_is_who_asks",),
    ),
    Mutant(
        name="console-balance-without-lines-is-not-stated",
        breaks="Who owes and did not fly that month gets no statement.",
        edits=(
            Edit(
                path="console/issuing.py",
                old="if statement.lines or statement.opening:",
                new="if statement.lines:",
            ),
        ),
        catchers=(f"{STATEMENTS}::test_every_wallet_s_month_is_issued_once_whoever_dies_or_comes_too",),
    ),
    Mutant(
        name="console-statements-are-never-overdue",
        breaks="Nobody learns that a month's statements were not issued.",
        edits=(
            Edit(
                path="console/issuing.py",
                old="return now - due_at(month) if month else timedelta()",
                new="return timedelta()",
            ),
        ),
        catchers=(f"{STATEMENTS}::test_a_death_while_statements_are_issued_leaves_whole_parts",),
    ),
    Mutant(
        name="console-holder-reads-every-entry",
        breaks="A holder's statement has the lines of every wallet.",
        edits=(
            Edit(
                path="console/functions/own.sql",
                old=(
                    "                        e.version::bigint\n"
                    "        FROM ledger_public.entries AS e\n"
                    "        WHERE e.wallet_id IN (SELECT w.wallet_id FROM ledger_public.wallets AS w\n"
                    "                              WHERE w.address = console_public.own_wallet());"
                ),
                new=(
                    "                        e.version::bigint\n"
                    "        FROM ledger_public.entries AS e WHERE console_public.own_wallet() <> '';"
                ),
            ),
        ),
        catchers=(f"{ROWS}::test_no_parameter_shows_a_holder_another_s_rows",),
    ),
    Mutant(
        name="console-rates-are-approved-by-their-maker",
        breaks="Whoever proposed a rate approves it.",
        edits=(
            Edit(
                path="services/billing/desk/proposals.py",
                old="by_its_maker = same_person(proposal.proposed_by, decision.who.name)",
                new="by_its_maker = proposal.proposed_by == decision.who.name",
            ),
        ),
        catchers=(f"{PROPOSALS}::test_what_another_approves_prices_the_flights_from_its_day_on",),
    ),
    Mutant(
        name="console-question-about-any-line",
        breaks="A holder asks about a line of another's account, and learns that there is one.",
        edits=(
            Edit(
                path="console/pages/own.py",
                old="    if await _line(visit, about) is None:\n        raise Missing\n",
                new="",
            ),
        ),
        catchers=(f"{ROWS}::test_a_question_of_a_holder_is_answered_once_and_they_read_it",),
    ),
    Mutant(
        name="corrected-letter-names-another-flight",
        breaks="Who corrects a refused flight may make it another flight, or another revision of it.",
        edits=(
            Edit(
                path="services/billing/desk/letters.py",
                old='frozenset({"flight_id", "revision", "billed_by"})',
                new='frozenset({"billed_by"})',
            ),
        ),
        catchers=(f"{CORRECTING}::test_what_cannot_be_corrected_is_said_and_changes_nothing",),
    ),
    Mutant(
        name="corrected-letter-stays-open",
        breaks="A flight that was told again still waits as a letter, and is corrected once more.",
        edits=(
            Edit(
                path="services/billing/desk/letters.py",
                old="await dead_letters.discard(tx, [_uuid(decision.object)],",
                new="await dead_letters.discard(tx, [],",
            ),
        ),
        catchers=(
            f"{CORRECTING}::test_a_corrected_flight_is_told_again_and_billed_once_and_its_letter_is_closed",
        ),
    ),
    Mutant(
        name="console-figures-outlive-a-decision",
        breaks="Figures that were read before a decision are shown after it.",
        edits=(Edit(path="console/recent.py", old="if generation == self._generation:", new="if True:"),),
        catchers=(f"{RECENT}::test_a_decision_meanwhile_is_seen_by_who_looks_next",),
    ),
)
