"""Who counts as one caller."""

import pytest

from app.core.addresses import network_of


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not-an-ip", "unknown"),
        ("192.0.2.1 ", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_caller_is_an_ipv4_address_or_an_ipv6_subscriber(host: str, network: str) -> None:
    assert network_of({"client": (host, 50000)}) == network


def test_a_caller_without_an_address_is_one_with_all_others() -> None:
    assert network_of({"client": None}) == network_of({}) == "unknown"
