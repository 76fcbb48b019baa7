"""Keys of services: made, listed, revoked."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core.clock import now
from app.core.pagination import CursorSigner, Page
from app.core.security import digest, new_secret
from app.database import Database
from app.errors import InsufficientScope, NotFound
from app.models.api_keys import ApiKey
from app.schemas.api_keys import ApiKeyCreate, ApiKeyQuery
from app.services.identification import KEYS_BEGIN_WITH
from app.services.principals import Principal
from app.settings import Environment, Settings

SHOWN = 4  # letters of the secret: enough to tell keys apart, of 43


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key. `secret` exists in clear only here and in the one answer that tells it."""

    key: ApiKey
    secret: str


class ApiKeyService:
    def __init__(self, database: Database, cursors: CursorSigner, settings: Settings) -> None:
        self._database = database
        self._cursors = cursors
        # Seen in a log or in somebody's code, it says what it is, and whether there is any hurry.
        kind = "live" if settings.environment is Environment.PRODUCTION else "test"
        self._beginning = f"{KEYS_BEGIN_WITH}{kind}_"

    async def make(self, maker: Principal, data: ApiKeyCreate) -> MadeKey:
        """A new key. `InsufficientScope` when it could do more than whoever makes it."""
        beyond = [scope for scope in data.scopes if not maker.may(scope)]
        if beyond:
            raise InsufficientScope("A key cannot do more than you can.", scopes=beyond)
        secret = self._beginning + new_secret()
        created_at = now()
        key = ApiKey(
            name=data.name,
            prefix=secret[: len(self._beginning) + SHOWN],
            hash=digest(secret),
            scopes=list(data.scopes),
            created_by=maker.user_id,
            created_at=created_at,
            expires_at=created_at + timedelta(days=data.expires_in_days),
        )
        async with self._database.transaction(audited=True) as tx:
            await tx.api_keys.add(key)
        return MadeKey(key, secret)

    async def get(self, key_id: UUID) -> ApiKey:
        async with self._database.snapshot() as tx:
            key = await tx.api_keys.living(key_id)
        if key is None:
            raise NotFound
        return key

    async def page(self, query: ApiKeyQuery) -> Page[ApiKey]:
        """Those that are not revoked; also expired ones, which somebody may want to replace."""
        bound = {"list": "api_keys", **query.bound()}
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            keys = await tx.api_keys.page(position, query.limit)
            total = await tx.api_keys.count() if query.include_total else None
        return self._cursors.page(
            keys, lambda key: (str(key.id),), limit=query.limit, position=position, query=bound, total=total
        )

    async def revoke(self, key_id: UUID) -> None:
        """Every process hears of it as this commits: migration 0011."""
        async with self._database.transaction(audited=True) as tx:
            if not await tx.api_keys.revoke(key_id):
                raise NotFound
