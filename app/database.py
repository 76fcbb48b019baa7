"""Engines, and the only place that begins and commits.

A service writes inside `transaction()` and reads inside `snapshot()`; both hand out a `UnitOfWork`, the list of
repositories. Nothing else in the code base commits.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import asyncpg
import stamina
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from app.core.context import current
from app.core.encryption import KeyRing
from app.core.logging import get_logger
from app.core.reader import Connections, Reader, keep_as_it_is
from app.core.statements import ConnectionStatements, SessionStatements, Statements
from app.core.transactions import TransactionPool, Transactions
from app.database_errors import CONFLICTING_TRANSACTIONS, DATABASE_ERRORS, sqlstate
from app.models.encrypted import give_keys
from app.repositories.accounts import AccountRepository
from app.repositories.addresses import AddressLookup, AddressRepository
from app.repositories.api_keys import ApiKeyRepository
from app.repositories.assortment import AssortmentRepository
from app.repositories.carts import CartRepository
from app.repositories.catalogue import CatalogueReader
from app.repositories.categories import CategoryRepository
from app.repositories.checkout import CheckoutRepository
from app.repositories.email_changes import EmailChangeRepository
from app.repositories.forgetting import ForgettingRepository
from app.repositories.guesses import GuessRepository
from app.repositories.idempotency import IdempotencyRepository
from app.repositories.inventory import InventoryRepository
from app.repositories.inventory_ledger import InventoryLedgerRepository
from app.repositories.inventory_levels import InventoryLevelRepository
from app.repositories.jobs import JobRepository
from app.repositories.listings.reader import ListingReader
from app.repositories.mail import EmailLogRepository
from app.repositories.media import MediaRepository
from app.repositories.one_time_tokens import OneTimeTokenRepository
from app.repositories.orders import OrderRepository
from app.repositories.outbox import OutboxRepository
from app.repositories.payments import PaymentRepository
from app.repositories.personal_data import PersonalDataReader
from app.repositories.products import ProductRepository
from app.repositories.related import RelatedReader
from app.repositories.reviews import ReviewRepository
from app.repositories.second_factors import SecondFactorRepository
from app.repositories.sessions import SessionRepository
from app.repositories.stock_claims import StockClaims
from app.repositories.suggestions import SuggestionReader
from app.repositories.users import UserRepository
from app.settings import Settings

logger = get_logger(__name__)
Call = ParamSpec("Call")
Result = TypeVar("Result")

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LOCK_TIMEOUT = "2s"
IDLE_IN_TRANSACTION_TIMEOUT = "10s"
SILENCE = 0.5  # seconds that a server may take to say that a statement took too long, before it counts as away
LETTING_GO = 5.0  # seconds that a request may take to end once it is cancelled for taking too long

# The statements of lists decide themselves how they are answered (app/repositories/listings/pages.py), and leave
# nothing to be found out from their parameters.
PLANNING_OF_LISTS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "max_parallel_workers_per_gather": "0",
}

_SET_AUDIT_CONTEXT = text(
    "SELECT set_config('app.actor_id', :actor, true), set_config('app.request_id', :request, true)"
)


class _Callbacks:
    """What shall happen once a unit of work has committed."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], object]] = []

    def after_commit(self, callback: Callable[[], object]) -> None:
        """For what may be lost, such as a counter. What may not be lost is a row in the outbox."""
        self._callbacks.append(callback)

    def run_callbacks(self) -> None:
        for callback in self._callbacks:
            try:
                callback()
            except Exception:
                logger.exception("a callback failed after the commit")


class UnitOfWork(_Callbacks):
    """Every repository on one session."""

    def __init__(self, session: AsyncSession, keys: KeyRing, lease: timedelta) -> None:
        super().__init__()
        statements = SessionStatements(session)
        self.session = session
        self.accounts = AccountRepository(session)
        self.addresses = AddressRepository(session)
        self.api_keys = ApiKeyRepository(session)
        self.assortment = AssortmentRepository(session)
        self.carts = CartRepository(statements, keys)
        self.categories = CategoryRepository(session)
        self.email_changes = EmailChangeRepository(session)
        self.emails = EmailLogRepository(session)
        self.guesses = GuessRepository(session)
        self.forgetting = ForgettingRepository(session)
        self.idempotency = IdempotencyRepository(statements, keys, lease)
        self.inventory = InventoryRepository(session)
        self.jobs = JobRepository(session)
        self.ledger = InventoryLedgerRepository(session)
        self.levels = InventoryLevelRepository(session)
        self.media = MediaRepository(session)
        self.orders = OrderRepository(session)
        self.outbox = OutboxRepository(session)
        self.payments = PaymentRepository(session)
        self.personal_data = PersonalDataReader(session)
        self.products = ProductRepository(session)
        self.reviews = ReviewRepository(session)
        self.second_factors = SecondFactorRepository(session)
        self.sessions = SessionRepository(session)
        self.tokens = OneTimeTokenRepository(session)
        self.users = UserRepository(session)


class ShortUnitOfWork(_Callbacks):
    """The repositories of the shop's most frequent transactions; they need no session."""

    def __init__(self, statements: Statements, keys: KeyRing, lease: timedelta) -> None:
        super().__init__()
        self.addresses = AddressLookup(statements, keys)
        self.carts = CartRepository(statements, keys)
        self.checkout = CheckoutRepository(statements, keys)
        self.idempotency = IdempotencyRepository(statements, keys, lease)
        self.stock = StockClaims(statements)


