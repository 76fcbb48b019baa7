"""Who runs PostgreSQL: it refuses to work for root, so root borrows the unprivileged user `nobody`."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerUser:
    """A user which root lends to a server."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` (not what is below it) to this user, closed to everybody else."""
        os.chown(path, self.uid, self.gid)
        path.chmod(0o700)


def server_user() -> ServerUser | None:
    """The user to run PostgreSQL as; None where the present user will do (everybody but root).

    `nobody` exists on every Unix, so no account is created on the machine.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
