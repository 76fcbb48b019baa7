"""What stands in the way of a start is named; secrets are made once; the environment cannot lead astray."""

import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from app.dev.embedded import RunningPostgres, RunningValkey
from app.dev.embedded.processes import free_port
from app.dev.surroundings import CannotStart, Ports, check_ports, environment_of, occupied, secrets_of


@pytest.fixture
def ports() -> Ports:
    return Ports(api=free_port(), sandbox=free_port(), smtp=free_port())


def test_free_ports_are_accepted(ports: Ports) -> None:
    check_ports(ports)


def test_a_taken_port_is_named_with_the_variable_that_moves_it(ports: Ports) -> None:
    with socket.create_server(("127.0.0.1", ports.sandbox)):
        with pytest.raises(CannotStart, match=rf"Port {ports.sandbox} .*listens on it.*SANDBOX_PORT="):
            check_ports(ports)
        check_ports(replace(ports, sandbox=free_port()))


def test_one_port_for_two_servers_is_refused(ports: Ports) -> None:
    with pytest.raises(CannotStart, match=f"SANDBOX_SMTP_PORT and SHOP_PORT are both {ports.api}"):
        check_ports(replace(ports, smtp=ports.api))


def test_a_second_shop_on_the_same_home_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ".shop"
    with occupied(home), pytest.raises(CannotStart, match=r"already runs on .*\.shop \(process \d+\)"):
        occupied(home).__enter__()
    with occupied(home) as again:
        assert again == home


def test_a_file_in_the_place_of_the_home_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ".shop"
    home.write_text("")

    with pytest.raises(CannotStart, match=r"cannot keep its data in .*\.shop \(File exists\)"):
        occupied(home).__enter__()


def test_secrets_are_made_once_at_random_and_kept_from_others(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()

    made = secrets_of(first)

    assert secrets_of(first) == made
    assert not set(made.values()) & set(secrets_of(second).values())
    assert len(made["SECRET_KEY"].encode()) >= 32
    assert (first / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_secrets_that_are_missing_are_added_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("SECRET_KEY=kept\n")

    made = secrets_of(tmp_path)

    assert made["SECRET_KEY"] == "kept"
    assert made["STRIPE_WEBHOOK_SECRETS"].startswith("whsec_")
    assert secrets_of(tmp_path) == made


def test_the_outer_environment_decides_behaviour_but_not_whereabouts(tmp_path: Path, ports: Ports) -> None:
    with subprocess.Popen(["/bin/true"]) as process:
        postgres = RunningPostgres("127.0.0.1", 5432, "word", process, tmp_path)
        valkey = RunningValkey("127.0.0.1", 6379, "word", process)
    outer = {"DATABASE_URL": "postgresql://production", "SECRET_KEY": "outer", "LOG_FORMAT": "json", "X": "y"}

    environment = environment_of(tmp_path, ports, postgres, valkey, outer)

    assert environment["DATABASE_URL"] == "postgresql+asyncpg://emporium:word@127.0.0.1:5432/emporium"
    assert environment["REDIS_URL"] == "redis://:word@127.0.0.1:6379/0"
    assert environment["SECRET_KEY"] == secrets_of(tmp_path)["SECRET_KEY"]
    assert environment["LOG_FORMAT"] == "json"
    assert environment["X"] == "y"
