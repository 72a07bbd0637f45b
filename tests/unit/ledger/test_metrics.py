"""The reasons that refusals are counted by are those the code refuses with."""

import ast
from collections.abc import Iterator
from pathlib import Path

from services.ledger.metrics import HOLD_REFUSALS, JOURNAL_REFUSALS, WALLET_REFUSALS

LEDGER = Path(__file__).resolve().parents[3] / "services" / "ledger"
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in LEDGER.rglob("*.py")]
SQL = "\n".join(path.read_text(encoding="utf-8") for path in LEDGER.rglob("*.sql"))


def text_of(node: ast.AST | None) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def calls(*names: str) -> Iterator[ast.Call]:
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node


def wallet_reasons() -> set[str]:
    """What `unusable_wallet` returns first."""
    return {
        reason
        for tree in TREES
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == "unusable_wallet"
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
        for reason in text_of(node.value.elts[0])
    }


def test_every_reason_a_journal_is_refused_for_in_code_is_counted_from_0() -> None:
    named = {reason for call in calls("refuse") for arg in call.args[1:2] for reason in text_of(arg)}
    built = {
        reason
        for call in calls("RefusedJournal")
        for keyword in call.keywords
        if keyword.arg == "reason"
        for reason in text_of(keyword.value)
    }
    assert wallet_reasons() == set(WALLET_REFUSALS)
    assert named | built | wallet_reasons() == set(JOURNAL_REFUSALS)


def test_every_reason_a_hold_is_refused_for_exists() -> None:
    in_the_database = {reason for reason in HOLD_REFUSALS if f"'{reason}'" in SQL}
    assert in_the_database | wallet_reasons() == set(HOLD_REFUSALS)
