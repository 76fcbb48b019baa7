"""The floor of signing in: the same hasher verifying passwords, and nothing else. Prints verifications a second."""

import asyncio
import sys
from time import perf_counter

from app.core.passwords import PasswordHasher

IN_FLIGHT = 2  # one is verified while the next waits: the hasher's only thread is never idle


async def rate(seconds: float) -> float:
    hasher = PasswordHasher()
    hashed = await hasher.hash("correct horse battery staple")
    done, started = 0, perf_counter()

    async def verify_until(end: float) -> None:
        nonlocal done
        while perf_counter() < end:
            await hasher.verify("correct horse battery staple", hashed)
            done += 1

    try:
        await asyncio.gather(*(verify_until(started + seconds) for _ in range(IN_FLIGHT)))
        return done / (perf_counter() - started)
    finally:
        hasher.close()


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(rate(float(sys.argv[1])))}\n")
