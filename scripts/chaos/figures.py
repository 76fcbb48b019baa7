"""What was asked and answered while a fault came and went."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import httpx

HUNG = 5.0  # seconds; whoever waits longer for an answer was left hanging


@dataclass
class Told:
    """What the customers, known by their e-mail addresses, were told: the whole run long, for the books to show."""

    bought: dict[str, set[str]] = field(default_factory=dict)
    """The ids of their orders. More than one is wrong."""
    paid: set[str] = field(default_factory=set)

    def of_order(self, customer: str, order_id: str) -> None:
        self.bought.setdefault(customer, set()).add(order_id)


@dataclass
class Figures:
    """Of one fault. `sent` counts every request, the repeated ones too; `cut` are those whose connection broke."""

    told: Told
    may_say_503: Collection[str]
    sent: int = 0
    unavailable: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    hung: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    given_up: Counter[str] = field(default_factory=Counter)

    def waited(self, step: str, seconds: float) -> None:
        self.sent += 1
        self.slowest = max(self.slowest, seconds)
        if seconds > HUNG:
            self.hung[step] += 1

    def answered(self, step: str, response: httpx.Response) -> None:
        """Sort the answer: good, come back later, or wrong."""
        status = response.status_code
        if status == httpx.codes.SERVICE_UNAVAILABLE and _says_when(response) and step in self.may_say_503:
            self.unavailable[step] += 1
        elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
            self.wrong[f"{step}: {status} {_code(response)}"] += 1

    def refused(self, step: str, response: httpx.Response) -> None:
        """A final answer that nobody expected: everything asked for is there, and may be done."""
        self.wrong[f"{step}: {response.status_code} {_code(response)}"] += 1


def _says_when(response: httpx.Response) -> bool:
    return response.headers.get("retry-after", "").isdigit() and bool(_code(response))


def _code(response: httpx.Response) -> str:
    if response.headers.get("content-type") != "application/problem+json":
        return ""
    return str(response.json()["code"])
