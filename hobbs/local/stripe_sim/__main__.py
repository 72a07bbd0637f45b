"""`python -m hobbs.local.stripe_sim`: serves until SIGTERM; its state is in --data, else gone with it.

Prints one JSON line on stdout once it listens: {"url": …, "pid": …}.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import uvicorn

from fleet.stripe_keys import TEST_PREFIXES
from hobbs.local.stripe_sim import usage
from hobbs.local.stripe_sim.server import Server
from hobbs.local.stripe_sim.settings import FAST, Settings

BACKLOG = 512


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    with ExitStack() as stack:
        if options.data is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stripe-sim-"))
            options.data = Path(folder)
        _serve(options)


def _serve(options: argparse.Namespace) -> None:
    listener = _listen(options.host, options.port)
    url = f"http://{options.host}:{listener.getsockname()[1]}"
    server = Server(
        options.data, _secret_key(options.secret_key_file), _settings(options), options.public_url or url
    )
    config = uvicorn.Config(
        server,
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    # uvicorn raises the signal again after its stop; an orderly stop must exit 0.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))
    _Announcing(config, url).run(sockets=[listener])


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self.url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.buffer.write(orjson.dumps({"url": self.url, "pid": os.getpid()}) + b"\n")
        sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hobbs.local.stripe_sim",
        description=usage.DESCRIPTION,
        epilog=usage.epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port, printed once it listens")
    parser.add_argument(
        "--data", type=Path, help="folder of the SQLite file; default: a new one, gone when it stops"
    )
    parser.add_argument(
        "--secret-key-file", type=Path, help="the one API key to accept; or HOBBS_SIM_SECRET_KEY"
    )
    parser.add_argument(
        "--public-url", help="what account links begin with, when not the address listened on"
    )
    parser.add_argument(
        "--speed", type=float, help="divide Stripe's webhook retry schedule by this (default 600)"
    )
    parser.add_argument("--fast", action="store_true", help="money moves in a second instead of days")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any setting, as JSON"
    )
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    """The first settings of a new data folder; an existing folder keeps its own."""
    changes: dict[str, Any] = dict(FAST) if options.fast else {}
    if options.speed:
        changes["webhook_speed"] = options.speed
    for pair in options.set:
        name, _, value = pair.partition("=")
        changes[name] = orjson.loads(value)
    return Settings().changed(changes)


def _secret_key(path: Path | None) -> str | None:
    """The one key to accept. Exits 2 for one that is no test key, and does not say it."""
    key = os.environ.get("HOBBS_SIM_SECRET_KEY")
    if path is not None:
        key = path.read_text().splitlines()[0].strip()
    if key and not key.startswith(TEST_PREFIXES):
        sys.stderr.write("the simulator takes test keys only (sk_test_ or rk_test_); this one is none\n")
        raise SystemExit(2)
    return key


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port), backlog=BACKLOG)
    listener.set_inheritable(True)
    return listener


if __name__ == "__main__":
    main()
