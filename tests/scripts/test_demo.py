"""Where `make demo` looks for the shop."""

import os
import subprocess
import sys

import pytest

from app.dev.embedded.processes import free_port
from scripts.demo import address


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "http://localhost:8000"),
        ({"SHOP_PORT": "18000"}, "http://localhost:18000"),
        ({"SHOP_PORT": "18000", "SHOP_URL": "https://shop.example/"}, "https://shop.example"),
        ({"SHOP_PORT": "", "SHOP_URL": ""}, "http://localhost:8000"),
    ],
)
def test_an_address_is_said_by_url_or_port(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name in ("SHOP_URL", "SHOP_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert address("SHOP", 8000) == expected


def test_without_a_shop_it_says_where_it_looked_and_what_may_be_set() -> None:
    ports = {"SHOP_PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    kept = {name: value for name, value in os.environ.items() if name not in {"SHOP_URL", "SANDBOX_URL"}}

    demo = subprocess.run([sys.executable, "-m", "scripts.demo"], env=kept | ports, capture_output=True, text=True)

    assert demo.returncode == 1
    for said in (f"localhost:{ports['SHOP_PORT']}", f"localhost:{ports['SANDBOX_PORT']}", *ports, "SHOP_URL"):
        assert said in demo.stdout
