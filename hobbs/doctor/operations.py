"""Examines what Stripe refused, and what nothing proves: with Stripe's sentence and the fix."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from fleet.settings import Settings
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.shell.connections import reading, why
from services.payouts.desk import reads
from services.payouts.domain.operations import Kind, State

ENDS_BY_ITSELF = (Kind.INSTANT_PAYOUT, State.REFUSED)  # the ordinary payout brings the money


async def examine_operations(settings: Settings) -> list[Finding]:
    try:
        async with reading(settings) as database, database.transaction() as tx:
            rows = await reads.list_stopped(tx)
    except (DBAPIError, PostgresError) as error:
        fix = "run `hobbs migrate` as the database's owner, and log in as hobbs_operator"
        return [warning("payouts", f"what Stripe refused cannot be read: {why(error)}", fix)]
    same = sorted(rows, key=_cause)
    findings = [_finding(list(group)) for _, group in groupby(same, key=_cause)]
    return findings or [ok("payouts", "nothing that Stripe refused waits for anybody")]


def _cause(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["kind"], row["state"], row["reason"], row["todo"]


def _finding(rows: Sequence[Mapping[str, Any]]) -> Finding:
    first = rows[0]
    kind, state = Kind(first["kind"]), State(first["state"])
    found = f"{len(rows)} of kind {kind} {state} ({first['reason']}): {first['sentence']}"
    again = "`hobbs transfers operations retry`, or by itself later" if state is State.REFUSED else ""
    fix = "; then ".join(filter(None, [first["todo"], again]))
    if (kind, state) == ENDS_BY_ITSELF:
        return warning("payouts", found, first["todo"])
    return wrong("payouts", found, fix)
