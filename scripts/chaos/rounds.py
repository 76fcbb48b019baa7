"""Rounds of one fault while customers come and go, and the books afterwards."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scripts.chaos.customers import Customer, Doors
from scripts.chaos.faults import Fault, NotKept
from scripts.chaos.figures import Figures, Told
from scripts.chaos.ledger import Books, check
from scripts.chaos.mailbox import Mailbox
from scripts.chaos.surroundings import ChaosShop

CUSTOMERS_A_SECOND = 2.0
MOST_CUSTOMERS = 8  # at once; where so many wait nobody else comes in, or a slow machine would never recover
PEACE = 0.2  # seconds between two rounds
RECOVERS_WITHIN = 45.0  # seconds; what the broker hands out again after a worker's death takes some
POLL = 0.01


@dataclass
class Outcome:
    """`recoveries` are seconds, one for each round: from the end of the fault until a new customer had paid."""

    fault: Fault
    figures: Figures
    recoveries: list[float] = field(default_factory=list)
    books: Books = field(default_factory=Books)
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        figures, books = self.figures, self.books
        broken = (figures.wrong, figures.hung, figures.given_up, books.lost, books.duplicated, books.drift)
        return not any(broken)


class Chaos:
    """The whole run: what customers were told is remembered, and what is wrong in the books counts once."""

    def __init__(self, shop: ChaosShop, doors: Doors, mailbox: Mailbox) -> None:
        self._shop = shop
        self._doors = doors
        self._mailbox = mailbox
        self._told = Told()
        self._books = Books()

    def play(self, fault: Fault, rounds: int) -> Outcome:
        """So many rounds of the fault."""
        began = time.monotonic()
        outcome = Outcome(fault, Figures(self._told, fault.may_say_503))
        with self._customers(outcome.figures, impatient=fault.impatient):
            for number in range(rounds):
                try:
                    with fault.strike(self._shop, number):
                        time.sleep(fault.lasts)
                except NotKept as promise:
                    outcome.figures.wrong[str(promise)] += 1
                outcome.recoveries.append(self._recovery(fault, outcome.figures))
                time.sleep(PEACE)
        settings = self._shop.settings_past_the_line()
        books = self._shop.background.run(check(settings, self._told, self._mailbox))
        outcome.books, self._books = books.since(self._books), books
        outcome.seconds = time.monotonic() - began
        return outcome

    @contextmanager
    def _customers(self, figures: Figures, *, impatient: bool) -> Iterator[None]:
        """They come while the block runs; it ends when the last has gone."""
        stop = asyncio.Event()
        coming = self._shop.background.start(_come(self._doors, figures, stop, impatient=impatient))
        try:
            yield
        finally:
            self._shop.background.run(_set(stop))
            coming.result()

    def _recovery(self, fault: Fault, figures: Figures) -> float:
        """Seconds until somebody who comes now has bought at each API process, and has a mail if that is in question.

        They go on asking until it works, so their failures are not the load's; what goes wrong is.
        """
        began = time.monotonic()
        scouting = Figures(self._told, fault.may_say_503)
        scouts = [Customer(self._doors, scouting, scouts_at=number) for number in range(len(self._doors.clients))]
        visits = [self._shop.background.start(scout.visit()) for scout in scouts]
        bought = [visit.result() for visit in visits]
        while all(bought) and fault.mails and not all(self._mailbox.confirmations[scout.email] for scout in scouts):
            if time.monotonic() > began + RECOVERS_WITHIN:
                figures.wrong[f"no mail after {RECOVERS_WITHIN:.0f} s"] += 1
                break
            time.sleep(POLL)
        figures.wrong += scouting.wrong
        figures.hung += scouting.hung
        figures.given_up += scouting.given_up
        return time.monotonic() - began


async def _come(doors: Doors, figures: Figures, stop: asyncio.Event, *, impatient: bool) -> None:
    room = asyncio.Semaphore(MOST_CUSTOMERS)

    async def visit() -> None:
        try:
            await Customer(doors, figures, impatient=impatient).visit()
        finally:
            room.release()

    async with asyncio.TaskGroup() as visits:
        while not stop.is_set():
            await room.acquire()
            visits.create_task(visit())
            await asyncio.sleep(1 / CUSTOMERS_A_SECOND)


async def _set(event: asyncio.Event) -> None:
    event.set()
