"""The layer that answers public GETs, outside of the framework: a hit is a dictionary look-up and a write.

What an answer depends on, the application says itself (`CACHE_TAGS`); whether it still holds, the journal knows. A
request that carries anything personal passes by untouched, and so its answer is neither kept nor taken from here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.cache.entries import CACHE_TAGS, Entry
from app.core.cache.journal import Journal
from app.core.cache.memory import MemoryTier
from app.core.cache.shared import SharedTier
from app.core.conditional import matches
from app.core.logging import get_logger

logger = get_logger(__name__)

STALE_WHILE_REVALIDATE = 30.0  # seconds that an answer past its time may be sent while a new one is computed
STALE_IF_ERROR = 600.0  # seconds that the last good answer stands in when none can be computed
LONGEST_KEY = 2_000  # bytes
WAIT_FOR_OTHERS = 0.5  # seconds for the process that has claimed the computation
LOOK_AGAIN = 0.01

# RFC 9211: whether what was sent had to be computed.
HIT, MISS = (b"cache-status", b"emporium; hit"), (b"cache-status", b"emporium; fwd=miss")
PERSONAL = frozenset([b"authorization", b"cookie", b"x-cart-token", b"x-order-token"])
_ABOUT_THE_COPY = frozenset([b"if-none-match", b"if-modified-since", b"range", b"if-range"])

_OUTCOMES = Counter("shop_response_cache_total", "Answers to public GETs by where they came from", ["outcome"])
_HIT, _STALE, _COMPUTED, _FAILED = (_OUTCOMES.labels(name) for name in ("hit", "stale", "computed", "stale-if-error"))


class NotKept(Exception):
    """The application's answer is for one request only."""

    def __init__(self, messages: list[Message]) -> None:
        super().__init__()
        self.messages = messages

    @property
    def failed(self) -> bool:
        return bool(self.messages and self.messages[0].get("status", 500) >= 500)


@dataclass(frozen=True, slots=True)
class _Computation:
    task: asyncio.Task[Entry]
    began: float


