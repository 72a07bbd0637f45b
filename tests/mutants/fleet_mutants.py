"""Mutants of fleet: consumers, inbox, outbox, dead letters, timers."""

from tests.mutants.mutant import Edit, Mutant

INBOX = "tests/integration/fleet/test_inbox.py"
OUTBOX = "tests/integration/fleet/test_outbox_relay.py"
ISOLATION = "tests/integration/promises/test_isolation.py"
WORKER = "tests/integration/fleet/test_worker.py"
FOREIGN = "tests/integration/fleet/test_foreign_records.py"

FLEET_MUTANTS = (
    Mutant(
        name="aborted-records-are-handled",
        breaks="Flights of aborted transactions are billed and paid.",
        edits=(
            Edit(path="fleet/reader.py", old='Final = "read_committed"', new='Final = "read_uncommitted"'),
        ),
        catchers=(FOREIGN,),
    ),
    Mutant(
        name="fetch-that-raised-keeps-what-it-took",
        breaks="After a fetch that raised the records of other partitions are lost.",
        edits=(
            Edit(path="fleet/reader.py", old="            self._go_back(self._asked | before)\n", new=""),
        ),
        catchers=(FOREIGN,),
    ),
    Mutant(
        name="damaged-batch-is-one-letter",
        breaks="Of a damaged batch only the first record is a dead letter; the others are lost.",
        edits=(
            Edit(
                path="fleet/record_batches.py",
                old="range(batch.start, next_offset)",
                new="range(batch.start, batch.start + 1)",
            ),
        ),
        catchers=("tests/unit/fleet/test_record_batches.py",),
    ),
    Mutant(
        name="offsets-before-commit",
        breaks="Offsets are committed before the handler has committed its effect.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old="""\
                await self._handle(consumer, records)
""",
                new="""\
                await message.ack()
                await self._handle(consumer, records)
""",
            ),
        ),
        catchers=("tests/integration/fleet/test_offsets.py",),
    ),
    Mutant(
        name="shared-batch-that-failed-is-handled",
        breaks="A consumer that shared a failed batch commits its offsets all the same.",
        edits=(
            Edit(
                path="fleet/shared_batches.py",
                old="share.handled.set_exception(error)",
                new="share.handled.set_result(None)",
            ),
        ),
        catchers=("tests/unit/fleet/test_shared_batches.py",),
    ),
    Mutant(
        name="shared-batch-forgets-others",
        breaks="Of a shared batch one member's records are handled; the others' offsets are committed too.",
        edits=(
            Edit(
                path="fleet/shared_batches.py",
                old="for share in shares for record in share.records]",
                new="for share in shares[:1] for record in share.records]",
            ),
        ),
        catchers=("tests/unit/fleet/test_shared_batches.py",),
    ),
    Mutant(
        name="no-turns-beside-other-workers",
        breaks="Members of one process wait for the same wallet locks that other processes wait for already.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old="elif self._reads_all_of(consumer.topic):",
                new="elif True:",
            ),
        ),
        catchers=("tests/unit/fleet/test_shared_batches.py",),
    ),
    Mutant(
        name="batch-waits-for-the-collector",
        breaks="A batch that was handled stays in memory until the cyclic collector runs.",
        edits=(Edit(path="fleet/consumers.py", old="message.raw_message = ()", new="pass"),),
        catchers=(
            "tests/integration/fleet/test_batches.py::test_a_batch_is_let_go_without_the_cyclic_collector",
        ),
    ),
    Mutant(
        name="acknowledge-first",
        breaks="FastStream's default policy commits offsets on a timer, handled or not.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old="ack_policy=AckPolicy.NACK_ON_ERROR",
                new="ack_policy=AckPolicy.ACK_FIRST",
            ),
        ),
        catchers=(f"{WORKER}::test_a_batch_that_raises_is_read_again_from_every_partition",),
    ),
    Mutant(
        name="begins-at-the-end",
        breaks="A new group begins at the end of its topic and skips the records that are there.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old='auto_offset_reset="earliest"',
                new='auto_offset_reset="latest"',
            ),
        ),
        catchers=(f"{WORKER}::test_a_batch_that_raises_is_read_again_from_every_partition",),
    ),
    Mutant(
        name="header-guard-removed",
        breaks="A header that is null or not UTF-8 reaches FastStream's parser and loses the whole batch.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old="    parsed = await original((dataclasses.replace(message[0], headers=()),))\n",
                new="    parsed = await original(message)\n",
            ),
        ),
        catchers=(f"{WORKER}::test_poison_never_stops_a_partition",),
    ),
    Mutant(
        name="record-raises-for-ever",
        breaks="A record nobody foresaw makes its batch raise each time it is read.",
        edits=(
            Edit(
                path="fleet/worker.py",
                old="handed = partial(isolate, self.database, handler)",
                new="handed = partial(handler)",
            ),
        ),
        catchers=(f"{ISOLATION}::test_a_record_nobody_foresaw_is_buried_alone",),
    ),
    Mutant(
        name="outage-buries-records",
        breaks="A record is buried although the database was away, not the record wrong.",
        edits=(
            Edit(path="fleet/isolate.py", old="if blame(error) is not Blame.RECORD:", new="if not error:"),
        ),
        catchers=(f"{ISOLATION}::test_an_outage_buries_nothing_and_the_batch_read_again_is_handled",),
    ),
    Mutant(
        name="missing-grant-buries-records",
        breaks="A record is buried although a grant or a table is missing.",
        edits=(
            Edit(
                path="fleet/outages.py",
                old="return Blame.RECORD if state[:2] in _RECORDS else Blame.DEPLOYMENT",
                new="return Blame.RECORD",
            ),
        ),
        catchers=(f"{ISOLATION}::test_a_missing_grant_or_table_buries_nothing",),
    ),
    Mutant(
        name="neighbours-buried-too",
        breaks="The half with the record to blame is buried whole.",
        edits=(
            Edit(
                path="fleet/isolate.py",
                old="        if len(part) == 1:\n            await _bury(db, part[0], error)\n",
                new="        if len(part) <= 2:\n            [await _bury(db, one, error) for one in part]\n",
            ),
        ),
        catchers=(f"{ISOLATION}::test_a_record_nobody_foresaw_is_buried_alone",),
    ),
    Mutant(
        name="no-conflict-clause",
        breaks="The inbox inserts without ON CONFLICT: a record that comes twice raises for ever.",
        edits=(
            Edit(
                path="fleet/inbox.py",
                old="    ON CONFLICT ON CONSTRAINT event_is_admitted_once DO NOTHING\n",
                new="",
            ),
        ),
        catchers=(f"{INBOX}::test_a_record_that_comes_twice_has_one_effect",),
    ),
    Mutant(
        name="swallowed-dead-letter",
        breaks="An unreadable record is dropped without a dead letter.",
        edits=(
            Edit(
                path="fleet/inbox.py",
                old="    await dead_letters.bury_letters(tx, letters)\n",
                new="",
            ),
        ),
        catchers=(f"{INBOX}::test_a_record_nobody_can_read_is_kept_and_the_rest_goes_on",),
    ),
    Mutant(
        name="unannounced-dead-letter",
        breaks="A dead letter is kept, and no event is published on the dead-letter topic.",
        edits=(
            Edit(
                path="fleet/dead_letters.py",
                old="""\
    await outbox.stage(tx, [_event(tx.service, row, causes[row.topic, row.identity]) for row in rows])
""",
                new="""\
    [_event(tx.service, row, causes[row.topic, row.identity]) for row in rows]
""",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_posting.py"
            "::test_the_same_source_with_other_content_is_refused_and_kept_for_a_person",
        ),
    ),
    Mutant(
        name="reused-id-dropped-as-duplicate",
        breaks="An event id that comes back with other content is dropped without a dead letter.",
        edits=(
            Edit(
                path="fleet/inbox.py",
                old="        if accepted[r.admitted.event_key] != r.payload_hash\n",
                new="        if r.admitted.event_key not in accepted\n",
            ),
        ),
        catchers=(f"{INBOX}::test_an_id_that_returns_with_another_content_becomes_a_dead_letter",),
    ),
    Mutant(
        name="unordered-inbox",
        breaks="Events are admitted in the batch's order, so that two members may deadlock on the same keys.",
        edits=(
            Edit(
                path="fleet/inbox.py",
                old="    ORDER BY event_key  -- one order",
                new="    --",
            ),
        ),
        catchers=("tests/integration/fleet/test_lock_order.py",),
    ),
    Mutant(
        name="cursor-based-outbox",
        breaks="The relay remembers the last id it saw and never sees a row that commits late.",
        edits=(
            Edit(
                path="fleet/outbox.py",
                old="    FROM outbox ORDER BY id LIMIT :most\n",
                new="    FROM outbox WHERE id > :seen ORDER BY id LIMIT :most\n",
            ),
            Edit(
                path="fleet/outbox.py",
                old="        self._wake = asyncio.Event()\n",
                new="        self._wake = asyncio.Event()\n        self._seen = 0\n",
            ),
            Edit(
                path="fleet/outbox.py",
                old="""\
        rows = (await session.execute(_SELECT, {"most": BATCH_ROWS})).all()
        if not rows:
            return 0
""",
                new="""\
        rows = (await session.execute(_SELECT, {"most": BATCH_ROWS, "seen": self._seen})).all()
        if not rows:
            return 0
        self._seen = rows[-1].id
""",
            ),
        ),
        catchers=(f"{OUTBOX}::test_a_row_that_commits_after_younger_ones_is_published_too",),
    ),
    Mutant(
        name="delete-before-ack",
        breaks="The relay deletes rows when it has handed them to the producer, before Kafka has them.",
        edits=(
            Edit(
                path="fleet/outbox.py",
                old="""\
        await fault_point("outbox.sending")
""",
                new="""\
        await session.execute(_DELETE, {"ids": [row.id for row in rows]})
        await fault_point("outbox.sending")
""",
            ),
        ),
        catchers=(f"{OUTBOX}::test_what_kafka_did_not_acknowledge_stays",),
    ),
    Mutant(
        name="skipped-prefix-rule",
        breaks="A row is deleted although an earlier row of its key failed, so the key's order is lost.",
        edits=(
            Edit(
                path="fleet/outbox.py",
                old="        elif (row.topic, row.key) not in failed:\n",
                new="        else:\n",
            ),
        ),
        catchers=("tests/unit/fleet/test_outbox.py",),
    ),
    Mutant(
        name="relay-without-lock",
        breaks="Every worker relays the outbox, whether or not another one does.",
        edits=(
            Edit(
                path="fleet/outbox.py",
                old="                    if await self._owns(session):\n",
                new="                    if await self._owns(session) or session:\n",
            ),
        ),
        catchers=(f"{OUTBOX}::test_a_second_relay_waits_for_the_first_to_end",),
    ),
    Mutant(
        name="scattered-keys",
        breaks="The relay sends each record to any partition: consumers read a key's records out of order.",
        edits=(
            Edit(
                path="fleet/outbox.py",
                old="partition_of(row.key, ",
                new="partition_of(None, ",
            ),
        ),
        catchers=(f"{OUTBOX}::test_the_relay_puts_a_key_where_every_producer_puts_it",),
    ),
    Mutant(
        name="redriven-but-still-in-the-inbox",
        breaks="A redriven record is still known to the inbox, which drops it as a duplicate.",
        edits=(
            Edit(
                path="fleet/dead_letters.py",
                old="DELETE FROM inbox USING letter WHERE inbox.event_key = letter.event_key",
                new="DELETE FROM inbox USING letter WHERE inbox.event_key = letter.id",
            ),
        ),
        catchers=(f"{INBOX}::test_a_redriven_letter_is_read_again_and_opens_again_when_it_fails_again",),
    ),
    Mutant(
        name="redriven-to-no-handler",
        breaks="A redriven record keeps the topic it came over, and is buried instead of handled.",
        edits=(
            Edit(
                path="fleet/redrives.py",
                old="return record._replace(topic=topic, ",
                new="return record._replace(",
            ),
        ),
        catchers=(f"{INBOX}::test_a_letter_that_comes_back_goes_to_the_handler_of_its_topic_and_no_other",),
    ),
    Mutant(
        name="timer-without-lease",
        breaks="A timer's job is run a second time while another process still runs it.",
        edits=(
            Edit(
                path="fleet/timers.py",
                old="due_at <= now() AND (lease_until IS NULL OR lease_until < now())",
                new="due_at <= now()",
            ),
        ),
        catchers=("tests/integration/fleet/test_timers.py::test_of_two_processes_one_runs_the_job",),
    ),
    Mutant(
        name="http-inside-a-transaction",
        breaks="Nothing objects to a call to Stripe while a transaction is open.",
        edits=(
            Edit(
                path="fleet/database.py",
                old="    if _open_transaction.get():\n",
                new="    if _open_transaction.get() is None:\n",
            ),
        ),
        catchers=(f"{INBOX}::test_nothing_slow_runs_inside_a_transaction",),
    ),
    Mutant(
        name="a-secret-is-lent-in-a-shared-process",
        breaks="In a process of several services one reads the Stripe key of another.",
        edits=(
            Edit(
                path="fleet/settings.py",
                old="            if name in SHARED_SECRETS or not _is_secret(fields.get(name))\n",
                new="            if name in fields\n",
            ),
        ),
        catchers=("tests/unit/fleet/test_settings.py",),
    ),
    Mutant(
        name="a-service-that-is-down-still-shows-its-gauges",
        breaks="HobbsServiceGone says nothing of a service that is down in a process that lives.",
        edits=(Edit(path="fleet/host.py", old="        metrics.end_service(self.name)\n", new=""),),
        catchers=("tests/integration/fleet/test_host.py",),
    ),
)
