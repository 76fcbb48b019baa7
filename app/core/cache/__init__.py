"""The response cache: finished answers for everybody, in memory and in Redis, until the database says otherwise.

- `responses.py`: the ASGI layer that answers from the cache, or computes an answer once for all who wait for it
- `memory.py`, `shared.py`: where answers are kept, by this process and by all of them
- `journal.py`: what has changed since an answer was computed, and whether that is known at all
- `entries.py`: an answer
"""

from app.core.cache.entries import CACHE_TAGS
from app.core.cache.journal import Journal
from app.core.cache.memory import MemoryTier
from app.core.cache.responses import ResponseCache
from app.core.cache.shared import SharedTier

__all__ = ["CACHE_TAGS", "Journal", "MemoryTier", "ResponseCache", "SharedTier"]
