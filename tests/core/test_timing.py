"""Answers on a grid of time."""

from time import monotonic

from app.core.timing import STEP, even_out

CLOCK_RESOLUTION = 0.001


async def test_no_work_and_half_a_step_of_work_end_on_the_same_step() -> None:
    idle = monotonic()
    await even_out(idle)
    assert monotonic() - idle >= STEP - CLOCK_RESOLUTION

    busy = monotonic() - STEP / 2  # as if half a step of work had been done
    await even_out(busy)
    assert monotonic() - busy >= STEP - CLOCK_RESOLUTION


async def test_work_beyond_a_step_waits_for_the_next() -> None:
    busy = monotonic() - 1.5 * STEP
    await even_out(busy)

    assert monotonic() - busy >= 2 * STEP - CLOCK_RESOLUTION
