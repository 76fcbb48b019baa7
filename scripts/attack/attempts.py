"""What was tried, what was answered, and what got through."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from scripts.attack.target import Target

Answer = httpx.Response | str
"""A response, or what became of a connection that was none."""


@dataclass
class Attempt:
    """A group of tries at one thing. `row` names it in the list of attacks in SECURITY.md."""

    row: str
    title: str
    answers: Counter[str] = field(default_factory=Counter)
    through: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def tries(self) -> int:
        return self.answers.total()

    def record(self, tried: str, answer: Answer, *, held: bool) -> None:
        """One try. Whatever it was, a crash of the service is never the right answer."""
        crashed = not isinstance(answer, str) and answer.status_code >= 500 and answer.status_code != 503
        said = answer if isinstance(answer, str) else str(answer.status_code)
        self.answers[said] += 1
        if crashed or not held:
            self.through.append(f"{tried}: {said}")

    def refused(self, tried: str, answer: httpx.Response, *statuses: int) -> None:
        """A try that must be answered with one of these."""
        self.record(tried, answer, held=answer.status_code in statuses)

    def note(self, text: str) -> None:
        """A figure, to be printed beside the answers."""
        self.notes.append(text)


Family = Callable[[Target], Awaitable[list[Attempt]]]
