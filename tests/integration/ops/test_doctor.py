"""`hobbs doctor`: finds each fault of an installation and says the fix; finds none in one that is well."""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import stripe
from pydantic import SecretStr

from fleet import kafka_client, zones
from fleet.database import Database
from fleet.kafka_client import TopicPlan
from fleet.settings import Settings
from hobbs.doctor.accounts import examine_accounts
from hobbs.doctor.console import examine_console
from hobbs.doctor.findings import Finding, State
from hobbs.doctor.stripe import StripeAccess, examine_stripe
from hobbs.doctor.time_zones import examine_time_zone
from hobbs.shell.topic_plans import topic_plans
from schemas.stripe_webhooks import API_VERSION
from schemas.topics import TOPICS
from services.billing.handlers import configure_school
from services.payouts import store
from services.payouts.domain.accounts import AccountPolicy, AccountsApi
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, configured
from tests.integration.ops.conftest import Hobbs, bury_unreadable
from tests.support.databases import service_url
from tests.support.records import record
from tests.support.stripe import StripeSim


async def findings(hobbs: Hobbs) -> tuple[int, list[dict[str, Any]]]:
    result = await hobbs("doctor", "-o", "json")
    return result.exit_code, json.loads(result.stdout)


def found(rows: list[dict[str, Any]], words: str) -> dict[str, Any]:
    matching = [row for row in rows if words in row["found"]]
    assert matching, f"nothing says {words!r}: {[row['found'] for row in rows]}"
    return matching[0]


