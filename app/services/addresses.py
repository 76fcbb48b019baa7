"""The address books of customers.

Who adds an address or moves a default holds the person's row meanwhile, so the number of addresses and the defaults
are counted by one at a time; unique indexes are the belt.
"""

from uuid import UUID

from app.core.conditional import Versions
from app.core.pagination import CursorSigner, Page
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import InvalidToken, NotFound, PreconditionFailed, TooManyAddresses
from app.models.addresses import MOST_ADDRESSES, SavedAddress
from app.schemas.addresses import AddressCreate, AddressQuery, AddressRead, AddressUpdate


class AddressService:
    def __init__(self, database: Database, cursors: CursorSigner) -> None:
        self._database = database
        self._cursors = cursors

    async def page(self, user_id: UUID, query: AddressQuery) -> Page[AddressRead]:
        """Oldest first."""
        bound = query.bound() | {"of": user_id}
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            addresses = await tx.addresses.page(user_id, query.limit, position)
            total = await tx.addresses.count(user_id) if query.include_total else None
        return self._cursors.page(
            [AddressRead.model_validate(address) for address in addresses],
            lambda address: (str(address.id),),
            limit=query.limit,
            position=position,
            query=bound,
            total=total,
        )

    async def get(self, user_id: UUID, address_id: UUID) -> SavedAddress:
        async with self._database.snapshot() as tx:
            return await _owned(tx, user_id, address_id)

    @retried_on_conflict
    async def create(self, user_id: UUID, data: AddressCreate) -> SavedAddress:
        """Add an address; `TooManyAddresses` when the book is full."""
        async with self._database.transaction() as tx:
            await _hold_book(tx, user_id)
            kept = await tx.addresses.count(user_id)
            if kept >= MOST_ADDRESSES:
                raise TooManyAddresses(maximum=MOST_ADDRESSES)
            address = SavedAddress(user_id=user_id, **data.model_dump())
            if kept == 0:
                address.is_default_shipping = address.is_default_billing = True
            await _give_up_defaults(tx, address)
            await tx.addresses.add(address)
            return address

    @retried_on_conflict
    async def update(self, user_id: UUID, address_id: UUID, seen: Versions, changes: AddressUpdate) -> SavedAddress:
        async with self._database.transaction() as tx:
            await _hold_book(tx, user_id)
            address = _at_version(await _owned(tx, user_id, address_id), seen)
            with tx.session.no_autoflush:  # the default of before gives way first
                for name, value in changes.items():
                    setattr(address, name, value)
                address.version += 1
                await _give_up_defaults(tx, address)
            await tx.addresses.flush()
            await tx.session.refresh(address, ["updated_at"])
            return address

    @retried_on_conflict
    async def delete(self, user_id: UUID, address_id: UUID, seen: Versions) -> None:
        """Orders keep what they were told. Nothing becomes the default in place of one that is deleted."""
        async with self._database.transaction() as tx:
            await _hold_book(tx, user_id)
            await tx.addresses.remove(_at_version(await _owned(tx, user_id, address_id), seen))


async def _hold_book(tx: UnitOfWork, user_id: UUID) -> None:
    user = await tx.users.lock(user_id)
    if user is None or not user.is_active:  # deleted while this request was under way
        raise InvalidToken


async def _owned(tx: UnitOfWork, user_id: UUID, address_id: UUID) -> SavedAddress:
    address = await tx.addresses.get(user_id, address_id)
    if address is None:
        raise NotFound
    return address


async def _give_up_defaults(tx: UnitOfWork, address: SavedAddress) -> None:
    """No other address of this person is the default of a kind that this one is to be."""
    await tx.addresses.clear_defaults(address, shipping=address.is_default_shipping, billing=address.is_default_billing)


def _at_version(address: SavedAddress, seen: Versions) -> SavedAddress:
    if seen is not None and address.version not in seen:
        raise PreconditionFailed
    return address
