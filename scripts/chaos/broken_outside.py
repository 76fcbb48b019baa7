"""The payment provider and the mail server: orders are taken all the same, and what waits is made up for."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from scripts.chaos.faults import PAYERS, Fault
from scripts.chaos.surroundings import ChaosShop

PLENTY = 10_000  # more uses than there are in a round
LONG = 2.5  # seconds, longer than our own repetitions bridge


@contextmanager
def _provider_refused(shop: ChaosShop, _round: int) -> Iterator[None]:
    with shop.to_provider.refusing():
        yield


@contextmanager
def _provider_silent(shop: ChaosShop, _round: int) -> Iterator[None]:
    """Charges take effect, and nobody says so."""
    with _injected(shop, "payments", "timeout"):
        yield


@contextmanager
def _provider_errors(shop: ChaosShop, _round: int) -> Iterator[None]:
    with _injected(shop, "payments", "error"):
        yield


@contextmanager
def _mail_refused(shop: ChaosShop, _round: int) -> Iterator[None]:
    with shop.to_mail.refusing():
        yield


@contextmanager
def _mail_errors(shop: ChaosShop, _round: int) -> Iterator[None]:
    with _injected(shop, "smtp", "error"):
        yield


@contextmanager
def _injected(shop: ChaosShop, target: str, mode: str) -> Iterator[None]:
    faults = f"{shop.sandbox.url}/faults"
    httpx.post(faults, json={"target": target, "mode": mode, "count": PLENTY}).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(faults).raise_for_status()


FAULTS = (
    Fault("provider-down", "The payment provider is down", _provider_refused, lasts=LONG, may_say_503=PAYERS),
    Fault("provider-silent", "The payment provider never answers", _provider_silent, lasts=LONG, may_say_503=PAYERS),
    Fault("provider-errors", "The payment provider answers 500", _provider_errors, lasts=LONG, may_say_503=PAYERS),
    Fault("mail-down", "The mail server is down", _mail_refused, lasts=0.5, mails=True),
    Fault("mail-errors", "The mail server says: later", _mail_errors, lasts=0.5, mails=True),
)
