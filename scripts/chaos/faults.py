"""What a fault is, and what it is to cost at most."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from scripts.chaos.surroundings import ChaosShop

NOBODY: frozenset[str] = frozenset()
PAYERS = frozenset({"pay"})
EVERYBODY = frozenset({"list", "page", "sign-in", "cart", "order", "pay"})


class NotKept(Exception):
    """A promise of this fault alone is broken. The message says which."""


@dataclass(frozen=True)
class Fault:
    """`strike` is a block: inside it something is broken, after it everything is as it was.

    It gets the number of the round, and lasts `lasts` seconds beside what the block itself takes. Only the steps
    `may_say_503` may be refused meanwhile, and with a Retry-After. `mails` is for what touches those who make mails:
    the shop has recovered when the mail of an order has come.
    """

    name: str
    title: str
    strike: Callable[[ChaosShop, int], AbstractContextManager[None]]
    lasts: float
    may_say_503: frozenset[str] = NOBODY
    mails: bool = False
    impatient: bool = False
    """Whether the customers are the fault: they hang up."""
    rounds: int | None = None
    """How many when nobody says."""
    needs_small_media: bool = False
