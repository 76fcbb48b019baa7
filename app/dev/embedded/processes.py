"""Starting, finding and stopping server processes, for the embedded servers and the supervisor."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from app.dev.embedded.identity import ServerUser

TETHER = Path(__file__).with_name("tether.py")


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot do its work. The message is one paragraph that a newcomer can act on."""


def tethered(
    command: Sequence[str], farewell: signal.Signals = signal.SIGTERM, user: ServerUser | None = None
) -> list[str]:
    """The command line that runs `command` (an absolute path first) so that it ends with this process.

    Start it from the main thread: the kernel takes the end of the starting *thread* for the parent's death.
    """
    identity = f"{user.uid}:{user.gid}" if user else "-"
    return [
        *(sys.executable, "-I", "-S", str(TETHER)),
        *(str(os.getpid()), str(farewell.value), identity),
        *command,
    ]


def run_as(user: ServerUser | None, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end as `user`; standard error is folded into `stdout`."""
    return subprocess.run(  # noqa: S603  # fixed programs, never a shell
        tethered(command, user=user), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def start_server(
    command: Sequence[str],
    home: Path,
    log: Path,
    farewell: signal.Signals = signal.SIGTERM,
    user: ServerUser | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server, working in `home`, in a session of its own: the terminal's Ctrl-C is not for it."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # fixed programs, never a shell
            tethered(command, farewell, user),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop_server(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal and wait its seconds, until the process has ended; SIGKILL comes after the last."""
    for number, patience in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    process.wait()


def stop_leftovers(program: str, home: Path, farewell: signal.Signals) -> None:
    """Stop what an earlier run left behind: every process called `program` that works in `home`.

    After a kill -9 these are the server itself (where the tether does not work) or its orphaned children,
    which must be gone before the data are opened again.
    """
    leftovers = [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == program and process.info["cwd"] == str(home)
    ]
    for process in leftovers:
        with suppress(psutil.NoSuchProcess):  # a child may go with its parent
            process.send_signal(farewell)
    _, stubborn = psutil.wait_procs(leftovers, timeout=10)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else "(no log)"
