"""Whose word about a client's address is taken."""

from typing import Any, cast

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.core.addresses import network_of
from app.server import trusted_proxies

PROXY, ANOTHER, STRANGER = "10.0.0.7", "192.0.2.9", "198.51.100.1"
TRUSTED = "10.0.0.0/8, 192.0.2.9"


async def seen_behind(trusted: str, peer: str, *forwarded: str, name: str = "x-forwarded-for") -> str:
    """The network that the service sees when `peer` sends these fields."""
    seen: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(network_of(scope))

    headers = [(name.encode(), value.encode()) for value in forwarded]
    scope = {"type": "http", "scheme": "http", "client": (peer, 1), "headers": headers}
    nothing = cast("Any", None)
    await ProxyHeadersMiddleware(cast("Any", app), trusted_proxies(trusted))(cast("Any", scope), nothing, nothing)
    return seen[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        (STRANGER, ["203.0.113.5"], STRANGER),  # not from a proxy
        (PROXY, ["203.0.113.5"], "203.0.113.5"),
        (PROXY, ["1.1.1.1, 203.0.113.5"], "203.0.113.5"),  # the client made up the first one
        (PROXY, ["1.1.1.1", "203.0.113.5"], "203.0.113.5"),  # in two fields
        (PROXY, [f"203.0.113.5, {ANOTHER}, 10.1.2.3"], "203.0.113.5"),  # through three proxies
        (PROXY, [f"1.1.1.1, {ANOTHER}, 203.0.113.5"], "203.0.113.5"),  # the client knows a proxy's address
        (PROXY, ["203.0.113.5:4711"], "203.0.113.5"),
        (PROXY, ["[2001:db8::1]:4711"], "2001:db8::/64"),
        (PROXY, ["not-an-ip"], "unknown"),
        (PROXY, ["203.0.113.5, not-an-ip"], "unknown"),
        (PROXY, ["'; DROP TABLE users; --"], "unknown"),
    ],
)
async def test_the_client_is_the_last_one_that_is_no_proxy(peer: str, forwarded: list[str], seen: str) -> None:
    assert await seen_behind(TRUSTED, peer, *forwarded) == seen


@pytest.mark.parametrize("name", ["x-real-ip", "forwarded", "x_forwarded_for", "x-client-ip", "true-client-ip"])
async def test_no_other_field_is_believed(name: str) -> None:
    assert await seen_behind(TRUSTED, PROXY, "203.0.113.5", "for=203.0.113.5", name=name) == PROXY


async def test_nobody_is_trusted_by_default() -> None:
    assert trusted_proxies("") == []
    assert await seen_behind("", "127.0.0.1", "203.0.113.5") == "127.0.0.1"


@pytest.mark.parametrize("everybody", ["*", "10.0.0.1, *", "0.0.0.0/0", "::/0"])
def test_everybody_cannot_be_trusted(everybody: str) -> None:
    with pytest.raises(ValueError, match="trusts everybody"):
        trusted_proxies(everybody)


@pytest.mark.parametrize("nonsense", ["proxy.internal", "10.0.0.1/8", "10.0.0"])
def test_a_proxy_is_an_address_or_a_network(nonsense: str) -> None:
    with pytest.raises(ValueError, match=nonsense):
        trusted_proxies(nonsense)
