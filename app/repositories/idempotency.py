"""Claims on idempotency keys, and the answers that repetitions get."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Interval,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    cast,
    delete,
    func,
    null,
    select,
    update,
)
from sqlalchemy import literal_column as literally
from sqlalchemy.dialects.postgresql import insert

from app.core.encryption import KeyRing
from app.core.reader import Query
from app.core.statements import Statements
from app.models.base import table_of
from app.models.encrypted import open_body, seal_body
from app.models.platform import IdempotencyKey

KEPT_FOR = timedelta(hours=24)
_LONG_AGO = func.now() - KEPT_FOR  # longer than any lease

_KEYS = table_of(IdempotencyKey)
_SCOPE, _KEY = bindparam("scope", type_=Text), bindparam("key", type_=Text)
_RESOURCE = bindparam("resource_id", type_=Uuid)
_IS_IT = (_KEYS.c.scope == _SCOPE) & (_KEYS.c.key == _KEY)
_IS_RUNNING = _KEYS.c.state == literally("'running'")
_NEW = insert(_KEYS).values(
    scope=_SCOPE,
    key=_KEY,
    request_hash=bindparam("request_hash", type_=LargeBinary),
    state=literally("'running'"),
    resource_id=_RESOURCE,
)
_CLAIM = Query(
    _NEW.on_conflict_do_update(
        index_elements=["scope", "key"],
        set_={
            "request_hash": _NEW.excluded.request_hash,
            "state": _NEW.excluded.state,
            "resource_id": _NEW.excluded.resource_id,
            "status_code": null(),
            "body": null(),
            "locked_at": func.now(),
            "expires_at": func.now() + KEPT_FOR,
        },
        where=_KEYS.c.expires_at < func.now(),
    ).returning(_KEYS.c.key)
)
_FIND = Query(
    select(
        _KEYS.c.request_hash,
        _KEYS.c.state,
        _KEYS.c.resource_id,
        _KEYS.c.status_code,
        cast(_KEYS.c.body, Text),
    ).where(_IS_IT)
)
_TAKE_OVER = Query(
    update(_KEYS)
    .where(_IS_IT, _IS_RUNNING, _KEYS.c.locked_at < func.now() - bindparam("lease", type_=Interval))
    .values(locked_at=func.now())
    .returning(_KEYS.c.key)
)
_REMEMBER = Query(update(_KEYS).where(_IS_IT).values(resource_id=_RESOURCE))
_COMPLETE = Query(
    update(_KEYS)
    .where(_IS_IT)
    .values(
        state=literally("'done'"),
        status_code=bindparam("status_code", type_=BigInteger),
        body=cast(bindparam("body", type_=Text), JSON),
    )
)
_LET_GO = Query(update(_KEYS).where(_IS_IT, _IS_RUNNING).values(locked_at=_LONG_AGO))
_FORGET = Query(delete(_KEYS).where(_IS_IT))
_FORGET_EXPIRED = Query(delete(_KEYS).where(_KEYS.c.expires_at < func.now()))


class StoredAttempt(NamedTuple):
    """`body` is the answer's JSON, as it was sent."""

    request_hash: bytes
    state: str
    resource_id: UUID | None
    status_code: int | None
    body: str | None


class IdempotencyRepository:
    def __init__(self, statements: Statements, keys: KeyRing, lease: timedelta) -> None:
        """`lease` is how long a request may live: one that has held its key for longer has died."""
        self._statements = statements
        self._keys = keys
        self._lease = lease

    async def claim(
        self, scope: str, key: str, request_hash: bytes, resource_id: UUID | None = None
    ) -> StoredAttempt | None:
        """Insert the key with what this transaction makes, if that is known by now; or return the row that has it.

        Two requests with one key meet at the primary key: the second waits there until the first one's
        transaction has ended.
        """
        claimed = await self._statements.fetch(
            _CLAIM, scope=scope, key=key, request_hash=request_hash, resource_id=resource_id
        )
        if claimed:
            return None
        [row] = await self._statements.fetch(_FIND, scope=scope, key=key)
        stored = StoredAttempt(*row)
        return stored._replace(body=open_body(stored.body, self._keys)) if stored.body else stored

    async def take_over(self, scope: str, key: str) -> bool:
        """Continue what a request left unfinished that died, or was told to let go."""
        return bool(await self._statements.fetch(_TAKE_OVER, scope=scope, key=key, lease=self._lease))

    async def remember(self, scope: str, key: str, resource_id: UUID) -> None:
        """What the request has made so far: whoever takes over continues from there."""
        await self._statements.fetch(_REMEMBER, scope=scope, key=key, resource_id=resource_id)

    async def complete(self, scope: str, key: str, status_code: int, body: str) -> None:
        sealed = seal_body(body, self._keys)
        await self._statements.fetch(_COMPLETE, scope=scope, key=key, status_code=status_code, body=sealed)

    async def let_go(self, scope: str, key: str) -> None:
        """The request failed for a reason that may pass: the next one with this key may continue at once."""
        await self._statements.fetch(_LET_GO, scope=scope, key=key)

    async def forget(self, scope: str, key: str) -> None:
        await self._statements.fetch(_FORGET, scope=scope, key=key)

    async def forget_expired(self) -> None:
        await self._statements.fetch(_FORGET_EXPIRED)
