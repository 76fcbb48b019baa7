"""The `shop` command: quick to help, clear about what is missing, and served with the guarded protocol."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from pydantic import SecretStr

from app import __version__
from app.dev import seed, terminal
from app.dev.embedded.processes import free_port
from app.settings import Settings


def shop(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-m", "app.cli", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that make a process read these settings."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        name.upper(): ",".join(map(_text, value)) if isinstance(value, tuple) else _text(value)
        for name, value in values.items()
    }


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def test_version() -> None:
    assert shop("version").stdout.strip() == __version__


def test_help_loads_nothing_of_the_service() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from app.cli import shop\n"
        "assert CliRunner().invoke(shop, ['--help']).exit_code == 0\n"
        "print([name for name in ('fastapi', 'sqlalchemy', 'uvicorn', 'psutil') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_missing_variable_is_named_in_one_line(command: str) -> None:
    done = shop(command)

    assert done.returncode == 78
    assert "  DATABASE_URL: Field required\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_api_is_served_behind_the_guards_and_ends_by_sigterm(settings: Settings) -> None:
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "SHOP_PORT": str(port), **as_environment(settings)}
    with subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], env=environment) as process:
        try:
            connection = _connect(port)
            with connection:
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                answer = connection.makefile("rb").read()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == -signal.SIGTERM
        finally:
            process.kill()

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"code": "host_required"' in answer
    assert b"server:" not in answer


def _connect(port: int) -> socket.socket:
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_the_banner_names_the_password_that_the_seed_gives() -> None:
    assert terminal.DEMO_PASSWORD == seed.DEMO_PASSWORD
