"""The `hobbs` command: one table of what there is, and only the part that is asked for gets imported.

A worker starts through here too, so what it does not need (Stripe, tables, the local stack) stays out.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from typing import Final

import typer

# Groups: their module's `app` is the group itself.
GROUPS: Final = {
    "school": "hobbs.commands.school",
    "flights": "hobbs.commands.flights",
    "transfers": "hobbs.commands.transfers",
    "payments": "hobbs.commands.payments",
    "credit": "hobbs.commands.credit",
    "accounts": "hobbs.commands.accounts",
    "dunning": "hobbs.commands.dunning",
    "adjustments": "hobbs.commands.adjustments",
    "reconcile": "hobbs.commands.reconcile",
    "explain": "hobbs.commands.explain",
    "reserve": "hobbs.commands.reserve",
    "monitors": "hobbs.commands.monitors",
    "holds": "hobbs.commands.holds",
    "limits": "hobbs.commands.limits",
    "opening": "hobbs.commands.opening",
    "dead": "hobbs.commands.dead",
    "person": "hobbs.commands.person",
    "logins": "hobbs.commands.logins",
    "audit": "hobbs.commands.audit",
    "kafka": "hobbs.commands.kafka",
    "restore": "hobbs.commands.restore",
    "shadow": "hobbs.commands.shadow",
    "cutover": "hobbs.commands.cutover",
    "sim": "hobbs.commands.sim",
}
# Commands of their own; a module brings all of its commands.
COMMANDS: Final = {
    "demo": "hobbs.commands.local",
    "up": "hobbs.commands.local",
    "work": "hobbs.commands.work",
    "migrate": "hobbs.commands.migrate",
    "doctor": "hobbs.commands.doctor",
    "balances": "hobbs.commands.ledger",
    "holds": "hobbs.commands.ledger",
    "statement": "hobbs.commands.ledger",
    "close": "hobbs.commands.ledger",
    "periods": "hobbs.commands.ledger",
    "post": "hobbs.commands.post",
    "revert": "hobbs.commands.post",
    "by-hand": "hobbs.commands.post",
    "replay": "hobbs.commands.replay",
    "rebuild": "hobbs.commands.rebuild",
    "check": "hobbs.commands.check",
}
# These need the Stripe simulator, which is in a checkout and not in the services' image or the wheel.
LOCAL: Final = frozenset({"demo", "sim", "up"})
SIMULATOR: Final = "hobbs.local.stripe_sim"
EXIT_USAGE: Final = 2


def main() -> None:
    """Run the command line; exit 0 fine, 1 findings, 2 usage."""
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    there = [name for name in (*GROUPS, *COMMANDS) if name not in LOCAL or has_simulator()]
    if wanted in LOCAL and wanted not in there:
        sys.stderr.write(
            f"hobbs {wanted} is not in this installation: it needs the Stripe simulator, which is only in a "
            "checkout of Hobbs (make demo, make up, .venv/bin/hobbs sim)\n"
        )
        raise SystemExit(EXIT_USAGE)
    assemble([wanted] if wanted in there else there)(prog_name="hobbs")


def has_simulator() -> bool:
    """Whether this installation has the Stripe simulator."""
    return importlib.util.find_spec(SIMULATOR) is not None


def assemble(names: Iterable[str]) -> typer.Typer:
    """Build the command line with these commands."""
    app = typer.Typer(
        name="hobbs",
        help="Flight school billing and payouts: a completed flight becomes a paid instructor, exactly once.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    chosen = list(names)
    for name, module in GROUPS.items():
        if name in chosen:
            app.add_typer(importlib.import_module(module).app, name=name)
    for module in dict.fromkeys(module for name, module in COMMANDS.items() if name in chosen):
        app.add_typer(importlib.import_module(module).app)

    @app.callback()
    def everywhere() -> None:
        """Flight school billing and payouts: a completed flight becomes a paid instructor, exactly once."""

    return app
