"""`hobbs replay`: a closed range again through a service's own handlers, and first what they would write."""

import json
import re
import secrets
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from fleet.database import Database
from fleet.envelope import Message, first_cause
from fleet.kafka_client import TopicPlan, create_topics, publish_once
from fleet.proofs import Publishers, keys_of_publishers
from fleet.proved import hand_proved
from fleet.settings import Settings
from hobbs.replay import reading, span
from schemas.flights import FlightCompleted
from schemas.proved import PROVED, publishers_keys
from services.billing.handlers import bill_flights, configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, FLIGHT, configured
from tests.integration.ops.conftest import Hobbs
from tests.support.databases import service_url

TOPIC = "flight.completed"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations" / "replay.md"
NAMES = ("F1", "F2", "F3", "F4", "F5")
ALL = (TOPIC, "--from", "beginning", "--to", "now")


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """Five flights in Kafka, of which billing has read the first four."""

    settings: Settings
    billing: Database
    owner: Database

    async def remembers_since_days(self, days: int) -> None:
        async with self.owner.transaction() as tx:
            await tx.execute(
                "UPDATE billing.inbox SET admitted_at = admitted_at - make_interval(days => :d)", d=days
            )

    async def notes(self) -> list[dict[str, Any]]:
        async with self.owner.transaction() as tx:
            rows = await tx.all("SELECT value FROM billing.outbox WHERE topic = 'decision.taken'")
        return [orjson.loads(bytes(row.value)) for row in rows]

    async def state(self) -> dict[str, int]:
        async with self.owner.transaction() as tx:
            rows = await tx.all(
                "SELECT 'bills' AS what, count(*) AS n FROM billing.bill UNION ALL "
                "SELECT 'outbox', count(*) FROM billing.outbox WHERE topic <> 'decision.taken' UNION ALL "
                "SELECT 'inbox', count(*) FROM billing.inbox UNION ALL "
                "SELECT 'letters', count(*) FROM billing.dead_letter"
            )
        return {row.what: row.n for row in rows}


@pytest.fixture
async def school(
    kafka: str,
    database_url: str,
    open_db: OpenDatabase,
    owner: Database,
    hobbs: Hobbs,
    monkeypatch: pytest.MonkeyPatch,
) -> School:
    prefix = f"{secrets.token_hex(4)}."
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
    settings = Settings.model_validate(
        {
            "database_url": service_url(database_url, "billing"),
            "kafka_bootstrap": kafka,
            "topic_prefix": prefix,
        }
    )
    plans = [(TOPIC, 3), ("decision.taken", 1)]
    await create_topics(settings, [TopicPlan(name=n, partitions=p, retention_ms=-1) for n, p in plans])
    flights = [FlightCompleted.model_validate(FLIGHT | {"flight_id": name}) for name in NAMES]
    messages = [Message(topic=TOPIC, key=f.flight_id, event=f, cause=first_cause()) for f in flights]
    await publish_once(settings, messages, service="gateway")
    billing = open_db("billing")
    await configure_school(billing, [configured(1, CHANGES)])
    async with reading.open_reader(settings) as reader:
        parts = await span.parts(
            reader, prefix + TOPIC, "beginning", "now", partition=None, now=datetime.now(UTC)
        )
        records = [
            record
            async for batch in reading.of_topic(reader, TOPIC, parts, reading.Choice())
            for record in batch
        ]
    await bill_flights(billing, [record for record in records if record.key != b"F5"])
    async with billing.transaction() as tx:
        await tx.execute("INSERT INTO topic_position VALUES (:topic, 0, 1)", topic=TOPIC)
    return School(settings=settings, billing=billing, owner=owner)


def effects(output: str) -> dict[str, int]:
    return {f"{row['what']} {row['change']}": row["rows"] for row in json.loads(output)}


