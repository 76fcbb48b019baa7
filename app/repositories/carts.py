"""Carts, found by their owner only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from app.core.ids import uuid7
from app.models.carts import Cart, CartLine, CartStatus
from app.models.products import Product, Variant
from app.repositories.base import ModelRepository, owned_by

# Without bound values: once PostgreSQL plans a prepared statement for any value, it no longer recognises the index.
_ACTIVE_LITERALLY = text("status = 'active'")
# What a cart shows of each line, in one statement however many lines there are.
_SHOWN = joinedload(CartLine.variant).options(
    joinedload(Variant.product).load_only(Product.name, Product.slug, Product.status, Product.tax_class),
    joinedload(Variant.stock),
)


class CartRepository(ModelRepository[Cart]):
    model = Cart

    async def lock_active_of(self, user_id: UUID | None, token_hash: bytes | None) -> Cart | None:
        """The owner's active cart, locked: whoever changes a cart queues up here."""
        return await self._one_or_none(_active(user_id, token_hash).with_for_update())

    async def active_of(self, user_id: UUID | None, token_hash: bytes | None) -> Cart | None:
        """The owner's active cart with all it shows."""
        return await self._one_or_none(_active(user_id, token_hash).options(selectinload(Cart.lines).options(_SHOWN)))

    async def shown(self, cart: Cart) -> Cart:
        """The same cart with its lines as they are now."""
        lines = select(CartLine).where(CartLine.cart_id == cart.id).options(_SHOWN).order_by(CartLine.id)
        set_committed_value(cart, "lines", list(await self._all(lines.execution_options(populate_existing=True))))
        return cart

    async def open(self, user_id: UUID, currency: str, expires_at: datetime) -> None:
        """Give a customer an active cart unless there is one; two requests at once make one cart."""
        await self._session.execute(
            insert(Cart)
            .values(id=uuid7(), user_id=user_id, currency=currency, expires_at=expires_at, status=CartStatus.ACTIVE)
            .on_conflict_do_nothing(index_elements=["user_id"], index_where=_ACTIVE_LITERALLY)
        )

    async def quantities(self, cart: Cart) -> dict[UUID, int]:
        found = await self._session.execute(
            select(CartLine.variant_id, CartLine.quantity).where(CartLine.cart_id == cart.id)
        )
        return dict(found.all())

    async def set_quantities(self, cart: Cart, quantities: dict[UUID, int]) -> None:
        """Insert or update the lines of these variants."""
        rows = [
            {"id": uuid7(), "cart_id": cart.id, "variant_id": variant_id, "quantity": quantity}
            for variant_id, quantity in quantities.items()
        ]
        statement = insert(CartLine).values(rows)
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["cart_id", "variant_id"],
                set_={"quantity": statement.excluded.quantity, "updated_at": func.now()},
            )
        )

    async def line(self, cart: Cart, line_id: UUID) -> CartLine | None:
        return await self._one_or_none(select(CartLine).where(CartLine.cart_id == cart.id, CartLine.id == line_id))

    async def remove_line(self, cart: Cart, line_id: UUID) -> bool:
        removed = await self._session.execute(
            delete(CartLine).where(CartLine.cart_id == cart.id, CartLine.id == line_id).returning(CartLine.id)
        )
        return removed.first() is not None

    async def clear(self, cart: Cart) -> None:
        await self._session.execute(delete(CartLine).where(CartLine.cart_id == cart.id))

    async def touch(self, cart: Cart, expires_at: datetime, **changes: Any) -> None:
        """Count the edit of a locked cart, and give it another while to live."""
        for name, value in {"version": cart.version + 1, "expires_at": expires_at, **changes}.items():
            setattr(cart, name, value)
        await self.flush()

    async def close(self, cart: Cart, status: CartStatus) -> bool:
        """End an active cart; False when somebody else just did."""
        return await self._moved(
            update(Cart)
            .where(Cart.id == cart.id, Cart.status == CartStatus.ACTIVE)
            .values(status=status, version=Cart.version + 1)
            .execution_options(synchronize_session=False)
        )

    async def forget_expired(self) -> None:
        """Delete carts that nobody came back for; those that became orders stay."""
        await self._session.execute(
            delete(Cart).where(Cart.expires_at < func.now(), Cart.status != CartStatus.CONVERTED)
        )


def _active(user_id: UUID | None, token_hash: bytes | None) -> Select[Cart]:
    owner = owned_by(Cart.user_id, user_id, Cart.token_hash, token_hash)
    return select(Cart).where(owner, Cart.status == CartStatus.ACTIVE)