class Database:
    """`transaction()` and `snapshot()` are for everything.

    What a shop does most takes a shorter way, past SQLAlchemy's sessions: `reader`, which serves the hot reads, those
    of `catalogue` and of `listings` among them, and `short_transaction()`.
    """

    def __init__(
        self,
        writes: Transactions,
        reads: async_sessionmaker[AsyncSession],
        connections: Connections,
        list_connections: Connections,
        media_url: str,
        keys: KeyRing,
        lease: timedelta,
    ) -> None:
        """`lease` is how long a request may hold an idempotency key (app/repositories/idempotency.py)."""
        self._writes = writes
        self._reads = reads
        self._keys = keys
        self._lease = lease
        self.reader = Reader(connections)
        self.catalogue = CatalogueReader(self.reader, media_url)
        lists = Reader(list_connections)
        self.listings = ListingReader(lists, media_url)
        self.suggestions = SuggestionReader(lists, media_url)
        self.related = RelatedReader(lists, media_url)

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings) -> AsyncIterator[Self]:
        """Four pools, empty until they are used: for transactions, for snapshots, for hot reads and for lists.

        The connections of the last three stay in autocommit and so need no reset. Lists have some of their own: they
        are planned in another way, and however slow a search may be, it keeps nobody waiting who has found something.
        """
        options = _connect_options(settings)
        writes = _engine(settings, options)
        reads = _engine(settings, options, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
        keys = KeyRing(settings.encryption_secrets())
        give_keys(writes, keys)
        give_keys(reads, keys)
        try:
            async with (
                _reading_pool(settings, options) as connections,
                _reading_pool(settings, options, **PLANNING_OF_LISTS) as list_connections,
            ):
                yield cls(
                    TransactionPool(writes, settings.database_pool_size, settings.database_timeout),
                    async_sessionmaker(reads, expire_on_commit=False),
                    connections,
                    list_connections,
                    settings.media_url,
                    keys,
                    timedelta(seconds=settings.request_timeout + LETTING_GO),
                )
        finally:
            await writes.dispose()
            await reads.dispose()

    @asynccontextmanager
    async def transaction(self, *, audited: bool = False) -> AsyncIterator[UnitOfWork]:
        """Commit when the block ends, roll back when it raises.

        `audited` tells the audit triggers who is acting, in one more round trip: for changes to audited tables.
        """
        async with self._writes.session() as session:
            tx = UnitOfWork(session, self._keys, self._lease)
            if audited:
                context = current()
                await session.execute(
                    _SET_AUDIT_CONTEXT,
                    {"actor": context.get("actor_id", ""), "request": context.get("request_id", "")},
                )
            yield tx
        tx.run_callbacks()  # reached only once committed

    @asynccontextmanager
    async def short_transaction(self) -> AsyncIterator[ShortUnitOfWork]:
        """The same for a few queries on asyncpg's own connection (docs/decisions/0009-short-transactions.md)."""
        async with self._writes.connection() as connection, connection.transaction():
            tx = ShortUnitOfWork(ConnectionStatements(connection), self._keys, self._lease)
            yield tx
        tx.run_callbacks()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[UnitOfWork]:
        """Read on an autocommit connection: no BEGIN and COMMIT around a single statement."""
        async with self._reads() as session:
            yield UnitOfWork(session, self._keys, self._lease)


class _Pooled:
    """A pool that does not let anybody wait for ever."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", timeout: float) -> None:
        self._pool = pool
        self._timeout = timeout

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        return self._pool.acquire(timeout=self._timeout)


@asynccontextmanager
async def _reading_pool(
    settings: Settings, options: dict[str, Any], **server_settings: str
) -> AsyncIterator[Connections]:
    options = {**options, "server_settings": options["server_settings"] | server_settings}
    async with asyncpg.create_pool(
        driver_url(settings), min_size=0, max_size=settings.database_pool_size, reset=keep_as_it_is, **options
    ) as pool:
        yield _Pooled(pool, settings.database_timeout)


def driver_url(settings: Settings) -> str:
    """The database's address as asyncpg itself takes it."""
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def _connect_options(settings: Settings) -> dict[str, Any]:
    return {
        "timeout": settings.database_timeout,
        "command_timeout": settings.database_timeout + SILENCE,
        "server_settings": {
            "application_name": "emporium",
            "timezone": "UTC",  # where PostgreSQL itself writes a time into JSON
            "jit": "off",
            "lock_timeout": LOCK_TIMEOUT,
            "statement_timeout": f"{int(settings.database_timeout * 1000)}",
            "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
        },
    }


def _engine(settings: Settings, connect_options: dict[str, Any], **options: Any) -> AsyncEngine:
    return create_async_engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        hide_parameters=True,  # an error in the log shows its statement, and nobody's data
        pool_timeout=settings.database_timeout,
        connect_args=connect_options,
        **options,
    )


def newest_revision() -> str | None:
    """The migration that this code was written for."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _lost_to_another_transaction(error: Exception) -> bool:
    return isinstance(error, DATABASE_ERRORS) and sqlstate(error) in CONFLICTING_TRANSACTIONS


_RETRIES = stamina.retry(on=_lost_to_another_transaction, attempts=3, wait_initial=0.02, wait_max=0.2, wait_jitter=0.05)


def retried_on_conflict(method: Callable[Call, Awaitable[Result]]) -> Callable[Call, Awaitable[Result]]:
    """For a service method that is one transaction: what lost to another one is tried again, with jitter.

    The first try goes without the library, which costs a tenth of what adding to a cart costs.
    """
    try_again = _RETRIES(method)

    @wraps(method)
    async def first_try(*arguments: Call.args, **named: Call.kwargs) -> Result:
        try:
            return await method(*arguments, **named)
        except DATABASE_ERRORS as error:
            if not _lost_to_another_transaction(error):
                raise
            logger.warning("trying again", callable=method.__qualname__, because=type(error).__name__)
        return await try_again(*arguments, **named)

    return first_try
