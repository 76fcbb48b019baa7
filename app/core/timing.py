"""Answers that do not tell by their delay what they keep silent about in words."""

import asyncio
from time import monotonic

STEP = 0.1  # seconds: longer than one password hash, so that work on either side of a secret fits into one step


async def even_out(started: float) -> None:
    """Wait until a whole number of steps has passed since `started` (a reading of `time.monotonic`).

    Doing the same work for known and unknown accounts leaves differences of a millisecond, such as a row that is
    written or not. Random delays average out over many requests; a grid does not. Waiting costs no thread.
    """
    await asyncio.sleep(-(monotonic() - started) % STEP)
