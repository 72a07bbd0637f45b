"""What the doctor sees of backups, alerts and images: each deviation is named, each with its page."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.folders import ROOT
from hobbs.doctor.backups import Archiver, judge_backups
from hobbs.doctor.deployed import RULES, examine_images, examine_rules
from hobbs.doctor.findings import Finding, State

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FIT = Archiver(
    archives=True, timeout_s=300, receivers=0, archived_at=NOW - timedelta(minutes=4), failed_at=None, now=NOW
)


def unfit(findings: Sequence[Finding]) -> list[str]:
    assert all("docs/operations/" in finding.fix for finding in findings)
    return [finding.found for finding in findings if finding.state is not State.not_checked]


@pytest.mark.parametrize(
    "archiver",
    [
        FIT,
        replace(FIT, archives=False, receivers=1, archived_at=None),
        replace(FIT, failed_at=NOW - timedelta(minutes=9)),
    ],
    ids=["archived", "streamed", "failed once, and was archived since"],
)
def test_wal_that_is_archived_or_streamed_is_no_finding(archiver: Archiver) -> None:
    assert unfit(judge_backups(archiver)) == []


def test_that_a_backup_can_be_restored_is_said_to_be_unproven() -> None:
    [finding] = judge_backups(FIT)
    assert (finding.state, "can be restored" in finding.found) == (State.not_checked, True)


@pytest.mark.parametrize(
    ("archiver", "said"),
    [
        (replace(FIT, archives=False), "archives no WAL"),
        (replace(FIT, archived_at=None), "ever archived"),
        (replace(FIT, failed_at=NOW - timedelta(minutes=1)), "could not be archived at 2026-11-30 11:59 UTC"),
        (replace(FIT, archived_at=None, failed_at=NOW), "could not be archived"),
        (replace(FIT, timeout_s=0), "archive_timeout is 0"),
        (replace(FIT, archived_at=NOW - timedelta(hours=2)), "last WAL was archived at 2026-11-30 10:00 UTC"),
    ],
)
def test_each_fault_of_the_archive_is_named(archiver: Archiver, said: str) -> None:
    [found] = unfit(judge_backups(archiver))
    assert said in found


def test_the_rules_of_this_version_look_at_metrics_of_this_version() -> None:
    assert examine_rules() == []


def test_a_rule_about_a_metric_that_is_not_served_is_named(tmp_path: Path) -> None:
    path = tmp_path / RULES
    path.parent.mkdir(parents=True)
    text = (ROOT / RULES).read_text(encoding="utf-8")
    path.write_text(
        f"{text}      - alert: HobbsOld\n        expr: fleet_gone_seconds > 1\n", encoding="utf-8"
    )
    [found] = unfit(examine_rules(tmp_path))
    assert "fleet_gone_seconds" in found


def test_images_by_tag_are_named_by_file_and_those_by_digest_and_our_own_are_not(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "docker-compose.yml").write_text(
        "    image: postgres:18.6\n    image: hobbs:${HOBBS_VERSION:-0.1.0}\n    image: kafka@sha256:12\n"
    )
    (tmp_path / "deploy" / "Dockerfile").write_text(
        "FROM python@sha256:34 AS build\nFROM build AS services\n"
    )
    [found] = unfit(examine_images(tmp_path))
    assert found == "docker-compose.yml names by tag and not by digest: postgres:18.6"


def test_what_is_not_here_is_said_to_be_unchecked(tmp_path: Path) -> None:
    assert [f.state for f in (*examine_rules(tmp_path), *examine_images(tmp_path))] == [State.not_checked] * 2
