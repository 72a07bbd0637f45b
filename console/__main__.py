"""`python -m console`: the console's process, until SIGTERM or Ctrl-C."""

import sys

import uvloop
from pydantic import ValidationError

EXIT_USAGE = 2


def main() -> int:
    from console.app import build, keep_collector_off

    try:
        worker = build()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            field = ".".join(map(str, problem["loc"])).upper()
            name = f"HOBBS_{field}" if field else "the console"
            sys.stderr.write(f"{name}: {problem['msg'].removeprefix('Value error, ')}\n")
        return EXIT_USAGE
    keep_collector_off()
    uvloop.run(worker.run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