@pytest.fixture
async def topics(kafka: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Every topic, under a prefix of this test's own."""
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", f"doctor-{secrets.token_hex(3)}.")
    settings = Settings()
    await kafka_client.create_topics(settings, topic_plans())
    return settings


@pytest.mark.usefixtures("topics")
async def test_a_well_installation_has_nothing_wrong(
    hobbs: Hobbs, stripe_sim: StripeSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_STRIPE_SECRET_KEY", stripe_sim.secret_key)
    monkeypatch.setenv("HOBBS_STRIPE_API_BASE", stripe_sim.api_base)
    monkeypatch.setenv("HOBBS_STRIPE_WEBHOOK_SECRETS", "whsec_a,whsec_b")
    code, rows = await findings(hobbs)
    wrong = [row for row in rows if row["state"] == "WRONG" and "fsync" not in row["found"]]
    assert wrong == []
    assert code == 1, "the test's own Postgres runs without fsync, which is a finding"
    assert found(rows, "PostgreSQL 18")["state"] == "ok"
    assert found(rows, f"{len(TOPICS)} topics")["state"] == "ok"
    assert found(rows, "accepts the key")["state"] == "ok"
    assert found(rows, "HOBBS_STRIPE_WEBHOOK_SECRETS: 2 secrets")["state"] == "ok"
    assert found(rows, "append-only")["state"] == "ok"
    assert found(rows, "nothing that Stripe refused waits")["state"] == "ok"


async def test_an_unreachable_broker_and_database_are_named_with_their_fix(
    hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", "postgresql://hobbs_operator:s3cret@127.0.0.1:1/hobbs")
    code, rows = await findings(hobbs)
    assert code == 1
    assert "HOBBS_DATABASE_URL" in found(rows, "127.0.0.1:1/hobbs")["fix"]
    assert "HOBBS_KAFKA_BOOTSTRAP" in next(row for row in rows if row["area"] == "kafka")["fix"]
    assert "s3cret" not in json.dumps(rows)


async def test_missing_settings_are_findings_and_the_machine_is_still_examined(
    hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOBBS_DATABASE_URL")
    code, rows = await findings(hobbs)
    assert code == 1
    assert found(rows, "HOBBS_DATABASE_URL is not set")["state"] == "WRONG"
    assert found(rows, "Python 3")["state"] == "ok"


async def test_secret_files_are_looked_at(
    hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shared = tmp_path / "key"
    shared.write_text("sk_test_x\n")
    shared.chmod(0o666)
    monkeypatch.setenv("HOBBS_STRIPE_SECRET_KEY_FILE", str(shared))
    _, rows = await findings(hobbs)
    assert found(rows, "everybody may write")["fix"] == f"chmod o-w {shared}"


async def test_a_hole_in_the_privileges_is_found(hobbs: Hobbs, owner: Database) -> None:
    async with owner.transaction() as tx:
        await tx.execute("GRANT USAGE ON SCHEMA ledger TO hobbs_billing")
        await tx.execute("GRANT UPDATE ON entry TO hobbs_ledger")
    _, rows = await findings(hobbs)
    assert found(rows, "hobbs_billing may use schema ledger")["state"] == "WRONG"
    assert found(rows, "may UPDATE ledger.entry")["fix"] == "REVOKE UPDATE ON ledger.entry FROM hobbs_ledger"


TAKEN_AWAY = [
    ("REVOKE INSERT ON ledger.entry FROM hobbs_ledger", "hobbs_ledger lacks INSERT ON TABLE ledger.entry"),
    ("REVOKE SELECT ON payouts.relay_stop FROM hobbs_payouts", "SELECT ON TABLE payouts.relay_stop"),
    ("REVOKE UPDATE (version) ON billing.book FROM hobbs_billing", "UPDATE (version) ON TABLE billing.book"),
    ("REVOKE USAGE ON SCHEMA gateway FROM hobbs_gateway", "hobbs_gateway lacks USAGE ON SCHEMA gateway"),
    ("REVOKE SELECT ON ledger_public.journals FROM hobbs_reader", "SELECT ON TABLE ledger_public.journals"),
    ("REVOKE SELECT ON billing_public.dead_letters FROM hobbs_reader", "billing_public.dead_letters"),
    (
        "REVOKE USAGE ON SEQUENCE payouts.operation_order FROM hobbs_payouts",
        "SEQUENCE payouts.operation_order",
    ),
    (
        "REVOKE EXECUTE ON FUNCTION ledger.extend_chain(timestamptz, integer) FROM hobbs_ledger",
        "hobbs_ledger lacks EXECUTE ON FUNCTION ledger.extend_chain(timestamptz, integer)",
    ),
]


async def test_each_right_that_was_taken_away_is_named_and_migrate_gives_it_again(
    hobbs: Hobbs, owner: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with owner.transaction() as tx:
        for statement, _ in TAKEN_AWAY:
            await tx.execute(statement)
    _, rows = await findings(hobbs)
    for _, sentence in TAKEN_AWAY:
        finding = found(rows, sentence)
        assert (finding["state"], "hobbs migrate" in finding["fix"]) == ("WRONG", True)
    assert len([row for row in rows if " lacks " in row["found"]]) == len(TAKEN_AWAY)
    monkeypatch.setenv("HOBBS_DATABASE_URL", database_url)
    assert (await hobbs("migrate", "--no-topics")).exit_code == 0
    monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(database_url, "operator"))
    _, rows = await findings(hobbs)
    assert [row["found"] for row in rows if " lacks " in row["found"]] == []
    assert found(rows, "append-only")["state"] == "ok"


async def test_a_relay_that_stripe_stopped_is_found(hobbs: Hobbs, open_db: OpenDatabase) -> None:
    sentence = "Stripe refuses the key (401)"
    now = datetime.now(UTC)
    async with open_db("payouts").transaction() as tx:
        await store.relay_stop.stop(tx, sentence, now, now)
    _, rows = await findings(hobbs)
    row = found(rows, f"nothing is paid since {now:%Y-%m-%d %H:%M:%S} UTC: {sentence}")
    assert (row["area"], row["state"]) == ("payouts", "WRONG")
    async with open_db("payouts").transaction() as tx:
        await store.relay_stop.resume(tx)
    _, rows = await findings(hobbs)
    assert not [row for row in rows if "nothing is paid" in row["found"]]


@pytest.mark.usefixtures("hobbs")
async def test_a_decision_in_the_console_that_nobody_answers_is_found(owner: Database) -> None:
    (well,) = await examine_console(Settings())
    assert (well.state, well.found) == (
        State.ok,
        "0 sessions, every decision is answered, 0 questions wait",
    )
    async with owner.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO console.act (preview_id, bundle_id, decision_id, position, person, service, action,
                                     object, parameters, why, decided_at)
            VALUES (uuidv7(), uuidv7(), uuidv7(), 0, 'ann', 'payouts', 'release', 'x', '{}', 'why',
                    now() - interval '5 minutes')
            """
        )
    (waits,) = await examine_console(Settings())
    assert waits.state is State.warning
    assert "1 decisions of people are not answered, the oldest for 300 s" in waits.found


async def test_a_guard_that_is_switched_off_is_found(hobbs: Hobbs, owner: Database) -> None:
    async with owner.transaction() as tx:
        await tx.execute("ALTER TABLE ledger.entry DISABLE TRIGGER entries_are_posted")
        await tx.execute("ALTER TABLE ledger.journal ENABLE TRIGGER journal_is_append_only")
    shown = await hobbs("doctor", "-o", "json")
    assert shown.exit_code == 1
    assert "trigger entries_are_posted of ledger.entry is switched off" in shown.stdout
    assert "ALTER TABLE ledger.journal ENABLE ALWAYS TRIGGER journal_is_append_only" in shown.stdout


async def test_a_migration_that_is_missing_is_found(hobbs: Hobbs, owner: Database) -> None:
    async with owner.transaction() as tx:
        await tx.execute("UPDATE alembic_version SET version_num = '0000'")
    _, rows = await findings(hobbs)
    assert "hobbs migrate" in found(rows, "migrations missing: ledger")["fix"]


async def test_an_old_outbox_row_and_open_letters_are_found(
    hobbs: Hobbs, owner: Database, open_db: OpenDatabase
) -> None:
    await bury_unreadable(open_db("billing"), [record("flight.completed", b"", ce_id="")])
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO outbox (topic, raw_headers, staged_at) "
            "VALUES ('journal.posted', '{}', now() - interval '1 hour')"
        )
    _, rows = await findings(hobbs)
    assert found(rows, "1 rows, the oldest 36")["area"] == "ledger"
    assert found(rows, "1 open dead letters")["fix"].startswith("`hobbs dead list --service billing`")


async def test_topics_that_are_missing_or_of_another_size_are_found(
    hobbs: Hobbs, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", f"doctor-{secrets.token_hex(3)}.")
    plans = [plan for plan in topic_plans() if plan.name not in ("flight.billed", "journal.posted")]
    small = TopicPlan(name="journal.posted", partitions=3, retention_ms=-1)
    await kafka_client.create_topics(Settings(), [*plans, small])
    code, rows = await findings(hobbs)
    assert code == 1
    assert "hobbs migrate" in found(rows, "topic flight.billed is missing")["fix"]
    assert found(rows, "topic journal.posted has 3 partitions, not 12")["state"] == "WRONG"


@pytest.mark.usefixtures("topics")
async def test_a_consumer_group_without_processes_is_found_with_its_lag(
    hobbs: Hobbs, topics: Settings
) -> None:
    async with kafka_client.open_producer(topics) as producer:
        for number in range(5):
            await producer.send_and_wait(
                f"{topics.topic_prefix}flight.completed", b"{}", key=str(number).encode()
            )
    _, rows = await findings(hobbs)
    row = found(rows, "billing.flight.completed: 0 processes, 5 records behind")
    assert row["fix"] == "start `hobbs work billing`"


def access(
    key: str | None, base: str = "https://api.stripe.com", *, livemode: bool = False, secrets: str = ""
) -> StripeAccess:
    return StripeAccess(
        secret_key=SecretStr(key) if key else None,
        api_base=base,
        webhook_secrets=SecretStr(secrets),
        connect_webhook_secrets=SecretStr(secrets),
        livemode=livemode,
    )


def wrong(rows: Sequence[Finding]) -> list[str]:
    return [row.found for row in rows if row.state is State.wrong]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (access("pk_test_1"), "neither sk_ nor rk_"),
        (
            access("sk_live_1", "http://127.0.0.1:1", livemode=True),
            "a live key goes to https://api.stripe.com",
        ),
        (access("sk_live_1"), "a live key, but webhooks of the other mode"),
        (
            access("sk_test_1", "http://127.0.0.1:1", livemode=True),
            "a test key, but webhooks of the other mode",
        ),
        (access("sk_test_1", "http://127.0.0.1:1"), "no answer (ConnectError)"),
        (access(None, secrets="whsec_a,secret"), "does not look like whsec_"),
    ],
)
async def test_a_wrong_stripe_setting_is_found_before_it_is_used(given: StripeAccess, says: str) -> None:
    assert says in wrong(await examine_stripe(given))[0]


async def test_a_key_that_stripe_refuses_is_found(stripe_sim: StripeSim) -> None:
    assert (
        "refuses the key (401)"
        in wrong(await examine_stripe(access("sk_test_wrong", stripe_sim.api_base)))[0]
    )


def test_the_keys_of_this_machine_do_not_reach_these_tests() -> None:
    assert not [name for name in os.environ if name.startswith("HOBBS_STRIPE")]


async def give_time_zone(open_db: OpenDatabase, zone: str) -> None:
    school = CHANGES[0] | {"new": CHANGES[0]["new"] | {"time_zone": zone}}
    await configure_school(open_db("billing"), [configured(1, [school])])


@pytest.mark.usefixtures("hobbs")
async def test_a_zone_that_postgres_has_like_the_package_is_well(
    open_db: OpenDatabase,
) -> None:
    await give_time_zone(open_db, "Asia/Tokyo")
    (finding,) = await examine_time_zone(Settings())
    assert finding.state is State.ok
    assert "Asia/Tokyo: tzdata" in finding.found


@pytest.mark.usefixtures("hobbs")
async def test_a_zone_that_postgres_has_with_other_offsets_is_a_warning_with_both(
    open_db: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package's file of the zone is another's, as when a country changes its rules."""
    await give_time_zone(open_db, "America/Phoenix")
    with resources.files("tzdata").joinpath("zoneinfo/America/Caracas").open("rb") as other:
        changed = ZoneInfo.from_file(other, key="America/Phoenix")
    monkeypatch.setattr(zones, "ZoneInfo", lambda name: changed)
    (finding,) = await examine_time_zone(Settings())
    assert finding.state is State.warning
    assert "UTC-04:00 by tzdata" in finding.found
    assert "UTC-07:00 by PostgreSQL, and on 759 days more" in finding.found


@pytest.mark.usefixtures("hobbs")
async def test_a_school_that_is_not_there_yet_has_no_zone_to_compare() -> None:
    assert await examine_time_zone(Settings()) == []


# Payees' accounts


async def examined(database_url: str, stripe_sim: StripeSim, policy: AccountPolicy) -> list[Finding]:
    settings = Settings(
        database_url=SecretStr(service_url(database_url, "operator")), kafka_bootstrap="127.0.0.1:1"
    )
    return await examine_accounts(settings, access(stripe_sim.secret_key, stripe_sim.api_base), policy)


NEW_PLATFORM = AccountPolicy(api=AccountsApi.V2, country="US", recipient_alone=False)


async def test_an_account_that_stripe_refused_is_named_with_the_setting_that_helps(
    database_url: str, open_db: OpenDatabase, stripe_sim: StripeSim
) -> None:
    payouts = open_db("payouts")
    async with payouts.transaction() as tx:
        await tx.execute(
            "INSERT INTO payee (wallet, kind, key, configured_at, agreement, conflict)"
            " VALUES ('instructor:i1', 'instructor', 'i1', now(), 'recipient', 'no instant payouts')"
        )
        await tx.execute(
            "INSERT INTO operation (id, sequence, kind, wallet, cause, params, state, reason, sentence,"
            " due_at, trace, created_at, finished_at, stopped_at, told)"
            " VALUES (gen_random_uuid(), 1, 'account', 'instructor:i1', 'c', '{}', 'refused', 'refused',"
            " 'POST /v2/core/accounts instead', now(), '{}', now(), now(), now(), 'account refused')"
        )
    findings = await examined(database_url, stripe_sim, NEW_PLATFORM)
    [refused] = [f for f in findings if f.state is State.wrong]
    assert "1 account refused (API v1): instructor:i1: POST /v2/core/accounts instead" in refused.found
    assert "HOBBS_STRIPE_ACCOUNTS=v2" in refused.fix
    [conflict] = [f for f in findings if f.state is State.warning]
    assert "no instant payouts" in conflict.found


async def test_a_country_that_is_not_the_platforms_is_found(database_url: str, stripe_sim: StripeSim) -> None:
    findings = await examined(database_url, stripe_sim, replace(NEW_PLATFORM, country="DE"))
    [country] = [f for f in findings if f.state is State.wrong]
    assert "HOBBS_STRIPE_COUNTRY=US" in country.fix


async def test_api_v1_is_explained(database_url: str, stripe_sim: StripeSim) -> None:
    findings = await examined(database_url, stripe_sim, replace(NEW_PLATFORM, api=AccountsApi.V1))
    assert [f.state for f in findings] == [State.warning, State.ok]
    assert "Stripe closed it to new ones" in findings[0].fix


def test_the_doctor_names_the_pinned_api_version() -> None:
    assert stripe.api_version == API_VERSION


async def test_what_is_not_fit_for_a_live_key_is_a_list_of_its_own(hobbs: Hobbs, topics: Settings) -> None:
    result = await hobbs("doctor", "--production", "-o", "json")
    rows = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [row for row in rows if row["state"] == "ok"] == []
    assert "HOBBS_KAFKA_SECURITY_PROTOCOL=SASL_SSL" in found(rows, "ask nobody who writes")["fix"]
    assert "archive_mode=on" in found(rows, "archives no WAL")["fix"]
    assert {row["area"] for row in rows if row["state"] == "not checked"} == {"backups", "alerts", "stripe"}
