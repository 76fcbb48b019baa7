"""Address books. Every read starts from `of`, so nobody finds an address that is not theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, delete, func, or_, select, update

from app.core.encryption import KeyRing
from app.core.pagination import Position
from app.core.reader import Query
from app.core.statements import Statements
from app.models.addresses import SavedAddress
from app.models.base import table_of
from app.models.encrypted import Encrypted
from app.repositories.base import ModelRepository
from app.repositories.keyset import seek

_ADDRESSES = table_of(SavedAddress)
ADDRESS_FIELDS = ("full_name", "line1", "line2", "city", "region", "postal_code", "country", "phone")
_USER = bindparam("user_id", type_=Uuid)
_FOR_CHECKOUT = Query(
    select(
        _ADDRESSES.c.id,
        _ADDRESSES.c.is_default_shipping,
        _ADDRESSES.c.is_default_billing,
        *(_ADDRESSES.c[name] for name in ADDRESS_FIELDS),
    ).where(
        _ADDRESSES.c.user_id == _USER,
        or_(
            _ADDRESSES.c.id == bindparam("address_id", type_=Uuid),
            _ADDRESSES.c.is_default_shipping,
            _ADDRESSES.c.is_default_billing,
        ),
    )
)


class AddressRepository(ModelRepository[SavedAddress]):
    """Whoever adds an address or moves a default holds the person's row: see `UserRepository.lock`."""

    model = SavedAddress

    def of(self, user_id: UUID) -> Select[SavedAddress]:
        return select(SavedAddress).where(SavedAddress.user_id == user_id)

    async def get(self, user_id: UUID, address_id: UUID) -> SavedAddress | None:
        return await self._one_or_none(
            self.of(user_id).where(SavedAddress.id == address_id).execution_options(populate_existing=True)
        )

    async def page(self, user_id: UUID, limit: int, position: Position | None) -> Sequence[SavedAddress]:
        """Up to `limit + 1`, oldest first, or towards the oldest when going back."""
        backwards = position is not None and position.backwards
        after = None if position is None else [UUID(position.values[0])]
        return await self._all(seek(self.of(user_id), _ADDRESSES.c.id, falling=backwards, after=after).limit(limit + 1))

    async def count(self, user_id: UUID) -> int:
        counted = await self._session.execute(select(func.count()).where(SavedAddress.user_id == user_id))
        return counted.scalar_one()

    async def clear_defaults(self, but: SavedAddress, *, shipping: bool, billing: bool) -> None:
        """No other address of this person is the default of these kinds any more."""
        for column, wanted in (
            (SavedAddress.is_default_shipping, shipping),
            (SavedAddress.is_default_billing, billing),
        ):
            if wanted:
                await self._session.execute(
                    update(SavedAddress)
                    .where(SavedAddress.user_id == but.user_id, SavedAddress.id.is_distinct_from(but.id), column)
                    .values({column: False, SavedAddress.version: SavedAddress.version + 1})
                )

    async def remove(self, address: SavedAddress) -> None:
        await self._session.delete(address)
        await self._session.flush()

    async def forget(self, user_id: UUID) -> None:
        await self._session.execute(delete(SavedAddress).where(SavedAddress.user_id == user_id))


@dataclass(slots=True)
class KnownAddresses:
    """The address that was asked for, and the person's defaults; each None when there is none."""

    chosen: dict[str, Any] | None = None
    shipping: dict[str, Any] | None = None
    billing: dict[str, Any] | None = None


class AddressLookup:
    """What a checkout needs of an address book, on a short transaction."""

    def __init__(self, statements: Statements, keys: KeyRing) -> None:
        self._statements = statements
        self._keys = keys

    async def for_checkout(self, user_id: UUID, address_id: UUID | None) -> KnownAddresses:
        rows = await self._statements.fetch(_FOR_CHECKOUT, user_id=user_id, address_id=address_id)
        known = KnownAddresses()
        for found_id, ships, bills, *values in rows:
            address = {name: self._opened(name, value) for name, value in zip(ADDRESS_FIELDS, values, strict=True)}
            if found_id == address_id:
                known.chosen = address
            if ships:
                known.shipping = address
            if bills:
                known.billing = address
        return known

    def _opened(self, name: str, value: str | None) -> str | None:
        kind = _ADDRESSES.c[name].type
        return self._keys.decrypt(value, kind.place) if value is not None and isinstance(kind, Encrypted) else value
