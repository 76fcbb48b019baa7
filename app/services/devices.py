"""From where somebody comes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """`network` is the address, IPv6 by its /64; `secret` is what we gave to this device when it signed in before."""

    ip: str | None = None
    user_agent: str | None = None
    network: str = "unknown"
    secret: str | None = None
