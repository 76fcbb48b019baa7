"""Run a program that must not outlive the process which started it.

    python -I -S tether.py PARENT_PID FAREWELL_SIGNAL UID:GID|- PROGRAM [ARGUMENT ...]

This becomes PROGRAM by exec: the process id stays the same. On Linux the kernel sends FAREWELL_SIGNAL when
the parent dies, even by kill -9; elsewhere the next start cleans up what it finds. A script of its own,
because the alternative (`preexec_fn`) is unsafe in a process with threads; only the standard library, so that
it starts fast.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(parent: int, farewell: int, identity: str, command: list[str]) -> None:
    if identity != "-":
        uid, gid = map(int, identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of identity, which clears the request.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, farewell, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the request was made
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  # no shell is what we want


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
