"""Stock, for the warehouse's staff; everyone else sees what is available of a variant."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from app.dependencies import IdempotencyKey, Inventory, InventoryReader, InventoryWriter, VariantId
from app.errors import BackordersPromised, InsufficientStock, InvalidCursor, NotFound, StockChanged
from app.openapi import problems
from app.routers.answers import KEYED, say
from app.schemas.base import PageRead, page_of
from app.schemas.inventory import (
    AdjustmentCreate,
    AdjustmentRead,
    LevelQuery,
    LevelRead,
    LevelUpdate,
    MovementQuery,
    MovementRead,
    ReservationQuery,
    ReservationRead,
)

router = APIRouter(prefix="/inventory", tags=["Inventory for staff"])


@router.get(
    "",
    operation_id="inventory_list",
    response_model=PageRead[LevelRead],
    responses=problems(InvalidCursor),
)
async def list_levels(
    query: Annotated[LevelQuery, Query()], _: InventoryReader, inventory: Inventory
) -> PageRead[LevelRead]:
    """List how much there is of each variant.

    `low_stock=true` is what to order again, with `sort=available` the most urgent first.
    """
    return page_of(await inventory.levels(query))


@router.post(
    "/adjustments",
    operation_id="inventory_adjust",
    status_code=status.HTTP_201_CREATED,
    response_model=AdjustmentRead,
    responses=problems(StockChanged, InsufficientStock, *KEYED),
)
async def adjust_levels(
    data: AdjustmentCreate, staff: InventoryWriter, key: IdempotencyKey, inventory: Inventory
) -> Response:
    """Account for what came, went or was counted: all items, or none.

    An item says either by how many pieces to change (`delta`) or how many there are (`set_to`). With
    `expected_on_hand` it is refused when somebody else was faster, and `lines` says what there is now. What orders
    have reserved cannot be taken away, except for what back-orders cover.
    """
    answer = await inventory.adjust(staff, data, key)
    return say(answer, Location=f"/api/v1/inventory/movements?adjustment_id={answer.content['id']}")


@router.get(
    "/movements",
    operation_id="inventory_movements",
    response_model=PageRead[MovementRead],
    responses=problems(InvalidCursor),
)
async def list_movements(
    query: Annotated[MovementQuery, Query()], _: InventoryReader, inventory: Inventory
) -> PageRead[MovementRead]:
    """Look up every change there ever was, newest first, with its reason and whose it was.

    Nothing is ever removed from this ledger. The sums of a variant's movements are its counters of today.
    """
    return page_of(await inventory.movements(query))


@router.get(
    "/reservations",
    operation_id="inventory_reservations",
    response_model=PageRead[ReservationRead],
    responses=problems(InvalidCursor),
)
async def list_reservations(
    query: Annotated[ReservationQuery, Query()], _: InventoryReader, inventory: Inventory
) -> PageRead[ReservationRead]:
    """Look up which orders hold what, newest first.

    The `active` and `committed` reservations of a variant add up to what is `reserved` of it.
    """
    return page_of(await inventory.reservations(query))


@router.get(
    "/{variant_id}",
    operation_id="inventory_get",
    response_model=LevelRead,
    responses=problems(NotFound),
)
async def get_level(variant_id: VariantId, _: InventoryReader, inventory: Inventory) -> LevelRead:
    """Show how much there is of a variant."""
    return await inventory.level(variant_id)


@router.patch(
    "/{variant_id}",
    operation_id="inventory_update",
    response_model=LevelRead,
    responses=problems(NotFound, BackordersPromised),
)
async def update_level(
    variant_id: VariantId, changes: LevelUpdate, _: InventoryWriter, inventory: Inventory
) -> LevelRead:
    """Set when to order a variant again, and how many may be sold beyond what there is.

    Counters move by adjustments, not here. There is no version to match: a level changes with every order.
    """
    return await inventory.tune(variant_id, changes)
