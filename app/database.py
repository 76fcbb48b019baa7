"""Engines, and the only place that begins and commits.

A service writes inside `transaction()` and reads inside `snapshot()`; both hand out a `UnitOfWork`, the list of
repositories. Nothing else in the code base commits.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import stamina
import structlog
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from app.core.logging import get_logger
from app.errors import Conflict, ServiceUnavailable, ShopError
from app.repositories.carts import CartRepository
from app.repositories.categories import CategoryRepository
from app.repositories.idempotency import IdempotencyRepository
from app.repositories.inventory import InventoryRepository
from app.repositories.mail import EmailLogRepository
from app.repositories.orders import OrderRepository
from app.repositories.outbox import OutboxRepository
from app.repositories.payments import PaymentRepository
from app.repositories.products import ProductRepository
from app.repositories.shipping import ShippingRepository
from app.repositories.users import UserRepository
from app.settings import Settings

logger = get_logger(__name__)

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LOCK_TIMEOUT = "2s"
IDLE_IN_TRANSACTION_TIMEOUT = "10s"

_CONFLICTING_TRANSACTIONS = {"40001", "40P01"}  # serialisation failure, deadlock
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL manual, appendix A
_UNAVAILABLE = {"53300", "53100", "53200", LOCK_NOT_AVAILABLE, "57014", "57P01", "57P02", "57P03"}
_SET_AUDIT_CONTEXT = text(
    "SELECT set_config('app.actor_id', :actor, true), set_config('app.request_id', :request, true)"
)


class UnitOfWork:
    """Every repository on one session, and what shall happen once it has committed."""

    def __init__(self, session: AsyncSession) -> None:
        self._callbacks: list[Callable[[], object]] = []
        self.session = session
        self.carts = CartRepository(session)
        self.categories = CategoryRepository(session)
        self.emails = EmailLogRepository(session)
        self.idempotency = IdempotencyRepository(session)
        self.inventory = InventoryRepository(session)
        self.orders = OrderRepository(session)
        self.outbox = OutboxRepository(session)
        self.payments = PaymentRepository(session)
        self.products = ProductRepository(session)
        self.shipping = ShippingRepository(session)
        self.users = UserRepository(session)

    def after_commit(self, callback: Callable[[], object]) -> None:
        """For what may be lost, such as a counter. What may not be lost is a row in the outbox."""
        self._callbacks.append(callback)

    def run_callbacks(self) -> None:
        for callback in self._callbacks:
            try:
                callback()
            except Exception:
                logger.exception("a callback failed after the commit")


class Database:
    def __init__(
        self,
        writes: async_sessionmaker[AsyncSession],
        reads: async_sessionmaker[AsyncSession],
        engines: tuple[AsyncEngine, ...] = (),
    ) -> None:
        self._writes = writes
        self._reads = reads
        self._engines = engines

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """Two pools: one for transactions, one whose connections stay in autocommit and so need no reset."""
        writes = _engine(settings, pool_pre_ping=True)
        reads = _engine(settings, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
        return cls(
            async_sessionmaker(writes, expire_on_commit=False),
            async_sessionmaker(reads, expire_on_commit=False),
            (writes, reads),
        )

    async def close(self) -> None:
        for engine in self._engines:
            await engine.dispose()

    @asynccontextmanager
    async def transaction(self, *, audited: bool = False) -> AsyncIterator[UnitOfWork]:
        """Commit when the block ends, roll back when it raises.

        `audited` tells the audit triggers who is acting, in one more round trip: for changes to audited tables.
        """
        async with self._writes.begin() as session:
            tx = UnitOfWork(session)
            if audited:
                context = structlog.contextvars.get_contextvars()
                await session.execute(
                    _SET_AUDIT_CONTEXT,
                    {"actor": context.get("actor_id", ""), "request": context.get("request_id", "")},
                )
            yield tx
        tx.run_callbacks()  # reached only once committed

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[UnitOfWork]:
        """Read on an autocommit connection: no BEGIN and COMMIT around a single statement."""
        async with self._reads() as session:
            yield UnitOfWork(session)


def _engine(settings: Settings, **options: Any) -> AsyncEngine:
    return create_async_engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        hide_parameters=True,  # an error in the log shows its statement, and nobody's data
        pool_timeout=settings.database_timeout,
        connect_args={
            "timeout": settings.database_timeout,
            "command_timeout": settings.database_timeout * 2,  # the client's belt, should the server hang
            "server_settings": {
                "application_name": "emporium",
                "timezone": "UTC",  # where PostgreSQL itself writes a time into JSON
                "jit": "off",
                "lock_timeout": LOCK_TIMEOUT,
                "statement_timeout": f"{int(settings.database_timeout * 1000)}",
                "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
            },
        },
        **options,
    )


def newest_revision() -> str | None:
    """The migration that this code was written for."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five-character code behind a SQLAlchemy error, if there is one (PostgreSQL manual, appendix A)."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _lost_to_another_transaction(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and sqlstate(error) in _CONFLICTING_TRANSACTIONS


# For a service method that is one transaction: what lost to another one is tried again, with jitter.
retried_on_conflict = stamina.retry(
    on=_lost_to_another_transaction, attempts=3, wait_initial=0.02, wait_max=0.2, wait_jitter=0.05
)


def as_shop_error(error: Exception) -> ShopError | None:
    """The refusal that a database error stands for; None when it is a defect of ours."""
    if isinstance(error, PoolTimeout | OSError | TimeoutError | InterfaceError):
        return ServiceUnavailable()
    code = sqlstate(error) or ""
    if code in _UNAVAILABLE | _CONFLICTING_TRANSACTIONS or code.startswith("08"):
        return ServiceUnavailable()
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return ServiceUnavailable()
    return Conflict() if code == "23505" else None
