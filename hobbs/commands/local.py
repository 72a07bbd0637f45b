"""`hobbs demo` and `hobbs up`: the whole fleet on this machine."""

import contextlib
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Annotated

import typer

from hobbs.shell.output import EXIT_FINDINGS, say

EXIT_INTERRUPTED = 130

app = typer.Typer()

Apart = Annotated[
    bool, typer.Option("--apart", help="A process for each service; else all but the gateway share one.")
]


@app.command()
def demo(apart: Apart = False) -> None:
    """Bill and pay 98 real flights on a throw-away Postgres, Kafka and Stripe simulator; check the books.

    Exit 0 only when every invariant holds. On failure the folder with data and logs stays, and is named.
    """
    from hobbs.demo.run import run_demo
    from hobbs.local.up import OTHERS, stop_on_sigterm

    started = time.monotonic()
    stop_on_sigterm()
    os.umask(OTHERS)
    folder = Path(tempfile.mkdtemp(prefix="hobbs-demo-"))
    try:
        holds = run_demo(folder, started, apart=apart)
    except KeyboardInterrupt:
        stopped(folder, "interrupted")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except Exception as error:
        failed(folder, error)
        raise typer.Exit(EXIT_FINDINGS) from error
    if not holds:
        stopped(folder, "an invariant does not hold")
        raise typer.Exit(EXIT_FINDINGS)
    shutil.rmtree(folder, ignore_errors=True)
    say(f"All invariants hold. {time.monotonic() - started:.0f} s, nothing left behind.")


@app.command()
def up(
    folder: Annotated[Path, typer.Option("--data", help="Where data, logs and credentials are kept.")] = Path(
        ".hobbs"
    ),
    school: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="New data begins with this school.toml; default: the demo's."
        ),
    ] = None,
    apart: Apart = False,
) -> None:
    """Keep the fleet running until Ctrl-C or SIGTERM; the data stays for the next time.

    Exit 1: it is running already, or something failed.
    """
    from hobbs.demo.school import SCHOOL_FILE
    from hobbs.local.up import AlreadyUp, keep_running, stop_on_sigterm

    if school is not None:
        from hobbs.commands.school import read_or_exit

        read_or_exit(school)
    started = time.monotonic()
    stop_on_sigterm()

    def tell(sentence: str) -> None:
        say(f"{time.monotonic() - started:5.1f} s  {sentence}")

    try:
        keep_running(folder.resolve(), tell, school=school or SCHOOL_FILE, apart=apart)
    except KeyboardInterrupt:
        say("stopped")
    except AlreadyUp as already:
        say(str(already))
        raise typer.Exit(EXIT_FINDINGS) from None
    except Exception as error:
        failed(folder, error)
        raise typer.Exit(EXIT_FINDINGS) from error


def failed(folder: Path, error: Exception) -> None:
    """Keep the traceback with the other logs; people get the sentence."""
    logs = folder / "logs"
    with contextlib.suppress(OSError):  # the folder itself may be what is wrong
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / "hobbs.log").open("a") as log:
            log.writelines(traceback.format_exception(error))
    stopped(folder, f"{type(error).__name__}: {error}")


def stopped(folder: Path, why: str) -> None:
    """Say why it ended and where to look; stderr, so that tables on stdout stay tables."""
    sys.stdout.flush()
    say(f"\n{why}\nStopped; no process is left. Logs: {folder / 'logs'}")
