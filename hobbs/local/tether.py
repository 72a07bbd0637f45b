"""Become another program that dies with the process that asked for it.

Run as a script (`python -I -S tether.py SIGNAL PARENT_PID PROGRAM ARG…`), with nothing but the standard
library: it asks the kernel for a signal at the parent's death, then execs, so the pid stays the same.
The kernel watches the *thread* that started us: start children from the main thread only.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    death_signal, parent, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above: nobody would tell us any more
        sys.exit(0)
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