class ResponseCache:
    """`reads` and `writes` are prefixes of paths: GETs that may be kept, and changes that may touch what is kept.

    `catch_up` waits until this process has heard of all that is committed, so that whoever changes something sees the
    change at once.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        journal: Journal,
        memory: MemoryTier,
        shared: SharedTier,
        fresh_seconds: float,
        reads: tuple[str, ...],
        writes: tuple[str, ...],
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._app = app
        self._journal = journal
        self._memory = memory
        self._shared = shared
        self._fresh = fresh_seconds
        self._reads = reads
        self._writes = writes
        self._catch_up = catch_up
        self._computing: dict[bytes, _Computation] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, self._after_catching_up(send) if self._is_write(scope) else send)
        elif scope["path"].startswith(self._reads):
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = encodings = b""
        for name, value in scope["headers"]:
            if name in PERSONAL:
                await self._app(scope, receive, send)
                return
            if name == b"if-none-match":
                known = value
            elif name == b"accept-encoding":
                encodings = value
        key = _key(scope)
        if len(key) > LONGEST_KEY:
            await self._app(scope, receive, send)
            return

        status = HIT
        entry = self._memory.get(key)
        if entry is None or not self._may_be_sent(entry, key, scope):
            status = MISS
            try:
                entry = await self._computed(key, scope, entry)
            except NotKept as answer:
                for message in answer.messages:
                    await send(message)
                return
        else:
            _HIT.inc()

        if known and matches(known.decode("latin-1"), entry.etag):
            start, body = entry.not_modified
        else:
            start, body = entry.compressed if accepts_gzip(encodings) else entry.as_it_is
        await send({**start, "headers": [*start["headers"], status]})
        await send(body if scope["method"] == "GET" else {**body, "body": b""})

    def _may_be_sent(self, entry: Entry, key: bytes, scope: Scope) -> bool:
        """Whether the entry is as good as a new one; when it is getting old, a new one is under way afterwards."""
        if not self._journal.holds(entry):
            return False
        age = time.time() - entry.computed_at
        if age < self._fresh:
            return True
        if age < self._fresh + STALE_WHILE_REVALIDATE:
            _STALE.inc()
            self._computation(key, scope)
            return True
        return False

    async def _computed(self, key: bytes, scope: Scope, last: Entry | None) -> Entry:
        """A new entry: one computation for all who ask for it at the same time.

        Raises:
            NotKept: with this request's own answer.
        """
        computation, is_ours = self._computation(key, scope)
        try:
            entry = await asyncio.shield(computation.task)
        except Exception as error:
            failed = not isinstance(error, NotKept) or error.failed
            if failed and last is not None and time.time() - last.computed_at < STALE_IF_ERROR:
                _FAILED.inc()
                return last
            if is_ours:
                raise
            raise NotKept(await self._recorded({**scope})) from None
        _COMPUTED.inc()
        return entry

    def _computation(self, key: bytes, scope: Scope) -> tuple[_Computation, bool]:
        """The one that is under way, unless something has changed since it began; and whether it is a new one."""
        computation = self._computing.get(key)
        if computation is not None and computation.began > self._journal.latest:
            return computation, False
        task = asyncio.get_running_loop().create_task(self._compute(key, scope))
        computation = self._computing[key] = _Computation(task, time.time())

        def forget(_: object) -> None:
            if self._computing.get(key) is computation:
                del self._computing[key]
            if not task.cancelled():
                task.exception()  # seen, though everybody who asked may have hung up

        task.add_done_callback(forget)
        return computation, True

    async def _compute(self, key: bytes, scope: Scope) -> Entry:
        deadline = time.monotonic() + WAIT_FOR_OTHERS
        while True:
            kept = await self._shared.fetch(key)
            if kept is not None and self._journal.holds(kept) and time.time() - kept.computed_at < self._fresh:
                self._memory.put(key, kept)
                return kept
            if await self._shared.claim(key) or time.monotonic() > deadline:
                break
            await asyncio.sleep(LOOK_AGAIN)

        began = time.time()
        inner = {
            **scope,
            "method": "GET",
            "headers": [header for header in scope["headers"] if header[0] not in _ABOUT_THE_COPY],
            "state": {**scope.get("state", {})},
        }
        try:
            messages = await self._recorded(inner)
        except BaseException:
            self._shared.give_up(key)
            raise
        start, *parts = messages
        tags = inner.get(CACHE_TAGS)
        if start["status"] != 200 or tags is None:
            self._shared.give_up(key)
            raise NotKept(messages)
        entry = Entry(start["headers"], b"".join(part.get("body", b"") for part in parts), tags, began)
        self._memory.put(key, entry)
        self._shared.store(key, entry)
        return entry

    async def _recorded(self, scope: Scope) -> list[Message]:
        messages: list[Message] = []

        async def record(message: Message) -> None:
            messages.append(message)

        await self._app(scope, _no_body, record)
        return messages

    def _is_write(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return path.startswith(self._writes) and scope["method"] != "OPTIONS"

    def _after_catching_up(self, send: Send) -> Send:
        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._catch_up()
            await send(message)

        return heard


def _key(scope: Scope) -> bytes:
    """The path and the query; the same parameters in another order ask for the same."""
    path: str = scope["path"]
    query: bytes = scope["query_string"]
    if b"&" in query:
        query = b"&".join(sorted(query.split(b"&")))
    return path.encode() + b"?" + query


@lru_cache(maxsize=256)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """RFC 9110 §12.5.3: named and not refused by `q=0`; `*` stands for whatever is not named."""
    accepted: dict[bytes, bool] = {}
    for choice in accept_encoding.lower().split(b","):
        name, _, parameters = choice.partition(b";")
        quality = parameters.replace(b" ", b"").removeprefix(b"q=")
        accepted[name.strip()] = quality.strip(b"0.") != b"" if parameters else True
    return accepted.get(b"gzip", accepted.get(b"*", False))


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
