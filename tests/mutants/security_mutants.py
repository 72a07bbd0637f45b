"""Mutants of what stands behind Kafka's users and rights."""

from tests.mutants.mutant import Edit, Mutant

BOOKS = "tests/integration/payouts/test_books.py"
LOGINS = "tests/integration/ops/test_logins.py"
FORCED = "tests/integration/payouts/test_forced.py"
FORGERIES = "tests/integration/ledger/test_forged_requests.py"
WORDS = "tests/integration/promises/test_proved_words.py"
BY_HAND = "tests/integration/ledger/test_two_by_hand.py"
CONTACTS = "tests/integration/payouts/test_contacts.py"
BOOK = "tests/integration/billing/test_book_by_two.py"
REBUILD = "tests/integration/ops/test_rebuild.py"

SECURITY_MUTANTS = (
    Mutant(
        name="the-operators-book-is-believed",
        breaks="Who has the operator's user at the brokers names the rate they are paid by.",
        edits=(
            Edit(
                path="schemas/proved.py",
                old='    "school.configured": Proved(by=("billing",), read_by=("billing",)),',
                new='    "school.configured": Proved(by=("billing",), read_by=("billing",), others=True),',
            ),
        ),
        catchers=(f"{WORDS}::test_whoever_has_the_operators_user_changes_no_book_and_no_limit",),
    ),
    Mutant(
        name="one-person-changes-the-book",
        breaks="One login names the rates of a school where two people have theirs.",
        edits=(
            Edit(
                path="services/billing/desk/book.py",
                old="    if await _is_one_persons(tx, changes):",
                new="    if changes or await _is_one_persons(tx, changes):",
            ),
        ),
        catchers=(f"{BOOK}::test_one_person_changes_no_rate_and_no_policy",),
    ),
    Mutant(
        name="another-difference-is-agreed-to",
        breaks="The second person agrees to amounts that the first did not ask for.",
        edits=(
            Edit(
                path="services/billing/desk/book.py",
                old="            one.document,\n",
                new="",
            ),
        ),
        catchers=(f"{BOOK}::test_who_asks_for_other_amounts_agrees_to_nothing",),
    ),
    Mutant(
        name="made-anew-from-what-was-not-believed",
        breaks="A forged version of the book counts once the tables are made anew.",
        edits=(
            Edit(
                path="hobbs/rebuild/making.py",
                old="    if asked is None or asked.others:\n",
                new="    if asked is None or asked.by:\n",
            ),
        ),
        catchers=(f"{REBUILD}::test_what_the_service_did_not_believe_is_not_believed_when_it_is_made_anew",),
    ),
    Mutant(
        name="announced-is-believed",
        breaks="Who may publish on journal.posted has anybody paid.",
        edits=(
            Edit(
                path="services/payouts/handlers.py",
                old="        posted = await books.believed(tx, posted)\n",
                new="",
            ),
            Edit(
                path="services/payouts/handlers.py",
                old="from services.payouts.steps import agreements, books, charges, clawbacks,",
                new="from services.payouts.steps import agreements, charges, clawbacks,",
            ),
        ),
        catchers=(f"{BOOKS}::test_a_journal_that_the_ledger_never_wrote_pays_nobody",),
    ),
    Mutant(
        name="only-the-journals-id-is-compared",
        breaks="A journal of the ledger is paid with whatever amounts its announcement says.",
        edits=(
            Edit(
                path="services/payouts/domain/books.py",
                old="    if written == announced:\n",
                new="    if written is not None:\n",
            ),
        ),
        catchers=(f"{BOOKS}::test_a_journal_that_says_something_else_than_the_ledger_pays_nobody",),
    ),
    Mutant(
        name="a-webhook-is-believed-unproved",
        breaks="Who may publish on stripe.webhook makes up a payment.",
        edits=(
            Edit(
                path="schemas/attestation.py",
                old="    return not keys or any(",
                new="    return not webhook.mac or any(",
            ),
        ),
        catchers=(
            "tests/unit/fleet/test_attestation.py::test_both_readers_bury_what_nobody_with_the_key_wrote",
        ),
    ),
    Mutant(
        name="whoever-speaks-is-believed",
        breaks="Who has a service's login at the brokers has money refunded, charged and paid.",
        edits=(
            Edit(
                path="fleet/proved.py",
                old=" if not publishers.topics[record.topic].others]\n",
                new=" if False]\n",
            ),
        ),
        catchers=(f"{WORDS}::test_what_no_publisher_proves_is_buried_and_has_no_effect",),
    ),
    Mutant(
        name="a-key-proves-on-any-topic",
        breaks="With the keys of what it reads a service speaks as another one elsewhere.",
        edits=(
            Edit(
                path="fleet/proofs.py",
                old='    parts = (b"hobbs request 1", topic.encode(), *facts',
                new='    parts = (b"hobbs request 1", *facts',
            ),
            Edit(
                path="fleet/proofs.py",
                old='f"hobbs topic 1 {topic}".encode()',
                new='b"hobbs topic 1"',
            ),
            Edit(
                path="schemas/proved.py",
                old='f"hobbs topic 1 {topic}".encode()',
                new='b"hobbs topic 1"',
            ),
        ),
        catchers=(f"{WORDS}::test_what_no_publisher_proves_is_buried_and_has_no_effect",),
    ),
    Mutant(
        name="a-name-of-ours-needs-no-proof",
        breaks="Who knows the gateway's next id has its event become a dead letter.",
        edits=(
            Edit(
                path="fleet/proved.py",
                old="    if not source.startswith(OWN_SOURCES):\n",
                new="    if source:\n",
            ),
        ),
        catchers=(f"{WORDS}::test_who_takes_the_gateways_next_id_takes_nothing_from_it",),
    ),
    Mutant(
        name="a-service-asks-for-any-journal",
        breaks="Who has one service's key asks for another's journals.",
        edits=(
            Edit(
                path="services/ledger/wire/journals.py",
                old="    if publisher_of_journal(asked.event_type, asked.source) != publisher:",
                new="    if publisher_of_journal(asked.event_type, asked.source) is None:",
            ),
        ),
        catchers=(f"{FORGERIES}::test_a_journal_that_its_service_did_not_ask_for_is_not_posted",),
    ),
    Mutant(
        name="the-requests-body-is-not-in-its-proof",
        breaks="A true request may be written again with another amount, under the same event.",
        edits=(
            Edit(
                path="fleet/proofs.py",
                old='    parts = (b"hobbs request 1", topic.encode(), *facts, record_key, value)\n',
                new='    parts = (b"hobbs request 1", topic.encode(), *facts, record_key)\n',
            ),
        ),
        catchers=(f"{FORGERIES}::test_a_journal_that_its_service_did_not_ask_for_is_not_posted",),
    ),
    Mutant(
        name="whoever-acts-as-the-ledger-is-the-ledger",
        breaks="Who may act as the ledger's role posts any journal alone.",
        edits=(
            Edit(
                path="services/ledger/functions/two_by_hand.sql",
                old="DEFERRED FOR EACH ROW WHEN (session_user <> 'hobbs_ledger')",
                new="DEFERRED FOR EACH ROW WHEN (current_user <> 'hobbs_ledger')",
            ),
        ),
        catchers=(f"{BY_HAND}::test_who_may_act_as_the_ledger_posts_no_flight_that_pays_much_alone",),
    ),
    Mutant(
        name="small-journals-by-hand-do-not-add-up",
        breaks="One person posts any amount, in parts.",
        edits=(
            Edit(
                path="services/ledger/functions/two_by_hand.sql",
                old="    IF up_to IS NULL OR by_hand_alone(ask_by_hand.currency) + together <= up_to THEN",
                new="    IF up_to IS NULL OR together <= up_to THEN",
            ),
            Edit(
                path="services/ledger/functions/two_by_hand.sql",
                old="        together := by_hand_alone(moved.currency) + moved.amount;",
                new="        together := moved.amount;",
            ),
        ),
        catchers=(f"{BY_HAND}::test_small_journals_add_up_within_a_day_and_each_has_its_login",),
    ),
    Mutant(
        name="the-body-is-not-in-the-proof",
        breaks="A true record may be written again with another amount.",
        edits=(Edit(path="schemas/attestation.py", old="        webhook.body,\n", new=""),),
        catchers=("tests/unit/fleet/test_attestation.py::test_no_field_may_be_changed",),
    ),
    Mutant(
        name="who-was-erased-comes-back",
        breaks="The next school.toml that still has the name brings an erased person back.",
        edits=(
            Edit(
                path="services/payouts/store/contacts.py",
                old="          AND (contact.erased_at IS NULL OR contact.erased_at < (",
                new="          AND (true OR contact.erased_at < (",
            ),
        ),
        catchers=(f"{CONTACTS}::test_what_is_erased_is_gone_and_stays_gone",),
    ),
    Mutant(
        name="an-older-statement-stands",
        breaks="A statement that comes late replaces a newer name.",
        edits=(
            Edit(
                path="services/payouts/store/contacts.py",
                old="        WHERE coalesce(contact.stated_at <= excluded.stated_at, true)\n",
                new="        WHERE true\n",
            ),
        ),
        catchers=(f"{CONTACTS}::test_the_newest_statement_stands_in_whatever_order_they_come",),
    ),
    Mutant(
        name="letters-keep-what-tells-of-people",
        breaks="A record of contact.changed that cannot be read stays in a dead letter for ever.",
        edits=(
            Edit(
                path="fleet/dead_letters.py",
                old="None if left_out or record.topic in PERSONAL else _base64(record.value)",
                new="None if left_out else _base64(record.value)",
            ),
        ),
        catchers=(f"{CONTACTS}::test_a_record_of_people_that_cannot_be_read_leaves_nothing_in_its_letter",),
    ),
    Mutant(
        name="cards-name-people",
        breaks="Records of earlier releases put names into billing's history and into the next topic.",
        edits=(
            Edit(
                path="schemas/school.py",
                old="    left_out = CONTACT if kind in PEOPLE else frozenset()\n",
                new="    left_out: frozenset[str] = frozenset()\n",
            ),
        ),
        catchers=(
            "tests/unit/billing/test_card_documents.py"
            "::test_a_card_of_an_earlier_release_is_read_without_its_name_and_address",
        ),
    ),
    Mutant(
        name="an-address-is-frozen-with-the-request",
        breaks="A repeat with another address is parked, and the payee is never paid.",
        edits=(
            Edit(
                path="services/payouts/domain/outcomes.py",
                old="        case StripeVerdict.MISUSED if operation.kind is Kind.ACCOUNT:",
                new="        case StripeVerdict.MISUSED if operation.kind is Kind.CHARGE:",
            ),
        ),
        catchers=(
            f"{CONTACTS}::test_an_address_that_changed_while_the_request_was_in_doubt_makes_no_second_account",
        ),
    ),
    Mutant(
        name="the-record-says-who-decides",
        breaks="One login approves twice, under another name.",
        edits=(
            Edit(
                path="fleet/vouches.py",
                old="return Vouched(name=login.removeprefix(PERSON), ",
                new="return Vouched(name=name, ",
            ),
        ),
        catchers=(f"{LOGINS}::test_one_login_does_not_approve_twice_by_another_name",),
    ),
    Mutant(
        name="nobody-need-vouch",
        breaks="Whoever may write to Kafka decides under any name.",
        edits=(
            Edit(
                path="fleet/vouches.py",
                old="if own and login is None:",
                new="if False and login is None:",
            ),
        ),
        catchers=(f"{LOGINS}::test_a_decision_that_nobody_logged_in_for_is_refused",),
    ),
    Mutant(
        name="one-person-is-two",
        breaks="Whoever asked for a release agrees to it in capital letters.",
        edits=(
            Edit(
                path="services/payouts/desk/forced.py",
                old="    if waiting is not None and not same_person(waiting.asked_by, who):",
                new="    if waiting is not None and waiting.asked_by != who:",
            ),
        ),
        catchers=(f"{FORCED}::test_one_person_alone_releases_no_more_than_the_school_lets_them",),
    ),
    Mutant(
        name="small-releases-do-not-add-up",
        breaks="One person sends any amount, in parts below the limit.",
        edits=(
            Edit(
                path="services/payouts/desk/forced.py",
                old="    alone = money.amount + await store.forced_acts.by_one(tx, money, now - DAY)",
                new="    alone = money.amount",
            ),
        ),
        catchers=(f"{FORCED}::test_small_amounts_add_up_for_a_payee_within_a_day",),
    ),
    Mutant(
        name="who-vouches-is-one-person",
        breaks="What is parked is sent once more on one person's word, whatever the amount.",
        edits=(
            Edit(
                path="services/payouts/desk/decisions.py",
                old="    if checked and (\n        waits :=",
                new="    if False and (\n        waits :=",
            ),
        ),
        catchers=(f"{FORCED}::test_who_vouches_for_what_is_parked_is_two_persons",),
    ),
    Mutant(
        name="operations-makes-links",
        breaks="Somebody of operations names a bank of their own for a payee, and releases to it.",
        edits=(
            Edit(
                path="services/payouts/desk/decisions.py",
                old='    "link": Action(judge=link, holder=str),',
                new='    "link": Action(judge=link, holder=str, roles=RUNNERS),',
            ),
        ),
        catchers=(
            f"{LOGINS}::test_operations_runs_what_stands_still_and_neither_approves_nor_redirects_money",
        ),
    ),
)
