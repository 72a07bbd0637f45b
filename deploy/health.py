"""The container's health check: asks /healthz of every process of this service; exits 1 with the reason.

Standard library only and no import of Hobbs, because it runs every few seconds.
HOBBS_OPS_PORT is the first process's port, HOBBS_WORK_PROCESSES (default 1) how many follow it.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 3


def main() -> int:
    first = int(os.environ.get("HOBBS_OPS_PORT") or 9100)
    wrong = [why for port in range(first, first + processes()) if (why := what_is_wrong(port))]
    for why in wrong:
        sys.stderr.write(why + "\n")
    return 1 if wrong else 0


def processes() -> int:
    return int(os.environ.get("HOBBS_WORK_PROCESSES") or 1)


def what_is_wrong(port: int) -> str | None:
    """None when the process on this port is healthy, else what is wrong."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        body = answer.read(1000).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        return f"port {port}: no answer ({type(error).__name__}: {error})"
    finally:
        connection.close()
    return None if answer.status == 200 else f"port {port}: {answer.status} {body}"


if __name__ == "__main__":
    sys.exit(main())
