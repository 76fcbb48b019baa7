"""The supervisor, on small programs of its own: restarts, failures, and an end that leaves no process."""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from app.dev import supervisor as module
from app.dev.supervisor import Program, ProgramFailed, Supervisor

T = TypeVar("T")
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
SLEEPS = "import os, time; print('pid', os.getpid()); time.sleep(600)"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
HAS_A_CHILD = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {IGNORES_SIGTERM!r}]); {SLEEPS}"


def program(name: str, code: str, grace_s: float = 10) -> Program:
    return Program(name, (sys.executable, "-c", code), "white", grace_s=grace_s)


async def until(probe: Callable[[], T]) -> T:
    """What `probe` returns, as soon as it is truthy."""
    async with asyncio.timeout(20):
        while not (found := probe()):  # noqa: ASYNC110  # another process will make it true, not an event
            await asyncio.sleep(0.01)
    return found


async def pids(log: Path, count: int) -> list[int]:
    """The process ids that so many processes have written into their common log."""

    def found() -> list[int]:
        numbers = [int(pid) for pid in re.findall(r"^pid (\d+)$", log.read_text(), re.MULTILINE)]
        return numbers if len(numbers) >= count else []

    return await until(found)


async def nothing() -> None:
    """Opened at once."""


async def never() -> None:
    await asyncio.Event().wait()


async def test_a_run_program_leaves_its_output_in_its_log(tmp_path: Path) -> None:
    async with Supervisor(ENVIRONMENT, tmp_path / "logs") as supervisor:
        await supervisor.run(program("once", r"print('\x1b[31mred\x1b[0m'); print('no newline', end='')"))

    assert (tmp_path / "logs" / "once.log").read_text() == "red\nno newline\n"


async def test_a_run_program_that_fails_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"once ended with exit code 3.*\n\nthe reason$"):
        async with Supervisor(ENVIRONMENT, tmp_path) as supervisor:
            await supervisor.run(program("once", "print('the reason'); raise SystemExit(3)"))


async def test_a_kept_program_that_is_killed_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    async with Supervisor(ENVIRONMENT, tmp_path) as supervisor:
        await supervisor.keep(program("kept", SLEEPS))
        await supervisor.opened(asyncio.create_task(nothing()))
        (first,) = await pids(tmp_path / "kept.log", 1)

        psutil.Process(first).kill()

        _, second = await pids(tmp_path / "kept.log", 2)
        assert psutil.pid_exists(second)

    assert not psutil.pid_exists(second)
    assert "kept was ended by SIGKILL and starts again" in capsys.readouterr().out


async def test_the_pause_before_a_restart_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.05)
    loop = asyncio.get_running_loop()
    async with Supervisor(ENVIRONMENT, tmp_path) as supervisor:
        started = loop.time()
        await supervisor.keep(program("kept", "import os; print('pid', os.getpid())"))
        await supervisor.opened(asyncio.create_task(nothing()))
        await pids(tmp_path / "kept.log", 4)

    assert loop.time() - started > 0.05 + 0.1 + 0.2


async def test_a_kept_program_that_ends_before_the_opening_fails_the_start(tmp_path: Path) -> None:
    async with Supervisor(ENVIRONMENT, tmp_path) as supervisor:
        await supervisor.keep(program("other", SLEEPS))
        await supervisor.keep(program("kept", "print('no such table'); raise SystemExit(1)"))
        (other,) = await pids(tmp_path / "other.log", 1)
        with pytest.raises(ProgramFailed, match=r"kept ended with exit code 1.*\n\nno such table$"):
            await supervisor.opened(asyncio.create_task(never()))

    assert not psutil.pid_exists(other)


async def test_the_end_stops_everything_the_last_one_first(tmp_path: Path) -> None:
    says_goodbye = (
        "import pathlib, signal, sys\n"
        "def end(*_):\n"
        f"    pathlib.Path({str(tmp_path / 'order')!r}).open('a').write(sys.argv[1])\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
    )
    async with Supervisor(ENVIRONMENT, tmp_path) as supervisor:
        for name in "abc":
            command = (sys.executable, "-c", says_goodbye + SLEEPS, name)
            await supervisor.keep(Program(name, command, "white"))
            await pids(tmp_path / f"{name}.log", 1)

    assert (tmp_path / "order").read_text() == "cba"


async def test_the_end_leaves_neither_stubborn_nor_grandchildren(tmp_path: Path) -> None:
    async with Supervisor(ENVIRONMENT, tmp_path) as supervisor:
        await supervisor.keep(program("parent", HAS_A_CHILD))
        await supervisor.keep(program("stubborn", IGNORES_SIGTERM, grace_s=0.1))
        family = [*await pids(tmp_path / "parent.log", 2), *await pids(tmp_path / "stubborn.log", 1)]

    assert len(family) == 3
    await until(lambda: not any(psutil.pid_exists(pid) for pid in family))


async def test_a_second_request_to_end_cuts_the_grace_short(tmp_path: Path) -> None:
    async def shop() -> None:
        async with Supervisor(ENVIRONMENT, tmp_path) as supervisor:
            await supervisor.keep(program("stubborn", IGNORES_SIGTERM, grace_s=600))
            await never()

    running = asyncio.create_task(shop())
    await until((tmp_path / "stubborn.log").exists)
    (pid,) = await pids(tmp_path / "stubborn.log", 1)
    running.cancel()
    await asyncio.sleep(0.1)
    assert psutil.pid_exists(pid)

    running.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({running})

    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
async def test_a_killed_supervisor_takes_its_programs_along(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys, pathlib\n"
        "from app.dev.supervisor import Program, Supervisor\n"
        "async def main():\n"
        "    async with Supervisor({}, pathlib.Path(sys.argv[1])) as supervisor:\n"
        "        await supervisor.keep(Program('kept', (sys.executable, '-u', '-c', sys.argv[2]), 'white'))\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path), SLEEPS)
    await until((tmp_path / "kept.log").exists)
    (pid,) = await pids(tmp_path / "kept.log", 1)

    starter.kill()
    await starter.wait()

    await until(lambda: not psutil.pid_exists(pid))