async def test_what_the_service_read_with_keys_is_replayed_with_them_or_not_at_all(
    school: School, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without keys a record has another name, and what was buried as not proved would be believed."""
    keys = publishers_keys(
        "billing", {who: [40 * who[0]] for who in PROVED[TOPIC].by} | {"billing": [40 * "b"]}
    )
    publishers = Publishers(keys_of_publishers(SecretStr(keys)), PROVED)
    async with reading.open_reader(school.settings) as reader:
        parts = await span.parts(
            reader,
            school.settings.topic_prefix + TOPIC,
            "beginning",
            "now",
            partition=None,
            now=datetime.now(UTC),
        )
        [last] = [
            record
            async for batch in reading.of_topic(reader, TOPIC, parts, reading.Choice())
            for record in batch
            if record.key == b"F5"
        ]
    await hand_proved(school.billing, publishers, partial(bill_flights, school.billing), [last])
    await school.remembers_since_days(2)
    before = await school.state()
    for more in (["--dry-run"], ["--yes"]):
        refused = await hobbs("replay", *ALL, "--service", "billing", *more)
        assert refused.exit_code != 0
        assert "set HOBBS_PUBLISHERS_KEYS as billing has it" in refused.stderr
    monkeypatch.setenv("HOBBS_BILLING_PUBLISHERS_KEYS", keys)
    known = await hobbs("replay", *ALL, "--service", "billing", "--dry-run", "-o", "json")
    assert (known.exit_code, effects(known.stdout)) == (0, {}), known.stderr
    assert await school.state() == before


async def test_a_rehearsal_says_exactly_what_the_replay_then_writes(school: School, hobbs: Hobbs) -> None:
    await school.remembers_since_days(2)
    before = await school.state()
    tried = await hobbs("replay", *ALL, "--service", "billing", "--dry-run", "-o", "json")
    assert tried.exit_code == 0, tried.stderr
    assert "5 records, 1 of them new to billing" in tried.stderr
    assert await school.state() == before
    said = effects(tried.stdout)
    assert said["flight.billed published"] == said["journal.requested published"] == 1

    done = await hobbs("replay", *ALL, "--service", "billing", "--yes")
    assert done.exit_code == 0, done.stderr
    after = await school.state()
    assert {name: after[name] - before[name] for name in after} == {
        "bills": said["bill added"],
        "outbox": said["outbox added"],
        "inbox": said["inbox added"],
        "letters": 0,
    }

    again = await hobbs("replay", *ALL, "--service", "billing", "--yes", "-o", "json")
    assert (again.exit_code, effects(again.stdout)) == (0, {})
    assert "nothing would be written" in again.stderr
    assert await school.state() == after


async def test_who_replayed_what_and_why_is_kept_before_the_first_record(
    school: School, hobbs: Hobbs
) -> None:
    await school.remembers_since_days(2)
    who = ("--who", "ann", "--why", "billing was down")
    await hobbs("replay", *ALL, "--service", "billing", "--dry-run", *who)
    assert await school.notes() == []
    await hobbs("replay", *ALL, "--service", "billing", "--key", "F5", "--yes", *who)
    [note] = await school.notes()
    assert (note["action"], note["service"], note["object"]) == ("replay", "billing", f"topic:{TOPIC}")
    assert note["sentence"].startswith("ann replays 1 records (partition 0: offsets 0 to ")
    assert note["sentence"].endswith(f"only key F5) of {TOPIC} to billing: billing was down")
    assert {"what": "bill", "change": "added", "rows": 1} in note["effects"]

    body = orjson.dumps(note)
    told = [Message(topic="decision.taken", key="k", event=one, cause=first_cause()) for one in (body, b"{}")]
    await publish_once(school.settings, told, service="billing")
    shown = await hobbs("replay", "--past", "-o", "json")
    assert [row["sentence"] for row in json.loads(shown.stdout)] == [note["sentence"]]


async def test_nobody_is_asked_twice_and_a_no_changes_nothing(school: School, hobbs: Hobbs) -> None:
    await school.remembers_since_days(2)
    before = await school.state()
    refused = await hobbs("replay", *ALL, "--service", "billing", answer="n\n")
    assert refused.exit_code == 1
    assert await school.state() == before


@pytest.mark.parametrize("kept", [1, 0], ids=["all but one pruned", "all pruned"])
async def test_what_a_pruned_inbox_may_have_held_is_not_replayed(
    school: School, hobbs: Hobbs, kept: int
) -> None:
    """Natural keys would drop these flights; a service whose rows have none would count them twice."""
    async with school.owner.transaction() as tx:
        await tx.execute(
            "DELETE FROM billing.inbox WHERE event_key NOT IN "
            "(SELECT event_key FROM billing.inbox ORDER BY event_key LIMIT :kept)",
            kept=kept,
        )
    before = await school.state()
    result = await hobbs("replay", *ALL, "--service", "billing", "--yes")
    assert result.exit_code == 1
    assert "refused" in result.stderr
    assert "begin later" in result.stderr
    assert await school.state() == before


async def test_a_service_that_has_handled_nothing_has_nothing_to_forget(school: School, hobbs: Hobbs) -> None:
    async with school.owner.transaction() as tx:
        await tx.execute("DELETE FROM billing.inbox")
        await tx.execute("DELETE FROM billing.topic_position")
    result = await hobbs("replay", *ALL, "--service", "billing", "--dry-run")
    assert result.exit_code == 0, result.stderr


async def test_records_go_through_a_file_and_back_to_the_service(
    school: School, hobbs: Hobbs, tmp_path: Path
) -> None:
    await school.remembers_since_days(2)
    file = tmp_path / "flights.jsonl"
    written = await hobbs("replay", *ALL, "--to-file", str(file))
    assert written.exit_code == 0, written.stderr
    assert (len(file.read_text().splitlines()), file.stat().st_mode & 0o077) == (1 + len(NAMES), 0)
    twice = await hobbs("replay", *ALL, "--to-file", str(file))
    assert twice.exit_code == 1
    assert "is there already" in twice.stderr

    back = await hobbs("replay", TOPIC, "--from-file", str(file), "--service", "billing", "--yes")
    assert "5 records, 1 of them new to billing" in back.stderr
    assert (await school.state())["bills"] == len(NAMES)
    other = await hobbs("replay", "flight.corrected", "--from-file", str(file), "--service", "billing")
    assert other.exit_code == 1
    assert "not of flight.corrected" in other.stderr


async def test_a_key_a_limit_and_a_partition_narrow_the_range(school: School, hobbs: Hobbs) -> None:
    await school.remembers_since_days(2)
    to = ("--service", "billing", "--dry-run")
    assert "1 records, 1 of them new" in (await hobbs("replay", *ALL, "--key", "F5", *to)).stderr
    assert "2 records" in (await hobbs("replay", *ALL, "--limit", "2", *to)).stderr
    counts = []
    for n in range(3):
        result = await hobbs("replay", *ALL, "--partition", str(n), *to)
        assert result.exit_code == 0, result.stderr
        counts.append(int(result.stderr.split(" records")[0].split()[-1]))
    assert sum(counts) == len(NAMES)
    full = max(range(3), key=lambda n: counts[n])
    narrowed = (TOPIC, "--from", "0", "--to", "1", "--partition", str(full))
    assert "1 records" in (await hobbs("replay", *narrowed, *to)).stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((TOPIC, "--from", "beginning"), "a range has two ends"),
        ((TOPIC, "--from", "beginning", "--to", "2999-01-01T00:00Z"), "is still to come"),
        ((TOPIC, "--from", "2026-01-01T00:00", "--to", "now"), "says no time zone"),
        ((TOPIC, "--from", "0", "--to", "now"), "an offset belongs to one"),
        ((TOPIC, "--from", "0", "--to", "900", "--partition", "0"), "is still to come"),
        ((TOPIC, "--from", "0", "--to", "now", "--partition", "7"), "has no partition 7"),
        (("flight.complete", "--from", "0", "--to", "now"), "there is no topic"),
        ((TOPIC, "--from=-5", "--to", "now"), "--from '-5' is neither an offset, a time"),
        ((TOPIC, "--from", "0", "--to", "9" * 5000), "is neither an offset, a time"),
        ((TOPIC, "--from", "2026-11-02T00:00Z", "--to", "2026-11-01T00:00Z"), "is behind --to 2026-11-01"),
        ((TOPIC, "--from", "9999-12-31T23:59-12:00", "--to", "now"), "between the years 1 and 9999"),
        (
            (TOPIC, "--from", "0001-01-01T00:00Z", "--to", "1969-12-31T00:00Z", "--key", "F"),
            "has the key 'F'",
        ),
        ((*ALL, "--key", "F99"), "no record of flight.completed in this range has the key 'F99'"),
        ((*ALL, "--key", "\ud800"), "--key is no text in UTF-8"),
        (("stripe.dead", *ALL[1:]), "there is no topic 'stripe.dead'"),
        (("decision.taken", *ALL[1:]), "to replay to: no service has"),
    ],
)
async def test_a_range_that_is_not_closed_or_not_there_is_refused(
    school: School, hobbs: Hobbs, arguments: tuple[str, ...], sentence: str
) -> None:
    result = await hobbs("replay", *arguments, "--service", "billing", "--yes")
    assert result.exit_code in (1, 2)
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        ("ledger", "ledger has no handler for flight.completed"),
        ("payroll", "'payroll' is not one of"),
    ],
)
async def test_a_service_that_does_not_read_the_topic_is_named(
    school: School, hobbs: Hobbs, service: str, sentence: str
) -> None:
    result = await hobbs("replay", *ALL, "--service", service)
    assert (result.exit_code, sentence in result.stderr) == (2, True)


async def test_a_file_that_is_not_there_is_named(school: School, hobbs: Hobbs, tmp_path: Path) -> None:
    file = tmp_path / "none.jsonl"
    result = await hobbs("replay", TOPIC, "--from-file", str(file), "--service", "billing", "--dry-run")
    assert (result.exit_code, result.stderr) == (1, f"{file}: No such file or directory\n")


async def test_a_process_with_stripes_key_replays_nothing(
    school: School, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_PAYOUTS_STRIPE_SECRET_KEY", "sk_test_1")
    result = await hobbs("replay", *ALL, "--service", "billing", "--yes")
    assert (result.exit_code, "could call Stripe" in result.stderr) == (2, True)


async def test_no_group_is_made_and_no_offset_moves(school: School, hobbs: Hobbs) -> None:
    await school.remembers_since_days(2)
    await hobbs("replay", *ALL, "--service", "billing", "--yes")
    admin = AIOKafkaAdminClient(bootstrap_servers=school.settings.kafka_bootstrap)
    await admin.start()
    try:
        groups = [name for name, _ in await admin.list_consumer_groups()]
    finally:
        await admin.close()
    assert not [name for name in groups if name.startswith(school.settings.topic_prefix)]
    async with school.billing.autocommit() as tx:
        assert (await tx.one("SELECT next_offset FROM topic_position")).next_offset == 1


async def test_the_page_says_what_can_be_typed(
    school: School, hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await school.remembers_since_days(2)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for line in "".join(blocks).splitlines():
        result = await hobbs(*shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.stderr)
    assert (await school.state())["bills"] == len(NAMES)
