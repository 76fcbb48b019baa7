"""Who a connection belongs to, as far as its address tells."""

import ipaddress
from functools import lru_cache

from starlette.types import Scope

UNKNOWN = "unknown"


def network_of(scope: Scope) -> str:
    """The caller's address; IPv6 by its /64, which is what one subscriber gets.

    uvicorn has already replaced a trusted proxy's address by the one that the proxy saw (app/server.py). What is no
    address, such as the name that a forwarding header may hold, is one caller all together: a client that could make
    up names would be a new one each time.
    """
    client = scope.get("client")
    return _network(client[0]) if client else UNKNOWN


@lru_cache(maxsize=4096)
def _network(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:  # what a socket for both families calls an IPv4 client
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))
