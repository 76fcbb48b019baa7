"""Stock as the warehouse sees it and changes it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
    with_config,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from app.models.inventory import MovementReason, ReservationStatus
from app.schemas import examples
from app.schemas.base import Input, Output, PageQuery, Whole
from app.schemas.text import Name, Storable
from app.schemas.variants import Pieces, Sku

MOST_ITEMS = 500
MOST_PIECES = 1_000_000_000
_LARGEST_SAFE_INTEGER = 2**53 - 1  # beyond it a JSON number is not exact: RFC 8259 §6
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _written_out(given: str) -> str:
    if not given[:4].isdigit() or given[4:5] != "-":
        raise PydanticCustomError("not_a_moment", "must be a date and a time with its zone, `2026-03-01T09:00:00Z`")
    return given  # whereas Pydantic would take seconds since 1970 too


def _within_reason(moment: datetime) -> datetime:
    return min(max(moment, _EARLIEST), _LATEST)  # beyond them is nothing, and soon the end of what PostgreSQL counts


Moment = Annotated[
    AwareDatetime, BeforeValidator(_written_out, json_schema_input_type=AwareDatetime), AfterValidator(_within_reason)
]
AdjustmentReason = Literal[
    "received", "restocked", "returned", "counted", "correction", "damaged", "lost", "promotion", "other"
]


class StockQuery(PageQuery):
    """A list whose filters must all hold."""

    def filters(self) -> dict[str, Any]:
        """Those that were given."""
        return self.model_dump(exclude={"limit", "cursor", "include_total", "sort"}, exclude_none=True)


# Levels


class ProductLink(Output):
    id: UUID
    slug: str
    name: str


class LevelRead(Output):
    """How many there are of a variant. `available` = `on_hand` - `reserved`; back-orders let it fall below zero."""

    model_config = ConfigDict(json_schema_extra={"example": examples.STOCK_LEVEL})

    variant_id: UUID
    sku: str
    product: ProductLink
    options: dict[str, str]
    on_hand: int = Field(description="What lies in the warehouse")
    reserved: int = Field(description="What of it, or of what is to come, belongs to orders")
    available: int
    backorder_limit: int = Field(description="How many may be sold beyond what there is")
    reorder_point: int
    low_stock: bool = Field(description="`available` is at the `reorder_point` or below; never for what is archived")


class LevelSort(StrEnum):
    SKU = "sku"
    SKU_FALLING = "-sku"
    AVAILABLE = "available"
    AVAILABLE_FALLING = "-available"


class LevelQuery(StockQuery):
    """Filters of the levels; all of them must hold."""

    low_stock: bool | None = Field(default=None, description="Only what is to be ordered again, or only what is not")
    sku: Sku | None = Field(default=None, description="The variant with exactly this SKU")
    variant_id: UUID | None = Field(default=None, description="The variant with this `id`")
    product: Annotated[str, Field(max_length=120), Storable] | None = Field(
        default=None, description="A product's `id` or `slug`: all of its variants"
    )
    sort: LevelSort = Field(default=LevelSort.SKU, description="By SKU, or by what is `available`")


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"reorder_point": 20, "backorder_limit": 0}}))
class LevelUpdate(TypedDict, total=False):
    """Only what is sent changes."""

    reorder_point: Pieces
    backorder_limit: Pieces


# Adjustments


def _one_of_both(schema: JsonDict) -> None:
    """JSON Schema's way to say that an item has either a `delta` or a `set_to`."""
    schema["oneOf"] = [{"required": [name], "properties": {name: {"type": "integer"}}} for name in ("delta", "set_to")]


