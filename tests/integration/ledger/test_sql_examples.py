"""docs/ledger-sql.md is what the database says today. HOBBS_WRITE_EXAMPLES=1 writes it anew."""

import os

import asyncpg

from fleet.database import Database
from tests.integration.ledger.sql_examples import PAGE, executed


async def test_the_examples_in_the_docs_say_what_the_database_says(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute("SET ROLE hobbs_ledger")
    await owner.execute("SET timezone = 'UTC'")
    text = PAGE.read_text(encoding="utf-8")
    made = await executed(owner, text)
    if os.environ.get("HOBBS_WRITE_EXAMPLES"):
        PAGE.write_text(made, encoding="utf-8")
        text = made
    assert text.count("```sql") == text.count("```text") >= 25
    assert text == made


async def test_every_function_that_may_be_called_by_hand_has_an_example(owner: asyncpg.Connection) -> None:
    inner = {"open_balances", "lock_balances", "journal_content_hash", "entry_line", "total_balances",
             "expire_holds", "link_late", "extend_chain", "verify_links", "ask_by_hand", "by_hand_alone",
             "by_hand_up_to", "without_former_contents", "place_holds"}  # fmt: skip
    rows = await owner.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
        " AND has_function_privilege('hobbs_ledger', oid, 'execute') AND prorettype <> 'trigger'::regtype"
    )
    callable_by_hand = {row["proname"] for row in rows} - inner
    text = PAGE.read_text(encoding="utf-8")
    assert len(callable_by_hand) >= 10
    assert {name for name in callable_by_hand if f"{name}(" not in text} == set()
