"""Our own processes die, or are told to end."""

from collections.abc import Iterator
from contextlib import contextmanager

from scripts.chaos.faults import Fault, NotKept
from scripts.chaos.surroundings import ChaosShop

DRAINS_WITHIN = 10.0  # seconds, for requests that take a fraction of one
KILLS = 50


@contextmanager
def _killed(shop: ChaosShop, number: int) -> Iterator[None]:
    """Every second time the worker, the other times one API process after the other."""
    victim = shop.worker if number % 2 else shop.apis[number // 2 % 2]
    victim.kill()
    yield
    victim.start()


@contextmanager
def _relay_killed(shop: ChaosShop, _round: int) -> Iterator[None]:
    shop.relay.kill()
    yield
    shop.relay.start()


@contextmanager
def _told_to_end(shop: ChaosShop, number: int) -> Iterator[None]:
    """As when a new release is rolled out: requests in flight are finished, the others go next door."""
    api = shop.apis[number % 2]
    seconds = api.terminate()
    if seconds > DRAINS_WITHIN:
        raise NotKept(f"{api.name} took {seconds:.0f} s to end")
    yield
    api.start()


FAULTS = (
    Fault("kill9", "kill -9 of API and worker in turns", _killed, lasts=0.1, mails=True, rounds=KILLS),
    Fault("kill9-relay", "kill -9 of the relay", _relay_killed, lasts=0.1, mails=True),
    Fault("sigterm", "SIGTERM of an API process", _told_to_end, lasts=0.1),
)
