"""The tier of one process: a dictionary that forgets what was not asked for longest."""

from collections import OrderedDict

from app.core.cache.entries import Entry


class MemoryTier:
    """Holds entries up to a number of bytes in all."""

    def __init__(self, most_bytes: int) -> None:
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0

    def get(self, key: bytes) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: Entry) -> None:
        if entry.size > self._most_bytes:
            return
        replaced = self._entries.pop(key, None)
        self._bytes += entry.size - (replaced.size if replaced else 0)
        self._entries[key] = entry
        while self._bytes > self._most_bytes:
            _, evicted = self._entries.popitem(last=False)
            self._bytes -= evicted.size
