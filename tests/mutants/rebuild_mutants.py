"""Mutants of tables that are made anew, and of replays."""

from tests.mutants.mutant import Edit, Mutant

MAKING = "hobbs/rebuild/making.py"
ORDER = "hobbs/rebuild/order.py"
SCHEMAS = "hobbs/rebuild/schemas.py"
AUDIT = "hobbs/replay/audit.py"
TESTS = "tests/integration/ops/test_rebuild.py"
REPLAYS = "tests/integration/ops/test_replay.py"
OUTBOX = "fleet/outbox.py"
EVENTS = "services/payouts/store/events.py"


def _mutant(name: str, breaks: str, path: str, old: str, new: str, *catchers: str) -> Mutant:
    return Mutant(name=name, breaks=breaks, edits=(Edit(path=path, old=old, new=new),), catchers=catchers)


REBUILD_MUTANTS = (
    _mutant(
        "rebuild-by-stamps",
        "Records are handled as they were stamped, not as the live service admitted them.",
        ORDER,
        "(next((known[key] for key in some if key in known), record.timestamp), record)",
        "(record.timestamp, record)",
        f"{TESTS}::test_killed_in_the_middle_it_goes_on_where_it_was",
    ),
    _mutant(
        "rebuild-swaps-under-a-running-service",
        "The schemas change places while workers hold offsets that are in no table.",
        SCHEMAS,
        "        if sessions:\n",
        "        if sessions < 0:\n",
        f"{TESTS}::test_tables_made_anew_are_the_live_ones_and_take_their_place_in_the_middle_of_traffic",
    ),
    _mutant(
        "rebuild-forgets-what-waits",
        "What the service was about to publish is lost with the swap.",
        SCHEMAS,
        'CARRIED: Final = ("outbox", "outbox_sent",',
        'CARRIED: Final = ("outbox_sent",',
        f"{TESTS}::test_what_only_one_process_admitted_after_its_last_written_place_is_made_too",
    ),
    _mutant(
        "rebuild-stops-at-the-written-places",
        "What was committed behind the last written place is made by nobody, and told twice.",
        MAKING,
        " or not known.isdisjoint(keys_in_inbox(one))\n",
        "\n",
        f"{TESTS}::test_what_only_one_process_admitted_after_its_last_written_place_is_made_too",
    ),
    _mutant(
        "replay-without-a-trace",
        "Nobody can say afterwards who replayed what.",
        AUDIT,
        "    await outbox.stage(tx, [Message(",
        "    _ = (outbox.stage, tx, [Message(",
        f"{REPLAYS}::test_who_replayed_what_and_why_is_kept_before_the_first_record",
    ),
    _mutant(
        "sent-rows-are-not-kept",
        "When Kafka is lost, what was sent and not yet taken in is lost with it.",
        OUTBOX,
        "_MOVE if self._kept_days else _DELETE",
        "_DELETE",
        "tests/integration/fleet/test_outbox_relay.py::test_what_was_sent_is_kept_as_it_was_until_it_is_old",
    ),
    _mutant(
        "sent-rows-are-kept-for-ever",
        "Addresses of people stay in the log of sent rows.",
        OUTBOX,
        "first.sent_at < now()",
        "first.sent_at > now()",
        "tests/integration/fleet/test_outbox_relay.py::test_what_was_sent_is_kept_as_it_was_until_it_is_old",
    ),
    _mutant(
        "events-lost-with-kafka-are-delivered",
        "A payment whose webhook payouts had taken in, and receivables had not, is never posted.",
        EVENTS,
        "       OR made_at < (SELECT lost_before FROM event_listing)",
        "       OR made_at > (SELECT lost_before FROM event_listing)",
        "tests/integration/payouts/test_lost_events.py"
        "::test_what_receivables_lost_with_kafka_is_published_again",
    ),
    Mutant(
        name="replay-believes-what-was-buried",
        breaks="A replay without the publishers' keys takes known records for new, and forged ones for true.",
        edits=(
            Edit(
                path="fleet/proved.py",
                old="    return bool(row.with_keys)\n",
                new="    return not row\n",
            ),
        ),
        catchers=(
            "tests/integration/ops/test_replay.py"
            "::test_what_the_service_read_with_keys_is_replayed_with_them_or_not_at_all",
        ),
    ),
)