class AdjustmentItem(Input):
    """Either how many came or went, or how many were counted."""

    model_config = ConfigDict(json_schema_extra=_one_of_both)

    variant_id: UUID
    delta: Annotated[int, Field(ge=-MOST_PIECES, le=MOST_PIECES, strict=True), Whole] | None = Field(
        default=None,
        description="How many more (or, below zero, fewer) there are",
        json_schema_extra={"not": {"const": 0}},
    )
    set_to: Pieces | None = Field(default=None, description="How many there are now")
    expected_on_hand: Annotated[int, Field(ge=0, le=_LARGEST_SAFE_INTEGER, strict=True), Whole] | None = Field(
        default=None,
        description="What you believe to be `on_hand`. When it is not that any more: 409 `stock_changed`.",
    )

    @field_validator("delta")
    @classmethod
    def _moves_something(cls, delta: int | None) -> int | None:
        if delta == 0:
            raise PydanticCustomError("moves_nothing", "must not be 0")
        return delta

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.delta is None) is (self.set_to is None):
            raise PydanticCustomError("delta_or_set_to", "needs either `delta` or `set_to`")
        return self

    def delta_from(self, on_hand: int) -> int:
        """What the item changes when there are so many."""
        return self.delta if self.delta is not None else (self.set_to or 0) - on_hand


def _distinct(items: list[AdjustmentItem]) -> list[AdjustmentItem]:
    if len({item.variant_id for item in items}) < len(items):
        raise PydanticCustomError("not_distinct", "must not name a variant twice")
    return items


class AdjustmentCreate(Input):
    """One delivery, count or mishap: all of its items, or none."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ADJUSTMENT_TO_MAKE})

    items: Annotated[list[AdjustmentItem], Field(min_length=1, max_length=MOST_ITEMS), AfterValidator(_distinct)]
    reason: AdjustmentReason = Field(
        description="`received` from a supplier · `restocked` from elsewhere in the house · `returned` by a customer · "
        "`counted` in a stock-take · `correction` of a mistake · `damaged` · `lost` · `promotion`: given away · `other`"
    )
    reference: Name | None = Field(default=None, description="A document of yours, such as a delivery note")


class AdjustedLevel(LevelRead):
    """The level as the adjustment left it; `delta` is what it changed."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ADJUSTED_LEVEL})

    delta: int


class AdjustmentRead(Output):
    """What was done, in the order of the items that were sent."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ADJUSTMENT})

    id: UUID
    reason: AdjustmentReason
    reference: str | None
    items: Sequence[AdjustedLevel]


# The ledger


class MovementRead(Output):
    """One change of a variant's counters; they are the sums of all its movements."""

    model_config = ConfigDict(json_schema_extra={"example": examples.STOCK_MOVEMENT})

    id: UUID
    variant_id: UUID
    sku: str
    on_hand_delta: int
    reserved_delta: int
    reason: MovementReason
    reference: str | None = Field(description="An order's `id`, or what staff gave as theirs")
    adjustment_id: UUID | None = Field(description="Common to what one adjustment moved")
    actor_id: UUID | None = Field(description="Who of the staff it was; none when the shop itself or a service did it")
    api_key_id: UUID | None = Field(description="Which service's key it was")
    created_at: datetime


class MovementQuery(StockQuery):
    """Filters of the ledger; all of them must hold."""

    variant_id: UUID | None = Field(default=None, description="The variant with this `id`")
    sku: Sku | None = Field(default=None, description="The variant with exactly this SKU")
    reason: MovementReason | None = Field(default=None, description="Why the counters moved")
    reference: Name | None = Field(default=None, description="An order's `id`, or a document of yours")
    adjustment_id: UUID | None = Field(default=None, description="What one adjustment moved")
    created_at_gte: Moment | None = Field(default=None, alias="created_at[gte]", description="At this time or later")
    created_at_lte: Moment | None = Field(default=None, alias="created_at[lte]", description="At this time or before")
    sort: Literal["-created_at"] = Field(default="-created_at", description="The newest first, which is the only order")


class ReservationRead(Output):
    """What an order line holds: `active` until paid or expired, then `committed` until shipped."""

    model_config = ConfigDict(json_schema_extra={"example": examples.STOCK_RESERVATION})

    id: UUID
    order_id: UUID
    order_number: str
    variant_id: UUID
    sku: str
    quantity: int
    status: ReservationStatus
    expires_at: datetime = Field(description="Until when it is held for an order that is not paid")


class ReservationQuery(StockQuery):
    """Filters of the reservations; all of them must hold."""

    status: ReservationStatus | None = Field(default=None, description="Only reservations that have come this far")
    variant_id: UUID | None = Field(default=None, description="The variant with this `id`")
    order_id: UUID | None = Field(default=None, description="The order with this `id`")
    sort: Literal["-id"] = Field(default="-id", description="The newest first, which is the only order")
