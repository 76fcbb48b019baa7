"""The signed-in person's address book."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response, status

from app.dependencies import AccountReader, AccountWriter, Addresses, OptionalIfMatch
from app.errors import InvalidCursor, NotFound, PreconditionFailed, TooManyAddresses
from app.models.addresses import SavedAddress
from app.openapi import problems
from app.routers.etags import tagged
from app.schemas.addresses import AddressCreate, AddressQuery, AddressRead, AddressUpdate
from app.schemas.base import NotEmpty, PageRead, page_of

router = APIRouter(prefix="/users/me/addresses", tags=["Accounts"])

AddressId = Annotated[UUID, Path(description="The address's `id`")]


@router.get(
    "",
    operation_id="addresses_list",
    response_model=PageRead[AddressRead],
    responses=problems(InvalidCursor),
)
async def list_addresses(
    query: Annotated[AddressQuery, Query()], user: AccountReader, addresses: Addresses
) -> PageRead[AddressRead]:
    """List your addresses."""
    return page_of(await addresses.page(user.user_id, query))


@router.post(
    "",
    operation_id="addresses_create",
    status_code=status.HTTP_201_CREATED,
    response_model=AddressRead,
    responses=problems(TooManyAddresses),
)
async def create_address(
    data: AddressCreate, user: AccountWriter, addresses: Addresses, response: Response
) -> SavedAddress:
    """Keep an address, for `shipping_address_id` of orders to come."""
    address = await addresses.create(user.user_id, data)
    return tagged(response, address, location=f"/api/v1/users/me/addresses/{address.id}")


@router.get("/{address_id}", operation_id="addresses_get", response_model=AddressRead, responses=problems(NotFound))
async def get_address(
    address_id: AddressId, user: AccountReader, addresses: Addresses, response: Response
) -> SavedAddress:
    """Show one of your addresses."""
    return tagged(response, await addresses.get(user.user_id, address_id))


@router.patch(
    "/{address_id}",
    operation_id="addresses_update",
    response_model=AddressRead,
    responses=problems(NotFound, PreconditionFailed),
)
async def update_address(
    address_id: AddressId,
    data: Annotated[AddressUpdate, NotEmpty],
    user: AccountWriter,
    seen: OptionalIfMatch,
    addresses: Addresses,
    response: Response,
) -> SavedAddress:
    """Change one of your addresses, or make it a default. Orders that were placed keep what they were told."""
    return tagged(response, await addresses.update(user.user_id, address_id, seen, data))


@router.delete(
    "/{address_id}",
    operation_id="addresses_delete",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, PreconditionFailed),
)
async def delete_address(
    address_id: AddressId, user: AccountWriter, seen: OptionalIfMatch, addresses: Addresses
) -> None:
    """Delete one of your addresses. No other becomes the default in its place."""
    await addresses.delete(user.user_id, address_id, seen)
