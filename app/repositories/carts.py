"""Carts, found by their owner only."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.core.encryption import KeyRing
from app.core.reader import Query
from app.core.statements import Statements
from app.models.encrypted import seal_address
from app.repositories import carts_write as write
from app.repositories.carts_read import SHIPPING_ADDRESS, ShownCart, read_cart, shown
from app.repositories.carts_write import OwnersQuery

_SHOWN = Query(shown(write.CARTS.c.id == write.CART))
_ACTIVE = OwnersQuery(shown)


class Owner(NamedTuple):
    """A customer, or a guest by the hash of their secret token. Who is neither has no cart."""

    user_id: UUID | None = None
    token_hash: bytes | None = None


class ChangedLine(NamedTuple):
    """What became of a line of the cart.

    `available` is None when there is no such variant, or it is not for sale; `quantity`, what the line holds now,
    is None when it was refused.
    """

    cart_id: UUID | None
    variant_id: UUID | None
    available: int | None
    quantity: int | None


class CartRepository:
    """Changes of an owner's active cart count its version up, and make it live until `expires_at`."""

    def __init__(self, statements: Statements, keys: KeyRing) -> None:
        self._statements = statements
        self._keys = keys

    async def active_of(self, owner: Owner, home_country: str) -> ShownCart | None:
        """The owner's active cart, with all ways to ship it."""
        rows = await self._of(owner, _ACTIVE, country=None, home_country=home_country, all_methods=True)
        return read_cart(rows[0][0], self._keys) if rows else None

    async def shown(
        self, cart_id: UUID, home_country: str, *, country: str | None = None, all_methods: bool = False
    ) -> ShownCart:
        """The cart, going to `country` if not to its own address. Of the ways to ship, the chosen one or all."""
        [(body,)] = await self._statements.fetch(
            _SHOWN, cart_id=cart_id, country=country, home_country=home_country, all_methods=all_methods
        )
        return read_cart(body, self._keys)

    async def lock_active_of(self, owner: Owner) -> UUID | None:
        """The id of the owner's active cart: whoever changes a cart queues up here."""
        return _id(await self._of(owner, write.LOCK))

    async def open_for_customer(self, user_id: UUID, currency: str, expires_at: datetime) -> None:
        """Give a customer an active cart unless there is one; two requests at once make one cart."""
        await self._statements.fetch(write.OPEN_FOR_CUSTOMER, user_id=user_id, currency=currency, expires_at=expires_at)

    async def open_for_guest(self, token_hash: bytes, currency: str, expires_at: datetime) -> None:
        await self._statements.fetch(
            write.OPEN_FOR_GUEST, token_hash=token_hash, currency=currency, expires_at=expires_at
        )

    async def add(self, owner: Owner, variant_id: UUID, quantity: int, expires_at: datetime) -> ChangedLine:
        """Add to what the cart has of the variant already, up to what there is and what a line may hold."""
        rows = await self._of(owner, write.ADD, variant_id=variant_id, quantity=quantity, expires_at=expires_at)
        return ChangedLine(*rows[0]) if rows else ChangedLine(None, None, None, None)

    async def change(self, owner: Owner, line_id: UUID, quantity: int, expires_at: datetime) -> ChangedLine:
        """Set how many; the variant's id is None when there is no such line."""
        rows = await self._of(owner, write.CHANGE, line_id=line_id, quantity=quantity, expires_at=expires_at)
        return ChangedLine(*rows[0]) if rows else ChangedLine(None, None, None, None)

    async def quantity_of(self, cart_id: UUID, variant_id: UUID) -> int:
        held = await self._statements.fetch(write.HELD, cart_id=cart_id, variant_id=variant_id)
        return int(held[0][0]) if held else 0

    async def remove(self, owner: Owner, line_id: UUID, expires_at: datetime) -> tuple[UUID | None, UUID | None]:
        """The ids of the cart and of the line that was taken out of it; each None when there is no such thing."""
        rows = await self._of(owner, write.REMOVE, line_id=line_id, expires_at=expires_at)
        return tuple(rows[0]) if rows else (None, None)

    async def clear(self, owner: Owner, expires_at: datetime) -> UUID | None:
        """Empty the cart, and forget where it would have gone."""
        return _id(await self._of(owner, write.CLEAR, expires_at=expires_at))

    async def set_address(self, owner: Owner, address: dict[str, Any], expires_at: datetime) -> UUID | None:
        sealed = json.dumps(seal_address(address, self._keys, SHIPPING_ADDRESS))
        return _id(await self._of(owner, write.SET_ADDRESS, address=sealed, expires_at=expires_at))

    async def set_method(self, owner: Owner, method_id: UUID, expires_at: datetime) -> UUID | None:
        return _id(await self._of(owner, write.SET_METHOD, method_id=method_id, expires_at=expires_at))

    async def convert(self, owner: Owner) -> UUID | None:
        """End the active cart, because it becomes an order; locked, it stays as it is until the commit."""
        return _id(await self._of(owner, write.CONVERT))

    async def pour(self, guest_cart_id: UUID, cart_id: UUID, expires_at: datetime) -> list[UUID]:
        """Pour a guest's cart into a customer's, both locked; returns the variants of which a line can hold no more.

        Quantities add up. What the customer has not said yet, the guest's cart says: where it goes, and how.
        """
        carts = {"cart_id": cart_id, "guest_cart_id": guest_cart_id}
        capped = await self._statements.fetch(write.TOO_MANY_TOGETHER, **carts)
        await self._statements.fetch(write.POUR, **carts)
        await self._statements.fetch(write.INHERIT, **carts, expires_at=expires_at)
        await self._statements.fetch(write.END_MERGED, guest_cart_id=guest_cart_id)
        return [variant_id for (variant_id,) in capped]

    async def forget_expired(self) -> None:
        await self._statements.fetch(write.FORGET_EXPIRED)

    async def _of(self, owner: Owner, query: OwnersQuery, **parameters: Any) -> Sequence[Any]:
        if owner.user_id is not None:
            return await self._statements.fetch(query.of_customer, user_id=owner.user_id, **parameters)
        if owner.token_hash is not None:
            return await self._statements.fetch(query.of_guest, token_hash=owner.token_hash, **parameters)
        return ()


def _id(rows: Sequence[Any]) -> UUID | None:
    found: UUID | None = rows[0][0] if rows else None
    return found
