"""Replaces itself by another program that gets a signal when the parent process dies.

Run as a script (`python -I -S tether.py SIGNAL PARENT_PID PROGRAM ARG…`), with nothing but the standard
library: it asks the kernel for a signal at the parent's death, then execs; the pid stays the same.
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
    if os.getppid() != parent:  # the parent died before the call above: no signal will come
        sys.exit(0)
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
