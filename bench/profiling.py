"""Where a server process spends its time: recorded by py-spy under load, drawn for eyes and counted for text."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Self

from rich.markup import escape
from rich.table import Table

from bench.sides import HttpSide

SAMPLES_PER_SECOND = 200
SHOWN = 25
IDLE = re.compile(r"Condition\.wait \(threading\.py|_worker \(concurrent/futures/thread\.py")
_PLACE = re.compile(r" \((?P<file>.*?)(?::\d+)?\)$")


class CannotProfile(RuntimeError):
    """py-spy did not record. The message is what it said."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Samples by where they were taken: in the function itself (`own`), and in it or below it (`total`)."""

    samples: int
    own: Counter[str]
    total: Counter[str]

    @classmethod
    def of(cls, stacks: Iterable[str]) -> Self:
        """Read collapsed stacks: `outermost (file:1);…;innermost (file:9) COUNT`, one a line.

        Threads that wait for work count for nothing, nor does a stack that could not be read.
        """
        samples, own, total = 0, Counter[str](), Counter[str]()
        for line in stacks:
            stack, _, number = line.rpartition(" ")
            functions, count = [_function(frame) for frame in stack.split(";")], int(number)
            if not functions[-1] or IDLE.match(functions[-1]):
                continue
            samples += count
            own[functions[-1]] += count
            total.update(dict.fromkeys(functions, count))
        return cls(samples, own, total)

    def own_by_package(self) -> Counter[str]:
        """Whose code that is: the first folder of a function's file."""
        packages = Counter[str]()
        for function, count in self.own.items():
            place = _PLACE.search(function)
            folder, inside, _ = place["file"].partition("/") if place else ("", "", "")
            packages[folder if inside and folder not in sys.stdlib_module_names else "standard library"] += count
        return packages


def record(side: HttpSide, seconds: int, svg: Path, stacks: Path) -> Profile:
    """Keep the server busy and record it twice: as a flame graph, and as collapsed stacks.

    Raises:
        CannotProfile: this user may not look into the process.
    """
    side.measure(1)  # connections and caches
    for output, kind in ((svg, "flamegraph"), (stacks, "raw")):
        load = Thread(target=side.measure, args=(seconds + 2,))  # py-spy needs a moment to find its way
        load.start()
        try:
            _spy(side.server.pid, seconds, kind, output)
        finally:
            load.join()
    return Profile.of(stacks.read_text().splitlines())


def tables(profile: Profile) -> Iterable[Table]:
    by_function = Table(title=f"{profile.samples:,} samples: where the time goes", title_justify="left")
    for column in ("own %", "with callees %"):
        by_function.add_column(column, justify="right")
    by_function.add_column("function")
    for function, count in profile.own.most_common(SHOWN):
        by_function.add_row(_share(count, profile), _share(profile.total[function], profile), escape(function))
    by_package = Table(title="By package", title_justify="left")
    by_package.add_column("own %", justify="right")
    by_package.add_column("package")
    for package, count in profile.own_by_package().most_common(SHOWN):
        by_package.add_row(_share(count, profile), package)
    return by_function, by_package


def _spy(pid: int, seconds: int, kind: str, output: Path) -> None:
    command = (
        *(str(Path(sys.executable).with_name("py-spy")), "record", f"--pid={pid}", f"--duration={seconds}"),
        *(f"--format={kind}", f"--rate={SAMPLES_PER_SECOND}", f"--output={output}"),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # a fixed program
    if done.returncode != 0:
        raise CannotProfile(done.stderr.strip())


def _function(frame: str) -> str:
    """`fetch (asyncpg/pool.py:12)` → `fetch (asyncpg/pool.py)`."""
    return _PLACE.sub(lambda found: f" ({found['file']})", frame)


def _share(count: int, profile: Profile) -> str:
    return f"{100 * count / profile.samples:.1f}" if profile.samples else ""
