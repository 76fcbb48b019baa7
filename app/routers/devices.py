"""From where a request comes, and the cookie by which a device that has signed in is known again.

The cookie proves nothing but that: it gives its bearer an allowance of wrong passwords of their own, so that nobody who
guesses elsewhere can lock them out (docs/decisions/0010-guessing-and-lockout.md). No operation acts upon it alone,
so there is nothing that another site could have done with it.
"""

import ipaddress
from typing import Annotated

from fastapi import Depends, Request, Response

from app.core.addresses import network_of
from app.services.devices import Device
from app.settings import Settings

COOKIE = "emporium_device"
KNOWN_FOR = 180 * 24 * 60 * 60  # seconds
LONGEST_USER_AGENT = 400


async def device(request: Request) -> Device:
    """From where the request comes. Servers on a Unix socket know no address."""
    agent = request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT] or None
    try:
        address = ipaddress.ip_address(request.client.host.partition("%")[0]) if request.client else None
    except ValueError:
        address = None
    return Device(
        ip=str(address) if address else None,
        user_agent=agent,
        network=network_of(request.scope),
        secret=request.cookies.get(COOKIE),
    )


def know_again(request: Request, response: Response, secret: str) -> None:
    """Have the device show its secret when it signs in, and to no other operation."""
    settings: Settings = request.app.state.settings
    response.set_cookie(
        COOKIE,
        secret,
        max_age=KNOWN_FOR,
        path=request.url.path,
        secure=settings.public_url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )


async def not_stored(response: Response) -> None:
    """RFC 6749 §5.1: no cache keeps secrets."""
    response.headers["Cache-Control"] = "no-store"


ThisDevice = Annotated[Device, Depends(device)]
NotStored = Depends(not_stored)
