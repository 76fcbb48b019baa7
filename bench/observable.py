"""`shop`, with leave for other processes of this user to look inside: `python -m bench.observable serve`.

Most Linux systems let a process be traced by its ancestors only (Yama, ptrace_scope 1). py-spy is no ancestor of the
server, so the server allows it; without this it would take root.
"""

import ctypes
import sys

from app.cli import main

PR_SET_PTRACER = 0x59616D61  # <linux/prctl.h>
PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)

if __name__ == "__main__":
    if sys.platform == "linux":
        # Refused by kernels without Yama, which allow it anyway.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
    main()
