"""What the development shop needs to start: free ports, a home of its own, secrets, an environment."""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from app.dev.embedded import RunningPostgres, RunningValkey

DATABASE = "emporium"
VARIABLES = {"api": "SHOP_PORT", "sandbox": "SANDBOX_PORT", "smtp": "SANDBOX_SMTP_PORT"}


class CannotStart(RuntimeError):
    """Something on this machine is in the way. The message is one paragraph that a newcomer can act on."""


@dataclass(frozen=True)
class Ports:
    """TCP ports of 127.0.0.1."""

    api: int
    sandbox: int
    smtp: int


def check_ports(ports: Ports) -> None:
    """Refuse ports that somebody listens on, or that two of our servers would share.

    Raises:
        CannotStart: names the port, its holder where the system tells, and the variable that moves it.
    """
    taken: dict[int, str] = {}
    for name, port in asdict(ports).items():
        variable = VARIABLES[name]
        if port in taken:
            raise CannotStart(f"{variable} and {taken[port]} are both {port}: give each a port of its own.")
        taken[port] = variable
        with socket.socket() as probe:
            # As the servers do: a port whose last connections still linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CannotStart(
                    f"Port {port} cannot be used ({error.strerror}){_holder(port)}. "
                    f"Stop what uses it, or choose another: {variable}={port + 10} make run"
                ) from None


def _holder(port: int) -> str:
    """Who listens on the port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                return f": {psutil.Process(connection.pid).name()}, process {connection.pid}, listens on it"
    except psutil.Error:
        pass  # not ours to see
    return ""


@contextmanager
def occupied(home: Path) -> Iterator[Path]:
    """Create `home` if need be and keep it for this process alone.

    Raises:
        CannotStart: it is not a directory, not writable, or another `shop dev` lives there.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "lock").open("a+")
    except OSError as error:
        raise CannotStart(
            f"The shop cannot keep its data in {home.absolute()} ({error.strerror}). Make that a directory that "
            "you can write to, or point SHOP_HOME to another one."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CannotStart(
                f"A shop already runs on {home.absolute()} (process {lock.read().strip()}). Stop it, or run a second "
                "one beside it with SHOP_HOME and other ports (SHOP_PORT, SANDBOX_PORT, SANDBOX_SMTP_PORT)."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield home.resolve()


def secrets_of(home: Path) -> dict[str, str]:
    """The secrets of this home, made at random on its first start: no two shops share any."""
    path = home / "secrets.env"
    if not path.exists():
        path.touch(0o600)
    kept = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "STRIPE_API_KEY": f"sk_test_{secrets.token_urlsafe(24)}",
        "STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_urlsafe(24)}",
    }
    complete = fresh | kept
    if complete != kept:
        path.write_text("".join(f"{name}={value}\n" for name, value in complete.items()))
    return complete


def environment_of(
    home: Path, ports: Ports, postgres: RunningPostgres, valkey: RunningValkey, outer: Mapping[str, str]
) -> dict[str, str]:
    """The environment of all our processes.

    What says where things are is ours, whatever `outer` holds: a forgotten DATABASE_URL must not lead this
    shop to another database. How they behave (LOG_LEVEL, RATE_LIMIT_ENABLED, …) is left to `outer`.
    """
    shop, sandbox = f"http://localhost:{ports.api}", f"http://localhost:{ports.sandbox}"
    return {
        "LOG_FORMAT": "console",
        **outer,
        **secrets_of(home),
        "ENVIRONMENT": "development",
        "DATABASE_URL": postgres.url(DATABASE),
        "REDIS_URL": valkey.url(),
        "STRIPE_API_BASE": f"http://127.0.0.1:{ports.sandbox}",
        "SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "PUBLIC_URL": shop,
        "SANDBOX_URL": sandbox,
        "MEDIA_URL": f"{shop}/media",
        "MEDIA_STORE": str(home / "media"),
        "WEBHOOK_URL": f"http://127.0.0.1:{ports.api}/api/v1/webhooks/payments/stripe",
        "SHOP_HOST": "127.0.0.1",
        "SHOP_PORT": str(ports.api),
        "SANDBOX_HOST": "127.0.0.1",
        "SANDBOX_PORT": str(ports.sandbox),
        "SANDBOX_SMTP_PORT": str(ports.smtp),
        "PYTHONUNBUFFERED": "1",
    }
